-- /// model
-- title    = "Spells under contract: paid subscriptions of a customer without a gap of more than 30 days"
-- optional = ["subscriptions.ended_on", "subscriptions.is_trial", "subscriptions.status", "subscriptions.trial_ends_on"]
-- ///
-- From the first paid day on: who leaves before the trial is over was never under contract.
with paid as (
    select
        s.party_id,
        greatest(s.started_on, coalesce(s.trial_ends_on, s.started_on)) as started_on,
        case when s.ended_on >= s.started_on then s.ended_on end as ended_on
    from subscriptions s
    where s.party_id is not null
        and s.started_on is not null
        and not coalesce(s.is_trial, false)
        and coalesce(s.status, 'active') not in ('trial', 'incomplete', 'draft')
        and not coalesce(s.trial_ends_on > s.started_on and s.ended_on >= s.started_on and s.ended_on <= s.trial_ends_on, false)
),

marked as (
    select
        party_id,
        started_on,
        coalesce(ended_on, date '9999-12-31') as ended_on,
        max(coalesce(ended_on, date '9999-12-31')) over (
            partition by party_id order by started_on, ended_on
            rows between unbounded preceding and 1 preceding
        ) as covered_until_on
    from paid
),

numbered as (
    select
        party_id,
        started_on,
        ended_on,
        sum(case when covered_until_on is null or date_diff('day', covered_until_on, started_on) > 30 then 1 else 0 end) over (
            partition by party_id order by started_on, ended_on
            rows between unbounded preceding and current row
        ) as spell
    from marked
)

select
    party_id,
    cast(spell as integer) as spell,
    min(started_on) as started_on,
    nullif(max(ended_on), date '9999-12-31') as ended_on
from numbered
group by party_id, spell
