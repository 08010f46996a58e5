-- /// news
-- place    = 3
-- title    = "Overdue invoices"
-- subject  = "with overdue invoices"
-- text     = "Unpaid invoices past their day: {invoices}, the oldest by {late_days}; {amount} in all."
-- cleared  = "Nothing is overdue any more."
-- entities = [["invoices"]]
-- ///
-- /// table news
-- Later than nine of ten paid invoices are, and at least a week: a customer who pays as late as everybody is no news.
with habits as (
    select greatest(7, coalesce(percentile_cont(0.9) within group (order by date_diff('day', due_on, settled_on)), 7)) as late_days
    from receivables
    where settled_on is not null and due_on is not null
),

open_bills as (
    select
        r.party_id,
        count(*) as invoices,
        cast(sum(r.outstanding) as decimal(18, 2)) as amount,
        max(date_diff('day', r.due_on, c.as_of_on)) as late_days
    from receivables r
    cross join clock c
    where r.is_known and r.outstanding >= 0.005 and r.due_on < c.as_of_on and r.issued_on <= c.as_of_on and r.party_id is not null
    group by r.party_id
)

select
    cast(null as varchar) as record,
    o.party_id,
    o.late_days > h.late_days as is_entered,
    case when o.late_days > 60 then 'act' else 'watch' end as level,
    o.amount,
    o.invoices,
    o.late_days
from open_bills o
cross join habits h
order by o.amount desc, o.party_id
