-- /// model
-- title    = "Contracts that ran at the holdout date: predicted to last, and what became of them"
-- optional = ["contract_forecasts", "contracts"]
-- ///
select
    f.party_id,
    f.p_stays_holdout,
    max(case when c.started_on <= n.as_of_on and (c.ended_on is null or c.ended_on > n.as_of_on) then 1 else 0 end) = 1 as has_stayed
from contract_forecasts f
join contracts c on c.party_id = f.party_id
join periods n on n.period = 'current'
where f.period = 'holdout' and f.p_stays_holdout is not null
group by f.party_id, f.p_stays_holdout
