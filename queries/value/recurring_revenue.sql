-- /// audit
-- title    = "Recurring revenue"
-- question = "What happens to recurring revenue?"
-- why      = "The same MRR can be a base that grows or one that is replaced faster than it leaks; only its movements tell."
-- fix      = "Export subscriptions with price, billing period and the days they begin and end, and each change of price with its day."
-- headline = ["MRR is {mrr}; of the MRR of 12 months ago {nrr_pct} is there today with expansion, {grr_pct} without.", "MRR is {mrr}."]
-- optional = ["parties", "subscription_changes.subscription_id"]
-- hidden   = ["customer_months", "then_and_now"]
-- any_of   = [["subscriptions.mrr", "subscriptions.price", "products.price"]]
-- [metrics]
-- mrr = { unit = "money", better = "up", label = "MRR", note = "of paid subscriptions that run on the as-of date; plans of several months spread over them, latest exchange rates throughout" }
-- new_mrr = { unit = "money", better = "up", label = "New MRR", note = "last 12 months, of customers who never had MRR at the end of a month" }
-- expansion_mrr = { unit = "money", better = "up", label = "Expansion MRR", note = "net per customer and month" }
-- contraction_mrr = { unit = "money", better = "down", label = "Contraction MRR", note = "net per customer and month, of customers who keep some" }
-- churned_mrr = { unit = "money", better = "down", label = "Churned MRR", note = "of customers whose MRR fell to zero by the end of a month" }
-- reactivation_mrr = { unit = "money", better = "up", label = "Reactivation MRR", note = "of customers who had MRR before, and none at the start of the month" }
-- nrr_pct = { unit = "pct", better = "up", label = "Net revenue retention", note = "today's MRR of those who had MRR 12 months ago over theirs then" }
-- grr_pct = { unit = "pct", better = "up", label = "Gross revenue retention", note = "the smaller of then and now, per customer, over then" }
-- quick_ratio = { unit = "ratio", better = "up", note = "new, expansion and reactivation over contraction and churn" }
-- opening_mrr = { unit = "money", label = "MRR 12 months ago" }
-- past_due_mrr = { unit = "money", better = "down", label = "MRR with a failed payment", note = "subscriptions that run but are past due; counted in MRR" }
-- [[finding]]
-- level = "act"
-- when = "nrr_pct < 100 and quick_ratio < 1"
-- text = "Recurring revenue shrinks: {churned_mrr} churned and {contraction_mrr} contracted in 12 months, more than was won; of the MRR of 12 months ago {nrr_pct} is left."
-- value = "churned_mrr + contraction_mrr"
-- lists = "customer_movements"
-- [[finding]]
-- level = "watch"
-- when = "nrr_pct < 100 and (quick_ratio >= 1 or quick_ratio is null)"
-- text = "Customers of 12 months ago bring {nrr_pct} of what they brought then; growth rests on new customers."
-- value = "opening_mrr * (100 - nrr_pct) / 100"
-- lists = "customer_movements"
-- [[finding]]
-- level = "good"
-- when = "nrr_pct > 100 or (nrr_pct = 100 and churned_mrr + contraction_mrr > 0)"
-- text = "Customers of 12 months ago bring {nrr_pct} of what they brought then, without one new customer."
-- lists = "customer_movements"
-- [[finding]]
-- level = "watch"
-- when = "past_due_mrr > 0"
-- text = "{past_due_mrr} of the MRR is of subscriptions whose payment failed."
-- customers = "past_due_customers"
-- value = "past_due_mrr"
-- [[partial]]
-- when = "select count(*) = 0 from mrr_changes join clock on changed_on <= cast(as_of_on - to_months(12) as date)"
-- reason = "No subscription is known that ran 12 months ago, so retention of revenue cannot be told."
-- [[partial]]
-- when = "select count(*) > 0 from subscription_values where mrr is null and not is_trial"
-- reason = "Some subscriptions have no price, or one in a currency without a rate; they are left out."
-- bias = "MRR is too low."
-- [[partial]]
-- when = "select count(*) > 0 from subscription_values v where ended_on is null and not is_trial and (status in ('cancelled', 'expired', 'paused') or is_churned) and not exists (select 1 from subscription_changes s where s.system = v.system and s.subscription_id = v.subscription_id and s.kind = 'churn' and s.changed_on is not null)"
-- reason = "Some subscriptions have ended or pause, and the day is not in the exports; they count until the as-of date."
-- bias = "Earlier MRR is too high, and the last month's churn as well."
-- [[partial]]
-- when = "select count(*) > 0 from subscription_values where not is_trial having count(*) filter (where ended_on is not null or status in ('cancelled', 'expired', 'paused') or is_churned) = 0 and (select count(*) from subscription_changes where kind = 'churn') = 0"
-- reason = "No subscription in the exports has ever ended: those that did may be missing."
-- bias = "Retention looks better than it is, and earlier MRR smaller."
-- [[partial]]
-- when = "select count(*) = 0 from subscription_changes"
-- reason = "No record of changes of price: each subscription counts with one MRR from its first day to its last."
-- bias = "Expansion and contraction within a subscription are not seen."
-- [[chart]]
-- kind = "waterfall"
-- table = "bridge"
-- caption = "From the MRR of 12 months ago to today's"
-- label = "movement"
-- value = "mrr_amount"
-- total = "is_total"
-- [[chart]]
-- kind = "line"
-- table = "by_month"
-- caption = "MRR at the end of each month"
-- x = "until_on"
-- y = "closing_amount"
-- ///
-- /// table customer_months
-- Calendar months; the one that the day 12 months ago cuts is two, and the last one ends on the as-of date.
with days as (
    select as_of_on, cast(as_of_on - to_months(12) as date) as year_ago_on
    from clock
),

binned as (
    select
        m.party_id,
        case
            when m.changed_on <= d.year_ago_on then least(last_day(m.changed_on), d.year_ago_on)
            else least(last_day(m.changed_on), d.as_of_on)
        end as until_on,
        sum(m.amount) as change_amount
    from mrr_changes m
    cross join days d
    group by 1, 2
),

summed as (
    select
        party_id,
        until_on,
        change_amount,
        sum(change_amount) over (partition by party_id order by until_on rows between unbounded preceding and current row) as closing_amount
    from binned
),

seen as (
    select
        *,
        coalesce(max(closing_amount) over (
            partition by party_id order by until_on rows between unbounded preceding and 1 preceding
        ), 0) > 0 as had_before
    from summed
)

select
    party_id,
    until_on,
    closing_amount - change_amount as opening_amount,
    change_amount,
    closing_amount,
    case
        when closing_amount - change_amount <= 0 and had_before then 'reactivation'
        when closing_amount - change_amount <= 0 then 'new'
        when closing_amount <= 0 then 'churned'
        when change_amount > 0 then 'expansion'
        else 'contraction'
    end as movement
from seen
where change_amount <> 0
order by party_id, until_on
-- /// table by_month
with moved as (
    select
        until_on,
        coalesce(sum(change_amount) filter (where movement = 'new'), 0) as new_amount,
        coalesce(sum(change_amount) filter (where movement = 'expansion'), 0) as expansion_amount,
        coalesce(sum(change_amount) filter (where movement = 'contraction'), 0) as contraction_amount,
        coalesce(sum(change_amount) filter (where movement = 'churned'), 0) as churned_amount,
        coalesce(sum(change_amount) filter (where movement = 'reactivation'), 0) as reactivation_amount,
        sum(change_amount) as change_amount,
        count(*) filter (where movement in ('new', 'reactivation')) as customers_won,
        count(*) filter (where movement = 'churned') as customers_lost
    from customer_months
    group by until_on
)

select
    until_on,
    sum(change_amount) over (order by until_on rows between unbounded preceding and current row) - change_amount as opening_amount,
    new_amount,
    expansion_amount,
    contraction_amount,
    churned_amount,
    reactivation_amount,
    sum(change_amount) over (order by until_on rows between unbounded preceding and current row) as closing_amount,
    customers_won,
    customers_lost
from moved
order by until_on
-- /// table bridge
with sums as (
    select
        coalesce(sum(m.change_amount) filter (where m.until_on <= cast(c.as_of_on - to_months(12) as date)), 0) as opening,
        coalesce(sum(m.change_amount), 0) as closing
    from customer_months m
    cross join clock c
),

kinds as (
    select m.movement, sum(m.change_amount) as amount
    from customer_months m
    join clock c on m.until_on > cast(c.as_of_on - to_months(12) as date)
    group by m.movement
)

select place, movement, mrr_amount, is_total
from (
    select 1 as place, 'opening' as movement, opening as mrr_amount, true as is_total from sums
    union all
    select n.place, n.movement, coalesce(k.amount, 0), false
    from (
        values (2, 'new'), (3, 'expansion'), (4, 'reactivation'), (5, 'contraction'), (6, 'churned')
    ) n (place, movement)
    left join kinds k on k.movement = n.movement
    union all
    select 7, 'closing', closing, true from sums
) steps
order by place
-- /// table then_and_now
select
    m.party_id,
    coalesce(sum(m.amount) filter (where m.changed_on <= cast(c.as_of_on - to_months(12) as date)), 0) as then_amount,
    sum(m.amount) as now_amount
from mrr_changes m
cross join clock c
group by m.party_id
order by m.party_id
-- /// table customer_movements
select
    p.customer,
    m.until_on,
    m.movement,
    m.opening_amount,
    m.change_amount,
    m.closing_amount,
    m.party_id
from customer_months m
join clock c on m.until_on > cast(c.as_of_on - to_months(12) as date)
left join parties p on p.party_id = m.party_id
order by m.change_amount, m.party_id, m.until_on
-- /// table definitions
with moved as (
    select
        max(mrr_amount) filter (where movement = 'opening') as opening,
        max(mrr_amount) filter (where movement = 'closing') as closing,
        max(mrr_amount) filter (where movement = 'new') as won,
        max(mrr_amount) filter (where movement = 'expansion') as expansion,
        max(mrr_amount) filter (where movement = 'reactivation') as reactivation,
        -max(mrr_amount) filter (where movement = 'contraction') as contraction,
        -max(mrr_amount) filter (where movement = 'churned') as churned
    from bridge
),

kept as (
    select
        sum(then_amount) filter (where then_amount > 0) as then_amount,
        sum(now_amount) filter (where then_amount > 0) as now_amount,
        sum(least(then_amount, now_amount)) filter (where then_amount > 0) as smaller_amount,
        count(*) filter (where then_amount > 0) as customers_then,
        count(*) filter (where then_amount > 0 and now_amount > 0) as customers_kept
    from then_and_now
)

select place, figure, definition, value, is_headline
from (
    select 1 as place, 'NRR, %' as figure, 'today''s MRR of the customers of 12 months ago over theirs then' as definition,
        100.0 * now_amount / nullif(then_amount, 0) as value, true as is_headline from kept
    union all
    select 2, 'NRR, %', 'opening MRR with all expansion, contraction and churn of 12 months over opening MRR, customers won since included',
        100.0 * (opening + expansion - contraction - churned) / nullif(opening, 0), false from moved
    union all
    select 3, 'NRR, %', 'the same with reactivation',
        100.0 * (opening + expansion + reactivation - contraction - churned) / nullif(opening, 0), false from moved
    union all
    select 4, 'GRR, %', 'the smaller of then and now, per customer, over then',
        100.0 * smaller_amount / nullif(then_amount, 0), true from kept
    union all
    select 5, 'GRR, %', 'opening MRR less all contraction and churn of 12 months over opening MRR, customers won since included',
        100.0 * (opening - contraction - churned) / nullif(opening, 0), false from moved
    union all
    select 6, 'Customers kept, %', 'those of 12 months ago with MRR today', 100.0 * customers_kept / nullif(customers_then, 0), false from kept
    union all
    select 7, 'Quick ratio', 'new, expansion and reactivation over contraction and churn',
        (won + expansion + reactivation) / nullif(contraction + churned, 0), true from moved
    union all
    select 8, 'Quick ratio', 'new and expansion over contraction and churn',
        (won + expansion) / nullif(contraction + churned, 0), false from moved
    union all
    select 9, 'ARR', 'twelve times MRR', 12.0 * closing, false from moved
) named
order by place
-- /// metrics
select
    max(mrr_amount) filter (where movement = 'closing') as mrr,
    max(mrr_amount) filter (where movement = 'new') as new_mrr,
    max(mrr_amount) filter (where movement = 'expansion') as expansion_mrr,
    -max(mrr_amount) filter (where movement = 'contraction') as contraction_mrr,
    -max(mrr_amount) filter (where movement = 'churned') as churned_mrr,
    max(mrr_amount) filter (where movement = 'reactivation') as reactivation_mrr,
    (select max(value) from definitions where place = 1) as nrr_pct,
    (select count(*) from then_and_now where then_amount > 0) as nrr_pct_n,
    (select max(value) from definitions where place = 4) as grr_pct,
    (select count(*) from then_and_now where then_amount > 0) as grr_pct_n,
    (select max(value) from definitions where place = 7) as quick_ratio,
    max(mrr_amount) filter (where movement = 'opening') as opening_mrr,
    (
        select coalesce(sum(v.mrr), 0)
        from subscription_values v
        cross join clock c
        where v.status = 'past_due' and v.started_on <= c.as_of_on and (v.ended_on is null or v.ended_on > c.as_of_on)
    ) as past_due_mrr,
    (
        select count(distinct v.party_id)
        from subscription_values v
        cross join clock c
        where v.status = 'past_due' and v.started_on <= c.as_of_on and (v.ended_on is null or v.ended_on > c.as_of_on)
    ) as past_due_customers
from bridge
