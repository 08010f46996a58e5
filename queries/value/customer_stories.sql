-- /// audit
-- title    = "Customers in their own words"
-- question = "What do the best, the loyal and the lost customers say in their own words?"
-- why      = "Figures say who leaves; only their words say what it was like."
-- fix      = "Keep what customers write and say as they said it: tickets, comments, and the reason in their words when they leave."
-- headline = ["{themes|word sets|words set} the groups apart; the lost speak more than others of {lost_theme}.", "[themes: {themes|word sets|words set} | No word sets] the best, the loyal and the lost customers apart.", "No word sets the best, the loyal and the lost customers apart."]
-- any_of   = [["tickets.subject", "tickets.description", "survey_responses.comment", "churn_events.feedback", "activities.note", "opportunities.loss_reason"]]
-- optional = ["*"]
-- hidden   = ["sides", "told", "said_words", "words_by_group", "comparable_words"]
-- [[method]]
-- name = "log_odds"
-- table = "comparable_words"
-- group = "side"
-- word = "word"
-- users = "customers"
-- adds = ["log_odds", "low", "high", "z", "theme_p"]
-- [metrics]
-- themes = { unit = "n", note = "words that more of a group's customers use than the others explain, under false-discovery control; customers are counted, not uses" }
-- customers_heard = { unit = "n", label = "Customers whose words are in the exports" }
-- lost_theme = { unit = "text" }
-- best_theme = { unit = "text" }
-- [units]
-- log_odds = "ratio"
-- low = "ratio"
-- high = "ratio"
-- [[finding]]
-- level = "watch"
-- table = "lost_themes"
-- when = "place <= 3"
-- key = "{word}"
-- text = "Customers who left spoke more than others of {word}: {customers} of {of_customers}."
-- customers = "customers"
-- [[partial]]
-- when = "select count(*) < 100 from (select party_id from told group by party_id) heard"
-- reason = "Words of fewer than 100 customers are in the exports."
-- bias = "Only very common themes can stand out."
-- [[chart]]
-- kind = "interval_bars"
-- table = "themes_by_group"
-- caption = "Words each group uses more than the others, by log-odds"
-- label = "theme"
-- value = "log_odds"
-- low = "low"
-- high = "high"
-- ///
-- /// table sides
-- Each customer is in one group: the lost first, then the best, then those of over two years.
with ended as (
    select party_id from customers where period = 'current' and ended_on is not null
    union
    select party_id from forecasts where is_lapsed
)

select
    f.party_id,
    case
        when e.party_id is not null then 'lost'
        when f.class = 'A' then 'best'
        when c.customer_since_on <= k.as_of_on - 730 then 'loyal'
        else 'others'
    end as side
from followed f
join customers c on c.period = 'current' and c.party_id = f.party_id
cross join clock k
left join ended e on e.party_id = f.party_id
where f.is_customer
order by f.party_id
-- /// table told
-- Notes of our own people are not the customer's words: of activities only what came in.
select s.side, w.party_id, w.told_in, w.words, w.told_on
from (
    select party_id, 'a ticket' as told_in, coalesce(subject, '') || ' ' || coalesce(description, '') as words, cast(opened_at as date) as told_on
    from tickets
    union all
    select party_id, 'a survey', comment, answered_on from survey_responses
    union all
    select party_id, 'a goodbye', coalesce(feedback, '') || ' ' || coalesce(reason, ''), churned_on from churn_events
    union all
    select party_id, 'a mail', note, cast(happened_at as date)
    from activities
    where lower(coalesce(direction, '')) in ('in', 'inbound', 'incoming', 'received', 'incoming_email')
    union all
    select party_id, 'a lost deal', loss_reason, closed_on from opportunities
) w
join sides s on s.party_id = w.party_id
join clock c on w.told_on <= c.as_of_on
where coalesce(trim(w.words), '') <> ''
order by s.side, w.party_id, w.told_on, w.told_in, w.words
-- /// table said_words
select side, party_id, word
from (
    select side, party_id, unnest(string_split(trim(regexp_replace(lower(left(words, 1000)), '[^\p{L}]+', ' ', 'g')), ' ')) as word
    from told
) each
where length(word) >= 4
group by side, party_id, word
order by side, party_id, word
-- /// table words_by_group
select side, word, count(*) as customers
from said_words
group by side, word
order by side, word
-- /// table comparable_words
-- A word that fewer than five customers use makes no theme of any group.
select w.side, w.word, w.customers, sum(w.customers) over (partition by w.word) as of_all
from words_by_group w
join (select word from words_by_group group by word having sum(customers) >= 5) common on common.word = w.word
order by w.side, w.word
-- /// table themes_by_group
select
    w.side || ': ' || w.word as theme,
    w.side,
    w.word,
    w.customers,
    (select count(distinct s.party_id) from told s where s.side = w.side) as of_customers,
    w.log_odds,
    w.low,
    w.high,
    w.theme_q,
    row_number() over (partition by w.side order by w.z desc, w.word) as place
from comparable_words w
where w.theme_q < 0.05 and w.log_odds > 0 and w.side <> 'others'
order by w.side, place
-- /// table lost_themes
select word, customers, of_customers, log_odds, place
from themes_by_group
where side = 'lost' and theme_q < 0.05
order by place
-- /// table quotes
-- For each theme what the latest three customers said, in full up to 300 characters.
with spoken as (
    select
        h.side,
        h.word,
        left(trim(t.words), 300) as quote,
        t.told_in,
        t.told_on,
        t.party_id,
        row_number() over (partition by h.side, h.word, t.party_id order by t.told_on desc, t.told_in, t.words) as newest
    from themes_by_group h
    join told t
        on t.side = h.side
        and (' ' || regexp_replace(lower(left(t.words, 1000)), '[^\p{L}]+', ' ', 'g') || ' ') like '% ' || h.word || ' %'
    where h.place <= 10 and h.theme_q < 0.05
),

placed as (
    select *, row_number() over (partition by side, word order by told_on desc, party_id) as place
    from spoken
    where newest = 1
)

select s.side, s.word, s.quote, s.told_in, s.told_on, p.customer, s.party_id
from placed s
join parties p on p.party_id = s.party_id
where s.place <= 3
order by s.side, s.word, s.place
-- /// metrics
select
    (select count(*) from themes_by_group) as themes,
    (select count(distinct party_id) from told) as customers_heard,
    (select word from themes_by_group where side = 'lost' and place = 1) as lost_theme,
    (select word from themes_by_group where side = 'best' and place = 1) as best_theme
