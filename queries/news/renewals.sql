-- /// news
-- place    = 4
-- title    = "Renewals coming up"
-- subject  = "with a renewal coming up"
-- text     = ["Renews on {due_on}, {amount} a month; signs of danger: {danger}.", "Renews on {due_on}, {amount} a month.", "Renews on {due_on}."]
-- entities = [["subscriptions", "opportunities"]]
-- reads    = ["renewals_due.due_renewals"]
-- ///
-- /// table news
-- A plan by the month renews every month: only a sign of danger makes that news.
select
    concat_ws(' ', record_id, cast(due_on as varchar)) as record,
    party_id,
    in_days <= 30 as is_entered,
    case when is_urgent then 'act' else 'watch' end as level,
    mrr_amount as amount,
    due_on,
    danger
from renewals_due.due_renewals
where in_days <= 37 and (is_longer or is_urgent)
order by is_urgent desc, mrr_amount desc nulls last, due_on, party_id, record_id
