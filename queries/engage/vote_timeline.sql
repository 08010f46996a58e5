-- /// audit
-- title    = "What customers tell by what they do"
-- question = "What has each customer told you by what they did?"
-- why      = "Customers vote with orders, calls, clicks and tickets, long before they say anything."
-- fix      = "Export every department's dated events with the customer's id: orders, deals, calls, mails, tickets, answers, use of the product."
-- headline = ["{events} events of {departments} kinds; {customers_with_events_pct} of the customers did something in the window, and {momentum_down_a_customers|A customer does|A customers do} markedly less than they used to."]
-- any_of   = [["invoices.issued_on", "payments.paid_on", "activities.happened_at", "campaign_touches.happened_at", "tickets.opened_at", "survey_responses.answered_on", "opportunities.created_on", "usage.used_at"]]
-- optional = ["*"]
-- hidden   = ["momentum_of_customers"]
-- [[method]]
-- name = "rates"
-- table = "base_momentum"
-- successes = "recent_events"
-- trials = "events"
-- is_tested = false
-- [metrics]
-- events = { unit = "n", note = "dated acts of customers up to the as-of date, several of one kind on one day counted once; mails and calls of ours are not among them" }
-- departments = { unit = "n", label = "Kinds of events" }
-- customers_with_events_pct = { unit = "pct", better = "up", note = "customers with at least one in the window" }
-- momentum_down_a_customers = { unit = "n", better = "down", note = "A customers with fewer events in the last 90 days than nineteen of twenty with their own rate of the year before would have (Poisson), and at most half of it" }
-- momentum_down_amount = { unit = "money", label = "Revenue of the window of those" }
-- [[finding]]
-- level = "watch"
-- when = "momentum_down_a_customers > expected_by_chance * 2 and momentum_down_a_customers >= 3"
-- text = "{momentum_down_a_customers|A customer does|A customers do} markedly less than they used to, where chance alone would make it {expected_by_chance}; they brought {momentum_down_amount}."
-- customers = "momentum_down_a_customers"
-- value = "momentum_down_amount"
-- lists = "slowing_down"
-- [[partial]]
-- when = "select count(*) < 2 from events_by_kind"
-- reason = "Only one kind of event is in the exports."
-- bias = "A customer who is silent in it may be loud elsewhere."
-- [[chart]]
-- kind = "stacked_bars"
-- table = "events_by_quarter"
-- caption = "Events of customers by quarter and kind"
-- label = "quarter"
-- value = "events"
-- series = "kind"
-- ///
-- /// table events_by_kind
select v.kind, count(*) as events, count(distinct v.party_id) as customers, min(v.day_on) as first_on, max(v.day_on) as last_on
from votes v
group by v.kind
order by count(*) desc, v.kind
-- /// table events_by_quarter
select
    cast(year(v.day_on) as varchar) || ' Q' || cast(quarter(v.day_on) as varchar) as quarter,
    v.kind,
    count(*) as events
from votes v
join clock c on v.day_on > c.as_of_on - 1096
group by 1, 2
order by 1, 2
-- /// table momentum_of_customers
-- The expectation is the customer's own rate over the 365 days before the last 90, or since their first act, which then
-- opens the time and does not count.
with counted as (
    select
        f.party_id,
        count(v.day_on) filter (where v.day_on > c.as_of_on - 90) as recent,
        count(v.day_on) filter (where v.day_on <= c.as_of_on - 90 and v.day_on > c.as_of_on - 455) as before,
        min(v.day_on) as first_on,
        max(c.as_of_on) as as_of_on
    from followed f
    cross join clock c
    left join votes v on v.party_id = f.party_id
    where f.is_customer
    group by f.party_id
)

select
    party_id,
    recent,
    before,
    case
        when first_on <= as_of_on - 455 then 90.0 * before / 365
        else 90.0 * (before - 1) / (date_diff('day', first_on, as_of_on) - 89)
    end as expected
from counted
where first_on <= as_of_on - 180
order by party_id
-- /// table slowing_down
-- The sum of Poisson probabilities up to what was seen: at most 0.05 with at most half of what was expected.
with terms as (
    select
        m.party_id,
        sum(exp(-m.expected + n.k * ln(m.expected) - lgamma(n.k + 1.0))) as chance
    from momentum_of_customers m
    join (select unnest(generate_series(0, 200)) as k) n on n.k <= m.recent
    where m.expected > 0 and m.recent <= m.expected / 2
    group by m.party_id
)

select
    f.customer,
    f.class,
    m.recent as recent_events,
    m.expected as expected_events,
    f.revenue_amount,
    f.segment,
    f.owner_id,
    f.party_id
from terms t
join momentum_of_customers m on m.party_id = t.party_id
join followed f on f.party_id = t.party_id
where t.chance <= 0.05
order by f.revenue_amount desc nulls last, f.party_id
-- /// table base_momentum
select coalesce(f.class, 'none') as class, count(*) as customers, cast(sum(m.recent) as bigint) as recent_events, cast(sum(m.recent + m.before) as bigint) as events
from momentum_of_customers m
join followed f on f.party_id = m.party_id
group by 1
having sum(m.recent + m.before) > 0
order by 1
-- /// metrics
select
    (select count(*) from votes) as events,
    (select count(*) from events_by_kind) as departments,
    (
        select 100.0 * count(distinct v.party_id) / nullif((select count(*) from followed where is_customer), 0)
        from votes v
        join periods p on p.period = 'current' and v.day_on > p.start_on and v.day_on <= p.end_on
        join followed f on f.party_id = v.party_id and f.is_customer
    ) as customers_with_events_pct,
    (select count(*) from followed where is_customer) as customers_with_events_pct_n,
    (select count(*) from slowing_down where class = 'A') as momentum_down_a_customers,
    (select sum(revenue_amount) from slowing_down where class = 'A') as momentum_down_amount,
    (
        select cast(ceil(0.05 * count(*)) as integer)
        from momentum_of_customers m
        join followed f on f.party_id = m.party_id and f.class = 'A'
    ) as expected_by_chance
