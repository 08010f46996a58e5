-- /// model
-- title    = "Our people, each by the system that names them"
-- optional = ["users.user_id", "users.name", "users.team", "users.is_active"]
-- ///
-- An owner is a user of the system that names them: the ids of another are other people's. Where that system exports no
-- users, it is the one user of all systems who has the id: `is_only_one`.
select
    coalesce(system, '') as system,
    user_id,
    min(name) as name,
    min(team) as team,
    bool_and(not coalesce(is_active, true)) as is_gone,
    count(*) over (partition by user_id) = 1 as is_only_one
from users
where user_id is not null
group by coalesce(system, ''), user_id
