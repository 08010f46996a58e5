-- /// model
-- title = "The windows that are looked at, each (start, end], with what was known at its as-of date"
-- ///
-- The holdout is cut where a third of the observed time, at most a year, lies ahead. A window is covered when purchases
-- are observed from its start on; only a base without any is judged by its other facts. From half a year and a year ago rules are replayed: what became of it is known.
-- The window "all" begins with whatever happened first: with the first close it would lose the deals opened before it.
with present as (
    select
        c.as_of_on,
        coalesce(b.first_purchase_on, c.first_on) as first_on,
        case
            when s.window_kind = 'range' then s.window_from_on - 1
            when s.window_kind = 'all' then least(c.first_on, h.first_fact_on) - 1
            else cast(c.as_of_on - to_months(s.window_months) as date)
        end as start_on,
        case when s.window_kind = 'range' then least(s.window_until_on, c.as_of_on) else c.as_of_on end as end_on,
        s.window_kind,
        s.window_months,
        least(
            365, cast(floor((c.as_of_on - coalesce(b.first_purchase_on, c.first_on)) / 3.0) as integer)
        ) as holdout_days
    from clock c
    cross join settings s
    cross join (select min(purchased_on) as first_purchase_on from purchases) b
    cross join (
        select min(observed_from_on) as first_fact_on
        from coverage
        where entity not in ('accounts', 'contacts', 'exchange_rates')
    ) h
)

select 'current' as period, as_of_on, start_on, end_on, window_kind = 'all' or start_on >= first_on - 1 as is_covered, cast(null as integer) as holdout_days
from present
union all
select
    'previous',
    start_on,
    case
        when window_kind = 'months' then cast(start_on - to_months(window_months) as date)
        else start_on - cast(end_on - start_on as integer)
    end,
    start_on,
    case
        when window_kind = 'months' then cast(start_on - to_months(window_months) as date)
        else start_on - cast(end_on - start_on as integer)
    end >= first_on - 1,
    null
from present
where window_kind <> 'all'
union all
select
    'holdout',
    as_of_on - holdout_days,
    cast(as_of_on - holdout_days - to_months(12) as date),
    as_of_on - holdout_days,
    cast(as_of_on - holdout_days - to_months(12) as date) >= first_on - 1,
    holdout_days
from present
where holdout_days >= 28
union all
select
    b.period,
    cast(as_of_on - to_months(b.months) as date),
    cast(as_of_on - to_months(b.months + 12) as date),
    cast(as_of_on - to_months(b.months) as date),
    cast(as_of_on - to_months(b.months + 12) as date) >= first_on - 1,
    null
from present
cross join (values ('half_year_ago', 6), ('year_ago', 12)) b (period, months)
