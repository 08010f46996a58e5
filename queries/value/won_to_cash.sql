-- /// audit
-- title    = "Won to cash"
-- question = "Do deals won, invoices and cash agree, customer by customer?"
-- why      = "A deal that nobody invoiced, and an invoice that nobody chased, are work done for nothing."
-- fix      = "Put the deal's number on the invoice and the invoice's number on the payment."
-- headline = ["Of the deals won in the window {won_not_invoiced} is not invoiced, of the invoices {invoiced_not_paid} is due and not paid. {agreeing_customers_pct} of {customers} customers agree to the cent; {nothing_missing_pct} where repeat orders without a deal are left aside."]
-- optional = ["parties", "classes", "receipts", "rates", "invoices.status", "invoices.kind", "invoices.amount", "invoices.net_amount", "invoices.currency"]
-- any_of   = [["invoices.status", "invoices.paid_on", "invoices.paid_amount", "invoices.open_amount", "payments.amount"], ["invoices.amount", "invoices.net_amount"]]
-- hidden   = ["sums", "unclaimed"]
-- [metrics]
-- won_not_invoiced = { unit = "money", better = "down", note = "new business won in the window, over 30 days ago, beyond the customer's invoices of the window and 30 days about it" }
-- invoiced_not_won = { unit = "money", better = "down", note = "net invoices of the window beyond the customer's deals, renewals and expansions won, credit notes and invoices of subscriptions" }
-- invoiced_not_paid = { unit = "money", better = "down", note = "gross, of invoices of the window: due before the as-of date and not paid within 30 days after it" }
-- agreeing_customers_pct = { unit = "pct", better = "up", note = "customers with a deal won, an invoice or a payment in the window and no true difference, to the cent" }
-- nothing_missing_pct = { unit = "pct", better = "up", label = "Customers with nothing missing", note = "customers whose deals are invoiced and whose invoices are paid; repeat orders without a deal left aside" }
-- agreeing_within_1_pct = { unit = "pct", better = "up", label = "Agreeing within 1 %", note = "no true difference over 1 % of what was won or invoiced" }
-- customers = { unit = "n" }
-- won_never_invoiced = { unit = "money", better = "down", note = "of customers without one invoice in the window and 30 days about it" }
-- won_not_invoiced_yet = { unit = "money", note = "timing: won in the last 30 days, or invoiced within 30 days of the window" }
-- not_paid_yet = { unit = "money", note = "timing: not due yet, or paid within 30 days after the as-of date; without a due day 30 days count" }
-- paid_without_invoice = { unit = "money", better = "down", note = "payments of the window that name no invoice of the exports and exceed what the customer owes" }
-- marked_paid_only = { unit = "money", better = "down", label = "Marked as paid, no payment", note = "invoices of the window that say they are paid, for which the exported payments hold none" }
-- [[finding]]
-- level = "act"
-- when = "won_never_invoiced > 0"
-- text = "{won_never_invoiced} was won over 30 days ago with {never_invoiced_customers} customers who never got an invoice."
-- customers = "never_invoiced_customers"
-- value = "won_never_invoiced"
-- lists = "by_customer"
-- [[finding]]
-- level = "watch"
-- when = "won_not_invoiced > won_never_invoiced"
-- text = "{invoiced_less} more was won than invoiced, with {invoiced_less_customers|customer who was|customers who were} invoiced for less than signed."
-- customers = "invoiced_less_customers"
-- value = "invoiced_less"
-- lists = "by_customer"
-- [[finding]]
-- level = "watch"
-- when = "invoiced_not_paid > 0"
-- text = "{invoiced_not_paid} of the window's invoices is due and not paid, by {not_paid_customers|customer|customers}."
-- customers = "not_paid_customers"
-- value = "invoiced_not_paid"
-- lists = "by_customer"
-- [[finding]]
-- level = "watch"
-- when = "paid_without_invoice > 0"
-- text = "{payments_without_invoice|payment belongs|payments belong} to no invoice of the exports: {paid_without_invoice}."
-- value = "paid_without_invoice"
-- lists = "unclaimed_payments"
-- [[finding]]
-- level = "watch"
-- when = "marked_paid_only > 0"
-- text = "Invoices over {marked_paid_only} say that they are paid, and no payment is in the exports."
-- value = "marked_paid_only"
-- lists = "by_customer"
-- [[finding]]
-- level = "info"
-- when = "invoiced_not_won > 0"
-- text = "{invoiced_not_won} was invoiced to {not_won_customers|customer|customers} without a deal won: repeat orders that the CRM does not hold, or deals that were never closed there."
-- customers = "not_won_customers"
-- lists = "by_customer"
-- [[partial]]
-- when = "select count(*) = 0 from receipts"
-- reason = "There are no payments in the exports: an invoice counts as paid where it says so."
-- bias = "Payments without an invoice are not seen."
-- [[partial]]
-- when = "select v.observed_from_on > p.start_on + 31 from coverage v join periods p on p.period = 'current' where v.entity = 'opportunities'"
-- reason = "The deals begin later than the window."
-- bias = "Too much counts as invoiced without a deal."
-- [[partial]]
-- when = "select max(greatest(d.created_on, coalesce(d.closed_on, d.created_on))) < max(p.end_on) - 31 from deals d join periods p on p.period = 'current'"
-- reason = "The deals end earlier than the window."
-- bias = "Too much counts as invoiced without a deal."
-- [[partial]]
-- when = "select v.observed_until_on < p.end_on - 31 from coverage v join periods p on p.period = 'current' where v.entity = 'invoices'"
-- reason = "The invoices end earlier than the window."
-- bias = "Too much counts as won and not invoiced."
-- [[partial]]
-- when = "select count(*) > 0 from deals d join periods p on p.period = 'current' where d.outcome = 'won' and d.amount is null and d.closed_on > p.start_on and d.closed_on <= p.end_on"
-- reason = "Some deals won have no amount, or one in a currency without a rate."
-- bias = "Too little counts as won."
-- [[partial]]
-- when = "select count(*) > 0 from receivables r join periods p on p.period = 'current' where not r.is_known and r.issued_on > p.start_on and r.issued_on <= p.end_on"
-- reason = "Some invoices are older than the exported payments and do not say whether they are paid; they are left out of the cash."
-- [[chart]]
-- kind = "waterfall"
-- table = "bridge"
-- caption = "From deals won in the window to cash"
-- label = "step"
-- value = "step_amount"
-- total = "is_total"
-- ///
-- /// table unclaimed
-- What a customer's payments without an invoice's number exceed of all that was open; payments that name an invoice which
-- is not in the exports; and what was paid on an invoice beyond what it asks.
with open_bills as (
    select party_id, sum(received) as received
    from receivables
    where party_id is not null
    group by party_id
),

linked as (
    select r.party_id, sum(r.amount) as amount
    from receipts r
    cross join clock c
    where r.invoice_system is not null and r.paid_on <= c.as_of_on
    group by r.party_id
),

overpaid as (
    select party_id, sum(overpaid) as overpaid
    from receivables
    group by party_id
),

numberless as (
    select
        r.party_id,
        r.system,
        r.payment_id,
        r.paid_on,
        r.amount,
        sum(r.amount) over (
            partition by r.party_id order by r.paid_on, r.payment_id, r.amount
            rows between unbounded preceding and current row
        ) as upto
    from receipts r
    cross join clock c
    where r.invoice_id is null and r.paid_on <= c.as_of_on
)

select
    n.party_id,
    n.system,
    n.payment_id,
    cast(null as varchar) as invoice_id,
    n.paid_on,
    n.amount,
    least(n.amount, greatest(n.upto - greatest(
        coalesce(o.received, 0) - (coalesce(l.amount, 0) - coalesce(v.overpaid, 0)), 0
    ), 0)) as without_invoice_amount
from numberless n
left join open_bills o on o.party_id = n.party_id
left join linked l on l.party_id = n.party_id
left join overpaid v on v.party_id = n.party_id
union all
select r.party_id, r.system, r.payment_id, r.invoice_id, r.paid_on, r.amount, r.amount
from receipts r
cross join clock c
where r.invoice_id is not null and r.invoice_system is null and r.paid_on <= c.as_of_on
order by paid_on, system, payment_id, party_id, amount, without_invoice_amount
-- /// table sums
-- One row per customer with a deal, an invoice or a payment about the window. `before` is the 30 days before it, `after`
-- the 30 days after its end: what was won before and invoiced within, or the other way round, is a matter of timing.
with span as (
    select p.start_on, p.end_on, p.as_of_on
    from periods p
    where p.period = 'current'
),

facts as (
    select
        d.party_id,
        case when d.is_new_business and d.closed_on > s.start_on and d.closed_on <= s.end_on then d.amount else 0 end as won,
        case
            when d.is_new_business and d.closed_on > s.start_on and d.closed_on <= s.end_on and d.closed_on > s.as_of_on - 30
                then d.amount
            else 0
        end as won_lately,
        case when d.is_new_business and d.closed_on <= s.start_on then d.amount else 0 end as won_before,
        case when d.is_new_business and d.closed_on > s.end_on then d.amount else 0 end as won_after,
        case when d.is_new_business then 0 else d.amount end as renewed,
        0 as invoiced, 0 as invoiced_before, 0 as invoiced_after, 0 as on_subscription, 0 as corrected, 0 as open_credit,
        0 as tax, 0 as refunded, 0 as outstanding, 0 as not_yet, 0 as unknown, 0 as marked, 0 as overpaid, 0 as unclaimed
    from deals d
    cross join span s
    where d.outcome = 'won' and d.amount > 0 and d.closed_on > s.start_on - 30 and d.closed_on <= s.end_on + 30
    union all
    select
        r.party_id, 0, 0, 0, 0, 0,
        case when r.issued_on > s.start_on and r.issued_on <= s.end_on then r.net else 0 end,
        case when r.issued_on <= s.start_on then r.net else 0 end,
        case when r.issued_on > s.end_on then r.net else 0 end,
        case when r.subscription_id is not null and r.issued_on > s.start_on and r.issued_on <= s.end_on then r.net else 0 end,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from receivables r
    cross join span s
    where r.issued_on > s.start_on - 30 and r.issued_on <= s.end_on + 30
    union all
    select
        r.party_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        r.gross - r.net,
        r.gross - r.owed,
        case when r.is_known then r.outstanding else 0 end,
        case
            when not r.is_known then 0
            when coalesce(r.due_on, r.issued_on + 30) >= s.as_of_on then r.outstanding
            else least(r.outstanding, r.paid_soon)
        end,
        case when r.is_known then 0 else r.outstanding end,
        case when exists (select 1 from receipts) then r.only_marked_paid else 0 end,
        r.overpaid,
        0
    from receivables r
    cross join span s
    where r.issued_on > s.start_on and r.issued_on <= s.end_on
    union all
    select
        i.party_id, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        abs(coalesce(i.net_amount, i.amount)) * case when i.currency is null or upper(i.currency) = t.currency then 1 else x.rate end,
        case when coalesce(i.status, 'open') = 'paid' then 0 else abs(coalesce(i.amount, i.net_amount)) end
            * case when i.currency is null or upper(i.currency) = t.currency then 1 else x.rate end,
        0, 0, 0, 0, 0, 0, 0, 0
    from invoices i
    cross join span s
    cross join settings t
    left join rates x on x.currency = upper(i.currency)
    where i.kind = 'credit note'
        and coalesce(i.status, 'open') not in ('draft', 'void', 'failed')
        and i.issued_on > s.start_on
        and i.issued_on <= s.end_on
    union all
    select u.party_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, u.without_invoice_amount
    from unclaimed u
    join span s on u.paid_on > s.start_on and u.paid_on <= s.end_on
    where u.without_invoice_amount > 0
),

added as (
    select
        party_id,
        cast(sum(won) as decimal(18, 2)) as won,
        cast(sum(won_lately) as decimal(18, 2)) as won_lately,
        cast(greatest(sum(won_before) - sum(invoiced_before), 0) + greatest(sum(won_after) - sum(invoiced_after), 0) as decimal(18, 2)) as won_near,
        cast(greatest(sum(invoiced_before) - sum(won_before), 0) + greatest(sum(invoiced_after) - sum(won_after), 0) as decimal(18, 2)) as invoiced_near,
        sum(invoiced_before) + sum(invoiced) + sum(invoiced_after) > 0 as has_invoice,
        cast(sum(renewed) as decimal(18, 2)) as renewed,
        cast(sum(invoiced) as decimal(18, 2)) as invoiced,
        cast(sum(on_subscription) as decimal(18, 2)) as on_subscription,
        cast(sum(corrected) as decimal(18, 2)) as corrected,
        cast(sum(open_credit) as decimal(18, 2)) as open_credit,
        cast(sum(tax) as decimal(18, 2)) as tax,
        cast(sum(refunded) as decimal(18, 2)) as refunded,
        cast(sum(outstanding) as decimal(18, 2)) as outstanding,
        cast(sum(not_yet) as decimal(18, 2)) as not_yet,
        cast(sum(unknown) as decimal(18, 2)) as unknown,
        cast(sum(marked) as decimal(18, 2)) as marked,
        cast(sum(overpaid) as decimal(18, 2)) as overpaid,
        cast(sum(unclaimed) as decimal(18, 2)) as unclaimed
    from facts
    group by party_id
),

first_parts as (
    select
        *,
        greatest(won - invoiced, 0) as more_won,
        least(greatest(won - invoiced, 0), greatest(invoiced_near, won_lately)) as won_timing,
        greatest(invoiced - won, 0) as more_invoiced,
        least(greatest(invoiced - won, 0), won_near) as invoiced_timing,
        least(outstanding - not_yet, open_credit) as credit_used
    from added
)

select
    *,
    least(more_invoiced - invoiced_timing, renewed) as on_renewal,
    least(greatest(more_invoiced - invoiced_timing - renewed, 0), corrected) as on_credit,
    least(greatest(more_invoiced - invoiced_timing - renewed - corrected, 0), on_subscription) as on_plan
from first_parts
where won > 0 or invoiced > 0 or unclaimed > 0
order by party_id
-- /// table by_customer
select
    p.customer,
    k.class,
    s.won as won_amount,
    s.invoiced as invoiced_amount,
    s.invoiced + s.tax - s.refunded - s.outstanding - s.unknown as paid_amount,
    s.more_won - s.won_timing as won_not_invoiced_amount,
    s.more_invoiced - s.invoiced_timing - s.on_renewal - s.on_credit - s.on_plan as invoiced_not_won_amount,
    s.outstanding - s.not_yet - s.credit_used as not_paid_amount,
    s.unclaimed as paid_without_invoice_amount,
    s.marked as marked_paid_only_amount,
    s.overpaid as overpaid_amount,
    s.won_timing + s.invoiced_timing + s.not_yet as timing_amount,
    s.on_renewal + s.on_credit + s.on_plan as explained_amount,
    s.more_won - s.won_timing
        + s.more_invoiced - s.invoiced_timing - s.on_renewal - s.on_credit - s.on_plan
        + s.outstanding - s.not_yet - s.credit_used
        + s.unclaimed + s.marked + s.overpaid as difference_amount,
    s.has_invoice,
    p.owner_id,
    s.party_id
from sums s
left join parties p on p.party_id = s.party_id
left join classes k on k.period = 'current' and k.party_id = s.party_id
order by won_not_invoiced_amount desc, not_paid_amount desc, difference_amount desc, p.customer, s.party_id
-- /// table unclaimed_payments
select p.customer, u.payment_id, u.paid_on, u.amount, u.without_invoice_amount, u.invoice_id, u.party_id
from unclaimed u
join periods w on w.period = 'current' and u.paid_on > w.start_on and u.paid_on <= w.end_on
left join parties p on p.party_id = u.party_id
where u.without_invoice_amount > 0
order by u.without_invoice_amount desc, u.paid_on, u.payment_id, u.party_id, u.amount
-- /// table bridge
with totals as (
    select
        coalesce(sum(won), 0) as won,
        coalesce(sum(won_timing), 0) as won_timing,
        coalesce(sum(more_won - won_timing), 0) as not_invoiced,
        coalesce(sum(invoiced_timing), 0) as invoiced_timing,
        coalesce(sum(on_renewal), 0) as on_renewal,
        coalesce(sum(on_credit), 0) as on_credit,
        coalesce(sum(on_plan), 0) as on_plan,
        coalesce(sum(more_invoiced - invoiced_timing - on_renewal - on_credit - on_plan), 0) as not_won,
        coalesce(sum(invoiced), 0) as invoiced,
        coalesce(sum(tax), 0) as tax,
        coalesce(sum(refunded), 0) as refunded,
        coalesce(sum(not_yet), 0) as not_yet,
        coalesce(sum(credit_used), 0) as credit_used,
        coalesce(sum(outstanding - not_yet - credit_used), 0) as not_paid,
        coalesce(sum(unknown), 0) as unknown,
        coalesce(sum(outstanding), 0) as outstanding
    from sums
)

select place, step, step_amount, is_total
from (
    select 1 as place, 'deals won' as step, won as step_amount, true as is_total from totals
    union all
    select 2, 'not invoiced yet (timing)', -won_timing, false from totals
    union all
    select 3, 'won, not invoiced', -not_invoiced, false from totals
    union all
    select 4, 'of deals near the window (timing)', invoiced_timing, false from totals
    union all
    select 5, 'of renewals and expansions', on_renewal, false from totals
    union all
    select 6, 'corrected by credit notes', on_credit, false from totals
    union all
    select 7, 'on subscriptions', on_plan, false from totals
    union all
    select 8, 'invoiced, not won', not_won, false from totals
    union all
    select 9, 'invoiced', invoiced, true from totals
    union all
    select 10, 'tax', tax, false from totals
    union all
    select 11, 'refunded', -refunded, false from totals
    union all
    select 12, 'not paid yet (timing)', -not_yet, false from totals
    union all
    select 13, 'settled by credit notes', -credit_used, false from totals
    union all
    select 14, 'invoiced, not paid', -not_paid, false from totals
    union all
    select 15, 'not known', -unknown, false from totals
    union all
    select 16, 'paid', invoiced + tax - refunded - outstanding - unknown, true from totals
) steps
where is_total or step_amount <> 0 or place in (3, 8, 14)
order by place
-- /// metrics
select
    coalesce(sum(won_not_invoiced_amount), 0) as won_not_invoiced,
    coalesce(sum(invoiced_not_won_amount), 0) as invoiced_not_won,
    coalesce(sum(not_paid_amount), 0) as invoiced_not_paid,
    100.0 * count(*) filter (where difference_amount = 0) / count(*) as agreeing_customers_pct,
    count(*) as agreeing_customers_pct_n,
    100.0 * count(*) filter (where difference_amount = invoiced_not_won_amount) / count(*) as nothing_missing_pct,
    100.0 * count(*) filter (where difference_amount <= greatest(won_amount, invoiced_amount) / 100) / count(*) as agreeing_within_1_pct,
    count(*) as customers,
    coalesce(sum(won_not_invoiced_amount) filter (where not has_invoice), 0) as won_never_invoiced,
    count(*) filter (where won_not_invoiced_amount > 0 and not has_invoice) as never_invoiced_customers,
    coalesce(sum(won_not_invoiced_amount) filter (where has_invoice), 0) as invoiced_less,
    count(*) filter (where won_not_invoiced_amount > 0 and has_invoice) as invoiced_less_customers,
    count(*) filter (where not_paid_amount > 0) as not_paid_customers,
    count(*) filter (where invoiced_not_won_amount > 0) as not_won_customers,
    (select coalesce(sum(won_timing), 0) from sums) as won_not_invoiced_yet,
    (select coalesce(sum(not_yet), 0) from sums) as not_paid_yet,
    coalesce(sum(paid_without_invoice_amount), 0) as paid_without_invoice,
    (select count(*) from unclaimed_payments) as payments_without_invoice,
    coalesce(sum(marked_paid_only_amount), 0) as marked_paid_only
from by_customer
having count(*) > 0
    and (select max(greatest(created_on, coalesce(closed_on, created_on))) from deals)
        > (select start_on from periods where period = 'current')
