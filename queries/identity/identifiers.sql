-- /// model
-- title = "What is known of each record that could tie it to another"
-- ///
-- Shorter than any country's, or one digit over and over, a tax number was put in to get past a form. Of a telephone
-- number the whole national one counts, and its country where both name it; one that several records of a system have is
-- a switchboard's, a branch office's or an agent's, and ties nobody; nor does it tie persons, who share theirs at home.
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

dialled as (
    select
        r.record,
        r.system,
        case
            when c.is_abroad
                then regexp_extract(c.digits, '^(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})', 1)
        end as country,
        c.digits
    from (
        select
            *,
            regexp_matches(trim(phone), '^([+]|00)') as is_abroad,
            regexp_replace(
                regexp_replace(
                    regexp_replace(lower(phone), '(;?ext[.]?|extension|durchwahl|dw|x|#)[ .:=]*[0-9]+$|[(]0[)]|[.]0$', '', 'g'), '[^0-9]+', '', 'g'
                ),
                '^0+', ''
            ) as digits
        from called
    ) c
    join "references" r
        on r.system = c.system
        and r.account_id is not distinct from c.account_id
        and r.contact_id is not distinct from c.contact_id
        and r.account_name is not distinct from c.account_name
        and r.email is not distinct from c.email
        and r.lead_id is null
),

phone_numbers as (
    select record, system, country, number
    from (
        select record, system, country, substr(digits, length(coalesce(country, '')) + 1) as number
        from dialled
    ) national
    where length(number) between 9 and 12
        and not contains('01234567890123456789', right(number, 7))
        and not contains('98765432109876543210', right(number, 7))
        and right(number, 7) <> repeat(right(number, 1), 7)
),

shared_numbers as (
    select number
    from phone_numbers
    group by number, system
    having count(distinct record) > 1
    union
    select number
    from phone_numbers
    group by number
    having count(distinct country) > 1
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
    cross join settings s
    where s.grain = 'account' and p.number not in (select number from shared_numbers)
    union all
    select r.record, 'whole name', n.whole
    from "references" r
    join name_keys n on n.name = r.account_name
    cross join settings s
    where s.grain = 'account' and n.key <> ''
    union all
    select r.record, 'name', n.key
    from "references" r
    join name_keys n on n.name = r.account_name
    cross join settings s
    where s.grain = 'account' and n.key <> ''
)

select distinct record, kind, value
from known
