-- /// audit
-- title    = "Referrals"
-- question = "Who sends you customers?"
-- why      = "Whoever sends customers is worth more than they buy, and seldom hears a thank-you."
-- fix      = "Ask every new customer who sent them, and enter the name as that customer's or partner's record."
-- headline = ["{referred_customers_pct} of the customers were referred; {top_referrer} sent the most revenue.", "{referred_customers_pct} of the customers were referred."]
-- any_of   = [["leads.referred_by", "leads.origin", "accounts.origin", "contacts.origin", "opportunities.origin"]]
-- optional = ["*"]
-- hidden   = ["referred"]
-- [metrics]
-- referred_customers_pct = { unit = "pct", better = "up", note = "customers with a referrer on a lead, or whose origin is called referral, recommendation, word of mouth or partner" }
-- referred_revenue = { unit = "money", better = "up", note = "of the window" }
-- top_referrer = { unit = "text", note = "by revenue of the window of those referred" }
-- top_referrer_customers = { unit = "n", label = "Customers the top referrer sent" }
-- top_referrer_amount = { unit = "money", label = "Revenue of the customers the top referrer sent" }
-- named_referrers = { unit = "n", better = "up" }
-- linked_referrers_pct = { unit = "pct", better = "up", note = "named referrers who are a customer, contact or prospect of ours" }
-- [[finding]]
-- level = "good"
-- when = "top_referrer is not null and top_referrer_customers >= 2"
-- text = "{top_referrer} sent {top_referrer_customers|customer|customers}, who brought {top_referrer_amount} in the window."
-- customers = "top_referrer_customers"
-- value = "top_referrer_amount"
-- lists = "referrers"
-- [[finding]]
-- level = "watch"
-- when = "unnamed > 0"
-- text = "Of {unnamed|referred customer|referred customers} nobody noted who sent them."
-- customers = "unnamed"
-- lists = "referred_customers"
-- [[partial]]
-- when = "select not exists (select 1 from leads where coalesce(trim(referred_by), '') <> '')"
-- reason = "No lead names who referred it; only the origin tells that somebody did."
-- [[chart]]
-- kind = "bars"
-- table = "referrers"
-- caption = "Revenue of the window by who sent the customer"
-- label = "referrer"
-- value = "revenue_amount"
-- ///
-- /// table referred
with named as (
    select party_id, min_by(trim(referred_by), coalesce(cast(created_on as varchar), '9') || coalesce(lead_id, '')) as referrer
    from leads
    where party_id is not null and coalesce(trim(referred_by), '') <> ''
    group by party_id
),

origins as (
    select party_id, origin from parties
    union all
    select party_id, origin from leads where party_id is not null
    union all
    select party_id, origin from opportunities where party_id is not null
),

by_word as (
    select distinct party_id
    from origins
    where regexp_matches(lower(origin), '(refer|recommend|word of mouth|partner|empfehl|recommand|recomend|indica)')
)

select c.party_id, n.referrer, c.window_revenue, c.revenue
from customers c
left join named n on n.party_id = c.party_id
left join by_word w on w.party_id = c.party_id
where c.period = 'current' and (n.party_id is not null or w.party_id is not null)
order by c.party_id
-- /// table referrers
-- A referrer is linked by the name or the address under which exactly one party is known; nobody sends themselves.
with known as (
    select lower(trim(account_name)) as called, party_id from links where account_name is not null and party_id is not null
    union
    select lower(trim(email)), party_id from links where email is not null and party_id is not null
    union
    select lower(trim(customer)), party_id from parties where customer is not null
),

sole as (
    select called, min(party_id) as party_id
    from known
    group by called
    having count(distinct party_id) = 1
)

select
    min(r.referrer) as referrer,
    p.customer as linked_customer,
    count(*) as customers,
    sum(r.window_revenue) as revenue_amount,
    sum(r.revenue) as lifetime_amount
from referred r
left join sole s on s.called = lower(r.referrer) and s.party_id <> r.party_id
left join parties p on p.party_id = s.party_id
where r.referrer is not null
group by lower(r.referrer), p.customer
order by sum(r.window_revenue) desc, min(r.referrer)
-- /// table referred_customers
select p.customer, r.referrer, p.origin, r.window_revenue as revenue_amount, r.revenue as lifetime_amount, p.owner_id, r.party_id
from referred r
join parties p on p.party_id = r.party_id
order by r.window_revenue desc, r.party_id
-- /// metrics
select
    (select 100.0 * (select count(*) from referred) / nullif(count(*), 0) from customers where period = 'current') as referred_customers_pct,
    (select count(*) from customers where period = 'current') as referred_customers_pct_n,
    (select coalesce(sum(window_revenue), 0) from referred) as referred_revenue,
    (select referrer from referrers order by revenue_amount desc, referrer limit 1) as top_referrer,
    (select customers from referrers order by revenue_amount desc, referrer limit 1) as top_referrer_customers,
    (select revenue_amount from referrers order by revenue_amount desc, referrer limit 1) as top_referrer_amount,
    (select count(distinct lower(referrer)) from referrers) as named_referrers,
    (select 100.0 * count(linked_customer) / nullif(count(*), 0) from referrers) as linked_referrers_pct,
    (select count(*) from referred where referrer is null) as unnamed
