-- /// audit
-- title    = "Satisfaction"
-- question = "How satisfied are they, and who answers?"
-- why      = "Those who do not answer are no happier for it; they leave without a word."
-- fix      = "Ask after every ticket, with one question and one free field, and follow up on those who never answer."
-- headline = ["{csat_pct} of the answers are satisfied; {response_rate_pct} of those asked answered.", "{csat_pct} of the answers are satisfied; how many were asked no export says."]
-- any_of   = [["tickets.satisfaction", "tickets.satisfaction_text", "survey_responses.score"]]
-- optional = ["*"]
-- hidden   = ["answers_given", "scales"]
-- [[method]]
-- name = "rates"
-- table = "by_window"
-- successes = "satisfied"
-- trials = "answers"
-- compare = true
-- [[method]]
-- name = "rates"
-- table = "by_part"
-- successes = "satisfied"
-- trials = "answers"
-- shrink = true
-- compare = true
-- [metrics]
-- csat_pct = { unit = "pct", better = "up", note = "satisfied answers of the window of all answers: the upper two of five marks, the upper quarter of other scales, good in words. NPS answers are told by the audit of advocates" }
-- response_rate_pct = { unit = "pct", better = "up", note = "solved tickets of the window with an answer, of all solved" }
-- change_points = { unit = "points", better = "up", note = "of csat_pct against the window before" }
-- answers = { unit = "n" }
-- silent_tickets = { unit = "n", note = "solved tickets nobody said anything about; they are not counted as satisfied" }
-- [[finding]]
-- level = "act"
-- table = "by_window"
-- when = "period = 'current' and differs_q < 0.05 and rate_pct < (select rate_pct from by_window where period = 'previous')"
-- text = "Satisfaction has fallen: {rate_pct} of {answers} answers are satisfied, less than in the window before."
-- [[finding]]
-- level = "good"
-- table = "by_window"
-- when = "period = 'current' and differs_q < 0.05 and rate_pct > (select rate_pct from by_window where period = 'previous')"
-- text = "Satisfaction has risen: {rate_pct} of {answers} answers are satisfied, more than in the window before."
-- [[finding]]
-- level = "watch"
-- table = "by_part"
-- when = "differs_q < 0.05 and rate_pct < of_all_pct"
-- key = "{part}/{value}"
-- text = "Less satisfied than the others: {part} {value}, {rate_pct} of {answers} answers."
-- [[partial]]
-- when = "select exists (select 1 from answers_given where kind = 'ticket') and not exists (select 1 from tickets where resolved_at is not null)"
-- reason = "No ticket has a day of solution, so how many were asked is not known."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_part"
-- caption = "Share of satisfied answers, by category of ticket and class of customer"
-- label = "value"
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- ///
-- /// table scales
-- Marks of one export are on one scale, told by the highest that was ever given.
select system, 'ticket' as kind, max(satisfaction) as highest
from tickets
where satisfaction is not null
group by system
union all
select system, lower(coalesce(kind, 'survey')), max(score)
from survey_responses
where score is not null and lower(coalesce(kind, 'csat')) not like '%nps%'
group by 1, 2
order by 1, 2
-- /// table answers_given
with said as (
    select
        'ticket' as kind, t.system, t.party_id, coalesce(t.category, 'unknown') as category,
        cast(coalesce(t.resolved_at, t.opened_at) as date) as day_on,
        t.satisfaction as mark,
        case
            when regexp_matches(lower(t.satisfaction_text), '(not |un|dis)(good|happy|satisf)|bad|poor|terrible|negative') then 0
            when regexp_matches(lower(t.satisfaction_text), 'good|great|excellent|happy|satisf|amazing|positive') then 1
        end as in_words
    from tickets t
    union all
    select lower(coalesce(kind, 'survey')), system, party_id, 'survey', answered_on, score, null
    from survey_responses
    where lower(coalesce(kind, 'csat')) not like '%nps%'
)

select
    s.kind,
    s.party_id,
    s.category,
    s.day_on,
    coalesce(
        s.in_words,
        case
            when c.highest <= 1 then case when s.mark >= 1 then 1 else 0 end
            when c.highest <= 5 then case when s.mark >= 4 then 1 else 0 end
            when c.highest <= 10 then case when s.mark >= 8 then 1 else 0 end
            else case when s.mark >= 75 then 1 else 0 end
        end
    ) as is_satisfied
from said s
left join scales c on c.system = s.system and c.kind = s.kind
where s.in_words is not null or s.mark is not null
order by s.day_on, s.kind, s.party_id, s.category, 5
-- /// table by_window
select
    p.period,
    cast(sum(a.is_satisfied) as bigint) as satisfied,
    count(*) as answers
from answers_given a
join periods p on p.period in ('current', 'previous') and a.day_on > p.start_on and a.day_on <= p.end_on
group by p.period
order by p.period
-- /// table by_part
with each as (
    select 'category' as part, a.category as value, a.is_satisfied
    from answers_given a
    join periods p on p.period = 'current' and a.day_on > p.start_on and a.day_on <= p.end_on
    where a.kind = 'ticket' and a.category <> 'unknown'
    union all
    select 'class', coalesce(f.class, 'none'), a.is_satisfied
    from answers_given a
    join periods p on p.period = 'current' and a.day_on > p.start_on and a.day_on <= p.end_on
    join followed f on f.party_id = a.party_id
)

select
    part,
    value,
    cast(sum(is_satisfied) as bigint) as satisfied,
    count(*) as answers,
    100.0 * sum(sum(is_satisfied)) over (partition by part) / sum(count(*)) over (partition by part) as of_all_pct
from each
group by part, value
order by part, count(*) desc, value
-- /// table who_answers
select
    coalesce(f.class, 'no class') as class,
    count(*) as solved,
    count(*) filter (where t.satisfaction is not null or regexp_matches(lower(t.satisfaction_text), 'good|bad|happy|satisf|great|excellent|amazing|poor|terrible|positive|negative')) as answered,
    100.0 * count(*) filter (where t.satisfaction is not null or regexp_matches(lower(t.satisfaction_text), 'good|bad|happy|satisf|great|excellent|amazing|poor|terrible|positive|negative')) / count(*) as answered_pct
from tickets t
join periods p on p.period = 'current' and cast(t.resolved_at as date) > p.start_on and cast(t.resolved_at as date) <= p.end_on
left join followed f on f.party_id = t.party_id
group by 1
order by 1
-- /// table unhappy_customers
select p.customer, f.class, max(a.day_on) as last_unhappy_on, count(*) as unhappy_answers, f.revenue_amount, p.owner_id, a.party_id
from answers_given a
join periods w on w.period = 'current' and a.day_on > w.start_on and a.day_on <= w.end_on
join parties p on p.party_id = a.party_id
left join followed f on f.party_id = a.party_id
where a.is_satisfied = 0
group by p.customer, f.class, f.revenue_amount, p.owner_id, a.party_id
order by f.revenue_amount desc nulls last, a.party_id
-- /// metrics
select
    (select rate_pct from by_window where period = 'current') as csat_pct,
    (select low_pct from by_window where period = 'current') as csat_pct_low,
    (select high_pct from by_window where period = 'current') as csat_pct_high,
    (select answers from by_window where period = 'current') as csat_pct_n,
    (select 100.0 * sum(answered) / nullif(sum(solved), 0) from who_answers) as response_rate_pct,
    (select sum(solved) from who_answers) as response_rate_pct_n,
    (select rate_pct from by_window where period = 'current') - (select b.rate_pct from by_window b join periods p on p.period = b.period and p.is_covered where b.period = 'previous') as change_points,
    (select answers from by_window where period = 'current') as answers,
    (select cast(sum(solved) - sum(answered) as bigint) from who_answers) as silent_tickets
