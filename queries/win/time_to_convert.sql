-- /// audit
-- title    = "Time to convert"
-- question = "How many days from qualified lead to new customer?"
-- why      = "How long leads take says when to follow up, when to let go, and what this month's leads will bring, and when."
-- fix      = "Date every step: when a lead qualifies, when it is given up, when it buys."
-- headline = ["{converted_in_90_days_pct} of qualified leads buy within 90 days ({converted_in_90_days_pct.interval}), {converted_in_365_days_pct} within a year; half of these within {median_days}.", "{converted_in_90_days_pct} of qualified leads buy within 90 days ({converted_in_90_days_pct.interval}).", "No lead has been watched for 90 days."]
-- hidden   = ["watched", "converted_by_day", "days"]
-- [[method]]
-- name = "competing_risks"
-- table = "watched"
-- exit = "days"
-- outcome = "outcome"
-- n = "leads"
-- group = "value"
-- family = "part"
-- gives = { curve = "converted_by_day", summary = "converted_within" }
-- [metrics]
-- converted_in_90_days_pct = { unit = "pct", better = "up", note = "Aalen-Johansen: open leads censored, lost and disqualified ones a competing way out" }
-- converted_in_365_days_pct = { unit = "pct", better = "up", note = "Aalen-Johansen" }
-- median_days = { unit = "days", better = "down", note = "day at which the cumulative incidence reaches half its 365-day value" }
-- naive_median_days = { unit = "days", note = "another definition: median of those who converted, too short, since the slow ones are still open" }
-- [[finding]]
-- level = "watch"
-- table = "slow_origins"
-- when = "true"
-- key = "{value}"
-- text = "Leads from {value} take longer: half of those who buy within a year need {median_days}, against {overall_days} overall."
-- lists = "converted_within"
-- [[partial]]
-- when = "select 20 * count(*) filter (where is_date_fault) > count(*) from lead_paths"
-- reason = "Over 5 % of the leads have a deal that closed before the lead came: the dates cannot answer this question."
-- [[chart]]
-- kind = "curve_with_band"
-- table = "overall_curve"
-- caption = "Share of qualified leads that have bought, by days since qualification"
-- description = "Aalen-Johansen cumulative incidence with 95 % band."
-- x = "day"
-- y = "incidence_pct"
-- low = "low_pct"
-- high = "high_pct"
-- [[chart]]
-- kind = "line"
-- table = "origin_curves"
-- caption = "The same by origin"
-- x = "day"
-- y = "incidence_pct"
-- series = "origin"
-- [units]
-- day = "n"
-- at_90_low = "pct"
-- at_90_high = "pct"
-- at_365_low = "pct"
-- at_365_high = "pct"
-- ///
-- /// table watched
with followed as (
    select
        origin,
        segment,
        case when converted_on is not null then 'event' when given_up_on is not null then 'competing' else 'censored' end as outcome,
        date_diff('day', qualified_on, coalesce(converted_on, given_up_on, as_of_on)) as days
    from lead_paths
    where qualified_on is not null
        and not is_date_fault
        and not is_existing_customer
        and coalesce(converted_on, given_up_on, as_of_on) >= qualified_on
),

frequent as (
    select 'origin' as part, origin as value from followed group by origin having count(*) >= 30
    union all
    select 'segment', segment from followed group by segment having count(*) >= 30
)

select 'all' as part, 'all' as value, outcome, days, count(*) as leads
from followed
group by outcome, days
union all
select 'origin', f.origin, f.outcome, f.days, count(*)
from followed f
join frequent t on t.part = 'origin' and t.value = f.origin
group by f.origin, f.outcome, f.days
union all
select 'segment', f.segment, f.outcome, f.days, count(*)
from followed f
join frequent t on t.part = 'segment' and t.value = f.segment
group by f.segment, f.outcome, f.days
order by part, value, outcome, days
-- /// table overall_curve
select day, incidence_pct, low_pct, high_pct, at_risk
from converted_by_day
where part = 'all' and day <= 365
order by day
-- /// table days
select cast(15 * n as integer) as day
from (select unnest(generate_series(0, 24)) as n) numbers
order by day
-- /// table origin_curves
with largest as (
    select value, n
    from converted_within
    where part = 'origin'
    order by n desc, value
    limit 8
)

select l.value as origin, d.day, max(c.incidence_pct) as incidence_pct, min(c.at_risk) as at_risk
from largest l
cross join days d
join converted_by_day c on c.part = 'origin' and c.value = l.value and c.day <= d.day
group by l.value, d.day
order by l.value, d.day
-- /// table slow_origins
select
    o.value,
    o.n as leads,
    o.half_of_365_days as median_days,
    o.half_of_365_low_days,
    o.half_of_365_high_days,
    a.half_of_365_days as overall_days,
    o.group_q
from converted_within o
join converted_within a on a.part = 'all'
where o.part = 'origin'
    and o.group_q < 0.05
    and o.half_of_365_low_days > a.half_of_365_high_days
order by o.half_of_365_days desc, o.value
-- /// metrics
select
    at_90_pct as converted_in_90_days_pct,
    at_90_low as converted_in_90_days_pct_low,
    at_90_high as converted_in_90_days_pct_high,
    n as converted_in_90_days_pct_n,
    at_365_pct as converted_in_365_days_pct,
    at_365_low as converted_in_365_days_pct_low,
    at_365_high as converted_in_365_days_pct_high,
    n as converted_in_365_days_pct_n,
    half_of_365_days as median_days,
    half_of_365_low_days as median_days_low,
    half_of_365_high_days as median_days_high,
    naive_median_days,
    events as conversions
from converted_within
where part = 'all'
