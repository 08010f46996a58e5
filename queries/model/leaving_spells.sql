-- /// model
-- title    = "Time in which each customer could be seen to leave"
-- optional = ["contracts", "forecasts"]
-- ///
-- Both ends count. Under contract: from its start until its end, which is the loss, or the as-of date.
-- Without: a loss is a lapse (silent beyond the customer's own 99th percentile, P(alive) < 0.2), dated to the day on
-- which the next purchase was to be expected. Whoever bought so lately that a lapse could not show yet is followed
-- until the last day on which it could: to count the days after it would make all who bought lately seem loyal.
with contracted as (
    select
        c.party_id,
        true as is_contractual,
        c.started_on as since_on,
        c.started_on as from_on,
        least(coalesce(c.ended_on, k.as_of_on), k.as_of_on) as until_on,
        coalesce(c.ended_on <= k.as_of_on, false) as is_lost,
        90 as effect_days
    from contracts c
    cross join clock k
    where c.started_on <= k.as_of_on
),

rhythms as (
    select
        party_id,
        first_purchase_on,
        last_purchase_on,
        silence_days,
        cast(round(typical_gap_days) as integer) as gap_days,
        cast(ceil(lapsed_after_days) as integer) as limit_days,
        coalesce(p_alive < 0.2, true) as is_probably_gone
    from forecasts
    where lapsed_after_days < 36500
),

bought as (
    select
        r.party_id,
        false as is_contractual,
        r.first_purchase_on as since_on,
        r.first_purchase_on + r.gap_days as from_on,
        case
            when r.silence_days > r.limit_days then r.last_purchase_on + r.gap_days
            else k.as_of_on - r.limit_days + r.gap_days
        end as until_on,
        r.silence_days > r.limit_days and r.is_probably_gone as is_lost,
        greatest(90, r.gap_days) as effect_days
    from rhythms r
    cross join clock k
)

select * from contracted
union all
select * from bought
where from_on <= until_on
