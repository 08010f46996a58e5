-- /// model
-- title    = "Who took part in which offer or experiment, by the first variant each was given"
-- any_of   = [["experiments.variant", "campaign_touches.variant"]]
-- optional = ["*"]
-- ///
-- Everybody is counted where they were put first, whatever happened later: otherwise who changes sides decides the result.
-- A mailing with variants is an experiment of its campaign's name.
with assigned as (
    select
        coalesce(nullif(trim(e.experiment), ''), 'experiment') as experiment,
        lower(trim(e.variant)) as variant,
        nullif(lower(trim(e.treatment)), '') as treatment,
        coalesce(
            'subscription ' || e.system || ' ' || e.subscription_id,
            'party ' || cast(e.party_id as varchar),
            'account ' || e.system || ' ' || e.account_id,
            'contact ' || e.system || ' ' || e.contact_id,
            'mail ' || lower(trim(e.email)),
            'record ' || e.system || ' ' || e.assignment_id
        ) as subject,
        e.party_id,
        e.assigned_on,
        case
            when lower(trim(e.outcome)) not in ('pending', 'open', 'running', 'active', 'in progress', 'ongoing', 'unknown', '')
                then lower(trim(e.outcome))
        end as outcome,
        false as is_mailing
    from experiments e
    where trim(e.variant) <> '' and e.assigned_on is not null
    union all
    select
        coalesce(nullif(trim(t.campaign), ''), 'campaign'),
        lower(trim(t.variant)),
        null,
        coalesce('party ' || cast(t.party_id as varchar), 'mail ' || lower(trim(t.email))),
        t.party_id,
        cast(t.happened_at as date),
        null,
        true
    from campaign_touches t
    where trim(t.variant) <> '' and t.happened_at is not null
)

select experiment, variant, treatment, subject, party_id, assigned_on, outcome, is_mailing
from (
    select
        a.*,
        row_number() over (
            partition by a.experiment, a.is_mailing, a.subject
            order by a.assigned_on, a.variant, a.treatment, a.outcome, a.party_id
        ) as place
    from assigned a
    join clock c on a.assigned_on <= c.as_of_on
    where a.subject is not null
) numbered
where place = 1
