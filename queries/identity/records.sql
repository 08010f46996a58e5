-- /// model
-- title = "One row for each record that may be a party of its own"
-- ///
select record, min(rank) as rank
from "references"
group by record
