-- /// model
-- title    = "Days on which a ticket of each category was opened lately, and requests to leave told apart"
-- optional = ["loss_spells", "tickets.category", "tickets.subject", "tickets.opened_at"]
-- ///
-- A further ticket of the category takes over from the one before: no day counts twice.
with named as (
    select
        t.party_id,
        cast(t.opened_at as date) as opened_on,
        nullif(trim(t.category), '') as category,
        ' ' || lower(coalesce(t.category, '') || ' ' || coalesce(t.subject, '')) as words
    from tickets t
    cross join clock c
    where t.party_id is not null and cast(t.opened_at as date) <= c.as_of_on
),

told as (
    select
        party_id,
        opened_on,
        category,
        (
            words like '% cancel%' and words not like '%order%' and words not like '%appointment%'
            or words like '%terminate%'
            or words like '%termination%'
            or words like '%unsubscri%'
            or words like '%offboard%'
            or words like '%non-renew%'
            or words like '%not renew%'
            or words like '%clos% account%'
            or words like '%account clos%'
            or words like '%churn%'
            or words like '%kündig%'
            or words like '%kuendig%'
            or words like '%résili%'
            or words like '%opzeg%'
            or words like '%disdett%'
        ) as is_cancellation
    from named
),

days as (
    select party_id, category, is_cancellation, opened_on, count(*) as tickets
    from told
    group by party_id, category, is_cancellation, opened_on
),

lasting as (
    select party_id, max(effect_days) as effect_days
    from loss_spells
    group by party_id
)

select
    d.party_id,
    d.category,
    d.is_cancellation,
    d.tickets,
    d.opened_on as from_on,
    least(
        d.opened_on + l.effect_days - 1,
        lead(d.opened_on) over (partition by d.party_id, d.category, d.is_cancellation order by d.opened_on) - 1
    ) as until_on
from days d
join lasting l on l.party_id = d.party_id
