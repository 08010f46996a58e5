-- /// audit
-- title    = "Preferences of contacts"
-- question = "Do you know how each contact wants to be reached?"
-- why      = "Who is called when they asked for mail stops listening to both."
-- fix      = "Ask every contact once how they want to be reached, and keep the answer in a field, not in a head."
-- headline = ["Of {contacts_with_preference_pct} of the contacts you know how they want to be reached, most often by {top_preference}.", "Of {contacts_with_preference_pct} of the contacts you know how they want to be reached."]
-- any_of   = [["contacts.preference"]]
-- optional = ["*"]
-- [metrics]
-- contacts_with_preference_pct = { unit = "pct", better = "up", note = "of all contacts in the CRM" }
-- top_preference = { unit = "text" }
-- [[finding]]
-- level = "watch"
-- when = "contacts_with_preference_pct < 50"
-- text = "Of {without_preference|contact|contacts} nobody knows how they want to be reached."
-- lists = "to_ask"
-- [[chart]]
-- kind = "bars"
-- table = "preferences"
-- caption = "How contacts want to be reached"
-- label = "preference"
-- value = "contacts"
-- ///
-- /// table preferences
select
    coalesce(lower(preference), 'unknown') as preference,
    count(*) as contacts,
    100.0 * count(*) / sum(count(*)) over () as contacts_pct
from contact_records
group by 1
order by count(*) desc, 1
-- /// table preference_by_part
with parts as (
    select 'class' as part, f.class as value, c.preference
    from contact_records c
    join followed f on f.party_id = c.party_id and f.class is not null
    union all
    select 'owner', coalesce(c.owner_id, f.owner_id), c.preference
    from contact_records c
    left join followed f on f.party_id = c.party_id and f.owner_id <> 'nobody'
)

select
    part,
    value,
    count(*) as contacts,
    count(preference) as with_preference,
    100.0 * count(preference) / count(*) as with_preference_pct
from parts
where value is not null
group by part, value
order by part, count(*) desc, value
-- /// table to_ask
select c.contact, f.customer, f.class, f.revenue_amount, c.owner_id, c.contact_number
from contact_records c
left join followed f on f.party_id = c.party_id
where c.preference is null
order by f.revenue_amount desc nulls last, c.contact_number
-- /// metrics
select
    100.0 * count(preference) / nullif(count(*), 0) as contacts_with_preference_pct,
    count(*) as contacts_with_preference_pct_n,
    count(*) - count(preference) as without_preference,
    (select preference from preferences where preference <> 'unknown' order by contacts desc, preference limit 1) as top_preference
from contact_records
