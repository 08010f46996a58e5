-- /// audit
-- title    = "Conversations with A customers"
-- question = "How long since someone had a meaningful conversation with your best customers?"
-- why      = "Best customers are lost in silence, while everybody is busy with the loud ones."
-- fix      = "Give every A customer an owner, and the owner a list of those nobody has talked with for 60 days."
-- headline = ["Half of the A customers had a conversation within the last {a_customers_days_since_conversation_median}; with {a_customers_silent_90d} nobody has talked for 90 days.", "With {a_customers_silent_90d} of the A customers nobody has talked for 90 days, and with fewer than half ever."]
-- any_of   = [["activities.kind"], ["activities.happened_at"], ["invoices.amount", "invoices.net_amount", "payments.amount", "opportunities.amount"]]
-- optional = ["*"]
-- hidden   = ["talks"]
-- [metrics]
-- a_customers_days_since_conversation_median = { unit = "days", better = "down", note = "a meeting that took place, a call somebody answered, or a mail of theirs; never a campaign. A customers without one count as longer than all others" }
-- a_customers_silent_90d = { unit = "n", better = "down", label = "A customers silent for 90 days", note = "no conversation in the last 90 days, or never" }
-- a_customers = { unit = "n" }
-- silent_amount = { unit = "money", label = "Revenue of the window of those" }
-- [[finding]]
-- level = "act"
-- when = "a_customers_silent_90d > 0"
-- text = "With {a_customers_silent_90d} of {a_customers} A customers nobody has had a conversation for 90 days; they brought {silent_amount}."
-- customers = "a_customers_silent_90d"
-- value = "silent_amount"
-- lists = "silent_a_customers"
-- [[partial]]
-- when = "select max(cast(happened_at as date)) < max(c.as_of_on - 30) from activities cross join clock c where cast(happened_at as date) <= c.as_of_on"
-- reason = "The activities end more than a month before the day the audit looks from."
-- bias = "Silence in an export that ended early is not silence: too many customers look neglected."
-- [[partial]]
-- when = "select min(cast(happened_at as date)) > max(c.as_of_on - 90) from activities cross join clock c"
-- reason = "The activities reach back less than 90 days."
-- bias = "Conversations before them are not seen."
-- [[chart]]
-- kind = "bars"
-- table = "silence_of_a_customers"
-- caption = "A customers by the time since the last conversation"
-- label = "last_conversation"
-- value = "customers"
-- ///
-- /// table talks
select
    f.party_id,
    f.customer,
    f.segment,
    f.owner_id,
    f.revenue_amount,
    max(t.happened_on) as last_conversation_on,
    count(t.party_id) as conversations,
    min_by(t.colleague_id, -date_diff('day', date '1900-01-01', t.happened_on)) as last_colleague_id,
    date_diff('day', max(t.happened_on), max(c.as_of_on)) as days_since
from followed f
cross join clock c
left join touches t on t.party_id = f.party_id and t.is_conversation
where f.class = 'A'
group by f.party_id, f.customer, f.segment, f.owner_id, f.revenue_amount
order by f.party_id
-- /// table silence_of_a_customers
select
    case
        when days_since is null then 'never'
        when days_since <= 30 then 'within 30 days'
        when days_since <= 90 then 'within 90 days'
        when days_since <= 180 then 'within half a year'
        else 'longer ago'
    end as last_conversation,
    count(*) as customers,
    sum(revenue_amount) as revenue_amount
from talks
group by 1
order by min(coalesce(days_since, 99999))
-- /// table silent_a_customers
select customer, segment, owner_id, last_conversation_on, days_since as days_since_conversation, last_colleague_id, revenue_amount, party_id
from talks
where days_since > 90 or days_since is null
order by revenue_amount desc, party_id
-- /// metrics
-- A customer never talked with stands at the far end, so that the median counts them; where it falls on them it is withheld.
with ranked as (
    select days_since, row_number() over (order by days_since nulls last, party_id) as place, count(*) over () as customers
    from talks
)

select
    (
        select case when count(days_since) = count(*) then avg(days_since) end
        from ranked
        where place in (floor((customers + 1) / 2.0), ceil((customers + 1) / 2.0))
    ) as a_customers_days_since_conversation_median,
    count(*) as a_customers_days_since_conversation_median_n,
    count(*) filter (where days_since > 90 or days_since is null) as a_customers_silent_90d,
    count(*) as a_customers,
    sum(revenue_amount) filter (where days_since > 90 or days_since is null) as silent_amount
from talks
