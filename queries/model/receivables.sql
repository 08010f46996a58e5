-- /// model
-- title    = "Each invoice with what was paid of it by the as-of date, and when"
-- any_of   = [["invoices.amount", "invoices.net_amount"]]
-- optional = ["receipts", "invoices.invoice_id", "invoices.amount", "invoices.net_amount", "invoices.tax_amount", "invoices.paid_amount", "invoices.open_amount", "invoices.refunded_amount", "invoices.currency", "invoices.kind", "invoices.status", "invoices.due_on", "invoices.paid_on", "invoices.subscription_id", "refunds.invoice_id", "refunds.amount"]
-- ///
-- Gross, since that is what is paid; in the report currency. First the payments that name the invoice count, then the
-- customer's payments that name none, oldest invoice first, then the invoice's own word: paid, on its day, or what of it
-- is open. What was credited is not owed. `is_known` holds where an export could have told that it was paid.
with given_back as (
    select system, invoice_id, cast(sum(abs(amount)) as decimal(18, 4)) as amount
    from refunds
    where invoice_id is not null
    group by system, invoice_id
),

-- What is open is so on the day of the export: of a day long before, it says nothing.
exported as (
    select coalesce(max(v.observed_until_on) > max(c.as_of_on) + 30, false) as is_later
    from clock c
    left join coverage v on v.entity = 'invoices'
),

billed as (
    select
        i.party_id,
        i.system,
        i.invoice_id,
        i.subscription_id,
        i.issued_on,
        i.due_on,
        i.paid_on,
        i.source_id,
        coalesce(i.net_amount, i.amount) as net,
        cast(coalesce(i.amount, i.net_amount + coalesce(i.tax_amount, 0)) as decimal(18, 4)) as gross,
        cast(greatest(
            coalesce(i.amount, i.net_amount + coalesce(i.tax_amount, 0))
            - greatest(coalesce(i.refunded_amount, 0), coalesce(g.amount, 0)),
            0
        ) as decimal(18, 4)) as owed,
        case when i.status = 'paid' or (i.paid_on is not null and i.paid_amount is null) then null else coalesce(i.paid_amount, 0) end as part_paid,
        case when i.status = 'paid' or v.is_later then null else i.open_amount end as open_amount,
        i.status is not null or i.paid_on is not null or i.paid_amount is not null or (i.open_amount is not null and not v.is_later) as is_told,
        case when i.currency is null or upper(i.currency) = s.currency then null else r.rate end as rate
    from invoices i
    cross join settings s
    cross join exported v
    left join rates r on r.currency = upper(i.currency)
    left join given_back g on g.system = i.system and g.invoice_id = i.invoice_id
    where i.issued_on is not null
        and coalesce(i.net_amount, i.amount) > 0
        and coalesce(i.kind, 'sale') = 'sale'
        and coalesce(i.status, 'open') not in ('draft', 'void', 'failed', 'refunded')
        and (i.currency is null or upper(i.currency) = s.currency or r.rate is not null)
),

due as (
    select
        b.party_id,
        b.system,
        b.invoice_id,
        b.subscription_id,
        b.issued_on,
        b.due_on,
        b.source_id,
        case when b.rate is null then b.net else cast(b.net * b.rate as decimal(18, 4)) end as net,
        case when b.rate is null then b.gross else cast(b.gross * b.rate as decimal(18, 4)) end as gross,
        case when b.rate is null then b.owed else cast(b.owed * b.rate as decimal(18, 4)) end as owed,
        case when b.paid_on is null or b.paid_on <= c.as_of_on + 30 then b.paid_on end as own_paid_on,
        case
            when b.paid_on > c.as_of_on + 30 then 0
            when b.rate is null then greatest(least(coalesce(b.owed - b.open_amount, b.part_paid, b.owed), b.owed), 0)
            else cast(greatest(least(coalesce(b.owed - b.open_amount, b.part_paid, b.owed), b.owed), 0) * b.rate as decimal(18, 4))
        end as own_paid,
        b.is_told,
        b.open_amount is not null as tells_open,
        b.issued_on >= (select observed_from_on from coverage where entity = 'payments') as has_payments_since
    from billed b
    cross join clock c
),

-- The payments of one shop tell nothing of what another system bills: they are its own, or name its invoices.
paid_systems as (
    select system from payments where paid_on is not null
    union
    select invoice_system from receipts where invoice_system is not null
),

-- Whom a payment may concern is few or many; only they are put in order.
marked as (
    select
        d.* exclude (is_told, has_payments_since),
        p.party_id is not null or n.invoice_id is not null as has_receipts,
        d.is_told
            or (coalesce(d.has_payments_since, false) and (p.party_id is not null or d.system in (select system from paid_systems))) as is_known
    from due d
    left join (
        select distinct party_id from receipts where invoice_id is null
    ) p on p.party_id = d.party_id
    left join (
        select distinct invoice_system, invoice_id from receipts where invoice_system is not null
    ) n on n.invoice_system = d.system and n.invoice_id = d.invoice_id
),

touched as (
    select
        row_number() over (order by system, invoice_id, party_id, issued_on, gross, net, source_id) as place,
        *
    from marked
    where has_receipts
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
    from touched d
    cross join clock c
    join counted n on n.invoice_system = d.system and n.invoice_id = d.invoice_id
    group by d.place
),

-- Of a bill that tells what of it is open, payments that name none have paid no more than the bill says.
wanting as (
    select
        d.place,
        d.party_id,
        d.issued_on,
        d.tells_open or d.own_paid >= d.owed as is_explained,
        greatest(case when d.tells_open then d.own_paid else d.owed end - coalesce(n.paid_later, 0), 0) as amount
    from touched d
    left join named n on n.place = d.place
    where d.party_id is not null
),

rest as (
    select
        place,
        party_id,
        amount,
        sum(amount) over (
            partition by party_id order by is_explained desc, issued_on, place
            rows between unbounded preceding and current row
        ) as upto
    from wanting
),

first_bills as (
    select party_id, min(issued_on) as issued_on
    from touched
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
        d.party_id,
        d.system,
        d.invoice_id,
        d.subscription_id,
        d.issued_on,
        d.due_on,
        d.net,
        d.gross,
        d.owed,
        d.own_paid_on,
        d.own_paid,
        d.is_known,
        least(coalesce(n.paid, 0) + coalesce(s.paid, 0), d.owed) as received,
        least(coalesce(n.paid_later, 0) + coalesce(s.paid_later, 0), d.owed) as received_later,
        greatest(coalesce(n.paid, 0) - d.owed, 0) as overpaid,
        coalesce(n.settled_on, greatest(s.settled_on, coalesce(n.last_on, s.settled_on))) as received_on
    from touched d
    left join named n on n.place = d.place
    left join shared s on s.place = d.place
    union all
    select
        party_id,
        system,
        invoice_id,
        subscription_id,
        issued_on,
        due_on,
        net,
        gross,
        owed,
        own_paid_on,
        own_paid,
        is_known,
        0,
        0,
        0,
        null
    from marked
    where not has_receipts
),

paid as (
    select
        f.*,
        case when f.own_paid_on is null or f.own_paid_on <= c.as_of_on then f.own_paid else 0 end as marked_paid,
        c.as_of_on
    from found f
    cross join clock c
)

select
    party_id,
    system,
    invoice_id,
    subscription_id,
    issued_on,
    due_on,
    net,
    gross,
    owed,
    cast(received as decimal(18, 4)) as received,
    cast(case when marked_paid > received_later then marked_paid - received_later else 0 end as decimal(18, 4)) as only_marked_paid,
    cast(greatest(owed - greatest(received, marked_paid), 0) as decimal(18, 4)) as outstanding,
    cast(greatest(received_later, own_paid) - greatest(received, marked_paid) as decimal(18, 4)) as paid_soon,
    cast(overpaid as decimal(18, 4)) as overpaid,
    case
        when received >= owed - 0.005 and received_on <= as_of_on then received_on
        when own_paid >= owed and own_paid_on <= as_of_on then own_paid_on
    end as settled_on,
    is_known
from paid
