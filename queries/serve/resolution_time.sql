-- /// audit
-- title    = "Resolution time"
-- question = "How long from an issue until it is resolved?"
-- why      = "Customers forgive a fault; they seldom forgive a silence."
-- fix      = "Close a ticket on the day it is solved, and keep the instant of the first answer."
-- headline = ["Half of the tickets of the window are resolved within {median_hours} ({median_hours.interval}); {open_older_than_30d} have been open for more than 30 days.", "{open_tickets|ticket is|tickets are} open; {open_older_than_30d} for more than 30 days."]
-- optional = ["classes", "parties"]
-- hidden   = ["watched", "watched_in_two_windows", "unresolved_in_two_windows", "unresolved_by_hours", "windows_compared"]
-- any_of   = [["tickets.resolved_at", "tickets.resolution_hours"]]
-- [[method]]
-- name = "survival"
-- table = "watched"
-- duration = "hours"
-- event = "is_resolved"
-- n = "tickets"
-- group = "value"
-- family = "part"
-- unit = "hours"
-- is_tested = false
-- gives = { curve = "unresolved_by_hours", summary = "resolved_within" }
-- [[method]]
-- name = "survival"
-- table = "watched_in_two_windows"
-- duration = "hours"
-- event = "is_resolved"
-- n = "tickets"
-- group = "value"
-- unit = "hours"
-- gives = { curve = "unresolved_in_two_windows", summary = "windows_compared" }
-- [metrics]
-- median_hours = { unit = "hours", better = "down", note = "Kaplan-Meier: open tickets are censored" }
-- naive_median_hours = { unit = "hours", note = "another definition: of resolved tickets only" }
-- first_response_hours_median = { unit = "hours", better = "down" }
-- open_tickets = { unit = "n", better = "down" }
-- open_older_than_30d = { unit = "n", better = "down" }
-- change_pct = { unit = "pct", better = "down", note = "of the median against the window before" }
-- tickets = { unit = "n", note = "opened in the window" }
-- all_tickets = { unit = "n", note = "opened up to the as-of date" }
-- [[finding]]
-- level = "act"
-- when = "change_pct > 0 and window_q < 0.05"
-- text = "Tickets take {change_pct} longer to resolve than in the window before."
-- lists = "resolved_within"
-- [[finding]]
-- level = "good"
-- when = "change_pct < 0 and window_q < 0.05"
-- text = "Tickets are resolved faster than in the window before: the median changed by {change_pct}."
-- lists = "resolved_within"
-- [[finding]]
-- level = "watch"
-- when = "open_older_than_30d > 0"
-- text = "{open_older_than_30d|ticket has|tickets have} been open for more than 30 days."
-- customers = "customers_waiting"
-- lists = "old_tickets"
-- [[partial]]
-- when = "select 20 * count(*) filter (where is_resolved_before_opened) > count(*) from issues"
-- reason = "Over 5 % of the tickets were resolved before they were opened."
-- [[chart]]
-- kind = "interval_bars"
-- table = "medians"
-- caption = "Median hours to resolution by priority and category, with 95 % intervals"
-- value = "median_hours"
-- low = "median_low_hours"
-- high = "median_high_hours"
-- label = "value"
-- ///
-- /// table watched
with followed as (
    select
        case when i.opened_at >= cast(p.start_on + 1 as timestamp) then 'this window' else 'the window before' end as win,
        coalesce(i.priority, 'unknown') as priority,
        coalesce(i.category, 'unknown') as category,
        coalesce(c.class, 'none') as class,
        i.is_resolved,
        i.hours
    from issues i
    join periods p on p.period = 'current'
    left join periods b
        on b.period = 'previous'
        and (select observed_from_on from coverage where entity = 'tickets') <= b.start_on + 1
    left join classes c on c.period = 'current' and c.party_id = i.party_id
    where i.hours is not null
        and i.opened_at >= cast(coalesce(b.start_on, p.start_on) + 1 as timestamp)
        and i.opened_at < cast(p.end_on + 1 as timestamp)
)

select 'window' as part, win as value, is_resolved, hours, count(*) as tickets from followed group by all
union all
select 'priority', priority, is_resolved, hours, count(*) from followed where win = 'this window' group by all
union all
select 'category', category, is_resolved, hours, count(*) from followed where win = 'this window' group by all
union all
select 'class', class, is_resolved, hours, count(*) from followed where win = 'this window' group by all
order by part, value, is_resolved, hours
-- /// table watched_in_two_windows
select value, is_resolved, hours, tickets
from watched
where part = 'window'
order by value, is_resolved, hours
-- /// table medians
select part, value, n as tickets, events as resolved, median_hours, median_low_hours, median_high_hours, p75_hours, naive_median_hours
from resolved_within
where part in ('priority', 'category') and value <> 'unknown'
order by part, n desc, value
-- /// table old_tickets
select
    i.ticket_id,
    p.customer,
    k.class,
    i.category,
    i.priority,
    i.opened_at,
    date_diff('day', cast(i.opened_at as date), c.as_of_on) as open_days,
    i.party_id
from issues i
cross join clock c
left join parties p on p.party_id = i.party_id
left join classes k on k.period = 'current' and k.party_id = i.party_id
where not i.is_resolved and date_diff('day', cast(i.opened_at as date), c.as_of_on) > 30
order by i.opened_at, i.ticket_id
-- /// metrics
select
    n.median_hours,
    n.median_low_hours as median_hours_low,
    n.median_high_hours as median_hours_high,
    n.n as median_hours_n,
    n.naive_median_hours,
    (
        select cast(percentile_cont(0.5) within group (order by i.first_response_hours) as double)
        from issues i
        join periods p on p.period = 'current'
            and i.opened_at >= cast(p.start_on + 1 as timestamp)
            and i.opened_at < cast(p.end_on + 1 as timestamp)
        where i.first_response_hours >= 0
    ) as first_response_hours_median,
    (select count(*) from issues where not is_resolved) as open_tickets,
    (select count(*) from old_tickets) as open_older_than_30d,
    (select count(distinct party_id) from old_tickets) as customers_waiting,
    100.0 * (n.median_hours - b.median_hours) / nullif(b.median_hours, 0) as change_pct,
    (select max(group_q) from windows_compared where value = 'this window') as window_q,
    (
        select count(*)
        from issues i
        join periods p on p.period = 'current'
            and i.opened_at >= cast(p.start_on + 1 as timestamp)
            and i.opened_at < cast(p.end_on + 1 as timestamp)
    ) as tickets,
    (select count(*) from issues) as all_tickets
from resolved_within n
left join resolved_within b on b.part = 'window' and b.value = 'the window before'
where n.part = 'window' and n.value = 'this window'
