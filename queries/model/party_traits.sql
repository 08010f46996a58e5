-- /// model
-- title    = "What was known of each party before it first bought: segment, industry, region, origin, size"
-- optional = ["customers", "accounts.employees", "leads.origin", "leads.segment", "leads.region", "leads.created_on", "leads.qualified_on", "leads.lead_id", "opportunities.origin", "opportunities.segment", "opportunities.created_on", "opportunities.closed_on", "opportunities.opportunity_id"]
-- ///
-- The company's record speaks first, then its person's, then its first lead, then its first deal. Leads and deals that
-- came after the first purchase say nothing of how the customer was won. Accounts and contacts have no history: their
-- traits are those of today, and `is_recorded_later` tells where the record is younger than the first purchase.
with firsts as (
    select party_id, customer_since_on
    from customers
    where period = 'current'
),

companies as (
    select party_id, max(employees) as employees
    from accounts
    group by party_id
),

told as (
    select
        l.party_id,
        1 as place,
        cast(coalesce(l.created_on, l.qualified_on) as varchar) || coalesce(l.lead_id, '') as sequence,
        coalesce(l.created_on, l.qualified_on) as told_on,
        nullif(trim(l.origin), '') as origin,
        nullif(trim(l.segment), '') as segment,
        nullif(trim(l.region), '') as region
    from leads l
    union all
    select
        o.party_id,
        2,
        cast(coalesce(o.created_on, o.closed_on) as varchar) || coalesce(o.opportunity_id, ''),
        coalesce(o.created_on, o.closed_on),
        nullif(trim(o.origin), ''),
        nullif(trim(o.segment), ''),
        null
    from opportunities o
),

earliest as (
    select
        t.party_id,
        min_by(t.origin, t.place || t.sequence) filter (where t.origin is not null) as origin,
        min_by(t.segment, t.place || t.sequence) filter (where t.segment is not null) as segment,
        min_by(t.region, t.place || t.sequence) filter (where t.region is not null) as region
    from told t
    left join firsts f on f.party_id = t.party_id
    where f.customer_since_on is null or t.told_on <= f.customer_since_on
    group by t.party_id
)

select
    p.party_id,
    coalesce(nullif(trim(p.segment), ''), e.segment) as segment,
    nullif(trim(p.industry), '') as industry,
    coalesce(nullif(trim(p.region), ''), e.region) as region,
    coalesce(nullif(trim(p.origin), ''), e.origin) as origin,
    case
        when c.employees < 10 then '1: under 10'
        when c.employees < 50 then '2: 10 to 49'
        when c.employees < 250 then '3: 50 to 249'
        when c.employees < 1000 then '4: 250 to 999'
        when c.employees >= 1000 then '5: 1,000 and more'
    end as employees,
    f.customer_since_on,
    coalesce(p.created_on > f.customer_since_on, false) as is_recorded_later
from parties p
left join firsts f on f.party_id = p.party_id
left join companies c on c.party_id = p.party_id
left join earliest e on e.party_id = p.party_id
