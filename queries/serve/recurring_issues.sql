-- /// audit
-- title    = "Recurring issues"
-- question = "Which issues, and which customers, keep coming back?"
-- why      = "An issue that returns was closed, not solved; the customer counts each time."
-- fix      = "Give every ticket one category from a short list, and reopen instead of opening anew."
-- headline = "{repeat_customers|customer|customers} came back with the same kind of issue within the window; most often with {top_recurring_category}."
-- optional = ["classes", "parties"]
-- hidden   = ["by_quarter", "ticket_pairs"]
-- [[method]]
-- name = "trend"
-- table = "by_quarter"
-- period = "quarter_number"
-- successes = "tickets"
-- group = "category"
-- gives = { trends = "category_trends" }
-- [metrics]
-- customers_with_open_issue = { unit = "n", better = "down" }
-- repeat_customers = { unit = "n", better = "down", note = "two or more tickets of one category in the window" }
-- repeat_share_pct = { unit = "pct", better = "down", note = "of customers with a ticket in the window" }
-- top_recurring_category = { unit = "text" }
-- reopened_pct = { unit = "pct", better = "down" }
-- tickets_without_customer = { unit = "n", better = "down" }
-- [units]
-- trend = "ratio"
-- [[finding]]
-- level = "watch"
-- table = "category_trends"
-- when = "q < 0.05 and trend > 0"
-- key = "{category}"
-- text = "Tickets about {category} grow quarter by quarter."
-- lists = "by_category"
-- [[finding]]
-- level = "good"
-- table = "category_trends"
-- when = "q < 0.05 and trend < 0"
-- key = "{category}"
-- text = "Tickets about {category} become fewer quarter by quarter."
-- lists = "by_category"
-- [[partial]]
-- when = "select count(*) filter (where party_id is null) > 0 from issues"
-- reason = "Some tickets name nobody we know: they count as tickets, not for customers."
-- [[chart]]
-- kind = "bars"
-- table = "by_category"
-- caption = "Tickets of the window by category"
-- value = "tickets"
-- label = "category"
-- ///
-- /// table ticket_pairs
select i.party_id, i.category, count(*) as tickets, max(i.opened_at) as last_opened_at
from issues i
join periods p on p.period = 'current'
    and i.opened_at >= cast(p.start_on + 1 as timestamp)
    and i.opened_at < cast(p.end_on + 1 as timestamp)
where i.party_id is not null
group by i.party_id, i.category
order by i.party_id, i.category
-- /// table by_category
select
    coalesce(i.category, 'unknown') as category,
    count(*) as tickets,
    count(distinct i.party_id) as customers,
    max(r.customers) as repeat_customers,
    count(*) filter (where i.is_reopened) as reopened,
    count(*) filter (where not i.is_resolved) as still_open
from issues i
join periods p on p.period = 'current'
    and i.opened_at >= cast(p.start_on + 1 as timestamp)
    and i.opened_at < cast(p.end_on + 1 as timestamp)
left join (
    select category, count(*) as customers
    from ticket_pairs
    where tickets > 1
    group by category
) r on r.category = i.category
group by 1
order by count(*) desc, 1
-- /// table repeat_customers
select p.customer, t.category, t.tickets, t.last_opened_at, k.class, t.party_id
from ticket_pairs t
join parties p on p.party_id = t.party_id
left join classes k on k.period = 'current' and k.party_id = t.party_id
where t.tickets > 1 and t.category is not null
order by t.tickets desc, p.customer, t.category, t.party_id
-- /// table by_quarter
with numbered as (
    select
        coalesce(i.category, 'unknown') as category,
        -cast(floor(date_diff('day', cast(i.opened_at as date), c.as_of_on) / 91.3125) as integer) as quarter_number
    from issues i
    cross join clock c
    where date_diff('day', cast(i.opened_at as date), c.as_of_on) < 730
        and (select observed_from_on from coverage where entity = 'tickets') <= cast(c.as_of_on - to_months(24) as date)
),

quarters as (
    select quarter_number from numbered group by quarter_number
),

categories as (
    select category from numbered group by category having count(*) >= 20
)

select k.category, w.quarter_number, count(n.category) as tickets
from categories k
cross join quarters w
left join numbered n on n.category = k.category and n.quarter_number = w.quarter_number
group by k.category, w.quarter_number
order by k.category, w.quarter_number
-- /// metrics
select
    (select count(distinct party_id) from issues where not is_resolved) as customers_with_open_issue,
    count(distinct t.party_id) filter (where t.tickets > 1 and t.category is not null) as repeat_customers,
    100.0 * count(distinct t.party_id) filter (where t.tickets > 1 and t.category is not null) / nullif(count(distinct t.party_id), 0) as repeat_share_pct,
    count(distinct t.party_id) as repeat_share_pct_n,
    (select category from by_category where category <> 'unknown' order by repeat_customers desc nulls last, category limit 1) as top_recurring_category,
    (select 100.0 * count(*) filter (where is_reopened) / nullif(count(*), 0) from issues) as reopened_pct,
    (select count(*) from issues where party_id is null) as tickets_without_customer
from ticket_pairs t
