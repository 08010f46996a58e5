-- /// model
-- title = "Class A, B and C of each customer by revenue in the window"
-- ///
-- Before an amount stands the revenue of those with strictly more, so that equals share the better class.
with amounts as (
    select period, window_revenue, sum(window_revenue) as revenue
    from customers
    where window_revenue > 0
    group by period, window_revenue
),

cumulated as (
    select
        period,
        window_revenue,
        sum(revenue) over (partition by period order by window_revenue desc) - revenue as revenue_before,
        sum(revenue) over (partition by period) as revenue_total
    from amounts
),

limits as (
    select
        c.period,
        min(c.window_revenue) filter (where c.revenue_before * 100 < c.revenue_total * s.a_limit_pct) as a_from,
        min(c.window_revenue) filter (where c.revenue_before * 100 < c.revenue_total * s.b_limit_pct) as b_from
    from cumulated c
    cross join settings s
    group by c.period
)

select
    c.period,
    c.party_id,
    c.window_revenue,
    case when c.window_revenue >= l.a_from then 'A' when c.window_revenue >= l.b_from then 'B' else 'C' end as class
from customers c
join limits l on l.period = c.period
where c.window_revenue > 0
