-- /// audit
-- title    = "Recency"
-- question = "How long since each customer bought?"
-- why      = "Silence is the first sign, and it is seen only against the customer's own rhythm."
-- fix      = "Look at the list of overdue A customers every Monday and call them."
-- headline = ["Half of the customers bought within the last {days_since_purchase_median}; {overdue_customers} are overdue by their own rhythm, {overdue_a_customers} of them A customers.", "Half of the customers bought within the last {days_since_purchase_median}; too few came back to know a rhythm."]
-- optional = ["classes"]
-- hidden   = ["flagged"]
-- [[method]]
-- name = "rates"
-- table = "flagged"
-- successes = "overdue"
-- trials = "customers"
-- known_pct = "usual_pct"
-- adds = ["rate_pct", "beyond_p"]
-- [metrics]
-- days_since_purchase_median = { unit = "days", better = "down" }
-- overdue_customers = { unit = "n", better = "down", note = "silent beyond the 80th percentile of their own predictive gap, and not lapsed" }
-- overdue_a_customers = { unit = "n", better = "down" }
-- overdue_revenue = { unit = "money", better = "down", note = "what they brought in the window" }
-- lapsed_customers = { unit = "n", note = "silent beyond the 99th percentile and probably gone" }
-- flagged_if_nobody_leaves_pct = { unit = "pct", note = "the rule would call so many overdue in a base of these rhythms that never leaves" }
-- [[finding]]
-- level = "act"
-- when = "is_beyond_chance_a"
-- text = "{overdue_a_customers|A customer is|A customers are} overdue, more than the rule flags where nobody leaves; they brought {overdue_a_amount} in the window."
-- customers = "overdue_a_customers"
-- value = "overdue_a_amount"
-- lists = "overdue"
-- [[finding]]
-- level = "watch"
-- when = "is_beyond_chance"
-- text = "{overdue_customers|customer is|customers are} overdue by their own rhythm, {overdue_customers_pct} of those who have not lapsed; in a base that never leaves the rule flags {flagged_if_nobody_leaves_pct}."
-- customers = "overdue_customers"
-- value = "overdue_revenue"
-- lists = "overdue"
-- [[finding]]
-- level = "info"
-- when = "overdue_customers > 0 and not is_beyond_chance and not is_beyond_chance_a"
-- key = "usual"
-- text = "{overdue_customers|customer is|customers are} overdue by their own rhythm, {overdue_customers_pct} of those who have not lapsed: no more than the rule flags in a base that never leaves, {flagged_if_nobody_leaves_pct}."
-- lists = "overdue"
-- [[chart]]
-- kind = "bars"
-- table = "by_silence"
-- caption = "Customers by days since their last purchase"
-- value = "customers"
-- label = "silence"
-- ///
-- /// table overdue
select
    p.customer,
    k.class,
    f.last_purchase_on,
    f.silence_days,
    f.typical_gap_days,
    f.overdue_after_days,
    f.p_alive,
    f.window_revenue as revenue_amount,
    f.purchases,
    p.segment,
    p.owner_id,
    f.party_id
from forecasts f
join parties p on p.party_id = f.party_id
left join classes k on k.period = 'current' and k.party_id = f.party_id
where f.is_overdue and not coalesce(f.is_lapsed, false)
order by f.window_revenue desc, f.revenue desc, f.party_id
-- /// table flagged
-- Those who have not lapsed, against what the rule flags of those who stay: of an A customer a fifth or more, since those
-- who buy often are flagged as often as the limit says.
select
    g.class,
    count(*) as customers,
    count(*) filter (where f.is_overdue) as overdue,
    case when g.class = 'A' then greatest(20, u.usual_pct) else u.usual_pct end as usual_pct
from (values ('all'), ('A')) g (class)
cross join (select max(overdue_if_nobody_leaves_pct) as usual_pct from rhythm_facts) u
join forecasts f on f.overdue_after_days is not null and not coalesce(f.is_lapsed, false)
left join classes k on k.period = 'current' and k.party_id = f.party_id
where g.class = 'all' or k.class = g.class
group by g.class, u.usual_pct
order by g.class
-- /// table by_silence
select
    case
        when silence_days <= 30 then '1: up to 30 days'
        when silence_days <= 90 then '2: 31 to 90 days'
        when silence_days <= 180 then '3: 91 to 180 days'
        when silence_days <= 365 then '4: 181 to 365 days'
        else '5: over a year'
    end as silence,
    count(*) as customers,
    sum(revenue) as revenue_amount,
    case when count(overdue_after_days) > 0 then count(*) filter (where is_overdue) end as overdue
from forecasts
group by 1
order by 1
-- /// metrics
select
    cast((select percentile_cont(0.5) within group (order by silence_days) from forecasts) as double) as days_since_purchase_median,
    (select count(*) from forecasts) as days_since_purchase_median_n,
    case when k.has_rhythm then count(o.party_id) end as overdue_customers,
    case when k.has_rhythm then count(o.party_id) filter (where o.class = 'A') end as overdue_a_customers,
    100.0 * count(o.party_id) filter (where k.has_rhythm and o.class = 'A') / nullif((
        select count(*) from classes c join forecasts f on f.party_id = c.party_id where c.period = 'current' and c.class = 'A'
    ), 0) as overdue_a_customers_pct,
    case when k.has_rhythm then coalesce(sum(o.revenue_amount), 0) end as overdue_revenue,
    case when k.has_rhythm then coalesce(sum(o.revenue_amount) filter (where o.class = 'A'), 0) end as overdue_a_amount,
    case when k.has_rhythm then (select count(*) filter (where is_lapsed) from forecasts) end as lapsed_customers,
    (select max(overdue_if_nobody_leaves_pct) from rhythm_facts) as flagged_if_nobody_leaves_pct,
    (select max(rate_pct) from flagged where class = 'all') as overdue_customers_pct,
    coalesce((select bool_or(beyond_q < 0.05 and rate_pct > usual_pct) from flagged where class = 'all'), false) as is_beyond_chance,
    coalesce((select bool_or(beyond_q < 0.05 and rate_pct > usual_pct) from flagged where class = 'A'), false) as is_beyond_chance_a
from (select count(overdue_after_days) > 0 as has_rhythm from forecasts) k
left join overdue o on true
group by k.has_rhythm
