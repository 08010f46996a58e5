-- /// model
-- title = "Parties whose names resemble each other, by their most similar names, and what speaks against it"
-- ///
-- Of an account that has its own id in a system, another account of that system is another company until somebody
-- says otherwise; so are two with web sites of their own.
with nearest as (
    select
        record,
        party,
        name,
        party_name,
        similarity,
        is_sure,
        row_number() over (
            partition by record, party
            order by is_sure desc, similarity desc, name, party_name
        ) as place
    from resembling
),

systems as (
    select distinct found.party, r.system
    from "references" r
    join found on found.record = r.record
    where r.account_id is not null and found.party is not null
),

sites as (
    select distinct found.party, i.value
    from identifiers i
    join found on found.record = i.record
    where i.kind = 'domain' and found.party is not null
),

shared_systems as (
    select distinct nearest.record, nearest.party
    from nearest
    join systems mine on mine.party = nearest.record
    join systems theirs on theirs.party = nearest.party and theirs.system = mine.system
),

shared_sites as (
    select distinct nearest.record, nearest.party
    from nearest
    join sites mine on mine.party = nearest.record
    join sites theirs on theirs.party = nearest.party and theirs.value = mine.value
)

select
    nearest.record,
    nearest.party,
    nearest.name,
    nearest.party_name,
    nearest.similarity,
    nearest.is_sure
        and shared_systems.record is null
        and (
            shared_sites.record is not null
            or nearest.record not in (select party from sites)
            or nearest.party not in (select party from sites)
        ) as is_sure,
    nearest.is_sure as is_near,
    (select min(system) from systems where systems.party = nearest.record) as apart,
    mine.rank
from nearest
join records mine on mine.record = nearest.record
join records theirs on theirs.record = nearest.party and theirs.rank < mine.rank
left join shared_systems on shared_systems.record = nearest.record and shared_systems.party = nearest.party
left join shared_sites on shared_sites.record = nearest.record and shared_sites.party = nearest.party
left join kept_apart on kept_apart.record = nearest.record and kept_apart.party = nearest.party
where nearest.place = 1 and kept_apart.record is null
