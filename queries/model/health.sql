-- /// model
-- title    = "Each customer's health as of each day: score, what it is made of, and the probability of being lost"
-- optional = ["*"]
-- ///
-- `score` runs from 0 to 100; 50 is the mean of the customers on the days on which it was fitted (of today's where it
-- was not), and as many of them were below it as the logistic approximation of the normal distribution says. `from_...`
-- is what a component adds to or takes from the score's index. `p_lost` is null where the weights are not validated.
with standardised as (
    select
        c.*,
        f.middle,
        f.spread,
        case when c.is_contractual then f.intercept_true else f.intercept_false end as intercept,
        case when c.purchase_silence is null then 0 else least(greatest((c.purchase_silence - f.purchase_silence_centre) / f.purchase_silence_scale, -3), 3) * f.purchase_silence_weight end as purchase_silence_part,
        case when c.spend_trend is null then 0 else least(greatest((c.spend_trend - f.spend_trend_centre) / f.spend_trend_scale, -3), 3) * f.spend_trend_weight end as spend_trend_part,
        case when c.late_payments is null then 0 else least(greatest((c.late_payments - f.late_payments_centre) / f.late_payments_scale, -3), 3) * f.late_payments_weight end as late_payments_part,
        case when c.mrr_change is null then 0 else least(greatest((c.mrr_change - f.mrr_change_centre) / f.mrr_change_scale, -3), 3) * f.mrr_change_weight end as mrr_change_part,
        case when c.contact_silence is null then 0 else least(greatest((c.contact_silence - f.contact_silence_centre) / f.contact_silence_scale, -3), 3) * f.contact_silence_weight end as contact_silence_part,
        case when c.tickets_opened is null then 0 else least(greatest((c.tickets_opened - f.tickets_opened_centre) / f.tickets_opened_scale, -3), 3) * f.tickets_opened_weight end as tickets_opened_part,
        case when c.tickets_open is null then 0 else least(greatest((c.tickets_open - f.tickets_open_centre) / f.tickets_open_scale, -3), 3) * f.tickets_open_weight end as tickets_open_part,
        case when c.satisfaction is null then 0 else least(greatest((c.satisfaction - f.satisfaction_centre) / f.satisfaction_scale, -3), 3) * f.satisfaction_weight end as satisfaction_part,
        case when c.usage_trend is null then 0 else least(greatest((c.usage_trend - f.usage_trend_centre) / f.usage_trend_scale, -3), 3) * f.usage_trend_weight end as usage_trend_part
    from health_components c
    cross join health_formula f
),

added as (
    select
        *,
        (purchase_silence_part
            + spend_trend_part
            + late_payments_part
            + mrr_change_part
            + contact_silence_part
            + tickets_opened_part
            + tickets_open_part
            + satisfaction_part
            + usage_trend_part - middle) / spread as health_index
    from standardised
)

select
    period,
    days_ago,
    as_of_on,
    role,
    party_id,
    is_contractual,
    is_lost,
    p_lost_if_staying,
    health_index,
    100 / (1 + exp(-1.702 * health_index)) as score,
    1 / (1 + exp(spread * health_index + middle - intercept)) as p_lost,
    purchase_silence_part / spread as from_purchase_silence,
    spend_trend_part / spread as from_spend_trend,
    late_payments_part / spread as from_late_payments,
    mrr_change_part / spread as from_mrr_change,
    contact_silence_part / spread as from_contact_silence,
    tickets_opened_part / spread as from_tickets_opened,
    tickets_open_part / spread as from_tickets_open,
    satisfaction_part / spread as from_satisfaction,
    usage_trend_part / spread as from_usage_trend
from added
