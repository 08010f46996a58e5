-- /// news
-- place    = 1
-- title    = "Gone silent"
-- subject  = "gone silent"
-- stake    = "{amount} in the last window"
-- text     = "Silent for {silence_days}, where {typical_gap_days} are usual; by chance {chance_pct} of such customers would be silent for so long."
-- says     = ["at_risk"]
-- cleared  = "Bought again."
-- entities = [["invoices", "payments", "opportunities"]]
-- ///
-- /// table news
-- The chance of a silence is that of the next gap being longer, as the rhythm has it. Every purchase begins a gap, and of
-- all gaps a share as large as the limit grows beyond it: the limit is set so that in a base that never leaves one A
-- customer a month is told, within 1 and 20 %. Who is no A customer any more for all the silence is silent still.
with histories as (
    select
        f.party_id,
        f.silence_days,
        f.typical_gap_days,
        f.window_revenue,
        date_diff('day', f.first_purchase_on, f.last_purchase_on) as recency_days,
        f.purchases - 1 as frequency,
        coalesce(p.segment, 'unknown') as segment,
        coalesce(k.class = 'A', false) as is_best
    from forecasts f
    join parties p on p.party_id = f.party_id
    left join classes k on k.period = 'current' and k.party_id = f.party_id
    where f.typical_gap_days is not null
),

limits as (
    select least(0.2, greatest(0.01, 0.25 * 52 / greatest(sum(c.window_purchases), 1))) as share
    from customers c
    join histories h on h.party_id = c.party_id and h.is_best
    where c.period = 'current'
),

chances as (
    select h.*, power((r.alpha_days + h.recency_days) / (r.alpha_days + h.recency_days + h.silence_days), r.r + h.frequency) as chance
    from histories h
    join rhythm_priors r on r.segment = h.segment
)

select
    cast(null as varchar) as record,
    c.party_id,
    c.is_best and c.chance < l.share as is_entered,
    'act' as level,
    cast(c.window_revenue as decimal(18, 2)) as amount,
    c.silence_days,
    c.typical_gap_days,
    100 * c.chance as chance_pct
from chances c
cross join limits l
where c.chance < 1.5 * l.share
order by c.window_revenue desc, c.party_id
