-- /// audit
-- title    = "Repurchase rhythm"
-- question = "How long until customers return, and which take longer than before?"
-- why      = "Customers who slow down say so months before they stop."
-- fix      = "Agree a next order date with every A customer and watch it."
-- headline = ["Half of the customers return within {days_between_purchases_median}; {slowing_segments|segment|segments} and {slowing_customers|customer|customers} take longer than before.", "Fewer than half of the customers have returned since they bought."]
-- optional = ["classes"]
-- hidden   = ["gaps", "customer_gaps", "mean_gaps", "customers_compared", "segments_changed", "windows_compared", "returned_by_day", "dated_gaps", "days"]
-- [[method]]
-- name = "survival"
-- table = "gaps"
-- duration = "days"
-- event = "is_closed"
-- n = "gaps"
-- group = "value"
-- family = "part"
-- is_tested = false
-- gives = { curve = "returned_by_day", summary = "rhythm_summary" }
-- [[method]]
-- name = "typical"
-- table = "customer_gaps"
-- value = "days"
-- n = "customers"
-- group = "value"
-- family = "part"
-- unit = "days"
-- is_tested = false
-- gives = { typical = "windows_compared" }
-- [[method]]
-- name = "changed_ratios"
-- table = "customers_compared"
-- now = "now_days"
-- before = "before_days"
-- weight = "weight"
-- group = "segment"
-- gives = { changes = "segments_changed(segment, ratio, ratio_low, ratio_high, rest_ratio, p)" }
-- [metrics]
-- days_between_purchases_median = { unit = "days", better = "down", note = "Kaplan-Meier over all gaps begun in the window; those still open are censored" }
-- days_between_purchases_median_a = { unit = "days", better = "down", label = "Median of A customers" }
-- days_between_purchases_median_b = { unit = "days", better = "down", label = "Median of B customers" }
-- days_between_purchases_median_c = { unit = "days", better = "down", label = "Median of C customers" }
-- slowing_customers = { unit = "n", better = "down", note = "mean gap in the window over 1.5 times their own before, at least three gaps on either side" }
-- slowing_segments = { unit = "n", better = "down", note = "mean gaps of their customers against the window before grew by a tenth or more, and by more than in the other segments; Welch's test of each customer's own ratio, weighted by their gaps, under false-discovery control" }
-- [[finding]]
-- level = "act"
-- table = "slowing"
-- when = "true"
-- key = "{segment}"
-- text = "{segment}: its customers take {ratio} times as long to return as in the window before ({ratio_low} to {ratio_high}), those of other segments {rest_ratio} times; {customers} of {customers_compared} take longer."
-- customers = "customers"
-- lists = "slowing_customers"
-- [[chart]]
-- kind = "line"
-- table = "return_curves"
-- caption = "Share of customers that have returned, by days since the purchase before"
-- x = "day"
-- y = "returned_pct"
-- series = "class"
-- ///
-- /// table dated_gaps
with steps as (
    select
        party_id,
        purchased_on,
        lead(purchased_on) over (partition by party_id order by purchased_on) as next_on
    from purchases
    join periods w on w.period = 'current'
    where purchased_on > w.start_on and purchased_on <= w.as_of_on
),

dated as (
    select
        s.party_id,
        date_diff('day', s.purchased_on, coalesce(s.next_on, p.as_of_on)) as days,
        s.next_on is not null as is_closed
    from steps s
    join periods p on p.period = 'current'
    where s.purchased_on <= p.end_on
)

select coalesce(k.class, 'none') as class, d.days, d.is_closed, count(*) as gaps
from dated d
left join classes k on k.period = 'current' and k.party_id = d.party_id
where d.days > 0
group by 1, 2, 3
order by 1, 2, 3
-- /// table gaps
select 'all' as part, 'all' as value, days, is_closed, sum(gaps) as gaps
from dated_gaps
group by days, is_closed
union all
select 'class', class, days, is_closed, sum(gaps)
from dated_gaps
where class <> 'none'
group by class, days, is_closed
order by part, value, days, is_closed
-- /// table mean_gaps
select
    c.party_id,
    n.segment,
    case when c.period = 'current' then 'now' else 'before' end as win,
    1.0 * date_diff('day', c.window_first_purchase_on, c.window_last_purchase_on) / (c.window_purchases - 1) as days,
    c.window_purchases - 1 as gaps
from customers c
join parties n on n.party_id = c.party_id
join periods w on w.period = 'previous' and w.is_covered
where c.window_purchases > 1 and c.period in ('current', 'previous') and n.segment is not null
order by c.party_id, win
-- /// table customer_gaps
select segment as part, win as value, days, count(*) as customers
from mean_gaps
group by segment, win, days
order by part, value, days
-- /// table customers_compared
-- A mean of many gaps is surer than one of few: the variance of the logarithm of their ratio goes with 1 / n + 1 / m.
select
    n.segment,
    n.days as now_days,
    b.days as before_days,
    1.0 * n.gaps * b.gaps / (n.gaps + b.gaps) as weight,
    n.party_id
from mean_gaps n
join mean_gaps b on b.win = 'before' and b.party_id = n.party_id
where n.win = 'now'
order by n.segment, n.party_id
-- /// table segments_compared
select
    c.segment,
    count(*) filter (where c.now_days > c.before_days) as slower,
    count(*) as customers_compared,
    r.ratio,
    r.ratio_low,
    r.ratio_high,
    r.rest_ratio,
    r.q
from customers_compared c
join segments_changed r on r.segment = c.segment
group by c.segment, r.ratio, r.ratio_low, r.ratio_high, r.rest_ratio, r.q
order by c.segment
-- /// table days
select cast(15 * n as integer) as day
from (select unnest(generate_series(0, 24)) as n) numbers
order by day
-- /// table return_curves
select c.value as class, d.day, max(100 - c.surviving_pct) as returned_pct, min(c.at_risk) as at_risk
from returned_by_day c
join days d on c.elapsed_days <= d.day
where c.part = 'class'
group by c.value, d.day
order by c.value, d.day
-- /// table slowing_customers
with compared as (
    select
        c.party_id,
        c.window_purchases as gaps_now,
        b.purchases - 1 as gaps_before,
        1.0 * date_diff('day', b.last_purchase_on, c.last_purchase_on) / c.window_purchases as now_days,
        1.0 * date_diff('day', b.first_purchase_on, b.last_purchase_on) / (b.purchases - 1) as before_days
    from customers c
    join customers b on b.period = 'previous' and b.party_id = c.party_id
    where c.period = 'current' and c.window_purchases >= 3 and b.purchases >= 4
)

select p.customer, k.class, p.segment, c.now_days, c.before_days, c.gaps_now, c.gaps_before, c.party_id
from compared c
join parties p on p.party_id = c.party_id
left join classes k on k.period = 'current' and k.party_id = c.party_id
where c.now_days > 1.5 * c.before_days
order by k.class nulls last, c.now_days / c.before_days desc, c.party_id
-- /// table slowing
-- Months differ by a tenth in length: what is less than that is no slowing of who buys once a month.
select
    c.segment,
    c.slower as customers,
    c.customers_compared,
    c.ratio,
    c.ratio_low,
    c.ratio_high,
    c.rest_ratio,
    n.median_days,
    b.median_days as before_days,
    c.q
from segments_compared c
join windows_compared n on n.part = c.segment and n.value = 'now'
join windows_compared b on b.part = c.segment and b.value = 'before'
where c.q < 0.05 and c.ratio_low > 1 and c.ratio > 1.1 and c.ratio > c.rest_ratio
order by c.segment
-- /// metrics
select
    a.median_days as days_between_purchases_median,
    a.median_low_days as days_between_purchases_median_low,
    a.median_high_days as days_between_purchases_median_high,
    a.n as days_between_purchases_median_n,
    (select median_days from rhythm_summary where part = 'class' and value = 'A') as days_between_purchases_median_a,
    (select median_days from rhythm_summary where part = 'class' and value = 'B') as days_between_purchases_median_b,
    (select median_days from rhythm_summary where part = 'class' and value = 'C') as days_between_purchases_median_c,
    (select count(*) from slowing_customers) as slowing_customers,
    (select count(*) from slowing) as slowing_segments
from rhythm_summary a
where a.part = 'all'
