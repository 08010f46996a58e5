-- /// model
-- title    = "Renewals of the next 90 days, with what shows that one is in danger"
-- optional = ["*"]
-- ///
-- An open ticket is too common a sign to call for action before each renewal of a monthly plan.
with late as (
    select r.party_id, sum(r.outstanding) as overdue_amount
    from receivables r
    cross join clock c
    where r.is_known and r.outstanding >= 0.005 and r.due_on < c.as_of_on and r.issued_on <= c.as_of_on
    group by r.party_id
),

failed as (
    select f.party_id, count(*) as failed_payments
    from (
        select party_id, paid_on as failed_on from payments where status = 'failed'
        union all
        select party_id, issued_on from invoices where status = 'failed' and (select count(*) from payments) = 0
    ) f
    cross join clock c
    where f.failed_on > c.as_of_on - 90 and f.failed_on <= c.as_of_on
    group by f.party_id
),

waiting as (
    select party_id, count(*) as open_tickets
    from issues
    where not is_resolved
    group by party_id
),

-- More likely to leave within a year than to stay.
leaving as (
    select party_id, p_stays_52w
    from contract_forecasts
    where period = 'current'
),

signs as (
    select
        n.party_id,
        coalesce(w.open_tickets, 0) as open_tickets,
        coalesce(f.failed_payments, 0) as failed_payments,
        cast(coalesce(l.overdue_amount, 0) as decimal(18, 2)) as overdue_amount,
        g.p_stays_52w
    from (select distinct party_id from renewal_days where period = 'current' and party_id is not null) n
    left join waiting w on w.party_id = n.party_id
    left join failed f on f.party_id = n.party_id
    left join late l on l.party_id = n.party_id
    left join leaving g on g.party_id = n.party_id
),

told as (
    select
        d.*,
        s.open_tickets,
        s.failed_payments,
        s.overdue_amount,
        s.p_stays_52w,
        date_diff('day', c.as_of_on, d.due_on) as in_days,
        concat_ws(
            ', ',
            case when d.is_cancelled then 'cancelled' end,
            case when d.is_past_due then 'past due' end,
            case when s.open_tickets > 0 then 'open ticket' end,
            case when s.failed_payments > 0 then 'failed payment' end,
            case when s.overdue_amount > 0 then 'overdue invoice' end,
            case when s.p_stays_52w < 0.5 then 'likely to leave' end
        ) as danger
    from renewal_days d
    join clock c on d.period = 'current' and d.due_on > c.as_of_on and d.due_on <= c.as_of_on + 90
    left join signs s on s.party_id = d.party_id
)

select
    party_id,
    record_id,
    plan,
    due_on,
    in_days,
    mrr,
    nullif(danger, '') as danger,
    in_days <= 30 and danger <> '' and (is_longer or danger <> 'open ticket') as is_urgent,
    open_tickets,
    failed_payments,
    overdue_amount,
    p_stays_52w,
    known_from,
    is_longer,
    is_cancelled,
    is_past_due
from told
