-- /// model
-- title    = "Whose coverage is judged: the customers of today, or everybody in the CRM where no sale is known"
-- optional = ["*"]
-- ///
with bought as (
    select c.party_id, c.window_revenue, k.class
    from customers c
    left join classes k on k.period = c.period and k.party_id = c.party_id
    where c.period = 'current'
),

known as (
    select party_id from accounts where party_id is not null
    union
    select party_id from contacts where party_id is not null
)

select
    p.party_id,
    p.customer,
    b.class,
    coalesce(p.segment, 'unknown') as segment,
    coalesce(p.owner_id, 'nobody') as owner_id,
    b.window_revenue as revenue_amount,
    b.party_id is not null as is_customer
from parties p
left join bought b on b.party_id = p.party_id
left join known k on k.party_id = p.party_id
where b.party_id is not null
    or (k.party_id is not null and not exists (select 1 from bought))
