-- /// model
-- title    = "Payments received, and whether the invoice they name is in the exports"
-- optional = ["payments.payment_id", "payments.invoice_id", "payments.status", "payments.refunded_amount", "payments.currency", "invoices.invoice_id", "invoices.issued_on", "invoices.kind", "invoices.status"]
-- ///
-- Up to 30 days after the as-of date, so that what is only late by days can be told apart. The system's own invoice
-- number, else the customer's invoice of that number in another system. In the report currency; without a rate left out.
with sales as (
    select system, invoice_id, party_id
    from invoices
    where invoice_id is not null
        and issued_on is not null
        and coalesce(kind, 'sale') = 'sale'
        and coalesce(status, 'open') not in ('draft', 'void')
),

own as (
    select distinct system, invoice_id from sales
),

elsewhere as (
    select party_id, invoice_id, min(system) as system
    from sales
    where party_id is not null
    group by party_id, invoice_id
)

select
    p.party_id,
    p.system,
    p.payment_id,
    p.invoice_id,
    coalesce(o.system, e.system) as invoice_system,
    p.paid_on,
    cast((p.amount - coalesce(p.refunded_amount, 0)) * case
        when p.currency is null or upper(p.currency) = s.currency then 1 else r.rate
    end as decimal(18, 4)) as amount
from payments p
cross join settings s
cross join clock c
left join rates r on r.currency = upper(p.currency)
left join own o on o.system = p.system and o.invoice_id = p.invoice_id
left join elsewhere e on e.party_id = p.party_id and e.invoice_id = p.invoice_id
where p.paid_on <= c.as_of_on + 30
    and p.amount > coalesce(p.refunded_amount, 0)
    and coalesce(p.status, 'succeeded') not in ('failed', 'void', 'pending', 'refunded')
    and (p.currency is null or upper(p.currency) = s.currency or r.rate is not null)
