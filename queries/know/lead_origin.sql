-- /// audit
-- title    = "Origin of customers"
-- question = "How did each customer come to you?"
-- why      = "Money for winning customers goes where the last one came from, or where it is known that the best ones do."
-- fix      = "Make the origin a field that must be filled when a lead is entered, and carry it over to the account."
-- headline = ["Of {customers_with_known_origin_pct} of the customers the origin is known; the best of {origins} origins brought {top_origin_revenue_share_pct} of their revenue.", "Of {customers_with_known_origin_pct} of the customers the origin is known."]
-- any_of   = [["accounts.origin", "contacts.origin", "leads.origin", "opportunities.origin"]]
-- optional = ["*"]
-- hidden   = ["origin_of_customers"]
-- [[method]]
-- name = "rates"
-- table = "by_origin"
-- successes = "converted"
-- trials = "decided_leads"
-- compare = true
-- [metrics]
-- customers_with_known_origin_pct = { unit = "pct", better = "up" }
-- top_origin_revenue_share_pct = { unit = "pct", note = "of the revenue of the window of customers whose origin is known" }
-- origins = { unit = "n", note = "origins that brought at least one customer" }
-- top_origin = { unit = "text" }
-- unknown_amount = { unit = "money", label = "Revenue of the window of customers of unknown origin" }
-- [[finding]]
-- level = "watch"
-- when = "customers_with_known_origin_pct < 90 and without_origin > 0"
-- text = "Of {without_origin|customer|customers} nobody can say how they came; they brought {unknown_amount} in the window."
-- customers = "without_origin"
-- value = "unknown_amount"
-- lists = "customers_without_origin"
-- [[finding]]
-- level = "good"
-- table = "by_origin"
-- when = "differs_q < 0.05 and rate_pct > (select 100.0 * sum(converted) / nullif(sum(decided_leads), 0) from by_origin)"
-- key = "{origin}"
-- text = "Leads from {origin} convert better than the others: {converted} of {decided_leads}."
-- [[chart]]
-- kind = "bars"
-- table = "by_origin"
-- caption = "Revenue of the window by origin of the customer"
-- label = "origin"
-- value = "revenue_amount"
-- ///
-- /// table origin_of_customers
select c.party_id, o.origin, c.window_revenue, c.revenue
from customers c
left join party_origins o on o.party_id = c.party_id
where c.period = 'current'
order by c.party_id
-- /// table by_origin
-- Leads that are still open or younger than 90 days have had no chance to convert and are left out of the rate. Where the
-- lead itself does not say what became of it, its own deals do: one won converts it, all of them lost decide it.
with own_deals as (
    select
        l.system,
        l.lead_id,
        count(*) filter (where o.outcome = 'won' and coalesce(o.closed_on <= k.as_of_on, true)) as won,
        count(*) filter (where o.outcome = 'lost' and coalesce(o.closed_on <= k.as_of_on, true)) as lost,
        count(*) as deals
    from leads l
    cross join clock k
    join opportunities o on o.system = l.system and (o.lead_id = l.lead_id or o.opportunity_id = l.opportunity_id)
    group by l.system, l.lead_id
),

fates as (
    select
        l.origin,
        l.created_on,
        l.converted_on is not null
        or coalesce(lower(l.status) in ('converted', 'won', 'customer'), false)
        or coalesce(d.won > 0, false) as is_converted,
        l.disqualified_on is not null
        or coalesce(lower(l.status) in ('disqualified', 'unqualified', 'lost', 'rejected', 'junk'), false)
        or coalesce(d.lost = d.deals, false) as is_given_up
    from leads l
    left join own_deals d on d.system = l.system and d.lead_id = l.lead_id
),

of_leads as (
    select
        coalesce(nullif(trim(l.origin), ''), 'unknown') as origin,
        count(*) as leads,
        count(*) filter (where l.is_converted) as converted,
        count(*) filter (where l.is_converted or l.is_given_up) as decided_leads
    from fates l
    join clock k on l.created_on <= k.as_of_on - 90
    group by 1
),

of_customers as (
    select
        coalesce(origin, 'unknown') as origin,
        count(*) as customers,
        sum(window_revenue) as revenue_amount,
        sum(revenue) as lifetime_amount
    from origin_of_customers
    group by 1
)

select
    coalesce(c.origin, l.origin) as origin,
    coalesce(c.customers, 0) as customers,
    c.revenue_amount,
    100.0 * c.revenue_amount / nullif(sum(c.revenue_amount) over (), 0) as revenue_pct,
    c.lifetime_amount / nullif(c.customers, 0) as lifetime_per_customer_amount,
    coalesce(l.leads, 0) as leads,
    coalesce(l.converted, 0) as converted,
    coalesce(l.decided_leads, 0) as decided_leads
from of_customers c
full join of_leads l on l.origin = c.origin
order by c.revenue_amount desc nulls last, coalesce(c.origin, l.origin)
-- /// table customers_without_origin
select p.customer, f.class, p.segment, p.owner_id, o.window_revenue as revenue_amount, o.party_id
from origin_of_customers o
join parties p on p.party_id = o.party_id
left join followed f on f.party_id = o.party_id
where o.origin is null
order by o.window_revenue desc, o.party_id
-- /// metrics
select
    100.0 * count(origin) / nullif(count(*), 0) as customers_with_known_origin_pct,
    count(*) as customers_with_known_origin_pct_n,
    (
        select 100.0 * max(revenue_amount) / nullif(sum(revenue_amount), 0)
        from by_origin
        where origin <> 'unknown'
    ) as top_origin_revenue_share_pct,
    count(distinct origin) as origins,
    (select origin from by_origin where origin <> 'unknown' and revenue_amount > 0 order by revenue_amount desc, origin limit 1) as top_origin,
    count(*) - count(origin) as without_origin,
    sum(window_revenue) filter (where origin is null) as unknown_amount
from origin_of_customers
