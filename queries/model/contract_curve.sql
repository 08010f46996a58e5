-- /// model
-- title    = "Survival of contracts by month of tenure, as known now"
-- optional = ["contract_months"]
-- [method]
-- name = "retention_curve"
-- table = "contract_curve"
-- project = 36
-- discount = 0.00797414
-- adds = ["survival", "renewal_rate"]
-- gives = { curve = "contract_survival(tenure, survival, ahead_mean, ahead_square, ahead_low, ahead_high, ahead_move_1, ahead_move_2)" }
-- ///
select tenure, at_risk, lost
from contract_months
where period = 'current'
