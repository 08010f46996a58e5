-- /// model
-- title    = "Deals of each owner that are old enough to compare, with their mix"
-- optional = ["deals", "accounts.segment", "accounts.industry", "accounts.origin"]
-- ///
-- A deal is watched for as many days as nine in ten of the won deals took. Of the younger ones only the quick would
-- count, and whoever leaves lost deals open would look like a star among the closed ones.
-- A trait that is filled on the won deals far more or less often than on the others (15 points) tells the outcome rather
-- than the mix, and is left out; so is an amount of nothing. Levels of fewer than twenty deals stand together.
with horizon as (
    select
        w.within_days,
        c.as_of_on - w.within_days - 730 as from_on,
        c.as_of_on - w.within_days as until_on
    from clock c
    cross join (
        select cast(greatest(30, least(365, ceil(percentile_cont(0.9) within group (order by date_diff('day', created_on, closed_on))))) as integer) as within_days
        from deals
        where is_new_business and outcome = 'won' and closed_on >= created_on
        having count(*) > 0
    ) w
),

opened as (
    select
        d.owner,
        d.system,
        d.opportunity_id,
        d.party_id,
        d.created_on,
        least(d.closed_on, h.until_on + h.within_days) as closed_on,
        h.within_days,
        d.outcome = 'won' and (d.closed_on is null or d.closed_on <= d.created_on + h.within_days) as is_won,
        coalesce(nullif(trim(d.segment), ''), nullif(trim(p.segment), ''), nullif(trim(p.industry), '')) as segment,
        coalesce(nullif(trim(d.origin), ''), nullif(trim(p.origin), '')) as origin,
        d.competitor,
        case when d.amount > 0 then d.amount end as amount
    from deals d
    cross join horizon h
    left join parties p on p.party_id = d.party_id
    where d.is_new_business
        and d.owner is not null
        and d.created_on > h.from_on
        and d.created_on <= h.until_on
        and not coalesce(d.is_closed_before_created, false)
),

filled as (
    select
        abs(100.0 * count(segment) filter (where is_won) / nullif(count(*) filter (where is_won), 0) - 100.0 * count(segment) filter (where not is_won) / nullif(count(*) filter (where not is_won), 0)) <= 15 as has_segment,
        abs(100.0 * count(origin) filter (where is_won) / nullif(count(*) filter (where is_won), 0) - 100.0 * count(origin) filter (where not is_won) / nullif(count(*) filter (where not is_won), 0)) <= 15 as has_origin,
        abs(100.0 * count(competitor) filter (where is_won) / nullif(count(*) filter (where is_won), 0) - 100.0 * count(competitor) filter (where not is_won) / nullif(count(*) filter (where not is_won), 0)) <= 15 as has_competitor,
        abs(100.0 * count(amount) filter (where is_won) / nullif(count(*) filter (where is_won), 0) - 100.0 * count(amount) filter (where not is_won) / nullif(count(*) filter (where not is_won), 0)) <= 15 as has_amount
    from opened
),

told as (
    select
        o.owner,
        o.system,
        o.opportunity_id,
        o.party_id,
        o.created_on,
        o.closed_on,
        o.is_won,
        o.within_days,
        cast(date_trunc('quarter', o.created_on) as date) as quarter,
        case when f.has_segment then o.segment end as segment,
        case when f.has_origin then o.origin end as origin,
        case when f.has_competitor then o.competitor end as competitor,
        case
            when not f.has_amount or o.amount is null then null
            when percent_rank() over (partition by o.amount is null order by o.amount) < 0.25 then 'smallest quarter'
            when percent_rank() over (partition by o.amount is null order by o.amount) < 0.5 then 'second quarter'
            when percent_rank() over (partition by o.amount is null order by o.amount) < 0.75 then 'third quarter'
            else 'largest quarter'
        end as size
    from opened o
    cross join filled f
)

select
    owner,
    system,
    opportunity_id,
    party_id,
    created_on,
    closed_on,
    is_won,
    within_days,
    quarter,
    case when segment is not null and count(*) over (partition by segment) < 20 then 'other' else segment end as segment,
    case when origin is not null and count(*) over (partition by origin) < 20 then 'other' else origin end as origin,
    case when competitor is not null and count(*) over (partition by competitor) < 20 then 'other' else competitor end as competitor,
    size
from told
