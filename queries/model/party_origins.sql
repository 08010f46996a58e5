-- /// model
-- title    = "How each party came: by the CRM's word on it first, then that of the earliest lead, then that of the earliest deal"
-- optional = ["*"]
-- ///
with leads_of as (
    select party_id, min_by(trim(origin), coalesce(cast(created_on as varchar), '9') || coalesce(lead_id, '')) as origin
    from leads
    where party_id is not null and coalesce(trim(origin), '') <> ''
    group by party_id
),

deals_of as (
    select party_id, min_by(trim(origin), coalesce(cast(created_on as varchar), '9') || coalesce(opportunity_id, '')) as origin
    from opportunities
    where party_id is not null and coalesce(trim(origin), '') <> ''
    group by party_id
)

select p.party_id, coalesce(nullif(trim(p.origin), ''), l.origin, d.origin) as origin
from parties p
left join leads_of l on l.party_id = p.party_id
left join deals_of d on d.party_id = p.party_id
where coalesce(nullif(trim(p.origin), ''), l.origin, d.origin) is not null
