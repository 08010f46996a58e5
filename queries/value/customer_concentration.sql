-- /// audit
-- title    = "Differences between customers"
-- question = "How different are customers from one another?"
-- why      = "The average customer does not exist: plans made for the average miss both the few who carry the business and the many who barely buy."
-- fix      = "Export the cost of what was sold with each invoice, so that customers can be ranked by margin too."
-- headline = ["The best tenth of the customers brings {top_decile_revenue_pct} of the revenue; {one_time_buyers_pct} bought once only and {below_mean_pct} brought less than the average of {revenue_per_customer_mean}.", "{one_time_buyers_pct} of the customers bought once only in the window."]
-- optional = ["purchase_source"]
-- hidden   = ["ranked", "frequencies"]
-- [metrics]
-- customers = { unit = "n", note = "who bought in the window" }
-- top_decile_revenue_pct = { unit = "pct", note = "share of the revenue that the tenth of the customers with the most of it brings" }
-- gini = { unit = "ratio", note = "of revenue over the customers who bought: 0 where all bring the same, near 1 where one brings all; net revenue below nothing counts as nothing" }
-- one_time_buyers_pct = { unit = "pct", better = "down", note = "one purchase day in the window; some of them bought before it" }
-- one_purchase_ever_pct = { unit = "pct", better = "down", note = "another definition: one purchase day since the first record" }
-- revenue_per_customer_mean = { unit = "money", better = "up" }
-- revenue_per_customer_median = { unit = "money", better = "up" }
-- below_mean_pct = { unit = "pct", note = "customers whose revenue is below the mean" }
-- largest_customer_revenue_pct = { unit = "pct", better = "down" }
-- largest_customer_amount = { unit = "money", label = "Revenue of the largest customer" }
-- half_of_revenue_customers = { unit = "n", note = "fewest customers who together bring half of the revenue" }
-- revenue = { unit = "money", label = "Revenue of the window" }
-- cost_known_pct = { unit = "pct", note = "share of the revenue for which the exports know the cost" }
-- [units]
-- frequency = "n"
-- [[finding]]
-- level = "watch"
-- when = "largest_customer_revenue_pct >= 20 and customers >= 10"
-- text = "One customer brings {largest_customer_revenue_pct} of the revenue of the window, {largest_customer_amount}."
-- customers = "1"
-- value = "largest_customer_amount"
-- lists = "best"
-- [[finding]]
-- level = "info"
-- when = "customers >= 10 and top_decile_revenue_pct is not null"
-- text = "{half_of_revenue_customers} of {customers} customers bring half of the revenue; {below_mean_pct} bring less than the average."
-- customers = "half_of_revenue_customers"
-- lists = "deciles_by_customers"
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices and no payments: won deals stand in for purchases."
-- bias = "Deals are often invoiced in parts, later, or for another amount."
-- [[partial]]
-- when = "select count(window_cost) = 0 from customers where period = 'current' and window_purchases > 0"
-- reason = "No costs in the exports: customers are compared by revenue, not by margin."
-- bias = "A customer who is dear to serve looks as good as any other of that revenue."
-- [[chart]]
-- kind = "lorenz"
-- table = "lorenz_curve"
-- caption = "Share of revenue by share of customers, the smallest first"
-- description = "Lorenz curve. On the diagonal all customers would bring the same."
-- x = "customers_pct"
-- y = "revenue_pct"
-- [[chart]]
-- kind = "bars"
-- table = "deciles_by_customers"
-- caption = "Share of revenue of each tenth of the customers, the best first"
-- label = "decile"
-- value = "revenue_pct"
-- [[chart]]
-- kind = "bars"
-- table = "deciles_by_revenue"
-- caption = "Customers in each tenth of the revenue, the best first"
-- label = "decile"
-- value = "customers"
-- ///
-- /// table ranked
select
    party_id,
    purchases,
    window_purchases,
    window_revenue,
    window_cost,
    row_number() over (order by window_revenue desc, party_id) as place,
    count(*) over () as customers,
    coalesce(
        sum(window_revenue) over (order by window_revenue desc, party_id rows between unbounded preceding and 1 preceding), 0
    ) as revenue_before,
    sum(window_revenue) over () as revenue_total
from customers
where period = 'current' and window_purchases > 0
order by place
-- /// table deciles_by_customers
select
    cast(floor((place - 1) * 10 / customers) + 1 as integer) as decile,
    count(*) as customers,
    sum(window_revenue) as revenue_amount,
    100.0 * sum(window_revenue) / nullif(max(revenue_total), 0) as revenue_pct,
    cast(sum(window_revenue) / count(*) as decimal(18, 2)) as revenue_per_customer_amount,
    1.0 * sum(window_purchases) / count(*) as frequency,
    cast(sum(window_revenue) / sum(window_purchases) as decimal(18, 2)) as order_value_amount,
    cast(sum(window_revenue - window_cost) as decimal(18, 2)) as margin_amount,
    case when sum(window_revenue) filter (where window_cost is not null) > 0
        then 100.0 * sum(window_revenue - window_cost) / sum(window_revenue) filter (where window_cost is not null) end as margin_pct,
    min(window_revenue) as smallest_amount,
    max(window_revenue) as largest_amount
from ranked
group by 1
order by 1
-- /// table deciles_by_revenue
select
    cast(least(greatest(floor(revenue_before * 10 / revenue_total), 0), 9) + 1 as integer) as decile,
    count(*) as customers,
    100.0 * count(*) / max(customers) as customers_pct,
    sum(window_revenue) as revenue_amount,
    cast(sum(window_revenue) / count(*) as decimal(18, 2)) as revenue_per_customer_amount,
    1.0 * sum(window_purchases) / count(*) as frequency,
    cast(sum(window_revenue) / sum(window_purchases) as decimal(18, 2)) as order_value_amount,
    cast(sum(window_revenue - window_cost) as decimal(18, 2)) as margin_amount,
    case when sum(window_revenue) filter (where window_cost is not null) > 0
        then 100.0 * sum(window_revenue - window_cost) / sum(window_revenue) filter (where window_cost is not null) end as margin_pct,
    min(window_revenue) as smallest_amount,
    max(window_revenue) as largest_amount
from ranked
where revenue_total > 0
group by 1
order by 1
-- /// table lorenz_curve
with steps as (
    select
        floor((customers - place) * 100 / customers) as step,
        count(*) as customers,
        sum(greatest(window_revenue, 0)) as revenue
    from ranked
    where revenue_total > 0
    group by 1
)

select
    100.0 * sum(customers) over (order by step) / sum(customers) over () as customers_pct,
    100.0 * sum(revenue) over (order by step) / sum(revenue) over () as revenue_pct
from steps
order by step
-- /// table frequencies
select
    cast(least(window_purchases, 10) as integer) as purchases,
    count(*) as customers,
    sum(window_revenue) as revenue_amount
from ranked
group by 1
order by 1
-- /// table by_number_of_purchases
select
    case when purchases = 10 then '10 or more' else cast(purchases as varchar) end as purchases,
    customers,
    100.0 * customers / sum(customers) over () as customers_pct,
    revenue_amount,
    100.0 * revenue_amount / nullif(sum(revenue_amount) over (), 0) as revenue_pct
from frequencies f
order by f.purchases
-- /// table best
select
    p.customer,
    r.window_revenue as revenue_amount,
    100.0 * r.window_revenue / nullif(r.revenue_total, 0) as revenue_pct,
    r.window_purchases as purchases,
    cast(r.window_revenue / r.window_purchases as decimal(18, 2)) as order_value_amount,
    cast(r.window_revenue - r.window_cost as decimal(18, 2)) as margin_amount,
    p.segment,
    r.party_id
from ranked r
join parties p on p.party_id = r.party_id
where r.place <= 1000
order by r.place
-- /// metrics
select
    count(*) as customers,
    case when max(revenue_total) > 0
        then 100.0 * sum(window_revenue) filter (where place <= ceil(customers / 10.0)) / max(revenue_total) end as top_decile_revenue_pct,
    count(*) as top_decile_revenue_pct_n,
    2.0 * sum(greatest(window_revenue, 0) * (customers + 1 - place)) / nullif(count(*) * sum(greatest(window_revenue, 0)), 0)
        - (count(*) + 1.0) / nullif(count(*), 0) as gini,
    count(*) as gini_n,
    100.0 * count(*) filter (where window_purchases = 1) / nullif(count(*), 0) as one_time_buyers_pct,
    100.0 * count(*) filter (where purchases = 1) / nullif(count(*), 0) as one_purchase_ever_pct,
    cast(max(revenue_total) / nullif(count(*), 0) as decimal(18, 2)) as revenue_per_customer_mean,
    cast(percentile_cont(0.5) within group (order by window_revenue) as decimal(18, 2)) as revenue_per_customer_median,
    100.0 * count(*) filter (where window_revenue * customers < revenue_total) / nullif(count(*), 0) as below_mean_pct,
    case when max(revenue_total) > 0 then 100.0 * max(window_revenue) / max(revenue_total) end as largest_customer_revenue_pct,
    max(window_revenue) as largest_customer_amount,
    case when max(revenue_total) > 0
        then count(*) filter (where 2 * revenue_before < revenue_total) end as half_of_revenue_customers,
    max(revenue_total) as revenue,
    100.0 * sum(window_revenue) filter (where window_cost is not null) / nullif(max(revenue_total), 0) as cost_known_pct
from ranked
