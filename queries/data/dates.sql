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
-- [[finding]]
-- level = "act"
-- table = "days_without_exports"
-- when = "true"
-- key = "days without exports"
-- text = "The last purchase of these exports is of {last_on}, {silent_days} before the day looked from: if the exports end there, those days are no silence. Export again, or look from then with --as-of."
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
-- /// table days_without_exports
-- A day that somebody asked for may lie where no export reaches: over a month, and twice what the base was ever without
-- a purchase in the year before.
with purchase_days as (
    select distinct purchased_on
    from purchases
    cross join clock
    where purchased_on <= as_of_on and as_of_origin = 'as asked'
),

pauses as (
    select
        purchased_on,
        date_diff('day', purchased_on, lead(purchased_on) over (order by purchased_on)) as pause_days,
        max(purchased_on) over () as last_on
    from purchase_days
)

select max(p.last_on) as last_on, max(date_diff('day', p.last_on, c.as_of_on)) as silent_days
from pauses p
cross join clock c
where p.purchased_on > p.last_on - 365
having max(date_diff('day', p.last_on, c.as_of_on)) > greatest(31, 2 * coalesce(max(p.pause_days), 0))
order by last_on
-- /// metrics
select
    cast(coalesce(sum(row_count) filter (where fault in ('tickets ahead', 'facts ahead')), 0) as bigint) as future_rows,
    cast(coalesce(sum(row_count) filter (where fault not in ('tickets ahead', 'facts ahead')), 0) as bigint) as contradictions
from faults
