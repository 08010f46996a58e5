-- /// model
-- title    = "Each customer without a contract: rhythm, silence, and the probability of still being one"
-- optional = ["customers", "purchase_histories", "rhythm_groups"]
-- ///
-- Who bought within the last week before the as-of date for the first time has no history yet and counts as alive.
select
    c.party_id,
    c.purchases,
    c.first_purchase_on,
    c.last_purchase_on,
    date_diff('day', c.last_purchase_on, p.as_of_on) as silence_days,
    r.typical_gap_days,
    r.overdue_after_days,
    r.lapsed_after_days,
    date_diff('day', c.last_purchase_on, p.as_of_on) > r.overdue_after_days as is_overdue,
    date_diff('day', c.last_purchase_on, p.as_of_on) > r.lapsed_after_days and h.p_alive < 0.2 as is_lapsed,
    h.p_alive,
    h.p_leaves_52w,
    h.expected_purchases_52w,
    h.expected_purchases_104w,
    h.expected_purchases_156w,
    c.revenue,
    c.window_revenue,
    c.revenue / c.purchases as mean_amount
from customers c
join periods p on p.period = c.period
join parties n on n.party_id = c.party_id
left join rhythm_groups r
    on r.segment = coalesce(n.segment, 'unknown')
    and r.frequency = c.purchases - 1
    and r.recency_days = date_diff('day', c.first_purchase_on, c.last_purchase_on)
    and r.age_days = date_diff('day', c.first_purchase_on, p.as_of_on)
left join purchase_histories h
    on h.period = c.period
    and h.frequency = c.purchases - 1
    and h.recency_weeks = cast(floor(date_diff('day', c.first_purchase_on, c.last_purchase_on) / 7.0) as integer)
    and h.age_weeks = cast(floor(date_diff('day', c.first_purchase_on, p.as_of_on) / 7.0) as integer)
where c.period = 'current' and c.purchases > 0 and not c.is_contractual
