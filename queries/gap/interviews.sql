-- Whom to talk to: customers won, loyal and lost, each kind spread over the classes. Who comes first within a class is
-- decided by a hash of the customer's id, so that nobody picks their favourites and every run asks the same people.
with people as (
    select
        party_id,
        min_by(contact, coalesce(role, '~') || contact) as contact,
        min_by(title, coalesce(role, '~') || contact) as title
    from contact_records
    where contact is not null and not coalesce(has_left, false)
    group by party_id
),

known as (
    select
        c.party_id,
        p.customer,
        coalesce(g.class, b.class, '') as class,
        c.customer_since_on,
        c.last_purchase_on,
        c.window_revenue,
        p.owner,
        e.contact,
        e.title,
        md5(coalesce(p.account_id, p.contact_id, p.customer)) as draw,
        case
            when coalesce(f.is_lapsed, false) and c.last_purchase_on > cast(k.as_of_on - to_months(24) as date) then 'lost'
            when c.ended_on > cast(k.as_of_on - to_months(24) as date) then 'lost'
            when w.cohort_on is not null and c.customer_since_on > cast(k.as_of_on - to_months(12) as date) then 'won'
            when c.customer_since_on <= cast(k.as_of_on - to_months(24) as date)
                and (c.is_under_contract or c.window_purchases > 0)
                and not coalesce(f.is_overdue, false)
                then 'loyal'
        end as stratum
    from customers c
    join parties p on p.party_id = c.party_id
    cross join clock k
    left join classes g on g.period = 'current' and g.party_id = c.party_id
    left join classes b on b.period = 'previous' and b.party_id = c.party_id
    left join forecasts f on f.party_id = c.party_id
    left join beginnings w on w.party_id = c.party_id
    left join people e on e.party_id = c.party_id
    where c.period = 'current'
),

placed as (
    select
        *,
        row_number() over (partition by stratum, class order by draw, party_id) as place_in_class,
        count(*) over (partition by stratum) as stratum_customers
    from known
    where stratum is not null
)

select
    stratum,
    row_number() over (partition by stratum order by place_in_class, case when class = '' then 'Z' else class end, draw, party_id) as place,
    stratum_customers,
    party_id,
    customer,
    class,
    customer_since_on,
    last_purchase_on,
    window_revenue,
    owner,
    contact,
    title
from placed
order by stratum, place
