-- /// audit
-- title    = "Depth of relationships"
-- question = "Do your A customers rest on a single thread?"
-- why      = "When the one person changes jobs, on either side, the customer is a stranger."
-- fix      = "For every A customer name a second colleague and a third contact, and let each have a conversation a quarter."
-- headline = ["{a_customers_multi_contact_pct} of the A customers are known by more than two contacts; {single_threaded_revenue} hangs on a single thread.", "{a_customers_multi_colleague_pct} of the A customers talk with two of our people."]
-- any_of   = [["contacts.contact_id", "contacts.email", "contacts.name", "activities.happened_at"], ["invoices.amount", "invoices.net_amount", "payments.amount", "opportunities.amount"]]
-- optional = ["*"]
-- hidden   = ["colleague_quarters", "threads"]
-- [metrics]
-- a_customers_multi_contact_pct = { unit = "pct", better = "up", label = "A customers with several contacts", note = "A customers with more than two contacts in the CRM" }
-- a_customers_multi_colleague_pct = { unit = "pct", better = "up", note = "A customers with whom at least two of our people were active in three of the last four quarters" }
-- single_threaded_revenue = { unit = "money", better = "down", note = "revenue of the window of A customers with one contact at most, or with whom one of our people at most was active in the last four quarters" }
-- single_threaded_a_customers = { unit = "n", better = "down" }
-- [[finding]]
-- level = "act"
-- when = "single_threaded_a_customers > 0"
-- text = "{single_threaded_a_customers|A customer rests|A customers rest} on a single thread; they brought {single_threaded_revenue} in the window."
-- customers = "single_threaded_a_customers"
-- value = "single_threaded_revenue"
-- lists = "single_threads"
-- [[partial]]
-- when = "select not exists (select 1 from activities where owner_id is not null and happened_at is not null)"
-- reason = "No activity names one of our people, so only contacts are counted."
-- [[partial]]
-- when = "select not exists (select 1 from contact_records)"
-- reason = "There are no contacts, so only our own people are counted."
-- [[partial]]
-- when = "select min(cast(happened_at as date)) > max(c.as_of_on - 334) from activities cross join clock c where owner_id is not null"
-- reason = "The activities do not reach back over four quarters."
-- bias = "Relations look thinner than they are."
-- [[chart]]
-- kind = "bars"
-- table = "by_contacts"
-- caption = "A customers by number of contacts"
-- label = "contacts_known"
-- value = "customers"
-- ///
-- /// table colleague_quarters
-- Quarters of 91 days, counted back from the as-of date: 0 is the latest.
select a.party_id, a.owner_id, floor(date_diff('day', cast(a.happened_at as date), c.as_of_on) / 91.0) as quarter
from activities a
join clock c on cast(a.happened_at as date) <= c.as_of_on and cast(a.happened_at as date) > c.as_of_on - 364
where a.party_id is not null and a.owner_id is not null
group by 1, 2, 3
order by 1, 2, 3
-- /// table threads
with active as (
    select party_id, owner_id, count(*) as quarters
    from colleague_quarters
    group by party_id, owner_id
),

ours as (
    select party_id, count(*) as colleagues, count(*) filter (where quarters >= 3) as steady_colleagues
    from active
    group by party_id
),

theirs as (
    select party_id, count(*) as contacts
    from contact_records
    where party_id is not null and not has_left
    group by party_id
)

select
    f.party_id,
    f.customer,
    f.segment,
    f.owner_id,
    f.revenue_amount,
    case when exists (select 1 from contact_records) then coalesce(t.contacts, 0) end as contacts,
    case when exists (select 1 from colleague_quarters) then coalesce(o.colleagues, 0) end as colleagues,
    case when exists (select 1 from colleague_quarters) then coalesce(o.steady_colleagues, 0) end as steady_colleagues
from followed f
left join theirs t on t.party_id = f.party_id
left join ours o on o.party_id = f.party_id
where f.class = 'A'
order by f.party_id
-- /// table by_contacts
select
    case when contacts = 0 then 'none' when contacts = 1 then 'one' when contacts = 2 then 'two' else 'more than two' end as contacts_known,
    count(*) as customers,
    sum(revenue_amount) as revenue_amount
from threads
where contacts is not null
group by 1, least(contacts, 3)
order by least(contacts, 3)
-- /// table single_threads
select customer, segment, owner_id, contacts, colleagues, steady_colleagues, revenue_amount, party_id
from threads
where contacts <= 1 or colleagues <= 1
order by revenue_amount desc, party_id
-- /// metrics
select
    100.0 * count(*) filter (where contacts > 2) / nullif(count(contacts), 0) as a_customers_multi_contact_pct,
    count(contacts) as a_customers_multi_contact_pct_n,
    100.0 * count(*) filter (where steady_colleagues >= 2) / nullif(count(colleagues), 0) as a_customers_multi_colleague_pct,
    count(colleagues) as a_customers_multi_colleague_pct_n,
    (select coalesce(sum(revenue_amount), 0) from single_threads) as single_threaded_revenue,
    (select count(*) from single_threads) as single_threaded_a_customers
from threads
