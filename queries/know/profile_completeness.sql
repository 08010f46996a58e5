-- /// audit
-- title    = "Complete profiles"
-- question = "Does each return visit teach you more?"
-- why      = "A customer who tells the same things at every visit notices that nobody listens."
-- fix      = "Choose the ten fields that matter, and let every call fill one of those that are empty."
-- headline = ["The profiles of customers are {profile_completeness_pct} complete."]
-- any_of   = [["accounts.account_id", "accounts.name", "contacts.contact_id", "contacts.email", "contacts.name"]]
-- optional = ["*"]
-- hidden   = ["fields", "filled"]
-- [metrics]
-- profile_completeness_pct = { unit = "pct", better = "up", note = "filled share of the fields that matter, over customers, on the CRM's own record of them, and the origin as the audit of origins has it, whose leads and deals tell it too; of a company name, domain, segment, industry, region, origin, owner, size, and an address, a telephone number and a role of a contact; of a person name, address, telephone, region, segment, origin" }
-- completeness_gain_per_touch = { unit = "points", better = "up", note = "needs the history of fields, or two exports of different days" }
-- emptiest_field = { unit = "text" }
-- [[finding]]
-- level = "watch"
-- when = "profile_completeness_pct < 70 and profile_completeness_pct_n >= 20"
-- text = "Customers' profiles are {profile_completeness_pct} complete; the field most often empty is {emptiest_field}."
-- lists = "profiles_to_fill"
-- [[partial]]
-- when = "true"
-- reason = "One export shows how full the profiles are today, not what each visit added."
-- [[chart]]
-- kind = "bars"
-- table = "filled_by_field"
-- caption = "Share of customers of whom the field is filled"
-- label = "field"
-- value = "filled_pct"
-- ///
-- /// table fields
-- At the grain of companies the account's fields and the best of its contacts; at that of persons the contact's.
with companies as (
    select
        party_id,
        max(case when coalesce(trim(name), '') <> '' then 1 else 0 end) as has_name,
        max(case when coalesce(trim(domain), '') <> '' then 1 else 0 end) as has_domain,
        max(case when coalesce(trim(segment), '') <> '' then 1 else 0 end) as has_segment,
        max(case when coalesce(trim(industry), '') <> '' then 1 else 0 end) as has_industry,
        max(case when coalesce(trim(region), '') <> '' then 1 else 0 end) as has_region,
        max(case when coalesce(owner_id, '') <> '' then 1 else 0 end) as has_owner,
        max(case when employees is not null then 1 else 0 end) as has_size
    from accounts
    where party_id is not null
    group by party_id
),

people as (
    select
        party_id,
        max(case when addresses > 0 then 1 else 0 end) as has_address,
        max(case when has_phone then 1 else 0 end) as has_phone,
        max(case when coalesce(role, title, '') <> '' then 1 else 0 end) as has_role
    from contact_records
    where party_id is not null
    group by party_id
),

persons as (
    select
        party_id,
        max(case when coalesce(trim(name), trim(last_name), '') <> '' then 1 else 0 end) as has_name,
        max(case when coalesce(trim(region), '') <> '' then 1 else 0 end) as has_region,
        max(case when coalesce(trim(segment), '') <> '' then 1 else 0 end) as has_segment
    from contacts
    where party_id is not null
    group by party_id
)

select
    f.party_id,
    s.grain,
    coalesce(case when s.grain = 'account' then c.has_name else o.has_name end, 0) as name,
    coalesce(p.has_address, 0) as address,
    coalesce(p.has_phone, 0) as telephone,
    coalesce(case when s.grain = 'account' then c.has_region else o.has_region end, 0) as region,
    coalesce(case when s.grain = 'account' then c.has_segment else o.has_segment end, 0) as segment,
    case when w.party_id is not null then 1 else 0 end as origin,
    case when s.grain = 'account' then coalesce(p.has_role, 0) end as role,
    case when s.grain = 'account' then coalesce(c.has_domain, 0) end as domain,
    case when s.grain = 'account' then coalesce(c.has_industry, 0) end as industry,
    case when s.grain = 'account' then coalesce(c.has_owner, 0) end as owner,
    case when s.grain = 'account' then coalesce(c.has_size, 0) end as size
from followed f
cross join settings s
left join companies c on c.party_id = f.party_id
left join people p on p.party_id = f.party_id
left join persons o on o.party_id = f.party_id
left join party_origins w on w.party_id = f.party_id
order by f.party_id
-- /// table filled
select party_id, field, is_filled
from (
    select party_id, 'name' as field, name as is_filled from fields
    union all
    select party_id, 'address', address from fields
    union all
    select party_id, 'telephone', telephone from fields
    union all
    select party_id, 'region', region from fields
    union all
    select party_id, 'segment', segment from fields
    union all
    select party_id, 'origin', origin from fields
    union all
    select party_id, 'role', role from fields
    union all
    select party_id, 'domain', domain from fields
    union all
    select party_id, 'industry', industry from fields
    union all
    select party_id, 'owner', owner from fields
    union all
    select party_id, 'size', size from fields
) each
where is_filled is not null
order by party_id, field
-- /// table filled_by_field
select field, count(*) as customers, sum(is_filled) as filled, 100.0 * sum(is_filled) / count(*) as filled_pct
from filled
group by field
order by sum(is_filled), field
-- /// table profiles_to_fill
select p.customer, p.class, p.revenue_amount, 100.0 * sum(f.is_filled) / count(*) as complete_pct, p.owner_id, p.party_id
from filled f
join followed p on p.party_id = f.party_id
group by p.customer, p.class, p.revenue_amount, p.owner_id, p.party_id
having sum(f.is_filled) < count(*)
order by p.revenue_amount desc nulls last, p.party_id
-- /// metrics
select
    100.0 * sum(is_filled) / nullif(count(*), 0) as profile_completeness_pct,
    count(distinct party_id) as profile_completeness_pct_n,
    cast(null as double) as completeness_gain_per_touch,
    (select field from filled_by_field where filled < customers order by filled, field limit 1) as emptiest_field
from filled
