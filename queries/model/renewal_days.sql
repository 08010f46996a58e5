-- /// model
-- title    = "The renewal day of each paid subscription that ran today, half a year and a year ago; where none runs today, of open renewal deals"
-- optional = ["*"]
-- ///
-- By renewal day, else end of term, else end of the running billing period. Of the two earlier days the billing period
-- alone tells: renewal day, end and status are those of today, and know who has left since.
with looks as (
    select period, as_of_on, period = 'current' as is_today
    from periods
    where period in ('current', 'half_year_ago', 'year_ago')
),

running as (
    select
        c.period,
        c.is_today,
        v.party_id,
        v.system,
        v.subscription_id as record_id,
        v.plan,
        v.mrr,
        v.status,
        v.is_churned,
        case when c.is_today and v.renews_on > c.as_of_on then v.renews_on end as renews_on,
        case when c.is_today then v.ended_on end as ended_on,
        coalesce(v.renews_on, v.started_on) as anchor_on,
        v.billing_period,
        case v.billing_period when 'monthly' then 1 when 'quarterly' then 3 when 'semiannual' then 6 when 'annual' then 12 end as months,
        case v.billing_period when 'weekly' then 7 when 'daily' then 1 end as days,
        c.as_of_on
    from subscription_values v
    cross join looks c
    where v.party_id is not null
        and not v.is_trial
        and v.started_on <= c.as_of_on
        and (v.trial_ends_on is null or v.trial_ends_on <= c.as_of_on)
        and (v.ended_on is null or v.ended_on > c.as_of_on)
        and (
            not c.is_today
            or (
                (coalesce(v.status, 'active') not in ('cancelled', 'expired', 'paused') or (v.status = 'cancelled' and v.ended_on is not null))
                and (not coalesce(v.is_churned, false) or v.ended_on is not null)
            )
        )
),

turns as (
    select
        *,
        case
            when months is not null
                then cast(anchor_on + to_months(cast(months * floor(date_diff('month', anchor_on, as_of_on) / months) as integer)) as date)
            when days is not null
                then anchor_on + cast(days * floor(date_diff('day', anchor_on, as_of_on) / days) as integer)
        end as turn_on,
        case
            when months is not null
                then cast(anchor_on + to_months(cast(months * (floor(date_diff('month', anchor_on, as_of_on) / months) + 1) as integer)) as date)
            when days is not null
                then anchor_on + cast(days * (floor(date_diff('day', anchor_on, as_of_on) / days) + 1) as integer)
        end as next_turn_on
    from running
)

select
    period,
    1 as place,
    party_id,
    system,
    record_id,
    plan,
    cast(mrr as decimal(18, 2)) as mrr,
    case
        when renews_on is not null then least(renews_on, coalesce(ended_on, renews_on))
        when ended_on is not null then ended_on
        when turn_on > as_of_on then turn_on
        else next_turn_on
    end as due_on,
    case
        when renews_on is not null then 'renewal day'
        when ended_on is not null then 'end of term'
        when turn_on is not null then 'billing period'
    end as known_from,
    coalesce(billing_period, 'longer') not in ('monthly', 'weekly', 'daily') as is_longer,
    is_today and (coalesce(status = 'cancelled', false) or coalesce(is_churned, false)) as is_cancelled,
    is_today and coalesce(status = 'past_due', false) as is_past_due
from turns
union all
select
    'current',
    2,
    d.party_id,
    d.system,
    d.opportunity_id,
    d.product,
    cast(d.amount / 12 as decimal(18, 2)),
    d.expected_close_on,
    'expected close',
    true,
    false,
    false
from deals d
join opportunities o on o.system = d.system and o.opportunity_id = d.opportunity_id
where d.outcome = 'open'
    and (o.kind = 'renewal' or lower(coalesce(o.pipeline, '')) like '%renewal%')
    and d.expected_close_on is not null
    and not exists (select 1 from running where is_today)
