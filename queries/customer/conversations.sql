-- The latest calls, meetings and mails. `party` holds the one party that is asked for.
with colleagues as (
    select coalesce(system, '') as system, user_id, min(name) as name
    from users
    where user_id is not null
    group by 1, 2
)

select cast(a.happened_at as date) as happened_on, a.kind, a.direction, a.outcome, a.subject, coalesce(u.name, a.owner_id) as colleague
from activities a
join party y on y.party_id = a.party_id
join clock k on cast(a.happened_at as date) <= k.as_of_on
left join colleagues u on u.system = coalesce(a.system, '') and u.user_id = a.owner_id
where coalesce(lower(a.kind), '') not in ('task', 'note')
order by a.happened_at desc, a.activity_id
limit 10
