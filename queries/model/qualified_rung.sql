-- /// model
-- title    = "The one rung on which a lead counts as qualified in this run"
-- any_of   = [["opportunities.lead_id", "leads.opportunity_id", "leads.account_id", "leads.contact_id", "leads.email", "leads.account_name"]]
-- optional = ["leads.qualified_on", "opportunities.created_on", "leads.created_on", "leads.lead_id", "opportunities.opportunity_id"]
-- ///
-- The highest of qualification date, opportunity creation and lead creation that at least 80 % of the leads with an
-- opportunity have.
with joined as (
    select l.lead_id, l.qualified_on, o.created_on as opportunity_created_on, l.created_on
    from leads l
    join opportunities o
        on o.system = l.system
        and (o.lead_id = l.lead_id or o.opportunity_id = l.opportunity_id)
),

shares as (
    select
        count(*) as leads,
        count(qualified_on) as with_qualification,
        count(opportunity_created_on) as with_opportunity,
        count(created_on) as with_creation
    from joined
)

select
    case
        when leads = 0 then 'lead'
        when with_qualification * 10 >= leads * 8 then 'qualification'
        when with_opportunity * 10 >= leads * 8 then 'opportunity'
        else 'lead'
    end as rung
from shares
