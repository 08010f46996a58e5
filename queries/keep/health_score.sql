-- /// audit
-- title    = "Customer health"
-- question = "How healthy is each customer, and who suddenly changed?"
-- why      = "A customer who goes shows it in several places at once, and in none of them loudly."
-- fix      = "Keep purchases, conversations, tickets, answers and use of the product dated under one customer id, for two years and more, and record every cancellation with its day: the more losses are on record, the better the weights."
-- headline = ["The median score is {score_median} of 100; {unhealthy_customers} customers are unhealthy, {unhealthy_a_customers} of them A customers, and {sudden_drops} fell suddenly. On later days than it was fitted on the score has an AUC of {auc} ({auc.interval}), {best_component} alone {best_component_auc}.", "The median score is {score_median} of 100; {unhealthy_customers} customers are unhealthy, and {sudden_drops} fell suddenly. On later days than it was fitted on the score has an AUC of {auc} ({auc.interval}), {best_component} alone {best_component_auc}.", "The median score is {score_median} of 100; {unhealthy_customers} customers are unhealthy, and {sudden_drops} fell suddenly. Components weigh alike; the score is not validated.", "How healthy customers are cannot be told from these exports."]
-- any_of   = [["invoices.issued_on", "payments.paid_on", "opportunities.closed_on", "subscriptions.started_on"], ["activities.happened_at", "tickets.opened_at", "survey_responses.answered_on", "usage.used_at", "subscriptions.started_on"]]
-- optional = ["*", "contact_records", "touches", "purchases", "receivables", "mrr_changes", "subscription_values"]
-- hidden   = ["kinds_on_record", "labels", "attention", "validation"]
-- [[method]]
-- name = "rates"
-- table = "replayed"
-- successes = "lost"
-- trials = "customers"
-- known_pct = "usual_pct"
-- [metrics]
-- score_median = { unit = "n", better = "up", note = "0 to 100: about the share of customers who were less healthy on the days on which the score was fitted (today's where it was not)" }
-- unhealthy_customers = { unit = "n", better = "down", note = "score under 25; those already lost have none" }
-- unhealthy_a_customers = { unit = "n", better = "down", note = "of class A" }
-- sudden_drops = { unit = "n", better = "down", note = "from 50 or more to under 25 within 30 days" }
-- sudden_drops_usual = { unit = "n", label = "Sudden drops usual in such a base", note = "the mean over the earlier days, for as many customers as today" }
-- auc = { unit = "ratio", better = "up", note = "chance that of two customers the one who is lost had the lower score; fitted on earlier days, tested on later ones. Lost: the contract ends within 90 days; without contract nothing is bought for three of the customer's own gaps, at least 90 and at most 365 days" }
-- best_component = { unit = "text", label = "Best single component", note = "the one that told best on the days on which weights were fitted" }
-- best_component_auc = { unit = "ratio", note = "on the later days" }
-- auc_gain = { unit = "ratio", better = "up", label = "AUC beyond the best component's", note = "the score's less the best single component's, 95 % interval" }
-- backtest_months = { unit = "n", note = "from the first day on which health was rebuilt until the outcome of the last was known" }
-- weights = { unit = "text", note = "fitted for each component with ten losses or more for each, else for each kind of record, else equal" }
-- fitted_losses = { unit = "n", note = "on the earlier days, known before the first of the later ones" }
-- tested_losses = { unit = "n", note = "on the later days" }
-- [units]
-- score = "n"
-- weight = "ratio"
-- median_score = "n"
-- change_30d = "points"
-- change_90d = "points"
-- late_payments = "n"
-- tickets_opened = "n"
-- tickets_open = "n"
-- [[finding]]
-- level = "act"
-- table = "attention"
-- when = "tells and unhealthy_leave and unhealthy_a_customers > 0"
-- text = "{unhealthy_a_customers} A customers are unhealthy; they brought {unhealthy_a_amount} in the window. In the test {unhealthy_lost_pct} of the customers with such a score were lost, of all {all_lost_pct}; if nobody ever left it would be {unhealthy_expected_pct}."
-- customers = "unhealthy_a_customers"
-- value = "unhealthy_a_amount"
-- lists = "unhealthy"
-- [[finding]]
-- level = "watch"
-- table = "attention"
-- when = "tells and dropped_leave and sudden_drops > 0"
-- key = "dropped"
-- text = "{sudden_drops} customers fell from 50 or more to under 25 within 30 days; {sudden_drops_usual} do so usually. In the test {dropped_lost_pct} of such customers were lost, of all {all_lost_pct}."
-- customers = "sudden_drops"
-- value = "dropped_amount"
-- lists = "dropped"
-- [[finding]]
-- level = "info"
-- table = "attention"
-- when = "tells and not dropped_leave and sudden_drops > 0"
-- key = "dropped_without_meaning"
-- text = "{sudden_drops} customers fell from 50 or more to under 25 within 30 days; {sudden_drops_usual} do so usually. That such a fall foretells a loss is not shown: in the test {dropped_lost_pct} of them were lost, of all {all_lost_pct}."
-- customers = "sudden_drops"
-- lists = "dropped"
-- [[finding]]
-- level = "good"
-- table = "attention"
-- when = "tells and beats"
-- key = "beats"
-- text = "The score tells more than its best component, {best_component}: AUC {auc} against {best_auc}, {difference.interval} more."
-- [[finding]]
-- level = "info"
-- table = "attention"
-- when = "tells and not beats"
-- key = "no_better"
-- text = "The score does not beat its best component, {best_component}: AUC {auc} against {best_auc}, difference {difference.interval}. That one figure would do as well."
-- [[finding]]
-- level = "info"
-- table = "attention"
-- when = "not tells"
-- key = "tells_nothing"
-- text = "Tested on later days, the score does not tell who is lost: AUC {auc} ({auc.interval}). It raises no alarm here."
-- [[partial]]
-- when = "select count(*) < 2 from kinds_on_record"
-- reason = "A score needs two kinds of record of the same customers, such as invoices and tickets; conversations, answers to surveys and use of the product count too. These exports have fewer that cover the last months."
-- [[partial]]
-- when = "select basis = 'equal' and exists (select 1 from scores) from health_facts"
-- reason = "Not validated: {fitted_losses} losses on earlier days and {tested_losses} on later ones, where twenty of each and ten for each weight are wanted. Components weigh alike."
-- bias = "A component that means nothing counts as much as one that does."
-- [[partial]]
-- when = "select count(distinct kind) = 1 and exists (select 1 from scores) from health_weights where is_used"
-- reason = "One kind of record alone makes the score: the others are all alike, or hardly on record on the days it was fitted on."
-- [[chart]]
-- kind = "histogram"
-- table = "distribution"
-- caption = "Customers by score"
-- x = "score_from"
-- x_end = "score_to"
-- value = "customers"
-- [[chart]]
-- kind = "calibration"
-- table = "calibration_by_decile"
-- caption = "Share of customers lost: foretold and come, by tenth of the customers of the later days"
-- description = "Each point is a tenth of the customers by probability of loss; on the diagonal the score was right."
-- predicted = "predicted_pct"
-- actual = "observed_pct"
-- low = "low_pct"
-- high = "high_pct"
-- n = "customers"
-- [[chart]]
-- kind = "interval_bars"
-- table = "told_alone"
-- caption = "AUC on the later days: the score, and each component alone"
-- label = "name"
-- value = "auc"
-- low = "low"
-- high = "high"
-- ///
-- /// table labels
select 'purchase_silence' as component, 'time since the last purchase' as name, 1 as place
union all select 'spend_trend', 'trend of spend', 2
union all select 'late_payments', 'late or failed payments', 3
union all select 'mrr_change', 'change of MRR', 4
union all select 'contact_silence', 'time since the last contact', 5
union all select 'tickets_opened', 'tickets in 90 days', 6
union all select 'tickets_open', 'open tickets', 7
union all select 'satisfaction', 'satisfaction', 8
union all select 'usage_trend', 'trend of use', 9
order by place
-- /// table kinds_on_record
select kind
from health_weights
where known_now_pct >= 5
group by kind
order by kind
-- /// table scores
select
    p.customer,
    k.class,
    r.score,
    r.change_30d,
    r.change_90d,
    100 * h.p_lost as lost_pct,
    r.weakest,
    h.is_contractual,
    case when c.purchases > 0 then c.window_revenue end as revenue_amount,
    p.segment,
    p.owner_id,
    r.is_sudden_drop,
    r.what_fell,
    r.party_id
from health_reasons r
join health h on h.period = 'current' and h.party_id = r.party_id
join parties p on p.party_id = r.party_id
left join customers c on c.period = 'current' and c.party_id = r.party_id
left join classes k on k.period = 'current' and k.party_id = r.party_id
where r.score is not null and (select count(*) from kinds_on_record) >= 2
order by r.score, revenue_amount desc nulls last, r.party_id
-- /// table unhealthy
select customer, class, score, weakest, change_30d, change_90d, lost_pct, revenue_amount, segment, owner_id, party_id
from scores
where score < 25
order by coalesce(class, 'Z'), revenue_amount desc nulls last, score, party_id
-- /// table dropped
select customer, class, score, change_30d, what_fell, revenue_amount, segment, owner_id, party_id
from scores
where is_sudden_drop
order by revenue_amount desc nulls last, score, party_id
-- /// table evidence
select
    p.customer,
    c.purchase_silence, c.spend_trend, c.late_payments, c.mrr_change,
    c.contact_silence as contact_silence_days,
    c.tickets_opened, c.tickets_open, c.satisfaction, c.usage_trend,
    c.party_id
from health_components c
join parties p on p.party_id = c.party_id
where c.period = 'current'
order by c.party_id
-- /// table by_subscription
-- The customer's score with the use of this subscription alone in the place of all use.
with running as (
    select v.party_id, v.system, v.subscription_id, v.plan, v.mrr, count(*) over (partition by v.party_id) as subscriptions
    from subscription_values v
    cross join clock c
    where v.subscription_id is not null and not v.is_trial and v.started_on <= c.as_of_on and (v.ended_on is null or v.ended_on > c.as_of_on)
),

used as (
    select
        d.system,
        d.subscription_id,
        count(*) filter (where d.used_on > c.as_of_on - 90) as days,
        count(*) filter (where d.used_on <= c.as_of_on - 90) as days_before
    from (select distinct system, subscription_id, cast(used_at as date) as used_on from usage where subscription_id is not null) d
    join clock c on d.used_on > c.as_of_on - 180 and d.used_on <= c.as_of_on
    group by d.system, d.subscription_id
)

select
    s.customer,
    r.subscription_id,
    r.plan,
    r.mrr as mrr_amount,
    u.days as used_days,
    u.days_before as used_days_before,
    100 / (1 + exp(-1.702 * (
        h.health_index - h.from_usage_trend
        + least(greatest(((u.days - u.days_before) / cast(u.days + u.days_before as double) - f.usage_trend_centre) / f.usage_trend_scale, -3), 3) * f.usage_trend_weight / f.spread
    ))) as score,
    s.score as customer_score,
    r.party_id
from running r
join used u on u.system = r.system and u.subscription_id = r.subscription_id and u.days_before > 0
join scores s on s.party_id = r.party_id
join health h on h.period = 'current' and h.party_id = r.party_id
cross join health_formula f
where r.subscriptions > 1 and exists (select 1 from health_weights where component = 'usage_trend' and is_used)
order by score, r.party_id, r.system, r.subscription_id, r.plan, r.mrr
-- /// table by_person
-- The customer's score with the person's own tickets in the place of all the customer's; who opened none adds none.
with asked as (
    select
        t.contact_number,
        count(*) filter (where t.department = 'ticket' and t.happened_on > c.as_of_on - 90) as tickets,
        count(*) filter (where t.department = 'activity' and t.is_conversation and t.happened_on > c.as_of_on - 90) as conversations,
        max(t.happened_on) as last_on
    from touches t
    join clock c on t.happened_on > c.as_of_on - 365
    where t.contact_number is not null
    group by t.contact_number
)

select
    n.contact,
    s.customer,
    a.tickets as tickets_in_90_days,
    a.conversations as conversations_in_90_days,
    a.last_on,
    100 / (1 + exp(-1.702 * (
        h.health_index - h.from_tickets_opened
        + least(greatest((least(a.tickets, 5) - f.tickets_opened_centre) / f.tickets_opened_scale, -3), 3) * f.tickets_opened_weight / f.spread
    ))) as score,
    s.score as customer_score,
    s.party_id
from asked a
join contact_records n on n.contact_number = a.contact_number
join scores s on s.party_id = n.party_id
join health h on h.period = 'current' and h.party_id = n.party_id
cross join health_formula f
where exists (select 1 from health_weights where component = 'tickets_opened' and is_used)
order by score, s.party_id, a.contact_number
-- /// table by_class
select
    coalesce(class, 'none') as class,
    count(*) as customers,
    percentile_cont(0.5) within group (order by score) as median_score,
    count(*) filter (where score < 25) as unhealthy,
    count(*) filter (where is_sudden_drop) as sudden_drops
from scores
group by 1
order by 1
-- /// table distribution
select cast(10 * least(floor(score / 10), 9) as integer) as score_from, cast(10 * least(floor(score / 10), 9) + 10 as integer) as score_to, count(*) as customers
from scores
group by 1, 2
order by 1
-- /// table components
select
    l.name as component,
    w.kind,
    w.is_used,
    w.weight, w.low, w.high, w.auc_alone, w.alone_low, w.alone_high,
    w.known_now_pct,
    case
        when w.is_used then null
        when coalesce(w.known_now_pct, 0) < 5 then 'hardly on record'
        else 'all alike, or hardly on record on the earlier days'
    end as why_not
from health_weights w
join labels l on l.component = w.component
order by l.place
-- /// table told_alone
select 'the score' as name, auc, auc_low as low, auc_high as high
from health_auc
where auc is not null
union all
select component, auc_alone, alone_low, alone_high
from components
where is_used and auc_alone is not null
order by auc desc, name
-- /// table calibration_by_decile
select decile, n as customers, positives as lost, 100 * score_mean as predicted_pct, observed_pct, low_pct, high_pct
from health_calibration
order by decile
-- /// table replayed
-- What became of those who were unhealthy, or had fallen suddenly, on the later days. A customer may stand on several of
-- them: the rate is that of all, its interval as wide as if each stood on one. It is held against that of everybody, or,
-- where it is higher, what it would be if nobody left.
with tested as (
    select h.party_id, h.score < 25 as is_unhealthy, h.score < 25 and b.score >= 50 as has_dropped, h.is_lost, h.p_lost_if_staying
    from health h
    left join health b on b.party_id = h.party_id and b.days_ago = h.days_ago + 30
    where h.role = 'test' and h.is_lost is not null and (select basis from health_facts) <> 'equal'
),

ruled as (
    select 'all' as rule, * from tested
    union all
    select 'score under 25', * from tested where is_unhealthy
    union all
    select 'sudden drop', * from tested where has_dropped
),

rated as (
    select
        rule,
        count(distinct party_id) as customers,
        avg(case when is_lost then 1.0 else 0.0 end) as share,
        100 * avg(p_lost_if_staying) as if_nobody_leaves_pct
    from ruled
    group by rule
)

select
    r.rule,
    r.customers,
    cast(round(r.share * r.customers) as integer) as lost,
    r.if_nobody_leaves_pct,
    case when r.rule <> 'all' then greatest(r.if_nobody_leaves_pct, 100 * a.share) end as usual_pct
from rated r
join rated a on a.rule = 'all'
order by r.rule
-- /// table usual_drops
select
    avg(case when h.score < 25 and b.score >= 50 then 1.0 else 0.0 end) as share,
    count(*) as customers
from health h
join health b on b.party_id = h.party_id and b.days_ago = h.days_ago + 30
where h.role in ('fit', 'test')
order by 1
-- /// table validation
select n, positives, auc, auc_low, auc_high, auc_p, best_component, best_auc, difference, difference_low, difference_high, difference_p
from health_auc
where auc is not null
order by auc
-- /// table attention
select
    v.auc, v.auc_low, v.auc_high,
    l.name as best_component,
    v.best_auc, v.difference, v.difference_low, v.difference_high,
    coalesce(v.difference > 0 and v.difference_q < 0.05, false) as beats,
    coalesce(v.auc > 0.5 and v.auc_q < 0.05, false) as tells,
    (select count(*) from unhealthy where class = 'A') as unhealthy_a_customers,
    (select coalesce(sum(revenue_amount), 0) from unhealthy where class = 'A') as unhealthy_a_amount,
    (select count(*) from dropped) as sudden_drops,
    (select coalesce(sum(revenue_amount), 0) from dropped) as dropped_amount,
    (select round(u.share * s.customers) from usual_drops u cross join (select count(*) as customers from scores where change_30d is not null) s) as sudden_drops_usual,
    u.rate_pct as unhealthy_lost_pct,
    u.if_nobody_leaves_pct as unhealthy_expected_pct,
    coalesce(u.beyond_q < 0.05 and u.rate_pct > u.usual_pct, false) as unhealthy_leave,
    d.rate_pct as dropped_lost_pct,
    coalesce(d.beyond_q < 0.05 and d.rate_pct > d.usual_pct, false) as dropped_leave,
    a.rate_pct as all_lost_pct
from validation v
left join labels l on l.component = v.best_component
left join replayed a on a.rule = 'all'
left join replayed u on u.rule = 'score under 25'
left join replayed d on d.rule = 'sudden drop'
order by v.auc
-- /// metrics
select
    percentile_cont(0.5) within group (order by s.score) as score_median,
    count(*) as score_median_n,
    count(*) filter (where s.score < 25) as unhealthy_customers,
    case when count(s.class) > 0 then count(*) filter (where s.score < 25 and s.class = 'A') end as unhealthy_a_customers,
    count(*) filter (where s.is_sudden_drop) as sudden_drops,
    (select round(share * count(s.change_30d)) from usual_drops where customers > 0) as sudden_drops_usual,
    (select max(auc) from validation) as auc,
    (select max(auc_low) from validation) as auc_low,
    (select max(auc_high) from validation) as auc_high,
    (select max(n) from validation) as auc_n,
    (select max(l.name) from validation v join labels l on l.component = v.best_component) as best_component,
    (select max(best_auc) from validation) as best_component_auc,
    (select max(difference) from validation) as auc_gain,
    (select max(difference_low) from validation) as auc_gain_low,
    (select max(difference_high) from validation) as auc_gain_high,
    (
        select round((max(c.known_on) - min(c.as_of_on)) / 30.4375)
        from health_members c
        where (select basis from health_facts) <> 'equal'
            and ((c.role = 'fit' and c.known_on <= c.first_test_on) or (c.role = 'test' and c.is_lost is not null))
    ) as backtest_months,
    (select case basis when 'component' then 'fitted for each component' when 'kind' then 'fitted for each kind of record' else 'equal, not validated' end from health_facts) as weights,
    (select max(fit_events) from health_facts) as fitted_losses,
    (select max(test_events) from health_facts) as tested_losses
from scores s
having count(*) > 0
