-- /// audit
-- title    = "Service and upsell"
-- question = "Do well-resolved issues open the door to more sales?"
-- why      = "A customer whose trouble ended well has just seen you at your best, and nobody in sales may know of it."
-- fix      = "Ask for satisfaction after every ticket, record its solution on the day, and tell the owner of the account."
-- headline = ["After a well-resolved issue {expansion_after_good_pct} of the customers expand within 90 days, after a badly resolved one {expansion_after_bad_pct}: against like customers without one, a difference of {difference_points} ({difference_points.interval}).", "After a well-resolved issue {expansion_after_good_pct} of the customers expand within 90 days, like customers without one {expansion_without_pct}.", "Too few resolved issues have like customers to be compared with."]
-- any_of   = [["tickets.resolved_at"]]
-- optional = ["classes", "purchases", "deals", "subscription_values", "mrr_changes", "leaving_spells", "tickets.satisfaction", "tickets.satisfaction_text", "tickets.reopens", "tickets.is_escalated", "tickets.opened_at", "tickets.ticket_id"]
-- hidden   = ["resolutions", "expansions", "cases", "member_months", "matched", "compared", "good_against_bad"]
-- [[method]]
-- name = "matched_differences"
-- table = "matched"
-- matched_set = "set_number"
-- subject = "party_id"
-- is_case = "is_case"
-- outcome = "expanded"
-- group = "resolution"
-- first = "good"
-- second = "bad"
-- gives = { differences = "compared(resolution, sets, controls, case_pct, control_pct, difference_points, low_points, high_points, p)", contrast = "good_against_bad(difference_points, low_points, high_points, p)" }
-- [metrics]
-- expansion_after_good_pct = { unit = "pct", better = "up", note = "of the customers with a well-resolved issue: satisfied, or not asked and solved within the median time without reopening or escalation" }
-- expansion_after_bad_pct = { unit = "pct", note = "of those with a badly resolved one: dissatisfied, or not asked and reopened, escalated or among the slowest tenth" }
-- expansion_without_pct = { unit = "pct", note = "of the controls of the well-resolved: customers on that day without an issue in the 90 days before, of the same class 90 days before and the same tenure" }
-- difference_points = { unit = "points", note = "after good less after bad, each against its own controls" }
-- good_over_controls_points = { unit = "points" }
-- bad_over_controls_points = { unit = "points" }
-- [[finding]]
-- level = "good"
-- table = "by_resolution"
-- when = "resolution = 'good' and q < 0.05 and difference_points > 0"
-- key = "good"
-- text = "After a well-resolved issue {expanded_pct} of the customers expand within 90 days, {control_pct} of like customers without one. {customers_now} had one lately."
-- customers = "customers_now"
-- lists = "doors_open"
-- [[finding]]
-- level = "act"
-- table = "by_resolution"
-- when = "resolution = 'bad' and q < 0.05 and difference_points < 0"
-- key = "bad"
-- text = "After a badly resolved issue {expanded_pct} of the customers expand within 90 days, {control_pct} of like customers without one. {customers_now} had one lately."
-- customers = "customers_now"
-- lists = "doors_open"
-- [[finding]]
-- level = "info"
-- table = "good_or_bad"
-- when = "q < 0.05"
-- key = "good_or_bad"
-- text = "How an issue is resolved goes with what follows: expansion differs by {difference_points} ({low_points}–{high_points}) between well and badly resolved ones."
-- lists = "by_resolution"
-- [[partial]]
-- when = "select 2 * count(*) filter (where satisfaction is not null or satisfaction_text is not null) < count(*) from tickets where resolved_at is not null"
-- reason = "Fewer than half of the resolved tickets have an answer on satisfaction; the others are judged by time, reopening and escalation."
-- bias = "A quick solution is not always a good one, which draws the difference towards nothing."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_resolution"
-- caption = "Expansion within 90 days of a resolved issue, in points above like customers without one, with 95 % intervals"
-- label = "resolution"
-- value = "difference_points"
-- low = "low_points"
-- high = "high_points"
-- n = "issues"
-- ///
-- /// table resolutions
with resolved as (
    select
        t.party_id,
        t.ticket_id,
        cast(t.resolved_at as date) as resolved_on,
        t.satisfaction / nullif(max(t.satisfaction) over (partition by t.system), 0) as mark,
        lower(t.satisfaction_text) as words,
        coalesce(t.reopens, 0) > 0 or coalesce(t.is_escalated, false) as is_troubled,
        percent_rank() over (partition by t.resolved_at >= t.opened_at order by date_diff('minute', t.opened_at, t.resolved_at)) as slowness,
        t.resolved_at >= t.opened_at as is_timed
    from tickets t
    join clock c on cast(t.resolved_at as date) <= c.as_of_on
    where t.party_id is not null
)

select
    party_id,
    ticket_id,
    resolved_on,
    case
        when regexp_matches(words, '(not |un|dis)(good|happy|satisf)|bad|poor|terrible|negative') then 'bad'
        when regexp_matches(words, 'good|great|excellent|happy|satisf|amazing|positive') then 'good'
        when mark >= 0.75 then 'good'
        when mark <= 0.5 then 'bad'
        when mark is not null then null
        when is_troubled then 'bad'
        when is_timed and slowness > 0.9 then 'bad'
        when is_timed and slowness <= 0.5 then 'good'
    end as resolution
from resolved
order by party_id, resolved_on, ticket_id
-- /// table expansions
-- More MRR than before, or a further deal won; where an export has neither, an order larger than any of the year before.
with told as (
    select m.party_id, m.changed_on as day_on
    from mrr_changes m
    where m.amount > 0 and exists (select 1 from mrr_changes b where b.party_id = m.party_id and b.changed_on < m.changed_on)
    union
    select d.party_id, d.closed_on
    from deals d
    where d.outcome = 'won'
        and d.party_id is not null
        and d.closed_on is not null
        and (not d.is_new_business or exists (
            select 1 from deals b where b.party_id = d.party_id and b.outcome = 'won' and b.closed_on < d.closed_on
        ))
),

ordered as (
    select
        party_id,
        purchased_on,
        amount,
        max(amount) over (partition by party_id order by purchased_on range between interval 365 day preceding and interval 1 day preceding) as largest_before
    from purchases
)

select party_id, day_on
from told
union
select party_id, purchased_on
from ordered
where amount > largest_before and not exists (select 1 from told)
order by 1, 2
-- /// table cases
-- A customer's issue with none resolved in the 90 days before, seen for 90 days after; a sample by number of very many.
with spaced as (
    select
        party_id,
        resolution,
        resolved_on,
        lag(resolved_on) over (partition by party_id order by resolved_on, ticket_id) as before_on
    from resolutions
)

select party_id, resolution, resolved_on, 12 * extract(year from resolved_on) + extract(month from resolved_on) as month_number
from (
    select s.*, row_number() over (order by (cast(s.party_id as bigint) * 1103515245) % 2147483647, s.party_id, s.resolved_on) as place
    from spaced s
    cross join clock c
    where s.resolution is not null
        and (s.before_on is null or s.before_on < s.resolved_on - 90)
        and s.resolved_on <= c.as_of_on - 90
) numbered
where place <= 5000
order by party_id, resolved_on
-- /// table member_months
-- What each customer was like in each month in which an issue was resolved: the class of three months before by today's
-- limits of revenue, so that what led to the issue adjusts nothing.
with pool as (
    select party_id
    from (
        select party_id, row_number() over (order by (cast(party_id as bigint) * 1220703125) % 2147483647, party_id) as place
        from leaving_spells
        group by party_id
    ) mixed
    where place <= 10000
    union
    select party_id from cases
),

limits as (
    select
        (select min(window_revenue) from classes where period = 'current' and class = 'A') as a_amount,
        (select min(window_revenue) from classes where period = 'current' and class in ('A', 'B')) as b_amount,
        (select 12 * percentile_cont(0.8) within group (order by mrr) from subscription_values where mrr > 0) as a_mrr,
        (select 12 * percentile_cont(0.5) within group (order by mrr) from subscription_values where mrr > 0) as b_mrr
),

months as (
    select month_number, cast(date_trunc('month', min(resolved_on)) as date) as month_on
    from cases
    group by month_number
),

bought as (
    select p.party_id, m.month_number, sum(b.amount) as revenue
    from pool p
    join purchases b on b.party_id = p.party_id
    join months m on b.purchased_on >= m.month_on - 455 and b.purchased_on < m.month_on - 90
    group by p.party_id, m.month_number
),

paid as (
    select p.party_id, m.month_number, 12 * sum(v.mrr) as revenue
    from pool p
    join subscription_values v on v.party_id = p.party_id and v.mrr > 0 and not v.is_trial
    join months m on v.started_on < m.month_on - 90 and (v.ended_on is null or v.ended_on >= m.month_on - 90)
    group by p.party_id, m.month_number
)

select
    s.party_id,
    m.month_number,
    s.is_contractual,
    s.from_on,
    s.until_on,
    case
        when greatest(coalesce(b.revenue, 0), coalesce(r.revenue, 0)) >= coalesce(l.a_amount, l.a_mrr) then 'A'
        when greatest(coalesce(b.revenue, 0), coalesce(r.revenue, 0)) >= coalesce(l.b_amount, l.b_mrr) then 'B'
        when greatest(coalesce(b.revenue, 0), coalesce(r.revenue, 0)) > 0 then 'C'
        else 'none'
    end as class,
    case
        when date_diff('day', s.since_on, m.month_on) < 90 then 'under 90 days'
        when date_diff('day', s.since_on, m.month_on) < 365 then 'to a year'
        when date_diff('day', s.since_on, m.month_on) < 730 then 'to two years'
        else 'over two years'
    end as tenure
from leaving_spells s
join pool p on p.party_id = s.party_id
join months m on s.from_on < m.month_on + 31 and s.until_on >= m.month_on
cross join limits l
left join bought b on b.party_id = s.party_id and b.month_number = m.month_number
left join paid r on r.party_id = s.party_id and r.month_number = m.month_number
order by s.party_id, s.from_on, m.month_number
-- /// table matched
with present as (
    select c.party_id, c.resolution, c.resolved_on, m.month_number, m.is_contractual, m.class, m.tenure
    from cases c
    join member_months m on m.party_id = c.party_id and m.month_number = c.month_number and c.resolved_on between m.from_on and m.until_on
),

troubled as (
    select distinct party_id, cast(opened_at as date) as from_on, coalesce(cast(resolved_at as date), date '9999-12-31') as until_on
    from tickets
    where party_id is not null
),

drawn as (
    select
        p.party_id as case_party_id,
        p.resolution,
        p.resolved_on,
        m.party_id,
        row_number() over (
            partition by p.party_id, p.resolved_on
            order by (cast(m.party_id as bigint) * 1103515245 + cast(p.party_id as bigint) * 1220703125) % 2147483647, m.party_id
        ) as place
    from present p
    join member_months m
        on m.month_number = p.month_number
        and m.is_contractual = p.is_contractual
        and m.class = p.class
        and m.tenure = p.tenure
        and m.party_id <> p.party_id
        and p.resolved_on between m.from_on and m.until_on
    where not exists (
        select 1
        from troubled t
        where t.party_id = m.party_id and t.from_on <= p.resolved_on and t.until_on >= p.resolved_on - 90
    )
),

members as (
    select case_party_id, resolution, resolved_on, party_id, false as is_case from drawn where place <= 5
    union all
    select p.party_id, p.resolution, p.resolved_on, p.party_id, true
    from present p
    where exists (select 1 from drawn d where d.case_party_id = p.party_id and d.resolved_on = p.resolved_on)
)

select
    m.resolution,
    dense_rank() over (order by m.case_party_id, m.resolved_on) as set_number,
    m.party_id,
    m.is_case,
    exists (
        select 1 from expansions e where e.party_id = m.party_id and e.day_on > m.resolved_on and e.day_on <= m.resolved_on + 90
    ) as expanded
from members m
order by m.case_party_id, m.resolved_on, m.is_case, m.party_id
-- /// table by_resolution
select
    c.resolution,
    c.sets as issues,
    c.controls,
    c.case_pct as expanded_pct,
    c.control_pct,
    c.difference_points,
    c.low_points,
    c.high_points,
    (
        select count(distinct r.party_id)
        from resolutions r
        join clock k on r.resolved_on > k.as_of_on - 90
        where r.resolution = c.resolution
    ) as customers_now,
    c.q
from compared c
order by c.resolution desc
-- /// table good_or_bad
select difference_points, low_points, high_points, q
from good_against_bad
where difference_points is not null
order by difference_points
-- /// table doors_open
select p.customer, r.resolution, max(r.resolved_on) as resolved_on, p.owner_id, r.party_id
from resolutions r
join clock k on r.resolved_on > k.as_of_on - 90
join parties p on p.party_id = r.party_id
where r.resolution is not null
group by p.customer, r.resolution, p.owner_id, r.party_id
order by r.resolution desc, resolved_on desc, p.customer, r.party_id
-- /// metrics
select
    g.expanded_pct as expansion_after_good_pct,
    g.issues as expansion_after_good_pct_n,
    b.expanded_pct as expansion_after_bad_pct,
    b.issues as expansion_after_bad_pct_n,
    g.control_pct as expansion_without_pct,
    g.controls as expansion_without_pct_n,
    d.difference_points,
    d.low_points as difference_points_low,
    d.high_points as difference_points_high,
    g.difference_points as good_over_controls_points,
    g.low_points as good_over_controls_points_low,
    g.high_points as good_over_controls_points_high,
    b.difference_points as bad_over_controls_points,
    b.low_points as bad_over_controls_points_low,
    b.high_points as bad_over_controls_points_high
from (select 1 as one) always
left join by_resolution g on g.resolution = 'good'
left join by_resolution b on b.resolution = 'bad'
left join good_or_bad d on 1 = 1
where exists (select 1 from resolutions)
