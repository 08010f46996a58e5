-- /// model
-- title    = "Each subscription with its monthly recurring revenue"
-- optional = ["subscriptions.mrr", "subscriptions.price", "subscriptions.discount_pct", "subscriptions.quantity", "subscriptions.billing_period", "subscriptions.ended_on", "subscriptions.is_trial", "subscriptions.status", "subscriptions.product_id", "subscriptions.plan", "subscriptions.currency", "subscriptions.is_churned", "products.product_id", "products.price", "products.name", "subscriptions.subscription_id", "subscriptions.trial_ends_on", "subscriptions.renews_on"]
-- ///
-- An annual price is spread over its months; a list price is the plan's price per month. In the report currency; unknown
-- where there is no rate. `is_trial` holds for all that nobody pays for.
select
    s.party_id,
    s.system,
    s.subscription_id,
    s.started_on,
    s.ended_on,
    s.status,
    coalesce(s.plan, p.name, s.product_id) as plan,
    coalesce(s.is_trial, false) or coalesce(s.status, 'active') in ('trial', 'incomplete', 'draft') as is_trial,
    s.is_churned,
    s.trial_ends_on,
    s.renews_on,
    s.billing_period,
    case when s.currency is null or upper(s.currency) = settings.currency then 1 else r.rate end as rate,
    cast(coalesce(
        s.mrr,
        s.price / case
            when lower(s.billing_period) in ('annual', 'yearly', 'year', 'annually') then 12
            when lower(s.billing_period) in ('quarterly', 'quarter') then 3
            when lower(s.billing_period) in ('semiannual', 'half-yearly', 'semi-annual') then 6
            when lower(s.billing_period) = 'weekly' then 12 / 52.0
            when lower(s.billing_period) = 'daily' then 12 / 365.25
            else 1
        end,
        p.price * (1 - coalesce(s.discount_pct, 0) / 100)
    ) * case when s.currency is null or upper(s.currency) = settings.currency then 1 else r.rate end as decimal(18, 4)) as mrr
from subscriptions s
cross join settings
left join rates r on r.currency = upper(s.currency)
left join (
    select system, product_id, min(price) as price, min(name) as name
    from products
    where product_id is not null
    group by system, product_id
) p on p.system = s.system and p.product_id = s.product_id
where s.started_on is not null
