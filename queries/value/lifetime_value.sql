-- /// audit
-- title    = "Lifetime value"
-- question = "What is each customer still worth?"
-- why      = "What may be spent on winning or keeping a customer is bounded by what the customer will still bring."
-- fix      = "Export margins or costs with the invoices, so that worth can be told in profit."
-- headline = ["The customers of today are worth another {residual_value} over three years; {value_at_risk} of the next year's value is at risk.", "The customers of today are worth another {residual_value} over three years.", "Sales leave a margin of {margin_pct}; what the customers are still worth cannot be told."]
-- optional = ["classes", "forecasts", "contract_forecasts", "spend_groups", "purchase_histories", "contract_curve", "invoices.cost"]
-- hidden   = ["margin", "prospects", "residual_total"]
-- [[method]]
-- name = "prediction"
-- table = "prospects"
-- none = "p_none"
-- moves = ["purchases_move_1", "purchases_move_2", "purchases_move_3", "purchases_move_4", "spend_move_1", "spend_move_2", "spend_move_3", "contract_move_1", "contract_move_2"]
-- adds = ["low", "high"]
-- gives = { total = "residual_total(value, low, high, n)" }
-- [metrics]
-- residual_value = { unit = "money", better = "up", note = "of the next three years, 10 % discount a year: margin at today's rate where the exports know what sales cost, else revenue. Interval: 95 % of what will come, if customers go on as they do: parameters, purchases and spend together" }
-- margin_pct = { unit = "pct", note = "of the revenue in the window, of sales whose cost is known; unknown costs of over a fifth of it tell no margin" }
-- value_at_risk = { unit = "money", better = "down", note = "P(active) x P(leaves in 12 months) x 12-month value if active today; without contract that value allows for leaving within the year, so it is a lower bound" }
-- value_already_lost = { unit = "money", better = "down", note = "P(gone) x 12-month value if it were not" }
-- top_decile_residual_pct = { unit = "pct", note = "share of the residual value that the most valuable tenth of the customers holds" }
-- spend_correlation = { unit = "ratio", note = "of spend and frequency; the model of spend is used up to 0.3" }
-- [[finding]]
-- level = "info"
-- when = "value_at_risk > 0"
-- text = "{value_at_risk} of the next year's value is at risk."
-- value = "value_at_risk"
-- lists = "worth"
-- [[partial]]
-- when = "select max(rate) is null from margin"
-- reason = "No margins in the exports: worth is told in revenue."
-- bias = "Revenue overstates what a customer is worth."
-- [[partial]]
-- when = "select max(rate) is not null and (select count(*) from contract_forecasts where period = 'current') > 0 from margin"
-- reason = "What it costs to serve a contract is not in the exports: contracts are told in revenue, all else in margin."
-- bias = "Contracts look more valuable than they are."
-- [[partial]]
-- when = "select count(*) > 0 and count(p_stays_52w) = 0 from contract_forecasts where period = 'current'"
-- reason = "Too few contracts have ended to tell how long the others last."
-- [[partial]]
-- when = "select count(*) > 0 and count(expected_purchases_52w) = 0 from forecasts"
-- reason = "No model of purchases holds for these customers; see the audit of churn risk."
-- [[partial]]
-- when = "select count(*) filter (where mean is not null) > 0 and count(*) filter (where mean is not null and variance is null) > 0 from prospects"
-- reason = "Spends vary so wildly that no interval can be put on the worth of some customers, nor on that of all."
-- [[partial]]
-- when = "select count(*) > 0 from prospects where mean >= 0 and variance is not null and low is null"
-- reason = "How far the parameters of a model may be off cannot be told here, so no interval can be put on the worth of some customers, nor on that of all."
-- [[chart]]
-- kind = "bars"
-- table = "by_class"
-- caption = "Residual value of three years by class"
-- value = "residual_amount"
-- label = "class"
-- ///
-- /// table margin
select
    case
        when 5 * sum(case when window_cost is not null then window_revenue end) >= 4 * sum(window_revenue)
            and sum(case when window_cost is not null then window_revenue end) > 0
            then cast(sum(case when window_cost is not null then window_revenue - window_cost end) as double)
                / cast(sum(case when window_cost is not null then window_revenue end) as double)
    end as rate
from customers
where period = 'current' and not is_contractual and window_purchases > 0 and window_revenue > 0
order by rate
-- /// table prospects
-- Expectation, variance and the moves of one standard error of each parameter, of what is to come in three years.
with bought as (
    select
        f.party_id,
        f.p_alive,
        f.p_leaves_52w as p_leaves,
        f.expected_purchases_52w * g.expected_spend * coalesce(m.rate, 1) as year_expected,
        h.worth_mean * g.expected_spend * coalesce(m.rate, 1) as mean,
        (h.worth_squares * g.order_square + h.worth_pairs * g.spend_square - pow(h.worth_mean * g.expected_spend, 2)) * pow(coalesce(m.rate, 1), 2) as variance,
        h.p_none,
        coalesce(m.rate, 1) * g.expected_spend as each_amount,
        coalesce(m.rate, 1) * h.worth_mean as each_purchase,
        h.worth_move_1, h.worth_move_2, h.worth_move_3, h.worth_move_4,
        g.spend_move_1, g.spend_move_2, g.spend_move_3
    from forecasts f
    cross join margin m
    left join spend_groups g
        on g.purchases = f.purchases
        and g.mean_spend = cast(f.revenue / f.purchases as decimal(18, 2))
    left join periods p on p.period = 'current'
    left join purchase_histories h
        on h.period = 'current'
        and h.frequency = f.purchases - 1
        and h.recency_weeks = cast(floor(date_diff('day', f.first_purchase_on, f.last_purchase_on) / 7.0) as integer)
        and h.age_weeks = cast(floor(date_diff('day', f.first_purchase_on, p.as_of_on) / 7.0) as integer)
)

select
    party_id,
    'non-contractual' as kind,
    p_alive,
    p_leaves,
    year_expected / nullif(p_alive, 0) as year_if_active,
    mean,
    variance,
    p_none,
    each_amount * worth_move_1 as purchases_move_1,
    each_amount * worth_move_2 as purchases_move_2,
    each_amount * worth_move_3 as purchases_move_3,
    each_amount * worth_move_4 as purchases_move_4,
    each_purchase * spend_move_1 as spend_move_1,
    each_purchase * spend_move_2 as spend_move_2,
    each_purchase * spend_move_3 as spend_move_3,
    0.0 as contract_move_1,
    0.0 as contract_move_2,
    cast(null as double) as contract_low,
    cast(null as double) as contract_high
from bought
union all
select
    f.party_id,
    'contractual',
    1.0,
    1 - f.p_stays_52w,
    12 * f.mrr,
    f.mrr * c.ahead_mean,
    f.mrr * f.mrr * (c.ahead_square - c.ahead_mean * c.ahead_mean),
    0.0,
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
    f.mrr * c.ahead_move_1,
    f.mrr * c.ahead_move_2,
    f.mrr * c.ahead_low,
    f.mrr * c.ahead_high
from contract_forecasts f
left join contract_survival c on c.tenure = f.months
where f.period = 'current'
order by party_id, kind
-- /// table worth
select
    p.customer,
    k.class,
    e.kind,
    e.p_alive,
    cast(e.mean as decimal(18, 2)) as residual_amount,
    cast(coalesce(e.contract_low, e.low) as decimal(18, 2)) as low_amount,
    cast(coalesce(e.contract_high, e.high) as decimal(18, 2)) as high_amount,
    cast(e.p_alive * e.p_leaves * e.year_if_active as decimal(18, 2)) as value_at_risk_amount,
    cast((1 - e.p_alive) * e.year_if_active as decimal(18, 2)) as already_lost_amount,
    p.segment,
    e.party_id
from prospects e
join parties p on p.party_id = e.party_id
left join classes k on k.period = 'current' and k.party_id = e.party_id
order by residual_amount desc nulls last, e.party_id
-- /// table by_class
select
    coalesce(class, 'not in the window') as class,
    count(*) as customers,
    sum(residual_amount) as residual_amount,
    sum(value_at_risk_amount) as value_at_risk_amount
from worth
where residual_amount is not null
group by 1
order by 1
-- /// metrics
with ranked as (
    select residual_amount, row_number() over (order by residual_amount desc) as place, count(*) over () as customers
    from worth
    where residual_amount is not null
)

select
    (select sum(residual_amount) from worth) as residual_value,
    (select count(residual_amount) from worth) as residual_value_n,
    case when not exists (select 1 from prospects where mean is not null and low is null) then (select max(low) from residual_total) end as residual_value_low,
    case when not exists (select 1 from prospects where mean is not null and low is null) then (select max(high) from residual_total) end as residual_value_high,
    (select 100 * max(rate) from margin) as margin_pct,
    (select sum(value_at_risk_amount) from worth) as value_at_risk,
    (select sum(already_lost_amount) from worth where kind <> 'contractual') as value_already_lost,
    (
        select 100.0 * sum(residual_amount) filter (where place <= ceil(customers / 10.0)) / nullif(sum(residual_amount), 0)
        from ranked
    ) as top_decile_residual_pct,
    (select max(correlation) from spend_facts) as spend_correlation
where exists (select 1 from worth where residual_amount is not null)
    or exists (select 1 from margin where rate is not null)
