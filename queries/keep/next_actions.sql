-- /// audit
-- title    = "Next actions"
-- question = "What should be done on Monday, by whom, for which customers?"
-- why      = "A list of ten names with a reason each gets called; a report of fifty pages gets filed."
-- fix      = "Give each customer an owner, log every call on the day it is made, and export tickets, payments and answers with their days."
-- headline = ["{nobody_named|customer is|customers are} to be called on Monday: no rule names anybody who may be contacted.", "{actions|customer is|customers are} to be called or written to, worth {value_covered} a year; of {rules_applied|rule|rules} {proven_rules} told losses or returns better than chance when replayed."]
-- any_of   = [["invoices.issued_on", "payments.paid_on", "subscriptions.started_on", "opportunities.closed_on"]]
-- optional = ["*"]
-- hidden   = ["flags", "late_shares", "patterns", "replay_sets", "replay_ratios", "named_customers", "verdicts", "queue"]
-- [[method]]
-- name = "rate_ratios"
-- table = "replay_sets"
-- events = "hits"
-- time = "customers"
-- exposed = "is_flagged"
-- group = "rule"
-- strata = ["stratum"]
-- least_events = 10
-- least_exposed_events = 3
-- gives = { ratios = "replay_ratios(rule, events, exposed_events, expected_events, rate_ratio, low, high, p)" }
-- [[method]]
-- name = "rates"
-- table = "late_shares"
-- successes = "late"
-- trials = "customers"
-- known_pct = "usual_pct"
-- adds = ["rate_pct", "beyond_p"]
-- [metrics]
-- actions = { unit = "n", note = "customers on the list, each once; at most ten for an owner" }
-- value_covered = { unit = "money", note = "what these customers bring in a year: 12 times the MRR under contract, else revenue in the window, or in the last year as a customer of those who are gone; each counted once" }
-- beyond_the_cap = { unit = "n", label = "Named but over the ten for an owner" }
-- left_out = { unit = "n", note = "named by a rule and left out: contacted in the last 14 days, opted out, or their owner is gone" }
-- left_alone = { unit = "n", note = "customers without any sign of trouble" }
-- rules_applied = { unit = "n", note = "that name a customer today" }
-- proven_rules = { unit = "n", better = "up", note = "of these: what they foretold happened more often than to like customers, in the half years after 6 and 12 months ago; score test under false-discovery control" }
-- [units]
-- times_as_often = "ratio"
-- [[finding]]
-- level = "act"
-- table = "rules"
-- when = "q < 0.05 and times_as_often > 1 and listed > 0"
-- key = "{rule}"
-- text = "{listed|customer|customers} {reason}: \"{to_do}\", by {due_on}. Replayed, {hit_pct} of such customers {outcome} within half a year, {base_pct} of like ones."
-- customers = "listed"
-- value = "listed_amount"
-- lists = "actions"
-- most = 10
-- [[finding]]
-- level = "info"
-- table = "rules"
-- when = "verdict = 'the opposite holds' and customers > 0"
-- key = "{rule}"
-- text = "{customers|customer|customers} {reason}; replayed, {hit_pct} of such customers {outcome} within half a year, {base_pct} of like ones: no reason to call."
-- customers = "customers"
-- lists = "rules"
-- [[finding]]
-- level = "info"
-- when = "left_alone > 0"
-- text = "Leave {left_alone|customer|customers} alone: no rule names them, and no renewal of theirs is in danger."
-- customers = "left_alone"
-- lists = "leave_alone"
-- [[partial]]
-- when = "select count(*) filter (where period <> 'current') = 0 from standings"
-- reason = "The exports cover less than 18 months, so the rules cannot be replayed."
-- bias = "Which rules hold here is not known."
-- [[partial]]
-- when = "select count(*) > 0 and count(distinct period) filter (where period <> 'current') = 1 from standings"
-- reason = "The exports cover less than two years: the rules are replayed as of 6 months ago alone."
-- [[partial]]
-- when = "select count(*) = 0 from touches where department = 'activity'"
-- reason = "No calls, meetings or mails are exported, so who was contacted in the last 14 days is not known."
-- bias = "The list names customers whom somebody has just spoken to."
-- [[partial]]
-- when = "select count(owner_id) = 0 from parties"
-- reason = "No export says who owns which customer."
-- [[chart]]
-- kind = "interval_bars"
-- table = "rules"
-- caption = "How many times as often what each rule foretells happened, 1 being like customers, with 95 % intervals"
-- label = "reason"
-- value = "times_as_often"
-- low = "low"
-- high = "high"
-- ///
-- /// table flags
-- Which rules name each customer, on each day by the same SQL. Whoever has been gone for long concerns the rule of returns
-- alone. A renewal in danger is known of today only: the replay judges the renewals that come up. A ticket or a payment
-- has a rule of its own, so that it calls for no plan that renews by the month.
with endangered as (
    select party_id, min(due_on) filter (where is_pressing) as urgent_on, min_by(danger, due_on) filter (where is_pressing) as danger
    from (
        select party_id, due_on, danger, is_urgent and (is_longer or is_cancelled or is_past_due or coalesce(p_stays_52w < 0.5, false)) as is_pressing
        from renewals_ahead
        where danger is not null
    ) told
    group by party_id
)

select
    s.period,
    s.party_id,
    s.kind,
    s.class,
    s.is_late,
    case
        when s.kind = 'contract' then '-'
        when s.typical_gap_days <= 45 then 'up to 45 days'
        when s.typical_gap_days <= 120 then 'up to 120 days'
        when s.typical_gap_days > 120 then 'over 120 days'
        else 'unknown'
    end as rhythm,
    s.gone_on is not null as is_gone,
    s.gone_on is null and s.silence_days between 60 and 180 as is_second_due,
    s.is_lost,
    s.value_amount,
    s.silence_days,
    s.gone_on,
    w.ticket_days,
    w.unpaid_days,
    w.failed_payments,
    w.score,
    least(w.renews_on, r.urgent_on) as renews_on,
    r.danger,
    s.as_of_on,
    s.gone_on is null and (coalesce(s.kind = 'contract' and w.renews_on <= s.as_of_on + 60, false) or r.urgent_on is not null) as has_renewal,
    s.gone_on is null and s.is_late and s.class = 'A' as has_late_a,
    s.gone_on is null and s.is_late and s.class = 'B' as has_late_b,
    s.gone_on is null and coalesce(w.failed_payments > 0, false) as has_failed,
    s.gone_on is null and coalesce(w.unpaid_days > 30, false) as has_unpaid,
    s.gone_on is null and coalesce(w.ticket_days > 14, false) as has_ticket,
    s.gone_on is null and coalesce(w.score <= 6, false) as has_bad_answer,
    s.gone_on is null and coalesce(w.is_usage_halved, false) as has_usage,
    s.gone_on is null and s.kind = 'no contract' and s.purchases = 1 and s.silence_days between 60 and 180 as has_second,
    s.gone_days is not null and s.gone_days <= 365 as has_return,
    r.party_id is not null as is_in_danger
from standings s
left join warnings w on w.period = s.period and w.party_id = s.party_id
left join endangered r on s.period = 'current' and r.party_id = s.party_id
-- /// table late_shares
-- A fifth of those who stay are always in the longest fifth of their gaps: to be late means something where more are.
select
    class,
    count(*) as customers,
    count(*) filter (where is_late) as late,
    greatest(20, (select max(overdue_if_nobody_leaves_pct) from rhythm_facts)) as usual_pct
from flags
where period = 'current' and kind = 'no contract' and not is_gone and rhythm <> 'unknown' and class in ('A', 'B')
group by class
order by class
-- /// table patterns
-- Customers who are alike in all that the rules and their comparison look at, on days whose outcome is known.
select
    period, kind, class, is_late, rhythm, is_gone, is_second_due,
    has_renewal, has_late_a, has_late_b, has_failed, has_unpaid, has_ticket, has_bad_answer, has_usage, has_second, has_return,
    count(*) as customers,
    count(*) filter (where is_lost) as losses
from flags
where is_lost is not null
group by all
order by all
-- /// table replay_sets
-- Each rule against like customers: of the same day, kind, class and rhythm, and as late or not; the late against those of
-- the same class who are not. A return is what a rule foretells of those who are gone, a loss of all others.
with sets as (
    select 'renewal' as rule, period, has_renewal as is_flagged, concat(period, class, is_late) as stratum, customers, losses as hits
    from patterns
    where not is_gone and kind = 'contract'
    union all
    select 'late A', period, has_late_a, concat(period, rhythm), customers, losses
    from patterns
    where not is_gone and kind = 'no contract' and class = 'A'
    union all
    select 'late B', period, has_late_b, concat(period, rhythm), customers, losses
    from patterns
    where not is_gone and kind = 'no contract' and class = 'B'
    union all
    select 'failed payment', period, has_failed, concat(period, kind, class, is_late, rhythm), customers, losses from patterns where not is_gone
    union all
    select 'unpaid invoice', period, has_unpaid, concat(period, kind, class, is_late, rhythm), customers, losses from patterns where not is_gone
    union all
    select 'open ticket', period, has_ticket, concat(period, kind, class, is_late, rhythm), customers, losses from patterns where not is_gone
    union all
    select 'bad answer', period, has_bad_answer, concat(period, kind, class, is_late, rhythm), customers, losses from patterns where not is_gone
    union all
    select 'usage halved', period, has_usage, concat(period, kind, class, is_late, rhythm), customers, losses from patterns where not is_gone
    union all
    select 'second purchase', period, has_second, concat(period, class), customers, losses
    from patterns
    where is_second_due and kind = 'no contract'
    union all
    select 'return', period, has_return, concat(period, kind), customers, customers - losses from patterns where is_gone
)

select rule, period, stratum, is_flagged, cast(sum(customers) as bigint) as customers, cast(sum(hits) as bigint) as hits
from sets
group by rule, period, stratum, is_flagged
order by rule, period, stratum, is_flagged
-- /// table named_customers
-- Today's customers of each rule, and why each may not be contacted.
with named as (
    select 1 as place, 'renewal' as rule, party_id, 'renews on ' || cast(renews_on as varchar) || coalesce(', in danger: ' || danger, '') as detail from flags where period = 'current' and has_renewal
    union all
    select 2, 'late A', party_id, 'silent for ' || silence_days || ' days' from flags where period = 'current' and has_late_a
    union all
    select 3, 'failed payment', party_id, failed_payments || ' failed in 30 days' from flags where period = 'current' and has_failed
    union all
    select 4, 'usage halved', party_id, 'usage fell to less than half in 30 days' from flags where period = 'current' and has_usage
    union all
    select 5, 'open ticket', party_id, 'ticket open for ' || ticket_days || ' days' from flags where period = 'current' and has_ticket
    union all
    select 6, 'bad answer', party_id, 'would recommend us with ' || cast(score as integer) || ' of 10' from flags where period = 'current' and has_bad_answer
    union all
    select 7, 'unpaid invoice', party_id, 'invoice overdue for ' || unpaid_days || ' days' from flags where period = 'current' and has_unpaid
    union all
    select 8, 'late B', party_id, 'silent for ' || silence_days || ' days' from flags where period = 'current' and has_late_b
    union all
    select 9, 'return', party_id, 'gone since ' || cast(gone_on as varchar) from flags where period = 'current' and has_return
    union all
    select 10, 'second purchase', party_id, 'bought once, ' || silence_days || ' days ago' from flags where period = 'current' and has_second
),

talked as (
    select t.party_id, max(t.happened_on) as last_on
    from touches t
    join clock c on t.happened_on > c.as_of_on - 14
    where t.department = 'activity' and t.kind not in ('task', 'note')
    group by t.party_id
),

-- The last choice of each purpose counts; of two of one day the refusal does, and one without a day where there is no
-- other. Who wants no newsletter, invitation or cookie has not said that nobody may call about their own ticket.
choices as (
    select
        party_id,
        coalesce(system, '') as system,
        contact_id,
        lower(trim(email)) as email,
        lower(trim(coalesce(purpose, ''))) as purpose,
        changed_on,
        is_granted
    from consents
    join clock on changed_on is null or changed_on <= as_of_on
    where is_granted is not null
        -- Who refuses newsletters and calls in one breath is not called.
        and (
            not regexp_matches(lower(coalesce(purpose, '')), '(newsletter|digest|blog|webin[aá]r|event|[eé]v[eé]nement|invitation|survey|cookie|analytic|tracking|profiling|third.part|partner'
                || '|rundbrief|veranstaltung|einladung|umfrage|webanalyse|statistik|profilbildung|drittanbieter|weitergabe an dritte'
                || '|infolettre|lettre d.information|sondage|enqu[eê]te|audience|profilage|partenaire|à des tiers'
                || '|bolet[ií]n|invitaci[oó]n|encuesta|anal[ií]tica|rastreo|perfilado|terceros'
                || '|boletim|informativo|convite|inqu[eé]rito|pesquisa de satisfa|estat[ií]stica|rastreamento|terceiros|parceiro)')
            or regexp_matches(lower(coalesce(purpose, '')), '(contact|kontakt|phone|telefon|anruf|call|werbung|prospection|publicid|appel|llamada|ligaç)')
        )
),

-- By address, else by number; a choice that names no person is that of all the customer's, and where the CRM has no
-- person of theirs everybody who chose is one.
said as (
    select r.contact_number, null as party_id, null as person, h.purpose, h.changed_on, h.is_granted
    from choices h
    join contact_records r on r.email = h.email
    union all
    select r.contact_number, null, null, h.purpose, h.changed_on, h.is_granted
    from choices h
    join contact_records r on coalesce(r.system, '') = h.system and r.contact_id = h.contact_id
    where h.email is null
    union all
    select null, h.party_id, '', h.purpose, h.changed_on, h.is_granted
    from choices h
    where h.email is null and h.contact_id is null
    union all
    select null, h.party_id, coalesce(h.email, h.system || ' ' || h.contact_id), h.purpose, h.changed_on, h.is_granted
    from choices h
    where coalesce(h.email, h.contact_id) is not null and not exists (select 1 from contact_records r where r.party_id = h.party_id)
),

refusals as (
    select contact_number, party_id, person, bool_or(not is_granted) as is_out
    from (
        select *, rank() over (partition by contact_number, party_id, person, purpose order by changed_on desc nulls last) as place
        from said
    ) told
    where place = 1
    group by contact_number, party_id, person
),

opted_out as (
    select party_id
    from refusals
    where person = '' and is_out
    union
    select party_id
    from (
        select r.party_id, r.is_opted_out or coalesce(h.is_out, false) as is_out
        from contact_records r
        left join refusals h on h.contact_number = r.contact_number
        where not r.has_left
        union all
        select party_id, is_out from refusals where person <> ''
    ) people
    group by party_id
    having bool_and(is_out)
),

-- What those who are gone brought in their last year.
last_years as (
    select f.party_id, sum(b.amount) as amount
    from flags f
    join purchases b on b.party_id = f.party_id and b.purchased_on > cast(f.gone_on - to_months(12) as date) and b.purchased_on <= f.gone_on
    where f.period = 'current' and f.has_return
    group by f.party_id
),

last_mrr as (
    select f.party_id, 12 * sum(v.mrr) as amount
    from flags f
    join subscription_values v on v.party_id = f.party_id and v.started_on <= f.gone_on and v.ended_on >= f.gone_on and not v.is_trial
    where f.period = 'current' and f.has_return and f.kind = 'contract'
    group by f.party_id
)

select
    n.place,
    n.rule,
    n.party_id,
    n.detail,
    cast(case when n.rule = 'return' then coalesce(r.amount, y.amount) else f.value_amount end as decimal(18, 2)) as value_amount,
    f.class,
    f.renews_on,
    p.customer,
    coalesce(p.owner, 'nobody') as owner,
    case
        when t.party_id is not null then 'contacted in the last 14 days'
        when o.party_id is not null then 'opted out'
        when p.is_owner_gone then 'their owner is gone'
    end as left_out
from named n
join flags f on f.period = 'current' and f.party_id = n.party_id
join parties p on p.party_id = n.party_id
left join talked t on t.party_id = n.party_id
left join opted_out o on o.party_id = n.party_id
left join last_years y on y.party_id = n.party_id
left join last_mrr r on r.party_id = n.party_id
order by n.place, n.party_id
-- /// table verdicts
-- Hit rates of both replays, and what like customers did: their rate in each stratum, weighted by the rule's own customers.
with rates as (
    select
        rule,
        period,
        stratum,
        coalesce(sum(customers) filter (where is_flagged), 0) as flagged,
        coalesce(sum(hits) filter (where is_flagged), 0) as flagged_hits,
        sum(customers) filter (where not is_flagged) as others,
        sum(hits) filter (where not is_flagged) as other_hits
    from replay_sets
    group by rule, period, stratum
),

sums as (
    select
        rule,
        sum(flagged) as replayed,
        100.0 * sum(flagged_hits) / nullif(sum(flagged), 0) as hit_pct,
        100.0 * sum(flagged * other_hits / others) / nullif(sum(flagged) filter (where others > 0), 0) as base_pct,
        sum(flagged) filter (where period = 'half_year_ago') as replayed_6m,
        100.0 * sum(flagged_hits) filter (where period = 'half_year_ago') / nullif(sum(flagged) filter (where period = 'half_year_ago'), 0) as hit_6m_pct,
        100.0 * sum(flagged * other_hits / others) filter (where period = 'half_year_ago')
            / nullif(sum(flagged) filter (where period = 'half_year_ago' and others > 0), 0) as base_6m_pct,
        sum(flagged) filter (where period = 'year_ago') as replayed_12m,
        100.0 * sum(flagged_hits) filter (where period = 'year_ago') / nullif(sum(flagged) filter (where period = 'year_ago'), 0) as hit_12m_pct,
        100.0 * sum(flagged * other_hits / others) filter (where period = 'year_ago')
            / nullif(sum(flagged) filter (where period = 'year_ago' and others > 0), 0) as base_12m_pct
    from rates
    group by rule
)

select
    s.*,
    t.rate_ratio as times_as_often,
    t.low,
    t.high,
    t.exposed_events < t.expected_events as is_rarer,
    t.q,
    l.class is not null and not coalesce(l.beyond_q < 0.05 and l.rate_pct > l.usual_pct, false) and not coalesce(t.q < 0.05 and t.rate_ratio > 1, false) as is_usual
from sums s
left join replay_ratios t on t.rule = s.rule
left join late_shares l on s.rule = 'late ' || l.class
order by s.rule
-- /// table queue
-- Each customer once, by the best rule that names them: the proven before the others. No rule of which the opposite is true,
-- nor calls to those who left where nobody of twenty came back, nor to the late where no more are late than of those who stay.
with ordered as (
    select
        c.*,
        v.q,
        case when v.q < 0.05 and v.times_as_often > 1 then 1 else 2 end as grade
    from named_customers c
    left join verdicts v on v.rule = c.rule
    where not coalesce(v.q < 0.05 and v.is_rarer, false)
        and not coalesce(c.rule = 'return' and v.hit_pct = 0 and v.replayed >= 20, false)
        and not coalesce(v.is_usual, false)
),

chosen as (
    select *, row_number() over (partition by party_id order by grade, place) as choice
    from ordered
    where left_out is null and coalesce(value_amount, 1) > 0
),

ranked as (
    select *, row_number() over (partition by owner order by grade, place, value_amount desc nulls last, party_id) as owner_place
    from chosen
    where choice = 1
)

select
    r.owner,
    r.owner_place,
    r.customer,
    r.class,
    r.detail as reason,
    d.to_do,
    least(
        cast(date_trunc('week', k.as_of_on) as date) + 7 + d.days,
        coalesce(case when r.rule = 'renewal' then greatest(r.renews_on - 1, k.as_of_on + 1) end, date '9999-12-31')
    ) as due_on,
    r.value_amount,
    r.grade = 1 as is_proven,
    r.q,
    o.others as also,
    r.rule,
    r.owner_place <= 10 as is_listed,
    r.party_id
from ranked r
cross join clock k
join (
    values
        ('renewal', 'Settle the renewal', 0),
        ('late A', 'Call and ask what is missing', 0),
        ('failed payment', 'Get another means of payment', 0),
        ('usage halved', 'Ask what keeps them from using it', 0),
        ('open ticket', 'See that it is solved and say so', 0),
        ('bad answer', 'Ask what went wrong', 4),
        ('unpaid invoice', 'Ask what holds up the payment', 4),
        ('late B', 'Call and ask what is missing', 4),
        ('return', 'Ask what would bring them back', 11),
        ('second purchase', 'Ask how the first one went', 11)
) d (rule, to_do, days) on d.rule = r.rule
left join (
    select a.party_id, b.rule, string_agg(a.detail, '; ' order by a.place) as others
    from named_customers a
    join chosen b on b.party_id = a.party_id and b.choice = 1 and b.rule <> a.rule
    group by a.party_id, b.rule
) o on o.party_id = r.party_id
order by r.owner, r.owner_place
-- /// table actions
select owner, customer, class, reason, to_do, due_on, value_amount, is_proven, also, q, party_id
from queue
where is_listed
order by owner, owner_place
-- /// table rules
with named as (
    select rule, min(place) as place, count(*) as customers, count(*) filter (where left_out is not null) as left_out, sum(value_amount) as value_amount
    from named_customers
    group by rule
),

listed as (
    select rule, count(*) as listed, sum(value_amount) as listed_amount, min(due_on) as due_on
    from queue
    where is_listed
    group by rule
)

select
    d.rule,
    d.reason,
    d.to_do,
    l.due_on,
    coalesce(n.customers, 0) as customers,
    coalesce(n.left_out, 0) as left_out,
    coalesce(l.listed, 0) as listed,
    n.value_amount,
    l.listed_amount,
    d.outcome,
    v.replayed,
    v.hit_pct,
    v.base_pct,
    v.replayed_6m,
    v.hit_6m_pct,
    v.base_6m_pct,
    v.replayed_12m,
    v.hit_12m_pct,
    v.base_12m_pct,
    v.times_as_often,
    v.low,
    v.high,
    v.q,
    case
        when v.is_usual then 'no more than of those who stay'
        when coalesce(v.replayed, 0) = 0 then 'could not be replayed'
        when d.rule = 'return' and v.hit_pct = 0 and v.replayed >= 20 then 'nobody came back'
        when v.q is null then 'too few to say'
        when v.q < 0.05 and v.times_as_often > 1 then 'holds'
        when v.q < 0.05 and v.is_rarer then 'the opposite holds'
        else 'no better than chance'
    end as verdict
from (
    values
        (1, 'renewal', 'with a renewal within 60 days, or one in danger within 30', 'Settle the renewal', 'left'),
        (2, 'late A', 'of class A overdue by their own rhythm', 'Call and ask what is missing', 'bought nothing'),
        (3, 'failed payment', 'with a payment that failed in 30 days', 'Get another means of payment', 'left or bought nothing'),
        (4, 'usage halved', 'using less than half as much as before', 'Ask what keeps them from using it', 'left or bought nothing'),
        (5, 'open ticket', 'with a ticket open for over 14 days', 'See that it is solved and say so', 'left or bought nothing'),
        (6, 'bad answer', 'with an NPS of 6 or less in 90 days', 'Ask what went wrong', 'left or bought nothing'),
        (7, 'unpaid invoice', 'over 30 days late with an invoice', 'Ask what holds up the payment', 'left or bought nothing'),
        (8, 'late B', 'of class B overdue by their own rhythm', 'Call and ask what is missing', 'bought nothing'),
        (9, 'return', 'who left within a year', 'Ask what would bring them back', 'came back'),
        (10, 'second purchase', 'who bought once, 60 to 180 days ago', 'Ask how the first one went', 'bought nothing')
) d (place, rule, reason, to_do, outcome)
left join named n on n.rule = d.rule
left join listed l on l.rule = d.rule
left join verdicts v on v.rule = d.rule
where n.rule is not null or v.replayed > 0
order by d.place
-- /// table by_owner
select owner, count(*) as customers, sum(value_amount) as value_amount, min(due_on) as first_due_on, count(*) filter (where is_proven and q < 0.05) as for_a_proven_reason
from actions
group by owner
order by value_amount desc nulls last, owner
-- /// table leave_alone
-- Whom not to call, with what became of such customers in the half years after the replays' days.
with calm as (
    select
        'no sign of trouble' as who,
        count(*) filter (where period = 'current') as customers,
        sum(value_amount) filter (where period = 'current') as value_amount,
        count(*) filter (where is_lost) as losses,
        count(is_lost) as replayed
    from flags
    where not is_gone
        and not (is_late or has_renewal or has_failed or has_unpaid or has_ticket or has_bad_answer or has_usage or has_second or is_in_danger)
    union all
    select 'gone for over a year', count(*) filter (where period = 'current'), null, count(*) filter (where is_lost), count(is_lost)
    from flags
    where is_gone and not has_return
),

kept_out as (
    select left_out as who, count(distinct party_id) as customers, sum(value_amount) as value_amount
    from (select left_out, party_id, max(value_amount) as value_amount from named_customers where left_out is not null group by left_out, party_id) once
    group by left_out
)

select who, customers, value_amount, 100.0 * losses / nullif(replayed, 0) as lost_in_half_a_year_pct, replayed
from calm
where customers > 0
union all
select who, customers, value_amount, null, null from kept_out
order by customers desc, who
-- /// metrics
select
    count(*) filter (where a.is_listed) as actions,
    coalesce(sum(a.value_amount) filter (where a.is_listed), 0) as value_covered,
    case when count(*) = 0 then 0 end as nobody_named,
    count(*) filter (where not a.is_listed) as beyond_the_cap,
    (select count(distinct party_id) from named_customers where left_out is not null) as left_out,
    (select coalesce(max(customers), 0) from leave_alone where who = 'no sign of trouble') as left_alone,
    (select count(*) from rules where customers > 0) as rules_applied,
    (select count(*) from rules where customers > 0 and verdict = 'holds') as proven_rules
from queue a
having exists (select 1 from flags where period = 'current')
