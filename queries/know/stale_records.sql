-- /// audit
-- title    = "Dead weight in the database"
-- question = "How much of the database is dead weight?"
-- why      = "Every list that is drawn from it is paid for, mailed and believed."
-- fix      = "Once a quarter, ask those who were silent for two years whether they still want to hear from you, and archive the others."
-- headline = ["{stale_contacts_pct} of the contacts have given no sign of life for 24 months; {bounced_contacts_pct} of the addresses bounce.", "{bounced_contacts_pct} of the contacts' addresses bounce; no export says when anybody was last heard of."]
-- any_of   = [["contacts.contact_id", "contacts.email", "contacts.name"]]
-- optional = ["*"]
-- hidden   = ["last_signs"]
-- [metrics]
-- stale_contacts_pct = { unit = "pct", better = "down", note = "of the contacts created at least 24 months ago: no call, mail, ticket, answer, opening or purchase of the person since; mails of ours alone are no sign of life" }
-- bounced_contacts_pct = { unit = "pct", better = "down", note = "of all contacts: flagged, or a mail came back" }
-- departed_contacts = { unit = "n", better = "down", note = "deceased, left or moved by the status of the contact" }
-- stale_of_all_pct = { unit = "pct", better = "down", note = "another definition of stale_contacts_pct: over all contacts, those of the last 24 months counted as fresh" }
-- [[finding]]
-- level = "watch"
-- when = "stale_contacts_pct > 25 and stale_contacts_pct_n >= 20"
-- text = "{stale|contact has|contacts have} given no sign of life for 24 months."
-- lists = "stale_contacts"
-- [[finding]]
-- level = "watch"
-- when = "bounced_contacts_pct > 5"
-- text = "Mails to {bounced|contact|contacts} come back."
-- lists = "stale_contacts"
-- [[partial]]
-- when = "select not exists (select 1 from touches where contact_number is not null)"
-- reason = "No activity, mail, ticket or answer names a person, so nobody's last sign of life is known."
-- [[partial]]
-- when = "select min(happened_on) > max(c.as_of_on - to_months(24)) from touches cross join clock c where contact_number is not null"
-- reason = "The exports of activities and mails begin less than 24 months ago."
-- bias = "Who was heard of before them counts as silent."
-- [[chart]]
-- kind = "bars"
-- table = "silence"
-- caption = "Contacts by the time since their last sign of life"
-- label = "last_sign"
-- value = "contacts"
-- ///
-- /// table last_signs
-- At the grain of persons a purchase is the person's; at that of companies nobody knows whose it was.
with signs as (
    select contact_number, happened_on as sign_on
    from touches
    where contact_number is not null and (department <> 'campaign' or is_from_them)
    union all
    select r.contact_number, c.last_purchase_on
    from contact_records r
    join customers c on c.period = 'current' and c.party_id = r.party_id
    join settings s on s.grain = 'person'
    where c.last_purchase_on is not null
),

latest as (
    select contact_number, max(sign_on) as last_sign_on
    from signs
    group by contact_number
)

select
    r.contact_number,
    r.party_id,
    r.contact,
    r.owner_id,
    r.created_on,
    l.last_sign_on,
    r.is_bounced,
    r.has_left,
    case when exists (select 1 from signs)
        then coalesce(greatest(l.last_sign_on, r.created_on), date '1900-01-01') <= c.as_of_on - to_months(24)
    end as is_stale,
    coalesce(r.created_on <= c.as_of_on - to_months(24), true) as is_old
from contact_records r
left join latest l on l.contact_number = r.contact_number
cross join clock c
order by r.contact_number
-- /// table silence
select
    case
        when last_sign_on is null then 'never'
        when date_diff('day', last_sign_on, c.as_of_on) <= 90 then 'within 90 days'
        when date_diff('day', last_sign_on, c.as_of_on) <= 365 then 'within a year'
        when date_diff('day', last_sign_on, c.as_of_on) <= 730 then 'within two years'
        else 'longer ago'
    end as last_sign,
    count(*) as contacts,
    100.0 * count(*) / sum(count(*)) over () as contacts_pct
from last_signs
cross join clock c
where is_stale is not null
group by 1
order by count(*) desc, 1
-- /// table stale_contacts
select l.contact, f.customer, f.class, l.last_sign_on, l.created_on, l.is_bounced, l.has_left as is_departed, l.owner_id, l.contact_number
from last_signs l
left join followed f on f.party_id = l.party_id
where l.is_stale or l.is_bounced or l.has_left
order by f.revenue_amount desc nulls last, l.last_sign_on nulls first, l.contact_number
-- /// metrics
select
    100.0 * count(*) filter (where is_stale and is_old) / nullif(count(is_stale) filter (where is_old), 0) as stale_contacts_pct,
    count(is_stale) filter (where is_old) as stale_contacts_pct_n,
    100.0 * count(*) filter (where is_bounced) / nullif(count(*), 0) as bounced_contacts_pct,
    count(*) as bounced_contacts_pct_n,
    count(*) filter (where has_left) as departed_contacts,
    100.0 * count(*) filter (where is_stale) / nullif(count(is_stale), 0) as stale_of_all_pct,
    count(*) filter (where is_stale) as stale,
    count(*) filter (where is_bounced) as bounced
from last_signs
