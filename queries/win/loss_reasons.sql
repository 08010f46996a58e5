-- /// audit
-- title    = "Loss reasons"
-- question = "Why do you lose?"
-- why      = "A reason that is known can be mended; price is named first and is seldom the first reason."
-- fix      = "Make the loss reason a required choice of at most eight when a deal is closed as lost."
-- headline = ["A reason is recorded for {reason_known_pct} of the deals lost in the window; the most frequent is {top_loss_reason}.", "A reason is recorded for {reason_known_pct} of the deals lost in the window."]
-- any_of   = [["opportunities.loss_reason"]]
-- [[method]]
-- name = "rates"
-- table = "by_reason"
-- successes = "lost"
-- trials = "lost_with_reason"
-- [metrics]
-- reason_known_pct = { unit = "pct", better = "up" }
-- top_loss_reason = { unit = "text" }
-- price_losses_pct = { unit = "pct", note = "reasons that name price, cost, budget or expense, of the losses with a reason" }
-- lost_value = { unit = "money", better = "down" }
-- [[finding]]
-- level = "watch"
-- when = "reason_known_pct < 50 and reason_known_pct_n >= 20"
-- text = "For {reason_unknown_pct} of the lost deals nobody wrote down why."
-- [[chart]]
-- kind = "bars"
-- table = "by_reason"
-- caption = "Lost deals by reason"
-- value = "lost"
-- label = "reason"
-- ///
-- /// table by_reason
select
    d.loss_reason as reason,
    count(*) as lost,
    sum(count(*)) over () as lost_with_reason,
    sum(d.amount) as lost_amount,
    cast(percentile_cont(0.5) within group (order by date_diff('day', d.created_on, d.closed_on)) as double) as age_days,
    coalesce(bool_or(regexp_matches(lower(d.loss_reason), 'price|pricing|cost|budget|expens')), false) as is_price
from deals d
join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.outcome = 'lost' and d.loss_reason is not null
group by d.loss_reason
order by count(*) desc, d.loss_reason
-- /// table by_age
select
    case
        when date_diff('day', d.created_on, d.closed_on) < 30 then '1: under 30 days'
        when date_diff('day', d.created_on, d.closed_on) < 90 then '2: 30 to 89 days'
        when date_diff('day', d.created_on, d.closed_on) < 180 then '3: 90 to 179 days'
        else '4: 180 days and more'
    end as age,
    count(*) as lost,
    sum(d.amount) as lost_amount
from deals d
join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.outcome = 'lost' and d.created_on <= d.closed_on
group by 1
order by 1
-- /// table by_stage
select coalesce(d.stage, 'unknown') as stage, count(*) as lost, sum(d.amount) as lost_amount
from deals d
join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.outcome = 'lost'
group by 1
order by count(*) desc, 1
-- /// metrics
select
    100.0 * count(d.loss_reason) / nullif(count(*), 0) as reason_known_pct,
    count(*) as reason_known_pct_n,
    100.0 - 100.0 * count(d.loss_reason) / nullif(count(*), 0) as reason_unknown_pct,
    (select reason from by_reason order by lost desc, reason limit 1) as top_loss_reason,
    (select 100.0 * coalesce(sum(lost) filter (where is_price), 0) / sum(lost) from by_reason) as price_losses_pct,
    sum(d.amount) as lost_value
from deals d
join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.outcome = 'lost'
