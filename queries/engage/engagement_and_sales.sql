-- /// audit
-- title    = "Engagement and sales"
-- question = "Do conversations lead to conversions, and to staying?"
-- why      = "Whoever talks with good customers will find that customers who are talked with are good. Only the same customer, with and without a conversation, tells more."
-- fix      = "Record every conversation on its day, whoever led it, and let chance decide now and then whom to call: an experiment would tell cause from company."
-- headline = ["In the week {lag_beyond_chance_days} after a conversation customers buy {association} times as often as in their other weeks ({association.interval}); association, not cause.", "Conversations and purchases go their own ways: at best {association} times as many in the weeks after one ({association.interval}), which chance explains.", "{conversations_per_won_deal} conversations fall to a deal that was won.", "Too few conversations and purchases of the same customers are on record to compare."]
-- any_of   = [["activities.happened_at", "campaign_touches.happened_at"]]
-- optional = ["*"]
-- hidden   = ["engaged", "weeks", "strongest", "talks_in_deals"]
-- [[method]]
-- name = "lagged_association"
-- table = "weeks"
-- group = "kind"
-- subject = "party_id"
-- step = "week_number"
-- calendar = "month_on"
-- exposed = "is_engaged"
-- events = "purchases"
-- at_risk = "is_at_risk"
-- gives = { best = "strongest(kind, subjects, events, lag, rate_ratio, low, high, p)", by_lag = "weeks_after(kind, lag, exposed_events, expected_events, rate_ratio, low, high, chance)" }
-- [metrics]
-- association = { unit = "ratio", note = "purchases in the week so long after a conversation against the same customer's other weeks, months compared with themselves; the week of one to eight that deviates most, with an interval that holds for all eight. Association, not cause" }
-- lag_days = { unit = "days" }
-- lag_beyond_chance_days = { unit = "days", note = "the same where the association survives false-discovery control" }
-- conversations_per_won_deal = { unit = "ratio", note = "between opening and closing, of deals opened since conversations are recorded" }
-- conversations_per_lost_deal = { unit = "ratio" }
-- customers = { unit = "n", note = "with both conversations and purchases in half a year or more, at most 4,000 drawn by number" }
-- [units]
-- rate_ratio = "ratio"
-- [[finding]]
-- level = "good"
-- table = "by_kind"
-- when = "q < 0.05 and rate_ratio > 1"
-- key = "{kind}"
-- text = "After {kind} customers buy more: {rate_ratio} times as often ({low}–{high}) in the week {lag_days} later as in their other weeks, among {customers} customers. This is association, not cause."
-- lists = "weeks_after"
-- [[finding]]
-- level = "info"
-- table = "by_kind"
-- when = "q < 0.05 and rate_ratio < 1"
-- key = "{kind}"
-- text = "After {kind} customers buy less: {rate_ratio} times as often ({low}–{high}) in the week {lag_days} later as in their other weeks, among {customers} customers. This is association, not cause."
-- lists = "weeks_after"
-- [[partial]]
-- when = "select max(kind) = 'opportunities' from purchase_source"
-- reason = "Deals won are the only purchases on record, and a deal makes meetings: what conversations lead to cannot be told apart from what they are part of."
-- [[partial]]
-- when = "select not exists (select 1 from touches where is_conversation)"
-- reason = "No conversation is on record: a meeting that took place, a call that somebody answered, or a mail of theirs."
-- [[chart]]
-- kind = "curve_with_band"
-- table = "weeks_after"
-- caption = "Purchases so many weeks after a conversation, 1 being the same customer's other weeks; bands hold for all weeks together"
-- x = "lag"
-- y = "rate_ratio"
-- low = "low"
-- high = "high"
-- series = "kind"
-- ///
-- /// table engaged
-- What is said during a deal is part of the deal: it counts nowhere.
with said as (
    select distinct party_id, 'a conversation' as kind, 'activities' as entity, happened_on as day_on
    from touches
    where is_conversation and department = 'activity' and party_id is not null
    union
    select party_id, 'a click in a campaign', 'campaign_touches', happened_on
    from touches
    where department = 'campaign' and kind like '%click%' and party_id is not null
)

select s.party_id, s.kind, s.entity, s.day_on
from said s
where not exists (
    select 1
    from deals d
    where d.party_id = s.party_id
        and s.day_on >= d.created_on
        and s.day_on <= coalesce(d.closed_on, d.created_on + 365)
)
order by s.party_id, s.kind, s.day_on
-- /// table weeks
-- Each customer's weeks from the first to the last purchase, as far as both are recorded, in the last three years: before
-- the first nobody buys, and who has left neither buys nor talks. Weeks of a deal, and the thirty days after it, in which
-- it is invoiced, count as time in which nothing can be bought.
with bought as (
    select party_id, min(purchased_on) as first_on, max(purchased_on) as last_on
    from purchases
    where not exists (select 1 from purchase_source where kind = 'opportunities')
    group by party_id
    having count(*) > 1
),

spans as (
    select
        e.kind,
        b.party_id,
        greatest(b.first_on, v.observed_from_on, least(b.last_on, v.observed_until_on) - 1098) as from_on,
        least(b.last_on, v.observed_until_on) as until_on
    from bought b
    join (select distinct party_id, kind, entity from engaged) e on e.party_id = b.party_id
    join coverage v on v.entity = e.entity
),

whole as (
    select
        kind,
        party_id,
        cast(date_trunc('week', from_on) as date) + 7 as from_on,
        cast(floor(date_diff('day', cast(date_trunc('week', from_on) as date) + 7, until_on + 1) / 7.0) as integer) as weeks
    from spans
),

drawn as (
    select *
    from (
        select *, row_number() over (partition by kind order by (cast(party_id as bigint) * 1103515245) % 2147483647, party_id) as place
        from whole
        where weeks >= 26
    ) mixed
    where place <= 4000
),

calendar as (
    select d.kind, d.party_id, n.n as week_number, d.from_on + 7 * cast(n.n as integer) as week_on
    from drawn d
    join (select unnest(generate_series(0, 160)) as n) n on n.n < d.weeks
),

talked as (
    select distinct d.kind, d.party_id, cast(floor(date_diff('day', d.from_on, e.day_on) / 7.0) as integer) as week_number
    from drawn d
    join engaged e on e.kind = d.kind and e.party_id = d.party_id
),

sold as (
    select d.kind, d.party_id, cast(floor(date_diff('day', d.from_on, b.purchased_on) / 7.0) as integer) as week_number, count(*) as purchases
    from drawn d
    join purchases b on b.party_id = d.party_id
    group by 1, 2, 3
),

dealing as (
    select distinct c.kind, c.party_id, c.week_number
    from calendar c
    join deals d
        on d.party_id = c.party_id
        and d.created_on <= c.week_on + 6
        and coalesce(d.closed_on, d.created_on + 335) + 30 >= c.week_on
)

select
    c.kind,
    c.party_id,
    c.week_number,
    cast(date_trunc('month', c.week_on) as date) as month_on,
    t.party_id is not null as is_engaged,
    coalesce(s.purchases, 0) as purchases,
    g.party_id is null as is_at_risk
from calendar c
left join talked t on t.kind = c.kind and t.party_id = c.party_id and t.week_number = c.week_number
left join sold s on s.kind = c.kind and s.party_id = c.party_id and s.week_number = c.week_number
left join dealing g on g.kind = c.kind and g.party_id = c.party_id and g.week_number = c.week_number
order by c.kind, c.party_id, c.week_number
-- /// table by_kind
select kind, subjects as customers, events as purchases, 7 * lag as lag_days, rate_ratio, low, high, q
from strongest
order by kind
-- /// table talks_in_deals
with closed as (
    select d.system, d.opportunity_id, d.party_id, d.outcome, d.created_on, d.closed_on
    from deals d
    join coverage v on v.entity = 'activities' and d.created_on >= v.observed_from_on and d.closed_on <= v.observed_until_on
    where d.outcome in ('won', 'lost') and d.party_id is not null and d.closed_on >= d.created_on
),

talks as (
    select c.system, c.opportunity_id, count(*) as conversations
    from closed c
    join touches t on t.party_id = c.party_id and t.is_conversation and t.department = 'activity' and t.happened_on >= c.created_on and t.happened_on <= c.closed_on
    group by c.system, c.opportunity_id
)

select
    c.outcome,
    count(*) as deals,
    cast(coalesce(sum(t.conversations), 0) as bigint) as conversations,
    sum(date_diff('day', c.created_on, c.closed_on) + 1) as days
from closed c
left join talks t on t.system = c.system and t.opportunity_id = c.opportunity_id
group by c.outcome
order by c.outcome
-- /// table deals_and_conversations
select outcome, deals, conversations, 1.0 * conversations / deals as per_deal, 30.0 * conversations / days as per_month_open
from talks_in_deals
order by outcome
-- /// metrics
-- Deals without any conversation in all of the exports were not talked about in the CRM: no figure.
select
    s.rate_ratio as association,
    s.low as association_low,
    s.high as association_high,
    s.purchases as association_n,
    s.lag_days,
    case when s.q < 0.05 then s.lag_days end as lag_beyond_chance_days,
    w.per_deal as conversations_per_won_deal,
    w.deals as conversations_per_won_deal_n,
    l.per_deal as conversations_per_lost_deal,
    l.deals as conversations_per_lost_deal_n,
    s.customers
from (select 1 as one) always
left join by_kind s on s.kind = 'a conversation'
left join deals_and_conversations w on w.outcome = 'won' and exists (select 1 from talks_in_deals where conversations > 0)
left join deals_and_conversations l on l.outcome = 'lost' and exists (select 1 from talks_in_deals where conversations > 0)
where s.rate_ratio is not null or w.per_deal is not null
