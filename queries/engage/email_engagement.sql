-- /// audit
-- title    = "Mail engagement"
-- question = "Who receives, opens, clicks, unsubscribes, and which content?"
-- why      = "A list that is not read trains the mail providers to sort you out, for everybody."
-- fix      = "Export sends, opens, clicks and unsubscribes with the campaign and the address, one row per event."
-- headline = ["Of {mails|mail|mails} {open_rate_pct} were opened, {click_rate_pct} clicked; [hot_contacts: {hot_contacts|person is|people are} | nobody is] hot.", "Of {mails|mail|mails} {click_rate_pct} were clicked."]
-- any_of   = [["campaign_touches.kind"], ["campaign_touches.happened_at"], ["campaign_touches.email", "campaign_touches.contact_id"]]
-- optional = ["*"]
-- hidden   = ["mail_events", "mails_by_person"]
-- [[method]]
-- name = "rates"
-- table = "by_campaign"
-- successes = "clicked"
-- trials = "delivered"
-- shrink = true
-- compare = true
-- [metrics]
-- open_rate_pct = { unit = "pct", better = "up", note = "people who opened a campaign at least once, of those it was delivered to; machines open mails too, so it is an upper bound" }
-- click_rate_pct = { unit = "pct", better = "up", note = "people who clicked, of those it was delivered to" }
-- unsubscribe_rate_pct = { unit = "pct", better = "down", note = "people who unsubscribed from a campaign, of those it was delivered to" }
-- bounce_rate_pct = { unit = "pct", better = "down", note = "of the mails sent" }
-- hot_contacts = { unit = "n", better = "up", note = "clicked at least twice on different days of the last 90, and have not unsubscribed" }
-- warm_contacts = { unit = "n", better = "up", note = "opened or clicked in the last 90 days, not hot, and have not unsubscribed" }
-- mails = { unit = "n" }
-- [[finding]]
-- level = "good"
-- when = "hot_contacts > 0"
-- text = "{hot_contacts|person|people} clicked again and again in the last 90 days: call them."
-- lists = "hot_and_warm"
-- [[finding]]
-- level = "watch"
-- when = "bounce_rate_pct > 5 and mails >= 100"
-- text = "{bounce_rate_pct} of the mails bounce; over 5 % providers begin to refuse the others."
-- [[finding]]
-- level = "watch"
-- table = "by_campaign"
-- when = "differs_q < 0.05 and rate_pct < (select 100.0 * sum(clicked) / nullif(sum(delivered), 0) from by_campaign)"
-- key = "{campaign}"
-- text = "{campaign} was clicked less than the others: {clicked} of {delivered}."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_campaign"
-- caption = "Share of recipients who clicked, by campaign"
-- label = "campaign"
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- ///
-- /// table mail_events
select
    coalesce(lower(trim(t.email)), t.system || ' ' || t.contact_id) as person,
    t.party_id,
    coalesce(nullif(trim(t.campaign), ''), 'without a name') as campaign,
    case
        when regexp_matches(lower(t.kind), 'unsubscri|opt.?out|spam|complain') then 'unsubscribe'
        when regexp_matches(lower(t.kind), 'bounce|fail|reject') then 'bounce'
        when regexp_matches(lower(t.kind), 'click') then 'click'
        when regexp_matches(lower(t.kind), 'open') then 'open'
        when regexp_matches(lower(t.kind), '^deliver') then 'delivered'
        when regexp_matches(lower(t.kind), '^(sent|send|email|mail)') then 'sent'
    end as kind,
    cast(t.happened_at as date) as day_on
from campaign_touches t
cross join clock c
where coalesce(t.email, t.contact_id) is not null and cast(t.happened_at as date) <= c.as_of_on
order by 1, 3, 5, 4
-- /// table mails_by_person
-- Opened, or clicked, or unsubscribed, is delivered, whatever the tool recorded of the delivery.
select
    e.campaign,
    e.person,
    max(case when e.kind in ('sent', 'delivered', 'open', 'click', 'unsubscribe', 'bounce') then 1 else 0 end) as was_sent,
    case
        when max(case when e.kind in ('open', 'click', 'unsubscribe', 'delivered') then 1 else 0 end) = 1 then 1
        else 1 - max(case when e.kind = 'bounce' then 1 else 0 end)
    end as was_delivered,
    max(case when e.kind in ('open', 'click') then 1 else 0 end) as has_opened,
    max(case when e.kind = 'click' then 1 else 0 end) as has_clicked,
    max(case when e.kind = 'unsubscribe' then 1 else 0 end) as has_unsubscribed,
    max(case when e.kind = 'bounce' then 1 else 0 end) as has_bounced
from mail_events e
join periods p on p.period = 'current'
where e.kind is not null and e.day_on > p.start_on and e.day_on <= p.end_on
group by e.campaign, e.person
order by e.campaign, e.person
-- /// table by_campaign
select
    campaign,
    cast(sum(was_sent) as bigint) as mails,
    cast(sum(was_delivered) as bigint) as delivered,
    cast(sum(has_opened) as bigint) as opened,
    cast(sum(has_clicked) as bigint) as clicked,
    cast(sum(has_unsubscribed) as bigint) as unsubscribed,
    cast(sum(has_bounced) as bigint) as bounced,
    100.0 * sum(has_opened) / nullif(sum(was_delivered), 0) as opened_pct
from mails_by_person
group by campaign
order by sum(was_sent) desc, campaign
-- /// table hot_and_warm
with lately as (
    select
        e.person,
        max(e.party_id) as party_id,
        count(distinct e.day_on) filter (where e.kind = 'click') as click_days,
        max(e.day_on) as last_on
    from mail_events e
    cross join clock c
    where e.kind in ('open', 'click') and e.day_on > c.as_of_on - 90
    group by e.person
),

gone as (
    select distinct person from mail_events where kind = 'unsubscribe'
)

select
    case when l.click_days >= 2 then 'hot' else 'warm' end as warmth,
    l.person,
    p.customer,
    f.class,
    p.owner_id,
    l.click_days,
    l.last_on
from lately l
left join gone g on g.person = l.person
left join parties p on p.party_id = l.party_id
left join followed f on f.party_id = l.party_id
where g.person is null
order by l.click_days desc, l.last_on desc, l.person
-- /// metrics
select
    sum(was_sent) as mails,
    case when sum(has_opened) > 0 then 100.0 * sum(has_opened) / nullif(sum(was_delivered), 0) end as open_rate_pct,
    sum(was_delivered) as open_rate_pct_n,
    case when sum(has_clicked) > 0 then 100.0 * sum(has_clicked) / nullif(sum(was_delivered), 0) end as click_rate_pct,
    sum(was_delivered) as click_rate_pct_n,
    100.0 * sum(has_unsubscribed) / nullif(sum(was_delivered), 0) as unsubscribe_rate_pct,
    sum(was_delivered) as unsubscribe_rate_pct_n,
    100.0 * sum(has_bounced) / nullif(sum(was_sent), 0) as bounce_rate_pct,
    (select count(*) from hot_and_warm where warmth = 'hot') as hot_contacts,
    (select count(*) from hot_and_warm where warmth = 'warm') as warm_contacts
from mails_by_person
