-- /// model
-- title    = "Distinct purchase histories, with the probability that such a customer is still one"
-- optional = ["customers", "purchases"]
-- [method]
-- name = "buy_till_you_die"
-- table = "purchase_histories"
-- holdout_weeks = "holdout_weeks"
-- horizons_weeks = [52.0, 104.0, 156.0]
-- floored_to = 1.0
-- adds = ["p_alive", "p_alive_bg_nbd", "p_alive_mbg_nbd", "p_alive_pareto_nbd", "expected_purchases_52w", "expected_purchases_104w", "expected_purchases_156w", "p_leaves_52w", "p_none", "worth_mean", "worth_squares", "worth_pairs", "worth_move_1", "worth_move_2", "worth_move_3", "worth_move_4", "expected_holdout_purchases", "p_active_holdout"]
-- gives = { candidates = "purchase_models(model, log_likelihood, expected_active_customers, holdout_error_pct, auc)", calibration = "purchase_calibration(decile, customers, predicted, actual)", holdout = "purchase_holdout(predicted, actual, error_pct, auc, auc_recency, auc_naive)", parameters = "purchase_facts(model)", outliers = "purchase_outliers(frequency, customers)" }
-- ///
-- Customers under contract leave in sight and are not guessed at. Weeks are floored: the same likelihood, far fewer rows.
with later as (
    select b.party_id, count(*) as purchases
    from purchases b
    join periods h on h.period = 'holdout'
    join periods n on n.period = 'current'
    where b.purchased_on > h.as_of_on and b.purchased_on <= n.as_of_on
    group by b.party_id
)

select
    c.period,
    c.purchases - 1 as frequency,
    cast(floor(date_diff('day', c.first_purchase_on, c.last_purchase_on) / 7.0) as integer) as recency_weeks,
    cast(floor(date_diff('day', c.first_purchase_on, p.as_of_on) / 7.0) as integer) as age_weeks,
    case when c.period = 'holdout' then coalesce(l.purchases, 0) end as future_purchases,
    max(p.holdout_days) / 7.0 as holdout_weeks,
    count(*) as customers
from customers c
join periods p on p.period = c.period
left join later l on c.period = 'holdout' and l.party_id = c.party_id
where c.period in ('current', 'holdout')
    and c.purchases > 0
    and not c.is_contractual
    and date_diff('day', c.first_purchase_on, p.as_of_on) >= 7
group by 1, 2, 3, 4, 5
