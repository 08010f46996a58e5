-- /// model
-- title    = "Each running contract: tenure, monthly revenue, and the probability of lasting"
-- optional = ["customers", "contracts", "subscription_values", "contract_curve", "contract_curve_before"]
-- ///
with running as (
    select
        p.period,
        c.party_id,
        max(c.started_on) as started_on,
        max(p.as_of_on) as as_of_on
    from contracts c
    join periods p on c.started_on <= p.as_of_on and (c.ended_on is null or c.ended_on > p.as_of_on)
    where p.period in ('current', 'holdout')
    group by p.period, c.party_id
),

valued as (
    select
        r.period,
        r.party_id,
        r.started_on,
        cast(floor(date_diff('day', r.started_on, r.as_of_on) / 30.4375) as integer) as months,
        r.as_of_on,
        (
            select sum(v.mrr)
            from subscription_values v
            where v.party_id = r.party_id
                and v.started_on <= r.as_of_on
                and (v.ended_on is null or v.ended_on > r.as_of_on)
                and not v.is_trial
        ) as mrr
    from running r
),

curves as (
    select 'current' as period, tenure, survival from contract_survival
    union all
    select 'holdout', tenure, survival from contract_survival_before
)

select
    v.period,
    v.party_id,
    v.started_on,
    v.months,
    coalesce(v.mrr, 0) as mrr,
    later.survival / nullif(here.survival, 0) as p_stays_52w,
    within.survival / nullif(here.survival, 0) as p_stays_holdout,
    second.survival / nullif(here.survival, 0) as p_stays_104w,
    third.survival / nullif(here.survival, 0) as p_stays_156w
from valued v
left join (select max(holdout_days) as days from periods) h on true
left join curves here on here.period = v.period and here.tenure = v.months
left join curves later on later.period = v.period and later.tenure = v.months + 12
left join curves second on second.period = v.period and second.tenure = v.months + 24
left join curves third on third.period = v.period and third.tenure = v.months + 36
left join curves within on within.period = v.period and within.tenure = v.months + cast(round(h.days / 30.4375) as integer)
