-- /// audit
-- title    = "Keys that do not join"
-- question = "Which rows point at something that no export has?"
-- why      = "A row that joins nothing drops out of every figure by customer, product or owner."
-- fix      = "Export the other file too, or write one spelling in both systems."
-- headline = "{broken_keys|reference leads|references lead} nowhere; {empty_keys|row|rows} name no customer."
-- optional = ["*"]
-- [metrics]
-- broken_keys = { unit = "n", better = "down" }
-- empty_keys = { unit = "n", better = "down" }
-- [[finding]]
-- level = "watch"
-- table = "references_checked"
-- when = "broken > 0"
-- key = "{reference}"
-- text = "{broken} of {row_count} {reference} lead nowhere (such as {example})."
-- most = 12
-- [[finding]]
-- level = "watch"
-- table = "references_checked"
-- when = "empty_rows > 0"
-- key = "empty {reference}"
-- text = "{empty_rows} of {row_count} rows are empty: {reference}."
-- most = 12
-- ///
-- /// table references_checked
with product_names as (
    select name as product from products where name is not null
    union
    select product_id from products where product_id is not null
),

people as (
    select system, user_id as owner from colleagues
    union
    select system, name from colleagues where name is not null
    union
    select distinct coalesce(o.system, ''), e.user_id
    from opportunities o
    join colleagues e on e.is_only_one and e.user_id = o.owner_id
    where coalesce(o.system, '') not in (select system from colleagues)
)

select
    'deals: products' as reference,
    count(*) as row_count,
    count(*) filter (where o.product is null) as empty_rows,
    count(*) filter (where o.product is not null and n.product is null) as broken,
    min(case when n.product is null then o.product end) as example
from opportunities o
left join product_names n on n.product = o.product
where exists (select 1 from product_names)
    and exists (select 1 from opportunities x join product_names y on y.product = x.product)
union all
select 'open deals: customers', count(*),
    count(*) filter (where coalesce(account_id, contact_id, account_name, email) is null),
    0, null
from opportunities
where outcome = 'open'
union all
select 'closed deals: customers', count(*),
    count(*) filter (where coalesce(account_id, contact_id, account_name, email, lead_id) is null),
    0, null
from opportunities
where outcome <> 'open'
union all
select 'deals: owners', count(*),
    count(*) filter (where o.owner_id is null),
    count(*) filter (where o.owner_id is not null and p.owner is null),
    min(case when p.owner is null then o.owner_id end)
from opportunities o
left join people p on p.system = coalesce(o.system, '') and p.owner = o.owner_id
where coalesce(o.system, '') in (select system from people)
union all
select 'tickets: customers', count(*),
    count(*) filter (where coalesce(account_id, contact_id, account_name, email) is null),
    count(*) filter (where coalesce(account_id, contact_id, account_name, email) is not null and party_id is null),
    min(case when party_id is null then coalesce(account_id, contact_id, account_name, email) end)
from tickets
union all
select 'usage: subscriptions or customers', count(*), 0,
    count(*) filter (where party_id is null),
    min(case when party_id is null then coalesce(subscription_id, usage_id) end)
from usage
union all
select 'churn events: customers', count(*), 0,
    count(*) filter (where party_id is null),
    min(case when party_id is null then event_id end)
from churn_events
order by reference
-- /// metrics
select
    cast(coalesce(sum(broken), 0) as bigint) as broken_keys,
    cast(coalesce(sum(empty_rows), 0) as bigint) as empty_keys
from references_checked
