-- Who is known there, those who have left last. `party` holds the one party that is asked for.
select c.contact, c.title, c.role, c.email, c.preference, coalesce(c.has_left, false) as has_left, coalesce(c.is_opted_out, false) as is_opted_out
from contact_records c
join party y on y.party_id = c.party_id
order by coalesce(c.has_left, false), c.role nulls last, c.contact, c.contact_number
limit 20
