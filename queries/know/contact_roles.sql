-- /// audit
-- title    = "Roles of contacts"
-- question = "Do you know who decides and who influences?"
-- why      = "A deal that is agreed with somebody who may not sign is not agreed."
-- fix      = "Make the role in the buying decision a field of the contact, and ask for it before the first proposal."
-- headline = ["For {accounts_with_decision_maker_pct} of the customers the CRM says who decides, for {accounts_with_influencer_pct} who influences."]
-- any_of   = [["contacts.role", "contacts.title"]]
-- optional = ["*"]
-- hidden   = ["roles", "customer_roles"]
-- [metrics]
-- accounts_with_decision_maker_pct = { unit = "pct", better = "up", label = "Customers whose decision maker is known", note = "by the role field of a contact; roles guessed from titles are counted apart" }
-- accounts_with_influencer_pct = { unit = "pct", better = "up" }
-- contacts_with_role_pct = { unit = "pct", better = "up", note = "of all contacts in the CRM, whatever the role" }
-- accounts_with_inferred_decision_maker_pct = { unit = "pct", note = "customers without one by the role field, where a title suggests who decides" }
-- contacts_with_title_pct = { unit = "pct", note = "of all contacts in the CRM" }
-- unknown_amount = { unit = "money", label = "Revenue of the window of customers of whom nobody knows who decides" }
-- [[finding]]
-- level = "watch"
-- when = "accounts_with_decision_maker_pct < 80 and customers > 0"
-- text = "Of {without_decision_maker|customer|customers} nobody has noted who decides; they brought {unknown_amount} in the window."
-- customers = "without_decision_maker"
-- value = "unknown_amount"
-- lists = "roles_to_ask_for"
-- [[chart]]
-- kind = "bars"
-- table = "contacts_by_role"
-- caption = "Contacts by role, as the CRM has it or as a title suggests"
-- label = "role_and_origin"
-- value = "contacts"
-- ///
-- /// table roles
-- Words of the usual vocabularies; a role of another name is a role, but neither of the two.
select
    contact_number,
    party_id,
    coalesce(role, '') <> '' as has_role,
    coalesce(title, '') <> '' as has_title,
    case
        when regexp_matches(role, '(decision|decider|economic buyer|budget|sponsor|sign|approver|owner)') then 'decides'
        when regexp_matches(role, '(influenc|champion|evaluator|technical buyer|recommend|user|coach|blocker|gatekeeper)') then 'influences'
        when coalesce(role, '') <> '' then 'other role'
    end as noted_role,
    case
        when coalesce(role, '') <> '' then null
        when regexp_matches(title, '(^|[^a-z])(ceo|cfo|coo|cto|cio|cmo|cro|chief|owner|founder|co-founder|president|managing director|partner|principal|vp|vice president)($|[^a-z])') then 'decides'
        when regexp_matches(title, '(^|[^a-z])(head|director|manager|lead|supervisor|architect|controller|buyer|procurement)($|[^a-z])') then 'influences'
    end as guessed_role
from contact_records
order by contact_number
-- /// table contacts_by_role
select
    case when noted_role is not null then noted_role || ', noted' else coalesce(guessed_role || ', guessed from the title', 'unknown') end as role_and_origin,
    count(*) as contacts,
    100.0 * count(*) / sum(count(*)) over () as contacts_pct
from roles
group by 1
order by count(*) desc, 1
-- /// table customer_roles
select
    f.party_id,
    f.customer,
    f.class,
    f.segment,
    f.owner_id,
    f.revenue_amount,
    count(*) filter (where r.noted_role = 'decides') as deciders,
    count(*) filter (where r.noted_role = 'influences') as influencers,
    count(*) filter (where r.guessed_role = 'decides') as guessed_deciders
from followed f
left join roles r on r.party_id = f.party_id
group by f.party_id, f.customer, f.class, f.segment, f.owner_id, f.revenue_amount
order by f.party_id
-- /// table known_by_part
with parts as (
    select 'class' as part, class as value, deciders, influencers from customer_roles where class is not null
    union all
    select 'segment', segment, deciders, influencers from customer_roles where segment <> 'unknown'
    union all
    select 'owner', owner_id, deciders, influencers from customer_roles where owner_id <> 'nobody'
)

select
    part,
    value,
    count(*) as customers,
    100.0 * count(*) filter (where deciders > 0) / count(*) as with_decision_maker_pct,
    100.0 * count(*) filter (where influencers > 0) / count(*) as with_influencer_pct
from parts
group by part, value
order by part, count(*) desc, value
-- /// table roles_to_ask_for
select customer, class, segment, owner_id, revenue_amount, guessed_deciders, party_id
from customer_roles
where deciders = 0
order by revenue_amount desc nulls last, party_id
-- /// metrics
select
    100.0 * count(*) filter (where deciders > 0) / nullif(count(*), 0) as accounts_with_decision_maker_pct,
    count(*) as accounts_with_decision_maker_pct_n,
    100.0 * count(*) filter (where influencers > 0) / nullif(count(*), 0) as accounts_with_influencer_pct,
    count(*) as accounts_with_influencer_pct_n,
    (select 100.0 * count(*) filter (where has_role) / nullif(count(*), 0) from roles) as contacts_with_role_pct,
    (select count(*) from roles) as contacts_with_role_pct_n,
    100.0 * count(*) filter (where deciders = 0 and guessed_deciders > 0) / nullif(count(*), 0) as accounts_with_inferred_decision_maker_pct,
    (select 100.0 * count(*) filter (where has_title) / nullif(count(*), 0) from roles) as contacts_with_title_pct,
    count(*) as customers,
    count(*) filter (where deciders = 0) as without_decision_maker,
    sum(revenue_amount) filter (where deciders = 0) as unknown_amount
from customer_roles
