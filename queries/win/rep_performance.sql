-- /// audit
-- title    = "Stars"
-- question = "Who are your stars, and with which customers do they shine?"
-- why      = "A win rate praises whoever is handed the easy deals. What somebody wins beyond that can be learnt from, and put where it counts."
-- fix      = "Keep the owner, the segment, the origin and the amount on every deal from the day it is opened, won or lost, and hand deals out by turn."
-- headline = ["{top_star} would win {top_star_pct} of everybody's deals ({top_star_pct.interval}), where all together win {win_rate_pct} within {within_days}.", "Nobody of {owners} owners wins more than the mix of their deals and chance explain; all together win {win_rate_pct} within {within_days}.", "No owner has deals that are old enough to compare."]
-- any_of   = [["opportunities.owner_id"], ["opportunities.created_on"]]
-- optional = ["*"]
-- hidden   = ["by_mix", "adjusted_by_owner", "won_by_kind", "habit_by_deal", "habits_compared", "habit_tests", "habit_calibration", "agent_cases", "adjusted_by_agent", "solved_by_kind", "campaign_results"]
-- [[method]]
-- name = "adjusted_rates"
-- table = "by_mix"
-- successes = "won"
-- trials = "deals"
-- unit = "owner"
-- mix = ["segment", "origin", "size", "competitor", "quarter"]
-- crossed = ["segment", "origin", "size", "competitor"]
-- cluster = "party_id"
-- gives = { adjusted = "adjusted_by_owner(owner, trials, successes, rate_pct, expected_pct, adjusted_pct, low_pct, high_pct, base_pct, p)", crossed = "won_by_kind(owner, trait, level, trials, successes, rate_pct, expected_pct, p)" }
-- [[method]]
-- name = "discrimination"
-- table = "habits_compared"
-- score = "value"
-- outcome = "is_leading"
-- group = "habit"
-- gives = { auc = "habit_tests(habit, auc, auc_p)", calibration = "habit_calibration" }
-- [[method]]
-- name = "adjusted_rates"
-- table = "agent_cases"
-- successes = "solved"
-- trials = "tickets"
-- unit = "agent"
-- mix = ["category", "priority", "class", "quarter"]
-- crossed = ["category", "class"]
-- cluster = "party_id"
-- gives = { adjusted = "adjusted_by_agent(agent, trials, successes, rate_pct, expected_pct, adjusted_pct, low_pct, high_pct, base_pct, p)", crossed = "solved_by_kind(agent, trait, level, trials, successes, rate_pct, expected_pct, p)" }
-- [[method]]
-- name = "rates"
-- table = "campaign_results"
-- successes = "above_median"
-- trials = "campaigns"
-- shrink = true
-- compare = true
-- adds = ["rate_pct", "shrunk_pct", "shrunk_low_pct", "shrunk_high_pct", "differs_p"]
-- [metrics]
-- stars = { unit = "n", note = "owners who win more than anybody would of the same deals, under false-discovery control, and whose pooled interval lies above all together" }
-- top_star = { unit = "text" }
-- top_star_pct = { unit = "pct", label = "Adjusted win rate of the top star" }
-- owners = { unit = "n" }
-- deals = { unit = "n", note = "new business opened in the two years before the last day from which a deal could be watched so long" }
-- win_rate_pct = { unit = "pct", better = "up", note = "of the deals opened, those won within the days in which nine in ten of the won ones are; deals still open then count as not won, so that nobody gains by never closing what is lost" }
-- within_days = { unit = "days" }
-- range_points = { unit = "points", note = "between the highest and the lowest adjusted win rate, after pooling" }
-- star_agents = { unit = "n", note = "support agents who solve more tickets in time than anybody would of the same tickets" }
-- star_marketers = { unit = "n", note = "marketers whose campaigns of the last two years are clicked within a fortnight more often than the median campaign" }
-- [[finding]]
-- level = "good"
-- table = "owners"
-- when = "is_star"
-- key = "star/{owner}"
-- text = "{owner} is a star: won {win_rate_pct} of {deals} deals of which anybody would win {expected_pct}; of everybody's deals it would be {adjusted_win_rate_pct} ({low_pct}–{high_pct})."
-- lists = "owners"
-- [[finding]]
-- level = "watch"
-- table = "owners"
-- when = "q < 0.05 and high_pct < base_pct"
-- key = "below/{owner}"
-- text = "{owner} won {win_rate_pct} of {deals} deals of which anybody would win {expected_pct}."
-- lists = "owners"
-- [[finding]]
-- level = "info"
-- table = "owners"
-- when = "deals >= 30 and mix_points >= 5 and win_rate_pct - base_pct >= 5 and not is_star"
-- key = "mix/{owner}"
-- text = "{owner} wins {win_rate_pct} of {deals} deals, where all together win {base_pct}; of such deals anybody would win {expected_pct}."
-- lists = "owners"
-- [[finding]]
-- level = "good"
-- table = "shines"
-- when = "true"
-- key = "shines/{owner}/{trait}/{value}"
-- text = "{owner} shines with {trait} {value}: won {win_rate_pct} of {deals} deals, where {expected_pct} was to be expected."
-- lists = "shines"
-- [[finding]]
-- level = "good"
-- table = "agents"
-- when = "is_star"
-- key = "agent/{agent}"
-- text = "{agent} is a star of the support desk: {solved_pct} of {tickets} tickets are solved in time and stay solved, where anybody would solve {expected_pct} of them."
-- lists = "agents"
-- [[finding]]
-- level = "good"
-- table = "marketers"
-- when = "q < 0.05 and above_median_pct > 50"
-- key = "marketer/{marketer}"
-- text = "Of the {campaigns} campaigns of {marketer}, {above_median_pct} are clicked more often than the median campaign."
-- lists = "marketers"
-- [[finding]]
-- level = "info"
-- table = "habit_tests"
-- when = "auc_q < 0.05"
-- key = "habit/{habit}"
-- text = "Owners who win more than the others differ in this: {habit}."
-- lists = "habits"
-- [[partial]]
-- when = "select count(distinct owner) < 2 from deals where is_new_business"
-- reason = "Fewer than two owners have deals, so there is nobody to compare."
-- [[partial]]
-- when = "select 5 * count(*) filter (where created_on is null) > count(*) from deals where is_new_business and outcome <> 'open'"
-- reason = "More than one decided deal in five has no day of opening."
-- bias = "These are left out; which way that tilts a comparison cannot be told."
-- [[chart]]
-- kind = "interval_bars"
-- table = "owners"
-- caption = "Win rate of each owner had all had the same mix of deals, with 95 % intervals; the line is all together"
-- label = "owner"
-- value = "adjusted_win_rate_pct"
-- low = "low_pct"
-- high = "high_pct"
-- n = "deals"
-- reference = "base_pct"
-- ///
-- /// table by_mix
-- By customer, whose deals go together: they are not as many independent ones.
select owner, segment, origin, size, competitor, cast(quarter as varchar) as quarter, party_id, count(*) as deals, count(*) filter (where is_won) as won
from comparable_deals
group by owner, segment, origin, size, competitor, quarter, party_id
order by owner, segment, origin, size, competitor, quarter, party_id
-- /// table owners
select
    a.owner,
    a.trials as deals,
    a.successes as won,
    a.rate_pct as win_rate_pct,
    a.adjusted_pct as adjusted_win_rate_pct,
    a.low_pct,
    a.high_pct,
    a.expected_pct,
    a.expected_pct - a.base_pct as mix_points,
    a.base_pct,
    (
        select k.trait || ' ' || k.level
        from won_by_kind k
        where k.owner = a.owner and k.q < 0.05 and k.rate_pct > k.expected_pct
        order by k.p, k.trait, k.level
        limit 1
    ) as best_segment,
    a.q,
    coalesce(a.q < 0.05 and a.low_pct > a.base_pct, false) as is_star
from adjusted_by_owner a
order by a.adjusted_pct desc, a.owner
-- /// table shines
select owner, trait, level as value, trials as deals, successes as won, rate_pct as win_rate_pct, expected_pct, q
from won_by_kind
where q < 0.05 and rate_pct > expected_pct
order by q, owner, trait, level
-- /// table habit_by_deal
-- The first thirty days of each deal only, or as many as it was open, since a deal that lasts gathers touches by lasting.
with watched as (
    select
        d.owner,
        d.system,
        d.opportunity_id,
        d.party_id,
        d.created_on,
        least(d.created_on + 29, coalesce(d.closed_on, d.created_on + 29)) as until_on
    from comparable_deals d
    join coverage v on v.entity = 'activities' and d.created_on >= v.observed_from_on and d.created_on + 29 <= v.observed_until_on
    where d.party_id is not null
),

touched as (
    select
        w.system,
        w.opportunity_id,
        count(*) as touches,
        count(distinct t.contact_number) as people,
        min(t.happened_on) as first_on
    from watched w
    join touches t on t.department = 'activity' and t.party_id = w.party_id and t.happened_on >= w.created_on and t.happened_on <= w.until_on
    group by w.system, w.opportunity_id
)

select
    w.owner,
    w.opportunity_id,
    30.0 * coalesce(t.touches, 0) / (date_diff('day', w.created_on, w.until_on) + 1) as touches,
    coalesce(t.people, 0) as people,
    coalesce(date_diff('day', w.created_on, t.first_on), 30) as days_to_touch
from watched w
left join touched t on t.system = w.system and t.opportunity_id = w.opportunity_id
order by w.owner, w.opportunity_id
-- /// table habits
-- An owner, not a deal, is the unit: the deals of one person are alike. Leading: the interval lies above all together.
with touched as (
    select *
    from habit_by_deal
    where exists (select 1 from habit_by_deal t where t.touches > 0)
),

each as (
    select owner, 'touches in the first 30 days of a deal' as habit, avg(touches) as value, count(*) as deals from touched group by owner
    union all
    select owner, 'people talked with in the first 30 days of a deal', avg(people), count(*) from touched group by owner
    union all
    select owner, 'days until a deal is first touched, at most 30', avg(days_to_touch), count(*) from touched group by owner
    union all
    select owner, 'days until a deal is won', avg(date_diff('day', created_on, closed_on)), count(*) from comparable_deals where is_won and closed_on is not null group by owner
)

select e.habit, e.owner, e.value, e.deals, a.low_pct > a.base_pct as is_leading
from each e
join adjusted_by_owner a on a.owner = e.owner
where e.deals >= 5
order by e.habit, a.adjusted_pct desc, e.owner
-- /// table habits_compared
select habit, owner, value, is_leading
from (
    select
        *,
        count(*) filter (where is_leading) over (partition by habit) as leading_owners,
        count(*) filter (where not is_leading) over (partition by habit) as others
    from habits
) counted
where leading_owners >= 2 and others >= 2
order by habit, owner
-- /// table agent_cases
-- By customer, whose tickets go together. The class is that of the quarter in which the ticket came: by the revenue of the
-- four quarters before it, so that what the ticket led to adjusts nothing, at the revenue limits of today.
with limits as (
    select ceil(percentile_cont(0.75) within group (order by hours)) as within_hours
    from issues
    where is_resolved and hours is not null
    having count(*) > 0
),

revenue_limits as (
    select
        min(window_revenue) filter (where class = 'A') as a_amount,
        min(window_revenue) filter (where class in ('A', 'B')) as b_amount
    from classes
    where period = 'current'
),

bought as (
    select b.party_id, cast(date_trunc('quarter', b.purchased_on) as date) as quarter_on, sum(b.amount) as amount
    from purchases b
    join (select distinct party_id from issues where agent is not null) i on i.party_id = b.party_id
    join clock c on b.purchased_on > c.as_of_on - 1200
    group by 1, 2
),

classed as (
    select
        e.party_id,
        e.quarter_on,
        case when e.amount >= l.a_amount then 'A' when e.amount >= l.b_amount then 'B' when e.amount > 0 then 'C' end as class
    from (
        select b.party_id, cast(b.quarter_on + to_months(cast(3 * n.n as integer)) as date) as quarter_on, sum(b.amount) as amount
        from bought b
        cross join (values (1), (2), (3), (4)) n (n)
        group by 1, 2
    ) e
    cross join revenue_limits l
)

select
    i.agent,
    i.category,
    i.priority,
    k.class,
    cast(cast(date_trunc('quarter', i.opened_at) as date) as varchar) as quarter,
    i.party_id,
    count(*) as tickets,
    count(*) filter (where i.is_resolved and i.hours <= l.within_hours and not i.is_reopened) as solved
from issues i
cross join limits l
cross join clock c
left join classed k on k.party_id = i.party_id and k.quarter_on = cast(date_trunc('quarter', i.opened_at) as date)
where i.agent is not null
    and i.hours is not null
    and cast(i.opened_at as date) > c.as_of_on - 730
    and date_diff('hour', i.opened_at, cast(c.as_of_on + 1 as timestamp)) >= l.within_hours
group by i.agent, i.category, i.priority, k.class, date_trunc('quarter', i.opened_at), i.party_id
order by i.agent, i.category, i.priority, k.class, quarter, i.party_id
-- /// table agents
select
    a.agent,
    a.trials as tickets,
    a.rate_pct as solved_pct,
    a.adjusted_pct as adjusted_solved_pct,
    a.low_pct,
    a.high_pct,
    a.expected_pct,
    (
        select k.trait || ' ' || k.level
        from solved_by_kind k
        where k.agent = a.agent and k.q < 0.05 and k.rate_pct > k.expected_pct
        order by k.p, k.trait, k.level
        limit 1
    ) as best_segment,
    a.q,
    coalesce(a.q < 0.05 and a.low_pct > a.base_pct, false) as is_star
from adjusted_by_agent a
order by a.adjusted_pct desc, a.agent
-- /// table campaign_results
-- A campaign, not a mail, is the unit: all mails of one stand and fall together. Those of the two years before the last
-- fortnight, since whoever sent one yesterday has not been clicked yet; a click counts for a fortnight.
with begun as (
    select t.campaign, min(cast(t.happened_at as date)) as began_on
    from campaign_touches t
    where t.owner_id is not null and t.campaign is not null
    group by t.campaign
),

sent as (
    select
        t.campaign,
        min(t.owner_id) as owner_id,
        min(t.system) as system,
        count(distinct coalesce(t.email, t.contact_id, cast(t.party_id as varchar))) filter (where lower(t.kind) not like '%bounce%') as mails,
        count(distinct coalesce(t.email, t.contact_id, cast(t.party_id as varchar))) filter (where lower(t.kind) like '%click%') as clicked
    from campaign_touches t
    join begun b on b.campaign = t.campaign and cast(t.happened_at as date) <= b.began_on + 14
    join clock c on b.began_on > c.as_of_on - 745 and b.began_on <= c.as_of_on - 14
    where t.owner_id is not null
    group by t.campaign
    having count(distinct t.owner_id) = 1
),

rated as (
    select *, 1.0 * clicked / mails as click_rate
    from sent
    where mails >= 20
),

middle as (
    select percentile_cont(0.5) within group (order by click_rate) as median_rate
    from rated
)

select
    coalesce(u.name, r.owner_id) as marketer,
    count(*) as campaigns,
    count(*) filter (where r.click_rate > m.median_rate) as above_median
from rated r
cross join middle m
left join users u on u.system = r.system and u.user_id = r.owner_id
group by 1
order by 1
-- /// table marketers
select
    marketer,
    campaigns,
    rate_pct as above_median_pct,
    shrunk_pct as adjusted_pct,
    shrunk_low_pct as low_pct,
    shrunk_high_pct as high_pct,
    differs_q as q
from campaign_results
order by shrunk_pct desc, marketer
-- /// metrics
select
    (select count(*) from owners where is_star) as stars,
    t.owner as top_star,
    t.adjusted_win_rate_pct as top_star_pct,
    t.low_pct as top_star_pct_low,
    t.high_pct as top_star_pct_high,
    t.deals as top_star_pct_n,
    (select count(*) from owners) as owners,
    (select sum(deals) from owners) as deals,
    (select max(base_pct) from owners) as win_rate_pct,
    (select sum(deals) from owners) as win_rate_pct_n,
    (select max(within_days) from comparable_deals) as within_days,
    (select max(adjusted_win_rate_pct) - min(adjusted_win_rate_pct) from owners) as range_points,
    (select count(*) from agents where is_star) as star_agents,
    (select count(*) from marketers where q < 0.05 and above_median_pct > 50) as star_marketers
from (select 1 as one) always
left join (
    select owner, adjusted_win_rate_pct, low_pct, high_pct, deals
    from owners
    where is_star
    order by adjusted_win_rate_pct desc, owner
    limit 1
) t on 1 = 1
where exists (select 1 from owners) or exists (select 1 from agents)
