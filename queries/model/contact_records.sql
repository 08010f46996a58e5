-- /// model
-- title    = "Each person the CRM knows, with the addresses that can be used"
-- any_of   = [["contacts.contact_id", "contacts.email", "contacts.name", "contacts.last_name"]]
-- optional = ["*"]
-- ///
-- An address can be used where it has the form of one and no mail to it has bounced.
with listed as (
    select
        row_number() over (order by system, contact_id, email, name, last_name, first_name, account_id, source_id) as contact_number,
        *
    from contacts
),

written as (
    select
        contact_number,
        lower(trim(unnest(string_split(replace(coalesce(email, '') || ';' || coalesce(other_emails, ''), ',', ';'), ';')))) as address
    from listed
),

bounced as (
    select distinct lower(trim(email)) as address
    from campaign_touches
    where lower(kind) like '%bounce%' and email is not null
),

usable as (
    select w.contact_number, count(distinct w.address) as addresses
    from written w
    left join bounced b on b.address = w.address
    where regexp_matches(w.address, '^[^@ ,;<>()]+@[^@ ,;<>()]+[.][^@ .,;<>()]+$') and b.address is null
    group by w.contact_number
)

select
    l.contact_number,
    l.party_id,
    l.system,
    l.contact_id,
    coalesce(l.name, nullif(trim(coalesce(l.first_name, '') || ' ' || coalesce(l.last_name, '')), ''), l.email, l.contact_id) as contact,
    lower(trim(l.email)) as email,
    case
        when coalesce(l.is_bounced, false) or lower(coalesce(l.status, '')) like '%bounce%' then 0
        else coalesce(u.addresses, 0)
    end as addresses,
    coalesce(l.is_bounced, false) or lower(coalesce(l.status, '')) like '%bounce%' or b.address is not null as is_bounced,
    length(regexp_replace(coalesce(l.phone, ''), '[^0-9]', '', 'g')) >= 6 as has_phone,
    regexp_matches(lower(coalesce(l.status, '')), '(deceased|dead|departed|left|moved|former|no longer|inactive)') as has_left,
    coalesce(l.is_opted_out, false) or regexp_matches(lower(coalesce(l.status, '')), '(unsubscribed|opted.?out)') as is_opted_out,
    lower(trim(l.role)) as role,
    lower(trim(l.title)) as title,
    nullif(trim(l.preference), '') as preference,
    coalesce(trim(l.note), '') <> '' as has_note,
    l.owner_id,
    l.created_on
from listed l
left join usable u on u.contact_number = l.contact_number
left join bounced b on b.address = lower(trim(l.email))
