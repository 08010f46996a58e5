-- /// model
-- title    = "Whether customers leave in sight (contractual) or in silence"
-- optional = ["customers"]
-- ///
with counted as (
    select
        count(*) as customers,
        count(*) filter (where is_contractual) as contractual
    from customers
    where period = 'current'
)

select
    case
        when customers = 0 then 'unknown'
        when contractual = 0 then 'non-contractual'
        when contractual * 10 >= customers * 9 then 'contractual'
        when contractual * 10 < customers then 'non-contractual'
        else 'hybrid'
    end as setting
from counted
