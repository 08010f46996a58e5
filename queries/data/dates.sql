-- /// audit
-- title    = "Dates that cannot be"
-- question = "Which dates contradict each other or lie ahead of the as-of date?"
-- why      = "A date that cannot be is a wrong duration in some figure."
-- fix      = "Let the systems set dates, not people; never overwrite a creation date at import."
-- headline = "{future_rows|row is|rows are} dated after the as-of date and left out; {contradictions|row contradicts|rows contradict} another date."
-- optional = ["*"]
-- hidden   = ["customer_days"]
-- [metrics]
-- future_rows = { unit = "n", better = "down" }
-- contradictions = { unit = "n", better = "down" }
-- [[finding]]
-- level = "watch"
-- table = "faults"
-- when = "row_count > 0"
-- key = "{fault}"
-- text = "{row_count} of {of_rows} {what}."
-- most = 12
-- ///
-- /// table after_the_as_of_date
select entity, count(*) as row_count, max(day_on) as last_on
from (
    select 'tickets' as entity, cast(opened_at as date) as day_on from tickets
    union all
    select 'invoices', issued_on from invoices
    union all
    select 'payments', paid_on from payments
    union all
    select 'opportunities closed', closed_on from opportunities
    union all
    select 'opportunities created', created_on from opportunities
    union all
    select 'leads', created_on from leads
    union all
    select 'subscriptions', started_on from subscriptions
    union all
    select 'activities', cast(happened_at as date) from activities
    union all
    select 'usage', cast(used_at as date) from usage
    union all
    select 'experiments', assigned_on from experiments
    union all
    select 'churn events', churned_on from churn_events
) dated
cross join clock c
where day_on > c.as_of_on
group by entity
order by entity
-- /// table customer_days
select party_id, min(created_on) as created_on
from (
    select party_id, created_on from accounts
    union all
    select party_id, created_on from contacts
) seen
where party_id is not null and created_on is not null
group by party_id
order by party_id
-- /// table faults
select 'tickets ahead' as fault, 'tickets are dated after the as-of date: they are set aside' as what,
    (select coalesce(max(row_count), 0) from after_the_as_of_date where entity = 'tickets') as row_count,
    (select count(*) from tickets) as of_rows
union all
select 'facts ahead', 'other dated facts lie after the as-of date: they are set aside',
    (select coalesce(sum(row_count), 0) from after_the_as_of_date where entity <> 'tickets'),
    (select coalesce(sum(row_count), 0) from coverage where entity <> 'tickets')
union all
select 'ticket before customer', 'tickets are older than their customer''s record',
    (
        select count(*)
        from tickets t
        join customer_days d on d.party_id = t.party_id
        where cast(t.opened_at as date) < d.created_on
    ),
    (select count(*) from tickets)
union all
select 'resolved before opened', 'tickets were resolved before they were opened',
    (select count(*) from tickets where resolved_at < opened_at),
    (select count(*) from tickets)
union all
select 'resolved before answered', 'tickets were resolved before they were first answered',
    (select count(*) from tickets where resolved_at < first_response_at),
    (select count(*) from tickets)
union all
select 'closed before created', 'deals were closed before they were opened',
    (select count(*) from opportunities where closed_on < created_on),
    (select count(*) from opportunities)
union all
select 'deal before lead', 'deals are older than the lead they came from',
    (
        select count(*)
        from opportunities o
        join leads l on l.system = o.system and l.lead_id = o.lead_id
        where o.created_on < l.created_on
    ),
    (select count(*) from opportunities)
union all
select 'ended before started', 'subscriptions ended before they started',
    (select count(*) from subscriptions where ended_on < started_on),
    (select count(*) from subscriptions)
order by fault
-- /// metrics
select
    cast(coalesce(sum(row_count) filter (where fault in ('tickets ahead', 'facts ahead')), 0) as bigint) as future_rows,
    cast(coalesce(sum(row_count) filter (where fault not in ('tickets ahead', 'facts ahead')), 0) as bigint) as contradictions
from faults
