-- /// audit
-- title    = "Win rate"
-- question = "What share of opportunities is won, and is it getting better?"
-- why      = "A falling win rate is felt in revenue a sales cycle later; by then the quarter is gone."
-- fix      = "Close every lost deal on the day it is lost and give every open one a close date that is still ahead."
-- headline = ["{win_rate_pct} of the deals closed in the window were won ({win_rate_pct.interval}); of those created, {created_cohort_win_rate_pct} are won within a year.", "{win_rate_pct} of the deals closed in the window were won ({win_rate_pct.interval})."]
-- hidden   = ["created_deals"]
-- [[method]]
-- name = "rates"
-- table = "by_window"
-- successes = "won"
-- trials = "closed"
-- compare = true
-- [[method]]
-- name = "rates"
-- table = "by_part"
-- successes = "won"
-- trials = "closed"
-- shrink = true
-- [[method]]
-- name = "competing_risks"
-- table = "created_deals"
-- exit = "days"
-- outcome = "outcome"
-- n = "deals"
-- gives = { curve = "won_since_created", summary = "won_within" }
-- [metrics]
-- win_rate_pct = { unit = "pct", better = "up", note = "won of won and lost, closed in the window, new business" }
-- win_rate_of_all_pct = { unit = "pct", note = "another definition: won of all deals, open ones counted as not won" }
-- win_rate_by_value_pct = { unit = "pct", better = "up", note = "another definition: by value; withheld where most lost deals carry no value" }
-- created_cohort_win_rate_pct = { unit = "pct", better = "up", note = "another definition: Aalen-Johansen, won within 365 days of creation, deals still open included" }
-- win_rate_change_points = { unit = "points", better = "up", note = "against the window before" }
-- sales_cycle_days_median = { unit = "days", better = "down", note = "of deals won in the window" }
-- sales_cycle_days_mean = { unit = "days", better = "down", note = "another definition: the mean, of deals won in the window" }
-- open_past_close_date = { unit = "n", better = "down", note = "open deals whose expected close date has passed" }
-- open_past_amount = { unit = "money", label = "Value of open deals past their close date" }
-- won_value = { unit = "money", better = "up" }
-- bulk_days = { unit = "n", note = "days on which far more deals were closed than usual" }
-- [units]
-- day = "n"
-- [[finding]]
-- level = "act"
-- when = "change < 0 and differs_q < 0.05"
-- table = "change_between_windows"
-- text = "The win rate fell from {previous_rate_pct} to {rate_pct}."
-- [[finding]]
-- level = "good"
-- when = "change > 0 and differs_q < 0.05"
-- table = "change_between_windows"
-- text = "The win rate rose from {previous_rate_pct} to {rate_pct}."
-- [[finding]]
-- level = "watch"
-- when = "open_past_close_date > 0"
-- text = "{open_past_close_date|open deal is|open deals are} past their expected close date, worth {open_past_amount}."
-- value = "open_past_amount"
-- lists = "overdue_deals"
-- [[finding]]
-- level = "watch"
-- when = "bulk_days > 0"
-- text = "On {bulk_days|day|days} deals were closed in bulk: a clean-up moves the win rate of its month."
-- lists = "closed_in_bulk"
-- [[partial]]
-- when = "select count(*) filter (where outcome in ('won', 'lost') and closed_on is null) > 0 from deals"
-- reason = "Some closed deals have no close date and are left out of the window."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_part"
-- caption = "Win rate by segment, origin and product"
-- description = "Win rates with 95 % intervals, shrunk towards the overall rate."
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- label = "value"
-- [[chart]]
-- kind = "curve_with_band"
-- table = "won_since_created"
-- caption = "Share of created deals that are won, by days since creation"
-- description = "Cumulative incidence of winning with losing as the competing way out; open deals are censored."
-- x = "day"
-- y = "incidence_pct"
-- low = "low_pct"
-- high = "high_pct"
-- ///
-- /// table by_window
select
    p.period,
    p.start_on + 1 as start_on,
    p.end_on,
    count(*) filter (where d.outcome = 'won') as won,
    count(*) as closed,
    sum(d.amount) filter (where d.outcome = 'won') as won_amount,
    sum(d.amount) as closed_amount,
    count(*) filter (where d.outcome = 'lost' and d.amount > 0) as lost_with_value
from deals d
join periods p on d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.is_new_business
    and p.period in ('current', 'previous')
    and (p.period = 'current' or (select min(closed_on) from deals) <= p.start_on + 1)
group by p.period, p.start_on, p.end_on
order by p.period
-- /// table change_between_windows
select
    n.won,
    n.closed,
    b.won as previous_won,
    b.closed as previous_closed,
    n.rate_pct,
    b.rate_pct as previous_rate_pct,
    n.rate_pct - b.rate_pct as change,
    n.differs_q
from by_window n
join by_window b on b.period = 'previous'
where n.period = 'current'
order by n.period
-- /// table by_part
with parts as (
    select 'segment' as part, coalesce(segment, 'unknown') as value, outcome, amount, closed_on, is_new_business from deals
    union all
    select 'origin', coalesce(origin, 'unknown'), outcome, amount, closed_on, is_new_business from deals
    union all
    select 'product', coalesce(product, 'unknown'), outcome, amount, closed_on, is_new_business from deals
)

select
    d.part,
    d.value,
    count(*) filter (where d.outcome = 'won') as won,
    count(*) as closed,
    sum(d.amount) filter (where d.outcome = 'won') as won_amount
from parts d
join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.is_new_business
group by d.part, d.value
having count(*) < (
    select count(*)
    from deals a
    join periods w on w.period = 'current' and a.closed_on > w.start_on and a.closed_on <= w.end_on
    where a.is_new_business
)
order by d.part, count(*) desc, d.value
-- /// table created_deals
select
    case d.outcome when 'won' then 'event' when 'lost' then 'competing' else 'censored' end as outcome,
    date_diff('day', d.created_on, coalesce(d.closed_on, c.as_of_on)) as days,
    count(*) as deals
from deals d
cross join clock c
where d.is_new_business
    and d.created_on is not null
    and coalesce(d.closed_on, c.as_of_on) >= d.created_on
    and (d.outcome = 'open' or d.closed_on is not null)
group by 1, 2
order by 1, 2
-- /// table overdue_deals
select
    d.opportunity_id,
    p.customer,
    d.owner,
    d.stage,
    d.amount,
    d.expected_close_on,
    date_diff('day', d.expected_close_on, c.as_of_on) as overdue_days
from deals d
cross join clock c
left join parties p on p.party_id = d.party_id
where d.outcome = 'open' and d.is_new_business and d.expected_close_on < c.as_of_on
order by d.amount desc nulls last, d.opportunity_id
-- /// table closed_in_bulk
with days as (
    select d.closed_on, count(*) as deals, count(*) filter (where d.outcome = 'lost') as lost
    from deals d
    join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
    where d.is_new_business
    group by d.closed_on
),

usual as (
    select percentile_cont(0.5) within group (order by deals) as median_deals
    from days
)

select d.closed_on, d.deals, d.lost, cast(u.median_deals as double) as usual_deals
from days d
cross join usual u
where d.deals >= 20 and d.deals > 10 * u.median_deals
order by d.deals desc, d.closed_on
-- /// metrics
select
    w.rate_pct as win_rate_pct,
    w.low_pct as win_rate_pct_low,
    w.high_pct as win_rate_pct_high,
    w.closed as win_rate_pct_n,
    w.won,
    w.closed - w.won as lost,
    (
        select 100.0 * count(*) filter (where outcome = 'won' and closed_on > p.start_on and closed_on <= p.end_on)
            / nullif(count(*) filter (where outcome = 'open' or (closed_on > p.start_on and closed_on <= p.end_on)), 0)
        from deals
        cross join periods p
        where is_new_business and p.period = 'current'
    ) as win_rate_of_all_pct,
    case when w.lost_with_value * 2 >= w.closed - w.won
        then 100.0 * coalesce(w.won_amount, 0) / nullif(w.closed_amount, 0) end as win_rate_by_value_pct,
    c.at_365_pct as created_cohort_win_rate_pct,
    c.at_365_low as created_cohort_win_rate_pct_low,
    c.at_365_high as created_cohort_win_rate_pct_high,
    c.n as created_cohort_win_rate_pct_n,
    (select change from change_between_windows) as win_rate_change_points,
    cycle.median_days as sales_cycle_days_median,
    cycle.mean_days as sales_cycle_days_mean,
    cycle.n as sales_cycle_days_mean_n,
    (select count(*) from overdue_deals) as open_past_close_date,
    (select sum(amount) from overdue_deals) as open_past_amount,
    w.won_amount as won_value,
    (select count(*) from deals where outcome = 'open' and is_new_business) as open_deals,
    (select count(*) from closed_in_bulk) as bulk_days
from by_window w
left join won_within c on true
left join (
    select
        cast(percentile_cont(0.5) within group (order by date_diff('day', d.created_on, d.closed_on)) as double) as median_days,
        sum(date_diff('day', d.created_on, d.closed_on)) * 1.0 / count(*) as mean_days,
        count(*) as n
    from deals d
    join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
    where d.outcome = 'won' and d.is_new_business and d.created_on <= d.closed_on
) cycle on true
where w.period = 'current'
