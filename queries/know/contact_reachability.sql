-- /// audit
-- title    = "Reaching customers"
-- question = "Can you reach each customer?"
-- why      = "A customer whom nobody can write to hears of nothing: not of the offer, not of the renewal."
-- fix      = "Ask for an e-mail address and a telephone number at every first order, and mend what bounces each month."
-- headline = ["{accounts_with_email_pct} of the customers have an e-mail address that can be used."]
-- any_of   = [["contacts.email", "contacts.other_emails", "accounts.email", "contacts.phone"]]
-- optional = ["*"]
-- hidden   = ["account_addresses"]
-- [metrics]
-- accounts_with_email_pct = { unit = "pct", better = "up", note = "customers, or everybody in the CRM where no sale is known, with an address of valid form that has not bounced" }
-- emails_per_account_median = { unit = "n", better = "up" }
-- accounts_with_two_plus_emails_pct = { unit = "pct", better = "up" }
-- contacts_without_email_pct = { unit = "pct", better = "down", note = "of all contacts in the CRM" }
-- contacts_without_phone_pct = { unit = "pct", better = "down", note = "of all contacts in the CRM; a number has at least six digits" }
-- unreachable_revenue = { unit = "money", label = "Revenue of the window of customers without an address" }
-- [[finding]]
-- level = "watch"
-- when = "accounts_with_email_pct < 95"
-- text = "{accounts_without_email|customer has|customers have} no e-mail address that can be used; they brought {unreachable_revenue} in the window."
-- customers = "accounts_without_email"
-- value = "unreachable_revenue"
-- lists = "to_mend"
-- [[chart]]
-- kind = "bars"
-- table = "reached_by_part"
-- caption = "Share of customers with an address that can be used, by class, segment and owner"
-- label = "value"
-- value = "with_email_pct"
-- ///
-- /// table account_addresses
with own as (
    select party_id, addresses from contact_records where party_id is not null
    union all
    select party_id, 1
    from accounts
    where party_id is not null
        and regexp_matches(lower(trim(email)), '^[^@ ,;<>()]+@[^@ ,;<>()]+[.][^@ .,;<>()]+$')
)

select f.party_id, f.customer, f.class, f.segment, f.owner_id, f.revenue_amount, coalesce(sum(o.addresses), 0) as addresses
from followed f
left join own o on o.party_id = f.party_id
group by f.party_id, f.customer, f.class, f.segment, f.owner_id, f.revenue_amount
order by f.party_id
-- /// table reached_by_part
with parts as (
    select 'class' as part, class as value, addresses from account_addresses where class is not null
    union all
    select 'segment', segment, addresses from account_addresses where segment <> 'unknown'
    union all
    select 'owner', owner_id, addresses from account_addresses where owner_id <> 'nobody'
)

select
    part,
    value,
    count(*) as customers,
    count(*) filter (where addresses > 0) as with_email,
    100.0 * count(*) filter (where addresses > 0) / count(*) as with_email_pct
from parts
group by part, value
order by part, count(*) desc, value
-- /// table to_mend
select customer, class, segment, owner_id, revenue_amount, party_id
from account_addresses
where addresses = 0
order by revenue_amount desc nulls last, party_id
-- /// table contacts_reached
select c.contact, f.customer, f.class, c.addresses, c.has_phone as is_with_phone, c.is_bounced, c.owner_id, c.contact_number
from contact_records c
left join followed f on f.party_id = c.party_id
order by f.revenue_amount desc nulls last, c.contact_number
-- /// metrics
select
    100.0 * count(*) filter (where addresses > 0) / nullif(count(*), 0) as accounts_with_email_pct,
    count(*) as accounts_with_email_pct_n,
    percentile_cont(0.5) within group (order by addresses) as emails_per_account_median,
    100.0 * count(*) filter (where addresses > 1) / nullif(count(*), 0) as accounts_with_two_plus_emails_pct,
    count(*) as accounts_with_two_plus_emails_pct_n,
    (select 100.0 * count(*) filter (where addresses = 0) / nullif(count(*), 0) from contact_records) as contacts_without_email_pct,
    (select count(*) from contact_records) as contacts_without_email_pct_n,
    (select 100.0 * count(*) filter (where not has_phone) / nullif(count(*), 0) from contact_records) as contacts_without_phone_pct,
    (select count(*) from contact_records) as contacts_without_phone_pct_n,
    count(*) filter (where addresses = 0) as accounts_without_email,
    sum(revenue_amount) filter (where addresses = 0) as unreachable_revenue
from account_addresses
