-- /// audit
-- title    = "Retention"
-- question = "What share of customers leaves?"
-- why      = "Growth that pours into a leaking base is bought twice."
-- fix      = "Record the day and the reason of every cancellation."
-- headline = ["{customer_churn_pct} of the customers at the start of the window had left at its end, with {revenue_churn_pct} of their revenue.", "The window before is not covered, so nobody can be said to have left since."]
-- optional = ["classes", "contracts", "subscription_values", "churn_events.churned_on", "churn_events.reason", "accounts.is_churned", "accounts.name", "churn_events.event_id"]
-- [[method]]
-- name = "rates"
-- table = "by_window"
-- successes = "left_customers"
-- trials = "customers_at_start"
-- compare = true
-- [[method]]
-- name = "rates"
-- table = "by_part"
-- successes = "left_customers"
-- trials = "customers_at_start"
-- shrink = true
-- [metrics]
-- customer_churn_pct = { unit = "pct", better = "down", note = "contract: running at the start, none running at the end; no contract: bought in the window before, not in this one, and may yet return" }
-- revenue_churn_pct = { unit = "pct", better = "down", note = "contract: their monthly recurring revenue at the start; no contract: their revenue of the window before" }
-- change_points = { unit = "points", better = "down", note = "of customer churn against the window before" }
-- customers_at_start = { unit = "n" }
-- open_mrr = { unit = "money", label = "MRR of subscriptions without an end" }
-- all_mrr = { unit = "money", label = "MRR of all subscriptions ever" }
-- flagged_as_churned = { unit = "n", note = "another definition: customers with a churn flag in the CRM" }
-- with_churn_event = { unit = "n", note = "another definition: customers with a record that says they left" }
-- flagged_with_event = { unit = "n", note = "customers with both" }
-- [[finding]]
-- level = "act"
-- table = "by_window"
-- when = "period = 'current' and differs_q < 0.05 and rate_pct > (select rate_pct from by_window where period = 'previous')"
-- text = "More customers leave than in the window before: {rate_pct} of {customers_at_start}."
-- customers = "left_customers"
-- value = "left_amount"
-- [[finding]]
-- level = "good"
-- table = "by_window"
-- when = "period = 'current' and differs_q < 0.05 and rate_pct < (select rate_pct from by_window where period = 'previous')"
-- text = "Fewer customers leave than in the window before: {rate_pct} of {customers_at_start}."
-- [[finding]]
-- level = "watch"
-- when = "with_churn_event > 0 and flagged_as_churned > 0 and flagged_with_event < greatest(with_churn_event, flagged_as_churned)"
-- text = "The exports disagree on who left: {flagged_as_churned|customer carries|customers carry} a churn flag, {with_churn_event} have a churn event, {flagged_with_event} have both."
-- [[partial]]
-- when = "select kind = 'opportunities' and not exists (select 1 from contracts) from purchase_source"
-- reason = "No invoices, payments or subscriptions: won deals stand in for purchases."
-- bias = "A customer need not buy by a new deal to be one."
-- [[partial]]
-- when = "select not bool_and(is_covered) and not exists (select 1 from contracts) from periods where period = 'previous'"
-- reason = "The exports do not cover the window before in full, so who left since cannot be told."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_part"
-- caption = "Share of customers that left, by class, segment and tenure"
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- label = "value"
-- ///
-- /// table fates
with contract_starts as (
    select
        w.period,
        c.party_id,
        max(case when c.started_on <= w.end_on and (c.ended_on is null or c.ended_on > w.end_on) then 1 else 0 end) as running_at_end,
        min(c.started_on) as since_on
    from contracts c
    join periods w on w.period in ('current', 'previous')
    group by w.period, c.party_id, w.start_on
    having max(case when c.started_on <= w.start_on and (c.ended_on is null or c.ended_on > w.start_on) then 1 else 0 end) = 1
),

contract_fates as (
    select
        s.period,
        s.party_id,
        'contractual' as kind,
        s.running_at_end = 0 as has_left,
        s.since_on,
        (
            select sum(v.mrr)
            from subscription_values v
            join periods w on w.period = s.period
            where v.party_id = s.party_id
                and v.started_on <= w.start_on
                and (v.ended_on is null or v.ended_on > w.start_on)
                and not v.is_trial
        ) as start_amount
    from contract_starts s
),

purchase_fates as (
    select
        'current' as period,
        b.party_id,
        'non-contractual' as kind,
        n.window_purchases = 0 as has_left,
        b.first_purchase_on as since_on,
        b.window_revenue as start_amount
    from customers b
    join customers n on n.period = 'current' and n.party_id = b.party_id
    join periods p on p.period = 'previous' and p.is_covered
    where b.period = 'previous' and b.window_purchases > 0 and not n.is_contractual
)

select * from contract_fates
union all
select * from purchase_fates
order by period, party_id
-- /// table by_window
-- Of customers without a contract only those who left in this window are known: no comparison where there are some.
select
    period,
    count(*) filter (where has_left) as left_customers,
    count(*) as customers_at_start,
    sum(start_amount) filter (where has_left) as left_amount,
    sum(start_amount) as start_amount
from fates
where period = 'current' or not exists (select 1 from fates where kind = 'non-contractual')
group by period
order by period
-- /// table by_part
with parts as (
    select 'class' as part, coalesce(k.class, 'none') as value, f.has_left, f.start_amount
    from fates f
    left join classes k on k.period = 'previous' and k.party_id = f.party_id
    where f.period = 'current'
    union all
    select 'segment', coalesce(p.segment, 'unknown'), f.has_left, f.start_amount
    from fates f
    join parties p on p.party_id = f.party_id
    where f.period = 'current'
    union all
    select
        'tenure',
        case
            when date_diff('day', f.since_on, p.start_on) < 365 then 'under a year'
            when date_diff('day', f.since_on, p.start_on) < 730 then 'one to two years'
            else 'over two years'
        end,
        f.has_left,
        f.start_amount
    from fates f
    join periods p on p.period = 'current'
    where f.period = 'current'
)

select
    part,
    value,
    count(*) filter (where has_left) as left_customers,
    count(*) as customers_at_start,
    sum(start_amount) filter (where has_left) as left_amount
from parts
group by part, value
order by part, count(*) desc, value
-- /// table left_customers
select p.customer, f.kind, f.since_on, f.start_amount, p.segment, p.owner_id, f.party_id
from fates f
join parties p on p.party_id = f.party_id
where f.period = 'current' and f.has_left
order by f.start_amount desc nulls last, f.party_id
-- /// table subscriptions_by_status
select coalesce(status, 'unknown') as status, count(*) as subscriptions, count(distinct party_id) as customers, sum(mrr) as mrr_amount
from subscription_values
group by 1
order by count(*) desc, 1
-- /// table reasons
select coalesce(reason, 'unknown') as reason, count(*) as churn_events, count(distinct party_id) as customers
from churn_events
group by 1
order by count(*) desc, 1
-- /// metrics
select
    n.rate_pct as customer_churn_pct,
    n.low_pct as customer_churn_pct_low,
    n.high_pct as customer_churn_pct_high,
    n.customers_at_start as customer_churn_pct_n,
    100.0 * coalesce(n.left_amount, 0) / nullif(n.start_amount, 0) as revenue_churn_pct,
    n.rate_pct - b.rate_pct as change_points,
    n.customers_at_start,
    n.left_customers,
    (select sum(mrr) from subscription_values where ended_on is null) as open_mrr,
    (select sum(mrr) from subscription_values) as all_mrr,
    (select nullif(count(distinct party_id) filter (where is_churned), 0) from accounts) as flagged_as_churned,
    (select nullif(count(distinct party_id), 0) from churn_events) as with_churn_event,
    (
        select nullif(count(distinct a.party_id), 0)
        from accounts a
        join churn_events e on e.party_id = a.party_id
        where a.is_churned
    ) as flagged_with_event
from (select 1 as one) base
left join by_window n on n.period = 'current'
left join by_window b on b.period = 'previous'
