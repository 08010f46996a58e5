-- What runs first, then the latest. `party` holds the one party that is asked for.
select v.plan, v.started_on, v.ended_on, v.renews_on, v.status, v.mrr as mrr_amount
from subscription_values v
join party y on y.party_id = v.party_id
order by v.ended_on nulls first, v.started_on desc, v.subscription_id
limit 10
