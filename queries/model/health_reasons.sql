-- /// model
-- title    = "What weighs most on each customer's health today, and what took most from it in 30 days, in words"
-- optional = ["*"]
-- ///
-- A fall is sudden when the score came from 50 or more to under 25 within the 30 days.
with compared as (
    select
        n.party_id,
        n.score,
        n.score - b.score as change_30d,
        n.score - q.score as change_90d,
        coalesce(n.score < 25 and b.score >= 50, false) as is_sudden_drop,
        n.from_purchase_silence,
        n.from_purchase_silence - b.from_purchase_silence as purchase_silence_gain,
        n.from_spend_trend,
        n.from_spend_trend - b.from_spend_trend as spend_trend_gain,
        n.from_late_payments,
        n.from_late_payments - b.from_late_payments as late_payments_gain,
        n.from_mrr_change,
        n.from_mrr_change - b.from_mrr_change as mrr_change_gain,
        n.from_contact_silence,
        n.from_contact_silence - b.from_contact_silence as contact_silence_gain,
        n.from_tickets_opened,
        n.from_tickets_opened - b.from_tickets_opened as tickets_opened_gain,
        n.from_tickets_open,
        n.from_tickets_open - b.from_tickets_open as tickets_open_gain,
        n.from_satisfaction,
        n.from_satisfaction - b.from_satisfaction as satisfaction_gain,
        n.from_usage_trend,
        n.from_usage_trend - b.from_usage_trend as usage_trend_gain
    from health n
    left join health b on b.period = '30 days ago' and b.party_id = n.party_id
    left join health q on q.period = '90 days ago' and q.party_id = n.party_id
    where n.period = 'current'
),

extremes as (
    select
        *,
        least(from_purchase_silence, from_spend_trend, from_late_payments, from_mrr_change, from_contact_silence, from_tickets_opened, from_tickets_open, from_satisfaction, from_usage_trend) as lowest,
        least(purchase_silence_gain, spend_trend_gain, late_payments_gain, mrr_change_gain, contact_silence_gain, tickets_opened_gain, tickets_open_gain, satisfaction_gain, usage_trend_gain) as deepest
    from compared
),

named as (
    select
        party_id,
        case
            when lowest >= 0 then null
            when from_purchase_silence = lowest then 'purchase_silence'
            when from_spend_trend = lowest then 'spend_trend'
            when from_late_payments = lowest then 'late_payments'
            when from_mrr_change = lowest then 'mrr_change'
            when from_contact_silence = lowest then 'contact_silence'
            when from_tickets_opened = lowest then 'tickets_opened'
            when from_tickets_open = lowest then 'tickets_open'
            when from_satisfaction = lowest then 'satisfaction'
            when from_usage_trend = lowest then 'usage_trend'
        end as weakest,
        case
            when deepest >= 0 then null
            when purchase_silence_gain = deepest then 'purchase_silence'
            when spend_trend_gain = deepest then 'spend_trend'
            when late_payments_gain = deepest then 'late_payments'
            when mrr_change_gain = deepest then 'mrr_change'
            when contact_silence_gain = deepest then 'contact_silence'
            when tickets_opened_gain = deepest then 'tickets_opened'
            when tickets_open_gain = deepest then 'tickets_open'
            when satisfaction_gain = deepest then 'satisfaction'
            when usage_trend_gain = deepest then 'usage_trend'
        end as fallen
    from extremes
),

asked as (
    select party_id, 'weakest' as place, weakest as component, 'current' as period from named where weakest is not null
    union all
    select party_id, 'fallen', fallen, 'current' from named where fallen is not null
    union all
    select party_id, 'before', fallen, '30 days ago' from named where fallen is not null
),

valued as (
    select
        a.party_id,
        a.place,
        a.component,
        h.purchase_silence,
        h.contact_silence,
        cast(round(100 * h.satisfaction) as integer) as satisfaction_pct,
        cast(case a.component
            when 'late_payments' then h.late_payments
            when 'contact_silence' then h.contact_silence
            when 'tickets_opened' then h.tickets_opened
            when 'tickets_open' then h.tickets_open
        end as integer) as counted,
        cast(round(case a.component
            when 'spend_trend' then 200 * h.spend_trend / (1 - h.spend_trend)
            when 'usage_trend' then 200 * h.usage_trend / (1 - h.usage_trend)
            when 'mrr_change' then 100 * case when h.mrr_change > 0 then h.mrr_change / (1 - h.mrr_change) else h.mrr_change end
        end) as bigint) as rise_pct
    from asked a
    join health_components h on h.party_id = a.party_id and h.period = a.period
),

worded as (
    select
        party_id,
        place,
        case component
            when 'purchase_silence'
                then concat('last purchase ', case when purchase_silence < 3 then concat(round(purchase_silence, 1), ' of their usual gaps ago') else '3 of their usual gaps ago or longer' end)
            when 'spend_trend' then concat('spend of half a year ', signed, ' % against the half before')
            when 'late_payments' then concat('late or failed payments: ', counted)
            when 'mrr_change' then concat('MRR of half a year ', signed, ' %')
            when 'contact_silence' then concat('last contact ', counted, case when contact_silence < 90 then ' days ago' else ' days ago or longer' end)
            when 'tickets_opened' then concat('tickets in 90 days: ', counted)
            when 'tickets_open' then concat('open tickets: ', counted)
            when 'satisfaction' then concat('satisfaction ', satisfaction_pct, ' % of the scale')
            when 'usage_trend' then concat('days of use ', signed, ' % against the 90 days before')
        end as words
    from (select *, concat(case when rise_pct > 0 then '+' else '' end, rise_pct) as signed from valued) v
),

told as (
    select
        party_id,
        max(words) filter (where place = 'weakest') as weakest,
        max(words) filter (where place = 'fallen') as fallen,
        max(words) filter (where place = 'before') as before
    from worded
    group by party_id
)

select
    c.party_id,
    c.score,
    c.change_30d,
    c.change_90d,
    c.is_sudden_drop,
    t.weakest,
    case
        when t.fallen is null then null
        when t.before is null then t.fallen
        when t.before = t.fallen then t.fallen
        else concat(t.fallen, '; 30 days before: ', t.before)
    end as what_fell
from compared c
left join told t on t.party_id = c.party_id
