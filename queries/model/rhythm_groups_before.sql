-- /// model
-- title    = "Distinct purchase rhythms as known at the holdout date, with the silence after which such a customer had lapsed"
-- optional = ["customers"]
-- [method]
-- name = "rhythm"
-- table = "rhythm_groups_before"
-- segment = "segment"
-- adds = ["lapsed_after_days"]
-- gives = { priors = "rhythm_priors_before(segment, r, alpha_days)" }
-- ///
select
    coalesce(p.segment, 'unknown') as segment,
    c.purchases - 1 as frequency,
    date_diff('day', c.first_purchase_on, c.last_purchase_on) as recency_days,
    date_diff('day', c.first_purchase_on, w.as_of_on) as age_days,
    count(*) as customers
from customers c
join periods w on w.period = c.period
join parties p on p.party_id = c.party_id
where c.period = 'holdout' and c.purchases > 0 and not c.is_contractual
group by 1, 2, 3, 4
