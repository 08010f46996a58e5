-- /// audit
-- title    = "Recorded conversations"
-- question = "Is every conversation recorded with its outcome?"
-- why      = "What is not recorded has to be asked again, and leaves with the colleague."
-- fix      = "Make the outcome a field that must be filled before a call or a meeting can be closed."
-- headline = ["{activities_with_outcome_pct} of the activities of the window have an outcome; {customers_without_activity_pct} of the customers have no activity at all.", "{customers_without_activity_pct} of the customers have no activity in the window."]
-- any_of   = [["activities.happened_at"]]
-- optional = ["*"]
-- hidden   = ["logged", "our_people"]
-- [metrics]
-- activities_with_outcome_pct = { unit = "pct", better = "up", note = "of the activities of the window; tasks and notes, which have none, left out" }
-- people_logging_nothing = { unit = "n", better = "down", note = "of our active people who own an account, a deal, a contact or a lead or ever logged anything: those without an activity in the window" }
-- customers_without_activity_pct = { unit = "pct", better = "down", note = "in the window" }
-- silent_amount = { unit = "money", label = "Revenue of the window of customers without an activity" }
-- [[finding]]
-- level = "watch"
-- when = "activities_with_outcome_pct < 80 and activities_with_outcome_pct_n >= 20"
-- text = "Only {activities_with_outcome_pct} of {activities_with_outcome_pct_n} activities say how they ended."
-- lists = "by_colleague"
-- [[finding]]
-- level = "watch"
-- when = "customers_without_activity > 0"
-- text = "With {customers_without_activity|customer|customers} no activity was recorded in the window; they brought {silent_amount}."
-- customers = "customers_without_activity"
-- value = "silent_amount"
-- lists = "not_talked_to"
-- [[partial]]
-- when = "select min(cast(happened_at as date)) > max(p.start_on + 31) from activities cross join periods p where p.period = 'current'"
-- reason = "The activities begin more than a month into the window."
-- bias = "Customers whom somebody talked to before count as left alone."
-- [[chart]]
-- kind = "bars"
-- table = "by_kind"
-- caption = "Share of activities with an outcome, by kind"
-- label = "kind"
-- value = "with_outcome_pct"
-- ///
-- /// table logged
select
    coalesce(lower(trim(a.kind)), 'activity') as kind,
    coalesce(u.system, e.system, a.system, '') as system,
    coalesce(a.owner_id, 'nobody') as colleague_id,
    a.party_id,
    coalesce(trim(a.outcome), '') <> '' as has_outcome,
    not regexp_matches(lower(coalesce(a.kind, '')), '(task|note|to.?do)') as wants_outcome,
    count(*) as activities
from activities a
join periods p on p.period = 'current'
left join colleagues u on u.system = coalesce(a.system, '') and u.user_id = a.owner_id
left join colleagues e
    on e.is_only_one
    and e.user_id = a.owner_id
    and coalesce(a.system, '') not in (select system from colleagues)
where cast(a.happened_at as date) > p.start_on and cast(a.happened_at as date) <= p.end_on
group by 1, 2, 3, 4, 5, 6
order by 1, 2, 3, 4, 5, 6
-- /// table by_kind
select
    kind,
    sum(activities) as activities,
    coalesce(sum(activities) filter (where has_outcome), 0) as with_outcome,
    100.0 * coalesce(sum(activities) filter (where has_outcome), 0) / sum(activities) as with_outcome_pct
from logged
where wants_outcome
group by kind
order by sum(activities) desc, kind
-- /// table our_people
select system, user_id as colleague_id from colleagues where not is_gone
union
select coalesce(system, ''), owner_id from accounts where owner_id is not null and not exists (select 1 from colleagues)
union
select coalesce(system, ''), owner_id from contacts where owner_id is not null and not exists (select 1 from colleagues)
union
select coalesce(system, ''), owner_id from opportunities where owner_id is not null and not exists (select 1 from colleagues)
union
select coalesce(system, ''), owner_id from leads where owner_id is not null and not exists (select 1 from colleagues)
union
select coalesce(system, ''), owner_id from activities where owner_id is not null and not exists (select 1 from colleagues)
order by system, colleague_id
-- /// table by_colleague
select
    o.colleague_id,
    coalesce(u.name, o.colleague_id) as colleague,
    u.team,
    coalesce(sum(l.activities), 0) as activities,
    coalesce(sum(l.activities) filter (where l.wants_outcome), 0) as wanting_outcome,
    100.0 * coalesce(sum(l.activities) filter (where l.wants_outcome and l.has_outcome), 0) / nullif(sum(l.activities) filter (where l.wants_outcome), 0) as with_outcome_pct,
    count(distinct l.party_id) as customers
from our_people o
left join colleagues u on u.system = o.system and u.user_id = o.colleague_id
left join logged l on l.system = o.system and l.colleague_id = o.colleague_id
group by o.system, o.colleague_id, u.name, u.team
order by coalesce(sum(l.activities), 0), o.colleague_id, o.system
-- /// table not_talked_to
select f.customer, f.class, f.segment, f.owner_id, f.revenue_amount, f.party_id
from followed f
left join (select distinct party_id from logged) l on l.party_id = f.party_id
where f.is_customer and l.party_id is null
order by f.revenue_amount desc nulls last, f.party_id
-- /// metrics
select
    100.0 * coalesce(sum(activities) filter (where wants_outcome and has_outcome), 0) / nullif(sum(activities) filter (where wants_outcome), 0) as activities_with_outcome_pct,
    sum(activities) filter (where wants_outcome) as activities_with_outcome_pct_n,
    (select count(*) from by_colleague where activities = 0) as people_logging_nothing,
    (select count(*) from by_colleague) as people_logging_nothing_n,
    (select 100.0 * (select count(*) from not_talked_to) / nullif(count(*), 0) from followed where is_customer) as customers_without_activity_pct,
    (select count(*) from followed where is_customer) as customers_without_activity_pct_n,
    (select count(*) from not_talked_to) as customers_without_activity,
    (select sum(revenue_amount) from not_talked_to) as silent_amount
from logged
