-- /// audit
-- title    = "Lead funnel"
-- question = "What share of raw leads qualify, get an opportunity, and buy?"
-- why      = "A funnel narrows at one step more than at the others; that step is where the next euro belongs."
-- fix      = "Record the day on which a lead qualifies, and link every opportunity to the lead it came from."
-- headline = ["{raw_to_qualified_pct} of the leads of the window qualified; {qualified_to_customer_pct} of those bought so far and {qualified_open_pct} are still open.", "{qualified_to_customer_pct} of the qualified leads of the window bought so far; {qualified_open_pct} are still open.", "{leads|lead|leads} came in the window."]
-- hidden   = ["mature_quarters", "raw_leads"]
-- [[method]]
-- name = "rates"
-- table = "by_origin"
-- successes = "customers"
-- trials = "qualified"
-- shrink = true
-- [[method]]
-- name = "trend"
-- table = "mature_quarters"
-- period = "quarter_number"
-- successes = "bought_in_90_days"
-- trials = "qualified"
-- gives = { trends = "conversion_trend" }
-- [metrics]
-- leads = { unit = "n" }
-- raw_to_qualified_pct = { unit = "pct", better = "up", note = "of leads that came in the window; withheld where a lead counts as qualified from its first day" }
-- qualified_to_opportunity_pct = { unit = "pct", better = "up", note = "withheld where the opportunity itself is what counts as qualification" }
-- qualified_to_customer_pct = { unit = "pct", better = "up", note = "so far; leads still open included" }
-- qualified_open_pct = { unit = "pct" }
-- qualified_to_customer_trend = { unit = "points", better = "up", note = "points per quarter of conversion within 90 days, over quarters at least 90 days old" }
-- rung = { unit = "text", label = "Qualified means" }
-- leads_without_origin = { unit = "n", better = "down", note = "all leads up to the as-of date" }
-- existing_customers = { unit = "n", note = "leads of parties that had bought before; reported apart" }
-- date_faults = { unit = "n", better = "down", note = "leads whose own deal closed before they came; left out" }
-- [[finding]]
-- level = "act"
-- table = "conversion_trend"
-- when = "q < 0.05 and trend < 0"
-- text = "Fewer and fewer qualified leads buy within 90 days: {trend} a quarter."
-- lists = "by_month"
-- [[finding]]
-- level = "good"
-- table = "conversion_trend"
-- when = "q < 0.05 and trend > 0"
-- text = "More and more qualified leads buy within 90 days: {trend} a quarter."
-- lists = "by_month"
-- [[finding]]
-- level = "watch"
-- when = "leads_without_origin > 0"
-- text = "{leads_without_origin|lead has|leads have} no origin: nobody can say what brought them."
-- [[partial]]
-- when = "select 20 * count(*) filter (where is_date_fault) > count(*) from lead_paths"
-- reason = "Over 5 % of the leads have a deal that closed before the lead came: the dates cannot answer this question."
-- [[chart]]
-- kind = "line"
-- table = "by_month"
-- caption = "Share of qualified leads that bought within 90 days, by month of qualification"
-- description = "Months younger than 90 days are marked immature and left out of the trend."
-- x = "cohort_on"
-- y = "bought_in_90_days_pct"
-- [units]
-- trend = "points"
-- ///
-- /// table raw_leads
select l.*
from lead_paths l
join periods p on p.period = 'current' and l.created_on > p.start_on and l.created_on <= p.end_on
where not l.is_date_fault and not l.is_existing_customer
order by l.system, l.lead_id
-- /// table by_month
select
    cast(date_trunc('month', l.qualified_on) as date) as cohort_on,
    count(*) as qualified,
    count(*) filter (where l.opportunity_on is not null) as with_opportunity,
    count(l.converted_on) as customers,
    count(l.given_up_on) as given_up,
    count(*) filter (where l.converted_on is null and l.given_up_on is null) as still_open,
    100.0 * count(*) filter (where date_diff('day', l.qualified_on, l.converted_on) between 0 and 90) / count(*) as bought_in_90_days_pct,
    date_diff('day', max(l.qualified_on), max(l.as_of_on)) >= 90 as is_mature
from lead_paths l
where l.qualified_on is not null and not l.is_date_fault and not l.is_existing_customer
group by 1
order by 1
-- /// table by_origin
select
    l.origin,
    count(*) as leads,
    count(l.qualified_on) as qualified,
    count(l.converted_on) filter (where l.qualified_on is not null) as customers
from raw_leads l
group by l.origin
order by count(*) desc, l.origin
-- /// table mature_quarters
select
    -cast(floor((date_diff('day', qualified_on, as_of_on) - 90) / 91.3125) as integer) as quarter_number,
    count(*) filter (where date_diff('day', qualified_on, converted_on) between 0 and 90) as bought_in_90_days,
    count(*) as qualified
from lead_paths
where qualified_on is not null
    and not is_date_fault
    and not is_existing_customer
    and date_diff('day', qualified_on, as_of_on) between 90 and 90 + 730
group by 1
order by 1
-- /// metrics
select
    count(*) as leads,
    case when max(rung) <> 'lead' then 100.0 * count(qualified_on) / nullif(count(*), 0) end as raw_to_qualified_pct,
    count(*) as raw_to_qualified_pct_n,
    case when max(rung) = 'qualification'
        then 100.0 * count(*) filter (where qualified_on is not null and opportunity_on is not null) / nullif(count(qualified_on), 0)
    end as qualified_to_opportunity_pct,
    100.0 * count(*) filter (where qualified_on is not null and converted_on is not null) / nullif(count(qualified_on), 0) as qualified_to_customer_pct,
    count(qualified_on) as qualified_to_customer_pct_n,
    100.0 * count(*) filter (where qualified_on is not null and converted_on is null and given_up_on is null) / nullif(count(qualified_on), 0) as qualified_open_pct,
    (select max(trend) from conversion_trend) as qualified_to_customer_trend,
    max(rung) as rung,
    (select count(*) from lead_paths where not has_origin) as leads_without_origin,
    (select count(*) from lead_paths where is_existing_customer) as existing_customers,
    (select count(*) from lead_paths where is_date_fault) as date_faults
from raw_leads
