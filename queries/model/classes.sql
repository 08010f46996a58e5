-- /// model
-- title = "Class A, B and C of each customer by revenue in the window"
-- ///
-- Before a customer stands the revenue of those with strictly more, so that equals share the better class.
with ranked as (
    select
        period,
        party_id,
        window_revenue,
        sum(window_revenue) over (partition by period order by window_revenue desc)
            - window_revenue * count(*) over (partition by period, window_revenue) as revenue_before,
        sum(window_revenue) over (partition by period) as revenue_total
    from customers
    where window_revenue > 0
)

select
    r.period,
    r.party_id,
    r.window_revenue,
    case
        when r.revenue_before * 100 < r.revenue_total * s.a_limit_pct then 'A'
        when r.revenue_before * 100 < r.revenue_total * s.b_limit_pct then 'B'
        else 'C'
    end as class
from ranked r
cross join settings s
