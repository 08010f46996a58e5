-- /// audit
-- title    = "Products and returns"
-- question = "What do they buy, what goes together, and what comes back?"
-- why      = "A product that comes back costs its margin twice; two that go together can be offered together."
-- fix      = "Export the lines of invoices, and name the product on each refund and credit note."
-- headline = ["{refund_rate_pct} of what was sold in the window was given back; {surely_most_returned} comes back more often than the rest.", "{refund_rate_pct} of what was sold in the window was given back; no product comes back more often than chance explains.", "{products|product was|products were} sold in the window; nothing tells what came back."]
-- optional = ["rates", "classes", "products.product_id", "products.name", "invoice_lines.invoice_id", "invoice_lines.product_id", "invoice_lines.amount", "invoices.invoice_id", "invoices.net_amount", "invoices.amount", "invoices.refunded_amount", "invoices.kind", "invoices.status", "invoices.currency", "refunds.amount", "refunds.refunded_on", "refunds.invoice_id", "refunds.product_id", "refunds.currency"]
-- any_of   = [["invoice_lines.product", "invoice_lines.product_id", "invoices.product"]]
-- hidden   = ["sold", "given_back", "pairs"]
-- [[method]]
-- name = "rates"
-- table = "by_product"
-- successes = "returned"
-- trials = "sales"
-- shrink = true
-- compare = true
-- adds = ["shrunk_pct", "differs_p", "rate_pct", "low_pct", "high_pct"]
-- [[method]]
-- name = "rates"
-- table = "pairs"
-- successes = "together"
-- trials = "companions"
-- before = ["elsewhere", "companions_elsewhere"]
-- adds = ["changed_p"]
-- [metrics]
-- refund_rate_pct = { unit = "pct", better = "down", note = "refunds and credit notes of the window over its sales, by value" }
-- refund_rate_by_number_pct = { unit = "pct", better = "down", note = "refunds and credit notes over sales, by number" }
-- most_returned_product = { unit = "text", better = "down", note = "highest return rate by number, judged by the lower end of its interval after shrinkage towards the other products, so that one of one does not top" }
-- most_returned_pct = { unit = "pct", better = "down", label = "Its return rate", note = "as it is, before shrinkage" }
-- surely_most_returned = { unit = "text", better = "down", label = "Beyond chance", note = "the product that comes back most often of those whose rate differs from the rest by Fisher's test under false-discovery control" }
-- refunded_amount = { unit = "money", better = "down" }
-- returns_with_product_pct = { unit = "pct", better = "up", note = "of what was given back" }
-- products = { unit = "n" }
-- top_product = { unit = "text", note = "by value sold in the window" }
-- pairs_together = { unit = "n", note = "bought on the same day by the same customer, at least five times and more often than chance explains" }
-- [units]
-- lift = "ratio"
-- [[finding]]
-- level = "act"
-- table = "returned_often"
-- when = "true"
-- key = "{product}"
-- text = "{product} comes back more often than the rest: {returned} of {sales} sales ({rate_pct}; {low_pct} to {high_pct})."
-- value = "returned_amount"
-- lists = "by_product"
-- [[finding]]
-- level = "info"
-- table = "bought_together"
-- when = "true"
-- key = "{product} and {companion}"
-- text = "{product} goes with {companion}: {together} times on one day, {lift} times as often as it goes with other products."
-- lists = "bought_together"
-- [[partial]]
-- when = "select count(*) = 0 from given_back"
-- reason = "No refund and no credit note is in the exports: that nothing came back cannot be told from nothing recorded."
-- [[partial]]
-- when = "select 5 * count(*) filter (where product is null) > count(*) from sold"
-- reason = "More than one sale in five has no product."
-- bias = "Products are compared on the others."
-- [[partial]]
-- when = "select 5 * count(*) filter (where product is null) > count(*) and count(*) > 0 from given_back"
-- reason = "More than one refund or credit note in five has no product."
-- bias = "Return rates of products are too low."
-- [[chart]]
-- kind = "interval_bars"
-- table = "by_product"
-- caption = "Share of sales that came back, by product, after shrinkage towards the others, with 95 % intervals"
-- label = "product"
-- value = "shrunk_pct"
-- low = "shrunk_low_pct"
-- high = "shrunk_high_pct"
-- n = "sales"
-- ///
-- /// table sold
-- Invoices of the window by product: their lines where there are some, else the product that the invoice names. The
-- same product on several lines of an invoice is one sale.
with names as (
    select system, product_id, min(name) as name
    from products
    where product_id is not null
    group by system, product_id
),

bills as (
    select
        i.system,
        i.invoice_id,
        i.party_id,
        i.issued_on,
        nullif(trim(i.product), '') as product,
        coalesce(i.net_amount, i.amount) as amount,
        coalesce(i.refunded_amount, 0) as refunded,
        i.status,
        case when i.currency is null or upper(i.currency) = s.currency then 1 else r.rate end as rate
    from invoices i
    cross join settings s
    join periods p on p.period = 'current' and i.issued_on > p.start_on and i.issued_on <= p.end_on
    left join rates r on r.currency = upper(i.currency)
    where coalesce(i.kind, 'sale') = 'sale'
        and coalesce(i.status, 'open') not in ('draft', 'void', 'failed')
        and coalesce(i.net_amount, i.amount) > 0
),

lines as (
    select
        l.system,
        l.invoice_id,
        coalesce(n.name, nullif(trim(l.product), ''), l.product_id) as product,
        sum(l.amount) as amount
    from invoice_lines l
    left join names n on n.system = l.system and n.product_id = l.product_id
    group by 1, 2, 3
)

select
    b.system,
    b.invoice_id,
    b.party_id,
    b.issued_on,
    case when l.invoice_id is null then b.product else l.product end as product,
    cast((case when l.invoice_id is null then b.amount else coalesce(l.amount, 0) end) * b.rate as decimal(18, 4)) as amount
from bills b
left join lines l on l.system = b.system and l.invoice_id = b.invoice_id
where b.rate is not null
order by 1, 2, 3, 4, 5, 6
-- /// table given_back
-- On their own day. What an invoice counts as refunded is not counted again where a refund names that invoice. A refund without a product is
-- that of its invoice, where that has one.
with names as (
    select system, product_id, min(name) as name
    from products
    where product_id is not null
    group by system, product_id
),

billed as (
    select l.system, l.invoice_id, min(coalesce(n.name, nullif(trim(l.product), ''), l.product_id)) as product
    from invoice_lines l
    left join names n on n.system = l.system and n.product_id = l.product_id
    group by l.system, l.invoice_id
    having min(coalesce(n.name, nullif(trim(l.product), ''), l.product_id)) = max(coalesce(n.name, nullif(trim(l.product), ''), l.product_id))
    union
    select i.system, i.invoice_id, min(nullif(trim(i.product), ''))
    from invoices i
    where i.invoice_id is not null
        and not exists (select 1 from invoice_lines l where l.system = i.system and l.invoice_id = i.invoice_id)
    group by i.system, i.invoice_id
),

refunded as (
    select
        f.party_id,
        f.system,
        f.refunded_on as returned_on,
        coalesce(n.name, f.product_id, b.product) as product,
        abs(f.amount) as amount,
        f.currency
    from refunds f
    left join names n on n.system = f.system and n.product_id = f.product_id
    left join billed b on b.system = f.system and b.invoice_id = f.invoice_id
    union all
    select i.party_id, i.system, i.issued_on, nullif(trim(i.product), ''), abs(coalesce(i.net_amount, i.amount)), i.currency
    from invoices i
    where i.kind = 'credit note' and coalesce(i.status, 'open') not in ('draft', 'void', 'failed')
    union all
    select
        i.party_id,
        i.system,
        i.issued_on,
        coalesce(b.product, nullif(trim(i.product), '')),
        case when i.refunded_amount > 0 then i.refunded_amount else coalesce(i.net_amount, i.amount) end,
        i.currency
    from invoices i
    left join billed b on b.system = i.system and b.invoice_id = i.invoice_id
    where coalesce(i.kind, 'sale') = 'sale'
        and (i.status = 'refunded' or i.refunded_amount > 0)
        and not exists (select 1 from refunds f where f.system = i.system and f.invoice_id = i.invoice_id)
)

select
    f.party_id,
    f.system,
    f.returned_on,
    f.product,
    cast(f.amount * case when f.currency is null or upper(f.currency) = s.currency then 1 else r.rate end as decimal(18, 4)) as amount
from refunded f
cross join settings s
join periods p on p.period = 'current' and f.returned_on > p.start_on and f.returned_on <= p.end_on
left join rates r on r.currency = upper(f.currency)
where f.amount > 0 and (f.currency is null or upper(f.currency) = s.currency or r.rate is not null)
order by 1, 2, 3, 4, 5
-- /// table by_product
with s as (
    select product, cast(sum(amount) as decimal(18, 2)) as sold_amount, count(*) as sales, count(distinct party_id) as customers
    from sold
    where product is not null
    group by product
),

r as (
    select product, cast(sum(amount) as decimal(18, 2)) as returned_amount, count(*) as returned
    from given_back
    group by product
)

select
    s.product,
    s.sold_amount,
    s.sales,
    s.customers,
    coalesce(r.returned_amount, 0) as returned_amount,
    least(coalesce(r.returned, 0), s.sales) as returned
from s
left join r on r.product = s.product
order by s.sold_amount desc, s.product
-- /// table by_product_and_class
with s as (
    select d.product, coalesce(k.class, 'none') as class, sum(d.amount) as sold, count(*) as sales, count(distinct d.party_id) as customers
    from sold d
    left join classes k on k.period = 'current' and k.party_id = d.party_id
    where d.product is not null
    group by 1, 2
),

r as (
    select g.product, coalesce(k.class, 'none') as class, sum(g.amount) as returned, count(*) as returns
    from given_back g
    left join classes k on k.period = 'current' and k.party_id = g.party_id
    where g.product is not null
    group by 1, 2
)

select
    coalesce(s.product, r.product) as product,
    coalesce(s.class, r.class) as class,
    cast(coalesce(s.sold, 0) as decimal(18, 2)) as sold_amount,
    coalesce(s.sales, 0) as sales,
    coalesce(s.customers, 0) as customers,
    cast(coalesce(r.returned, 0) as decimal(18, 2)) as returned_amount,
    coalesce(r.returns, 0) as returns
from s
full join r on r.product = s.product and r.class = s.class
order by product, class
-- /// table pairs
-- A basket is what one customer bought on one day, of two to ten products. Of the companions that a product has, is
-- this one more often among them than among those of other products? So the size of baskets explains nothing. The
-- fifty products that are most often in such baskets, each in twenty or more; every pair of them is tested.
with bought as (
    select distinct party_id, issued_on, product
    from sold
    where product is not null and party_id is not null
),

sized as (
    select *, count(*) over (partition by party_id, issued_on) as products
    from bought
),

baskets as (
    select * from sized where products between 2 and 10
),

ranked as (
    select
        product,
        count(*) as baskets,
        sum(products - 1) as companions,
        sum(sum(products - 1)) over () as all_companions,
        row_number() over (order by count(*) desc, product) as place
    from baskets
    group by product
),

known as (
    select * from ranked where place <= 50 and baskets >= 20
),

met as (
    select a.product, b.product as companion, count(*) as together
    from baskets a
    join known x on x.product = a.product
    join baskets b on b.party_id = a.party_id and b.issued_on = a.issued_on and b.product <> a.product
    join known y on y.product = b.product and y.place < x.place
    group by a.product, b.product
)

select
    x.product,
    y.product as companion,
    coalesce(m.together, 0) as together,
    x.companions,
    y.companions - coalesce(m.together, 0) as elsewhere,
    x.all_companions - x.companions - y.companions as companions_elsewhere
from known x
join known y on y.place < x.place
left join met m on m.product = x.product and m.companion = y.product
where y.companions - coalesce(m.together, 0) <= x.all_companions - x.companions - y.companions
order by x.product, y.product
-- /// table bought_together
select
    product,
    companion,
    together,
    (1.0 * together / companions) / nullif(1.0 * elsewhere / companions_elsewhere, 0) as lift,
    100.0 * together / companions as of_companions_pct,
    changed_q
from pairs
where changed_q < 0.05 and together >= 5 and together * companions_elsewhere > elsewhere * companions
order by together desc, product, companion
-- /// table returned_often
select product, sales, returned, returned_amount, rate_pct, low_pct, high_pct, differs_q
from by_product
where differs_q < 0.05
    and returned * (select sum(sales) from by_product) > sales * (select sum(returned) from by_product)
order by rate_pct desc, product
-- /// metrics
select
    case when g.returns > 0 then 100.0 * g.amount / s.amount end as refund_rate_pct,
    case when g.returns > 0 then 100.0 * g.returns / s.sales end as refund_rate_by_number_pct,
    s.sales as refund_rate_pct_n,
    m.product as most_returned_product,
    m.rate_pct as most_returned_pct,
    m.low_pct as most_returned_pct_low,
    m.high_pct as most_returned_pct_high,
    m.sales as most_returned_pct_n,
    (select product from returned_often order by rate_pct desc, product limit 1) as surely_most_returned,
    g.amount as refunded_amount,
    100.0 * g.named_amount / nullif(g.amount, 0) as returns_with_product_pct,
    (select count(*) from by_product) as products,
    (select product from by_product order by sold_amount desc, product limit 1) as top_product,
    (select count(*) from bought_together) as pairs_together
from (select sum(amount) as amount, count(*) as sales from sold) s
cross join (
    select
        cast(coalesce(sum(amount), 0) as decimal(18, 2)) as amount,
        sum(amount) filter (where product is not null) as named_amount,
        count(*) as returns
    from given_back
) g
left join (
    select product, rate_pct, low_pct, high_pct, sales
    from by_product
    where returned > 0
    order by shrunk_low_pct desc, product
    limit 1
) m on 1 = 1
where s.amount > 0
