-- /// audit
-- title    = "Trend of each customer"
-- question = "Is each customer trending up, flat or down?"
-- why      = "A customer who spends a third less is half gone, and no report on lost customers names them."
-- fix      = "Export at least three years of invoices, with the products on them."
-- headline = ["[up: {up|customer spends|customers spend} | No customer spends] over 20 % more than a year ago, {down} over 20 % less, {flat} neither for certain; {too_short} are too new to tell.", "{too_short|customer|customers} bought in the last two years, none of them for eight quarters."]
-- optional = ["invoices.product", "invoices.issued_on", "invoices.kind", "invoices.status", "purchase_source", "adjustments"]
-- hidden   = ["spend_quarters", "products_bought"]
-- [[method]]
-- name = "spend_change"
-- table = "spend_quarters"
-- quarters = ["quarter_8", "quarter_7", "quarter_6", "quarter_5", "quarter_4", "quarter_3", "quarter_2", "quarter_1"]
-- purchases = "purchases"
-- adds = ["p_up", "p_down", "expected_change_pct"]
-- gives = { parameters = "trend_facts(flagged_if_stable_pct)" }
-- [metrics]
-- up = { unit = "n", better = "up", note = "P(spend of the last four quarters is over 20 % above that of the four before) >= 0.8" }
-- flat = { unit = "n", note = "neither up nor down for certain" }
-- uncertain = { unit = "n", label = "Of these uncertain", note = "more likely up than not, or more likely down than not, by over 20 %, and not for certain" }
-- down = { unit = "n", better = "down", note = "P(spend of the last four quarters is over 20 % below that of the four before) >= 0.8" }
-- too_short = { unit = "n", note = "bought in the last eight quarters, but began within them, or on an unknown day" }
-- down_revenue = { unit = "money", better = "down", note = "what the customers who are down brought in the four quarters before" }
-- stopped = { unit = "n", better = "down", note = "those who are down and bought nothing in the last four quarters" }
-- down_change = { unit = "money", better = "up", label = "Change of revenue of customers who are down" }
-- up_change = { unit = "money", better = "up", label = "Change of revenue of customers who are up" }
-- flagged_if_stable_pct = { unit = "pct", note = "share of customers that the rule would call up or down if nobody had changed" }
-- [units]
-- p_up = "ratio"
-- p_down = "ratio"
-- [[finding]]
-- level = "act"
-- when = "down >= 10 and down > 2 * up and 100.0 * down > 3 * flagged_if_stable_pct * (up + flat + down)"
-- text = "{down|customer spends|customers spend} over 20 % less than a year ago, [up: {up} | none] over 20 % more; those who are down brought {down_revenue} in the year before, and {stopped} of them bought nothing since."
-- customers = "down"
-- value = "-down_change"
-- lists = "trends"
-- [[finding]]
-- level = "watch"
-- when = "down > 0 and not (down >= 10 and down > 2 * up and 100.0 * down > 3 * flagged_if_stable_pct * (up + flat + down))"
-- text = "{down|customer spends|customers spend} over 20 % less than a year ago ({down_change}), [up: {up} | none] over 20 % more. If nobody had changed, {flagged_if_stable_pct} of the customers would be called one or the other."
-- customers = "down"
-- value = "-down_change"
-- lists = "trends"
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices and no payments: won deals stand in for purchases."
-- [[partial]]
-- when = "select up is null from metrics"
-- reason = "No customer has been one for the eight quarters that a trend with its seasons takes."
-- [[chart]]
-- kind = "bars"
-- table = "by_trend"
-- caption = "Change of yearly revenue by trend"
-- label = "trend"
-- value = "change_amount"
-- ///
-- /// table spend_quarters
-- Quarters are counted back from the end of the window, the last one being the first.
with placed as (
    select
        b.party_id,
        b.amount,
        1 as purchases,
        floor((12 * (year(p.end_on) - year(b.purchased_on)) + month(p.end_on) - month(b.purchased_on)
            - case when day(p.end_on) < day(b.purchased_on) then 1 else 0 end) / 3.0) + 1 as quarter
    from purchases b
    join periods p on p.period = 'current'
        and b.purchased_on > cast(p.end_on - to_months(24) as date)
        and b.purchased_on <= p.end_on
    union all
    select
        a.party_id,
        a.amount,
        0,
        floor((12 * (year(p.end_on) - year(a.adjusted_on)) + month(p.end_on) - month(a.adjusted_on)
            - case when day(p.end_on) < day(a.adjusted_on) then 1 else 0 end) / 3.0) + 1
    from adjustments a
    join periods p on p.period = 'current'
        and a.adjusted_on > cast(p.end_on - to_months(24) as date)
        and a.adjusted_on <= p.end_on
),

summed as (
    select
        party_id,
        sum(purchases) as purchases,
        coalesce(sum(amount) filter (where quarter = 8), 0) as quarter_8,
        coalesce(sum(amount) filter (where quarter = 7), 0) as quarter_7,
        coalesce(sum(amount) filter (where quarter = 6), 0) as quarter_6,
        coalesce(sum(amount) filter (where quarter = 5), 0) as quarter_5,
        coalesce(sum(amount) filter (where quarter = 4), 0) as quarter_4,
        coalesce(sum(amount) filter (where quarter = 3), 0) as quarter_3,
        coalesce(sum(amount) filter (where quarter = 2), 0) as quarter_2,
        coalesce(sum(amount) filter (where quarter = 1), 0) as quarter_1
    from placed
    group by party_id
)

select
    s.party_id,
    cast(s.purchases as integer) as purchases,
    s.quarter_8, s.quarter_7, s.quarter_6, s.quarter_5,
    s.quarter_4, s.quarter_3, s.quarter_2, s.quarter_1
from summed s
join beginnings f on f.party_id = s.party_id
join periods p on p.period = 'current'
where s.purchases > 0
    and coalesce(f.began_on, f.first_purchase_on) <= cast(p.end_on - to_months(24) as date)
order by s.party_id
-- /// table products_bought
select
    i.party_id,
    count(distinct i.product) filter (where i.issued_on > cast(p.end_on - to_months(12) as date)) as now,
    count(distinct i.product) filter (where i.issued_on <= cast(p.end_on - to_months(12) as date)) as before
from invoices i
join periods p on p.period = 'current'
    and i.issued_on > cast(p.end_on - to_months(24) as date)
    and i.issued_on <= p.end_on
where i.product is not null
    and coalesce(i.kind, 'sale') = 'sale'
    and coalesce(i.status, 'open') not in ('draft', 'void', 'failed', 'refunded')
group by i.party_id
order by i.party_id
-- /// table trends
select
    p.customer,
    case when s.p_up >= 0.8 then 'up' when s.p_down >= 0.8 then 'down' when greatest(s.p_up, s.p_down) > 0.5 then 'uncertain' else 'flat' end as trend,
    cast(s.quarter_8 + s.quarter_7 + s.quarter_6 + s.quarter_5 as decimal(18, 4)) as year_before_amount,
    cast(s.quarter_4 + s.quarter_3 + s.quarter_2 + s.quarter_1 as decimal(18, 4)) as last_year_amount,
    cast(s.quarter_4 + s.quarter_3 + s.quarter_2 + s.quarter_1
        - s.quarter_8 - s.quarter_7 - s.quarter_6 - s.quarter_5 as decimal(18, 4)) as change_amount,
    s.expected_change_pct,
    s.p_up,
    s.p_down,
    s.purchases,
    b.before as products_before,
    b.now as products_now,
    p.segment,
    s.party_id
from spend_quarters s
join parties p on p.party_id = s.party_id
left join products_bought b on b.party_id = s.party_id
where s.p_up is not null
order by change_amount, s.party_id
-- /// table by_trend
select
    trend,
    count(*) as customers,
    sum(year_before_amount) as year_before_amount,
    sum(last_year_amount) as last_year_amount,
    sum(change_amount) as change_amount
from trends
group by trend
order by trend
-- /// metrics
with bought as (
    select count(distinct b.party_id) as customers
    from purchases b
    join periods p on p.period = 'current'
        and b.purchased_on > cast(p.end_on - to_months(24) as date)
        and b.purchased_on <= p.end_on
)

select
    case when count(*) > 0 then count(*) filter (where trend = 'up') end as up,
    case when count(*) > 0 then count(*) filter (where trend in ('flat', 'uncertain')) end as flat,
    case when count(*) > 0 then count(*) filter (where trend = 'uncertain') end as uncertain,
    case when count(*) > 0 then count(*) filter (where trend = 'down') end as down,
    case when count(*) > 0 then count(*) filter (where trend = 'down' and last_year_amount <= 0) end as stopped,
    (select customers from bought) - (select count(*) from spend_quarters) as too_short,
    case when count(*) > 0 then coalesce(sum(year_before_amount) filter (where trend = 'down'), 0) end as down_revenue,
    case when count(*) > 0 then coalesce(sum(change_amount) filter (where trend = 'down'), 0) end as down_change,
    case when count(*) > 0 then coalesce(sum(change_amount) filter (where trend = 'up'), 0) end as up_change,
    (select max(flagged_if_stable_pct) from trend_facts) as flagged_if_stable_pct
from trends
