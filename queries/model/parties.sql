-- /// model
-- title    = "Everyone: customers and prospects, with what the CRM says of them"
-- optional = ["accounts.account_id", "accounts.name", "accounts.segment", "accounts.industry", "accounts.region", "accounts.origin", "accounts.owner_id", "accounts.created_on", "accounts.customer_since_on", "accounts.plan", "contacts.contact_id", "contacts.name", "contacts.first_name", "contacts.last_name", "contacts.segment", "contacts.region", "contacts.origin", "contacts.owner_id", "contacts.created_on", "contacts.email", "contacts.plan", "contacts.customer_since_on", "contacts.account_id", "colleagues"]
-- ///
with companies as (
    select
        party_id,
        min_by(name, coalesce(system, '') || coalesce(account_id, name)) as name,
        min_by(segment, coalesce(system, '') || coalesce(account_id, name)) as segment,
        min_by(industry, coalesce(system, '') || coalesce(account_id, name)) as industry,
        min_by(region, coalesce(system, '') || coalesce(account_id, name)) as region,
        min_by(origin, coalesce(system, '') || coalesce(account_id, name)) as origin,
        min_by(owner_id, coalesce(system, '') || coalesce(account_id, name)) as owner_id,
        min_by(case when owner_id is not null then coalesce(system, '') end, coalesce(system, '') || coalesce(account_id, name)) as owner_system,
        min(created_on) as created_on,
        min(customer_since_on) as customer_since_on
    from accounts
    where party_id is not null
    group by party_id
),

people as (
    select
        party_id,
        min_by(coalesce(name, trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), email), coalesce(system, '') || contact_id) as name,
        min_by(segment, coalesce(system, '') || contact_id) as segment,
        min_by(region, coalesce(system, '') || contact_id) as region,
        min_by(origin, coalesce(system, '') || contact_id) as origin,
        min_by(owner_id, coalesce(system, '') || contact_id) as owner_id,
        min_by(case when owner_id is not null then coalesce(system, '') end, coalesce(system, '') || contact_id) as owner_system,
        min(created_on) as created_on,
        min(customer_since_on) as customer_since_on,
        count(*) as contacts
    from contacts
    where party_id is not null
    group by party_id
),

named as (
    select
        party_id,
        min(account_id) as account_id,
        min(contact_id) as contact_id,
        min(account_name) as account_name,
        min(email) as email,
        min(lead_id) as lead_id
    from links
    where party_id is not null
    group by party_id
)

select
    n.party_id,
    coalesce(c.name, n.account_name, nullif(p.name, ''), n.account_id, n.contact_id, n.email, n.lead_id) as customer,
    n.account_id,
    n.contact_id,
    coalesce(c.segment, p.segment) as segment,
    c.industry,
    coalesce(c.region, p.region) as region,
    coalesce(c.origin, p.origin) as origin,
    coalesce(c.owner_id, p.owner_id) as owner_id,
    coalesce(e.system, c.owner_system, p.owner_system) as owner_system,
    coalesce(u.name, e.name, c.owner_id, p.owner_id) as owner,
    coalesce(u.is_gone, e.is_gone, false) as is_owner_gone,
    coalesce(c.created_on, p.created_on) as created_on,
    coalesce(c.customer_since_on, p.customer_since_on) as customer_since_on,
    coalesce(p.contacts, 0) as contacts
from named n
left join companies c on c.party_id = n.party_id
left join people p on p.party_id = n.party_id
left join colleagues u on u.system = coalesce(c.owner_system, p.owner_system) and u.user_id = coalesce(c.owner_id, p.owner_id)
left join colleagues e
    on e.is_only_one
    and e.user_id = coalesce(c.owner_id, p.owner_id)
    and coalesce(c.owner_system, p.owner_system) not in (select system from colleagues)
