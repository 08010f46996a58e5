-- /// audit
-- title    = "The customer's voice"
-- question = "Do you record how customers felt?"
-- why      = "A closed field says what happened; only their own words say why."
-- fix      = "Ask for one sentence in the customer's own words at every call, and send a survey with a free answer after every ticket."
-- headline = ["{interactions_with_voice_pct} of the conversations, tickets and answers of the window carry something in words or a mark of satisfaction."]
-- any_of   = [["activities.happened_at", "tickets.opened_at", "survey_responses.answered_on"]]
-- optional = ["*"]
-- hidden   = ["heard"]
-- [metrics]
-- interactions_with_voice_pct = { unit = "pct", better = "up", label = "Interactions with the customer's voice", note = "activities with a note, tickets with a mark or words of satisfaction, answers with a comment; of all of the window. A ticket's own text is the request, not the feeling" }
-- customers_heard_pct = { unit = "pct", better = "up", note = "customers with at least one such record in the window" }
-- [[finding]]
-- level = "watch"
-- when = "interactions_with_voice_pct < 25 and interactions_with_voice_pct_n >= 20"
-- text = "Of {interactions_with_voice_pct_n|conversation|conversations}, tickets and answers only {interactions_with_voice_pct} say how the customer felt."
-- lists = "by_channel"
-- [[chart]]
-- kind = "bars"
-- table = "by_channel"
-- caption = "Share of records that carry the customer's voice, by channel"
-- label = "channel"
-- value = "with_voice_pct"
-- ///
-- /// table heard
with records as (
    select 'activities' as channel, cast(happened_at as date) as day_on, party_id, coalesce(trim(note), '') <> '' as has_voice
    from activities
    union all
    select
        'tickets', cast(opened_at as date), party_id,
        satisfaction is not null or regexp_matches(lower(coalesce(satisfaction_text, '')), '[a-z]')
        and not regexp_matches(lower(satisfaction_text), '(offered|unoffered|not rated|no rating)')
    from tickets
    union all
    select 'survey answers', answered_on, party_id, coalesce(trim(comment), '') <> ''
    from survey_responses
)

select r.channel, r.party_id, r.has_voice, count(*) as records
from records r
join periods p on p.period = 'current'
where r.day_on > p.start_on and r.day_on <= p.end_on
group by r.channel, r.party_id, r.has_voice
order by r.channel, r.party_id, r.has_voice
-- /// table by_channel
select
    channel,
    sum(records) as records,
    coalesce(sum(records) filter (where has_voice), 0) as with_voice,
    100.0 * coalesce(sum(records) filter (where has_voice), 0) / sum(records) as with_voice_pct
from heard
group by channel
order by channel
-- /// table never_heard
select f.customer, f.class, f.segment, f.owner_id, f.revenue_amount, f.party_id
from followed f
left join (select distinct party_id from heard where has_voice) h on h.party_id = f.party_id
where f.is_customer and h.party_id is null
order by f.revenue_amount desc nulls last, f.party_id
-- /// metrics
select
    100.0 * coalesce(sum(records) filter (where has_voice), 0) / nullif(sum(records), 0) as interactions_with_voice_pct,
    sum(records) as interactions_with_voice_pct_n,
    (select 100.0 * (count(*) - (select count(*) from never_heard)) / nullif(count(*), 0) from followed where is_customer) as customers_heard_pct,
    (select count(*) from followed where is_customer) as customers_heard_pct_n
from heard
