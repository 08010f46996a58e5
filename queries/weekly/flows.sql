-- What happened in each week of seven days up to the as-of date, week 0 the last of them, for at most two years before.
-- Only whole weeks that the export covers from their first day on; the last fact of an export may lie days before its end.
with happened as (
    select 'Purchases' as flow, purchased_on as day_on, 'purchases' as entity from purchases
    union all
    select 'New customers', first_purchase_on, 'purchases' from customers where period = 'current'
    union all
    select 'Deals won', closed_on, 'opportunities' from deals where outcome = 'won' and is_new_business
    union all
    select 'Deals lost', closed_on, 'opportunities' from deals where outcome = 'lost' and is_new_business
    union all
    select 'Leads', created_on, 'leads' from leads
    union all
    select 'Tickets', cast(opened_at as date), 'tickets' from issues
),

dated as (
    select h.flow, h.entity, h.day_on, cast(floor(date_diff('day', h.day_on, c.as_of_on) / 7) as integer) as weeks_ago
    from happened h
    cross join clock c
    where h.day_on is not null and h.day_on <= c.as_of_on
),

begun as (
    select entity, max(weeks_ago) as first_week, min(weeks_ago) as last_week
    from dated
    group by entity
),

counted as (
    select flow, entity, weeks_ago, count(*) as events
    from dated
    group by flow, entity, weeks_ago
),

weeks as (
    select cast(unnest(generate_series(0, 104)) as integer) as weeks_ago
)

select f.flow, -w.weeks_ago as week, coalesce(n.events, 0) as count, b.last_week > 0 as is_cut_short
from (select distinct flow, entity from counted) f
join begun b on b.entity = f.entity
join weeks w on w.weeks_ago < b.first_week
left join counted n on n.flow = f.flow and n.weeks_ago = w.weeks_ago
order by f.flow, week
