-- /// model
-- title    = "Purchases: what one customer bought on one day"
-- any_of   = [["invoices.amount", "invoices.net_amount", "payments.amount", "opportunities.amount"], ["invoices.issued_on", "payments.paid_on", "opportunities.closed_on"]]
-- optional = ["invoices.kind", "invoices.status", "invoices.currency", "invoices.refunded_amount", "invoices.cost", "payments.status", "payments.currency", "payments.refunded_amount", "opportunities.outcome", "opportunities.currency"]
-- ///
-- Amounts net where net is known, in the report currency; an amount without a rate is left out and counted. The cost is
-- known where every sale of the day has one. `place` counts the customer's purchases from 1. The window leaves them side
-- by side, which makes every grouping by customer that follows twice as fast.
with sales as (
    select
        party_id,
        issued_on as purchased_on,
        coalesce(net_amount, amount) as sold,
        coalesce(refunded_amount, 0) as refunded,
        upper(currency) as currency,
        cost
    from invoices
    where (select max(kind) from purchase_source) = 'invoices'
        and coalesce(status, 'open') not in ('draft', 'void', 'failed', 'refunded')
        and coalesce(kind, 'sale') = 'sale'
    union all
    select party_id, paid_on, amount, coalesce(refunded_amount, 0), upper(currency), null
    from payments
    where (select max(kind) from purchase_source) = 'payments'
        and coalesce(status, 'succeeded') not in ('failed', 'void', 'pending', 'refunded')
    union all
    select party_id, closed_on, coalesce(amount, 0), 0, upper(currency), null
    from opportunities
    where (select max(kind) from purchase_source) = 'opportunities'
        and outcome = 'won'
),

kept as (
    select *
    from sales
    where party_id is not null
        and purchased_on is not null
        and sold >= 0
        and (refunded < sold or refunded = 0)
),

in_report_currency as (
    select
        k.party_id,
        k.purchased_on,
        case
            when k.currency is null or k.currency = s.currency then k.sold - k.refunded
            else cast((k.sold - k.refunded) * r.rate as decimal(18, 4))
        end as amount,
        case
            when k.currency is null or k.currency = s.currency then k.cost
            else cast(k.cost * r.rate as decimal(18, 4))
        end as cost
    from kept k
    cross join settings s
    left join rates r on r.currency = k.currency
    where k.currency is null or k.currency = s.currency or r.currency is not null
),

days as (
    select
        party_id,
        purchased_on,
        cast(sum(amount) as decimal(18, 4)) as amount,
        cast(count(*) as integer) as sales,
        cast(case when count(cost) = count(*) then sum(cost) end as decimal(18, 4)) as cost
    from in_report_currency
    group by party_id, purchased_on
)

select
    party_id,
    purchased_on,
    amount,
    sales,
    cost,
    cast(row_number() over (partition by party_id order by purchased_on) as integer) as place,
    lag(purchased_on) over (partition by party_id order by purchased_on) as previous_on
from days
