-- /// model
-- title    = "Customers as of the days on which health is fitted and tested, and today, with what became of them"
-- optional = ["*"]
-- [method]
-- name = "scorecard"
-- table = "health_cases"
-- role = "role"
-- outcome = "is_lost"
-- cluster = "party_id"
-- stratum = "is_contractual"
-- components = ["purchase_silence", "spend_trend", "late_payments", "mrr_change", "contact_silence", "tickets_opened", "tickets_open", "satisfaction", "usage_trend"]
-- kinds = ["purchases", "purchases", "purchases", "subscriptions", "activities", "tickets", "tickets", "answers", "usage"]
-- healthy = [-1, 1, -1, 1, -1, -1, -1, 1, 1]
-- gives = { weights = "health_weights", formula = "health_formula", auc = "health_auc", calibration = "health_calibration", parameters = "health_facts(fit_rows, fit_events, test_rows, test_events)" }
-- ///
-- Weights are fitted on outcomes that were known when the first day of the test dawned. A month's silence of a contract
-- and a missed purchase are not the same loss: each kind of customer has its own base rate.
with sampled as (
    select
        *,
        row_number() over (partition by period order by (cast(party_id as bigint) * 1103515245) % 2147483647, party_id) as place
    from health_components
    where (role = 'fit' and is_known_by_test and is_lost is not null) or (role = 'test' and is_lost is not null) or period = 'current'
)

select
    role,
    party_id,
    period,
    is_contractual,
    is_lost,
    purchase_silence,
    spend_trend,
    late_payments,
    mrr_change,
    contact_silence,
    tickets_opened,
    tickets_open,
    satisfaction,
    usage_trend
from sampled
where place <= 20000
