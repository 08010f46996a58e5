-- /// model
-- title = "Accounts and contacts of one system that agree in what only one has, each with the first such record"
-- ///
-- The first is the oldest. Who is another's parent is not another's double. A domain alone makes no double: branches
-- of one company share it.
with records_of_systems as (
    select
        'account' as entity,
        system,
        account_id as record_id,
        parent_id,
        name,
        created_on,
        lower(trim(email)) as email,
        lower(trim(name)) as whole_name
    from loaded.accounts
    where account_id is not null
    union all
    select
        'contact',
        system,
        contact_id,
        null,
        coalesce(name, nullif(trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), email),
        created_on,
        lower(trim(email)),
        lower(coalesce(trim(name), trim(coalesce(first_name, '') || ' ' || coalesce(last_name, ''))))
            || ' / ' || coalesce(account_id, lower(trim(account_name)), nullif(regexp_replace(phone, '[^0-9]', '', 'g'), ''))
    from loaded.contacts
    where contact_id is not null
),

keyed as (
    select entity, system, record_id, parent_id, name, created_on, 'e-mail' as rule, 0.98 as score, email as value
    from records_of_systems
    where email <> ''
    union all
    select entity, system, record_id, parent_id, name, created_on, 'name', 0.85, whole_name
    from records_of_systems
    where whole_name <> '' and whole_name not like ' / %'
),

placed as (
    select
        *,
        first_value(record_id) over (
            partition by entity, system, rule, value
            order by created_on nulls last, record_id
        ) as first_id
    from keyed
)

select distinct
    placed.entity,
    placed.system,
    placed.first_id,
    placed.record_id,
    placed.rule,
    placed.score,
    placed.value as evidence
from placed
left join apart
    on apart.record = placed.entity || ' ' || placed.system || ' ' || placed.first_id
    and apart.other_record = placed.entity || ' ' || placed.system || ' ' || placed.record_id
left join records_of_systems parents
    on parents.entity = placed.entity and parents.system = placed.system and parents.record_id = placed.first_id
where placed.record_id <> placed.first_id
    and apart.record is null
    and placed.parent_id is distinct from placed.first_id
    and parents.parent_id is distinct from placed.record_id
