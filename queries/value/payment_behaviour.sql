-- /// audit
-- title    = "Payment behaviour"
-- question = "Who pays late, and who stopped?"
-- why      = "A customer who pays later than before is short of money or of patience; either way you are next."
-- fix      = "Export invoices with their due day and payments with the invoice they settle; remind on the day after the due day."
-- headline = ["Half of the invoices of the window are paid within {days_to_pay_median}; {overdue_amount} is overdue, and [slower_payers: {slower_payers|customer pays|customers pay} | nobody pays] slower than they used to.", "Half of the invoices of the window are paid within {days_to_pay_median}; [slower_payers: {slower_payers|customer pays|customers pay} | nobody pays] slower than they used to.", "{overdue_amount} is overdue; fewer than half of the invoices of the window are known to be paid, and on which day.", "Fewer than half of the invoices of the window are known to be paid."]
-- optional = ["parties", "classes", "invoices.status", "invoices.amount", "invoices.net_amount", "payments.status", "payments.paid_on", "payments.amount", "payments.currency", "invoices.currency", "rates"]
-- any_of   = [["invoices.status", "invoices.paid_on", "invoices.paid_amount", "invoices.open_amount", "payments.amount"]]
-- hidden   = ["waits", "unpaid_by_day", "own_past", "open_bills"]
-- [[method]]
-- name = "survival"
-- table = "waits"
-- duration = "days"
-- event = "is_paid"
-- n = "invoices"
-- group = "value"
-- family = "part"
-- is_tested = false
-- gives = { curve = "unpaid_by_day", summary = "days_to_pay" }
-- [[method]]
-- name = "rates"
-- table = "own_past"
-- successes = "slow"
-- trials = "judged"
-- before = ["slow_before", "judged_before"]
-- adds = ["changed_p"]
-- [metrics]
-- days_to_pay_median = { unit = "days", better = "down", note = "Kaplan-Meier from issue to payment in full, invoices of the window; open ones are censored" }
-- naive_days_to_pay_median = { unit = "days", note = "of paid invoices only: too short while slow ones are open" }
-- overdue_amount = { unit = "money", better = "down", note = "due before the as-of date and not paid by it" }
-- overdue_over_90d_amount = { unit = "money", better = "down", label = "Overdue for over 90 days" }
-- paid_late_pct = { unit = "pct", better = "down", note = "of the invoices that fell due in the window: paid after the due day or not yet" }
-- failed_payments = { unit = "n", better = "down", note = "attempts in the window; failed invoices where there are no payments" }
-- slower_payers = { unit = "n", better = "down", note = "more invoices beyond their own typical days than in the two years before: Fisher's test under false-discovery control" }
-- stopped_payers = { unit = "n", better = "down", note = "paid before, and the last two invoices are over 30 days late" }
-- [[finding]]
-- level = "act"
-- when = "slower_payers > 0"
-- text = "[slower_payers: {slower_payers|customer pays|customers pay} | nobody pays] slower than they used to."
-- customers = "slower_payers"
-- value = "slower_open_amount"
-- lists = "slower"
-- [[finding]]
-- level = "act"
-- when = "stopped_payers > 0"
-- text = "{stopped_payers|customer who used to pay has|customers who used to pay have} let their last two invoices pass by more than 30 days."
-- customers = "stopped_payers"
-- value = "stopped_amount"
-- lists = "stopped"
-- [[finding]]
-- level = "watch"
-- when = "overdue_amount > 0"
-- text = "{overdue_amount} is overdue, {overdue_over_90d_amount} of it for more than 90 days."
-- customers = "overdue_customers"
-- value = "overdue_amount"
-- lists = "overdue_by_customer"
-- [[finding]]
-- level = "watch"
-- when = "failed_payments > 0"
-- text = "{failed_payments|payment|payments} failed in the window."
-- customers = "failed_customers"
-- lists = "failures"
-- [[partial]]
-- when = "select count(due_on) = 0 from receivables"
-- reason = "No invoice says when it is due, so nothing can be called overdue."
-- [[partial]]
-- when = "select 20 * count(*) filter (where is_known and settled_on is null and outstanding < 0.005) > count(*) from receivables"
-- reason = "Over 5 % of the invoices are paid on a day that nobody recorded; they are left out of the days to pay."
-- [[partial]]
-- when = "select count(*) filter (where not is_known) > 0 from receivables"
-- reason = "Some invoices are older than the exported payments and do not say whether they are paid; they are left out."
-- [[chart]]
-- kind = "bars"
-- table = "ageing"
-- caption = "Open invoices by days past the due day"
-- label = "age"
-- value = "open_amount"
-- ///
-- /// table waits
with bills as (
    select
        r.party_id,
        greatest(date_diff('day', r.issued_on, coalesce(r.settled_on, p.as_of_on)), 0) as days,
        r.settled_on is not null as is_paid
    from receivables r
    join periods p on p.period = 'current' and r.issued_on > p.start_on and r.issued_on <= p.end_on
    where r.is_known and r.owed > 0 and (r.settled_on is not null or r.outstanding >= 0.005)
)

select 'all' as part, 'all' as value, days, is_paid, count(*) as invoices
from bills
group by days, is_paid
union all
select 'class', k.class, b.days, b.is_paid, count(*)
from bills b
join classes k on k.period = 'current' and k.party_id = b.party_id
group by k.class, b.days, b.is_paid
union all
select 'segment', p.segment, b.days, b.is_paid, count(*)
from bills b
join parties p on p.party_id = b.party_id
where p.segment is not null
group by p.segment, b.days, b.is_paid
order by part, value, days, is_paid
-- /// table own_past
-- Each customer's invoices of the window and of the two years before. Slow is what takes longer than the middle between
-- the quartiles of them all, which knows nothing of the windows; an invoice younger than that cannot be judged yet,
-- paid or not.
with bills as (
    select
        r.party_id,
        r.issued_on > p.start_on as is_now,
        greatest(date_diff('day', r.issued_on, coalesce(r.settled_on, p.as_of_on)), 0) as days,
        date_diff('day', r.issued_on, p.as_of_on) as age_days
    from receivables r
    join periods p on p.period = 'current'
    where r.is_known
        and r.owed > 0
        and (r.settled_on is not null or r.outstanding >= 0.005)
        and r.issued_on > cast(p.start_on - to_months(24) as date)
        and r.issued_on <= p.end_on
        and r.party_id is not null
),

typical as (
    select
        party_id,
        (percentile_cont(0.25) within group (order by days) + percentile_cont(0.75) within group (order by days)) / 2 as typical_days
    from bills
    group by party_id
)

select
    b.party_id,
    t.typical_days,
    percentile_cont(0.5) within group (order by case when b.is_now then b.days end) as now_days,
    percentile_cont(0.5) within group (order by case when not b.is_now then b.days end) as before_days,
    count(*) filter (where b.is_now and b.days > t.typical_days) as slow,
    count(*) filter (where b.is_now) as judged,
    count(*) filter (where not b.is_now and b.days > t.typical_days) as slow_before,
    count(*) filter (where not b.is_now) as judged_before
from bills b
join typical t on t.party_id = b.party_id
where b.age_days >= t.typical_days
group by b.party_id, t.typical_days
having count(*) filter (where b.is_now) >= 3 and count(*) filter (where not b.is_now) >= 3
order by b.party_id
-- /// table open_bills
-- Invoices that are known not to be paid, by the day they were due; without one 30 days count for who stopped.
select
    r.party_id,
    r.system,
    r.invoice_id,
    r.issued_on,
    r.due_on,
    r.outstanding,
    case when r.due_on < c.as_of_on then date_diff('day', r.due_on, c.as_of_on) end as late_days,
    date_diff('day', coalesce(r.due_on, r.issued_on + 30), c.as_of_on) as past_days
from receivables r
cross join clock c
where r.is_known and r.owed > 0 and r.issued_on <= c.as_of_on and r.outstanding >= 0.005
order by r.party_id, r.issued_on, r.system, r.invoice_id, r.due_on, r.outstanding
-- /// table overdue_by_customer
select
    p.customer,
    k.class,
    cast(sum(d.outstanding) as decimal(18, 2)) as overdue_amount,
    count(*) as invoices,
    min(d.due_on) as oldest_due_on,
    max(d.late_days) as late_days,
    p.owner_id,
    d.party_id
from open_bills d
left join parties p on p.party_id = d.party_id
left join classes k on k.period = 'current' and k.party_id = d.party_id
where d.late_days is not null
group by p.customer, k.class, p.owner_id, d.party_id
order by overdue_amount desc, p.customer, d.party_id
-- /// table ageing
select
    a.age,
    cast(coalesce(sum(d.outstanding), 0) as decimal(18, 2)) as open_amount,
    count(d.outstanding) as invoices,
    count(distinct d.party_id) as customers
from (
    values (1, 'not due yet'), (2, '1 to 30 days'), (3, '31 to 60 days'), (4, '61 to 90 days'), (5, 'over 90 days'), (6, 'no due day')
) a (place, age)
left join open_bills d
    on a.place = case
        when d.due_on is null then 6
        when d.late_days is null then 1
        when d.late_days <= 30 then 2
        when d.late_days <= 60 then 3
        when d.late_days <= 90 then 4
        else 5
    end
group by a.place, a.age
having a.place < 6 or count(d.outstanding) > 0
order by a.place
-- /// table stopped
-- Of invoices of one day the paid one counts as the last. Who has paid a later invoice, due or not, has not stopped.
with due_before as (
    select *
    from open_bills
    where past_days > 30 and party_id is not null
),

paid as (
    select
        r.party_id,
        min(date_diff('day', coalesce(r.due_on, r.issued_on + 30), c.as_of_on)) as past_days,
        max(r.issued_on) as issued_on
    from receivables r
    cross join clock c
    where r.is_known
        and r.owed > 0
        and r.outstanding < 0.005
        and r.party_id in (select party_id from due_before)
    group by r.party_id
)

select
    p.customer,
    k.class,
    cast(sum(d.outstanding) as decimal(18, 2)) as open_amount,
    count(*) as open_invoices,
    w.issued_on as last_paid_issued_on,
    p.owner_id,
    d.party_id
from due_before d
join paid w on w.party_id = d.party_id
left join parties p on p.party_id = d.party_id
left join classes k on k.period = 'current' and k.party_id = d.party_id
group by p.customer, k.class, w.issued_on, p.owner_id, d.party_id
having count(*) filter (where d.past_days < w.past_days) >= 2
order by open_amount desc, p.customer, d.party_id
-- /// table failures
with failed as (
    select m.party_id, m.paid_on as failed_on
    from payments m
    where m.status = 'failed'
    union all
    select i.party_id, i.issued_on
    from invoices i
    where i.status = 'failed' and (select count(*) from payments) = 0
)

select p.customer, count(*) as failed_payments, max(f.failed_on) as last_failed_on, p.owner_id, f.party_id
from failed f
join periods w on w.period = 'current' and f.failed_on > w.start_on and f.failed_on <= w.end_on
left join parties p on p.party_id = f.party_id
group by p.customer, p.owner_id, f.party_id
order by failed_payments desc, last_failed_on desc, p.customer, f.party_id
-- /// table slower
select
    p.customer,
    k.class,
    o.now_days,
    o.before_days,
    o.slow,
    o.judged,
    o.slow_before,
    o.judged_before,
    o.changed_q,
    coalesce(d.outstanding, 0) as open_amount,
    p.owner_id,
    o.party_id
from own_past o
left join parties p on p.party_id = o.party_id
left join classes k on k.period = 'current' and k.party_id = o.party_id
left join (
    select party_id, cast(sum(outstanding) as decimal(18, 2)) as outstanding
    from open_bills
    group by party_id
) d on d.party_id = o.party_id
where o.changed_q < 0.05 and o.slow * o.judged_before > o.slow_before * o.judged
order by open_amount desc, p.customer, o.party_id
-- /// metrics
select
    a.median_days as days_to_pay_median,
    a.median_low_days as days_to_pay_median_low,
    a.median_high_days as days_to_pay_median_high,
    a.n as days_to_pay_median_n,
    a.naive_median_days as naive_days_to_pay_median,
    case when d.dated > 0 then d.overdue_amount end as overdue_amount,
    case when d.dated > 0 then d.overdue_over_90d_amount end as overdue_over_90d_amount,
    d.overdue_customers,
    case when d.settled > 0 then d.paid_late_pct end as paid_late_pct,
    d.paid_late_pct_n,
    (select coalesce(sum(failed_payments), 0) from failures) as failed_payments,
    (select count(*) from failures) as failed_customers,
    (select count(*) from slower) as slower_payers,
    (select coalesce(sum(open_amount), 0) from slower) as slower_open_amount,
    (select count(*) from own_past) as slower_payers_n,
    (select count(*) from stopped) as stopped_payers,
    (select coalesce(sum(open_amount), 0) from stopped) as stopped_amount
from (
    select
        count(*) as bills,
        count(b.due_on) as dated,
        count(b.settled_on) as settled,
        cast(coalesce(sum(b.outstanding) filter (where b.is_late), 0) as decimal(18, 2)) as overdue_amount,
        cast(coalesce(sum(b.outstanding) filter (where b.is_late and b.due_on < b.as_of_on - 90), 0) as decimal(18, 2)) as overdue_over_90d_amount,
        count(distinct case when b.is_late then b.party_id end) as overdue_customers,
        100.0 * count(*) filter (where b.fell_due and (b.is_late or b.settled_on > b.due_on))
            / nullif(count(*) filter (where b.fell_due and (b.is_late or b.settled_on is not null)), 0) as paid_late_pct,
        count(*) filter (where b.fell_due and (b.is_late or b.settled_on is not null)) as paid_late_pct_n
    from (
        select
            r.party_id,
            r.due_on,
            r.outstanding,
            r.settled_on,
            w.as_of_on,
            r.due_on < w.as_of_on and r.outstanding >= 0.005 as is_late,
            r.due_on > w.start_on and r.due_on < w.end_on as fell_due
        from receivables r
        join periods w on w.period = 'current' and r.issued_on <= w.as_of_on
        where r.is_known and r.owed > 0
    ) b
) d
left join days_to_pay a on a.part = 'all'
where d.bills > 0
