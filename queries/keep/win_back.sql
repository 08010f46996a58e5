-- /// audit
-- title    = "Win back"
-- question = "Who is worth wooing back?"
-- why      = "A customer who left knows you already. Some return, most do not, and what was done before tells which are worth the call."
-- fix      = "Record the day and the reason of every leaving, and every return under the customer's old id."
-- headline = ["{none_lapsed|customer has|customers have} lapsed.", "Of {nobody_of} who had lapsed before nobody came back within {horizon_days}; {lapsed_customers} have lapsed.", "Of those who had lapsed before, {reactivation_rate_pct} came back within {horizon_days} ({reactivation_rate_pct.interval}); {win_back_candidates} of {lapsed_customers} lapsed customers carry most of what may be won back, {win_back_value} a year.", "Of those who had lapsed before, {reactivation_rate_pct} came back within {horizon_days} ({reactivation_rate_pct.interval}), too few to say who of {lapsed_customers} is worth wooing.", "{lapsed_customers|customer has|customers have} lapsed; what wooing them back is worth cannot be told."]
-- optional = ["forecasts", "rhythm_groups", "rhythm_groups_before", "purchase_histories", "contracts", "subscription_values", "purchases"]
-- hidden   = ["lapses", "overall"]
-- [[method]]
-- name = "rates"
-- table = "price_list"
-- successes = "came_back"
-- trials = "lapsed_before"
-- shrink = true
-- [[method]]
-- name = "rates"
-- table = "overall"
-- successes = "came_back"
-- trials = "lapsed_before"
-- [metrics]
-- lapsed_customers = { unit = "n", better = "down", note = "without contract: silent beyond the 99th percentile of their own predictive gap and P(alive) < 0.2; under contract: ended at least 30 days ago and none since" }
-- reactivation_rate_pct = { unit = "pct", better = "up", note = "of those who had lapsed in the same way by the holdout date, judged by what was known then, who bought or signed after it; with whatever was done to win them" }
-- win_back_candidates = { unit = "n", note = "the fewest lapsed customers who carry 80 % of the value" }
-- win_back_value = { unit = "money", note = "of these: chance of coming back times the revenue of their last year as customers" }
-- all_win_back_value = { unit = "money", label = "Value of all lapsed customers", note = "chance times yearly revenue" }
-- horizon_days = { unit = "days", note = "the time that past returns were watched for" }
-- unpriced_customers = { unit = "n", note = "lapsed in a way in which nobody had lapsed by the holdout date, or without a known revenue" }
-- [[finding]]
-- level = "watch"
-- when = "win_back_candidates > 0"
-- text = "{win_back_candidates|lapsed customer is|lapsed customers are} worth a call first: at the rates at which such customers came back before, they would bring {win_back_value} a year."
-- customers = "win_back_candidates"
-- value = "win_back_value"
-- lists = "first_to_call"
-- [[finding]]
-- level = "info"
-- when = "reactivation_rate_pct_high < 5 and lapsed_customers > 0"
-- text = "Of {lapsed_before|customer|customers} who had lapsed before {came_back} came back within {horizon_days}: spend on those who stay."
-- [[partial]]
-- when = "select horizon_days is null and lapsed_customers > 0 from metrics"
-- reason = "The exports cover too little time to see anybody come back."
-- [[partial]]
-- when = "select horizon_days < 365 and lapsed_customers > 0 from metrics"
-- reason = "Past returns could be watched for less than a year."
-- bias = "Chances of coming back are too low."
-- [[partial]]
-- when = "select count(*) = 0 from rhythm_groups_before where lapsed_after_days is not null having (select count(*) from forecasts where is_lapsed) > 0"
-- reason = "At the holdout date too little was known to say who had lapsed, so nobody without a contract has a price."
-- [[partial]]
-- when = "select reactivation_rate_pct is not null and win_back_candidates is null from metrics"
-- reason = "Fewer than five customers came back: no price can be put on it."
-- [[partial]]
-- when = "select win_back_candidates is not null and unpriced_customers > 0 from metrics"
-- reason = "{unpriced_customers|lapsed customer has|lapsed customers have} no value: nobody had been gone for so long at the holdout date, or what they paid is not known."
-- bias = "The value of winning back is too low."
-- [[chart]]
-- kind = "interval_bars"
-- table = "price_list"
-- caption = "Share of lapsed customers who came back, by the way they had lapsed, with 95 % intervals"
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- label = "lapsed_how"
-- ///
-- /// table lapses
-- Who had lapsed now, and who at the holdout date by what was known then: the same rule on both days.
with silent as (
    select
        'current' as period,
        party_id,
        last_purchase_on as left_on,
        'silent' as kind
    from forecasts
    where is_lapsed
    union all
    select c.period, c.party_id, c.last_purchase_on, 'silent'
    from customers c
    join periods w on w.period = c.period
    join parties p on p.party_id = c.party_id
    join rhythm_groups_before r
        on r.segment = coalesce(p.segment, 'unknown')
        and r.frequency = c.purchases - 1
        and r.recency_days = date_diff('day', c.first_purchase_on, c.last_purchase_on)
        and r.age_days = date_diff('day', c.first_purchase_on, w.as_of_on)
    join (
        select frequency, recency_weeks, age_weeks, max(p_alive) as p_alive
        from purchase_histories
        where period = 'holdout'
        group by frequency, recency_weeks, age_weeks
    ) h
        on h.frequency = c.purchases - 1
        and h.recency_weeks = cast(floor(date_diff('day', c.first_purchase_on, c.last_purchase_on) / 7.0) as integer)
        and h.age_weeks = cast(floor(date_diff('day', c.first_purchase_on, w.as_of_on) / 7.0) as integer)
    where c.period = 'holdout'
        and not c.is_contractual
        and date_diff('day', c.last_purchase_on, w.as_of_on) > r.lapsed_after_days
        and h.p_alive < 0.2
),

ended as (
    select c.period, c.party_id, c.ended_on, 'out of contract'
    from customers c
    join periods w on w.period = c.period
    where c.period in ('current', 'holdout')
        and c.is_contractual
        and c.ended_on <= w.as_of_on - 30
)

select
    l.period,
    l.party_id,
    l.kind,
    l.left_on,
    l.kind || case
        when date_diff('day', l.left_on, w.as_of_on) <= 182 then ' for up to 6 months'
        when date_diff('day', l.left_on, w.as_of_on) <= 365 then ' for 6 to 12 months'
        when date_diff('day', l.left_on, w.as_of_on) <= 730 then ' for 1 to 2 years'
        else ' for over 2 years'
    end as lapsed_how
from (select * from silent union all select * from ended) l
join periods w on w.period = l.period
order by l.period, l.party_id
-- /// table price_list
-- Back is who bought or signed after the holdout date; an old contract's late invoice is no return.
with returned as (
    select l.party_id
    from lapses l
    join customers b on b.period = 'holdout' and b.party_id = l.party_id
    join customers n on n.period = 'current' and n.party_id = l.party_id
    where l.period = 'holdout' and l.kind = 'silent' and n.purchases > b.purchases
    union
    select l.party_id
    from lapses l
    join contracts c on c.party_id = l.party_id
    join periods h on h.period = 'holdout'
    join periods n on n.period = 'current'
    where l.period = 'holdout' and c.started_on > h.as_of_on and c.started_on <= n.as_of_on
)

select
    l.lapsed_how,
    count(*) filter (where l.period = 'holdout') as lapsed_before,
    count(r.party_id) filter (where l.period = 'holdout') as came_back,
    count(*) filter (where l.period = 'current') as lapsed_now
from lapses l
left join returned r on r.party_id = l.party_id
group by l.lapsed_how
order by l.lapsed_how
-- /// table overall
select cast(sum(lapsed_before) as bigint) as lapsed_before, cast(sum(came_back) as bigint) as came_back
from price_list
having sum(lapsed_before) > 0
order by lapsed_before
-- /// table ranking
-- The last year as a customer: twelve times the MRR of the last day, else the purchases of the twelve months up to it.
with bought as (
    select l.party_id, sum(b.amount) as amount
    from lapses l
    join purchases b
        on b.party_id = l.party_id
        and b.purchased_on > cast(l.left_on - to_months(12) as date)
        and b.purchased_on <= l.left_on
    where l.period = 'current'
    group by l.party_id
),

recurring as (
    select l.party_id, 12 * sum(v.mrr) as amount
    from lapses l
    join subscription_values v on v.party_id = l.party_id and v.started_on <= l.left_on and v.ended_on >= l.left_on and not v.is_trial
    where l.period = 'current'
    group by l.party_id
),

valued as (
    select
        l.party_id,
        l.lapsed_how,
        l.left_on,
        case when o.came_back >= 5 then g.shrunk_pct end as chance_pct,
        cast(coalesce(r.amount, b.amount) as decimal(18, 2)) as yearly_amount,
        cast(case when o.came_back >= 5 then g.shrunk_pct end / 100 * coalesce(r.amount, b.amount) as decimal(18, 2)) as value_amount
    from lapses l
    left join overall o on 1 = 1
    join price_list g on g.lapsed_how = l.lapsed_how
    left join bought b on b.party_id = l.party_id
    left join recurring r on r.party_id = l.party_id
    where l.period = 'current'
)

select
    row_number() over (order by v.value_amount desc nulls last, v.yearly_amount desc nulls last, v.party_id) as place,
    p.customer,
    v.value_amount,
    v.chance_pct,
    v.yearly_amount,
    v.lapsed_how,
    v.left_on,
    p.segment,
    p.owner_id,
    coalesce(
        sum(v.value_amount) over (
            order by v.value_amount desc nulls last, v.yearly_amount desc nulls last, v.party_id
            rows between unbounded preceding and 1 preceding
        ), 0
    ) < cast(0.8 * sum(v.value_amount) over () as decimal(18, 4)) and v.value_amount > 0 as is_candidate,
    v.party_id
from valued v
join parties p on p.party_id = v.party_id
order by place
-- /// table first_to_call
select place, customer, value_amount, chance_pct, yearly_amount, lapsed_how, left_on, segment, owner_id, party_id
from ranking
where is_candidate
order by place
-- /// metrics
select
    count(*) as lapsed_customers,
    max(o.rate_pct) as reactivation_rate_pct,
    max(o.low_pct) as reactivation_rate_pct_low,
    max(o.high_pct) as reactivation_rate_pct_high,
    max(o.lapsed_before) as reactivation_rate_pct_n,
    case when max(o.came_back) >= 5 then count(*) filter (where r.is_candidate) end as win_back_candidates,
    sum(r.value_amount) filter (where r.is_candidate) as win_back_value,
    sum(r.value_amount) as all_win_back_value,
    (select max(holdout_days) from periods) as horizon_days,
    count(*) filter (where r.value_amount is null) as unpriced_customers,
    max(o.lapsed_before) as lapsed_before,
    max(o.came_back) as came_back,
    max(o.lapsed_before) filter (where o.came_back = 0) as nobody_of,
    case when count(*) = 0 then 0 end as none_lapsed
from ranking r
left join overall o on 1 = 1
having count(*) > 0
    or exists (select 1 from forecasts where p_alive is not null)
    or exists (select 1 from customers where period = 'current' and is_contractual)
