-- /// audit
-- title    = "How cohorts evolve"
-- question = "How does a cohort behave as it ages?"
-- why      = "The first year of a customer says what the next ones are worth, and where on the way most of them are lost."
-- fix      = "Export the invoices back to your first customer, or the day on which each of your customers became one."
-- headline = ["A year after their first purchase {cohort_active_after_12m_pct} of the customers buy within a quarter; {never_second_purchase_pct} have not bought a second time after {watched_days}.", "{never_second_purchase_pct} of the customers have not bought a second time after {watched_days}.", "No cohort of new customers can be followed."]
-- optional = ["cohort_months"]
-- hidden   = ["cohort_sizes", "waits", "waits_by_day", "triangle", "days"]
-- [[method]]
-- name = "survival"
-- table = "waits"
-- duration = "days"
-- event = "is_bought"
-- n = "customers"
-- group = "purchase"
-- is_tested = false
-- gives = { curve = "waits_by_day(purchase, elapsed_days, surviving_pct, low_pct, high_pct, at_risk)", summary = "time_to_purchase(purchase, n, events, median_days, naive_median_days)" }
-- [metrics]
-- cohort_active_after_12m_pct = { unit = "pct", better = "up", note = "share who bought in months 12 to 14 after their first purchase, of cohorts watched for 15 months; all at the same age, but the mean hides how cohorts differ: see the table by cohort" }
-- cohort_revenue_retention_12m_pct = { unit = "pct", better = "up", note = "their revenue in months 12 to 14 against that of months 0 to 2, which holds the first purchase" }
-- active_in_second_year_pct = { unit = "pct", better = "up", note = "another definition of cohort_active_after_12m_pct: bought in months 12 to 23, of cohorts watched for 24" }
-- second_year_revenue_pct = { unit = "pct", better = "up", note = "another definition: revenue of months 12 to 23 against that of months 0 to 11" }
-- never_second_purchase_pct = { unit = "pct", better = "down", note = "Kaplan-Meier, up to the longest time for which 30 customers have been followed (all, where they are fewer)" }
-- no_second_purchase_yet_pct = { unit = "pct", better = "down", note = "another definition: a plain count, in which the newest have had no time" }
-- watched_days = { unit = "days", label = "Time followed" }
-- second_purchase_median = { unit = "days", better = "down", note = "day by which half of all customers have bought again, those who never do counted; none where fewer do" }
-- cohort_customers = { unit = "n", note = "customers whose first purchase is on record" }
-- earlier_or_unknown = { unit = "n", note = "first seen within 12 months of the start of the record without a customer-since date, or customers from before it: no new cohort" }
-- [[finding]]
-- level = "info"
-- when = "never_second_purchase_pct is not null and cohort_customers >= 30"
-- text = "{never_second_purchase_pct} of new customers have no second purchase after {watched_days}."
-- lists = "time_to_purchase"
-- [[partial]]
-- when = "select count(*) > 0 and count(*) filter (where is_watched) = 0 from beginnings"
-- reason = "Every customer is first seen within 12 months of the start of the record, or was one before it, so nobody is known to be new."
-- [[partial]]
-- when = "select count(*) filter (where is_watched) > 0 and count(*) filter (where not is_watched) > 0 from beginnings"
-- reason = "{earlier_or_unknown|customer was|customers were} first seen within 12 months of the start of the record, or were customers before it, and belong to no new cohort."
-- bias = "The oldest customers, often the most loyal, are not among those who are followed."
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices and no payments: won deals stand in for purchases."
-- [[chart]]
-- kind = "heatmap"
-- table = "active_by_quarter"
-- caption = "Share of each cohort that bought, by quarter of age"
-- x = "quarter"
-- y = "cohort"
-- value = "active_pct"
-- [[chart]]
-- kind = "line"
-- table = "purchase_curves"
-- caption = "Share of customers with an n-th purchase, by days since the first"
-- x = "day"
-- y = "bought_pct"
-- series = "purchase"
-- ///
-- /// table cohort_sizes
with sizes as (
    select
        f.cohort_on,
        count(*) as customers
    from beginnings f
    where f.is_watched
    group by f.cohort_on
),

months as (
    select cast(s.first_on + to_months(cast(n.n as integer)) as date) as cohort_on
    from (select min(cohort_on) as first_on, max(cohort_on) as last_on from sizes) s
    join (select unnest(generate_series(0, 1200)) as n) n
        on n.n <= 12 * (year(s.last_on) - year(s.first_on)) + month(s.last_on) - month(s.first_on)
),

lasts as (
    select m.cohort_on, cast(m.cohort_on + to_months(1) as date) - 1 as last_on, c.as_of_on + 1 as next_on
    from months m
    cross join clock c
)

-- The youngest of a cohort is watched so many whole months.
select
    l.cohort_on,
    coalesce(s.customers, 0) as customers,
    cast(greatest(
        12 * (year(l.next_on) - year(l.last_on)) + month(l.next_on) - month(l.last_on)
            - case when day(l.next_on) < day(l.last_on) then 1 else 0 end,
        0
    ) as integer) as watched_months
from lasts l
left join sizes s on s.cohort_on = l.cohort_on
order by l.cohort_on
-- /// table triangle
select
    c.cohort_on,
    c.customers,
    n.age,
    coalesce(sum(m.in_age), 0) as active,
    coalesce(sum(m.in_quarter), 0) as in_quarter,
    coalesce(sum(m.again_in_quarter), 0) as again_in_quarter,
    coalesce(sum(m.in_life_year), 0) as in_life_year,
    coalesce(sum(m.purchases), 0) as purchases,
    coalesce(sum(m.revenue), 0) as revenue
from cohort_sizes c
join (select unnest(generate_series(0, 1199)) as age) n on n.age < c.watched_months
left join cohort_months m on m.is_watched and m.cohort_on = c.cohort_on and m.age = n.age
group by c.cohort_on, c.customers, n.age
order by c.cohort_on, n.age
-- /// table cohorts
select
    c.cohort_on,
    c.customers,
    c.watched_months,
    case when c.watched_months >= 15 then 100.0 * sum(t.in_quarter) filter (where t.age between 12 and 14) / nullif(c.customers, 0) end
        as active_after_12m_pct,
    case when c.watched_months >= 15 then 100.0 * sum(t.revenue) filter (where t.age between 12 and 14)
        / nullif(sum(t.revenue) filter (where t.age <= 2), 0) end as revenue_after_12m_pct,
    case when c.watched_months >= 24 then 100.0 * sum(t.in_life_year) filter (where t.age between 12 and 23) / nullif(c.customers, 0) end
        as active_in_second_year_pct,
    case when c.watched_months >= 24 then 100.0 * sum(t.revenue) filter (where t.age between 12 and 23)
        / nullif(sum(t.revenue) filter (where t.age <= 11), 0) end as second_year_revenue_pct
from cohort_sizes c
left join triangle t on t.cohort_on = c.cohort_on
group by c.cohort_on, c.customers, c.watched_months
order by c.cohort_on
-- /// table by_month_of_age
select
    cohort_on,
    age,
    customers,
    active,
    100.0 * active / nullif(customers, 0) as active_pct,
    purchases,
    revenue as revenue_amount,
    cast(1.0 * sum(revenue) over (partition by cohort_on order by age) / nullif(customers, 0) as decimal(18, 2)) as value_per_customer_amount
from triangle
order by cohort_on, age
-- /// table by_quarter_of_age
select
    cohort_on,
    cast(floor(age / 3.0) as integer) as quarter,
    max(customers) as customers,
    sum(in_quarter) as active,
    100.0 * sum(in_quarter) / nullif(max(customers), 0) as active_pct,
    sum(again_in_quarter) as bought_again,
    100.0 * sum(again_in_quarter) / nullif(lag(sum(in_quarter)) over (partition by cohort_on order by floor(age / 3.0)), 0)
        as repeat_buying_rate_pct,
    sum(revenue) as revenue_amount
from triangle
group by cohort_on, floor(age / 3.0)
having count(*) = 3
order by cohort_on, quarter
-- /// table active_by_quarter
select cast(cohort_on as varchar) as cohort, quarter, active_pct
from by_quarter_of_age
where active_pct is not null
order by cohort_on, quarter
-- /// table waits
with bought as (
    select b.place, date_diff('day', f.first_purchase_on, b.purchased_on) as days, f.first_purchase_on, count(*) as customers
    from purchases b
    join beginnings f on f.is_watched and f.party_id = b.party_id
    join clock c on b.purchased_on <= c.as_of_on
    where b.place between 2 and 5
    group by b.place, b.purchased_on, f.first_purchase_on
),

begun as (
    select n.place, f.first_purchase_on, date_diff('day', f.first_purchase_on, c.as_of_on) as days, count(*) as customers
    from beginnings f
    cross join clock c
    cross join (select unnest(generate_series(2, 5)) as place) n
    where f.is_watched
    group by n.place, f.first_purchase_on, c.as_of_on
),

waiting as (
    select b.place, b.days, b.customers - coalesce(sum(d.customers), 0) as customers
    from begun b
    left join bought d on d.place = b.place and d.first_purchase_on = b.first_purchase_on
    group by b.place, b.first_purchase_on, b.days, b.customers
)

select cast(place as integer) as purchase, days, true as is_bought, sum(customers) as customers
from bought
group by place, days
union all
select cast(place as integer), days, false, cast(customers as bigint)
from waiting
where customers > 0
order by purchase, days, is_bought
-- /// table days
select cast(15 * n as integer) as day
from (select unnest(generate_series(0, 73)) as n) numbers
order by day
-- /// table purchase_curves
select w.purchase, d.day, max(100 - w.surviving_pct) as bought_pct, min(w.at_risk) as at_risk
from waits_by_day w
join days d on w.elapsed_days <= d.day
group by w.purchase, d.day
having d.day <= (select max(days) from waits)
order by w.purchase, d.day
-- /// metrics
with followed as (
    select
        date_diff('day', f.first_purchase_on, c.as_of_on) as days,
        row_number() over (order by f.first_purchase_on, f.party_id) as place,
        count(*) over () as customers
    from beginnings f
    cross join clock c
    where f.is_watched
),

watch as (
    select max(days) as days
    from followed
    where place = least(30, customers)
),

told as (
    select w.surviving_pct, w.low_pct, w.high_pct, h.days
    from waits_by_day w
    join watch h on w.elapsed_days <= h.days
    where w.purchase = 2
    order by w.elapsed_days desc
    limit 1
)

select
    100.0 * sum(in_quarter) filter (where age between 12 and 14 and watched >= 15)
        / nullif(sum(customers) filter (where age = 12 and watched >= 15), 0) as cohort_active_after_12m_pct,
    sum(customers) filter (where age = 12 and watched >= 15) as cohort_active_after_12m_pct_n,
    100.0 * sum(revenue) filter (where age between 12 and 14 and watched >= 15)
        / nullif(sum(revenue) filter (where age <= 2 and watched >= 15), 0) as cohort_revenue_retention_12m_pct,
    100.0 * sum(in_life_year) filter (where age between 12 and 23 and watched >= 24)
        / nullif(sum(customers) filter (where age = 12 and watched >= 24), 0) as active_in_second_year_pct,
    100.0 * sum(revenue) filter (where age between 12 and 23 and watched >= 24)
        / nullif(sum(revenue) filter (where age <= 11 and watched >= 24), 0) as second_year_revenue_pct,
    (select surviving_pct from told) as never_second_purchase_pct,
    (select low_pct from told) as never_second_purchase_pct_low,
    (select high_pct from told) as never_second_purchase_pct_high,
    (select nullif(sum(customers), 0) from waits where purchase = 2) as never_second_purchase_pct_n,
    (
        select 100.0 * coalesce(sum(customers) filter (where not is_bought), 0) / nullif(sum(customers), 0)
        from waits
        where purchase = 2
    ) as no_second_purchase_yet_pct,
    (select days from told) as watched_days,
    (select median_days from time_to_purchase where purchase = 2) as second_purchase_median,
    (select nullif(count(*), 0) from beginnings where is_watched) as cohort_customers,
    case when (select count(*) from beginnings where is_watched) > 0
        then (select count(*) from beginnings where not is_watched) end as earlier_or_unknown
from (select t.*, c.watched_months as watched from triangle t join cohort_sizes c on c.cohort_on = t.cohort_on) watched
