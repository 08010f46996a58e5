-- /// audit
-- title    = "Service and loss"
-- question = "Which service issues foreshadow losing a customer?"
-- why      = "A customer who is about to leave has often said so, in a ticket that somebody closed."
-- fix      = "Give every ticket one category from a short list on the day it is opened, and record who opened it."
-- headline = ["Customers are lost {worst_hazard_ratio} times as often after a ticket about {worst_category} ({worst_hazard_ratio.interval}).", "Customers are lost after a ticket about {worst_category}, and none like them without one.", "No kind of ticket is followed by more losses than chance explains, among {losses|loss|losses}.", "Too few losses are known to tell which tickets foreshadow them."]
-- any_of   = [["tickets.category"]]
-- optional = ["classes", "purchases", "subscription_values", "forecasts"]
-- hidden   = ["time_at_risk", "ratio_by_category", "tickets_by_category"]
-- [[method]]
-- name = "rate_ratios"
-- table = "time_at_risk"
-- events = "losses"
-- time = "days"
-- exposed = "is_exposed"
-- group = "category"
-- strata = ["is_contractual", "year", "class", "tenure", "rhythm", "has_other_ticket"]
-- least_events = 10
-- least_exposed_events = 10
-- gives = { ratios = "ratio_by_category(category, events, exposed_events, expected_events, rate_ratio, low, high, p)" }
-- [metrics]
-- worst_category = { unit = "text", better = "down", note = "highest hazard ratio among those that survive false-discovery control" }
-- worst_hazard_ratio = { unit = "ratio", better = "down", note = "hazard of being lost within 90 days of opening such a ticket (within the customer's typical gap where that is longer) against other days of like customers; without contract, lost = lapsed, on the day the next purchase was to be expected" }
-- losses = { unit = "n", note = "while tickets and losses are both observed" }
-- customers = { unit = "n", note = "who could be seen to leave while tickets are observed" }
-- days_at_risk = { unit = "days" }
-- cancellation_requests = { unit = "n", note = "tickets that ask to leave: the loss itself, no omen, and left out" }
-- [units]
-- hazard_ratio = "ratio"
-- expected_losses = "n"
-- [[finding]]
-- level = "act"
-- table = "by_category"
-- when = "q < 0.05 and hazard_ratio > 1"
-- key = "{category}"
-- text = "After a ticket about {category} customers are lost {hazard_ratio} times as often ({low}–{high}): {losses} of {customers} who opened one. {customers_now} still there opened one lately."
-- customers = "customers_now"
-- value = "window_amount"
-- lists = "customers_to_call"
-- [[finding]]
-- level = "act"
-- table = "by_category"
-- when = "q < 0.05 and hazard_ratio is null and losses > expected_losses"
-- key = "{category}"
-- text = "After a ticket about {category} {losses} of {customers} customers were lost, and none like them without one; by chance it would be {expected_losses}. {customers_now} still there opened one lately."
-- customers = "customers_now"
-- value = "window_amount"
-- lists = "customers_to_call"
-- [[partial]]
-- when = "select bool_or(not is_contractual) from loss_spells"
-- reason = "Customers without a contract leave in silence: a loss is a lapse, known only some time after it, so the latest months of the rarest buyers say nothing."
-- bias = "Days of loss are inferred from each customer's rhythm, which draws hazard ratios towards 1."
-- [[partial]]
-- when = "select 5 * count(*) filter (where category is null) > count(*) from ticket_spells"
-- reason = "More than one ticket in five has no category."
-- bias = "Losses after these count as losses without a ticket."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_category"
-- caption = "Hazard of losing a customer after a ticket of each category, 1 being that of other days, with 95 % intervals"
-- value = "hazard_ratio"
-- low = "low"
-- high = "high"
-- label = "category"
-- ///
-- /// table time_at_risk
-- The estimand: on any day, how many times as high is the hazard of being lost for a customer who opened a ticket of
-- the category in the last 90 days as for one who did not, at the same class, tenure, rhythm and calendar year, and
-- with or without a ticket of another category lately: who opens one kind often opens others, and a harmless kind is
-- not to be blamed for a harmful one. A ticket switches on on the day it is opened. Whoever stays longer has more time
-- to open one, so that customers with a ticket against customers without would make a harmless one look like a cure.
-- Class and tenure are as of the first day of the month, so that what follows the ticket adjusts nothing; the class
-- goes by the revenue limits of today.
with months as (
    select
        month_on,
        cast(month_on + to_months(1) as date) - 1 as last_on,
        12 * extract(year from month_on) + extract(month from month_on) as month_number
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
        party_id,
        12 * extract(year from day_on) + extract(month from day_on) as month_number,
        sum(revenue) as revenue,
        sum(mrr) as mrr
    from changes
    group by 1, 2
),

followed as (
    select
        party_id,
        12 * extract(year from min(since_on)) + extract(month from min(since_on)) as first_number,
        12 * extract(year from max(until_on)) + extract(month from max(until_on)) as last_number
    from loss_spells
    group by party_id
),

states as (
    select
        f.party_id,
        m.month_number,
        m.month_on,
        m.last_on,
        coalesce(sum(c.revenue) over year_before, 0) as revenue,
        coalesce(sum(c.mrr) over ever_before, 0) as mrr
    from followed f
    join months m on m.month_number between f.first_number and f.last_number
    left join changed c on c.party_id = f.party_id and c.month_number = m.month_number
    window
        year_before as (partition by f.party_id order by m.month_number rows between 12 preceding and 1 preceding),
        ever_before as (partition by f.party_id order by m.month_number rows between unbounded preceding and 1 preceding)
),

customer_months as (
    select
        s.party_id,
        greatest(s.from_on, m.month_on) as from_on,
        least(s.until_on, m.last_on) as until_on,
        s.is_lost and s.until_on <= m.last_on as is_lost,
        s.is_contractual,
        extract(year from m.month_on) as year,
        case
            when greatest(m.revenue, 12 * m.mrr) >= l.a_amount then 'A'
            when greatest(m.revenue, 12 * m.mrr) >= l.b_amount then 'B'
            when greatest(m.revenue, 12 * m.mrr) > 0 then 'C'
            else 'none'
        end as class,
        case
            when date_diff('day', s.since_on, m.month_on) < 90 then 'under 90 days'
            when date_diff('day', s.since_on, m.month_on) < 180 then 'to 180 days'
            when date_diff('day', s.since_on, m.month_on) < 365 then 'to a year'
            when date_diff('day', s.since_on, m.month_on) < 730 then 'to two years'
            else 'over two years'
        end as tenure,
        case
            when s.effect_days = 90 then 'to 90 days'
            when s.effect_days <= 120 then 'to 120 days'
            when s.effect_days <= 160 then 'to 160 days'
            when s.effect_days <= 240 then 'to 240 days'
            else 'over 240 days'
        end as rhythm
    from loss_spells s
    join states m on m.party_id = s.party_id and m.month_on <= s.until_on and m.last_on >= s.from_on
    cross join limits l
),

everybody as (
    select
        is_contractual, year, class, tenure, rhythm,
        count(*) filter (where is_lost) as losses,
        sum(date_diff('day', from_on, until_on) + 1) as days
    from customer_months
    group by is_contractual, year, class, tenure, rhythm
),

switched as (
    select party_id, category, from_on, until_on
    from ticket_spells
    where category is not null and not is_cancellation
),

-- Stretches of days over which a customer's tickets of late are of the same categories.
turns as (
    select party_id, from_on as day_on from switched
    union
    select party_id, until_on + 1 from switched
),

stretches as (
    select party_id, day_on as from_on, lead(day_on) over (partition by party_id order by day_on) - 1 as until_on
    from turns
),

mixes as (
    select t.party_id, t.from_on, t.until_on, s.category, count(*) over (partition by t.party_id, t.from_on) as categories
    from stretches t
    join switched s on s.party_id = t.party_id and s.from_on <= t.from_on and s.until_on >= t.until_on
),

exposed as (
    select
        x.category, m.is_contractual, m.year, m.class, m.tenure, m.rhythm, x.categories,
        count(*) filter (where m.is_lost and m.until_on between x.from_on and x.until_on) as losses,
        sum(date_diff('day', greatest(x.from_on, m.from_on), least(x.until_on, m.until_on)) + 1) as days
    from mixes x
    join customer_months m on m.party_id = x.party_id and x.from_on <= m.until_on and x.until_on >= m.from_on
    group by x.category, m.is_contractual, m.year, m.class, m.tenure, m.rhythm, x.categories
),

-- A stretch with tickets of n categories stands in `exposed` n times.
with_ticket as (
    select
        is_contractual, year, class, tenure, rhythm,
        cast(round(sum(1.0 * losses / categories)) as bigint) as losses,
        cast(round(sum(1.0 * days / categories)) as bigint) as days
    from exposed
    group by is_contractual, year, class, tenure, rhythm
),

with_category as (
    select category, is_contractual, year, class, tenure, rhythm, sum(losses) as losses, sum(days) as days
    from exposed
    group by category, is_contractual, year, class, tenure, rhythm
)

select
    category, is_contractual, year, class, tenure, rhythm,
    categories > 1 as has_other_ticket, true as is_exposed, sum(losses) as losses, sum(days) as days
from exposed
group by category, is_contractual, year, class, tenure, rhythm, categories > 1
union all
select
    c.category, c.is_contractual, c.year, c.class, c.tenure, c.rhythm,
    true, false, t.losses - c.losses, t.days - c.days
from with_category c
join with_ticket t using (is_contractual, year, class, tenure, rhythm)
union all
select
    c.category, c.is_contractual, c.year, c.class, c.tenure, c.rhythm,
    false, false, e.losses - t.losses, e.days - t.days
from with_category c
join with_ticket t using (is_contractual, year, class, tenure, rhythm)
join everybody e using (is_contractual, year, class, tenure, rhythm)
order by 1, 2, 3, 4, 5, 6, 7, 8
-- /// table tickets_by_category
with opened as (
    select t.category, sum(t.tickets) as tickets, count(distinct t.party_id) as customers
    from ticket_spells t
    where t.category is not null
        and not t.is_cancellation
        and exists (
            select 1
            from loss_spells s
            where s.party_id = t.party_id and t.from_on <= s.until_on and t.until_on >= s.from_on
        )
    group by t.category
),

lately as (
    select t.category, count(*) as customers_now, sum(c.window_revenue) as window_amount
    from ticket_spells t
    join clock k on k.as_of_on between t.from_on and t.until_on
    join customers c on c.period = 'current' and c.party_id = t.party_id
    left join forecasts f on f.party_id = t.party_id
    where t.category is not null
        and not t.is_cancellation
        and case when c.is_contractual then c.is_under_contract else not coalesce(f.is_lapsed, false) end
    group by t.category
)

select o.category, o.tickets, o.customers, coalesce(l.customers_now, 0) as customers_now, l.window_amount
from opened o
left join lately l on l.category = o.category
order by o.category
-- /// table by_category
select
    t.category,
    r.rate_ratio as hazard_ratio,
    r.low,
    r.high,
    t.customers,
    r.exposed_events as losses,
    r.expected_events as expected_losses,
    t.tickets,
    t.customers_now,
    t.window_amount,
    case when r.exposed_events >= 10 then r.q end as q
from tickets_by_category t
left join ratio_by_category r on r.category = t.category
order by r.rate_ratio desc nulls last, t.customers desc, t.category
-- /// table customers_to_call
select p.customer, t.category, t.from_on as opened_on, k.class, c.window_revenue as window_amount, p.owner_id, t.party_id
from ticket_spells t
join by_category b on b.category = t.category and b.q < 0.05 and b.losses > b.expected_losses
join clock w on w.as_of_on between t.from_on and t.until_on
join customers c on c.period = 'current' and c.party_id = t.party_id
join parties p on p.party_id = t.party_id
left join forecasts f on f.party_id = t.party_id
left join classes k on k.period = 'current' and k.party_id = t.party_id
where not t.is_cancellation
    and case when c.is_contractual then c.is_under_contract else not coalesce(f.is_lapsed, false) end
order by c.window_revenue desc, p.customer, t.category, t.party_id
-- /// metrics
select
    w.category as worst_category,
    w.hazard_ratio as worst_hazard_ratio,
    w.low as worst_hazard_ratio_low,
    w.high as worst_hazard_ratio_high,
    n.losses,
    n.customers,
    n.days_at_risk,
    (select sum(tickets) from ticket_spells where is_cancellation) as cancellation_requests
from (
    select
        count(*) filter (where is_lost) as losses,
        count(distinct party_id) as customers,
        sum(date_diff('day', from_on, until_on) + 1) as days_at_risk
    from loss_spells
) n
left join (
    select category, hazard_ratio, low, high
    from by_category
    where q < 0.05 and losses > expected_losses
    order by hazard_ratio desc nulls first, category
    limit 1
) w on 1 = 1
where exists (select 1 from by_category)
