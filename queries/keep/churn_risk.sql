-- /// audit
-- title    = "Churn risk"
-- question = "Who is probably already gone, or going?"
-- why      = "A customer who is going can still be asked; one who is gone has to be won again."
-- fix      = "Record cancellations with their day and reason; where there are none, keep every purchase dated and under one id."
-- headline = ["About {expected_active_customers|customer is|customers are} still active; [at_risk_customers: {at_risk_customers|is|are} at risk, who brought {at_risk_revenue} in the window | nobody is at risk].", "About {expected_active_customers|customer is|customers are} still active; [at_risk_customers: {at_risk_customers|is|are} at risk | nobody is at risk].", "About {expected_active_customers|customer is|customers are} still active.", "Who is still active cannot be told from these exports."]
-- optional = ["classes", "purchases", "customers", "purchase_histories", "forecasts", "contract_holdout", "contract_curve", "contract_months", "purchase_models", "purchase_calibration", "purchase_holdout", "purchase_facts", "contract_survival", "customer_outlook"]
-- hidden   = ["holdout_cases", "first_gaps", "purchase_regularity", "steady_histories", "active_if_steady", "contract_calibration", "contract_auc"]
-- [[method]]
-- name = "discrimination"
-- table = "holdout_cases"
-- score = "score"
-- outcome = "outcome"
-- gives = { auc = "contract_auc(auc, auc_low, auc_high)", calibration = "contract_calibration(decile, n, observed_pct, score_mean)" }
-- [[method]]
-- name = "regularity"
-- table = "first_gaps"
-- first = "first_days"
-- second = "second_days"
-- gives = { regularity = "purchase_regularity(customers, regularity, low, high)" }
-- [[method]]
-- name = "steady_purchases"
-- table = "steady_histories"
-- regularity = "select max(regularity) from purchase_regularity"
-- floored_to = 1.0
-- gives = { steady = "active_if_steady(active_customers)" }
-- [metrics]
-- expected_active_customers = { unit = "n", note = "without contract the sum of P(alive); under contract those running" }
-- expected_active_steady = { unit = "n", label = "Active if they buy on a rhythm", note = "another definition of expected_active_customers: under the MBG/CNBD-k, told where purchase_regularity is surely over 1.5" }
-- expected_active_bg_nbd = { unit = "n", label = "Active under BG/NBD", note = "P(alive) of a one-time buyer is 1 there, whatever the silence: a property of the model" }
-- expected_active_mbg_nbd = { unit = "n", label = "Active under MBG/NBD" }
-- expected_active_pareto_nbd = { unit = "n", label = "Active under Pareto/NBD" }
-- probably_gone = { unit = "n", note = "P < 0.2" }
-- at_risk_customers = { unit = "n", better = "down", note = "P from 0.2 to 0.7; under contract, of being one in a year" }
-- at_risk_revenue = { unit = "money", better = "down", note = "what they brought in the window" }
-- at_risk_a_amount = { unit = "money", label = "Revenue of A customers at risk" }
-- holdout_error_pct = { unit = "pct", note = "predicted against actual purchases after the holdout date; under contract, customers who stayed" }
-- auc = { unit = "ratio", better = "up", note = "of at least one purchase in the holdout; under contract, of staying" }
-- auc_naive = { unit = "ratio", note = "of the rule: bought in the last x days, with the x that does best in the holdout" }
-- purchase_regularity = { unit = "ratio", note = "1 where every purchase is chance, as the models without contract assume; at 2 they tell some 15 % too many customers to be active" }
-- model = { unit = "text" }
-- [[finding]]
-- level = "act"
-- when = "at_risk_a_customers > 0 and coalesce(auc_low > 0.5, auc > auc_naive)"
-- text = "{at_risk_a_customers|A customer is|A customers are} at risk of leaving; they brought {at_risk_a_amount} in the window."
-- customers = "at_risk_a_customers"
-- value = "at_risk_a_amount"
-- lists = "at_risk"
-- [[finding]]
-- level = "watch"
-- when = "at_risk_customers > 0 and at_risk_revenue is not null"
-- text = "{at_risk_customers|customer is|customers are} at risk; they brought {at_risk_revenue} in the window."
-- customers = "at_risk_customers"
-- value = "at_risk_revenue"
-- lists = "at_risk"
-- [[finding]]
-- level = "watch"
-- when = "at_risk_customers > 0 and at_risk_revenue is null"
-- text = "{at_risk_customers|customer is|customers are} at risk."
-- customers = "at_risk_customers"
-- lists = "at_risk"
-- [[finding]]
-- level = "info"
-- when = "probably_gone > 0"
-- text = "{probably_gone|customer has|customers have} probably gone in silence."
-- customers = "probably_gone"
-- [[partial]]
-- when = "select count(*) > 0 and count(p_stays_52w) = 0 from contract_forecasts where period = 'current'"
-- reason = "Too few contracts have ended to tell who goes next."
-- [[partial]]
-- when = "select count(active_customers) > 0 from active_if_steady"
-- reason = "Customers buy more steadily than the models assume, which take every purchase for chance; allowing for it, {expected_active_steady|customer is|customers are} still active."
-- bias = "More customers are told to be active than are: some 15 % where the regularity is 2."
-- [[partial]]
-- when = "select coalesce(max(low) > 1.5, false) and not exists (select 1 from active_if_steady where active_customers is not null) from purchase_regularity"
-- reason = "Customers buy more steadily than the models assume, which take every purchase for chance."
-- bias = "More customers are told to be active than are: some 15 % where the regularity is 2."
-- [[chart]]
-- kind = "calibration"
-- table = "purchase_calibration_by_decile"
-- caption = "Purchases after the holdout date: predicted against actual, by tenth of the customers"
-- description = "Each point is a tenth of the customers by prediction; on the diagonal the prediction was right."
-- predicted = "predicted"
-- actual = "actual"
-- [units]
-- predicted = "n"
-- actual = "n"
-- log_likelihood = "ratio"
-- expected_active_customers = "n"
-- ///
-- /// table outlook
select
    p.customer,
    k.class,
    o.kind,
    case when o.kind = 'contractual' then o.p_stays_52w else o.p_alive end as p_active,
    f.silence_days,
    f.typical_gap_days,
    f.expected_purchases_52w,
    o.window_revenue as revenue_amount,
    p.segment,
    p.owner_id,
    o.party_id
from customer_outlook o
join parties p on p.party_id = o.party_id
left join classes k on k.period = 'current' and k.party_id = o.party_id
left join forecasts f on f.party_id = o.party_id
order by o.window_revenue desc, o.party_id
-- /// table at_risk
select customer, class, kind, p_active, silence_days, typical_gap_days, revenue_amount, segment, owner_id, party_id
from outlook
where p_active >= 0.2 and p_active < 0.7
order by revenue_amount desc, party_id
-- /// table models_compared
select model, log_likelihood, expected_active_customers, holdout_error_pct, auc
from purchase_models
order by log_likelihood desc
-- /// table purchase_calibration_by_decile
select decile, customers, predicted, actual
from purchase_calibration
order by decile
-- /// table holdout_cases
select p_stays_holdout as score, has_stayed as outcome
from contract_holdout
order by p_stays_holdout, has_stayed, party_id
-- /// table first_gaps
-- Of at most 20,000 customers, drawn by number, the first two gaps between purchases.
with drawn as (
    select party_id
    from (
        select party_id, row_number() over (order by (cast(party_id as bigint) * 1103515245) % 2147483647, party_id) as place
        from customers
        where period = 'current' and purchases >= 3 and not is_contractual
    ) mixed
    where place <= 20000
)

select
    b.party_id,
    max(date_diff('day', b.previous_on, b.purchased_on)) filter (where b.place = 2) as first_days,
    max(date_diff('day', b.previous_on, b.purchased_on)) filter (where b.place = 3) as second_days
from purchases b
join drawn d on d.party_id = b.party_id
where b.place in (2, 3)
group by b.party_id
order by b.party_id
-- /// table steady_histories
select h.frequency, h.recency_weeks, h.age_weeks, h.customers
from purchase_histories h
where h.period = 'current' and exists (select 1 from purchase_regularity where low > 1.5)
order by 1, 2, 3
-- /// metrics
select
    round(sum(case when kind = 'contractual' then 1.0 else o.p_alive end)) as expected_active_customers,
    count(coalesce(o.p_alive, o.p_stays_52w)) as expected_active_customers_n,
    (select round(max(active_customers)) from active_if_steady) + count(*) filter (where kind = 'contractual') as expected_active_steady,
    (select round(max(expected_active_customers)) from purchase_models where model = 'BG/NBD') as expected_active_bg_nbd,
    (select round(max(expected_active_customers)) from purchase_models where model = 'MBG/NBD') as expected_active_mbg_nbd,
    (select round(max(expected_active_customers)) from purchase_models where model = 'Pareto/NBD') as expected_active_pareto_nbd,
    case when count(o.p_stays_52w) > 0 then (select count(*) from outlook where kind <> 'contractual' and p_active < 0.2) end as probably_gone,
    case when count(o.p_stays_52w) > 0 then (select count(*) from at_risk) end as at_risk_customers,
    case when count(o.p_stays_52w) > 0 and exists (select 1 from purchases)
        then (select coalesce(sum(revenue_amount), 0) from at_risk) end as at_risk_revenue,
    case when count(o.p_stays_52w) > 0 then (select count(*) from at_risk where class = 'A') end as at_risk_a_customers,
    case when count(o.p_stays_52w) > 0
        then (select coalesce(sum(revenue_amount), 0) from at_risk where class = 'A') end as at_risk_a_amount,
    coalesce(
        (select max(error_pct) from purchase_holdout),
        (select 100.0 * (sum(p_stays_holdout) - count(*) filter (where has_stayed)) / nullif(count(*) filter (where has_stayed), 0) from contract_holdout)
    ) as holdout_error_pct,
    coalesce((select max(auc) from purchase_holdout), (select max(auc) from contract_auc)) as auc,
    case when (select max(auc) from purchase_holdout) is null then (select max(auc_low) from contract_auc) end as auc_low,
    case when (select max(auc) from purchase_holdout) is null then (select max(auc_high) from contract_auc) end as auc_high,
    (select max(auc_naive) from purchase_holdout) as auc_naive,
    (select max(regularity) from purchase_regularity) as purchase_regularity,
    (select max(low) from purchase_regularity) as purchase_regularity_low,
    (select max(high) from purchase_regularity) as purchase_regularity_high,
    (select max(customers) from purchase_regularity where regularity is not null) as purchase_regularity_n,
    (select max(model) from purchase_facts) as model
from customer_outlook o
