-- /// audit
-- title    = "Change between two windows"
-- question = "What changed between this period and the one before?"
-- why      = "The same growth can come from new customers, from old ones who buy more often, or from prices; each asks for something else."
-- fix      = "Export invoices for at least two years, so that a window and the one before it are both covered."
-- headline = ["Revenue changed by {revenue_change} ({revenue_change_pct}): by {change_by_customers_amount} through the number of customers, {change_by_frequency_amount} through how often they buy, {change_by_order_value_amount} through what an order is worth.", "Revenue changed by {revenue_change}.", "The window before is not covered, so nothing can be compared."]
-- optional = ["purchase_source"]
-- hidden   = ["both_windows", "boundaries", "totals"]
-- [metrics]
-- retained = { unit = "n", better = "up", note = "bought in both windows" }
-- new = { unit = "n", better = "up", note = "first purchase of all in this window" }
-- lapsed = { unit = "n", better = "down", note = "bought in the window before, not in this one; without a contract they may yet return" }
-- reactivated = { unit = "n", better = "up", note = "bought in this window and before the window before, not in that" }
-- new_or_back = { unit = "n", note = "first seen in this window, but within 12 months of the start of the record: new or back, nobody knows" }
-- revenue_change = { unit = "money", better = "up", note = "the amounts of new, reactivated, lapsed, retained and other add up to it, and so do those of customers, frequency and order value" }
-- revenue_change_pct = { unit = "pct", better = "up" }
-- revenue_now = { unit = "money", better = "up" }
-- revenue_before = { unit = "money" }
-- new_amount = { unit = "money", better = "up", label = "Revenue of new customers" }
-- reactivated_amount = { unit = "money", better = "up", label = "Revenue of reactivated customers" }
-- lapsed_amount = { unit = "money", better = "up", label = "Revenue that left with lapsed customers, as a change", note = "refunds of this window to them are in it" }
-- retained_amount = { unit = "money", better = "up", label = "Change of revenue of retained customers" }
-- other_amount = { unit = "money", label = "Change of revenue of the others", note = "customers who are new or back, and refunds to those who bought in neither window" }
-- change_by_customers_amount = { unit = "money", better = "up", label = "Change by number of customers", note = "Shapley value: the mean over all orders in which the three may change" }
-- change_by_frequency_amount = { unit = "money", better = "up", label = "Change by purchases per customer", note = "Shapley value" }
-- change_by_order_value_amount = { unit = "money", better = "up", label = "Change by value of an order", note = "Shapley value; what rounding the other two to the cent leaves is in it" }
-- moved_to_better_decile = { unit = "n", better = "up", note = "retained customers, on the present boundaries" }
-- moved_to_worse_decile = { unit = "n", better = "down", note = "retained customers, on the present boundaries" }
-- change_error_amount = { unit = "money", label = "Standard error of the change", note = "if customers changed independently of each other" }
-- [units]
-- before_figure = "ratio"
-- now_figure = "ratio"
-- [[finding]]
-- level = "act"
-- when = "revenue_change_pct <= -10 and revenue_change < -2 * change_error_amount"
-- text = "Revenue fell by {revenue_change} ({revenue_change_pct}): {lapsed|customer|customers} bought no more ({lapsed_amount}), retained ones changed by {retained_amount}, new ones brought {new_amount}."
-- customers = "lapsed"
-- value = "-revenue_change"
-- lists = "changes"
-- [[finding]]
-- level = "good"
-- when = "revenue_change_pct >= 10 and revenue_change > 2 * change_error_amount"
-- text = "Revenue rose by {revenue_change} ({revenue_change_pct}): {new|new customer|new customers} brought {new_amount}, retained ones changed by {retained_amount}, {lapsed} lapsed ({lapsed_amount})."
-- customers = "new"
-- lists = "changes"
-- [[finding]]
-- level = "info"
-- when = "change_by_customers_amount is not null"
-- text = "Of the change of {revenue_change}, {change_by_customers_amount} come from the number of customers, {change_by_frequency_amount} from how often they buy and {change_by_order_value_amount} from what an order is worth."
-- lists = "drivers"
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices and no payments: won deals stand in for purchases."
-- bias = "Deals are often invoiced in parts, later, or for another amount."
-- [[partial]]
-- when = "select count(*) = 0 from periods where period = 'previous'"
-- reason = "The window is the whole history, and nothing lies before it."
-- [[partial]]
-- when = "select not bool_and(is_covered) from periods where period = 'previous'"
-- reason = "The exports do not cover the window before in full, so nothing can be compared."
-- [[partial]]
-- when = "select bool_and(is_covered) and exists (select 1 from customers where window_purchases > 0 and window_cost is null and period in ('current', 'previous')) from periods where period = 'previous'"
-- reason = "The exports do not have the cost of every sale: the change is told in revenue, not in margin."
-- [[chart]]
-- kind = "waterfall"
-- table = "bridge"
-- caption = "From the revenue of the window before to that of this one"
-- label = "step"
-- value = "amount"
-- total = "is_total"
-- [[chart]]
-- kind = "heatmap"
-- table = "decile_moves"
-- caption = "Customers by tenth before (lines) and now (columns), on the present boundaries"
-- x = "decile_now"
-- y = "decile_before"
-- value = "customers"
-- ///
-- /// table both_windows
select
    n.party_id,
    n.window_revenue as now_amount,
    coalesce(b.window_revenue, 0) as before_amount,
    n.window_purchases as now_purchases,
    coalesce(b.window_purchases, 0) as before_purchases,
    case when n.window_purchases > 0 then n.window_cost else 0 end as now_cost,
    case when b.window_purchases > 0 then b.window_cost else 0 end as before_cost,
    case
        when n.window_purchases > 0 and b.window_purchases > 0 then 'retained'
        when b.window_purchases > 0 then 'lapsed'
        when n.window_purchases = 0 then 'other'
        when f.began_on <= p.start_on or n.first_purchase_on <= p.start_on then 'reactivated'
        when f.began_on is null then 'new or back'
        else 'new'
    end as move
from customers n
join periods p on p.period = 'previous' and p.is_covered
left join customers b on b.period = 'previous' and b.party_id = n.party_id
left join beginnings f on f.party_id = n.party_id
where n.period = 'current'
    and (n.window_purchases > 0 or b.window_purchases > 0 or n.window_revenue <> 0 or b.window_revenue <> 0)
order by n.party_id
-- /// table by_move
select
    move,
    count(*) as customers,
    sum(before_amount) as before_amount,
    sum(now_amount) as now_amount,
    sum(now_amount - before_amount) as change_amount,
    sum(before_purchases) as purchases_before,
    sum(now_purchases) as purchases_now
from both_windows
group by move
order by move
-- /// table up_and_down
select
    case when now_amount > before_amount then 'up' when now_amount < before_amount then 'down' else 'same' end as direction,
    count(*) as customers,
    100.0 * count(*) / sum(count(*)) over () as customers_pct,
    sum(before_amount) as before_amount,
    sum(now_amount) as now_amount,
    sum(now_amount - before_amount) as change_amount,
    1.0 * sum(before_purchases) / count(*) as purchases_per_customer_before,
    1.0 * sum(now_purchases) / count(*) as purchases_per_customer_now,
    cast(sum(before_amount) / sum(before_purchases) as decimal(18, 2)) as order_value_before_amount,
    cast(sum(now_amount) / sum(now_purchases) as decimal(18, 2)) as order_value_now_amount
from both_windows
where move = 'retained'
group by 1
order by 1
-- /// table bridge
select 1 as place, 'window before' as step, sum(before_amount) as amount, true as is_total
from by_move
having count(*) > 0
union all
select 2, 'lapsed', change_amount, false from by_move where move = 'lapsed'
union all
select 3, 'retained, down', change_amount, false from up_and_down where direction = 'down'
union all
select 4, 'retained, up', change_amount, false from up_and_down where direction = 'up'
union all
select 5, 'reactivated', change_amount, false from by_move where move = 'reactivated'
union all
select 6, 'new or back', change_amount, false from by_move where move = 'new or back'
union all
select 7, 'new', change_amount, false from by_move where move = 'new'
union all
select 8, 'refunds without purchases', change_amount, false from by_move where move = 'other'
union all
select 9, 'this window', sum(now_amount), true
from by_move
having count(*) > 0
order by place
-- /// table totals
with groups as (
    select 'all who bought' as of_whom, * from both_windows
    union all
    select 'retained', * from both_windows where move = 'retained'
),

sums as (
    select
        of_whom,
        count(*) filter (where before_purchases > 0) as customers_before,
        count(*) filter (where now_purchases > 0) as customers_now,
        sum(before_purchases) as purchases_before,
        sum(now_purchases) as purchases_now,
        sum(before_amount) as revenue_before,
        sum(now_amount) as revenue_now,
        case when count(before_cost) = count(*) and count(now_cost) = count(*) then sum(before_cost) end as cost_before,
        case when count(before_cost) = count(*) and count(now_cost) = count(*) then sum(now_cost) end as cost_now
    from groups
    group by of_whom
)

select
    of_whom,
    revenue_before,
    revenue_now,
    cost_before,
    cost_now,
    cast(customers_before as double) as n0,
    cast(customers_now as double) as n1,
    cast(purchases_before as double) / customers_before as f0,
    cast(purchases_now as double) / customers_now as f1,
    cast(revenue_before as double) / purchases_before as v0,
    cast(revenue_now as double) / purchases_now as v1,
    cast(revenue_before - cost_before as double) / nullif(revenue_before, 0) as m0,
    cast(revenue_now - cost_now as double) / nullif(revenue_now, 0) as m1
from sums
where customers_before > 0 and customers_now > 0
order by of_whom
-- /// table drivers
with effects as (
    select
        *,
        revenue_now - revenue_before as change,
        cast((n1 - n0) * (f0 * v0 / 3 + (f1 * v0 + f0 * v1) / 6 + f1 * v1 / 3) as decimal(18, 2)) as by_customers,
        cast((f1 - f0) * (n0 * v0 / 3 + (n1 * v0 + n0 * v1) / 6 + n1 * v1 / 3) as decimal(18, 2)) as by_frequency
    from totals
)

select of_whom, 1 as place, 'customers' as factor, n0 as before_figure, n1 as now_figure, by_customers as change_amount from effects
union all
select of_whom, 2, 'purchases per customer', f0, f1, by_frequency from effects
union all
select of_whom, 3, 'order value', v0, v1, change - by_customers - by_frequency from effects
order by of_whom, place
-- /// table margin_drivers
with effects as (
    select
        *,
        (revenue_now - cost_now) - (revenue_before - cost_before) as change,
        cast((n1 - n0) * (
            f0 * v0 * m0 / 4 + (f1 * v0 * m0 + f0 * v1 * m0 + f0 * v0 * m1) / 12
            + (f1 * v1 * m0 + f1 * v0 * m1 + f0 * v1 * m1) / 12 + f1 * v1 * m1 / 4
        ) as decimal(18, 2)) as by_customers,
        cast((f1 - f0) * (
            n0 * v0 * m0 / 4 + (n1 * v0 * m0 + n0 * v1 * m0 + n0 * v0 * m1) / 12
            + (n1 * v1 * m0 + n1 * v0 * m1 + n0 * v1 * m1) / 12 + n1 * v1 * m1 / 4
        ) as decimal(18, 2)) as by_frequency,
        cast((v1 - v0) * (
            n0 * f0 * m0 / 4 + (n1 * f0 * m0 + n0 * f1 * m0 + n0 * f0 * m1) / 12
            + (n1 * f1 * m0 + n1 * f0 * m1 + n0 * f1 * m1) / 12 + n1 * f1 * m1 / 4
        ) as decimal(18, 2)) as by_order_value
    from totals
    where m0 is not null and m1 is not null
)

select of_whom, 1 as place, 'customers' as factor, n0 as before_figure, n1 as now_figure, by_customers as change_amount from effects
union all
select of_whom, 2, 'purchases per customer', f0, f1, by_frequency from effects
union all
select of_whom, 3, 'order value', v0, v1, by_order_value from effects
union all
select of_whom, 4, 'margin, % of revenue', 100 * m0, 100 * m1, change - by_customers - by_frequency - by_order_value from effects
order by of_whom, place
-- /// table boundaries
with ranked as (
    select
        now_amount,
        floor((row_number() over (order by now_amount desc, party_id) - 1) * 10 / count(*) over ()) + 1 as decile
    from both_windows
    where now_purchases > 0
)

select
    min(now_amount) filter (where decile = 1) as from_1,
    min(now_amount) filter (where decile <= 2) as from_2,
    min(now_amount) filter (where decile <= 3) as from_3,
    min(now_amount) filter (where decile <= 4) as from_4,
    min(now_amount) filter (where decile <= 5) as from_5,
    min(now_amount) filter (where decile <= 6) as from_6,
    min(now_amount) filter (where decile <= 7) as from_7,
    min(now_amount) filter (where decile <= 8) as from_8,
    min(now_amount) filter (where decile <= 9) as from_9
from ranked
-- /// table changes
with placed as (
    select
        w.*,
        case
            when now_purchases = 0 then 11
            when now_amount >= from_1 then 1 when now_amount >= from_2 then 2 when now_amount >= from_3 then 3
            when now_amount >= from_4 then 4 when now_amount >= from_5 then 5 when now_amount >= from_6 then 6
            when now_amount >= from_7 then 7 when now_amount >= from_8 then 8 when now_amount >= from_9 then 9
            else 10
        end as decile_now,
        case
            when before_purchases = 0 then 11
            when before_amount >= from_1 then 1 when before_amount >= from_2 then 2 when before_amount >= from_3 then 3
            when before_amount >= from_4 then 4 when before_amount >= from_5 then 5 when before_amount >= from_6 then 6
            when before_amount >= from_7 then 7 when before_amount >= from_8 then 8 when before_amount >= from_9 then 9
            else 10
        end as decile_before
    from both_windows w
    cross join boundaries
)

select
    p.customer,
    c.move,
    nullif(c.decile_before, 11) as decile_before,
    nullif(c.decile_now, 11) as decile_now,
    c.before_amount,
    c.now_amount,
    c.now_amount - c.before_amount as change_amount,
    c.before_purchases,
    c.now_purchases,
    c.party_id
from placed c
join parties p on p.party_id = c.party_id
order by c.now_amount - c.before_amount, c.party_id
-- /// table decile_moves
with places as (
    select cast(n as integer) as place
    from (select unnest(generate_series(1, 11)) as n) numbers
),

counted as (
    select
        coalesce(decile_before, 11) as place_before,
        coalesce(decile_now, 11) as place_now,
        count(*) as customers,
        sum(change_amount) as change_amount
    from changes
    group by 1, 2
)

select
    case when b.place = 11 then 'none' else cast(b.place as varchar) end as decile_before,
    case when n.place = 11 then 'none' else cast(n.place as varchar) end as decile_now,
    coalesce(c.customers, 0) as customers,
    coalesce(c.change_amount, 0) as change_amount
from places b
cross join places n
left join counted c on c.place_before = b.place and c.place_now = n.place
where (b.place < 11 or n.place < 11) and exists (select 1 from counted)
order by b.place, n.place
-- /// metrics
with sizes as (
    select
        sum(now_amount) as now_amount,
        sum(before_amount) as before_amount,
        sqrt(cast(sum(
            cast(round(now_amount - before_amount, 0) as decimal(18, 0)) * cast(round(now_amount - before_amount, 0) as decimal(18, 0))
        ) as double)) as error
    from both_windows
)

select
    (select coalesce(sum(customers), 0) from by_move where move = 'retained') as retained,
    (select coalesce(sum(customers), 0) from by_move where move = 'new') as new,
    (select coalesce(sum(customers), 0) from by_move where move = 'lapsed') as lapsed,
    (select coalesce(sum(customers), 0) from by_move where move = 'reactivated') as reactivated,
    (select coalesce(sum(customers), 0) from by_move where move = 'new or back') as new_or_back,
    now_amount - before_amount as revenue_change,
    100.0 * (now_amount - before_amount) / nullif(before_amount, 0) as revenue_change_pct,
    now_amount as revenue_now,
    before_amount as revenue_before,
    (select coalesce(sum(change_amount), 0) from by_move where move = 'new') as new_amount,
    (select coalesce(sum(change_amount), 0) from by_move where move = 'reactivated') as reactivated_amount,
    (select coalesce(sum(change_amount), 0) from by_move where move = 'lapsed') as lapsed_amount,
    (select coalesce(sum(change_amount), 0) from by_move where move = 'retained') as retained_amount,
    (select coalesce(sum(change_amount), 0) from by_move where move in ('new or back', 'other')) as other_amount,
    (select max(change_amount) from drivers where of_whom = 'all who bought' and place = 1) as change_by_customers_amount,
    (select max(change_amount) from drivers where of_whom = 'all who bought' and place = 2) as change_by_frequency_amount,
    (select max(change_amount) from drivers where of_whom = 'all who bought' and place = 3) as change_by_order_value_amount,
    (select count(*) from changes where move = 'retained' and decile_now < decile_before) as moved_to_better_decile,
    (select count(*) from changes where move = 'retained' and decile_now > decile_before) as moved_to_worse_decile,
    cast(error as decimal(18, 2)) as change_error_amount
from sizes
where now_amount is not null
