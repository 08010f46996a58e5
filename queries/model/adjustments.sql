-- /// model
-- title    = "Refunds and credit notes, on their own day"
-- optional = ["refunds.amount", "refunds.refunded_on", "refunds.currency", "invoices.kind", "invoices.status", "invoices.amount", "invoices.net_amount", "invoices.issued_on", "invoices.currency", "invoices.invoice_id", "invoices.refunded_amount", "refunds.invoice_id", "refunds.payment_id", "payments.payment_id", "payments.status", "payments.refunded_amount"]
-- ///
-- What an invoice or a payment already counts as refunded is not taken off again.
with given_back as (
    select f.party_id, f.refunded_on as adjusted_on, -abs(f.amount) as amount, f.currency
    from refunds f
    where not exists (
        select 1
        from invoices i
        where i.system = f.system and i.invoice_id = f.invoice_id and (i.status = 'refunded' or i.refunded_amount > 0)
    )
        and not exists (
            select 1
            from payments m
            where m.system = f.system and m.payment_id = f.payment_id and (m.status = 'refunded' or m.refunded_amount > 0)
        )
    union all
    select i.party_id, i.issued_on, -abs(coalesce(i.net_amount, i.amount)), i.currency
    from invoices i
    join purchase_source p on p.kind = 'invoices'
    where coalesce(i.status, 'open') not in ('draft', 'void', 'failed', 'refunded')
        and (i.kind = 'credit note' or (coalesce(i.kind, 'sale') = 'sale' and coalesce(i.net_amount, i.amount) < 0))
)

select
    g.party_id,
    g.adjusted_on,
    cast(sum(case when r.rate is null then g.amount else g.amount * r.rate end) as decimal(18, 4)) as amount
from given_back g
cross join settings
left join rates r on r.currency = upper(g.currency) and upper(g.currency) <> settings.currency
where g.party_id is not null
    and g.adjusted_on is not null
    and (g.currency is null or upper(g.currency) = settings.currency or r.rate is not null)
group by g.party_id, g.adjusted_on
