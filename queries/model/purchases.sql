-- /// model
-- title    = "Purchases: what one customer bought on one day"
-- any_of   = [["invoices.amount", "invoices.net_amount", "payments.amount", "opportunities.amount"], ["invoices.issued_on", "payments.paid_on", "opportunities.closed_on"]]
-- optional = ["invoices.kind", "invoices.status", "invoices.currency", "invoices.refunded_amount", "payments.status", "payments.currency", "payments.refunded_amount", "opportunities.outcome", "opportunities.currency"]
-- ///
-- Amounts net where net is known, in the report currency; an amount without a rate is left out and counted.
with sales as (
    select
        i.party_id,
        i.issued_on as purchased_on,
        coalesce(i.net_amount, i.amount) as sold,
        coalesce(i.refunded_amount, 0) as refunded,
        i.currency
    from invoices i
    join purchase_source p on p.kind = 'invoices'
    where coalesce(i.status, 'open') not in ('draft', 'void', 'failed', 'refunded')
        and coalesce(i.kind, 'sale') = 'sale'
    union all
    select m.party_id, m.paid_on, m.amount, coalesce(m.refunded_amount, 0), m.currency
    from payments m
    join purchase_source p on p.kind = 'payments'
    where coalesce(m.status, 'succeeded') not in ('failed', 'void', 'pending', 'refunded')
    union all
    select o.party_id, o.closed_on, coalesce(o.amount, 0), 0, o.currency
    from opportunities o
    join purchase_source p on p.kind = 'opportunities'
    where o.outcome = 'won'
)

select
    s.party_id,
    s.purchased_on,
    cast(sum(case when r.rate is null then s.sold - s.refunded else (s.sold - s.refunded) * r.rate end)
        as decimal(18, 4)) as amount,
    cast(count(*) as integer) as sales
from sales s
cross join settings
left join rates r on r.currency = upper(s.currency) and upper(s.currency) <> settings.currency
where s.party_id is not null
    and s.purchased_on is not null
    and s.sold >= 0
    and (s.refunded < s.sold or s.refunded = 0)
    and (s.currency is null or upper(s.currency) = settings.currency or r.rate is not null)
group by s.party_id, s.purchased_on
