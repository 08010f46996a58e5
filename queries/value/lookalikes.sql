-- /// audit
-- title    = "Lookalikes"
-- question = "What did your most lucrative customers have in common before they bought?"
-- why      = "Who resembles the best before the first purchase is worth more of the seller's week than who merely answers."
-- fix      = "Fill segment, industry, region, size and source of every account and lead, prospects too, on the day it is created."
-- headline = ["Customers with {best_trait} are {best_lift} times as often among the most lucrative tenth ({best_lift.interval}); {matching_prospects|prospect has|prospects have} it too.", "Of {customers|customer|customers} no trait known before they bought tells the most lucrative tenth apart."]
-- any_of   = [["accounts.segment", "accounts.industry", "accounts.region", "accounts.origin", "accounts.employees", "contacts.segment", "contacts.region", "contacts.origin", "leads.segment", "leads.region", "leads.origin", "opportunities.origin", "opportunities.segment"]]
-- hidden   = ["buyers"]
-- [[method]]
-- name = "rates"
-- table = "values_of_traits"
-- successes = "lucrative"
-- trials = "customers"
-- family = "trait"
-- compare = true
-- [metrics]
-- best_trait = { unit = "text", note = "highest lift among those that survive false-discovery control" }
-- best_lift = { unit = "ratio", note = "share of the most lucrative tenth among customers with the trait over that among all whose trait is known. Lucrative: the top tenth by revenue per year since the first purchase (a year at least)" }
-- matching_prospects = { unit = "n", note = "parties without a purchase or contract that have the best trait" }
-- customers = { unit = "n", note = "who first bought a year ago or earlier" }
-- lucrative_revenue_pct = { unit = "pct", note = "of all revenue of these customers" }
-- traits_tested = { unit = "n", note = "with at least 20 customers" }
-- [units]
-- lift = "ratio"
-- [[finding]]
-- level = "good"
-- table = "traits"
-- when = "q < 0.05 and lift > 1 and place = 1"
-- key = "{trait} {value}"
-- text = "{rate_pct} of the customers with {trait} {value} are among the most lucrative tenth, {lift} times the share of all customers; {prospects|prospect has|prospects have} it too."
-- lists = "prospects_like_them"
-- [[finding]]
-- level = "info"
-- table = "traits"
-- when = "q < 0.05 and lift < 1"
-- key = "{trait} {value}"
-- text = "Customers with {trait} {value} are seldom lucrative: {lucrative} of {customers} are among the top tenth."
-- [[partial]]
-- when = "select coalesce(sum(purchases), 0) = 0 from customers where period = 'current'"
-- reason = "No invoices, payments or won deals are exported, so nobody's revenue is known."
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices or payments: won deals stand in for purchases."
-- [[partial]]
-- when = "select 2 * count(*) filter (where is_recorded_later) > count(*) from party_traits where customer_since_on is not null"
-- reason = "Most accounts were recorded after the first purchase: what was known before it cannot be told, and these customers are left out."
-- [[partial]]
-- when = "select count(*) = 0 from parties p where not exists (select 1 from customers c where c.party_id = p.party_id)"
-- reason = "No prospects are exported, so nobody can be found who resembles the best."
-- [[chart]]
-- kind = "interval_bars"
-- table = "traits"
-- caption = "Share of customers among the most lucrative tenth, by trait, with 95 % intervals"
-- value = "rate_pct"
-- low = "low_pct"
-- high = "high_pct"
-- label = "value"
-- ///
-- /// table buyers
-- Revenue per year, since the old would else be lucrative by age alone; who first bought less than a year ago is too young
-- to judge. A trait that was recorded after the first purchase may be its consequence.
with yearly as (
    select
        c.party_id,
        c.revenue,
        c.revenue * 365.25 / date_diff('day', c.first_purchase_on, k.as_of_on) as revenue_per_year
    from customers c
    cross join clock k
    where c.period = 'current' and c.purchases > 0 and date_diff('day', c.first_purchase_on, k.as_of_on) >= 365
),

ranked as (
    select *, rank() over (order by revenue_per_year desc) as place, count(*) over () as customers
    from yearly
)

select
    r.party_id,
    r.revenue,
    r.revenue_per_year,
    r.place <= ceil(r.customers / 10.0) and r.revenue_per_year > 0 as is_lucrative,
    case when not t.is_recorded_later then t.segment end as segment,
    case when not t.is_recorded_later then t.industry end as industry,
    case when not t.is_recorded_later then t.region end as region,
    case when not t.is_recorded_later then t.origin end as origin,
    case when not t.is_recorded_later then t.employees end as employees
from ranked r
join party_traits t on t.party_id = r.party_id
order by r.party_id
-- /// table values_of_traits
-- Values with fewer than 20 customers stand together: the rest with which the others are compared.
with each as (
    select 'segment' as trait, segment as value, is_lucrative, revenue_per_year from buyers where segment is not null
    union all
    select 'industry', industry, is_lucrative, revenue_per_year from buyers where industry is not null
    union all
    select 'region', region, is_lucrative, revenue_per_year from buyers where region is not null
    union all
    select 'origin', origin, is_lucrative, revenue_per_year from buyers where origin is not null
    union all
    select 'employees', employees, is_lucrative, revenue_per_year from buyers where employees is not null
),

counted as (
    select trait, value, is_lucrative, count(*) over (partition by trait, value) as support
    from each
)

select
    trait,
    case when support >= 20 then value else '(fewer than 20 customers each)' end as value,
    count(*) filter (where is_lucrative) as lucrative,
    count(*) as customers
from counted
group by 1, 2
order by 1, 2
-- /// table traits
with based as (
    select *, 1.0 * sum(lucrative) over (partition by trait) / sum(customers) over (partition by trait) as base
    from values_of_traits
),

matching as (
    select trait, value, count(*) as prospects
    from (
        select 'segment' as trait, t.segment as value, t.party_id from party_traits t where t.segment is not null
        union all
        select 'industry', t.industry, t.party_id from party_traits t where t.industry is not null
        union all
        select 'region', t.region, t.party_id from party_traits t where t.region is not null
        union all
        select 'origin', t.origin, t.party_id from party_traits t where t.origin is not null
        union all
        select 'employees', t.employees, t.party_id from party_traits t where t.employees is not null
    ) t
    where not exists (select 1 from customers c where c.party_id = t.party_id)
    group by trait, value
)

select
    row_number() over (
        order by case when b.differs_q < 0.05 then 0 else 1 end, b.rate_pct / nullif(100 * b.base, 0) desc nulls last, b.trait, b.value
    ) as place,
    b.trait,
    b.value,
    b.customers,
    b.lucrative,
    b.rate_pct,
    b.low_pct,
    b.high_pct,
    b.rate_pct / nullif(100 * b.base, 0) as lift,
    b.low_pct / nullif(100 * b.base, 0) as low,
    b.high_pct / nullif(100 * b.base, 0) as high,
    coalesce(m.prospects, 0) as prospects,
    b.differs_q as q
from based b
left join matching m on m.trait = b.trait and m.value = b.value
where b.value <> '(fewer than 20 customers each)'
order by place
-- /// table prospects_like_them
select
    p.customer,
    x.trait,
    x.value,
    p.segment,
    p.industry,
    p.region,
    p.owner_id,
    p.created_on,
    p.party_id
from party_traits t
join parties p on p.party_id = t.party_id
join traits x
    on x.place = 1
    and x.q < 0.05
    and x.lift > 1
    and x.value = case x.trait
        when 'segment' then t.segment
        when 'industry' then t.industry
        when 'region' then t.region
        when 'origin' then t.origin
        else t.employees
    end
where not exists (select 1 from customers c where c.party_id = t.party_id)
order by p.created_on desc nulls last, p.customer, p.party_id
-- /// metrics
select
    b.trait || ' ' || b.value as best_trait,
    b.lift as best_lift,
    b.low as best_lift_low,
    b.high as best_lift_high,
    case when b.trait is not null then b.prospects end as matching_prospects,
    n.customers,
    n.lucrative_revenue_pct,
    (select count(*) from traits) as traits_tested
from (
    select
        count(*) as customers,
        100.0 * sum(revenue) filter (where is_lucrative) / nullif(sum(revenue), 0) as lucrative_revenue_pct
    from buyers
) n
left join traits b on b.place = 1 and b.q < 0.05 and b.lift > 1
where exists (select 1 from traits)
