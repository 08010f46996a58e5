-- /// model
-- title    = "New-business deals as they stood on the as-of date"
-- optional = ["opportunities.closed_on", "opportunities.created_on", "opportunities.amount", "opportunities.currency", "opportunities.kind", "opportunities.pipeline", "opportunities.competitor", "opportunities.loss_reason", "opportunities.owner_id", "opportunities.origin", "opportunities.segment", "opportunities.product", "opportunities.expected_close_on", "opportunities.stage", "opportunities.lead_id", "opportunities.opportunity_id", "users.user_id", "users.name", "users.team", "opportunities.account_id", "opportunities.account_name", "opportunities.contact_id"]
-- ///
-- What closed after the as-of date was open on it. Renewals and expansions are kept apart as `is_new_business`. Amounts
-- in the report currency; one without a rate is unknown rather than added.
with people as (
    select system, user_id, min(name) as name
    from users
    where user_id is not null
    group by system, user_id
)

select
    o.party_id,
    o.system,
    o.opportunity_id,
    o.lead_id,
    o.stage,
    case when o.outcome in ('won', 'lost') and coalesce(o.closed_on, c.as_of_on) <= c.as_of_on then o.outcome else 'open' end as outcome,
    case when o.outcome in ('won', 'lost') and o.closed_on <= c.as_of_on then o.closed_on end as closed_on,
    case when o.created_on <= c.as_of_on then o.created_on end as created_on,
    o.expected_close_on,
    case
        when o.currency is null or upper(o.currency) = s.currency then o.amount
        else cast(o.amount * r.rate as decimal(18, 4))
    end as amount,
    lower(trim(coalesce(o.kind, ''))) not in ('renewal', 'expansion', 'existing business') and lower(coalesce(o.pipeline, '')) not like '%renewal%' as is_new_business,
    nullif(trim(o.competitor), '') as competitor,
    nullif(trim(o.loss_reason), '') as loss_reason,
    coalesce(p.name, o.owner_id) as owner,
    o.origin,
    o.segment,
    o.product,
    o.created_on > o.closed_on as is_closed_before_created
from opportunities o
cross join clock c
cross join settings s
left join rates r on r.currency = upper(o.currency)
left join people p on p.system = o.system and p.user_id = o.owner_id
where coalesce(o.created_on, o.closed_on, c.as_of_on) <= c.as_of_on
