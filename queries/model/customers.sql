-- /// model
-- title    = "Every customer as known at the end of each period"
-- optional = ["purchases", "contracts", "adjustments"]
-- ///
-- Grouped by days, which are faster than words, and once where two periods look at the same days.
with views as (
    select row_number() over (order by as_of_on, start_on, end_on) as view, as_of_on, start_on, end_on
    from periods
    group by as_of_on, start_on, end_on
),

seen as (
    select
        p.view,
        b.party_id,
        min(b.purchased_on) as first_purchase_on,
        min(b.purchased_on) filter (where b.purchased_on > p.start_on and b.purchased_on <= p.end_on) as window_first_purchase_on,
        max(b.purchased_on) filter (where b.purchased_on > p.start_on and b.purchased_on <= p.end_on) as window_last_purchase_on,
        max(b.purchased_on) as last_purchase_on,
        count(*) as purchases,
        sum(b.amount) as revenue,
        count(*) filter (where b.purchased_on > p.start_on and b.purchased_on <= p.end_on) as window_purchases,
        sum(b.amount) filter (where b.purchased_on > p.start_on and b.purchased_on <= p.end_on) as window_sales,
        sum(b.cost) filter (where b.purchased_on > p.start_on and b.purchased_on <= p.end_on) as window_cost,
        count(b.cost) filter (where b.purchased_on > p.start_on and b.purchased_on <= p.end_on) as window_costed
    from purchases b
    join views p on b.purchased_on <= p.as_of_on
    group by p.view, b.party_id
),

bought as (
    select p.period, s.*
    from seen s
    join views v on v.view = s.view
    join periods p on p.as_of_on = v.as_of_on and p.start_on = v.start_on and p.end_on = v.end_on
),

adjusted as (
    select p.period, a.party_id, sum(a.amount) as adjustment
    from adjustments a
    join periods p on a.adjusted_on > p.start_on and a.adjusted_on <= p.end_on
    group by p.period, a.party_id
),

contracted as (
    select
        p.period,
        c.party_id,
        min(c.started_on) as first_contract_on,
        max(case when c.ended_on is null or c.ended_on > p.as_of_on then null else c.ended_on end) as last_ended_on,
        max(case when c.ended_on is null or c.ended_on > p.as_of_on then 1 else 0 end) = 1 as is_under_contract
    from contracts c
    join periods p on c.started_on <= p.as_of_on
    group by p.period, c.party_id
)

select
    coalesce(b.period, c.period) as period,
    coalesce(b.party_id, c.party_id) as party_id,
    c.party_id is not null as is_contractual,
    least(b.first_purchase_on, c.first_contract_on) as customer_since_on,
    b.first_purchase_on,
    b.window_first_purchase_on,
    b.window_last_purchase_on,
    b.last_purchase_on,
    cast(coalesce(b.purchases, 0) as integer) as purchases,
    cast(coalesce(b.revenue, 0) as decimal(18, 4)) as revenue,
    cast(coalesce(b.window_purchases, 0) as integer) as window_purchases,
    cast(coalesce(b.window_sales, 0) + coalesce(a.adjustment, 0) as decimal(18, 4)) as window_revenue,
    cast(case when b.window_costed = b.window_purchases then b.window_cost end as decimal(18, 4)) as window_cost,
    coalesce(c.is_under_contract, false) as is_under_contract,
    case when not c.is_under_contract then c.last_ended_on end as ended_on
from bought b
full join contracted c on c.period = b.period and c.party_id = b.party_id
left join adjusted a on a.period = coalesce(b.period, c.period) and a.party_id = coalesce(b.party_id, c.party_id)
