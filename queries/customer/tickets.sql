-- What is open first, then the latest. `party` holds the one party that is asked for.
select cast(i.opened_at as date) as opened_on, t.subject, i.category, i.priority, i.is_resolved, i.hours, i.satisfaction
from issues i
join party y on y.party_id = i.party_id
left join tickets t on t.system = i.system and t.ticket_id = i.ticket_id
order by i.is_resolved, i.opened_at desc, i.ticket_id
limit 10
