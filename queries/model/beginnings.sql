-- /// model
-- title    = "When each customer began to buy, as far as the exports can tell"
-- optional = ["customers", "contracts"]
-- ///
-- Who is first seen within 12 months of the first purchase on record may have bought before it: without a customer-since
-- date or a contract they are "earlier or unknown", and began_on is null. A date that lies over a month after the first
-- purchase tells nothing of what came before. is_watched: every purchase since the first one is on record.
with under_contract as (
    select party_id, min(started_on) as started_on
    from contracts
    group by party_id
),

seen as (
    select c.party_id, c.first_purchase_on, least(n.customer_since_on, k.started_on) as since_on
    from customers c
    join parties n on n.party_id = c.party_id
    left join under_contract k on k.party_id = c.party_id
    where c.period = 'current' and c.purchases > 0
),

dated as (
    select
        s.party_id,
        s.first_purchase_on,
        r.from_on,
        case
            when s.since_on < r.from_on then s.since_on
            when s.since_on <= cast(s.first_purchase_on + to_days(31) as date)
                or t.history_is_complete
                or s.first_purchase_on >= cast(r.from_on + to_months(12) as date)
                then s.first_purchase_on
        end as began_on
    from seen s
    cross join (select min(purchased_on) as from_on from purchases) r
    cross join settings t
)

select
    party_id,
    first_purchase_on,
    began_on,
    cast(date_trunc('month', began_on) as date) as cohort_on,
    coalesce(began_on >= from_on, false) as is_watched
from dated
