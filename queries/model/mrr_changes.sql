-- /// model
-- title    = "What each day changed of a customer's monthly recurring revenue"
-- optional = ["subscription_changes.subscription_id", "subscription_changes.kind", "subscription_changes.amount", "subscription_changes.changed_on"]
-- ///
-- Recorded changes date the MRR of a subscription whose first one is among them; of every other its own days do. Paid from
-- the end of the trial on; to the cent, so that what begins ends with the same amount. Who stopped on a day that nobody
-- recorded, or pauses, pays nothing by the as-of date at the latest.
with paid as (
    select
        v.party_id,
        v.system,
        v.subscription_id,
        cast(v.mrr as decimal(18, 2)) as mrr,
        v.rate,
        case when v.trial_ends_on > v.started_on then v.trial_ends_on else v.started_on end as paid_from_on,
        case
            when v.ended_on >= v.started_on then v.ended_on
            when v.status in ('cancelled', 'expired', 'paused') or v.is_churned then c.as_of_on
        end as paid_until_on
    from subscription_values v
    cross join clock c
    where v.party_id is not null and v.mrr is not null and not v.is_trial
),

recorded as (
    select distinct system, subscription_id
    from subscription_changes
    where kind = 'new' and amount is not null and changed_on is not null
),

steps as (
    select
        p.party_id,
        p.system,
        p.subscription_id,
        s.changed_on,
        s.kind = 'churn' as is_end,
        cast(case
            when s.kind in ('new', 'expansion', 'reactivation') then abs(s.amount) * p.rate
            when s.kind = 'contraction' then -abs(s.amount) * p.rate
            else 0
        end as decimal(18, 2)) as amount
    from subscription_changes s
    join recorded r on r.system = s.system and r.subscription_id = s.subscription_id
    join paid p on p.system = s.system and p.subscription_id = s.subscription_id
    where s.changed_on is not null and (s.amount is not null or s.kind = 'churn')
    union all
    select p.party_id, p.system, p.subscription_id, p.paid_until_on, true, 0
    from paid p
    join recorded r on r.system = p.system and r.subscription_id = p.subscription_id
    where p.paid_until_on is not null
),

spelled as (
    select
        *,
        coalesce(sum(case when is_end then 1 else 0 end) over (
            partition by system, subscription_id order by changed_on, is_end
            rows between unbounded preceding and 1 preceding
        ), 0) as spell
    from steps
),

changes as (
    select
        party_id,
        changed_on,
        case when is_end then -sum(amount) over (partition by system, subscription_id, spell) else amount end as amount
    from spelled
    union all
    select p.party_id, p.paid_from_on, p.mrr
    from paid p
    left join recorded r on r.system = p.system and r.subscription_id = p.subscription_id
    where r.subscription_id is null and (p.paid_until_on is null or p.paid_until_on > p.paid_from_on)
    union all
    select p.party_id, p.paid_until_on, -p.mrr
    from paid p
    left join recorded r on r.system = p.system and r.subscription_id = p.subscription_id
    where r.subscription_id is null and p.paid_until_on > p.paid_from_on
)

select g.party_id, g.changed_on, cast(sum(g.amount) as decimal(18, 2)) as amount
from changes g
cross join clock c
where g.changed_on <= c.as_of_on
group by g.party_id, g.changed_on
