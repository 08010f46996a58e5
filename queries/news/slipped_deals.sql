-- /// news
-- place    = 5
-- title    = "Deals slipped"
-- subject  = "with slipped deals"
-- text     = ["Open {late_days} past its expected close of {expected_close_on}, {amount}.", "Open {late_days} past its expected close of {expected_close_on}.", "Expected close moved to {expected_close_on}, {amount}.", "Expected close moved to {expected_close_on}."]
-- cleared  = "Closed, or has a new day to close."
-- entities = [["opportunities"]]
-- moves    = true
-- ///
-- /// table news
select
    concat_ws(' ', d.system, d.opportunity_id) as record,
    d.party_id,
    date_diff('day', d.expected_close_on, c.as_of_on) > 7 as is_entered,
    'watch' as level,
    cast(d.amount as decimal(18, 2)) as amount,
    d.expected_close_on,
    cast(d.expected_close_on as varchar) as mark,
    case when d.expected_close_on < c.as_of_on then date_diff('day', d.expected_close_on, c.as_of_on) end as late_days
from deals d
cross join clock c
where d.outcome = 'open' and d.expected_close_on is not null and d.expected_close_on <= c.as_of_on + 400
order by d.amount desc nulls last, d.system, d.opportunity_id
