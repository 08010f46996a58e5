-- /// model
-- title = "Records that may be one customer and were left apart, for somebody to look at"
-- ///
with called as (
    select record, min(account_name) as name
    from "references"
    group by record
),

tied as (
    select
        f.record,
        other.party as other_record,
        case mine.kind when 'id' then 1.0 when 'email' then 0.98 when 'domain' then 0.9 when 'tax id' then 0.88 when 'phone' then 0.8 else 0.85 end as score,
        case mine.kind when 'email' then 'e-mail' when 'whole name' then 'name' else mine.kind end || ' ' || mine.value as evidence
    from found f
    join records on records.record = f.record
    join identifiers mine on mine.record = f.record
    join identifiers theirs on theirs.kind = mine.kind and theirs.value = mine.value and theirs.record <> mine.record
    join found other on other.record = theirs.record and other.party is not null and other.party <> f.record
    join records founders on founders.record = other.party and founders.rank < records.rank
    left join kept_apart on kept_apart.record = f.record and kept_apart.party = other.party
    where f.is_doubtful and kept_apart.record is null
    union all
    select record, party, 0.84 * similarity, 'similar name'
    from doubtful_names
),

best as (
    select
        record,
        other_record,
        score,
        evidence,
        row_number() over (partition by record, other_record order by score desc, evidence) as place
    from tied
)

select best.record, mine.name, best.other_record, theirs.name as other_name, round(best.score, 4) as score, best.evidence
from best
join called mine on mine.record = best.record
join called theirs on theirs.record = best.other_record
where best.place = 1
