-- /// audit
-- title    = "Renewals due"
-- question = "Which renewals come up, and which are in danger?"
-- why      = "A renewal that is prepared ninety days ahead is a talk; one that is noticed on the day is a cancellation."
-- fix      = "Export subscriptions with their renewal day or billing period, and tickets and payments of the same customers."
-- headline = ["{renewals_90d|renewal comes|renewals come} up within 90 days, with an MRR of {renewals_90d_mrr}, {renewals_30d} of them within 30; {renewals_at_risk_mrr} is in danger.", "{renewals_90d|renewal comes|renewals come} up within 90 days, {renewals_30d} of them within 30; what they are worth is not known."]
-- optional = ["subscription_values", "deals", "contract_forecasts", "issues", "receivables", "parties", "classes", "users.user_id", "users.name", "payments.status", "payments.paid_on", "invoices.status", "invoices.issued_on", "opportunities.kind", "opportunities.pipeline", "opportunities.opportunity_id"]
-- any_of   = [["subscriptions.renews_on", "subscriptions.billing_period", "subscriptions.ended_on", "opportunities.expected_close_on"]]
-- hidden   = ["renewal_days", "signs"]
-- [metrics]
-- renewals_30d = { unit = "n", label = "Renewals within 30 days", note = "running paid subscriptions by renewal day, else end of term, else end of the running billing period; without subscriptions, open renewal deals by expected close" }
-- renewals_90d = { unit = "n", label = "Renewals within 90 days" }
-- renewals_90d_mrr = { unit = "money", label = "MRR renewing within 90 days", note = "of a renewal deal a twelfth of its amount" }
-- renewals_at_risk_mrr = { unit = "money", better = "down", label = "MRR renewing in danger", note = "within 90 days, with a sign: cancelled or past due, an open ticket, a failed payment in 90 days, an overdue invoice, or more likely to leave within a year than not" }
-- renewals_at_risk = { unit = "n", better = "down", label = "Renewals in danger" }
-- longer_renewals_90d = { unit = "n", label = "Of plans longer than a month", note = "within 90 days; monthly plans renew every month" }
-- longer_renewals_90d_mrr = { unit = "money", label = "MRR of plans longer than a month", note = "renewing within 90 days" }
-- overdue_renewals = { unit = "n", better = "down", label = "Renewal deals past their day", note = "open renewal deals whose expected close has passed" }
-- undated_mrr = { unit = "money", better = "down", label = "MRR without a renewal day" }
-- [[finding]]
-- level = "act"
-- when = "at_risk_30d > 0"
-- text = "In the next 30 days {at_risk_30d|renewal shows|renewals show} signs of danger; MRR {at_risk_30d_mrr}."
-- customers = "at_risk_30d_customers"
-- value = "at_risk_30d_mrr"
-- lists = "due_renewals"
-- [[finding]]
-- level = "watch"
-- when = "renewals_at_risk > at_risk_30d"
-- text = "In the next 90 days {at_risk_later|more renewal shows|more renewals show} signs of danger; MRR {at_risk_later_mrr}."
-- customers = "at_risk_later_customers"
-- value = "at_risk_later_mrr"
-- lists = "due_renewals"
-- [[finding]]
-- level = "watch"
-- when = "overdue_renewals > 0"
-- text = "{overdue_renewals|renewal deal is|renewal deals are} open past the day on which they were to close."
-- lists = "overdue_deals"
-- [[partial]]
-- when = "select count(*) > 0 from renewal_days where due_on is null"
-- reason = "Subscriptions that run, with an MRR of {undated_mrr}, have neither renewal day nor billing period; they are left out."
-- bias = "Too few renewals."
-- [[partial]]
-- when = "select count(*) > 0 from renewal_days where mrr is null"
-- reason = "Some renewals have no price, or one in a currency without a rate."
-- bias = "MRR is too low."
-- [[partial]]
-- when = "select min(place) = 2 from renewal_days"
-- reason = "No subscription runs; renewals are open deals by their expected close."
-- [[partial]]
-- when = "select (select count(*) from issues where party_id is not null) = 0 and (select count(*) from receivables where is_known) = 0 and (select count(*) from payments) = 0"
-- reason = "Neither tickets nor payments are in the exports: danger is judged by tenure and status alone."
-- bias = "Too few renewals are in danger."
-- [[chart]]
-- kind = "stacked_bars"
-- table = "by_stretch"
-- caption = "MRR that renews, by days ahead"
-- label = "stretch"
-- value = "mrr_amount"
-- series = "signs"
-- ///
-- /// table renewal_days
with running as (
    select
        v.party_id,
        v.system,
        v.subscription_id as record_id,
        v.plan,
        v.mrr,
        v.status,
        v.is_churned,
        case when v.renews_on > c.as_of_on then v.renews_on end as renews_on,
        v.ended_on,
        coalesce(v.renews_on, v.started_on) as anchor_on,
        v.billing_period,
        case v.billing_period when 'monthly' then 1 when 'quarterly' then 3 when 'semiannual' then 6 when 'annual' then 12 end as months,
        case v.billing_period when 'weekly' then 7 when 'daily' then 1 end as days,
        c.as_of_on
    from subscription_values v
    cross join clock c
    where v.party_id is not null
        and not v.is_trial
        and v.started_on <= c.as_of_on
        and (v.trial_ends_on is null or v.trial_ends_on <= c.as_of_on)
        and (v.ended_on is null or v.ended_on > c.as_of_on)
        and (coalesce(v.status, 'active') not in ('cancelled', 'expired', 'paused') or (v.status = 'cancelled' and v.ended_on is not null))
        and (not coalesce(v.is_churned, false) or v.ended_on is not null)
),

turns as (
    select
        *,
        case
            when months is not null
                then cast(anchor_on + to_months(cast(months * floor(date_diff('month', anchor_on, as_of_on) / months) as integer)) as date)
            when days is not null
                then anchor_on + cast(days * floor(date_diff('day', anchor_on, as_of_on) / days) as integer)
        end as turn_on,
        case
            when months is not null
                then cast(anchor_on + to_months(cast(months * (floor(date_diff('month', anchor_on, as_of_on) / months) + 1) as integer)) as date)
            when days is not null
                then anchor_on + cast(days * (floor(date_diff('day', anchor_on, as_of_on) / days) + 1) as integer)
        end as next_turn_on
    from running
)

select
    1 as place,
    party_id,
    system,
    record_id,
    plan,
    cast(mrr as decimal(18, 2)) as mrr,
    case
        when renews_on is not null then least(renews_on, coalesce(ended_on, renews_on))
        when ended_on is not null then ended_on
        when turn_on > as_of_on then turn_on
        else next_turn_on
    end as due_on,
    case
        when renews_on is not null then 'renewal day'
        when ended_on is not null then 'end of term'
        when turn_on is not null then 'billing period'
    end as known_from,
    coalesce(billing_period, 'longer') not in ('monthly', 'weekly', 'daily') as is_longer,
    status = 'cancelled' or coalesce(is_churned, false) as is_cancelled,
    coalesce(status = 'past_due', false) as is_past_due
from turns
union all
select
    2,
    d.party_id,
    d.system,
    d.opportunity_id,
    d.product,
    cast(d.amount / 12 as decimal(18, 2)),
    d.expected_close_on,
    'expected close',
    true,
    false,
    false
from deals d
join opportunities o on o.system = d.system and o.opportunity_id = d.opportunity_id
where d.outcome = 'open'
    and (o.kind = 'renewal' or lower(coalesce(o.pipeline, '')) like '%renewal%')
    and d.expected_close_on is not null
    and not exists (select 1 from running)
order by party_id, place, system, record_id, due_on, mrr, plan
-- /// table signs
with late as (
    select r.party_id, sum(r.outstanding) as overdue_amount
    from receivables r
    cross join clock c
    where r.is_known and r.outstanding >= 0.005 and r.due_on < c.as_of_on and r.issued_on <= c.as_of_on
    group by r.party_id
),

failed as (
    select f.party_id, count(*) as failed_payments
    from (
        select party_id, paid_on as failed_on from payments where status = 'failed'
        union all
        select party_id, issued_on from invoices where status = 'failed' and (select count(*) from payments) = 0
    ) f
    cross join clock c
    where f.failed_on > c.as_of_on - 90 and f.failed_on <= c.as_of_on
    group by f.party_id
),

waiting as (
    select party_id, count(*) as open_tickets
    from issues
    where not is_resolved
    group by party_id
),

-- More likely to leave within a year than to stay.
leaving as (
    select party_id, p_stays_52w
    from contract_forecasts
    where period = 'current'
)

select
    n.party_id,
    coalesce(w.open_tickets, 0) as open_tickets,
    coalesce(f.failed_payments, 0) as failed_payments,
    cast(coalesce(l.overdue_amount, 0) as decimal(18, 2)) as overdue_amount,
    g.p_stays_52w
from (select distinct party_id from renewal_days where party_id is not null) n
left join waiting w on w.party_id = n.party_id
left join failed f on f.party_id = n.party_id
left join late l on l.party_id = n.party_id
left join leaving g on g.party_id = n.party_id
order by n.party_id
-- /// table due_renewals
-- An open ticket is too common a sign to call for action before each renewal of a monthly plan.
with people as (
    select user_id, min(name) as name
    from users
    where user_id is not null
    group by user_id
),

told as (
    select
        d.*,
        s.open_tickets,
        s.failed_payments,
        s.overdue_amount,
        s.p_stays_52w,
        date_diff('day', c.as_of_on, d.due_on) as in_days,
        concat_ws(
            ', ',
            case when d.is_cancelled then 'cancelled' end,
            case when d.is_past_due then 'past due' end,
            case when s.open_tickets > 0 then 'open ticket' end,
            case when s.failed_payments > 0 then 'failed payment' end,
            case when s.overdue_amount > 0 then 'overdue invoice' end,
            case when s.p_stays_52w < 0.5 then 'likely to leave' end
        ) as danger
    from renewal_days d
    join clock c on d.due_on > c.as_of_on and d.due_on <= c.as_of_on + 90
    left join signs s on s.party_id = d.party_id
)

select
    p.customer,
    k.class,
    t.plan,
    t.due_on,
    t.in_days,
    t.mrr as mrr_amount,
    nullif(t.danger, '') as danger,
    t.in_days <= 30 and t.danger <> '' and (t.is_longer or t.danger <> 'open ticket') as is_urgent,
    t.open_tickets,
    t.failed_payments,
    t.overdue_amount,
    100 * t.p_stays_52w as stays_a_year_pct,
    t.known_from,
    t.is_longer,
    coalesce(u.name, p.owner_id) as owner,
    t.record_id,
    t.party_id
from told t
left join parties p on p.party_id = t.party_id
left join people u on u.user_id = p.owner_id
left join classes k on k.period = 'current' and k.party_id = t.party_id
order by case when t.danger = '' then 1 else 0 end, t.due_on, t.mrr desc nulls last, t.party_id, t.record_id, t.plan
-- /// table by_owner
select
    coalesce(owner, 'nobody') as owner,
    count(*) as renewals_90d,
    count(*) filter (where in_days <= 30) as renewals_30d,
    sum(mrr_amount) as mrr_amount,
    coalesce(sum(mrr_amount) filter (where danger is not null), 0) as at_risk_mrr_amount
from due_renewals
group by 1
order by at_risk_mrr_amount desc, mrr_amount desc nulls last, owner
-- /// table by_stretch
select stretch, case when danger is null then 'no sign of danger' else 'in danger' end as signs, sum(mrr_amount) as mrr_amount, count(*) as renewals
from (
    select *, case when in_days <= 30 then '1 to 30 days' when in_days <= 60 then '31 to 60 days' else '61 to 90 days' end as stretch
    from due_renewals
) stretched
group by 1, 2
order by 1, 2
-- /// table overdue_deals
select p.customer, d.record_id, d.due_on, d.mrr as mrr_amount, p.owner_id, d.party_id
from renewal_days d
join clock c on d.place = 2 and d.due_on <= c.as_of_on
left join parties p on p.party_id = d.party_id
order by d.due_on, d.record_id, d.party_id
-- /// metrics
select
    (select count(*) from due_renewals where in_days <= 30) as renewals_30d,
    count(d.party_id) as renewals_90d,
    case when count(d.party_id) = 0 then 0 else sum(d.mrr_amount) end as renewals_90d_mrr,
    coalesce(sum(d.mrr_amount) filter (where d.danger is not null), 0) as renewals_at_risk_mrr,
    count(*) filter (where d.danger is not null) as renewals_at_risk,
    count(*) filter (where d.is_longer) as longer_renewals_90d,
    coalesce(sum(d.mrr_amount) filter (where d.is_longer), 0) as longer_renewals_90d_mrr,
    (select count(*) from overdue_deals) as overdue_renewals,
    (select coalesce(sum(mrr), 0) from renewal_days where due_on is null) as undated_mrr,
    count(*) filter (where d.is_urgent) as at_risk_30d,
    count(distinct d.party_id) filter (where d.is_urgent) as at_risk_30d_customers,
    coalesce(sum(d.mrr_amount) filter (where d.is_urgent), 0) as at_risk_30d_mrr,
    count(*) filter (where d.danger is not null and not d.is_urgent) as at_risk_later,
    count(distinct d.party_id) filter (where d.danger is not null and not d.is_urgent) as at_risk_later_customers,
    coalesce(sum(d.mrr_amount) filter (where d.danger is not null and not d.is_urgent), 0) as at_risk_later_mrr
from due_renewals d
having (select count(*) from renewal_days where due_on is not null) > 0
