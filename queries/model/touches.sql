-- /// model
-- title    = "What passed between us and people: calls, meetings, mails, campaigns, tickets, answers to surveys"
-- any_of   = [["activities.happened_at", "campaign_touches.happened_at", "tickets.opened_at", "survey_responses.answered_on"]]
-- optional = ["*"]
-- ///
-- A conversation is a meeting that took place, a call that somebody answered, or a mail of theirs; never a campaign.
with passed as (
    select
        'activity' as department,
        coalesce(lower(trim(kind)), 'activity') as kind,
        party_id,
        system,
        contact_id,
        lower(trim(email)) as email,
        owner_id as colleague_id,
        cast(happened_at as date) as happened_on,
        lower(coalesce(direction, '')) in ('in', 'inbound', 'incoming', 'received', 'incoming_email') as is_from_them,
        case
            when regexp_matches(lower(kind), '(meeting|demo|visit|lunch|appointment|event)')
                then not regexp_matches(lower(coalesce(outcome, '')), '(no.?show|cancel|reschedul)')
            when regexp_matches(lower(kind), '(call|phone)')
                then not regexp_matches(lower(coalesce(outcome, '')), '(no.?answer|voice.?mail|left.*message|busy|wrong number|not connected|unreach|missed|no contact)')
            when regexp_matches(lower(kind), '(mail|message|chat|sms)')
                then lower(coalesce(direction, '')) in ('in', 'inbound', 'incoming', 'received', 'incoming_email')
            else false
        end as is_conversation
    from activities
    where happened_at is not null
    union all
    select
        'campaign', coalesce(lower(trim(kind)), 'campaign'), party_id, system, contact_id, lower(trim(email)), owner_id,
        cast(happened_at as date), regexp_matches(lower(coalesce(kind, '')), '(open|click|unsubscri|repl)'), false
    from campaign_touches
    where happened_at is not null
    union all
    select 'ticket', 'ticket', party_id, system, contact_id, lower(trim(email)), agent_id, cast(opened_at as date), true, false
    from tickets
    where opened_at is not null
    union all
    select 'survey', 'survey', party_id, system, contact_id, lower(trim(email)), null, answered_on, true, false
    from survey_responses
    where answered_on is not null
),

by_id as (
    select system, contact_id, min(contact_number) as contact_number
    from contact_records
    where contact_id is not null
    group by system, contact_id
),

by_email as (
    select email, min(contact_number) as contact_number
    from contact_records
    where email <> ''
    group by email
)

select
    p.department,
    p.kind,
    p.party_id,
    coalesce(i.contact_number, e.contact_number) as contact_number,
    p.colleague_id,
    p.happened_on,
    p.is_from_them,
    p.is_conversation
from passed p
cross join clock c
left join by_id i on i.system = p.system and i.contact_id = p.contact_id
left join by_email e on e.email = p.email
where date_diff('day', p.happened_on, c.as_of_on) >= 0
