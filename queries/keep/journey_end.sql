-- /// audit
-- title    = "The end of the journey"
-- question = "What happened just before customers left?"
-- why      = "The last ninety days of those who left, beside those of like customers who stayed, show where there was still time."
-- fix      = "Record every cancellation with its day, and keep failed payments, tickets and conversations dated under the customer's id."
-- headline = ["In the 90 days before they left customers had {top_ending_event} {top_lift} times as often as like customers who stayed ({top_lift.interval}).", "Nothing that is on record happened more often before {losses|loss|losses} than to like customers who stayed."]
-- optional = ["classes", "purchases", "contracts", "forecasts", "subscription_values", "ticket_spells", "loss_spells", "tickets.category", "tickets.subject", "tickets.opened_at", "tickets.is_escalated", "payments.status", "payments.paid_on", "invoices.status", "invoices.issued_on", "refunds.refunded_on", "opportunities.outcome", "opportunities.closed_on", "activities.happened_at", "activities.kind", "survey_responses.score", "survey_responses.kind", "survey_responses.answered_on", "subscription_changes.kind", "subscription_changes.changed_on", "churn_events.churned_on", "churn_events.is_reactivation"]
-- any_of   = [["tickets.opened_at", "payments.status", "invoices.status", "refunds.refunded_on", "activities.happened_at", "opportunities.outcome", "survey_responses.score", "subscription_changes.kind"]]
-- hidden   = ["cases", "member_months", "members", "happened", "exposed_sets", "ending_sets", "ratio_by_event", "noticing", "noticed_curve", "noticed_summary"]
-- [[method]]
-- name = "rate_ratios"
-- table = "ending_sets"
-- events = "losses"
-- time = "members"
-- exposed = "is_exposed"
-- group = "event"
-- strata = ["set_size", "exposed_in_set"]
-- least_events = 10
-- least_exposed_events = 3
-- gives = { ratios = "ratio_by_event(event, events, exposed_events, expected_events, rate_ratio, low, high, p)" }
-- [[method]]
-- name = "survival"
-- table = "noticing"
-- duration = "days"
-- event = "is_noticed"
-- n = "losses"
-- is_tested = false
-- gives = { summary = "noticed_summary(n, median_days)", curve = "noticed_curve(elapsed_days, surviving_pct)" }
-- [metrics]
-- top_ending_event = { unit = "text", note = "highest lift among those that survive false-discovery control, with three losses or more after it" }
-- top_lift = { unit = "ratio", note = "hazard of leaving with such an event in the 90 days before, against like customers without; association, not cause" }
-- days_until_noticed_median = { unit = "days", better = "down", note = "from the loss to the first dated record of it: a churn event, a churn movement or a request to cancel; losses never recorded are censored" }
-- losses = { unit = "n", note = "those looked at, at most 5,000; without contract, on the day the next purchase was to be expected" }
-- losses_with_controls = { unit = "n", note = "with at least one customer of the same class 90 days before and the same tenure, still there that day" }
-- controls = { unit = "n", note = "at most five for each loss, drawn by number" }
-- announced_losses = { unit = "n", note = "with a request to cancel in the 90 days before: the leaving itself, and no omen" }
-- [units]
-- lift = "ratio"
-- [[finding]]
-- level = "act"
-- table = "by_event"
-- when = "q < 0.05 and lift > 1 and losses_after >= 3"
-- key = "{event}"
-- text = "{lost_rate_pct} of the customers who left had {event} in the 90 days before, {control_rate_pct} of like customers who stayed: {lift} times the risk. {customers_now} who are still there had it lately."
-- customers = "customers_now"
-- value = "window_amount"
-- lists = "had_it_lately"
-- [[partial]]
-- when = "select count(*) > 0 from leaving_spells where not is_contractual and is_lost"
-- reason = "Customers without a contract leave in silence: the day of loss is when the next purchase was to be expected."
-- bias = "Days of loss are inferred, which draws lifts towards 1."
-- [[partial]]
-- when = "select count(*) filter (where is_lost) < 10 from leaving_spells"
-- reason = "Fewer than ten losses are known: too few to compare."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_event"
-- caption = "Risk of leaving after each event, 1 being that of like customers without it, with 95 % intervals"
-- value = "lift"
-- low = "low"
-- high = "high"
-- label = "event"
-- ///
-- /// table cases
-- A sample by number where there are very many. The multipliers are as large as the modulus, so that the order has nothing
-- to do with age: small ones would draw the oldest customers.
select party_id, is_contractual, since_on, lost_on, 12 * extract(year from lost_on) + extract(month from lost_on) as month_number
from (
    select
        party_id,
        is_contractual,
        since_on,
        until_on as lost_on,
        row_number() over (order by (cast(party_id as bigint) * 1103515245) % 2147483647, party_id, until_on) as place
    from leaving_spells
    where is_lost
) numbered
where place <= 5000
order by party_id, lost_on
-- /// table member_months
-- What each of the lost, and of at most 20,000 others, was like in each month: the class of three months before by the
-- revenue limits of today, so that what led to the loss adjusts nothing.
with pool as (
    select party_id
    from (
        select party_id, row_number() over (order by (cast(party_id as bigint) * 1220703125) % 2147483647, party_id) as place
        from leaving_spells
        group by party_id
    ) mixed
    where place <= 20000
    union
    select party_id from cases
),

months as (
    select month_on, 12 * extract(year from month_on) + extract(month from month_on) as month_number
    from (
        select cast(cast(date_trunc('month', c.first_on) as date) + to_months(cast(n.n as integer)) as date) as month_on
        from clock c
        cross join (select unnest(generate_series(0, 1200)) as n) n
    ) calendar
    join clock k on month_on <= k.as_of_on
),

limits as (
    select
        coalesce(
            (select min(window_revenue) from classes where period = 'current' and class = 'A'),
            (select 12 * percentile_cont(0.8) within group (order by mrr) from subscription_values where mrr > 0)
        ) as a_amount,
        coalesce(
            (select min(window_revenue) from classes where period = 'current' and class in ('A', 'B')),
            (select 12 * percentile_cont(0.5) within group (order by mrr) from subscription_values where mrr > 0)
        ) as b_amount
),

changes as (
    select party_id, purchased_on as day_on, amount as revenue, 0 as mrr from purchases
    union all
    select party_id, started_on, 0, mrr from subscription_values where mrr > 0 and not is_trial
    union all
    select party_id, ended_on, 0, -mrr from subscription_values where mrr > 0 and not is_trial and ended_on is not null
),

changed as (
    select
        c.party_id,
        12 * extract(year from c.day_on) + extract(month from c.day_on) as month_number,
        sum(c.revenue) as revenue,
        sum(c.mrr) as mrr
    from changes c
    join pool p on p.party_id = c.party_id
    group by 1, 2
),

followed as (
    select
        s.party_id,
        12 * extract(year from min(s.since_on)) + extract(month from min(s.since_on)) as first_number,
        12 * extract(year from max(s.until_on)) + extract(month from max(s.until_on)) as last_number
    from leaving_spells s
    join pool p on p.party_id = s.party_id
    group by s.party_id
),

states as (
    select
        f.party_id,
        m.month_number,
        m.month_on,
        coalesce(sum(c.revenue) over year_before, 0) as revenue,
        coalesce(sum(c.mrr) over ever_before, 0) as mrr
    from followed f
    join months m on m.month_number between f.first_number and f.last_number
    left join changed c on c.party_id = f.party_id and c.month_number = m.month_number
    window
        year_before as (partition by f.party_id order by m.month_number rows between 15 preceding and 4 preceding),
        ever_before as (partition by f.party_id order by m.month_number rows between unbounded preceding and 4 preceding)
)

select
    s.party_id,
    m.month_number,
    s.is_contractual,
    s.from_on,
    s.until_on,
    s.is_lost,
    case
        when greatest(m.revenue, 12 * m.mrr) >= l.a_amount then 'A'
        when greatest(m.revenue, 12 * m.mrr) >= l.b_amount then 'B'
        when greatest(m.revenue, 12 * m.mrr) > 0 then 'C'
        else 'none'
    end as class,
    case
        when date_diff('day', s.since_on, m.month_on) < 90 then 'under 90 days'
        when date_diff('day', s.since_on, m.month_on) < 365 then 'to a year'
        when date_diff('day', s.since_on, m.month_on) < 730 then 'to two years'
        else 'over two years'
    end as tenure
from leaving_spells s
join states m
    on m.party_id = s.party_id
    and m.month_number >= 12 * extract(year from s.from_on) + extract(month from s.from_on)
    and m.month_number <= 12 * extract(year from s.until_on) + extract(month from s.until_on)
cross join limits l
order by s.party_id, s.from_on, m.month_number
-- /// table members
-- The risk set of each loss: like customers who were still there on the day of it; who leaves later is one of them.
with lost as (
    select c.party_id, c.lost_on, c.is_contractual, m.month_number, m.class, m.tenure
    from cases c
    join member_months m on m.party_id = c.party_id and m.month_number = c.month_number and m.until_on = c.lost_on and m.is_lost
),

drawn as (
    select
        l.party_id as lost_party_id,
        l.lost_on,
        m.party_id,
        row_number() over (
            partition by l.party_id, l.lost_on
            order by (cast(m.party_id as bigint) * 1103515245 + cast(l.party_id as bigint) * 1220703125) % 2147483647, m.party_id
        ) as place
    from lost l
    join member_months m
        on m.month_number = l.month_number
        and m.is_contractual = l.is_contractual
        and m.class = l.class
        and m.tenure = l.tenure
    where m.party_id <> l.party_id
        and m.from_on <= l.lost_on
        and (m.until_on > l.lost_on or (m.until_on = l.lost_on and not m.is_lost))
)

select lost_party_id, lost_on, party_id, false as is_case
from drawn
where place <= 5
union all
select l.party_id, l.lost_on, l.party_id, true
from lost l
where exists (select 1 from drawn d where d.lost_party_id = l.party_id and d.lost_on = l.lost_on)
order by 1, 2, 4, 3
-- /// table happened
select distinct party_id, entity, event, day_on
from (
    select party_id, 'tickets' as entity, 'a ticket about ' || category as event, from_on as day_on
    from ticket_spells
    where category is not null and not is_cancellation
    union all
    select party_id, 'tickets', 'an escalated ticket', cast(opened_at as date) from tickets where is_escalated
    union all
    select party_id, 'payments', 'a failed payment', paid_on from payments where status = 'failed'
    union all
    select party_id, 'invoices', 'a failed invoice', issued_on from invoices where status = 'failed'
    union all
    select party_id, 'refunds', 'a refund', refunded_on from refunds
    union all
    select party_id, 'opportunities', 'a lost deal', closed_on from opportunities where outcome = 'lost'
    union all
    select party_id, 'survey_responses', 'an NPS of 6 or less', answered_on
    from survey_responses
    where lower(kind) like '%nps%' and score <= 6
    union all
    select party_id, 'subscription_changes', 'a contraction', changed_on from subscription_changes where kind = 'contraction'
) told
where party_id is not null and day_on is not null
order by party_id, event, day_on
-- /// table exposed_sets
-- Silence: nobody of ours spoke with the customer in 90 days, though somebody had in the nine months before.
with spoken as (
    select m.lost_party_id, m.lost_on, m.party_id, m.is_case, max(cast(a.happened_at as date)) as last_on
    from members m
    join activities a
        on a.party_id = m.party_id
        and cast(a.happened_at as date) < m.lost_on
        and cast(a.happened_at as date) >= m.lost_on - 365
    where coalesce(lower(a.kind), '') not in ('task', 'note')
    group by m.lost_party_id, m.lost_on, m.party_id, m.is_case
),

exposed as (
    select distinct m.lost_party_id, m.lost_on, m.party_id, m.is_case, h.entity, h.event, 90 as look_back_days
    from members m
    join happened h on h.party_id = m.party_id and h.day_on < m.lost_on and h.day_on >= m.lost_on - 90
    union all
    select lost_party_id, lost_on, party_id, is_case, 'activities', 'silence of 90 days', 365
    from spoken
    where last_on < lost_on - 90
),

counted as (
    select
        lost_party_id, lost_on, entity, event, look_back_days,
        count(*) as exposed_in_set,
        count(*) filter (where is_case) as exposed_cases
    from exposed
    group by lost_party_id, lost_on, entity, event, look_back_days
),

kinds as (
    select e.entity, e.event, e.look_back_days, v.observed_from_on, v.observed_until_on
    from (select distinct entity, event, look_back_days from exposed) e
    join coverage v on v.entity = e.entity
),

sizes as (
    select lost_party_id, lost_on, count(*) as set_size
    from members
    group by lost_party_id, lost_on
)

select
    k.event,
    s.set_size,
    coalesce(c.exposed_in_set, 0) as exposed_in_set,
    count(*) as sets,
    coalesce(sum(c.exposed_cases), 0) as exposed_cases
from sizes s
join kinds k on s.lost_on >= k.observed_from_on + k.look_back_days and s.lost_on <= k.observed_until_on + 1
left join counted c on c.lost_party_id = s.lost_party_id and c.lost_on = s.lost_on and c.event = k.event
group by 1, 2, 3
order by 1, 2, 3
-- /// table ending_sets
-- One loss in each set: sets of one size with as many exposed are one stratum.
select event, set_size, exposed_in_set, true as is_exposed, exposed_cases as losses, sets * exposed_in_set as members
from exposed_sets
where exposed_in_set > 0
union all
select event, set_size, exposed_in_set, false, sets - exposed_cases, sets * (set_size - exposed_in_set)
from exposed_sets
where exposed_in_set > 0 and exposed_in_set < set_size
order by 1, 2, 3, 4
-- /// table noticing
with told as (
    select e.party_id, e.churned_on as told_on from churn_events e where not coalesce(e.is_reactivation, false)
    union all
    select s.party_id, s.changed_on from subscription_changes s where s.kind = 'churn'
    union all
    select t.party_id, t.from_on from ticket_spells t where t.is_cancellation
),

firsts as (
    select c.party_id, c.lost_on, min(t.told_on) as noticed_on
    from cases c
    cross join clock k
    left join told t on t.party_id = c.party_id and t.told_on >= c.lost_on - 90 and t.told_on <= k.as_of_on
    group by c.party_id, c.lost_on
)

select
    greatest(date_diff('day', f.lost_on, coalesce(f.noticed_on, k.as_of_on)), 0) as days,
    f.noticed_on is not null as is_noticed,
    count(*) as losses
from firsts f
cross join clock k
where exists (select 1 from told)
group by 1, 2
order by 1, 2
-- /// table by_event
with sums as (
    select
        event,
        sum(sets) as losses,
        sum(exposed_cases) as losses_after,
        sum(sets * (set_size - 1)) as controls,
        sum(sets * exposed_in_set) - sum(exposed_cases) as controls_after
    from exposed_sets
    group by event
),

lately as (
    select h.event, count(distinct h.party_id) as customers_now
    from happened h
    join clock k on h.day_on > k.as_of_on - 90 and h.day_on <= k.as_of_on
    join customers c on c.period = 'current' and c.party_id = h.party_id
    left join forecasts f on f.party_id = h.party_id
    where case when c.is_contractual then c.is_under_contract else not coalesce(f.is_lapsed, false) end
    group by h.event
),

worth as (
    select event, sum(window_revenue) as window_amount
    from (
        select distinct h.event, h.party_id, c.window_revenue
        from happened h
        join clock k on h.day_on > k.as_of_on - 90 and h.day_on <= k.as_of_on
        join customers c on c.period = 'current' and c.party_id = h.party_id
        left join forecasts f on f.party_id = h.party_id
        where case when c.is_contractual then c.is_under_contract else not coalesce(f.is_lapsed, false) end
    ) each
    group by event
)

select
    s.event,
    100.0 * s.losses_after / s.losses as lost_rate_pct,
    100.0 * s.controls_after / s.controls as control_rate_pct,
    r.rate_ratio as lift,
    r.low,
    r.high,
    s.losses,
    s.losses_after,
    s.controls,
    s.controls_after,
    coalesce(l.customers_now, 0) as customers_now,
    w.window_amount,
    r.q
from sums s
left join ratio_by_event r on r.event = s.event
left join lately l on l.event = s.event
left join worth w on w.event = s.event
order by r.rate_ratio desc nulls last, s.losses_after desc, s.event
-- /// table had_it_lately
select p.customer, h.event, max(h.day_on) as last_on, max(c.window_revenue) as window_amount, p.owner_id, h.party_id
from happened h
join by_event b on b.event = h.event and b.q < 0.05 and b.lift > 1
join clock k on h.day_on > k.as_of_on - 90 and h.day_on <= k.as_of_on
join customers c on c.period = 'current' and c.party_id = h.party_id
join parties p on p.party_id = h.party_id
left join forecasts f on f.party_id = h.party_id
where case when c.is_contractual then c.is_under_contract else not coalesce(f.is_lapsed, false) end
group by p.customer, h.event, p.owner_id, h.party_id
order by window_amount desc, p.customer, h.event, h.party_id
-- /// metrics
select
    t.event as top_ending_event,
    t.lift as top_lift,
    t.low as top_lift_low,
    t.high as top_lift_high,
    (select max(median_days) from noticed_summary) as days_until_noticed_median,
    (select sum(losses) from noticing) as days_until_noticed_median_n,
    n.losses,
    (select count(*) from members where is_case) as losses_with_controls,
    (select count(*) from members where not is_case) as controls,
    (
        select count(distinct c.party_id)
        from cases c
        join ticket_spells s on s.party_id = c.party_id and s.is_cancellation and s.from_on between c.lost_on - 90 and c.lost_on
    ) as announced_losses
from (select count(*) as losses from cases) n
left join (
    select event, lift, low, high
    from by_event
    where q < 0.05 and lift > 1 and losses_after >= 3
    order by lift desc, event
    limit 1
) t on 1 = 1
where n.losses > 0
