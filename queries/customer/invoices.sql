-- What is open first, then the latest. `party` holds the one party that is asked for.
select r.invoice_id, r.issued_on, r.due_on, r.net as net_amount, r.outstanding as outstanding_amount, r.settled_on
from receivables r
join party y on y.party_id = r.party_id
cross join clock k
where r.issued_on <= k.as_of_on
order by r.outstanding > 0 desc, r.issued_on desc, r.invoice_id
limit 10
