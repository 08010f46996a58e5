-- /// audit
-- title    = "Personal notes"
-- question = "Do you know the person, not only the account?"
-- why      = "People buy from people who remember them; what is not written down leaves with the colleague."
-- fix      = "After every meeting write one line about the person, in the field for notes of the contact."
-- headline = ["{contacts_with_personal_note_pct} of the contacts have a personal note."]
-- any_of   = [["contacts.note"]]
-- optional = ["*"]
-- [metrics]
-- contacts_with_personal_note_pct = { unit = "pct", better = "up", note = "of all contacts in the CRM; the notes themselves are in no report" }
-- a_contacts_with_personal_note_pct = { unit = "pct", better = "up", label = "The same of A customers" }
-- [[finding]]
-- level = "watch"
-- when = "contacts_with_personal_note_pct < 50"
-- text = "{without_note} of {contacts_with_personal_note_pct_n} contacts have no personal note."
-- lists = "without_personal_note"
-- [[chart]]
-- kind = "bars"
-- table = "notes_by_part"
-- caption = "Share of contacts with a personal note, by class of customer and owner"
-- label = "value"
-- value = "with_note_pct"
-- ///
-- /// table notes_by_part
with parts as (
    select 'class' as part, f.class as value, c.has_note
    from contact_records c
    join followed f on f.party_id = c.party_id and f.class is not null
    union all
    select 'owner', coalesce(c.owner_id, f.owner_id), c.has_note
    from contact_records c
    left join followed f on f.party_id = c.party_id and f.owner_id <> 'nobody'
)

select
    part,
    value,
    count(*) as contacts,
    count(*) filter (where has_note) as with_note,
    100.0 * count(*) filter (where has_note) / count(*) as with_note_pct
from parts
where value is not null
group by part, value
order by part, count(*) desc, value
-- /// table without_personal_note
select c.contact, f.customer, f.class, f.revenue_amount, c.owner_id, c.contact_number
from contact_records c
left join followed f on f.party_id = c.party_id
where not c.has_note
order by f.revenue_amount desc nulls last, c.contact_number
-- /// metrics
select
    100.0 * count(*) filter (where has_note) / nullif(count(*), 0) as contacts_with_personal_note_pct,
    count(*) as contacts_with_personal_note_pct_n,
    (select max(with_note_pct) from notes_by_part where part = 'class' and value = 'A') as a_contacts_with_personal_note_pct,
    (select max(contacts) from notes_by_part where part = 'class' and value = 'A') as a_contacts_with_personal_note_pct_n,
    count(*) filter (where not has_note) as without_note
from contact_records
