-- /// model
-- title    = "Tickets opened by the as-of date, with hours to the first answer and to the solution"
-- optional = ["tickets.resolved_at", "tickets.first_response_at", "tickets.first_response_hours", "tickets.resolution_hours", "tickets.status", "tickets.category", "tickets.priority", "tickets.subject", "tickets.reopens", "tickets.satisfaction", "tickets.satisfaction_text", "tickets.is_escalated", "tickets.agent_id", "tickets.ticket_id", "users.user_id", "users.name"]
-- ///
-- Solved later than the as-of date is open on it. Hours as the export has them, else between the two instants.
with people as (
    select system, user_id, min(name) as name
    from users
    where user_id is not null
    group by system, user_id
)

select
    t.party_id,
    t.system,
    t.ticket_id,
    t.opened_at,
    coalesce(p.name, nullif(trim(t.agent_id), '')) as agent,
    nullif(trim(t.category), '') as category,
    nullif(trim(t.priority), '') as priority,
    case
        when t.resolved_at is not null then cast(t.resolved_at as date) <= c.as_of_on
        else coalesce(t.status in ('solved', 'closed', 'resolved'), false)
    end as is_resolved,
    case
        when t.resolved_at is null and t.status in ('solved', 'closed', 'resolved') then t.resolution_hours
        when cast(t.resolved_at as date) <= c.as_of_on and t.resolved_at >= t.opened_at
            then coalesce(t.resolution_hours, date_diff('minute', t.opened_at, t.resolved_at) / 60.0)
        when cast(t.resolved_at as date) <= c.as_of_on then null
        else greatest(date_diff('minute', t.opened_at, cast(c.as_of_on + 1 as timestamp)) / 60.0, 0)
    end as hours,
    coalesce(
        t.first_response_hours,
        case when cast(t.first_response_at as date) <= c.as_of_on then date_diff('minute', t.opened_at, t.first_response_at) / 60.0 end
    ) as first_response_hours,
    t.resolved_at < t.opened_at as is_resolved_before_opened,
    coalesce(t.reopens, 0) > 0 as is_reopened,
    t.satisfaction
from tickets t
cross join clock c
left join people p on p.system = t.system and p.user_id = t.agent_id
where cast(t.opened_at as date) <= c.as_of_on
