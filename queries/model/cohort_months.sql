-- /// model
-- title    = "What each month's new customers bought at each age"
-- optional = ["beginnings"]
-- ///
-- age counts whole months since the customer began; years_back is 0 in the 12 months up to the end of the window, 1 in
-- those before. A customer is counted at the first purchase of a span: of the month of age, of its quarter or year, of
-- the year back; again_in_... counts those among them who bought in the span before it too. Refunds bear their own date.
with steps as (
    select
        b.party_id,
        b.purchased_on as dated_on,
        b.amount,
        b.previous_on,
        b.place
    from purchases b
    join clock c on b.purchased_on <= c.as_of_on
    union all
    select a.party_id, a.adjusted_on, a.amount, null, 0
    from adjustments a
    join clock c on a.adjusted_on <= c.as_of_on
),

aged as (
    select
        f.cohort_on,
        f.is_watched,
        s.amount,
        s.place,
        cast(date_trunc('month', s.dated_on) as date) as month_on,
        12 * (year(s.dated_on) - year(f.began_on)) + month(s.dated_on) - month(f.began_on)
            - case when day(s.dated_on) < day(f.began_on) then 1 else 0 end as age,
        coalesce(12 * (year(s.previous_on) - year(f.began_on)) + month(s.previous_on) - month(f.began_on)
            - case when day(s.previous_on) < day(f.began_on) then 1 else 0 end, -1000) as previous_age,
        cast(floor((12 * (year(p.end_on) - year(s.dated_on)) + month(p.end_on) - month(s.dated_on)
            - case when day(p.end_on) < day(s.dated_on) then 1 else 0 end) / 12.0) as integer) as years_back,
        coalesce(cast(floor((12 * (year(p.end_on) - year(s.previous_on)) + month(p.end_on) - month(s.previous_on)
            - case when day(p.end_on) < day(s.previous_on) then 1 else 0 end) / 12.0) as integer), 1000) as previous_years_back
    from steps s
    join beginnings f on f.party_id = s.party_id
    join periods p on p.period = 'current'
)

select
    cohort_on,
    is_watched,
    month_on,
    cast(age as integer) as age,
    years_back,
    count(*) filter (where place > 0) as purchases,
    sum(amount) as revenue,
    count(*) filter (where place = 2) as second_purchases,
    count(*) filter (where place > 0 and previous_age < age) as in_age,
    count(*) filter (where place > 0 and floor(previous_age / 3.0) < floor(age / 3.0)) as in_quarter,
    count(*) filter (where place > 0 and floor(previous_age / 3.0) + 1 = floor(age / 3.0)) as again_in_quarter,
    count(*) filter (where place > 0 and floor(previous_age / 12.0) < floor(age / 12.0)) as in_life_year,
    count(*) filter (where place > 0 and previous_years_back > years_back) as in_year_back,
    count(*) filter (where place > 0 and previous_years_back - 1 = years_back) as again_in_year_back
from aged
group by cohort_on, is_watched, month_on, age, years_back
