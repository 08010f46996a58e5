-- /// model
-- title    = "Survival of contracts by month of tenure, as known now"
-- optional = ["contract_months"]
-- [method]
-- name = "retention_curve"
-- table = "contract_curve"
-- project = 36
-- adds = ["survival", "renewal_rate"]
-- gives = { curve = "contract_survival(tenure, survival)" }
-- ///
select tenure, at_risk, lost
from contract_months
where period = 'current'
