-- /// model
-- title = "Every way in which a row names a party, once"
-- ///
-- Rank says how much a record may found a party: the CRM's own accounts first, tickets and mails never.
with crm as (
    select system
    from loaded.accounts
    group by system
    order by count(*) desc, system
    limit 1
),

named as (
    select system, account_id, null as contact_id, null as lead_id, name as account_name, email,
        case when system in (select system from crm) then 0 else 1 end as rank
    from loaded.accounts
    union all
    select system, account_id, contact_id, null, account_name, email, 2 from loaded.contacts
    union all
    select system, account_id, contact_id, null, account_name, email, 3 from loaded.invoices
    union all
    select system, account_id, contact_id, null, account_name, email, 3 from loaded.payments
    union all
    select system, account_id, contact_id, null, account_name, email, 3 from loaded.subscriptions
    union all
    select system, account_id, contact_id, lead_id, account_name, email, 4 from loaded.opportunities
    union all
    select system, account_id, contact_id, lead_id, account_name, email, 5 from loaded.leads
    union all
    select system, account_id, contact_id, lead_id, account_name, email, 9 from loaded.activities
    union all
    select system, account_id, contact_id, lead_id, account_name, email, 9 from loaded.campaign_touches
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.refunds
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.consents
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.subscription_changes
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.churn_events
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.experiments
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.tickets
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.survey_responses
    union all
    select system, account_id, contact_id, null, account_name, email, 9 from loaded.usage
),

counted as (
    select system, account_id, contact_id, lead_id, account_name, email, min(rank) as rank
    from named
    where coalesce(account_id, contact_id, lead_id, account_name, email) is not null
    group by system, account_id, contact_id, lead_id, account_name, email
)

select
    counted.*,
    -- The one identifier by which the record goes: at account grain the company's, else the person's.
    case
        when settings.grain = 'account' and account_id is not null then 'account ' || system || ' ' || account_id
        when contact_id is not null then 'contact ' || system || ' ' || contact_id
        when account_id is not null then 'account ' || system || ' ' || account_id
        when lead_id is not null and rank >= 5 then 'lead ' || system || ' ' || lead_id
        when email is not null then 'email ' || lower(trim(email))
        when account_name is not null
            then 'name ' || regexp_replace(strip_accents(lower(account_name)), '[^a-z0-9\p{L}]+', ' ', 'g')
        else 'lead ' || system || ' ' || lead_id
    end as record
from counted
cross join settings
