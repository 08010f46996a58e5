-- /// model
-- title    = "Each lead from its first day to conversion, to being given up, or to the as-of date"
-- any_of   = [["leads.created_on", "leads.qualified_on"]]
-- optional = ["leads.origin", "leads.segment", "leads.status", "leads.owner_id", "leads.score", "leads.disqualified_on", "leads.converted_on", "leads.opportunity_id", "leads.referred_by", "leads.lead_id", "opportunities.lead_id", "opportunities.created_on", "opportunities.closed_on", "opportunities.outcome", "opportunities.opportunity_id", "purchases"]
-- ///
-- A party that bought before the lead came is an existing customer; a lead whose own deal closed before the lead came
-- is a date fault. A lead with only lost deals is given up on the day of the last loss; what comes first counts.
with own_deals as (
    select
        l.system,
        l.lead_id,
        min(o.created_on) as opportunity_on,
        min(o.closed_on) filter (where o.outcome = 'won') as won_on,
        max(o.closed_on) filter (where o.outcome = 'lost') as lost_on,
        min(o.closed_on) filter (where o.outcome in ('won', 'lost')) as first_closed_on,
        count(*) filter (where o.outcome <> 'lost' or o.closed_on > c.as_of_on) as deals_not_lost,
        count(*) as deals
    from leads l
    cross join clock c
    join opportunities o
        on o.system = l.system
        and (o.lead_id = l.lead_id or o.opportunity_id = l.opportunity_id)
    where o.created_on <= c.as_of_on or o.created_on is null
    group by l.system, l.lead_id
),

first_purchases as (
    select party_id, min(bought_on) as bought_on
    from (
        select party_id, min(purchased_on) as bought_on from purchases group by party_id
        union all
        select party_id, min(closed_on) from opportunities where outcome = 'won' group by party_id
        union all
        select party_id, min(started_on) from contracts group by party_id
    ) firsts
    where party_id is not null
    group by party_id
),

joined as (
    select
        l.system,
        l.lead_id,
        l.party_id,
        coalesce(l.created_on, l.qualified_on) as created_on,
        l.qualified_on,
        d.opportunity_on,
        coalesce(l.origin, 'unknown') as origin,
        l.origin is not null as has_origin,
        coalesce(l.segment, 'unknown') as segment,
        l.owner_id,
        l.score,
        l.status,
        d.won_on,
        d.lost_on,
        d.first_closed_on,
        coalesce(d.deals, 0) as deals,
        coalesce(d.deals_not_lost, 0) as deals_not_lost,
        f.bought_on,
        l.disqualified_on,
        r.rung,
        c.as_of_on,
        case r.rung
            when 'qualification' then l.qualified_on
            when 'opportunity' then d.opportunity_on
            else coalesce(l.created_on, l.qualified_on)
        end as start_on
    from leads l
    cross join clock c
    cross join qualified_rung r
    left join own_deals d on d.system = l.system and d.lead_id = l.lead_id
    left join first_purchases f on f.party_id = l.party_id
    where coalesce(l.created_on, l.qualified_on) <= c.as_of_on
),

dated as (
    select
        *,
        coalesce(bought_on < created_on, false) and coalesce(first_closed_on >= created_on, true) as is_existing_customer,
        coalesce(first_closed_on < created_on, false) as is_date_fault,
        case
            when won_on >= created_on and won_on <= as_of_on then least(won_on, coalesce(bought_on, won_on))
            when bought_on >= created_on and bought_on <= as_of_on then bought_on
        end as converted_on,
        case
            when disqualified_on <= as_of_on then disqualified_on
            when deals > 0 and deals_not_lost = 0 and lost_on <= as_of_on then lost_on
        end as given_up_on
    from joined
)

select
    system,
    lead_id,
    party_id,
    created_on,
    case when start_on <= as_of_on then start_on end as qualified_on,
    opportunity_on,
    origin,
    has_origin,
    segment,
    owner_id,
    score,
    status,
    rung,
    is_existing_customer,
    is_date_fault,
    case
        when not is_existing_customer and not is_date_fault and converted_on <= coalesce(given_up_on, converted_on) then converted_on
    end as converted_on,
    case when converted_on is null or given_up_on < converted_on then given_up_on end as given_up_on,
    as_of_on
from dated
