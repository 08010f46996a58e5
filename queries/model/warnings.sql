-- /// model
-- title    = "Signs of trouble with each party as known today, half a year and a year ago"
-- optional = ["*"]
-- ///
-- The same SQL on each day, from what is dated up to it: a ticket solved later was open then, an invoice paid later unpaid.
-- A ticket that is solved nobody knows when was solved at once; an invoice likewise.
with days as (
    select period, as_of_on
    from periods
    where period in ('current', 'half_year_ago', 'year_ago')
),

waiting as (
    select d.period, t.party_id, min(cast(t.opened_at as date)) as opened_on
    from tickets t
    join days d
        on cast(t.opened_at as date) <= d.as_of_on
        and case
            when t.resolved_at is not null then cast(t.resolved_at as date) > d.as_of_on
            else coalesce(t.status, 'open') not in ('solved', 'closed', 'resolved')
        end
    group by d.period, t.party_id
),

failed as (
    select d.period, f.party_id, count(*) as failed_payments
    from (
        select party_id, paid_on as failed_on from payments where status = 'failed'
        union all
        select party_id, issued_on from invoices where status = 'failed' and (select count(*) from payments) = 0
    ) f
    join days d on f.failed_on > d.as_of_on - 30 and f.failed_on <= d.as_of_on
    group by d.period, f.party_id
),

unpaid as (
    select d.period, r.party_id, min(r.due_on) as due_on
    from receivables r
    join days d
        on r.issued_on <= d.as_of_on
        and r.due_on < d.as_of_on
        and (r.settled_on > d.as_of_on or (r.settled_on is null and r.outstanding >= 0.005))
    where r.is_known
    group by d.period, r.party_id
),

answers as (
    select d.period, s.party_id, min_by(s.score, cast(date_diff('day', s.answered_on, d.as_of_on) as double) + s.score / 1000) as score
    from survey_responses s
    join days d on s.answered_on > d.as_of_on - 90 and s.answered_on <= d.as_of_on
    where lower(s.kind) like '%nps%' and s.score is not null
    group by d.period, s.party_id
),

used as (
    select
        d.period,
        u.party_id,
        count(*) filter (where cast(u.used_at as date) > d.as_of_on - 30) as lately,
        count(*) filter (where cast(u.used_at as date) <= d.as_of_on - 30) as before
    from usage u
    join days d on cast(u.used_at as date) > d.as_of_on - 120 and cast(u.used_at as date) <= d.as_of_on
    group by d.period, u.party_id
),

-- A plan by the month renews every month, which is no sign of anything.
renewals as (
    select n.period, n.party_id, min(n.due_on) as renews_on
    from renewal_days n
    join days d on d.period = n.period and n.due_on > d.as_of_on
    where n.is_longer
    group by n.period, n.party_id
),

warned as (
    select period, party_id from waiting
    union
    select period, party_id from failed
    union
    select period, party_id from unpaid
    union
    select period, party_id from answers
    union
    select period, party_id from used
    union
    select period, party_id from renewals
)

select
    w.period,
    w.party_id,
    date_diff('day', t.opened_on, d.as_of_on) as ticket_days,
    coalesce(f.failed_payments, 0) as failed_payments,
    date_diff('day', i.due_on, d.as_of_on) as unpaid_days,
    a.score,
    u.before >= 9 and 6 * u.lately < u.before as is_usage_halved,
    r.renews_on
from warned w
join days d on d.period = w.period
left join waiting t on t.period = w.period and t.party_id = w.party_id
left join failed f on f.period = w.period and f.party_id = w.party_id
left join unpaid i on i.period = w.period and i.party_id = w.party_id
left join answers a on a.period = w.period and a.party_id = w.party_id
left join used u on u.period = w.period and u.party_id = w.party_id
left join renewals r on r.period = w.period and r.party_id = w.party_id
where w.party_id is not null
