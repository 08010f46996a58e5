-- /// audit
-- title    = "Health of the customer base"
-- question = "How healthy is the whole base?"
-- why      = "The same revenue can rest on customers of many years or on those won last month; the second kind must be won again every year."
-- fix      = "Export the invoices back to your first customer, or the day each became one."
-- headline = ["{active_customers|customer|customers} bought in the window, {active_customers_before} in the one before; {revenue_from_cohorts_older_than_2y_pct} of the revenue comes from customers of more than two years.", "{active_customers|customer|customers} bought in the window, {active_customers_before} in the one before.", "{active_customers|customer|customers} bought in the window."]
-- optional = ["cohort_months", "purchase_source"]
-- hidden   = ["compared", "customers_of_windows"]
-- [metrics]
-- revenue_from_cohorts_older_than_2y_pct = { unit = "pct", note = "customers who began two years before the end of the window or earlier; not told where the age of more than 5 % of the revenue is unknown" }
-- revenue_of_unknown_age_pct = { unit = "pct", better = "down", note = "customers first seen within 12 months of the start of the record, less than two years before the end of the window" }
-- revenue_from_first_year_pct = { unit = "pct", note = "customers who began within the last twelve months of the window" }
-- active_customers = { unit = "n", better = "up", note = "who bought in the window" }
-- active_customers_before = { unit = "n", note = "who bought in the window before" }
-- active_customers_change_pct = { unit = "pct", better = "up" }
-- repeat_buying_rate_pct = { unit = "pct", better = "up", note = "share of those who bought in the window before that bought in this one; over customers of all ages, of whom the older return more often: see the table by cohort" }
-- left_of_before = { unit = "n", label = "Customers of the window before who did not buy" }
-- joined_now = { unit = "n", label = "Customers who did not buy in the window before" }
-- revenue = { unit = "money", label = "Revenue of the window" }
-- [[finding]]
-- level = "watch"
-- when = "active_customers_change_pct <= -10 and active_customers_before - active_customers > 3 * sqrt(left_of_before + joined_now)"
-- text = "{active_customers|customer|customers} bought in the window, {active_customers_before} in the one before ({active_customers_change_pct}): {left_of_before} did not come back, {joined_now} joined or returned."
-- customers = "left_of_before"
-- lists = "repeat_buying"
-- [[finding]]
-- level = "good"
-- when = "active_customers_change_pct >= 10 and active_customers - active_customers_before > 3 * sqrt(left_of_before + joined_now)"
-- text = "{active_customers|customer|customers} bought in the window, {active_customers_before} in the one before ({active_customers_change_pct})."
-- customers = "active_customers"
-- lists = "repeat_buying"
-- [[finding]]
-- level = "info"
-- when = "revenue_from_cohorts_older_than_2y_pct is not null"
-- text = "{revenue_from_cohorts_older_than_2y_pct} of the revenue comes from customers of more than two years, {revenue_from_first_year_pct} from those who began within the last twelve months."
-- lists = "revenue_by_cohort"
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices and no payments: won deals stand in for purchases."
-- bias = "Deals are often invoiced in parts, later, or for another amount."
-- [[partial]]
-- when = "select not bool_and(is_covered) from periods where period = 'previous'"
-- reason = "The exports do not cover the window before in full, so active customers are not compared."
-- [[partial]]
-- when = "select revenue_of_unknown_age_pct > 5 from metrics"
-- reason = "Customers with {revenue_of_unknown_age_pct} of the revenue were first seen within 12 months of the start of the record: how long they have been customers is unknown."
-- [[chart]]
-- kind = "stacked_bars"
-- table = "recent_quarters"
-- caption = "Revenue by quarter and year in which the customers began"
-- description = "The customer-cohort chart: a band that thins out from quarter to quarter is a cohort that buys less and less."
-- label = "quarter"
-- value = "revenue_amount"
-- series = "cohort"
-- [[chart]]
-- kind = "heatmap"
-- table = "repeat_buying_by_cohort"
-- caption = "Repeat-buying rate by cohort and year: the share of the year before's buyers who bought"
-- x = "year_ending"
-- y = "cohort"
-- value = "repeat_buying_rate_pct"
-- ///
-- /// table revenue_by_cohort
select
    case when cohort_on is null then 'earlier or unknown' else cast(year(cohort_on) as varchar) end as cohort,
    cast(date_trunc('quarter', month_on) as date) as quarter_on,
    sum(purchases) as purchases,
    sum(revenue) as revenue_amount
from cohort_months
group by 1, 2
order by quarter_on, cohort <> 'earlier or unknown', cohort
-- /// table recent_quarters
-- Four years of beginners each for themselves and the older ones together: no eye follows more bands.
with bands as (
    select
        quarter_on,
        case
            when cast(nullif(cohort, 'earlier or unknown') as integer) <= newest - 4
                then 'until ' || cast(newest - 4 as varchar)
            else cohort
        end as cohort,
        sum(revenue_amount) as revenue_amount
    from (
        select
            quarter_on,
            cohort,
            revenue_amount,
            year(max(quarter_on) over ()) as newest,
            max(quarter_on) over () as last_on
        from revenue_by_cohort
    )
    where quarter_on > cast(last_on - to_months(60) as date)
    group by 1, 2
)

select
    cast(year(quarter_on) as varchar) || ' Q' || cast(cast((month(quarter_on) + 2) / 3 as integer) as varchar) as quarter,
    cohort,
    revenue_amount,
    100.0 * revenue_amount / nullif(sum(revenue_amount) over (partition by quarter_on), 0) as revenue_pct
from bands
order by quarter_on, cohort <> 'earlier or unknown', cohort not like 'until%', cohort
-- /// table repeat_buying
with years as (
    select
        case when cohort_on is null then 'earlier or unknown' else cast(year(cohort_on) as varchar) end as cohort,
        years_back,
        sum(in_year_back) as active,
        sum(again_in_year_back) as bought_again,
        sum(revenue) as revenue_amount
    from cohort_months
    where years_back >= 0
    group by 1, 2
)

select
    n.cohort,
    cast(p.end_on - to_months(12 * n.years_back) as date) as year_ending_on,
    n.active,
    n.bought_again,
    b.active as active_year_before,
    100.0 * n.bought_again / nullif(b.active, 0) as repeat_buying_rate_pct,
    n.revenue_amount
from years n
join periods p on p.period = 'current'
left join years b on b.cohort = n.cohort and b.years_back = n.years_back + 1
order by n.cohort <> 'earlier or unknown', n.cohort, n.years_back desc
-- /// table repeat_buying_by_cohort
select cohort, cast(year_ending_on as varchar) as year_ending, repeat_buying_rate_pct
from repeat_buying
where repeat_buying_rate_pct is not null
order by cohort <> 'earlier or unknown', cohort, year_ending_on
-- /// table compared
select
    count(*) filter (where b.window_purchases > 0) as before,
    count(*) filter (where b.window_purchases > 0 and n.window_purchases > 0) as both_windows,
    count(*) filter (where n.window_purchases > 0) as now
from customers n
join periods p on p.period = 'previous' and p.is_covered
left join customers b on b.period = 'previous' and b.party_id = n.party_id
where n.period = 'current'
-- /// table customers_of_windows
select
    case
        when coalesce(f.began_on, f.first_purchase_on) <= cast(p.end_on - to_months(24) as date) then 'over two years'
        when f.began_on is null then 'unknown'
        when f.began_on > cast(p.end_on - to_months(12) as date) then 'first year'
        else 'second year'
    end as age,
    count(*) filter (where n.window_purchases > 0) as customers,
    sum(n.window_revenue) as revenue_amount
from customers n
join periods p on p.period = 'current'
join beginnings f on f.party_id = n.party_id
where n.period = 'current'
group by 1
order by 1
-- /// table by_age_of_customer
select
    age,
    customers,
    revenue_amount,
    100.0 * revenue_amount / nullif(sum(revenue_amount) over (), 0) as revenue_pct
from customers_of_windows
where customers > 0 or revenue_amount <> 0
order by age
-- /// metrics
with shares as (
    select
        sum(customers) as active,
        sum(revenue_amount) as revenue,
        coalesce(sum(revenue_amount) filter (where age = 'over two years'), 0) as older,
        coalesce(sum(revenue_amount) filter (where age = 'unknown'), 0) as unknown,
        coalesce(sum(revenue_amount) filter (where age = 'first year'), 0) as young
    from by_age_of_customer
)

select
    case when s.revenue > 0 and 20 * s.unknown <= s.revenue then 100.0 * s.older / s.revenue end as revenue_from_cohorts_older_than_2y_pct,
    case when s.revenue > 0 then 100.0 * s.unknown / s.revenue end as revenue_of_unknown_age_pct,
    case when s.revenue > 0 then 100.0 * s.young / s.revenue end as revenue_from_first_year_pct,
    s.active as active_customers,
    c.before as active_customers_before,
    100.0 * (c.now - c.before) / nullif(c.before, 0) as active_customers_change_pct,
    100.0 * c.both_windows / nullif(c.before, 0) as repeat_buying_rate_pct,
    c.before as repeat_buying_rate_pct_n,
    c.before - c.both_windows as left_of_before,
    c.now - c.both_windows as joined_now,
    s.revenue
from shares s
left join compared c on c.before > 0
