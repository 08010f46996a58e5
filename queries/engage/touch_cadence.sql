-- /// audit
-- title    = "Cadence of touches"
-- question = "How often do you touch prospects and customers with something useful?"
-- why      = "Who hears nothing forgets you; who hears only offers stops listening."
-- fix      = "Plan a rhythm by class of customer, and name campaigns so that the educating ones can be told from the selling ones."
-- headline = ["A customer hears from you every {days_between_touches_median}, a prospect every {days_between_touches_prospects_median}.", "A customer hears from you every {days_between_touches_median}.", "A prospect hears from you every {days_between_touches_prospects_median}."]
-- any_of   = [["activities.happened_at", "campaign_touches.happened_at"]]
-- optional = ["*"]
-- hidden   = ["our_touches", "touch_gaps", "gaps_by_group", "gap_curve", "days_to_show"]
-- [[method]]
-- name = "survival"
-- table = "gaps_by_group"
-- duration = "days"
-- event = "is_closed"
-- n = "gaps"
-- group = "touched"
-- is_tested = false
-- gives = { curve = "gap_curve", summary = "cadence" }
-- [metrics]
-- days_between_touches_median = { unit = "days", note = "customers: Kaplan-Meier over the gaps begun in the window; those still open are censored. A touch is a call, meeting, mail or campaign mail of ours; several on one day are one" }
-- days_between_touches_prospects_median = { unit = "days", note = "the same of everybody else" }
-- educational_share_pct = { unit = "pct", note = "of the campaign mails, those whose name says that they educate: guide, tip, webinar, how to, course, tutorial, newsletter" }
-- touches_per_conversion = { unit = "ratio", better = "down", note = "touches of the year before a party's first purchase, over those who first bought in the window and were touched" }
-- never_touched_customers = { unit = "n", better = "down", note = "customers without a touch in the window" }
-- [[finding]]
-- level = "watch"
-- when = "never_touched_customers > 0 and never_touched_a_customers > 0"
-- text = "{never_touched_a_customers|A customer|A customers} heard nothing from you in the window; they brought {never_touched_amount}."
-- customers = "never_touched_a_customers"
-- value = "never_touched_amount"
-- lists = "never_touched"
-- [[partial]]
-- when = "select not exists (select 1 from campaign_touches where campaign is not null)"
-- reason = "No campaign has a name, so nobody can say which educate."
-- [[chart]]
-- kind = "line"
-- table = "waits"
-- caption = "Share of gaps that have ended, by days since the touch before"
-- x = "day"
-- y = "ended_pct"
-- series = "touched"
-- ///
-- /// table our_touches
select t.party_id, t.happened_on, count(*) as touches
from touches t
where t.party_id is not null
    and (
        (t.department = 'activity' and not regexp_matches(t.kind, '(note|task|to.?do)') and not (t.is_from_them and regexp_matches(t.kind, '(mail|message)')))
        or (t.department = 'campaign' and regexp_matches(t.kind, '^(sent|send|email|delivered|mail)'))
    )
group by t.party_id, t.happened_on
order by t.party_id, t.happened_on
-- /// table touch_gaps
select
    party_id,
    happened_on,
    lead(happened_on) over (partition by party_id order by happened_on) as next_on
from our_touches
order by party_id, happened_on
-- /// table gaps_by_group
select
    case when c.party_id is not null and c.customer_since_on <= g.happened_on then 'customers' else 'prospects' end as touched,
    date_diff('day', g.happened_on, coalesce(g.next_on, p.as_of_on)) as days,
    g.next_on is not null as is_closed,
    count(*) as gaps
from touch_gaps g
join periods p on p.period = 'current'
left join customers c on c.period = 'current' and c.party_id = g.party_id
where g.happened_on > p.start_on and g.happened_on <= p.end_on and g.happened_on < p.as_of_on
group by 1, 2, 3
order by 1, 2, 3
-- /// table days_to_show
select cast(15 * n as integer) as day
from (select unnest(generate_series(0, 12)) as n) numbers
order by day
-- /// table waits
select c.touched, d.day, max(100 - c.surviving_pct) as ended_pct, min(c.at_risk) as at_risk
from gap_curve c
join days_to_show d on c.elapsed_days <= d.day
group by c.touched, d.day
order by c.touched, d.day
-- /// table never_touched
select f.customer, f.class, f.segment, f.owner_id, f.revenue_amount, f.party_id
from followed f
left join (
    select o.party_id
    from our_touches o
    join periods p on p.period = 'current'
    where o.happened_on > p.start_on and o.happened_on <= p.end_on
    group by o.party_id
) o on o.party_id = f.party_id
where f.is_customer and o.party_id is null
order by f.revenue_amount desc nulls last, f.party_id
-- /// table campaigns
select
    t.campaign,
    count(*) as mails,
    regexp_matches(lower(t.campaign), '(guide|tip|webinar|how.?to|course|tutorial|newsletter|learn|academy|best practice)') as is_educational
from campaign_touches t
join periods p on p.period = 'current'
where t.campaign is not null
    and regexp_matches(lower(coalesce(t.kind, '')), '^(sent|send|email|mail)')
    and cast(t.happened_at as date) > p.start_on
    and cast(t.happened_at as date) <= p.end_on
group by t.campaign
order by count(*) desc, t.campaign
-- /// metrics
with converted as (
    select b.party_id, sum(o.touches) as touches
    from customers b
    join periods p on p.period = 'current'
    join our_touches o
        on o.party_id = b.party_id
        and o.happened_on < b.first_purchase_on
        and o.happened_on >= b.first_purchase_on - 365
    where b.period = 'current' and b.first_purchase_on > p.start_on and b.first_purchase_on <= p.end_on
    group by b.party_id
)

select
    (select median_days from cadence where touched = 'customers') as days_between_touches_median,
    (select median_low_days from cadence where touched = 'customers') as days_between_touches_median_low,
    (select median_high_days from cadence where touched = 'customers') as days_between_touches_median_high,
    (select n from cadence where touched = 'customers') as days_between_touches_median_n,
    (select median_days from cadence where touched = 'prospects') as days_between_touches_prospects_median,
    (select n from cadence where touched = 'prospects') as days_between_touches_prospects_median_n,
    (select 100.0 * coalesce(sum(mails) filter (where is_educational), 0) / nullif(sum(mails), 0) from campaigns) as educational_share_pct,
    (select sum(mails) from campaigns) as educational_share_pct_n,
    avg(touches) as touches_per_conversion,
    count(*) as touches_per_conversion_n,
    (select count(*) from never_touched) as never_touched_customers,
    (select count(*) from never_touched where class = 'A') as never_touched_a_customers,
    (select sum(revenue_amount) from never_touched where class = 'A') as never_touched_amount
from converted
