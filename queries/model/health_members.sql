-- /// model
-- title    = "Who was a customer on each day of health, how they bought until then, and whether they were lost after it"
-- optional = ["purchases", "contracts", "subscription_values", "customers"]
-- ///
-- Who is a member is told by what was dated up to the day alone. Under contract: a paid subscription runs; lost is whose
-- contract ends in the 90 days after. Without: the last purchase is no older than three of the customer's own gaps, at
-- least 90 and at most 365 days; lost is who buys nothing for so long after the day. The own gap leans on the median of
-- the base as if it were two gaps more. `known_on` is the day on which the outcome is known, `p_lost_if_staying` the chance that
-- one who has not left buys nothing for so long (gamma-Poisson): what the rule would call lost in a base that never leaves.
-- Grouped by numbers, which are faster than words.
with sampled as (
    select
        party_id,
        first_purchase_on,
        row_number() over (order by (cast(party_id as bigint) * 1103515245) % 2147483647, party_id) <= 20000 as is_sampled
    from customers
    where period = 'current'
),

few as materialized (
    select b.party_id, b.purchased_on, b.place, b.amount
    from purchases b
    join sampled s on s.is_sampled and s.party_id = b.party_id
),

-- Of everybody on few days, and of few on many.
seen_purchases as (
    select d.days_ago, d.as_of_on, b.party_id, b.purchased_on, b.place, b.amount
    from purchases b
    join health_dates d on d.is_whole and b.purchased_on >= d.as_of_on - 365
    union all
    select d.days_ago, d.as_of_on, b.party_id, b.purchased_on, b.place, b.amount
    from few b
    join health_dates d on not d.is_whole and b.purchased_on >= d.as_of_on - 365
),

lately as (
    select
        days_ago,
        party_id,
        max(purchased_on) filter (where purchased_on <= as_of_on) as last_on,
        max(place) filter (where purchased_on <= as_of_on) as purchases,
        min(purchased_on) filter (where purchased_on > as_of_on) as next_on,
        sum(amount) filter (where purchased_on <= as_of_on and purchased_on > as_of_on - 180) as half_year,
        sum(amount) filter (where purchased_on <= as_of_on - 180 and purchased_on > as_of_on - 360) as half_year_before
    from seen_purchases
    group by days_ago, party_id
),

bought as (
    select l.*, s.first_purchase_on as first_on
    from lately l
    join sampled s on s.party_id = l.party_id
    where l.last_on is not null
),

usual as (
    select days_ago, percentile_cont(0.5) within group (order by (last_on - first_on) / (purchases - 1.0)) as gap_days
    from bought
    where purchases > 1
    group by days_ago
),

paced as (
    select
        b.*,
        2 * coalesce(u.gap_days, 365) as two_gaps,
        coalesce((b.last_on - b.first_on + 2 * u.gap_days) / (b.purchases + 1.0), 365) as gap_days
    from bought b
    left join usual u on u.days_ago = b.days_ago
),

running as (
    select
        d.days_ago,
        v.party_id,
        min(v.started_on) as since_on,
        count(*) filter (where v.ended_on is null or v.ended_on < v.started_on or v.ended_on > d.as_of_on) > 0 as is_running
    from subscription_values v
    join sampled s on s.party_id = v.party_id
    join health_dates d on (d.is_whole or s.is_sampled) and v.started_on <= d.as_of_on
    where not v.is_trial
    group by d.days_ago, v.party_id
),

ends as (
    select d.days_ago, c.party_id, min(c.ended_on) as ended_on
    from contracts c
    join sampled s on s.party_id = c.party_id
    join health_dates d on (d.is_whole or s.is_sampled) and c.started_on <= d.as_of_on and c.ended_on > d.as_of_on
    group by d.days_ago, c.party_id
),

seen as (
    select
        coalesce(r.days_ago, b.days_ago) as days_ago,
        coalesce(r.party_id, b.party_id) as party_id,
        r.party_id is not null as is_contractual,
        coalesce(r.is_running, false) as is_running,
        least(r.since_on, b.first_on) as since_on,
        b.last_on as last_purchase_on,
        b.next_on,
        b.gap_days,
        b.first_on,
        b.purchases,
        b.two_gaps,
        case when r.party_id is not null then 90 else cast(least(greatest(3 * b.gap_days, 90), 365) as integer) end as limit_days,
        e.ended_on,
        b.half_year,
        b.half_year_before
    from paced b
    full join running r on r.days_ago = b.days_ago and r.party_id = b.party_id
    left join ends e on e.days_ago = r.days_ago and e.party_id = r.party_id
)

select
    d.period,
    d.days_ago,
    d.as_of_on,
    d.role,
    d.first_test_on,
    s.party_id,
    s.is_contractual,
    s.since_on,
    s.limit_days,
    d.as_of_on + s.limit_days as known_on,
    case
        when d.as_of_on + s.limit_days > c.as_of_on then null
        when s.is_contractual then coalesce(s.ended_on <= d.as_of_on + s.limit_days, false)
        else coalesce(s.next_on > d.as_of_on + s.limit_days, true)
    end as is_lost,
    case
        when s.is_contractual then 0
        else power(
            (s.two_gaps + (d.as_of_on - s.first_on)) / (s.two_gaps + (d.as_of_on - s.first_on) + s.limit_days), s.purchases + 1
        )
    end as p_lost_if_staying,
    s.last_purchase_on,
    case when s.last_purchase_on is not null then least((d.as_of_on - s.last_purchase_on) / s.gap_days, 3.0) end as purchase_silence,
    cast((coalesce(s.half_year, 0) - s.half_year_before) / (coalesce(s.half_year, 0) + nullif(s.half_year_before, 0)) as double) as spend_trend
from seen s
join health_dates d on d.days_ago = s.days_ago
cross join clock c
where case when s.is_contractual then s.is_running else d.as_of_on - s.last_purchase_on <= s.limit_days end
