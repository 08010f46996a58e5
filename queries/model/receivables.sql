-- /// model
-- title    = "Each invoice with what was paid of it by the as-of date, and when"
-- any_of   = [["invoices.amount", "invoices.net_amount"]]
-- optional = ["receipts", "invoices.invoice_id", "invoices.amount", "invoices.net_amount", "invoices.tax_amount", "invoices.paid_amount", "invoices.refunded_amount", "invoices.currency", "invoices.kind", "invoices.status", "invoices.due_on", "invoices.paid_on", "invoices.subscription_id", "refunds.invoice_id", "refunds.amount"]
-- ///
-- Gross, since that is what is paid; in the report currency. First the payments that name the invoice count, then the
-- customer's payments that name none, oldest invoice first, then the invoice's own word: paid, on its day. What was
-- credited is not owed. `is_known` holds where an export could have told that it was paid.
with given_back as (
    select system, invoice_id, sum(abs(amount)) as amount
    from refunds
    where invoice_id is not null
    group by system, invoice_id
),

billed as (
    select
        row_number() over (order by i.system, i.invoice_id, i.party_id, i.issued_on, i.amount, i.net_amount, i.source_id) as place,
        i.party_id,
        i.system,
        i.invoice_id,
        i.subscription_id,
        i.issued_on,
        i.due_on,
        i.status,
        i.paid_on,
        i.paid_amount,
        case when i.currency is null or upper(i.currency) = s.currency then 1 else r.rate end as rate,
        coalesce(i.net_amount, i.amount) as net,
        coalesce(i.amount, i.net_amount + coalesce(i.tax_amount, 0)) as gross,
        greatest(coalesce(i.refunded_amount, 0), coalesce(g.amount, 0)) as credited
    from invoices i
    cross join settings s
    left join rates r on r.currency = upper(i.currency)
    left join given_back g on g.system = i.system and g.invoice_id = i.invoice_id
    where i.issued_on is not null
        and coalesce(i.net_amount, i.amount) > 0
        and coalesce(i.kind, 'sale') = 'sale'
        and coalesce(i.status, 'open') not in ('draft', 'void', 'failed', 'refunded')
),

due as (
    select
        b.place,
        b.party_id,
        b.system,
        b.invoice_id,
        b.subscription_id,
        b.issued_on,
        b.due_on,
        cast(b.net * b.rate as decimal(18, 4)) as net,
        cast(b.gross * b.rate as decimal(18, 4)) as gross,
        cast(greatest(b.gross - b.credited, 0) * b.rate as decimal(18, 4)) as owed,
        case when b.paid_on is null or b.paid_on <= c.as_of_on + 30 then b.paid_on end as own_paid_on,
        cast(case
            when b.paid_on > c.as_of_on + 30 then 0
            when b.status = 'paid' or (b.paid_on is not null and b.paid_amount is null) then greatest(b.gross - b.credited, 0)
            else least(coalesce(b.paid_amount, 0), greatest(b.gross - b.credited, 0))
        end * b.rate as decimal(18, 4)) as own_paid,
        b.status is not null or b.paid_on is not null or b.paid_amount is not null
            or b.issued_on >= (select observed_from_on from coverage where entity = 'payments') as is_known
    from billed b
    cross join clock c
    where b.rate is not null
),

counted as (
    select
        invoice_system,
        invoice_id,
        paid_on,
        sum(amount) over (
            partition by invoice_system, invoice_id order by paid_on, payment_id, amount
            rows between unbounded preceding and current row
        ) as upto
    from receipts
    where invoice_system is not null
),

named as (
    select
        d.place,
        max(n.upto) filter (where n.paid_on <= c.as_of_on) as paid,
        max(n.upto) as paid_later,
        max(n.paid_on) as last_on,
        min(n.paid_on) filter (where n.upto >= d.owed - 0.005) as settled_on
    from due d
    cross join clock c
    join counted n on n.invoice_system = d.system and n.invoice_id = d.invoice_id
    group by d.place
),

rest as (
    select
        d.place,
        d.party_id,
        greatest(d.owed - coalesce(n.paid_later, 0), 0) as amount,
        sum(greatest(d.owed - coalesce(n.paid_later, 0), 0)) over (
            partition by d.party_id order by case when d.own_paid >= d.owed then 0 else 1 end, d.issued_on, d.place
            rows between unbounded preceding and current row
        ) as upto
    from due d
    left join named n on n.place = d.place
    where d.party_id is not null
),

first_bills as (
    select party_id, min(issued_on) as issued_on
    from due
    group by party_id
),

unnamed as (
    select
        p.party_id,
        p.paid_on,
        sum(p.amount) over (
            partition by p.party_id order by p.paid_on, p.payment_id, p.amount
            rows between unbounded preceding and current row
        ) as upto
    from receipts p
    join first_bills f on f.party_id = p.party_id and p.paid_on >= f.issued_on - 30
    where p.invoice_id is null
),

-- The first payment with which the customer's payments reach an invoice's end is the next one in the order of sums.
reached as (
    select
        place,
        min(paid_on) over (
            partition by party_id order by upto, is_bill desc, place rows between current row and unbounded following
        ) as settled_on
    from (
        select party_id, upto - 0.005 as upto, true as is_bill, place, cast(null as date) as paid_on from rest where amount > 0
        union all
        select party_id, upto, false, 0, paid_on from unnamed
    ) both_sides
),

totals as (
    select
        u.party_id,
        max(u.upto) filter (where u.paid_on <= c.as_of_on) as paid,
        max(u.upto) as paid_later
    from unnamed u
    cross join clock c
    group by u.party_id
),

shared as (
    select
        r.place,
        least(greatest(coalesce(t.paid, 0) - (r.upto - r.amount), 0), r.amount) as paid,
        least(greatest(t.paid_later - (r.upto - r.amount), 0), r.amount) as paid_later,
        e.settled_on
    from rest r
    join totals t on t.party_id = r.party_id
    join reached e on e.place = r.place
    where r.amount > 0
),

found as (
    select
        d.*,
        least(coalesce(n.paid, 0) + coalesce(s.paid, 0), d.owed) as received,
        least(coalesce(n.paid_later, 0) + coalesce(s.paid_later, 0), d.owed) as received_later,
        greatest(coalesce(n.paid, 0) - d.owed, 0) as overpaid,
        coalesce(n.settled_on, greatest(s.settled_on, coalesce(n.last_on, s.settled_on))) as received_on
    from due d
    left join named n on n.place = d.place
    left join shared s on s.place = d.place
)

select
    f.party_id,
    f.system,
    f.invoice_id,
    f.subscription_id,
    f.issued_on,
    f.due_on,
    f.net,
    f.gross,
    f.owed,
    f.received,
    case when f.own_paid_on is null or f.own_paid_on <= c.as_of_on then greatest(f.own_paid - f.received_later, 0) else 0 end as only_marked_paid,
    greatest(f.owed - greatest(f.received, case when f.own_paid_on is null or f.own_paid_on <= c.as_of_on then f.own_paid else 0 end), 0) as outstanding,
    greatest(f.received_later, f.own_paid)
        - greatest(f.received, case when f.own_paid_on is null or f.own_paid_on <= c.as_of_on then f.own_paid else 0 end) as paid_soon,
    f.overpaid,
    case
        when f.received >= f.owed - 0.005 and f.received_on <= c.as_of_on then f.received_on
        when f.own_paid >= f.owed and f.own_paid_on <= c.as_of_on then f.own_paid_on
    end as settled_on,
    f.is_known
from found f
cross join clock c
