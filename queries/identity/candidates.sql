-- /// model
-- title = "Parties that records of the present rank could belong to, by each rule"
-- ///
select
    mine.record,
    case mine.kind when 'id' then 1 when 'email' then 2 when 'domain' then 3 when 'tax id' then 4 when 'phone' then 5 else 6 end as rule_number,
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
group by mine.record, mine.kind
