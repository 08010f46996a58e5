-- /// model
-- title    = "Each customer's probability of being one, and of being one in a year"
-- optional = ["forecasts", "contract_forecasts"]
-- ///
select party_id, 'non-contractual' as kind, p_alive, p_alive * (1 - p_leaves_52w) as p_stays_52w, window_revenue
from forecasts
union all
select f.party_id, 'contractual', 1.0, f.p_stays_52w, c.window_revenue
from contract_forecasts f
join customers c on c.period = 'current' and c.party_id = f.party_id
where f.period = 'current'
