-- /// audit
-- title    = "Identity across systems"
-- question = "Is a customer the same customer in every system?"
-- why      = "A customer who is three records is called three times, billed twice and missed once."
-- fix      = "Write the CRM's id into the billing system and the support desk, and keep one e-mail per person."
-- headline = ["{customers|customer|customers}; {billing_matched_pct} of them and {tickets_matched_pct} of the tickets are known to the CRM.", "{customers|customer|customers}, {billing_matched_pct} of them known to the CRM.", "{customers|customer|customers}; there are no CRM accounts or contacts to match them with."]
-- optional = ["purchases", "purchase_source", "accounts.account_id", "accounts.name", "contacts.contact_id", "tickets.opened_at", "activities.happened_at", "activities.contact_id", "tickets.contact_id", "campaign_touches.contact_id", "campaign_touches.happened_at", "invoices.issued_on", "payments.paid_on", "opportunities.closed_on", "invoices.amount", "invoices.net_amount", "payments.amount", "opportunities.amount", "opportunities.outcome", "tickets.email", "activities.email", "campaign_touches.email", "invoices.status", "invoices.kind", "invoices.currency", "payments.status", "payments.currency", "opportunities.currency", "rates", "customers"]
-- hidden   = ["crm_parties", "sales_of_nobody"]
-- [metrics]
-- customers = { unit = "n" }
-- billing_matched_pct = { unit = "pct", better = "up", note = "customers with a purchase or contract that the CRM's accounts or contacts know" }
-- tickets_matched_pct = { unit = "pct", better = "up", note = "tickets of somebody we know" }
-- activities_matched_pct = { unit = "pct", better = "up" }
-- events_attributed_pct = { unit = "pct", better = "up", note = "tickets, activities and mails that name a person" }
-- unattributed_revenue = { unit = "money", better = "down", note = "sales of nobody we know" }
-- doubtful_links = { unit = "n", note = "records that may belong to another customer, or to one of several; left apart, for review" }
-- [[finding]]
-- level = "act"
-- when = "tickets_matched_pct < 50 and tickets_matched_pct_n >= 20"
-- text = "Only {tickets_matched_pct} of {tickets_matched_pct_n} tickets join with a customer: their customer ids come from another id space, or the customers were not exported."
-- lists = "unmatched"
-- [[finding]]
-- level = "watch"
-- when = "billing_matched_pct < 95"
-- text = "{billing_matched_pct} of the customers who were billed are known to the CRM."
-- lists = "unmatched"
-- [[finding]]
-- level = "watch"
-- when = "unattributed_revenue > 0"
-- text = "{unattributed_revenue} of sales belong to nobody we know."
-- value = "unattributed_revenue"
-- ///
-- /// table links_by_rule
select rule, count(*) as links, count(distinct party_id) as parties, min(score) as lowest_score
from (select distinct record, party_id, rule, score from links where party_id is not null) each
group by rule
order by count(*) desc, rule
-- /// table doubtful
select record, evidence
from links
where is_doubtful
group by record, evidence
order by record, evidence
-- /// table unmatched
select record, min(account_name) as account_name, min(email) as email
from links
where party_id is null
group by record
order by record
-- /// table crm_parties
select party_id from accounts where party_id is not null
union
select party_id from contacts where party_id is not null
order by party_id
-- /// table sales_of_nobody
select coalesce(sum(case when r.rate is null then n.amount else n.amount * r.rate end), 0) as amount
from (
    select coalesce(i.net_amount, i.amount) as amount, i.issued_on as sold_on, i.currency
    from invoices i
    join purchase_source s on s.kind = 'invoices'
    where i.party_id is null
        and coalesce(i.status, 'open') not in ('draft', 'void', 'failed', 'refunded')
        and coalesce(i.kind, 'sale') = 'sale'
    union all
    select m.amount, m.paid_on, m.currency
    from payments m
    join purchase_source s on s.kind = 'payments'
    where m.party_id is null and coalesce(m.status, 'succeeded') not in ('failed', 'void', 'pending', 'refunded')
    union all
    select o.amount, o.closed_on, o.currency
    from opportunities o
    join purchase_source s on s.kind = 'opportunities'
    where o.party_id is null and o.outcome = 'won'
) n
cross join clock c
cross join settings
left join rates r on r.currency = upper(n.currency) and upper(n.currency) <> settings.currency
where n.amount >= 0
    and n.sold_on <= c.as_of_on
    and (n.currency is null or upper(n.currency) = settings.currency or r.rate is not null)
-- /// metrics
select
    count(*) as customers,
    case when exists (select 1 from crm_parties)
        then 100.0 * count(*) filter (where c.party_id in (select party_id from crm_parties)) / nullif(count(*), 0)
    end as billing_matched_pct,
    count(*) as billing_matched_pct_n,
    (select 100.0 * count(party_id) / nullif(count(*), 0) from tickets) as tickets_matched_pct,
    (select count(*) from tickets) as tickets_matched_pct_n,
    (select 100.0 * count(party_id) / nullif(count(*), 0) from activities) as activities_matched_pct,
    (
        select 100.0 * sum(named) / nullif(sum(total), 0)
        from (
            select count(coalesce(contact_id, email)) as named, count(*) as total from tickets
            union all
            select count(coalesce(contact_id, email)), count(*) from activities
            union all
            select count(coalesce(contact_id, email)), count(*) from campaign_touches
        ) events
    ) as events_attributed_pct,
    (select max(amount) from sales_of_nobody) as unattributed_revenue,
    (select count(*) from doubtful) as doubtful_links
from customers c
where c.period = 'current'
