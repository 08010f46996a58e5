-- /// model
-- title = "Each record of the present rank with the party it belongs to and the rule that says so"
-- ///
with best as (
    select
        record,
        min(rule_number) filter (parties = 1) as rule_number,
        min(rule_number) filter (parties > 1) as doubtful_rule_number
    from candidates
    group by record
)

select
    records.record,
    case
        when best.rule_number is not null then candidates.party
        when records.rank < 9 then records.record
    end as party,
    case best.rule_number
        when 1 then 'id' when 2 then 'e-mail' when 3 then 'domain' when 4 then 'tax id' when 5 then 'name' when 6 then 'name' when 7 then 'phone'
        else case when records.rank < 9 then 'own' end
    end as rule,
    case best.rule_number when 1 then 1.0 when 2 then 0.98 when 3 then 0.9 when 4 then 0.88 when 5 then 0.85 when 6 then 0.85 when 7 then 0.8 end as score,
    candidates.evidence,
    best.rule_number is null and best.doubtful_rule_number is not null as is_doubtful
from records
join present on present.rank = records.rank
left join best on best.record = records.record
left join candidates on candidates.record = best.record and candidates.rule_number = best.rule_number
