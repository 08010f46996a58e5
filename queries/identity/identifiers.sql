-- /// model
-- title = "What is known of each record that could tie it to another"
-- ///
-- Shorter than any country's, or one digit over and over, a tax number was put in to get past a form. Of a telephone
-- number the last nine digits tell it with or without its country; one that several records of a system have is a
-- switchboard's, a branch office's or an agent's, and ties nobody.
with tax_numbers as (
    select system, account_id, name, email, number
    from (
        select
            *,
            upper(regexp_replace(tax_id, '[^A-Za-z0-9]+', '', 'g')) as number,
            regexp_replace(tax_id, '[^0-9]+', '', 'g') as digits
        from loaded.accounts
        where tax_id is not null
    ) told
    where length(number) >= 8
        and digits <> repeat(left(digits, 1), length(digits))
),

called as (
    select system, account_id, null as contact_id, name as account_name, email, phone
    from loaded.accounts
    where phone is not null
    union all
    select system, account_id, contact_id, account_name, email, phone
    from loaded.contacts
    where phone is not null
),

phone_numbers as (
    select r.record, r.system, right(c.digits, 9) as number
    from (
        select
            *,
            regexp_replace(regexp_replace(lower(phone), '(ext|extension|durchwahl|x)[ .:]*[0-9]+$', ''), '[^0-9]+', '', 'g') as digits
        from called
    ) c
    join "references" r
        on r.system = c.system
        and r.account_id is not distinct from c.account_id
        and r.contact_id is not distinct from c.contact_id
        and r.account_name is not distinct from c.account_name
        and r.email is not distinct from c.email
        and r.lead_id is null
    where length(c.digits) between 9 and 15
        and right(c.digits, 9) not in ('123456789', '234567890')
        and right(c.digits, 7) <> repeat(right(c.digits, 1), 7)
),

own_numbers as (
    select number
    from phone_numbers
    group by number
    having count(distinct record) = count(distinct system)
),

known as (
    select record, 'id' as kind, 'account ' || system || ' ' || account_id as value
    from "references"
    where account_id is not null
    union all
    select record, 'id', 'contact ' || system || ' ' || contact_id
    from "references"
    where contact_id is not null
    union all
    select record, 'id', 'lead ' || system || ' ' || lead_id
    from "references"
    where lead_id is not null
    union all
    select r.record, 'id', 'lead ' || l.system || ' ' || l.lead_id
    from loaded.leads l
    join loaded.opportunities o on o.system = l.system and o.opportunity_id = l.opportunity_id
    join "references" r
        on r.system = o.system
        and r.account_id is not distinct from o.account_id
        and r.contact_id is not distinct from o.contact_id
        and r.lead_id is not distinct from o.lead_id
        and r.account_name is not distinct from o.account_name
        and r.email is not distinct from o.email
    union all
    select record, 'email', lower(trim(email))
    from "references"
    where email is not null
    union all
    select r.record, 'domain', d.registered
    from "references" r
    join domains d on d.host = lower(trim(split_part(r.email, '@', 2)))
    cross join settings s
    where s.grain = 'account' and not d.is_shared
    union all
    select r.record, 'domain', d.registered
    from loaded.accounts a
    join "references" r
        on r.system = a.system
        and r.account_id is not distinct from a.account_id
        and r.account_name is not distinct from a.name
        and r.email is not distinct from a.email
        and r.contact_id is null
        and r.lead_id is null
    join domains d on d.host = a.domain
    cross join settings s
    where s.grain = 'account' and not d.is_shared
    union all
    select r.record, 'tax id', a.number
    from tax_numbers a
    join "references" r
        on r.system = a.system
        and r.account_id is not distinct from a.account_id
        and r.account_name is not distinct from a.name
        and r.email is not distinct from a.email
        and r.contact_id is null
        and r.lead_id is null
    cross join settings s
    where s.grain = 'account'
    union all
    select p.record, 'phone', p.number
    from phone_numbers p
    join own_numbers o on o.number = p.number
    union all
    select r.record, 'name', n.key
    from "references" r
    join name_keys n on n.name = r.account_name
    cross join settings s
    where s.grain = 'account' and n.key <> ''
)

select distinct record, kind, value
from known
