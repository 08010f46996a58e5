-- /// model
-- title    = "Refunds and credit notes, on their own day"
-- optional = ["refunds.amount", "refunds.refunded_on", "refunds.currency", "invoices.kind", "invoices.status", "invoices.amount", "invoices.net_amount", "invoices.issued_on", "invoices.currency", "churn_events.refunded_amount"]
-- ///
with given_back as (
    select party_id, refunded_on as adjusted_on, -abs(amount) as amount, currency
    from refunds
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
