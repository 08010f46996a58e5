-- /// model
-- title = "Names that parties go by, and whether the record that bears one may still join another party"
-- ///
-- A party is called as the records of its exact rules call it, never as one that merely resembles it does.
select
    found.party,
    founders.rank,
    r.account_name as name,
    bool_or(found.record = found.party and found.rule = 'own' and not found.is_doubtful and founders.rank > 0) as is_open
from "references" r
join found on found.record = r.record
join records founders on founders.record = found.party
cross join settings
where settings.grain = 'account' and r.account_name is not null
group by found.party, founders.rank, r.account_name
