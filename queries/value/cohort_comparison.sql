-- /// audit
-- title    = "New cohorts against old ones"
-- question = "Are newer cohorts better or worse?"
-- why      = "A base can grow while each year's new customers are worth less than the last; the total shows it too late."
-- fix      = "Export the invoices back to your first customer, or the day on which each of your customers became one."
-- headline = ["A customer of the latest cohorts brought {first_year_value_latest} in the first year, one of the cohorts before {first_year_value_previous}: a change of {change_pct}.", "A customer of the latest cohorts brought {first_year_value_latest} in the first year.", "No cohort of new customers has been watched for a year."]
-- optional = ["adjustments", "cohort_months"]
-- hidden   = ["watched_cohorts", "values_at_age", "first_years"]
-- [[method]]
-- name = "typical"
-- table = "first_years"
-- value = "value"
-- n = "customers"
-- group = "cohorts"
-- change = ["previous", "latest"]
-- is_tested = true
-- gives = { typical = "first_year_typical(cohorts, n, median)", change = "first_year_change(p, shift)" }
-- [metrics]
-- first_year_value_latest = { unit = "money", better = "up", note = "revenue per customer in months 0 to 11 after the first purchase, of the last twelve monthly cohorts watched for a year; a mean" }
-- first_year_value_previous = { unit = "money", note = "the same of the twelve cohorts before those" }
-- change_pct = { unit = "pct", better = "up" }
-- latest_customers = { unit = "n" }
-- previous_customers = { unit = "n" }
-- first_year_median_latest = { unit = "money", better = "up", note = "the customer in the middle: a few large ones do not move it" }
-- first_year_median_previous = { unit = "money" }
-- second_purchase_latest_pct = { unit = "pct", better = "up", note = "second purchase within the first year" }
-- second_purchase_previous_pct = { unit = "pct" }
-- first_quarter_value_latest = { unit = "money", better = "up", note = "months 0 to 2, of the last twelve cohorts watched for a quarter: newer customers, seen for a shorter time" }
-- first_quarter_value_previous = { unit = "money", note = "months 0 to 2 of the twelve cohorts before those" }
-- [units]
-- value = "money"
-- value_amount = "money"
-- [[finding]]
-- level = "act"
-- table = "verdict"
-- when = "change_q < 0.05 and change_pct < -10 and median_latest <= median_previous"
-- text = "Newer customers are worth less: {first_year_value_latest} in the first year against {first_year_value_previous} of those a year before ({latest_customers} and {previous_customers|customer|customers})."
-- customers = "latest_customers"
-- value = "lost_amount"
-- lists = "by_cohort"
-- [[finding]]
-- level = "good"
-- table = "verdict"
-- when = "change_q < 0.05 and change_pct > 10 and median_latest >= median_previous"
-- text = "Newer customers are worth more: {first_year_value_latest} in the first year against {first_year_value_previous} of those a year before ({latest_customers} and {previous_customers|customer|customers})."
-- customers = "latest_customers"
-- lists = "by_cohort"
-- [[partial]]
-- when = "select count(*) > 0 and count(*) filter (where is_watched) = 0 from beginnings"
-- reason = "Every customer is first seen within 12 months of the start of the record, or was one before it, so nobody is known to be new."
-- [[partial]]
-- when = "select count(*) filter (where is_watched) > 0 and count(*) filter (where not is_watched) > 0 from beginnings"
-- reason = "Customers who were first seen within 12 months of the start of the record, or were customers before it, belong to no new cohort."
-- [[chart]]
-- kind = "line"
-- table = "curves"
-- caption = "Revenue per customer by months since the first purchase, cohorts by year"
-- x = "month_of_age"
-- y = "value_amount"
-- series = "cohorts"
-- ///
-- /// table watched_cohorts
-- The youngest of a monthly cohort is watched so many whole months.
with sizes as (
    select cohort_on, count(*) as customers
    from beginnings
    where is_watched
    group by cohort_on
),

lasts as (
    select s.cohort_on, s.customers, cast(s.cohort_on + to_months(1) as date) - 1 as last_on, c.as_of_on + 1 as next_on
    from sizes s
    cross join clock c
),

aged as (
    select
        cohort_on,
        customers,
        12 * (year(next_on) - year(last_on)) + month(next_on) - month(last_on)
            - case when day(next_on) < day(last_on) then 1 else 0 end as watched_months
    from lasts
),

ends as (
    select
        max(cohort_on) filter (where watched_months >= 12) as year_on,
        max(cohort_on) filter (where watched_months >= 3) as quarter_on
    from aged
)

select
    a.cohort_on,
    a.customers,
    cast(greatest(a.watched_months, 0) as integer) as watched_months,
    case when a.watched_months >= 12 then cast(floor((12 * (year(e.year_on) - year(a.cohort_on)) + month(e.year_on) - month(a.cohort_on)) / 12.0) as integer) end as years_back,
    case when a.watched_months >= 3 then cast(floor((12 * (year(e.quarter_on) - year(a.cohort_on)) + month(e.quarter_on) - month(a.cohort_on)) / 12.0) as integer) end as years_back_by_quarter
from aged a
cross join ends e
order by a.cohort_on
-- /// table values_at_age
select
    w.cohort_on,
    w.customers,
    w.watched_months,
    w.years_back,
    w.years_back_by_quarter,
    sum(m.revenue) filter (where m.age between 0 and 2) as quarter_revenue,
    sum(m.revenue) filter (where m.age between 0 and 11) as year_revenue,
    sum(m.second_purchases) filter (where m.age <= 11) as second_purchases
from watched_cohorts w
join cohort_months m on m.is_watched and m.cohort_on = w.cohort_on
group by w.cohort_on, w.customers, w.watched_months, w.years_back, w.years_back_by_quarter
order by w.cohort_on
-- /// table by_cohort
select
    cohort_on,
    customers,
    watched_months,
    case when watched_months >= 3 then cast(coalesce(quarter_revenue, 0) / customers as decimal(18, 2)) end as first_quarter_value_amount,
    case when watched_months >= 12 then cast(coalesce(year_revenue, 0) / customers as decimal(18, 2)) end as first_year_value_amount,
    case when watched_months >= 12 then 100.0 * second_purchases / customers end as second_purchase_pct
from values_at_age
order by cohort_on
-- /// table by_year_of_cohorts
select
    years_back,
    min(cohort_on) as first_cohort_on,
    max(cohort_on) as last_cohort_on,
    sum(customers) as customers,
    cast(sum(coalesce(year_revenue, 0)) / sum(customers) as decimal(18, 2)) as first_year_value_amount,
    100.0 * sum(second_purchases) / sum(customers) as second_purchase_pct
from values_at_age
where years_back is not null
group by years_back
order by years_back
-- /// table curves
with ages as (
    select
        w.years_back,
        'from ' || cast(min(w.cohort_on) over (partition by w.years_back) as varchar) as cohorts,
        sum(w.customers) over (partition by w.years_back) as all_customers,
        w.cohort_on
    from watched_cohorts w
    where w.years_back is not null
)

select
    a.cohorts,
    m.age + 1 as month_of_age,
    cast(sum(sum(m.revenue)) over (partition by a.cohorts order by m.age) / max(a.all_customers) as decimal(18, 2)) as value_amount
from ages a
join cohort_months m on m.is_watched and m.cohort_on = a.cohort_on and m.age between 0 and 11
group by a.cohorts, m.age
order by a.cohorts desc, m.age
-- /// table first_years
with values_of_customers as (
    select
        f.party_id,
        case w.years_back when 0 then 'latest' else 'previous' end as cohorts,
        f.began_on
    from beginnings f
    join watched_cohorts w on w.cohort_on = f.cohort_on and w.years_back in (0, 1)
    where f.is_watched
),

sold as (
    select v.party_id, v.cohorts, b.amount
    from values_of_customers v
    join purchases b on b.party_id = v.party_id and b.purchased_on < cast(v.began_on + to_months(12) as date)
    union all
    select v.party_id, v.cohorts, a.amount
    from values_of_customers v
    join adjustments a on a.party_id = v.party_id and a.adjusted_on >= v.began_on and a.adjusted_on < cast(v.began_on + to_months(12) as date)
),

each as (
    select party_id, cohorts, cast(sum(amount) as decimal(18, 2)) as value
    from sold
    group by party_id, cohorts
)

select cohorts, value, count(*) as customers
from each
group by cohorts, value
order by cohorts, value
-- /// table verdict
select
    cast(l.first_year_value_amount as decimal(18, 2)) as first_year_value_latest,
    cast(b.first_year_value_amount as decimal(18, 2)) as first_year_value_previous,
    cast(100.0 * (l.first_year_value_amount - b.first_year_value_amount) / nullif(b.first_year_value_amount, 0) as double) as change_pct,
    l.customers as latest_customers,
    b.customers as previous_customers,
    (b.first_year_value_amount - l.first_year_value_amount) * l.customers as lost_amount,
    m.median as median_latest,
    o.median as median_previous,
    c.q as change_q
from by_year_of_cohorts l
join by_year_of_cohorts b on b.years_back = 1
join first_year_change c on true
left join first_year_typical m on m.cohorts = 'latest'
left join first_year_typical o on o.cohorts = 'previous'
where l.years_back = 0
order by l.years_back
-- /// metrics
with sums as (
    select
        sum(coalesce(year_revenue, 0)) filter (where years_back = 0) / nullif(sum(customers) filter (where years_back = 0), 0) as latest,
        sum(coalesce(year_revenue, 0)) filter (where years_back = 1) / nullif(sum(customers) filter (where years_back = 1), 0) as previous,
        sum(customers) filter (where years_back = 0) as latest_customers,
        sum(customers) filter (where years_back = 1) as previous_customers,
        100.0 * sum(second_purchases) filter (where years_back = 0) / nullif(sum(customers) filter (where years_back = 0), 0) as second_latest,
        100.0 * sum(second_purchases) filter (where years_back = 1) / nullif(sum(customers) filter (where years_back = 1), 0) as second_previous,
        sum(coalesce(quarter_revenue, 0)) filter (where years_back_by_quarter = 0)
            / nullif(sum(customers) filter (where years_back_by_quarter = 0), 0) as quarter_latest,
        sum(coalesce(quarter_revenue, 0)) filter (where years_back_by_quarter = 1)
            / nullif(sum(customers) filter (where years_back_by_quarter = 1), 0) as quarter_previous
    from values_at_age
)

select
    cast(latest as decimal(18, 2)) as first_year_value_latest,
    latest_customers as first_year_value_latest_n,
    cast(previous as decimal(18, 2)) as first_year_value_previous,
    previous_customers as first_year_value_previous_n,
    cast(100.0 * (latest - previous) / nullif(previous, 0) as double) as change_pct,
    latest_customers,
    previous_customers,
    (select cast(median as decimal(18, 2)) from first_year_typical where cohorts = 'latest') as first_year_median_latest,
    (select cast(median as decimal(18, 2)) from first_year_typical where cohorts = 'previous') as first_year_median_previous,
    second_latest as second_purchase_latest_pct,
    second_previous as second_purchase_previous_pct,
    cast(quarter_latest as decimal(18, 2)) as first_quarter_value_latest,
    cast(quarter_previous as decimal(18, 2)) as first_quarter_value_previous
from sums
