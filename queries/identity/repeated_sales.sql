-- /// model
-- title = "Sales that two systems bill: of each pair the one that counts and the one that does not"
-- ///
-- The same party, amount and currency within three days. One sale answers one: of several as near as each other, the
-- nearest that have each other. The system with more of such records is the one that counts.
with sales as (
    select
        'invoices' as entity,
        system,
        invoice_id as record_id,
        source_id,
        party_id,
        coalesce(kind, 'sale') as kind,
        issued_on as sold_on,
        coalesce(amount, net_amount) as amount,
        upper(currency) as currency
    from invoices
    where coalesce(status, 'open') not in ('draft', 'void', 'failed') and coalesce(kind, 'sale') in ('sale', 'credit note')
    union all
    select
        'payments',
        system,
        payment_id,
        source_id,
        party_id,
        'payment',
        paid_on,
        amount,
        upper(currency)
    from payments
    where coalesce(status, 'succeeded') not in ('failed', 'void', 'pending')
),

placed as (
    select entity, system, row_number() over (partition by entity order by count(*) desc, system) as place
    from sales
    group by entity, system
),

told as (
    select sales.*, placed.place
    from sales
    join placed on placed.entity = sales.entity and placed.system = sales.system
    join placed as second on second.entity = sales.entity and second.place = 2
    where sales.record_id is not null and sales.party_id is not null and sales.amount <> 0
),

pairs as (
    select
        kept.entity,
        kept.party_id,
        kept.system,
        kept.record_id,
        kept.sold_on,
        other.system as other_system,
        other.record_id as other_record_id,
        other.source_id as other_source_id,
        other.sold_on as other_sold_on,
        other.amount,
        other.currency,
        row_number() over (
            partition by kept.entity, kept.system, kept.record_id, kept.party_id, other.system
            order by abs(date_diff('day', kept.sold_on, other.sold_on)), other.sold_on, other.record_id
        ) as place,
        row_number() over (
            partition by other.entity, other.system, other.record_id, other.party_id, kept.system
            order by abs(date_diff('day', kept.sold_on, other.sold_on)), kept.sold_on, kept.record_id
        ) as other_place
    from told kept
    join told other
        on other.entity = kept.entity
        and other.party_id = kept.party_id
        and other.amount = kept.amount
        and other.kind = kept.kind
        and other.place > kept.place
        and abs(date_diff('day', kept.sold_on, other.sold_on)) <= 3
    where coalesce(kept.currency, other.currency, '') = coalesce(other.currency, kept.currency, '')
)

select
    entity,
    party_id,
    system,
    record_id,
    sold_on,
    other_system,
    other_record_id,
    other_source_id,
    other_sold_on,
    amount,
    currency
from pairs
where place = 1 and other_place = 1
order by entity, party_id, system, record_id, other_system, other_record_id
