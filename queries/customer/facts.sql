-- One row: who they are, what they are worth, how they stand. `party` holds the one party that is asked for.
with bills as (
    select
        r.party_id,
        count(*) filter (where r.outstanding > 0 and r.due_on < k.as_of_on) as overdue_bills,
        sum(r.outstanding) filter (where r.outstanding > 0 and r.due_on < k.as_of_on) as overdue_amount
    from receivables r
    join party y on y.party_id = r.party_id
    cross join clock k
    group by r.party_id
),

desk as (
    select
        i.party_id,
        count(*) filter (where not i.is_resolved) as open_tickets,
        min(cast(i.opened_at as date)) filter (where not i.is_resolved) as oldest_open_on
    from issues i
    join party y on y.party_id = i.party_id
    group by i.party_id
),

talks as (
    select t.party_id, max(t.happened_on) filter (where t.is_conversation) as last_conversation_on
    from touches t
    join party y on y.party_id = t.party_id
    group by t.party_id
),

people as (
    select
        c.party_id,
        count(*) filter (where not coalesce(c.has_left, false)) as contacts,
        count(*) filter (where not coalesce(c.has_left, false) and lower(coalesce(c.role, '')) like '%deci%') as deciders
    from contact_records c
    join party y on y.party_id = c.party_id
    group by c.party_id
),

terms as (
    select
        v.party_id,
        sum(v.mrr) filter (where v.started_on <= k.as_of_on and (v.ended_on is null or v.ended_on > k.as_of_on) and not v.is_trial) as mrr
    from subscription_values v
    join party y on y.party_id = v.party_id
    cross join clock k
    group by v.party_id
),

credits as (
    select a.party_id, sum(a.amount) as adjustment
    from adjustments a
    join party y on y.party_id = a.party_id
    join clock k on a.adjusted_on <= k.as_of_on
    group by a.party_id
),

renewals as (
    select n.party_id, min(n.due_on) as renews_on
    from renewal_days n
    join party y on y.party_id = n.party_id
    join clock k on n.period = 'current' and n.due_on > k.as_of_on
    where n.is_longer
    group by n.party_id
)

select
    k.as_of_on,
    p.customer,
    coalesce(p.account_id, p.contact_id) as id,
    p.segment,
    p.industry,
    p.region,
    p.origin,
    p.owner,
    c.party_id is not null as is_customer,
    least(c.customer_since_on, p.customer_since_on) as customer_since_on,
    g.class,
    c.purchases,
    cast(c.revenue + coalesce(a.adjustment, 0) as decimal(18, 4)) as revenue_amount,
    c.window_purchases,
    c.window_revenue as window_amount,
    b.window_revenue as previous_amount,
    t.mrr as mrr_amount,
    c.is_under_contract,
    c.ended_on,
    n.renews_on,
    c.last_purchase_on,
    f.silence_days,
    f.typical_gap_days,
    f.overdue_after_days,
    coalesce(f.is_overdue, false) as is_overdue,
    coalesce(f.is_lapsed, false) as is_lapsed,
    o.p_alive,
    o.p_stays_52w,
    coalesce(m.overdue_bills, 0) as overdue_bills,
    m.overdue_amount,
    coalesce(d.open_tickets, 0) as open_tickets,
    d.oldest_open_on,
    s.last_conversation_on,
    coalesce(e.contacts, 0) as contacts,
    coalesce(e.deciders, 0) as deciders
from party y
join parties p on p.party_id = y.party_id
cross join clock k
left join customers c on c.period = 'current' and c.party_id = y.party_id
left join customers b on b.period = 'previous' and b.party_id = y.party_id
left join classes g on g.period = 'current' and g.party_id = y.party_id
left join forecasts f on f.party_id = y.party_id
left join customer_outlook o on o.party_id = y.party_id
left join bills m on m.party_id = y.party_id
left join desk d on d.party_id = y.party_id
left join talks s on s.party_id = y.party_id
left join people e on e.party_id = y.party_id
left join terms t on t.party_id = y.party_id
left join renewals n on n.party_id = y.party_id
left join credits a on a.party_id = y.party_id
