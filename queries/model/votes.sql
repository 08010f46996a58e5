-- /// model
-- title    = "What each customer did: one row a customer, kind and day"
-- optional = ["*"]
-- ///
-- Purchases are one a day already; of all others several of a kind on one day are one.
with acts as (
    select party_id, 'deal opened' as kind, created_on as day_on from deals where created_on is not null
    union all
    select party_id, case department when 'campaign' then 'mail opened or clicked' when 'activity' then 'conversation' else department end, happened_on
    from touches
    where is_from_them or is_conversation
    union all
    select party_id, 'use of the product', cast(used_at as date) from usage where used_at is not null
)

select b.party_id, 'purchase' as kind, b.purchased_on as day_on
from purchases b
join clock c on b.purchased_on <= c.as_of_on
union all
select a.party_id, a.kind, a.day_on
from acts a
join clock c on a.day_on <= c.as_of_on
where a.party_id is not null
group by a.party_id, a.kind, a.day_on
