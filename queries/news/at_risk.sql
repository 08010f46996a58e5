-- /// news
-- place    = 2
-- title    = "At risk of leaving"
-- subject  = "at risk"
-- stake    = "{amount} in the last window"
-- text     = ["Still a customer with a probability of {stays_a_year_pct} in a year: the contract's age and kind.", "Still a customer with a probability of {active_pct}: silent for {silence_days}, where {typical_gap_days} are usual.", "Still a customer with a probability of {active_pct}."]
-- cleared  = "No longer at risk of leaving."
-- entities = [["invoices", "payments", "opportunities", "subscriptions"]]
-- ///
-- /// table news
-- In below 0.7, out above 0.8: between them nobody moves. C customers are too many to be called one by one, and who
-- has become one is not out of danger for that.
select
    cast(null as varchar) as record,
    o.party_id,
    case when o.kind = 'contractual' then o.p_stays_52w else o.p_alive end < 0.7 and coalesce(k.class in ('A', 'B'), false) as is_entered,
    case when k.class = 'A' then 'act' else 'watch' end as level,
    cast(o.window_revenue as decimal(18, 2)) as amount,
    case when o.kind = 'contractual' then 100 * o.p_stays_52w end as stays_a_year_pct,
    case when o.kind <> 'contractual' then 100 * o.p_alive end as active_pct,
    f.silence_days,
    f.typical_gap_days
from customer_outlook o
left join classes k on k.period = 'current' and k.party_id = o.party_id
left join forecasts f on f.party_id = o.party_id
where case when o.kind = 'contractual' then o.p_stays_52w else o.p_alive end <= 0.8
order by o.window_revenue desc, o.party_id
