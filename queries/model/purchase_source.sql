-- /// model
-- title    = "The one kind of record that counts as a purchase in this base"
-- optional = ["invoices.kind", "invoices.status", "payments.status", "opportunities.outcome", "opportunities.amount"]
-- ///
-- Invoices before payments before won deals: the same sale is never counted twice.
with candidates as (
    select 1 as place, 'invoices' as kind
    from invoices
    where coalesce(amount, net_amount) is not null and issued_on is not null
        and coalesce(status, 'open') not in ('draft', 'void', 'failed', 'refunded')
        and coalesce(kind, 'sale') = 'sale'
    group by all
    union all
    select 2, 'payments'
    from payments
    where amount is not null and paid_on is not null
        and coalesce(status, 'succeeded') not in ('failed', 'void', 'pending', 'refunded')
    group by all
    union all
    select 3, 'opportunities'
    from opportunities
    where outcome = 'won' and closed_on is not null
    group by all
)

select kind
from candidates
order by place
limit 1
