-- /// audit
-- title    = "Duplicate records"
-- question = "How many accounts and contacts are in the CRM twice?"
-- why      = "Of a customer who is there twice each colleague sees half: half the history, half the revenue, twice the mail."
-- fix      = "Merge what is listed, the newer record into the older, and have the CRM search by e-mail and name before it adds one."
-- headline = ["{duplicate_pct} of the CRM's records are likely doubles: {duplicate_accounts|account|accounts} and [duplicate_contacts: {duplicate_contacts|contact|contacts} | no contact].", "{duplicate_pct} of the CRM's accounts are likely doubles: {duplicate_accounts}.", "{duplicate_pct} of the CRM's contacts are likely doubles: {duplicate_contacts}."]
-- any_of   = [["accounts.account_id", "contacts.contact_id"]]
-- optional = ["*"]
-- hidden   = ["crm_records"]
-- [metrics]
-- duplicate_accounts = { unit = "n", better = "down", note = "records beyond the first of the same e-mail, the same name or one similar name; a shared domain alone makes no double" }
-- duplicate_contacts = { unit = "n", better = "down", note = "records beyond the first of the same e-mail, or of the same name at one company or telephone" }
-- duplicate_pct = { unit = "pct", better = "down", note = "of the CRM's accounts and contacts" }
-- possible_duplicates = { unit = "n", note = "pairs of accounts with similar names that somebody should look at; not counted as doubles" }
-- doubled_revenue = { unit = "money", label = "Revenue of the window of customers with a double" }
-- [[finding]]
-- level = "watch"
-- when = "duplicate_pct >= 1 and duplicate_accounts is not null and duplicate_contacts is not null"
-- text = "{duplicate_accounts|account|accounts} and {duplicate_contacts|contact|contacts} seem to be in the CRM twice, {duplicate_pct} of its records."
-- value = "doubled_revenue"
-- lists = "to_merge"
-- [[finding]]
-- level = "watch"
-- when = "duplicate_pct >= 1 and duplicate_contacts is null"
-- text = "{duplicate_accounts|account seems|accounts seem} to be in the CRM twice, {duplicate_pct} of its accounts."
-- value = "doubled_revenue"
-- lists = "to_merge"
-- [[finding]]
-- level = "watch"
-- when = "duplicate_pct >= 1 and duplicate_accounts is null"
-- text = "{duplicate_contacts|contact seems|contacts seem} to be in the CRM twice, {duplicate_pct} of its contacts."
-- value = "doubled_revenue"
-- lists = "to_merge"
-- [[partial]]
-- when = "select 1 from crm_records having count(*) filter (entity = 'account') = 0"
-- reason = "The exports have no accounts with ids; only contacts can be compared."
-- [[partial]]
-- when = "select 1 from crm_records having count(*) filter (entity = 'contact') = 0"
-- reason = "The exports have no contacts with ids; only accounts can be compared."
-- [[chart]]
-- kind = "bars"
-- table = "by_rule"
-- caption = "Doubles by what gives them away"
-- label = "rule"
-- value = "records"
-- ///
-- /// table crm_records
with crm as (
    select system
    from (
        select 1 as turn, system, count(*) as n from accounts where account_id is not null group by system
        union all
        select 2, system, count(*) from contacts where contact_id is not null group by system
    ) systems
    order by turn, n desc, system
    limit 1
),

named as (
    select 'account' as entity, system, account_id as record_id, min(name) as name, min(party_id) as party_id
    from accounts
    where account_id is not null
    group by system, account_id
    union all
    select
        'contact',
        system,
        contact_id,
        min(coalesce(name, nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), email)),
        min(party_id)
    from contacts
    where contact_id is not null
    group by system, contact_id
)

select named.entity, named.system, named.record_id, named.name, named.party_id
from named
join crm on crm.system = named.system
order by named.entity, named.record_id
-- /// table to_merge
select
    mine.name,
    first.name as first_name,
    d.entity,
    d.rule,
    d.score,
    d.evidence,
    d.record_id,
    d.first_id,
    mine.party_id
from doubles d
join crm_records mine on mine.entity = d.entity and mine.system = d.system and mine.record_id = d.record_id
join crm_records first on first.entity = d.entity and first.system = d.system and first.record_id = d.first_id
order by d.entity, first.name nulls last, d.first_id, d.record_id
-- /// table by_rule
select entity || ': ' || rule as rule, count(*) as records
from to_merge
group by entity, rule
order by count(*) desc, entity, rule
-- /// table to_look_at
select mine.name, first.name as first_name, d.score, d.record_id, d.first_id
from possible_doubles d
join crm_records mine on mine.entity = d.entity and mine.system = d.system and mine.record_id = d.record_id
join crm_records first on first.entity = d.entity and first.system = d.system and first.record_id = d.first_id
order by d.score desc, d.first_id, d.record_id
-- /// metrics
select
    case
        when count(*) filter (where entity = 'account') > 0 then (select count(*) from to_merge where entity = 'account')
    end as duplicate_accounts,
    case
        when count(*) filter (where entity = 'contact') > 0 then (select count(*) from to_merge where entity = 'contact')
    end as duplicate_contacts,
    100.0 * (select count(*) from to_merge) / nullif(count(*), 0) as duplicate_pct,
    count(*) as duplicate_pct_n,
    (select count(*) from to_look_at) as possible_duplicates,
    (
        select sum(f.revenue_amount)
        from followed f
        where f.party_id in (
            select r.party_id
            from crm_records r
            join to_merge m on m.entity = r.entity and r.record_id in (m.record_id, m.first_id)
        )
    ) as doubled_revenue
from crm_records
