-- /// model
-- title    = "Time in which each customer could be seen to leave, while tickets are observed"
-- optional = ["leaving_spells", "tickets.opened_at"]
-- ///
-- A ticket counts for 90 days, or for the customer's typical gap where that is longer: an annual buyer who is put off
-- can show it no earlier than at the next missed purchase.
select
    s.party_id,
    s.is_contractual,
    s.since_on,
    greatest(s.from_on, t.observed_from_on + s.effect_days) as from_on,
    s.until_on,
    s.is_lost,
    s.effect_days
from leaving_spells s
join coverage t on t.entity = 'tickets'
where greatest(s.from_on, t.observed_from_on + s.effect_days) <= s.until_on
