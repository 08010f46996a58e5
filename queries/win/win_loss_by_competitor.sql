-- /// audit
-- title    = "Win/loss by competitor"
-- question = "To whom do you lose, beyond what chance explains?"
-- why      = "A competitor who starts to win shows here a quarter before it shows in revenue."
-- fix      = "Ask for the competitor at the proposal stage, on every deal, won or lost."
-- headline = ["Most losses go to {top_competitor_by_losses}: {top_competitor_lost_value} in the window. The competitor is known for {competitor_known_pct} of the losses.", "The competitor is known for none of the losses."]
-- any_of   = [["opportunities.competitor"]]
-- hidden   = ["by_competitor", "known"]
-- [[method]]
-- name = "rates"
-- table = "by_competitor"
-- successes = "won"
-- trials = "deals"
-- shrink = true
-- compare = true
-- [[method]]
-- name = "trend"
-- table = "by_quarter"
-- period = "quarter_number"
-- successes = "lost"
-- trials = "deals_decided"
-- group = "competitor"
-- gives = { trends = "lost_share_trends" }
-- [[method]]
-- name = "trend"
-- table = "by_quarter"
-- period = "quarter_number"
-- successes = "lost"
-- trials = "deals_told"
-- group = "competitor"
-- gives = { trends = "loss_rate_trends" }
-- [metrics]
-- top_competitor_by_losses = { unit = "text" }
-- top_competitor_lost_value = { unit = "money", better = "down" }
-- worst_win_rate_competitor = { unit = "text", note = "lowest win rate after shrinkage, at least five deals" }
-- competitor_known_pct = { unit = "pct", better = "up", note = "of deals lost in the window" }
-- competitor_known_won_pct = { unit = "pct", better = "up", note = "of deals won in the window" }
-- [units]
-- lost_value = "money"
-- trend = "points"
-- loss_rate_trend = "points"
-- [[finding]]
-- level = "act"
-- table = "lost_share_trends left join by_competitor using (competitor)"
-- when = "q < 0.05 and trend > 0"
-- key = "{competitor}"
-- text = "{competitor} wins more and more often: the share of your decided deals that goes there rises by {trend} a quarter; {lost_amount} lost in the window."
-- value = "lost_amount"
-- lists = "competitors"
-- [[finding]]
-- level = "act"
-- table = "loss_rate_trends left join by_competitor using (competitor)"
-- when = "q < 0.05 and trend > 0 and competitor not in (select competitor from lost_share_trends where q < 0.05 and trend > 0)"
-- key = "{competitor}"
-- text = "Against {competitor} you lose more and more often: the share lost of the deals in which you meet rises by {trend} a quarter; {lost_amount} lost in the window."
-- value = "lost_amount"
-- lists = "competitors"
-- [[finding]]
-- level = "good"
-- table = "lost_share_trends"
-- when = "q < 0.05 and trend < 0"
-- key = "{competitor}"
-- text = "{competitor} takes fewer of your deals: the share falls by {trend} a quarter."
-- [[finding]]
-- level = "watch"
-- table = "by_competitor"
-- when = "differs_q < 0.05 and shrunk_pct < (select 100.0 * sum(won) / sum(deals) from by_competitor) and is_comparable"
-- key = "{competitor}"
-- lists = "competitors"
-- text = "Against {competitor} you win {rate_pct} of {deals} deals, less than against the others."
-- value = "lost_amount"
-- [[partial]]
-- when = "select not bool_and(is_comparable) from by_competitor"
-- reason = "The competitor is filled on losses far more often than on wins, so win rates by competitor are withheld; only what was lost is shown."
-- bias = "Win rates from such a field would be too low."
-- [[chart]]
-- kind = "interval_bars"
-- table = "competitors"
-- caption = "Win rate against each competitor, with 95 % intervals"
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- label = "competitor"
-- ///
-- /// table by_competitor
with decided as (
    select d.competitor, d.outcome, d.amount
    from deals d
    join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
    where d.is_new_business and d.outcome in ('won', 'lost')
),

known as (
    select
        100.0 * count(competitor) filter (where outcome = 'lost') / nullif(count(*) filter (where outcome = 'lost'), 0) as on_losses_pct,
        100.0 * count(competitor) filter (where outcome = 'won') / nullif(count(*) filter (where outcome = 'won'), 0) as on_wins_pct
    from decided
)

select
    d.competitor,
    count(*) as deals,
    case when not k.on_losses_pct - k.on_wins_pct > 15 then count(*) filter (where d.outcome = 'won') end as won,
    count(*) filter (where d.outcome = 'lost') as lost,
    coalesce(sum(d.amount) filter (where d.outcome = 'lost'), 0) as lost_amount,
    not k.on_losses_pct - k.on_wins_pct > 15 as is_comparable
from decided d
cross join known k
where d.competitor is not null
group by d.competitor, k.on_losses_pct, k.on_wins_pct
order by lost_amount desc, d.competitor
-- /// table by_quarter
-- How often a competitor wins of the deals in which it is met tells a change sooner than what it takes of all deals, which
-- also hangs on how often it is met. It can be told where wins name the competitor as losses do, in either year.
with decided as (
    select
        d.competitor,
        d.outcome,
        d.amount,
        cast(floor(date_diff('day', d.closed_on, c.as_of_on) / 91.3125) as integer) as quarters_ago
    from deals d
    cross join clock c
    where d.is_new_business
        and d.closed_on is not null
        and date_diff('day', d.closed_on, c.as_of_on) < 730
),

totals as (
    select quarters_ago, count(*) as deals_decided
    from decided
    group by quarters_ago
),

known as (
    select
        quarters_ago < 4 as is_recent,
        100.0 * count(competitor) filter (where outcome = 'lost') / nullif(count(*) filter (where outcome = 'lost'), 0) as on_losses_pct,
        100.0 * count(competitor) filter (where outcome = 'won') / nullif(count(*) filter (where outcome = 'won'), 0) as on_wins_pct
    from decided
    group by quarters_ago < 4
),

names as (
    select competitor
    from decided
    where competitor is not null
    group by competitor
    having count(*) filter (where outcome = 'lost') >= 5
)

select
    n.competitor,
    -t.quarters_ago as quarter_number,
    t.deals_decided,
    count(d.outcome) filter (where d.outcome = 'lost') as lost,
    count(d.outcome) as deals,
    case when not exists (select 1 from known where on_losses_pct - on_wins_pct > 15) then count(d.outcome) end as deals_told
from names n
cross join totals t
left join decided d on d.competitor = n.competitor and d.quarters_ago = t.quarters_ago
group by n.competitor, t.quarters_ago, t.deals_decided
order by n.competitor, t.quarters_ago desc
-- /// table known
select
    100.0 * count(d.competitor) filter (where d.outcome = 'lost') / nullif(count(*) filter (where d.outcome = 'lost'), 0) as known_on_losses_pct,
    100.0 * count(d.competitor) filter (where d.outcome = 'won') / nullif(count(*) filter (where d.outcome = 'won'), 0) as known_on_wins_pct,
    count(*) filter (where d.outcome = 'lost') as lost,
    count(*) filter (where d.outcome = 'won') as won
from deals d
join periods p on p.period = 'current' and d.closed_on > p.start_on and d.closed_on <= p.end_on
where d.is_new_business
-- /// table competitors
select
    b.competitor,
    b.deals,
    b.won,
    b.lost,
    b.rate_pct as win_rate_pct,
    b.low_pct,
    b.high_pct,
    b.shrunk_pct,
    b.shrunk_low_pct,
    b.shrunk_high_pct,
    b.lost_amount as lost_value,
    t.trend,
    t.q as trend_q,
    r.trend as loss_rate_trend,
    r.q as loss_rate_trend_q
from by_competitor b
left join lost_share_trends t using (competitor)
left join loss_rate_trends r using (competitor)
order by b.lost_amount desc, b.competitor
-- /// metrics
select
    (select competitor from by_competitor order by lost desc, lost_amount desc, competitor limit 1) as top_competitor_by_losses,
    (select lost_amount from by_competitor order by lost desc, lost_amount desc, competitor limit 1) as top_competitor_lost_value,
    (
        select competitor
        from by_competitor
        where is_comparable and deals >= 5
        order by shrunk_pct, competitor
        limit 1
    ) as worst_win_rate_competitor,
    known_on_losses_pct as competitor_known_pct,
    lost as competitor_known_pct_n,
    known_on_wins_pct as competitor_known_won_pct,
    won as competitor_known_won_pct_n
from known
where exists (select 1 from by_competitor)
