-- Everyone by name, with the party's own word for itself, which stays the same from run to run, and who looks after them.
with people as (
    select coalesce(system, '') as system, user_id, min(name) as name, min(lower(trim(email))) as email
    from users
    where user_id is not null and coalesce(is_active, true)
    group by 1, 2
),

kept as (
    select party_id, min(party) as party
    from party_numbers
    group by party_id
)

select
    p.party_id,
    coalesce(n.party, cast(p.party_id as varchar)) as party,
    p.customer,
    k.class,
    case when o.kind = 'contractual' then o.p_stays_52w else o.p_alive end as p_active,
    p.owner_id,
    coalesce(u.name, p.owner_id) as owner,
    u.email as owner_email
from parties p
left join kept n on n.party_id = p.party_id
left join people u on u.system = p.owner_system and u.user_id = p.owner_id
left join classes k on k.period = 'current' and k.party_id = p.party_id
left join customer_outlook o on o.party_id = p.party_id
