-- /// model
-- title    = "The days as of which health is rebuilt"
-- optional = ["purchases", "contracts"]
-- ///
-- Today, 30 and 90 days ago for everybody. Then a day each quarter, back to eight, whose outcome is known by now, each
-- with the day 30 days before it. Of these the latest third tests what the earlier ones fit. Half a year of history
-- comes before each. `is_whole`: of everybody, else of a sample where customers are very many.
with history as (
    select c.as_of_on, least((select min(purchased_on) from purchases), (select min(started_on) from contracts)) as first_on
    from clock c
),

quarters as (
    select 120 + 90 * cast(n.n as integer) as days_ago, count(*) over () as dates
    from history h
    cross join (select unnest(generate_series(0, 7)) as n) n
    where h.as_of_on - (120 + 90 * cast(n.n as integer)) >= h.first_on + 180
),

roles as (
    select
        days_ago,
        case
            when dates = 1 then 'before'
            when row_number() over (order by days_ago) <= ceil(dates / 3.0) then 'test'
            else 'fit'
        end as role
    from quarters
),

all_dates as (
    select unnest([0, 30, 90]) as days_ago, 'now' as role, true as is_whole
    union all
    select days_ago, role, false from roles
    union all
    select days_ago + 30, 'before', false from roles
)

select
    case when d.days_ago = 0 then 'current' else concat(d.days_ago, ' days ago') end as period,
    cast(d.days_ago as integer) as days_ago,
    h.as_of_on - cast(d.days_ago as integer) as as_of_on,
    d.role,
    d.is_whole,
    (select h.as_of_on - cast(max(r.days_ago) as integer) from roles r where r.role = 'test') as first_test_on
from all_dates d
cross join history h
where h.first_on is not null and (d.days_ago = 0 or h.as_of_on - cast(d.days_ago as integer) >= h.first_on)
