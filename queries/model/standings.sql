-- /// model
-- title    = "Each customer as known today, half a year and a year ago: class, rhythm, silence, value a year"
-- optional = ["customers", "contracts", "purchases", "mrr_changes", "rhythm_groups", "rhythm_groups_half_year_ago", "rhythm_groups_year_ago"]
-- ///
-- The same SQL on each day, from what is dated up to it. Late is silent beyond the 80th percentile of the own predictive
-- gap, lapsed beyond the 99th. `is_lost` is what the half year after the day brought: under contract its end, else no
-- purchase; of who had gone already, no return. It is known of the two earlier days alone.
with days as (
    select period, as_of_on, cast(as_of_on + to_months(6) as date) as until_on
    from periods
    where period in ('current', 'half_year_ago', 'year_ago') and (is_covered or period = 'current')
),

rhythms as (
    select 'current' as period, segment, frequency, recency_days, age_days, typical_gap_days, overdue_after_days, lapsed_after_days from rhythm_groups
    union all
    select 'half_year_ago', segment, frequency, recency_days, age_days, typical_gap_days, overdue_after_days, lapsed_after_days
    from rhythm_groups_half_year_ago
    union all
    select 'year_ago', segment, frequency, recency_days, age_days, typical_gap_days, overdue_after_days, lapsed_after_days
    from rhythm_groups_year_ago
),

recurring as (
    select d.period, m.party_id, sum(m.amount) as mrr
    from mrr_changes m
    join days d on m.changed_on <= d.as_of_on
    group by d.period, m.party_id
),

bought_later as (
    select d.period, b.party_id
    from purchases b
    join days d on b.purchased_on > d.as_of_on and b.purchased_on <= d.until_on
    group by d.period, b.party_id
),

signed_later as (
    select d.period, c.party_id
    from contracts c
    join days d on c.started_on > d.as_of_on and c.started_on <= d.until_on
    group by d.period, c.party_id
),

ended_later as (
    select d.period, c.party_id
    from contracts c
    join days d on c.started_on <= d.as_of_on and c.ended_on > d.as_of_on and c.ended_on <= d.until_on
    group by d.period, c.party_id
),

known as (
    select
        c.period,
        c.party_id,
        case when c.is_contractual then 'contract' else 'no contract' end as kind,
        coalesce(k.class, '-') as class,
        c.purchases,
        c.last_purchase_on,
        case
            when c.is_under_contract then null
            when c.is_contractual then c.ended_on
            when date_diff('day', c.last_purchase_on, d.as_of_on) > r.lapsed_after_days then c.last_purchase_on
        end as gone_on,
        date_diff('day', c.last_purchase_on, d.as_of_on) as silence_days,
        r.typical_gap_days,
        not c.is_contractual and coalesce(date_diff('day', c.last_purchase_on, d.as_of_on) > r.overdue_after_days, false) as is_late,
        cast(case when not c.is_under_contract then c.window_revenue when m.mrr > 0 then 12 * m.mrr else nullif(c.window_revenue, 0) end as decimal(18, 2)) as value_amount,
        case when c.period <> 'current' then
            case
                when c.is_under_contract then e.party_id is not null
                when c.is_contractual then s.party_id is null
                else b.party_id is null
            end
        end as is_lost,
        d.as_of_on
    from customers c
    join days d on d.period = c.period
    join parties p on p.party_id = c.party_id
    left join classes k on k.period = c.period and k.party_id = c.party_id
    left join rhythms r
        on not c.is_contractual
        and r.period = c.period
        and r.segment = coalesce(p.segment, 'unknown')
        and r.frequency = c.purchases - 1
        and r.recency_days = date_diff('day', c.first_purchase_on, c.last_purchase_on)
        and r.age_days = date_diff('day', c.first_purchase_on, d.as_of_on)
    left join recurring m on m.period = c.period and m.party_id = c.party_id
    left join bought_later b on b.period = c.period and b.party_id = c.party_id
    left join signed_later s on s.period = c.period and s.party_id = c.party_id
    left join ended_later e on e.period = c.period and e.party_id = c.party_id
)

select *, date_diff('day', gone_on, as_of_on) as gone_days
from known
