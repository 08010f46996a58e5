-- /// model
-- title    = "The day the audit looks from, and where it comes from"
-- optional = ["subscriptions.started_on", "subscriptions.ended_on", "opportunities.closed_on", "opportunities.outcome", "tickets.opened_at", "leads.created_on"]
-- ///
-- The last purchase, else the last fact of a subscription, else the last closed deal; never later than today.
with last as (
    select
        (select max(purchased_on) from purchases cross join settings where purchased_on <= today_on) as purchase_on,
        (
            select max(greatest(started_on, case when ended_on <= today_on then ended_on else started_on end))
            from subscriptions
            cross join settings
            where started_on <= today_on
        ) as subscription_on,
        (select max(closed_on) from opportunities cross join settings where closed_on <= today_on) as deal_on,
        (select max(cast(opened_at as date)) from tickets cross join settings where cast(opened_at as date) <= today_on) as ticket_on,
        (select max(created_on) from leads cross join settings where created_on <= today_on) as lead_on,
        (
            select min(day_on)
            from (
                select min(purchased_on) as day_on from purchases
                union all
                select min(started_on) from subscriptions
                union all
                select min(closed_on) from opportunities
                union all
                select min(cast(opened_at as date)) from tickets
                union all
                select min(created_on) from leads
            ) firsts
        ) as first_on
)

select
    coalesce(s.as_of_requested_on, l.purchase_on, l.subscription_on, l.deal_on, l.ticket_on, l.lead_on, s.today_on) as as_of_on,
    case
        when s.as_of_requested_on is not null then 'as asked'
        when l.purchase_on is not null then 'the last purchase'
        when l.subscription_on is not null then 'the last fact of a subscription'
        when l.deal_on is not null then 'the last closed deal'
        when l.ticket_on is not null then 'the last ticket'
        when l.lead_on is not null then 'the last lead'
        else 'today'
    end as as_of_origin,
    coalesce(l.first_on, s.today_on) as first_on
from last l
cross join settings s
