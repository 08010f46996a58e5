-- /// model
-- title    = "Contracts at risk and lost by month of tenure, as of each period"
-- optional = ["contracts"]
-- ///
-- The month of tenure that the as-of date cuts counts for nobody: those who end in it would be seen, those who stay not.
with spans as (
    select
        p.period,
        cast(floor(date_diff('day', c.started_on, least(coalesce(c.ended_on, p.as_of_on), p.as_of_on)) / 30.4375) as integer) as months,
        coalesce(
            c.ended_on <= p.as_of_on
            and floor(date_diff('day', c.started_on, c.ended_on) / 30.4375) < floor(date_diff('day', c.started_on, p.as_of_on) / 30.4375),
            false
        ) as is_ended,
        count(*) as contracts
    from contracts c
    join periods p on c.started_on <= p.as_of_on
    where p.period in ('current', 'holdout')
    group by 1, 2, 3
),

tenures as (
    select t.period, n.tenure
    from (select period, max(months) + 1 as last from spans group by period) t
    join (select unnest(generate_series(1, 600)) as tenure) n on n.tenure <= t.last
)

select
    t.period,
    cast(t.tenure as integer) as tenure,
    coalesce(sum(s.contracts) filter (where s.months >= t.tenure or (s.is_ended and s.months = t.tenure - 1)), 0) as at_risk,
    coalesce(sum(s.contracts) filter (where s.is_ended and s.months = t.tenure - 1), 0) as lost
from tenures t
join spans s on s.period = t.period
group by t.period, t.tenure
having coalesce(sum(s.contracts) filter (where s.months >= t.tenure or (s.is_ended and s.months = t.tenure - 1)), 0) > 0
