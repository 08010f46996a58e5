-- /// model
-- title    = "What each customer's health is made of, as of each day, from evidence dated up to it"
-- optional = ["*"]
-- ///
-- Null is unknown: nobody asked, or the export does not cover the days that are looked at, or ended over 30 days before.
-- Counts are cut at five, silence of a contact at 90 days: what lies beyond tells no more. That a ticket is solved is
-- today's word: where more than one in twenty solved ones has neither the day nor the hours it took, which were open on an
-- earlier day nobody knows.
with covered as (
    select
        d.period,
        count(*) filter (where v.entity = 'activities' and v.observed_from_on <= d.as_of_on - 90) > 0 as has_contacts,
        count(*) filter (where v.entity = 'tickets' and v.observed_from_on <= d.as_of_on - 90) > 0 as has_tickets,
        count(*) filter (where v.entity = 'usage' and v.observed_from_on <= d.as_of_on - 180) > 0 as has_usage
    from health_dates d
    join coverage v on v.observed_until_on >= d.as_of_on - 30
    group by d.period
),

late as (
    select m.days_ago, m.party_id, count(*) as invoices
    from receivables r
    join health_members m on m.party_id = r.party_id and r.due_on < m.as_of_on and r.due_on >= m.as_of_on - 365
    where r.is_known and (r.settled_on > m.as_of_on or (r.settled_on is null and r.outstanding >= 0.005))
    group by m.days_ago, m.party_id
),

failed as (
    select m.days_ago, m.party_id, count(*) as payments
    from (
        select party_id, paid_on as failed_on from payments where status = 'failed'
        union all
        select party_id, issued_on from invoices where status = 'failed' and (select count(*) from payments) = 0
    ) f
    join health_members m on m.party_id = f.party_id and f.failed_on > m.as_of_on - 90 and f.failed_on <= m.as_of_on
    group by m.days_ago, m.party_id
),

paying as (
    select
        m.days_ago,
        m.party_id,
        sum(g.amount) as mrr,
        coalesce(sum(g.amount) filter (where g.changed_on <= m.as_of_on - 180), 0) as mrr_before
    from mrr_changes g
    join health_members m on m.party_id = g.party_id and g.changed_on <= m.as_of_on
    group by m.days_ago, m.party_id
),

spoken as (
    select m.days_ago, m.party_id, max(t.happened_on) as last_on
    from touches t
    join health_members m on m.party_id = t.party_id and t.happened_on > m.as_of_on - 90 and t.happened_on <= m.as_of_on
    where t.department = 'activity' and t.kind not in ('task', 'note')
    group by m.days_ago, m.party_id
),

ends as (
    select
        party_id,
        cast(opened_at as date) as opened_on,
        coalesce(
            cast(resolved_at as date),
            case
                when status in ('solved', 'closed', 'resolved')
                    then cast(opened_at as date) + cast(floor((extract(hour from opened_at) + resolution_hours) / 24) as integer)
            end
        ) as solved_on,
        coalesce(status, 'open') in ('solved', 'closed', 'resolved') as is_solved
    from tickets
),

ends_known as (
    select 20 * count(*) filter (where solved_on is null) <= count(*) as is_known
    from ends
    where is_solved
),

asked as (
    select
        m.days_ago,
        m.party_id,
        count(*) filter (where t.opened_on > m.as_of_on - 90) as opened,
        count(*) filter (where t.solved_on > m.as_of_on or (t.solved_on is null and not t.is_solved)) as unsolved
    from ends t
    join health_members m on m.party_id = t.party_id and t.opened_on > m.as_of_on - 365 and t.opened_on <= m.as_of_on
    group by m.days_ago, m.party_id
),

-- Marks of one export are on one scale, told by the highest that was ever given; noughts alone are on none.
marks as (
    select
        party_id,
        said_on,
        cast(mark / nullif(max(mark) over (partition by system, kind), 0) as decimal(9, 6)) as share
    from (
        select party_id, system, lower(coalesce(kind, 'survey')) as kind, answered_on as said_on, score as mark
        from survey_responses
        union all
        select party_id, system, 'ticket', cast(coalesce(resolved_at, opened_at) as date), satisfaction
        from tickets
    ) said
    where mark >= 0
),

answered as (
    select m.days_ago, m.party_id, cast(sum(a.share) as double) / count(*) as satisfaction
    from marks a
    join health_members m on m.party_id = a.party_id and a.said_on > m.as_of_on - 365 and a.said_on <= m.as_of_on
    where a.share is not null
    group by m.days_ago, m.party_id
),

used_days as (
    select party_id, cast(used_at as date) as used_on
    from usage
    where party_id is not null and used_at is not null
    group by 1, 2
),

used as (
    select
        m.days_ago,
        m.party_id,
        count(*) filter (where u.used_on > m.as_of_on - 90) as days,
        count(*) filter (where u.used_on <= m.as_of_on - 90) as days_before
    from used_days u
    join health_members m on m.party_id = u.party_id and u.used_on > m.as_of_on - 180 and u.used_on <= m.as_of_on
    group by m.days_ago, m.party_id
)

select
    m.period,
    m.days_ago,
    m.as_of_on,
    m.role,
    m.party_id,
    m.is_contractual,
    m.limit_days,
    m.is_lost,
    m.p_lost_if_staying,
    m.known_on <= m.first_test_on as is_known_by_test,
    cast(m.purchase_silence as double) as purchase_silence,
    m.spend_trend,
    case
        when exists (select 1 from receivables where is_known) or exists (select 1 from failed)
            then cast(least(coalesce(l.invoices, 0) + coalesce(f.payments, 0), 5) as double)
    end as late_payments,
    case when p.mrr_before > 0 then cast((p.mrr - p.mrr_before) / greatest(p.mrr, p.mrr_before) as double) end as mrr_change,
    case when v.has_contacts then cast(least(coalesce(m.as_of_on - s.last_on, 90), 90) as double) end as contact_silence,
    case when v.has_tickets then cast(least(coalesce(a.opened, 0), 5) as double) end as tickets_opened,
    case when v.has_tickets and (m.days_ago = 0 or e.is_known) then cast(least(coalesce(a.unsolved, 0), 5) as double) end as tickets_open,
    w.satisfaction,
    case
        when v.has_usage and u.days_before > 0
            then (u.days - u.days_before) / cast(u.days + u.days_before as double)
    end as usage_trend
from health_members m
cross join ends_known e
left join covered v on v.period = m.period
left join late l on l.days_ago = m.days_ago and l.party_id = m.party_id
left join failed f on f.days_ago = m.days_ago and f.party_id = m.party_id
left join paying p on p.days_ago = m.days_ago and p.party_id = m.party_id
left join spoken s on s.days_ago = m.days_ago and s.party_id = m.party_id
left join asked a on a.days_ago = m.days_ago and a.party_id = m.party_id
left join answered w on w.days_ago = m.days_ago and w.party_id = m.party_id
left join used u on u.days_ago = m.days_ago and u.party_id = m.party_id
