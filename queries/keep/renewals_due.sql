-- /// audit
-- title    = "Renewals due"
-- question = "Which renewals come up, and which are in danger?"
-- why      = "A renewal that is prepared ninety days ahead is a talk; one that is noticed on the day is a cancellation."
-- fix      = "Export subscriptions with their renewal day or billing period, and tickets and payments of the same customers."
-- headline = ["{renewals_90d|renewal comes|renewals come} up within 90 days, with an MRR of {renewals_90d_mrr}, {renewals_30d} of them within 30; {renewals_at_risk_mrr} is in danger.", "{renewals_90d|renewal comes|renewals come} up within 90 days, {renewals_30d} of them within 30; what they are worth is not known."]
-- optional = ["renewal_days", "renewals_ahead", "parties", "classes"]
-- any_of   = [["subscriptions.renews_on", "subscriptions.billing_period", "subscriptions.ended_on", "opportunities.expected_close_on"]]
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
-- when = "select count(*) > 0 from renewal_days where period = 'current' and due_on is null"
-- reason = "Subscriptions that run have neither renewal day nor billing period; they are left out."
-- bias = "Too few renewals."
-- [[partial]]
-- when = "select count(*) > 0 from renewal_days where period = 'current' and mrr is null"
-- reason = "Some renewals have no price, or one in a currency without a rate."
-- bias = "MRR is too low."
-- [[partial]]
-- when = "select min(place) = 2 from renewal_days where period = 'current'"
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
-- /// table due_renewals
select
    p.customer,
    k.class,
    t.plan,
    t.due_on,
    t.in_days,
    t.mrr as mrr_amount,
    t.danger,
    t.is_urgent,
    t.open_tickets,
    t.failed_payments,
    t.overdue_amount,
    100 * t.p_stays_52w as stays_a_year_pct,
    t.known_from,
    t.is_longer,
    p.owner,
    t.record_id,
    t.party_id
from renewals_ahead t
left join parties p on p.party_id = t.party_id
left join classes k on k.period = 'current' and k.party_id = t.party_id
order by case when t.danger is null then 1 else 0 end, t.due_on, t.mrr desc nulls last, t.party_id, t.record_id, t.plan
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
join clock c on d.period = 'current' and d.place = 2 and d.due_on <= c.as_of_on
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
    (select coalesce(sum(mrr), 0) from renewal_days where period = 'current' and due_on is null) as undated_mrr,
    count(*) filter (where d.is_urgent) as at_risk_30d,
    count(distinct d.party_id) filter (where d.is_urgent) as at_risk_30d_customers,
    coalesce(sum(d.mrr_amount) filter (where d.is_urgent), 0) as at_risk_30d_mrr,
    count(*) filter (where d.danger is not null and not d.is_urgent) as at_risk_later,
    count(distinct d.party_id) filter (where d.danger is not null and not d.is_urgent) as at_risk_later_customers,
    coalesce(sum(d.mrr_amount) filter (where d.danger is not null and not d.is_urgent), 0) as at_risk_later_mrr
from due_renewals d
having (select count(*) from renewal_days where period = 'current' and due_on is not null) > 0
