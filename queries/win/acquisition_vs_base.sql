-- /// audit
-- title    = "New customers and those you have"
-- question = "Where does revenue come from: new customers or those you have?"
-- why      = "A base that carries itself may win at leisure; one that lives on new customers pays for its revenue again every year."
-- fix      = "Export what is spent on marketing and sales by month and channel, under the channel names of the CRM, and fill the customer-since date of those who bought before the billing export begins."
-- headline = ["{existing_revenue_pct} of the revenue in the window came from customers you had, {new_revenue_pct} from {new_customers} new ones; {unknown_revenue_pct} from customers first seen as the export begins, who may be either.", "{existing_revenue_pct} of the revenue in the window came from customers you had, {new_revenue_pct} from {new_customers} new ones, each won for {cost_per_new_customer}.", "{existing_revenue_pct} of the revenue in the window came from customers you had, {new_revenue_pct} from {new_customers} new ones."]
-- optional = ["rates", "spend.amount", "spend.spent_on", "spend.origin", "spend.currency"]
-- hidden   = ["buyers", "spending", "change_between_windows"]
-- [[method]]
-- name = "rates"
-- table = "by_window"
-- successes = "new_customers"
-- trials = "buyers"
-- compare = true
-- [metrics]
-- existing_revenue_pct = { unit = "pct", note = "of customers whose first purchase, paid contract or customer-since date lies before the window" }
-- new_revenue_pct = { unit = "pct", note = "of customers whose first purchase lies in the window" }
-- cost_per_new_customer = { unit = "money", better = "down", note = "all spend of the window over all new customers of the same months; unknown where no spend is exported. Spend of the window before that won customers in this one is not in it, nor salaries unless exported" }
-- unknown_revenue_pct = { unit = "pct", label = "Revenue of customers first seen as the export begins", note = "first purchase within 12 months of the first one exported, and no customer-since date: neither new nor existing; empty where there are none" }
-- new_customers = { unit = "n", better = "up" }
-- existing_customers = { unit = "n", note = "who bought in the window" }
-- new_revenue = { unit = "money", better = "up" }
-- existing_revenue = { unit = "money", better = "up" }
-- spend_in_window = { unit = "money" }
-- [[finding]]
-- level = "act"
-- table = "change_between_windows"
-- when = "differs_q < 0.05 and rate_pct < previous_rate_pct"
-- text = "New customers dry up: {new_customers} of {buyers} buyers are new, {previous_new_customers} of {previous_buyers} were in the window before."
-- value = "greatest(previous_new_amount - new_amount, 0)"
-- [[finding]]
-- level = "good"
-- table = "change_between_windows"
-- when = "differs_q < 0.05 and rate_pct > previous_rate_pct"
-- text = "More of the buyers are new than in the window before: {new_customers} of {buyers}, against {previous_new_customers} of {previous_buyers}."
-- [[finding]]
-- level = "watch"
-- table = "by_origin"
-- when = "spend_amount > 0 and new_customers = 0 and (select count(*) > 0 from by_origin where spend_amount > 0 and new_customers > 0)"
-- key = "{origin}"
-- text = "{spend_amount} were spent on {origin}, and no new customer came that way."
-- value = "spend_amount"
-- lists = "by_origin"
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices or payments: won deals stand in for purchases."
-- bias = "What existing customers buy without a deal is not seen, so their share is too low."
-- [[partial]]
-- when = "select count(*) > 0 from customers c join parties p on p.party_id = c.party_id join periods w on w.period = 'current' cross join settings s cross join (select min(purchased_on) as first_on from purchases) f where c.period = 'current' and c.window_purchases > 0 and c.customer_since_on > w.start_on and p.customer_since_on is null and not s.history_is_complete and c.customer_since_on <= cast(f.first_on + to_months(12) as date)"
-- reason = "Some customers first bought within 12 months of the first purchase exported and have no customer-since date: they may be new or not."
-- bias = "The share of new customers is too low, and what one costs too high."
-- [[partial]]
-- when = "select count(*) > 0 and max(c.customer_since_on) <= max(w.start_on) from customers c join periods w on w.period = 'current' where c.period = 'current' and c.window_purchases > 0"
-- reason = "Nobody in these exports first bought in the window: new customers may be missing."
-- bias = "The share of existing customers is too high if they are."
-- [[partial]]
-- when = "select coalesce(max(row_count), 0) = 0 from coverage where entity = 'spend'"
-- reason = "No spend is exported, so what a new customer costs cannot be told."
-- [[chart]]
-- kind = "bars"
-- table = "by_kind"
-- caption = "Revenue of the window by kind of customer"
-- label = "kind"
-- value = "revenue_amount"
-- ///
-- /// table buyers
-- First seen within 12 months of the export's beginning, a customer may have bought before it.
select
    c.period,
    c.party_id,
    least(c.customer_since_on, p.customer_since_on) as since_on,
    c.window_revenue,
    c.window_purchases,
    coalesce(t.origin, 'unknown') as origin,
    case
        when least(c.customer_since_on, p.customer_since_on) <= w.start_on then 'existing'
        when p.customer_since_on is null
            and not s.history_is_complete
            and c.customer_since_on <= cast(f.first_on + to_months(12) as date) then 'earlier or unknown'
        else 'new'
    end as kind
from customers c
join parties p on p.party_id = c.party_id
join party_traits t on t.party_id = c.party_id
join periods w on w.period = c.period
cross join settings s
cross join (select min(purchased_on) as first_on from purchases) f
where c.period in ('current', 'previous') and c.window_purchases > 0
-- /// table by_kind
select
    kind,
    count(*) as customers,
    sum(window_purchases) as purchases,
    sum(window_revenue) as revenue_amount,
    100.0 * sum(window_revenue) / nullif(sum(sum(window_revenue)) over (), 0) as revenue_pct,
    cast(sum(window_revenue) / count(*) as decimal(18, 2)) as revenue_each_amount
from buyers
where period = 'current'
group by kind
order by kind
-- /// table by_window
-- A window with customers who may be new or not is compared with none.
select
    b.period,
    count(*) filter (where b.kind = 'new') as new_customers,
    count(*) as buyers,
    coalesce(sum(b.window_revenue) filter (where b.kind = 'new'), 0) as new_amount,
    coalesce(sum(b.window_revenue) filter (where b.kind = 'existing'), 0) as existing_amount
from buyers b
join periods w on w.period = b.period and w.is_covered
group by b.period
having count(*) filter (where b.kind = 'earlier or unknown') = 0
order by b.period
-- /// table change_between_windows
select
    n.new_customers,
    n.buyers,
    b.new_customers as previous_new_customers,
    b.buyers as previous_buyers,
    n.new_amount,
    b.new_amount as previous_new_amount,
    n.rate_pct,
    b.rate_pct as previous_rate_pct,
    n.differs_q
from by_window n
join by_window b on b.period = 'previous'
where n.period = 'current'
order by n.period
-- /// table spending
-- Spend is dated to a day or to the first of its month; new customers are counted over the months that spend covers.
select
    lower(trim(coalesce(s.origin, 'unknown'))) as origin_key,
    min(trim(coalesce(s.origin, 'unknown'))) as origin,
    sum(cast(s.amount * case when s.currency is null or upper(s.currency) = t.currency then 1 else r.rate end as decimal(18, 4))) as spend_amount,
    min(min(cast(date_trunc('month', s.spent_on) as date))) over () as from_on,
    max(max(last_day(s.spent_on))) over () as until_on
from spend s
cross join settings t
join periods w on w.period = 'current' and s.spent_on > w.start_on and s.spent_on <= w.end_on
left join rates r on r.currency = upper(s.currency)
where s.amount is not null and (s.currency is null or upper(s.currency) = t.currency or r.rate is not null)
group by lower(trim(coalesce(s.origin, 'unknown')))
order by origin_key
-- /// table by_origin
with won as (
    select
        lower(trim(b.origin)) as origin_key,
        min(trim(b.origin)) as origin,
        count(*) filter (where s.from_on is null or b.since_on between s.from_on and s.until_on) as new_customers,
        sum(b.window_revenue) filter (where s.from_on is null or b.since_on between s.from_on and s.until_on) as new_amount
    from buyers b
    left join (select min(from_on) as from_on, max(until_on) as until_on from spending) s on 1 = 1
    where b.period = 'current' and b.kind = 'new'
    group by lower(trim(b.origin))
)

select
    coalesce(w.origin, s.origin) as origin,
    coalesce(w.new_customers, 0) as new_customers,
    w.new_amount,
    s.spend_amount,
    cast(s.spend_amount / nullif(w.new_customers, 0) as decimal(18, 2)) as cost_each_amount,
    cast(w.new_amount / nullif(w.new_customers, 0) as decimal(18, 2)) as revenue_each_amount
from won w
full join spending s on s.origin_key = w.origin_key
order by coalesce(w.new_customers, 0) desc, coalesce(w.origin_key, s.origin_key)
-- /// metrics
with sums as (
    select
        count(*) filter (where kind = 'new') as new_customers,
        count(*) filter (where kind = 'existing') as existing_customers,
        count(*) as customers,
        count(*) filter (where kind = 'earlier or unknown') as unknown_customers,
        coalesce(sum(window_revenue) filter (where kind = 'new'), 0) as new_amount,
        coalesce(sum(window_revenue) filter (where kind = 'existing'), 0) as existing_amount,
        coalesce(sum(window_revenue) filter (where kind = 'earlier or unknown'), 0) as unknown_amount,
        nullif(sum(window_revenue), 0) as amount
    from buyers
    where period = 'current'
)

select
    case when unknown_customers < customers then 100.0 * existing_amount / amount end as existing_revenue_pct,
    customers as existing_revenue_pct_n,
    case when unknown_customers < customers then 100.0 * new_amount / amount end as new_revenue_pct,
    customers as new_revenue_pct_n,
    (
        select cast(sum(spend_amount) / nullif(sum(new_customers), 0) as decimal(18, 2))
        from by_origin
        having sum(spend_amount) > 0
    ) as cost_per_new_customer,
    (select sum(new_customers) from by_origin having sum(spend_amount) > 0) as cost_per_new_customer_n,
    case when unknown_customers between 1 and customers - 1 then 100.0 * unknown_amount / amount end as unknown_revenue_pct,
    case when unknown_customers < customers then new_customers end as new_customers,
    case when unknown_customers < customers then existing_customers end as existing_customers,
    case when unknown_customers < customers then new_amount end as new_revenue,
    case when unknown_customers < customers then existing_amount end as existing_revenue,
    (select sum(spend_amount) from spending) as spend_in_window
from sums
