-- /// model
-- title = "Records that one system holds twice and that were left apart, for somebody to say that they are the same"
-- ///
with pairs as (
    select
        d.entity || ' ' || d.system || ' ' || d.record_id as record,
        d.entity || ' ' || d.system || ' ' || d.first_id as other_record,
        d.score,
        d.rule || ' ' || d.evidence as evidence
    from doubles d
),

called as (
    select record, min(account_name) as name
    from "references"
    group by record
)

select
    pairs.record,
    any_value(mine_called.name) as name,
    pairs.other_record,
    any_value(theirs_called.name) as other_name,
    max(pairs.score) as score,
    min(pairs.evidence) as evidence
from pairs
join found mine on mine.record = pairs.record
join found theirs on theirs.record = pairs.other_record
join called mine_called on mine_called.record = pairs.record
join called theirs_called on theirs_called.record = pairs.other_record
left join doubtful_pairs known
    on known.record = pairs.record and known.other_record = pairs.other_record
left join doubtful_pairs known_backwards
    on known_backwards.record = pairs.other_record and known_backwards.other_record = pairs.record
where mine.party is distinct from theirs.party
    and known.record is null
    and known_backwards.record is null
group by pairs.record, pairs.other_record
