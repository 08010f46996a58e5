-- /// audit
-- title    = "What follows what you do"
-- question = "If you do this, what happens, and how often?"
-- why      = "Whoever knows what followed the last hundred calls to customers in this state need not guess what follows the next one."
-- fix      = "Record each call, meeting, mail and offer with its day and customer; give an offer to half of those who qualify, drawn by lot, and export who got which variant, the day and the outcome."
-- headline = ["{approaches_observed|approach|approaches} to {customers_approached|customer has|customers have} been watched for {horizon_days}; {experiment_arms|comparison|comparisons} of offers and experiments can be read, {decided|differs|differ} beyond chance.", "{approaches_observed|approach|approaches} to {customers_approached|customer has|customers have} been watched for {horizon_days}.", "{experiment_arms|comparison|comparisons} of offers and experiments can be read, {decided|differs|differ} beyond chance.", "What follows what you do cannot be told from these exports."]
-- optional = ["*"]
-- any_of   = [["activities.happened_at", "campaign_touches.happened_at", "tickets.resolved_at", "opportunities.created_on", "experiments.variant", "refunds.refunded_on"]]
-- hidden   = ["asked", "fates", "results"]
-- [[method]]
-- name = "rates"
-- table = "outcomes"
-- successes = "cases"
-- trials = "customers"
-- adds = ["rate_pct", "low_pct", "high_pct"]
-- [[method]]
-- name = "rates"
-- table = "first_time"
-- successes = "cases"
-- trials = "customers"
-- before = ["other_cases", "other_customers"]
-- adds = ["rate_pct", "low_pct", "high_pct", "changed_p"]
-- [[method]]
-- name = "rates"
-- table = "experiment_results"
-- successes = "cases"
-- trials = "subjects"
-- before = ["control_cases", "control_subjects"]
-- adds = ["rate_pct", "low_pct", "high_pct", "changed_p"]
-- [metrics]
-- approaches_observed = { unit = "n", note = "first, second and third of their kind for a customer, with 90 days behind them on record" }
-- customers_approached = { unit = "n" }
-- immature_approaches = { unit = "n", note = "of the last 90 days: their outcome is not known yet; left out" }
-- early_approaches = { unit = "n", note = "in the first 12 months of purchases on record, where a customer's state cannot be told; left out" }
-- horizon_days = { unit = "days", note = "what follows is looked for so long, from the day after on" }
-- experiment_arms = { unit = "n", label = "Comparisons of offers", note = "variants held against the control of the same experiment, each by one outcome" }
-- decided = { unit = "n", label = "That differ beyond chance", note = "Fisher's test under false-discovery control" }
-- pending_subjects = { unit = "n", note = "took part, and the outcome is not known yet; left out" }
-- [[finding]]
-- level = "act"
-- table = "read_outs"
-- when = "changed_q < 0.05 and is_better"
-- key = "{experiment} {arm} {outcome}"
-- text = "Of {subjects} given \"{arm}\" {rate_pct} {outcome} ({rate_pct.interval}), of {control_subjects} given \"{control}\" {control_pct}: it works, give it to all who qualify."
-- lists = "read_outs"
-- [[finding]]
-- level = "act"
-- table = "read_outs"
-- when = "changed_q < 0.05 and not is_better"
-- key = "{experiment} {arm} {outcome}"
-- text = "Of {subjects} given \"{arm}\" {rate_pct} {outcome} ({rate_pct.interval}), of {control_subjects} given \"{control}\" {control_pct}: it does harm, stop it."
-- lists = "read_outs"
-- [[finding]]
-- level = "watch"
-- table = "read_outs"
-- when = "changed_p < 0.05 and changed_q >= 0.05"
-- key = "{experiment} {arm} {outcome}"
-- text = "Of {subjects} given \"{arm}\" {rate_pct} {outcome} ({rate_pct.interval}), of {control_subjects} given \"{control}\" {control_pct}: beyond chance were this the only question (p = {changed_p}), not among all those asked here. Go on with it until more is known."
-- lists = "read_outs"
-- [[finding]]
-- level = "info"
-- table = "read_outs"
-- when = "changed_q < 0.05 and is_better is null"
-- key = "{experiment} {arm} {outcome}"
-- text = "Of {subjects} given \"{arm}\" {rate_pct} {outcome} ({rate_pct.interval}), of {control_subjects} given \"{control}\" {control_pct}: more than chance."
-- lists = "read_outs"
-- [[finding]]
-- level = "info"
-- table = "after_the_first"
-- when = "differs_q < 0.05"
-- key = "{state} {approach} {outcome}"
-- text = "Of {customers|customer|customers} in the state \"{state}\" {rate_pct} {outcome} within 90 days of the first \"{approach}\" ({rate_pct.interval}), of {other_customers} first approached otherwise {others_pct}. That goes together; it need not be the cause."
-- customers = "customers"
-- lists = "after_the_first"
-- [[partial]]
-- when = "select horizon_days is not null and approaches_observed is null from metrics"
-- reason = "No approach lies both 12 months after the first purchase or contract on record and 90 days back, so its outcome cannot be told."
-- [[partial]]
-- when = "select approaches_observed is not null and experiment_arms is null from metrics"
-- reason = "No offer or experiment with variants is exported: what follows an approach goes together with it and need not come of it."
-- bias = "Those who are called are often those who would have bought anyway: approaches seem better than they are."
-- [[chart]]
-- kind = "interval_bars"
-- table = "read_outs"
-- caption = "Share with the outcome by variant, with 95 % intervals"
-- label = "arm_and_outcome"
-- value = "rate_pct"
-- low = "rate_pct_low"
-- high = "rate_pct_high"
-- n = "subjects"
-- [[chart]]
-- kind = "interval_bars"
-- table = "after_the_first"
-- caption = "Share who bought, signed or left within 90 days of the first approach, by state, with 95 % intervals"
-- label = "state_and_approach"
-- value = "rate_pct"
-- low = "rate_pct_low"
-- high = "rate_pct_high"
-- n = "customers"
-- ///
-- /// table asked
-- Days whose state and sequel are asked for: of the approaches, and, to hold them against, of one day for each party, drawn
-- by number from the first days of the months that were watched in full.
with watched as (
    select
        case when s.history_is_complete then f.first_on else cast(f.first_on + to_months(12) as date) end as from_on,
        c.as_of_on - 90 as until_on
    from (
        select min(day_on) as first_on
        from (select min(purchased_on) as day_on from purchases union all select min(started_on) from contracts) firsts
    ) f
    cross join clock c
    cross join settings s
),

calendar as (
    select month_on, row_number() over (order by month_on) - 1 as place, count(*) over () as months
    from (
        select cast(cast(date_trunc('month', w.from_on + 27) as date) + to_months(cast(n.n as integer)) as date) as month_on
        from watched w
        cross join (select unnest(generate_series(0, 600)) as n) n
    ) all_months
    join watched w on month_on >= w.from_on and month_on <= w.until_on
)

select a.party_id, a.approach, a.occurrence, a.done_on, a.done_on < w.from_on as is_early, a.done_on > w.until_on as is_immature
from approaches a
cross join watched w
where w.from_on is not null
union all
select p.party_id, 'any day', 1, m.month_on, false, false
from parties p
join calendar m on m.place = ((cast(p.party_id as bigint) * 1103515245) % 2147483647) % m.months
order by party_id, approach, occurrence, done_on
-- /// table fates
-- What is dated up to the day itself tells the state, what comes in the 90 days after it the outcome.
with timeline as (
    select party_id, purchased_on as day_on, 0 as place, 'bought' as fact, null as approach, null as occurrence from purchases
    union all
    select party_id, started_on, 0, 'signed', null, null from contracts
    union all
    select party_id, changed_on, 0, case when amount > 0 then 'more' else 'less' end, null, null from mrr_changes where amount <> 0
    union all
    select party_id, done_on, 1, 'asked', approach, occurrence from asked where not is_early and not is_immature
),

seen as (
    select
        *,
        count(*) filter (where fact = 'bought') over before as purchases,
        min(case when fact = 'bought' then day_on end) over before as first_on,
        max(case when fact = 'bought' then day_on end) over before as last_on,
        count(*) filter (where fact = 'signed') over before as contracts,
        min(case when fact = 'bought' then day_on end) over after as next_bought_on,
        min(case when fact = 'signed' then day_on end) over after as next_signed_on,
        min(case when fact = 'more' then day_on end) over after as next_more_on,
        min(case when fact = 'less' then day_on end) over after as next_less_on
    from timeline
    window
        before as (partition by party_id order by day_on, place rows between unbounded preceding and current row),
        after as (partition by party_id order by day_on, place rows between 1 following and unbounded following)
)

select
    s.party_id,
    s.approach,
    s.occurrence,
    s.day_on as done_on,
    case
        when c.party_id is not null then 'under contract'
        when s.contracts > 0 then 'out of contract'
        when s.purchases = 0 then 'not a customer yet'
        when s.purchases = 1 and date_diff('day', s.last_on, s.day_on) > 180 then 'bought once, over 180 days ago'
        when s.purchases = 1 then 'bought once'
        when date_diff('day', s.last_on, s.day_on) * (s.purchases - 1) > 4 * date_diff('day', s.first_on, s.last_on) then 'silent beyond 4 of their own gaps'
        when date_diff('day', s.last_on, s.day_on) * (s.purchases - 1) > 2 * date_diff('day', s.first_on, s.last_on) then 'late for their own rhythm'
        else 'within their own rhythm'
    end as state,
    case
        when c.ended_on <= s.day_on + 90 then 'left'
        when c.party_id is not null and s.next_less_on <= s.day_on + 90 then 'took less'
        when c.party_id is not null and s.next_more_on <= s.day_on + 90 then 'took more'
        when c.party_id is not null then 'stayed as they were'
        when s.next_signed_on <= s.day_on + 90 then 'signed'
        when s.next_bought_on <= s.day_on + 90 then 'bought'
        else 'nothing'
    end as outcome
from seen s
left join contracts c on c.party_id = s.party_id and c.started_on <= s.day_on and (c.ended_on is null or c.ended_on > s.day_on)
join parties p on p.party_id = s.party_id
where s.fact = 'asked'
    and (s.approach <> 'any day' or s.purchases > 0 or s.contracts > 0 or p.created_on <= s.day_on)
order by s.party_id, s.approach, s.occurrence
-- /// table outcomes
-- One row per state, approach, time and outcome; each customer stands in it once.
with sums as (
    select state, approach, occurrence, count(*) as customers
    from fates
    group by state, approach, occurrence
),

possible as (
    select distinct state, outcome
    from fates
),

found as (
    select state, approach, occurrence, outcome, count(*) as cases
    from fates
    group by state, approach, occurrence, outcome
)

select
    s.state,
    s.approach,
    s.occurrence,
    o.outcome,
    coalesce(f.cases, 0) as cases,
    s.customers
from sums s
join possible o on o.state = s.state
left join found f on f.state = s.state and f.approach = s.approach and f.occurrence = s.occurrence and f.outcome = o.outcome
where s.customers >= 5
order by s.state, case when s.approach = 'any day' then 1 else 0 end, s.approach, s.occurrence, o.outcome
-- /// table first_time
-- The first time, by the outcome that matters in that state, against those who were first approached otherwise in it:
-- those whom nobody approaches are often long gone, and no measure for what an approach does. Each customer stands on one
-- side, once: the others never had this approach in that state, and count by the earliest of those they had.
with ordered as (
    select
        state,
        party_id,
        approach,
        first_value(outcome) over (partition by state, party_id order by done_on, approach) as earliest_outcome,
        row_number() over (partition by state, party_id order by done_on, approach) as place
    from fates
    where occurrence = 1 and approach <> 'any day'
),

everybody as (
    select state, earliest_outcome as outcome, count(*) as customers
    from ordered
    where place = 1
    group by state, earliest_outcome
),

approached as (
    select state, approach, earliest_outcome as outcome, count(*) as customers
    from ordered
    group by state, approach, earliest_outcome
)

select
    o.state,
    o.approach,
    o.outcome,
    o.cases,
    o.customers,
    coalesce(e.customers, 0) - coalesce(a.customers, 0) as other_cases,
    cast(s.customers as bigint) - o.customers as other_customers,
    b.cases as base_cases,
    b.customers as base_customers,
    o.state || ', ' || o.approach || ': ' || o.outcome as state_and_approach
from outcomes o
left join outcomes b on b.state = o.state and b.outcome = o.outcome and b.approach = 'any day'
left join everybody e on e.state = o.state and e.outcome = o.outcome
left join approached a on a.state = o.state and a.approach = o.approach and a.outcome = o.outcome
join (select state, sum(customers) as customers from everybody group by state) s on s.state = o.state
where o.approach <> 'any day'
    and o.occurrence = 1
    and o.customers >= 20
    and case when o.state = 'under contract' then o.outcome = 'left' else o.outcome in ('bought', 'signed') end
order by o.state, o.outcome, o.approach
-- /// table results
-- A subject's outcomes: what was recorded; where an experiment records none, what followed within 90 days.
with recorded as (
    select experiment, is_mailing, count(outcome) > 0 as has_outcome
    from subjects
    group by experiment, is_mailing
),

followed as (
    select s.experiment, s.is_mailing, s.subject, min(b.purchased_on) as bought_on
    from subjects s
    join purchases b on b.party_id = s.party_id and b.purchased_on > s.assigned_on and b.purchased_on <= s.assigned_on + 90
    group by s.experiment, s.is_mailing, s.subject
),

clicked as (
    select distinct s.experiment, s.subject
    from subjects s
    join campaign_touches t
        on s.is_mailing
        and coalesce(nullif(trim(t.campaign), ''), 'campaign') = s.experiment
        and s.subject = coalesce('party ' || cast(t.party_id as varchar), 'mail ' || lower(trim(t.email)))
        and lower(t.kind) like '%click%'
        and cast(t.happened_at as date) <= s.assigned_on + 90
),

mature as (
    select s.*, s.assigned_on <= c.as_of_on - 90 as is_mature
    from subjects s
    cross join clock c
)

select m.experiment, 'recorded' as measure, m.variant, m.treatment, m.subject, m.outcome, m.outcome is not null as is_known
from mature m
join recorded r on r.experiment = m.experiment and r.is_mailing = m.is_mailing and r.has_outcome
union all
select m.experiment, 'purchase', m.variant, m.treatment, m.subject, case when f.subject is not null then 'bought' else 'did not buy' end, m.is_mature
from mature m
join recorded r on r.experiment = m.experiment and r.is_mailing = m.is_mailing and not r.has_outcome
left join followed f on f.experiment = m.experiment and f.is_mailing = m.is_mailing and f.subject = m.subject
where m.party_id is not null and exists (select 1 from purchases)
union all
select m.experiment, 'contract', m.variant, m.treatment, m.subject, case when n.ended_on <= m.assigned_on + 90 then 'left' else 'stayed' end, m.is_mature
from mature m
join recorded r on r.experiment = m.experiment and r.is_mailing = m.is_mailing and not r.has_outcome
join contracts n on n.party_id = m.party_id and n.started_on <= m.assigned_on and (n.ended_on is null or n.ended_on > m.assigned_on)
union all
select m.experiment, 'click', m.variant, m.treatment, m.subject, case when k.subject is not null then 'clicked' else 'did not click' end, m.is_mature
from mature m
left join clicked k on k.experiment = m.experiment and k.subject = m.subject
where m.is_mailing and exists (select 1 from clicked)
order by experiment, measure, subject, variant, treatment
-- /// table experiment_results
-- Each variant, and each treatment within a variant that has several, against the control. Of two outcomes that are each
-- other's opposite one is enough: of recorded ones the rarer.
with arms as (
    select experiment, measure, variant as arm, variant, outcome, subject from results where is_known
    union all
    select r.experiment, r.measure, r.variant || ': ' || r.treatment, r.variant, r.outcome, r.subject
    from results r
    join (
        select experiment, variant
        from results
        where is_known
        group by experiment, variant
        having count(distinct treatment) > 1
    ) several on several.experiment = r.experiment and several.variant = r.variant
    where r.is_known and r.treatment is not null
),

controls as (
    select
        experiment,
        min_by(variant, case when variant in ('control', 'none', 'holdout', 'hold-out', 'placebo', 'baseline') then '0' else '1' end || variant) as control
    from results
    group by experiment
),

outcomes_by_number as (
    select
        experiment,
        measure,
        outcome,
        row_number() over (partition by experiment, measure order by count(*), outcome) as place,
        count(*) over (partition by experiment, measure) as different
    from results
    where is_known
    group by experiment, measure, outcome
),

told as (
    select experiment, measure, outcome
    from outcomes_by_number
    where case measure when 'recorded' then place = 1 or different <> 2 else outcome in ('bought', 'left', 'clicked') end
),

-- "Not renewed" is the contrary of "renewed"; who "did not buy, cancelled" says both, and neither is told.
worded as (
    select
        outcome,
        regexp_matches(outcome, '(churn|cancel|lost|left|unsubscri|refund|return|complain|expired|downgrad|declin)') as is_bad,
        regexp_matches(outcome, '(renew|retain|bought|buy|purchas|convert|click|won|signed|upgrad|accept|stayed)') as is_good,
        regexp_matches(outcome, '(^|[^a-z])((not|no|non|never|without|(do|does|did|is|was|has|have|had|would|could|wo)n.?t)([^a-z]|$)|(un|non)(renew|retain|bought|purchas|convert|click|signed|upgrad|accept))') as is_denied
    from (select distinct outcome from told) outcomes
),

sums as (
    select experiment, measure, arm, variant, count(*) as subjects
    from arms
    group by experiment, measure, arm, variant
),

found as (
    select experiment, measure, arm, outcome, count(*) as cases
    from arms
    group by experiment, measure, arm, outcome
)

select
    s.experiment,
    s.arm,
    t.outcome,
    coalesce(f.cases, 0) as cases,
    s.subjects,
    c.control,
    coalesce(b.cases, 0) as control_cases,
    n.subjects as control_subjects,
    case when w.is_denied then w.is_good and not w.is_bad else w.is_bad end as is_bad,
    case when w.is_denied then w.is_bad and not w.is_good else w.is_good end as is_good
from sums s
join controls c on c.experiment = s.experiment and s.variant <> c.control
join told t on t.experiment = s.experiment and t.measure = s.measure
join worded w on w.outcome = t.outcome
join sums n on n.experiment = s.experiment and n.measure = s.measure and n.arm = c.control
left join found f on f.experiment = s.experiment and f.measure = s.measure and f.arm = s.arm and f.outcome = t.outcome
left join found b on b.experiment = s.experiment and b.measure = s.measure and b.arm = c.control and b.outcome = t.outcome
order by s.experiment, s.measure, s.arm, t.outcome
-- /// table read_outs
select
    experiment,
    arm,
    outcome,
    rate_pct,
    low_pct as rate_pct_low,
    high_pct as rate_pct_high,
    cases,
    subjects,
    control,
    100.0 * control_cases / control_subjects as control_pct,
    control_cases,
    control_subjects,
    rate_pct - 100.0 * control_cases / control_subjects as difference_points,
    changed_p,
    changed_q,
    case when is_bad then cases * control_subjects < control_cases * subjects when is_good then cases * control_subjects > control_cases * subjects end as is_better,
    arm || ': ' || outcome as arm_and_outcome
from experiment_results
order by experiment, arm, outcome
-- /// table after_the_first
select
    state,
    approach,
    outcome,
    rate_pct,
    low_pct as rate_pct_low,
    high_pct as rate_pct_high,
    cases,
    customers,
    100.0 * other_cases / nullif(other_customers, 0) as others_pct,
    other_customers,
    100.0 * base_cases / base_customers as any_day_pct,
    base_customers as any_day_customers,
    changed_q as differs_q,
    state_and_approach
from first_time
order by state, outcome, approach
-- /// metrics
select
    nullif(o.approaches_observed, 0) as approaches_observed,
    nullif(o.customers_approached, 0) as customers_approached,
    a.immature as immature_approaches,
    a.early as early_approaches,
    case when a.asked > 0 then 90 end as horizon_days,
    (select nullif(count(*), 0) from read_outs) as experiment_arms,
    (select case when count(*) > 0 then count(*) filter (where changed_q < 0.05) end from read_outs) as decided,
    (select count(distinct subject) from results where not is_known) as pending_subjects
from (
    select count(*) as approaches_observed, count(distinct party_id) as customers_approached
    from fates
    where approach <> 'any day'
) o
cross join (
    select
        count(*) filter (where approach <> 'any day') as asked,
        count(*) filter (where is_immature and not is_early) as immature,
        count(*) filter (where is_early) as early
    from asked
) a
where a.asked > 0 or exists (select 1 from results)
