-- /// audit
-- title    = "Loyalty"
-- question = "What does loyalty mean here, and who shows it?"
-- why      = "The loyal ask for little and are overlooked for it; they notice when somebody says thank you, and when nobody does."
-- fix      = "Go through the loyal whom nobody has spoken to and give each an owner; ask customers once a year whether they would recommend you."
-- headline = ["{loyal_customers|customer is loyal and brings|customers are loyal and bring} {loyal_revenue_pct} of the revenue; {loyal_unrecognised} of them have nobody's attention.", "{loyal_customers|customer is loyal and brings|customers are loyal and bring} {loyal_revenue_pct} of the revenue.", "{loyal_customers|customer is|customers are} loyal."]
-- optional = ["classes", "purchases", "purchase_source", "contracts", "forecasts", "subscription_values", "survey_responses.score", "survey_responses.kind", "survey_responses.answered_on", "activities.happened_at", "activities.kind"]
-- hidden   = ["steps"]
-- [metrics]
-- loyal_customers = { unit = "n", better = "up", note = "the stated default: customer for two years, bought in each of the last four half-years (or under contract throughout), not overdue, and no detractor in their last answer (NPS 6 or less) where they gave one" }
-- loyal_revenue_pct = { unit = "pct", note = "of the revenue in the window; where there are subscriptions and neither invoices nor payments, of the MRR" }
-- loyal_unrecognised = { unit = "n", better = "down", note = "loyal, not in class A, and no call, meeting or mail in 12 months; where no activities are exported, without an owner" }
-- loyal_pct = { unit = "pct", better = "up", note = "of the customers who bought in the window or are under contract" }
-- advocates = { unit = "n", better = "up", note = "loyal customers whose last answer was an NPS of 9 or 10" }
-- [[finding]]
-- level = "watch"
-- when = "loyal_unrecognised > 0"
-- text = "{loyal_unrecognised|loyal customer has|loyal customers have} nobody's attention: not in class A, and {unrecognised_how}."
-- customers = "loyal_unrecognised"
-- value = "unrecognised_amount"
-- lists = "loyal"
-- [[partial]]
-- when = "select min(c.customer_since_on) > cast(max(k.as_of_on) - to_months(24) as date) from customers c cross join clock k where c.period = 'current'"
-- reason = "Purchases and contracts are exported for less than two years, so nobody can be seen to be loyal."
-- [[partial]]
-- when = "select coalesce(max(row_count), 0) = 0 from coverage where entity = 'survey_responses'"
-- reason = "No survey answers are exported: loyalty is told from purchases alone."
-- bias = "Customers who stay for want of a choice count as loyal."
-- [[partial]]
-- when = "select kind = 'opportunities' from purchase_source"
-- reason = "No invoices or payments: won deals stand in for purchases."
-- bias = "A loyal customer need not close a deal every half-year, so fewer seem loyal."
-- [[chart]]
-- kind = "bars"
-- table = "by_step"
-- caption = "Customers who pass each condition of loyalty, one after the other"
-- label = "step"
-- value = "customers"
-- ///
-- /// table steps
with marks as (
    select
        as_of_on,
        cast(as_of_on - to_months(6) as date) as half_year_on,
        cast(as_of_on - to_months(12) as date) as year_on,
        cast(as_of_on - to_months(18) as date) as third_half_on,
        cast(as_of_on - to_months(24) as date) as two_years_on
    from clock
),

halves as (
    select
        b.party_id,
        max(case when b.purchased_on > m.half_year_on then 1 else 0 end)
        + max(case when b.purchased_on <= m.half_year_on and b.purchased_on > m.year_on then 1 else 0 end)
        + max(case when b.purchased_on <= m.year_on and b.purchased_on > m.third_half_on then 1 else 0 end)
        + max(case when b.purchased_on <= m.third_half_on then 1 else 0 end) as half_years
    from purchases b
    join marks m on b.purchased_on <= m.as_of_on and b.purchased_on > m.two_years_on
    group by b.party_id
),

bound as (
    select c.party_id
    from contracts c
    join clock k on c.started_on <= cast(k.as_of_on - to_months(24) as date) and (c.ended_on is null or c.ended_on > k.as_of_on)
    group by c.party_id
),

answers as (
    select
        s.party_id,
        s.score,
        row_number() over (partition by s.party_id order by s.answered_on desc, s.score) as place
    from survey_responses s
    join clock k on s.answered_on <= k.as_of_on
    where lower(s.kind) like '%nps%' and s.score is not null
),

running as (
    select v.party_id, sum(v.mrr) as mrr
    from subscription_values v
    join clock k on v.started_on <= k.as_of_on and (v.ended_on is null or v.ended_on > k.as_of_on)
    where not v.is_trial
    group by v.party_id
),

spoken as (
    select a.party_id, max(cast(a.happened_at as date)) as last_on
    from activities a
    join clock k on cast(a.happened_at as date) <= k.as_of_on
    where coalesce(lower(a.kind), '') not in ('task', 'note')
    group by a.party_id
),

judged as (
    select
        c.party_id,
        least(c.customer_since_on, p.customer_since_on) as since_on,
        least(c.customer_since_on, p.customer_since_on) <= cast(k.as_of_on - to_months(24) as date) as is_old,
        b.party_id is not null or coalesce(h.half_years, 0) = 4 as is_steady,
        c.is_under_contract or not coalesce(f.is_overdue, false) as is_in_time,
        coalesce(a.score > 6, true) as is_no_detractor,
        coalesce(a.score >= 9, false) as is_advocate,
        a.score,
        c.window_revenue,
        coalesce(r.mrr, 0) as mrr,
        s.last_on as last_spoken_on,
        s.last_on > cast(k.as_of_on - to_months(12) as date) as is_spoken_to,
        p.owner_id,
        g.class
    from customers c
    join parties p on p.party_id = c.party_id
    cross join clock k
    left join halves h on h.party_id = c.party_id
    left join bound b on b.party_id = c.party_id
    left join answers a on a.party_id = c.party_id and a.place = 1
    left join running r on r.party_id = c.party_id
    left join spoken s on s.party_id = c.party_id
    left join forecasts f on f.party_id = c.party_id
    left join classes g on g.period = 'current' and g.party_id = c.party_id
    where c.period = 'current' and (c.window_purchases > 0 or c.is_under_contract)
)

select *, is_old and is_steady and is_in_time and is_no_detractor as is_loyal
from judged
order by party_id
-- /// table by_step
select place, step, customers, window_amount
from (
    select 1 as place, 'bought in the window or under contract' as step, count(*) as customers, coalesce(sum(window_revenue), 0) as window_amount
    from steps
    union all
    select 2, 'customer for two years', count(*), coalesce(sum(window_revenue), 0) from steps where is_old
    union all
    select 3, 'bought in each half-year, or under contract throughout', count(*), coalesce(sum(window_revenue), 0)
    from steps
    where is_old and is_steady
    union all
    select 4, 'not overdue', count(*), coalesce(sum(window_revenue), 0) from steps where is_old and is_steady and is_in_time
    union all
    select 5, 'no detractor: loyal', count(*), coalesce(sum(window_revenue), 0) from steps where is_loyal
) numbered
order by place
-- /// table loyal
select
    p.customer,
    s.class,
    s.since_on as customer_since_on,
    s.window_revenue as window_amount,
    s.mrr as mrr_amount,
    s.score as nps_score,
    s.last_spoken_on,
    s.owner_id,
    coalesce(s.class, '') <> 'A' and case
        when (select max(row_count) from coverage where entity = 'activities') > 0 then not coalesce(s.is_spoken_to, false)
        when (select count(owner_id) from parties) > 0 then s.owner_id is null
    end as is_unrecognised,
    s.party_id
from steps s
join parties p on p.party_id = s.party_id
where s.is_loyal
order by is_unrecognised desc nulls last, s.window_revenue desc, s.mrr desc, s.party_id
-- /// metrics
with known as (
    select
        (select min(customer_since_on) from customers where period = 'current') <= cast(max(as_of_on) - to_months(24) as date) as can_be_told,
        coalesce((select max(kind) from purchase_source), 'opportunities') = 'opportunities' and (select sum(mrr) from steps) > 0 as is_by_mrr,
        (select max(row_count) from coverage where entity = 'activities') > 0 as has_activities,
        (select max(row_count) from coverage where entity = 'activities') > 0
        or (select count(owner_id) from parties) > 0 as has_attention
    from clock
),

sums as (
    select
        count(*) as customers,
        count(*) filter (where is_loyal) as loyal,
        sum(window_revenue) as revenue,
        coalesce(sum(window_revenue) filter (where is_loyal), 0) as loyal_revenue,
        sum(mrr) as mrr,
        coalesce(sum(mrr) filter (where is_loyal), 0) as loyal_mrr,
        count(*) filter (where is_loyal and is_advocate) as advocates,
        count(score) as scores
    from steps
)

select
    case when k.can_be_told then s.loyal end as loyal_customers,
    case when k.can_be_told then 100.0 * case when k.is_by_mrr then s.loyal_mrr else s.loyal_revenue end
        / nullif(case when k.is_by_mrr then s.mrr else s.revenue end, 0) end as loyal_revenue_pct,
    case when k.can_be_told and k.has_attention then (select count(*) from loyal where is_unrecognised) end as loyal_unrecognised,
    case when k.can_be_told then 100.0 * s.loyal / nullif(s.customers, 0) end as loyal_pct,
    case when k.can_be_told then s.customers end as loyal_pct_n,
    case when k.can_be_told and s.scores > 0 then s.advocates end as advocates,
    (select sum(case when window_amount > 0 then window_amount else 12 * mrr_amount end) from loyal where is_unrecognised) as unrecognised_amount,
    case when k.has_activities then 'not spoken to in 12 months' else 'without an owner' end as unrecognised_how
from sums s
cross join known k
where k.can_be_told and s.customers > 0
