-- /// audit
-- title    = "Lifetime value"
-- question = "What is each customer still worth?"
-- why      = "What may be spent on winning or keeping a customer is bounded by what the customer will still bring."
-- fix      = "Export margins or costs with the invoices, so that worth can be told in profit."
-- headline = ["The customers of today are worth another {residual_value} over three years; {value_at_risk} of the next year's value is at risk.", "What the customers are still worth cannot be told from these exports."]
-- optional = ["classes", "forecasts", "contract_forecasts", "spend_groups", "purchase_histories", "contract_curve"]
-- [metrics]
-- residual_value = { unit = "money", better = "up", note = "revenue of the next three years, 10 % discount a year; no margin is known; a prediction interval is not given yet" }
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
-- when = "true"
-- reason = "No margins in the exports: worth is told in revenue."
-- bias = "Revenue overstates what a customer is worth."
-- [[partial]]
-- when = "select count(*) > 0 and count(p_stays_52w) = 0 from contract_forecasts where period = 'current'"
-- reason = "Too few contracts have ended to tell how long the others last."
-- [[partial]]
-- when = "select count(*) > 0 and count(expected_purchases_52w) = 0 from forecasts"
-- reason = "No model of purchases holds for these customers; see the audit of churn risk."
-- [[chart]]
-- kind = "bars"
-- table = "by_class"
-- caption = "Residual value of three years by class"
-- value = "residual_amount"
-- label = "class"
-- ///
-- /// table worth
with each as (
    select
        f.party_id,
        'non-contractual' as kind,
        f.p_alive,
        f.expected_purchases_52w * g.expected_spend as year_1,
        (f.expected_purchases_104w - f.expected_purchases_52w) * g.expected_spend as year_2,
        (f.expected_purchases_156w - f.expected_purchases_104w) * g.expected_spend as year_3,
        f.expected_purchases_52w * g.expected_spend / nullif(f.p_alive, 0) as year_if_active,
        f.p_leaves_52w as p_leaves
    from forecasts f
    left join spend_groups g
        on g.purchases = f.purchases
        and g.mean_spend = cast(f.revenue / f.purchases as decimal(18, 2))
    union all
    select
        party_id,
        'contractual',
        1.0,
        12 * mrr * (1 + p_stays_52w) / 2,
        12 * mrr * (p_stays_52w + p_stays_104w) / 2,
        12 * mrr * (p_stays_104w + p_stays_156w) / 2,
        12 * mrr,
        1 - p_stays_52w
    from contract_forecasts
    where period = 'current'
)

select
    p.customer,
    k.class,
    e.kind,
    e.p_alive,
    cast(e.year_1 / 1.0488 + e.year_2 / 1.1537 + e.year_3 / 1.2691 as decimal(18, 2)) as residual_amount,
    cast(e.p_alive * e.p_leaves * e.year_if_active as decimal(18, 2)) as value_at_risk_amount,
    cast((1 - e.p_alive) * e.year_if_active as decimal(18, 2)) as already_lost_amount,
    p.segment,
    e.party_id
from each e
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
    (select sum(value_at_risk_amount) from worth) as value_at_risk,
    (select sum(already_lost_amount) from worth where kind <> 'contractual') as value_already_lost,
    (
        select 100.0 * sum(residual_amount) filter (where place <= ceil(customers / 10.0)) / nullif(sum(residual_amount), 0)
        from ranked
    ) as top_decile_residual_pct,
    (select max(correlation) from spend_facts) as spend_correlation
