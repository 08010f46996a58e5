-- The latest deals, open ones first. `party` holds the one party that is asked for.
select d.created_on, d.closed_on, d.outcome, d.stage, d.amount, d.competitor, d.loss_reason, d.owner
from deals d
join party y on y.party_id = d.party_id
order by coalesce(d.closed_on, d.created_on) desc nulls first, d.opportunity_id
limit 10
