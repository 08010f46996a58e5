-- /// news
-- place    = 6
-- title    = "Tickets growing old"
-- subject  = "with tickets growing old"
-- text     = ["A ticket of priority {priority} is open for {open_days}: {category}.", "A ticket of priority {priority} is open for {open_days}.", "A ticket is open for {open_days}: {category}.", "A ticket is open for {open_days}."]
-- cleared  = "Solved."
-- entities = [["tickets"]]
-- ///
-- /// table news
with waiting as (
    select
        i.*,
        date_diff('day', cast(i.opened_at as date), c.as_of_on) as open_days,
        coalesce(lower(i.priority) in ('urgent', 'high', 'critical', 'p1', 'p2', '1', '2'), false) as is_pressing
    from issues i
    cross join clock c
    where not i.is_resolved
)

select
    concat_ws(' ', w.system, w.ticket_id) as record,
    w.party_id,
    w.open_days > case when w.is_pressing then 7 else 30 end as is_entered,
    case when w.is_pressing and k.class = 'A' then 'act' else 'watch' end as level,
    cast(null as decimal(18, 2)) as amount,
    w.open_days,
    w.priority,
    w.category
from waiting w
left join classes k on k.period = 'current' and k.party_id = w.party_id
where w.ticket_id is not null
order by w.open_days desc, w.system, w.ticket_id
