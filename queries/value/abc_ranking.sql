-- /// audit
-- title    = "A, B and C customers"
-- question = "Who are your A, B and C customers?"
-- why      = "A handful of customers usually carries the business. Who they are decides where time goes."
-- fix      = "Bill every customer under one id, so that revenue adds up per customer and not per invoice address."
-- headline = "{a_customers|A customer|A customers} ({a_customers_pct} of all who bought) bring {a_revenue_pct} of the revenue of the window."
-- optional = ["purchase_source"]
-- [metrics]
-- a_customers = { unit = "n" }
-- b_customers = { unit = "n" }
-- c_customers = { unit = "n" }
-- a_customers_pct = { unit = "pct", note = "of all who bought in the window" }
-- b_customers_pct = { unit = "pct" }
-- c_customers_pct = { unit = "pct" }
-- a_revenue_pct = { unit = "pct" }
-- moved_up = { unit = "n", better = "up", note = "to a better class than a year before, on the present money boundaries" }
-- moved_down = { unit = "n", better = "down", note = "to a worse class, still buying, on the present money boundaries" }
-- revenue = { unit = "money", label = "Revenue of the window" }
-- lapsed = { unit = "n", better = "down", note = "bought in the window before, not in this one" }
-- down_amount = { unit = "money", label = "Revenue that those moved down brought before" }
-- [[finding]]
-- level = "act"
-- when = "moved_down >= 10 and moved_down - moved_up > 3 * sqrt(moved_down + moved_up)"
-- text = "{moved_down|customer|customers} fell to a worse class than a year before, {moved_up} rose; those who fell had brought {down_amount}."
-- customers = "moved_down"
-- value = "down_amount"
-- lists = "moves"
-- [[finding]]
-- level = "info"
-- when = "a_customers > 0"
-- text = "{a_customers|A customer brings|A customers bring} {a_revenue_pct} of the revenue."
-- customers = "a_customers"
-- lists = "ranking"
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices and no payments: won deals stand in for purchases."
-- bias = "Deals are often invoiced in parts, later, or for another amount."
-- [[partial]]
-- when = "select not bool_and(is_covered) from periods where period = 'previous'"
-- reason = "The window before is not covered in full, so moves between classes are not judged."
-- [[chart]]
-- kind = "stacked_bars"
-- table = "shares"
-- caption = "How customers and revenue are spread over the classes"
-- description = "For each class the share of customers and the share of revenue."
-- value = "share_pct"
-- label = "of_what"
-- series = "class"
-- ///
-- /// table ranking
select
    p.customer,
    c.class,
    c.window_revenue as revenue_amount,
    100.0 * c.window_revenue / sum(c.window_revenue) over () as revenue_pct,
    k.window_purchases as purchases,
    k.last_purchase_on,
    b.class as previous_class,
    coalesce(was.window_revenue, 0) as previous_revenue_amount,
    p.segment,
    p.region,
    c.party_id
from classes c
join customers k on k.period = c.period and k.party_id = c.party_id
join parties p on p.party_id = c.party_id
left join classes b on b.period = 'previous' and b.party_id = c.party_id
left join customers was on was.period = 'previous' and was.party_id = c.party_id
where c.period = 'current'
order by c.window_revenue desc, c.party_id
-- /// table classes_by_size
select
    class,
    count(*) as customers,
    100.0 * count(*) / sum(count(*)) over () as customers_pct,
    sum(window_revenue) as revenue_amount,
    100.0 * sum(window_revenue) / sum(sum(window_revenue)) over () as revenue_pct,
    min(window_revenue) as smallest_amount
from classes
where period = 'current'
group by class
order by class
-- /// table shares
select class, 'customers' as of_what, customers_pct as share_pct
from classes_by_size
union all
select class, 'revenue', revenue_pct
from classes_by_size
order by class, of_what
-- /// table moves
with boundaries as (
    select
        min(window_revenue) filter (where class = 'A') as a_from,
        min(window_revenue) filter (where class in ('A', 'B')) as b_from
    from classes
    where period = 'current'
),

windows as (
    select
        coalesce(n.party_id, b.party_id) as party_id,
        coalesce(n.window_revenue, 0) as now_amount,
        coalesce(b.window_revenue, 0) as before_amount
    from (select * from customers where period = 'current') n
    full join (select * from customers where period = 'previous') b on b.party_id = n.party_id
),

placed as (
    select
        party_id,
        now_amount,
        before_amount,
        case when now_amount >= a_from then 'A' when now_amount >= b_from then 'B' when now_amount > 0 then 'C' else 'none' end as class_now,
        case when before_amount >= a_from then 'A' when before_amount >= b_from then 'B' when before_amount > 0 then 'C' else 'none' end as class_before
    from windows
    cross join boundaries
)

select
    p.customer,
    m.class_before,
    m.class_now,
    case
        when m.class_before = 'none' then 'new or back'
        when m.class_now = 'none' then 'lapsed'
        when m.class_now < m.class_before then 'up'
        else 'down'
    end as move,
    m.before_amount,
    m.now_amount,
    m.now_amount - m.before_amount as change_amount,
    m.party_id
from placed m
join parties p on p.party_id = m.party_id
where m.class_now <> m.class_before
    and (select bool_and(is_covered) from periods where period = 'previous')
order by m.now_amount - m.before_amount, m.party_id
-- /// metrics
select
    count(*) filter (where class = 'A') as a_customers,
    count(*) filter (where class = 'B') as b_customers,
    count(*) filter (where class = 'C') as c_customers,
    100.0 * count(*) filter (where class = 'A') / nullif(count(*), 0) as a_customers_pct,
    count(*) as a_customers_pct_n,
    100.0 * count(*) filter (where class = 'B') / nullif(count(*), 0) as b_customers_pct,
    100.0 * count(*) filter (where class = 'C') / nullif(count(*), 0) as c_customers_pct,
    100.0 * sum(revenue_amount) filter (where class = 'A') / nullif(sum(revenue_amount), 0) as a_revenue_pct,
    sum(revenue_amount) as revenue,
    case when (select bool_and(is_covered) from periods where period = 'previous')
        then (select count(*) from moves where move = 'up') end as moved_up,
    case when (select bool_and(is_covered) from periods where period = 'previous')
        then (select count(*) from moves where move = 'down') end as moved_down,
    case when (select bool_and(is_covered) from periods where period = 'previous')
        then (select count(*) from moves where move = 'lapsed') end as lapsed,
    (select sum(before_amount) from moves where move = 'down') as down_amount
from ranking
