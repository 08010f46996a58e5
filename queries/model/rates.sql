-- /// model
-- title    = "The latest exchange rate of each currency"
-- optional = ["exchange_rates.currency", "exchange_rates.rate", "exchange_rates.valid_on"]
-- ///
with latest as (
    select
        upper(currency) as currency,
        rate,
        row_number() over (partition by upper(currency) order by valid_on desc nulls last, rate) as place
    from exchange_rates
    where rate > 0
)

select currency, cast(rate as decimal(18, 8)) as rate
from latest
where place = 1
