-- /// model
-- title    = "Distinct numbers of purchases and mean amounts, with the amount to be expected"
-- optional = ["customers"]
-- [method]
-- name = "spend"
-- table = "spend_groups"
-- frequency = "purchases"
-- adds = ["expected_spend", "spend_square", "order_square", "spend_move_1", "spend_move_2", "spend_move_3"]
-- gives = { parameters = "spend_facts(correlation)" }
-- ///
-- All purchases take part, the first too: the model holds each of them a draw from the customer's own distribution.
select
    purchases,
    cast(revenue / purchases as decimal(18, 2)) as mean_spend,
    count(*) as customers
from customers
where period = 'current' and purchases > 0 and not is_contractual
group by 1, 2
