-- /// model
-- title = "Parties that records of the present rank could belong to, by each rule"
-- ///
-- A telephone number speaks for a record that tells nothing else than a name, and that nobody else has: it may be a
-- household's, or old.
select
    mine.record,
    case mine.kind when 'id' then 1 when 'email' then 2 when 'domain' then 3 when 'tax id' then 4 when 'whole name' then 5 when 'name' then 6 else 7 end as rule_number,
    count(distinct other.party) as parties,
    min(other.party) as party,
    min(mine.value) as evidence
from identifiers mine
join records on records.record = mine.record
join present on present.rank = records.rank
join identifiers theirs on theirs.kind = mine.kind and theirs.value = mine.value
join settled other on other.record = theirs.record
left join kept_apart on kept_apart.record = mine.record and kept_apart.party = other.party
where kept_apart.record is null
    and (
        mine.kind <> 'phone'
        or mine.record not in (select record from identifiers where kind in ('email', 'domain', 'tax id'))
    )
group by mine.record, mine.kind
