-- /// audit
-- title    = "Consent"
-- question = "Do you respect what people opted into?"
-- why      = "A mail after the opt-out costs a customer, a fine, or the domain's good name."
-- fix      = "Keep every opt-in and opt-out with its day and purpose, and let the mailing tool read that list before each send."
-- headline = ["{mailed_after_unsubscribe|mail|mails} went to people who had opted out, {mailed_without_consent} to people without any consent on record.", "{mailed_after_unsubscribe|mail|mails} went to people who had opted out; whether others had consented no export says.", "{mailed_without_consent|mail|mails} went to people without any consent on record; the days of opt-outs are in no export."]
-- any_of   = [["consents.changed_on", "contacts.is_opted_out", "contacts.status", "campaign_touches.kind"]]
-- optional = ["campaign_touches.email", "campaign_touches.contact_id", "campaign_touches.campaign", "contact_records", "consents.purpose", "consents.is_granted", "consents.changed_on", "consents.email", "consents.contact_id", "campaign_touches.touch_id", "contacts.is_opted_out", "contacts.status"]
-- hidden   = ["choices", "sends", "judged_sends"]
-- [metrics]
-- mailed_without_consent = { unit = "n", better = "down", note = "mails of the window to people of whom no opt-in was on record that day" }
-- mailed_after_unsubscribe = { unit = "n", better = "down", note = "mails of the window sent on a later day than the last choice, when that was an opt-out" }
-- consent_known_pct = { unit = "pct", better = "up", label = "Mails to people whose choice is known", note = "mails of the window to people with any choice on record that day" }
-- mailed_though_flagged = { unit = "n", better = "down", note = "mails of the window to people who carry an opt-out without a day: before or after it nobody can say" }
-- [[finding]]
-- level = "act"
-- when = "mailed_after_unsubscribe > 0"
-- text = "People were mailed after they had opted out: {people_mailed_after} of them, {mailed_after_unsubscribe} times in the window."
-- lists = "mailed_after"
-- [[finding]]
-- level = "watch"
-- when = "mailed_without_consent > 0"
-- text = "Mailed without any consent on record: {mailed_without_consent} times."
-- lists = "mailed_without"
-- [[partial]]
-- when = "select not exists (select 1 from choices)"
-- reason = "The days of opt-ins and opt-outs are in no export, so no mail can be judged by them."
-- [[partial]]
-- when = "select exists (select 1 from choices) and not exists (select 1 from choices where is_granted)"
-- reason = "Opt-outs have days, opt-ins have not: whether mails had consent cannot be judged."
-- ///
-- /// table choices
-- Of several choices on one day an opt-out counts.
with made as (
    select system, contact_id, lower(trim(email)) as email, changed_on as chosen_on, is_granted
    from consents
    where changed_on is not null and is_granted is not null
    union all
    select system, contact_id, lower(trim(email)), cast(happened_at as date), false
    from campaign_touches
    where regexp_matches(lower(kind), 'unsubscri|opt.?out|spam.?report|complain') and happened_at is not null
)

select coalesce(email, system || ' ' || contact_id) as person, chosen_on, bool_and(is_granted) as is_granted
from made
where coalesce(email, contact_id) is not null
group by 1, 2
order by 1, 2
-- /// table sends
select
    coalesce(lower(trim(t.email)), t.system || ' ' || t.contact_id) as person,
    cast(t.happened_at as date) as sent_on,
    t.campaign,
    count(*) as mails
from campaign_touches t
join periods p on p.period = 'current'
where regexp_matches(lower(t.kind), '^(sent|send|email|delivered|mail)')
    and cast(t.happened_at as date) > p.start_on
    and cast(t.happened_at as date) <= p.end_on
    and coalesce(t.email, t.contact_id) is not null
    and (
        not regexp_matches(lower(t.kind), '^delivered')
        or not exists (select 1 from campaign_touches s where regexp_matches(lower(s.kind), '^(sent|send|email|mail)'))
    )
group by 1, 2, 3
order by 1, 2, 3
-- /// table judged_sends
-- The choice that stood when the mail went: the last one of an earlier day, and an opt-in of the same day.
with standing as (
    select
        s.person,
        s.sent_on,
        s.campaign,
        s.mails,
        max(c.chosen_on) filter (where c.is_granted and c.chosen_on <= s.sent_on) as granted_on,
        max(c.chosen_on) filter (where not c.is_granted and c.chosen_on < s.sent_on) as withdrawn_on
    from sends s
    left join choices c on c.person = s.person
    group by s.person, s.sent_on, s.campaign, s.mails
)

select
    person,
    sent_on,
    campaign,
    mails,
    withdrawn_on,
    case
        when withdrawn_on is not null and (granted_on is null or granted_on <= withdrawn_on) then 'after an opt-out'
        when granted_on is not null then 'with consent'
        else 'no choice on record'
    end as verdict
from standing
order by person, sent_on, campaign
-- /// table mailed_after
select person, sent_on, campaign, mails, withdrawn_on
from judged_sends
where verdict = 'after an opt-out'
order by sent_on desc, person, campaign
-- /// table mailed_without
select person, min(sent_on) as first_sent_on, max(sent_on) as last_sent_on, sum(mails) as mails
from judged_sends
where verdict = 'no choice on record' and exists (select 1 from choices where is_granted)
group by person
order by sum(mails) desc, person
-- /// table verdicts
select verdict, sum(mails) as mails, count(distinct person) as people, 100.0 * sum(mails) / sum(sum(mails)) over () as mails_pct
from judged_sends
group by verdict
order by verdict
-- /// metrics
with flagged as (
    select email as person from contact_records where is_opted_out and email <> ''
    union
    select system || ' ' || contact_id from contact_records where is_opted_out and contact_id is not null
)

select
    case when exists (select 1 from choices where is_granted)
        then coalesce(sum(mails) filter (where verdict = 'no choice on record'), 0) end as mailed_without_consent,
    case when exists (select 1 from choices) then sum(mails) end as mailed_without_consent_n,
    case when exists (select 1 from choices)
        then coalesce(sum(mails) filter (where verdict = 'after an opt-out'), 0) end as mailed_after_unsubscribe,
    case when exists (select 1 from choices)
        then 100.0 * coalesce(sum(mails) filter (where verdict <> 'no choice on record'), 0) / nullif(sum(mails), 0) end as consent_known_pct,
    sum(mails) as consent_known_pct_n,
    (select count(distinct person) from mailed_after) as people_mailed_after,
    coalesce(sum(mails) filter (where verdict = 'no choice on record' and person in (select person from flagged)), 0) as mailed_though_flagged
from judged_sends
