-- /// audit
-- title    = "Advocates"
-- question = "Who would recommend you, and are they your heaviest users?"
-- why      = "A recommendation sells better than any colleague, if somebody asks for it."
-- fix      = "Ask every customer once a year whether they would recommend you, from 0 to 10, and keep the answer with its day."
-- headline = ["{promoters|customer|customers} would recommend you; the net promoter score is {nps}.", "{promoters|customer|customers} would recommend you."]
-- any_of   = [["survey_responses.score"], ["survey_responses.answered_on"]]
-- optional = ["*"]
-- hidden   = ["latest_answers", "heavy"]
-- [[method]]
-- name = "rates"
-- table = "promoters_by_weight"
-- successes = "promoters"
-- trials = "answered"
-- compare = true
-- [metrics]
-- promoters = { unit = "n", better = "up", note = "customers and others whose last answer of the last 24 months was 9 or 10" }
-- nps = { unit = "points", better = "up", note = "share of 9 and 10 less share of 0 to 6 among the last answers of each; 95 % interval of a difference of two shares of one sample" }
-- promoter_heavy_overlap_pct = { unit = "pct", better = "up", note = "of the promoters who are customers, those in the heaviest fifth by revenue of the window; by chance it would be near expected_overlap_pct" }
-- expected_overlap_pct = { unit = "pct", note = "share of the heaviest fifth among all customers who answered" }
-- reference_candidates = { unit = "n", better = "up", note = "promoters of class A or B who are not overdue and have no open ticket" }
-- supporters_not_customers = { unit = "n", better = "up", note = "promoters who have not bought" }
-- detractors = { unit = "n", better = "down" }
-- answered_pct = { unit = "pct", better = "up", label = "Customers who answered", note = "of the customers; silence is neither praise nor blame" }
-- [[finding]]
-- level = "good"
-- when = "reference_candidates > 0"
-- text = "{reference_candidates|customer would recommend you, is in|customers would recommend you, are in} good order and could be asked for a reference."
-- customers = "reference_candidates"
-- lists = "references_to_ask"
-- [[finding]]
-- level = "watch"
-- when = "a_detractors > 0"
-- text = "{a_detractors|A customer|A customers} would not recommend you; they brought {a_detractors_amount} in the window."
-- customers = "a_detractors"
-- value = "a_detractors_amount"
-- lists = "detractors_to_call"
-- [[chart]]
-- kind = "bars"
-- table = "answers_by_score"
-- caption = "Last answers by score"
-- label = "score_given"
-- value = "answers"
-- ///
-- /// table latest_answers
-- One answer each, the last of 24 months; on a scale from 0 to 10, which an export of fewer marks is not.
with scales as (
    select system, max(score) as highest
    from survey_responses
    where lower(coalesce(kind, 'nps')) like '%nps%'
    group by system
),

ranked as (
    select
        coalesce(cast(r.party_id as varchar), lower(r.email), r.system || ' ' || coalesce(r.contact_id, r.account_id, r.response_id)) as who,
        r.party_id,
        r.score,
        r.comment is not null as has_comment,
        r.answered_on,
        row_number() over (
            partition by coalesce(cast(r.party_id as varchar), lower(r.email), r.system || ' ' || coalesce(r.contact_id, r.account_id, r.response_id))
            order by r.answered_on desc, r.score, r.response_id
        ) as place
    from survey_responses r
    join scales s on s.system = r.system and s.highest > 5 and s.highest <= 10
    join clock c on r.answered_on <= c.as_of_on and r.answered_on > c.as_of_on - 730
    where r.score is not null and lower(coalesce(r.kind, 'nps')) like '%nps%'
)

select
    r.who,
    r.party_id,
    f.customer,
    f.class,
    f.revenue_amount,
    coalesce(f.is_customer, false) as is_customer,
    r.score,
    r.answered_on,
    r.has_comment,
    case when r.score >= 9 then 'promoter' when r.score <= 6 then 'detractor' else 'passive' end as verdict
from ranked r
left join followed f on f.party_id = r.party_id
where r.place = 1
order by r.who
-- /// table answers_by_score
select cast(cast(score as integer) as varchar) as score_given, count(*) as answers
from latest_answers
group by 1
order by min(score)
-- /// table heavy
select party_id, percent_rank() over (order by revenue_amount desc) <= 0.2 as is_heavy
from followed
where is_customer and revenue_amount is not null
order by party_id
-- /// table promoters_by_weight
select
    case when h.is_heavy then 'heaviest fifth' else 'the others' end as weight,
    count(*) as answered,
    count(*) filter (where a.verdict = 'promoter') as promoters
from latest_answers a
join heavy h on h.party_id = a.party_id
group by 1
order by 1
-- /// table references_to_ask
with troubled as (
    select distinct party_id from issues where not is_resolved and party_id is not null
)

select a.customer, a.class, a.score, a.answered_on, a.revenue_amount, p.owner_id, a.party_id
from latest_answers a
join parties p on p.party_id = a.party_id
left join forecasts f on f.party_id = a.party_id
left join troubled t on t.party_id = a.party_id
where a.verdict = 'promoter' and a.class in ('A', 'B') and not coalesce(f.is_overdue, false) and t.party_id is null
order by a.revenue_amount desc, a.party_id
-- /// table detractors_to_call
select a.customer, a.class, a.score, a.answered_on, a.revenue_amount, p.owner_id, a.party_id
from latest_answers a
join parties p on p.party_id = a.party_id
where a.verdict = 'detractor' and a.is_customer
order by a.revenue_amount desc nulls last, a.party_id
-- /// metrics
with shares as (
    select
        count(*) as n,
        1.0 * count(*) filter (where verdict = 'promoter') / nullif(count(*), 0) as up,
        1.0 * count(*) filter (where verdict = 'detractor') / nullif(count(*), 0) as down
    from latest_answers
)

select
    (select count(*) from latest_answers where verdict = 'promoter') as promoters,
    100 * (s.up - s.down) as nps,
    case when s.n >= 10 then greatest(-100, 100 * (s.up - s.down - 1.96 * sqrt((s.up + s.down - (s.up - s.down) * (s.up - s.down)) / s.n))) end as nps_low,
    case when s.n >= 10 then least(100, 100 * (s.up - s.down + 1.96 * sqrt((s.up + s.down - (s.up - s.down) * (s.up - s.down)) / s.n))) end as nps_high,
    s.n as nps_n,
    (
        select 100.0 * sum(promoters) filter (where weight = 'heaviest fifth') / nullif(sum(promoters), 0) from promoters_by_weight
    ) as promoter_heavy_overlap_pct,
    (select sum(promoters) from promoters_by_weight) as promoter_heavy_overlap_pct_n,
    (select 100.0 * sum(answered) filter (where weight = 'heaviest fifth') / nullif(sum(answered), 0) from promoters_by_weight) as expected_overlap_pct,
    (select count(*) from references_to_ask) as reference_candidates,
    (select count(*) from latest_answers where verdict = 'promoter' and not is_customer) as supporters_not_customers,
    (select count(*) from latest_answers where verdict = 'detractor') as detractors,
    (select 100.0 * (select count(*) from latest_answers where is_customer) / nullif(count(*), 0) from followed where is_customer) as answered_pct,
    (select count(*) from followed where is_customer) as answered_pct_n,
    (select count(*) from detractors_to_call where class = 'A') as a_detractors,
    (select sum(revenue_amount) from detractors_to_call where class = 'A') as a_detractors_amount
from shares s
