-- /// audit
-- title    = "A level field"
-- question = "Is the playing field tilted?"
-- why      = "Win rates compare people only if the deals are dealt fairly and the dates are true."
-- fix      = "Hand out referrals and large leads by turn, and keep the history of expected close dates."
-- headline = ["{end_of_quarter_share_pct} of the deals won were closed in the last ten days of a quarter, where an even year would have {even_share_pct}; {referral_skew}.", "{end_of_quarter_share_pct} of the deals won were closed in the last ten days of a quarter, where an even year would have {even_share_pct}."]
-- any_of   = [["opportunities.owner_id"]]
-- optional = ["*"]
-- hidden   = ["dealt", "pushes"]
-- [[method]]
-- name = "rates"
-- table = "referrals_by_owner"
-- successes = "referrals"
-- trials = "deals"
-- compare = true
-- [[method]]
-- name = "rates"
-- table = "quarter_ends_by_owner"
-- successes = "late_wins"
-- trials = "wins"
-- compare = true
-- [[method]]
-- name = "rates"
-- table = "large_deals_by_owner"
-- successes = "large"
-- trials = "deals"
-- compare = true
-- [metrics]
-- referral_skew = { unit = "text", note = "owners who get more referrals than a fair draw explains, Fisher's test against the others under false-discovery control" }
-- end_of_quarter_share_pct = { unit = "pct", note = "of the deals won in the window, those closed in the last ten days of a calendar quarter" }
-- even_share_pct = { unit = "pct", label = "Such days of all days of the window" }
-- close_date_pushes_per_deal = { unit = "ratio", better = "down", note = "times the expected close date was moved to a later day, per deal with a history" }
-- skewed_owners = { unit = "n", label = "Owners with more referrals than a fair draw" }
-- [[finding]]
-- level = "act"
-- table = "referrals_by_owner"
-- when = "differs_q < 0.05 and rate_pct > of_all_pct"
-- key = "referrals/{owner}"
-- text = "{owner} gets more referrals than a fair draw explains: {referrals} of {deals} deals, where all together have {of_all_pct}."
-- [[finding]]
-- level = "watch"
-- table = "large_deals_by_owner"
-- when = "differs_q < 0.05 and rate_pct > of_all_pct"
-- key = "large/{owner}"
-- text = "{owner} gets more of the large deals than a fair draw explains: {large} of {deals}."
-- [[finding]]
-- level = "watch"
-- table = "quarter_ends_by_owner"
-- when = "differs_q < 0.05 and rate_pct > of_all_pct"
-- key = "quarter_end/{owner}"
-- text = "{owner} closes more than the others in the last ten days of a quarter: {late_wins} of {wins} deals won."
-- [[partial]]
-- when = "select not exists (select 1 from pushes)"
-- reason = "No history of expected close dates, so nobody can say how often they were pushed."
-- [[partial]]
-- when = "select not exists (select 1 from deals where origin is not null)"
-- reason = "No deal has an origin, so who gets the referrals is not known."
-- [[partial]]
-- when = "select 2 * count(*) filter (where amount > 0) < count(*) from dealt where outcome = 'lost'"
-- reason = "Most lost deals carry no value, so who gets the large deals is not known."
-- [[chart]]
-- kind = "interval_bars"
-- table = "referrals_by_owner"
-- caption = "Share of referrals among the deals of each owner"
-- label = "owner"
-- value = "rate_pct"
-- low = "low_pct"
-- high = "high_pct"
-- ///
-- /// table dealt
-- A large deal is one of the largest fifth of those opened in the window.
select
    d.owner,
    regexp_matches(lower(d.origin), '(refer|recommend|word of mouth|partner|empfehl|recommand|recomend|indica)') as is_referral,
    percent_rank() over (order by d.amount desc nulls last) <= 0.2 and d.amount is not null as is_large,
    d.opportunity_id,
    d.outcome,
    d.amount
from deals d
join periods p on p.period = 'current'
where d.is_new_business and d.owner is not null and d.created_on > p.start_on and d.created_on <= p.end_on
order by d.owner, d.opportunity_id
-- /// table referrals_by_owner
select
    owner,
    count(*) filter (where is_referral) as referrals,
    count(*) as deals,
    100.0 * sum(count(*) filter (where is_referral)) over () / sum(count(*)) over () as of_all_pct
from dealt
where is_referral is not null
group by owner
order by count(*) desc, owner
-- /// table large_deals_by_owner
-- Where a deal has its value only once it is won, who wins more would seem to get the larger deals.
select
    owner,
    count(*) filter (where is_large) as large,
    count(*) as deals,
    100.0 * sum(count(*) filter (where is_large)) over () / sum(count(*)) over () as of_all_pct
from dealt
where amount is not null
    and (select 2 * count(*) filter (where amount > 0) >= count(*) from dealt where outcome = 'lost')
group by owner
order by count(*) desc, owner
-- /// table quarter_ends_by_owner
select
    d.owner,
    count(*) filter (where date_diff('day', d.closed_on, cast(date_trunc('quarter', d.closed_on) + to_months(3) as date)) <= 10) as late_wins,
    count(*) as wins,
    100.0 * sum(count(*) filter (where date_diff('day', d.closed_on, cast(date_trunc('quarter', d.closed_on) + to_months(3) as date)) <= 10)) over ()
        / sum(count(*)) over () as of_all_pct
from deals d
join periods p on p.period = 'current'
where d.is_new_business and d.owner is not null and d.outcome = 'won' and d.closed_on > p.start_on and d.closed_on <= p.end_on
group by d.owner
order by count(*) desc, d.owner
-- /// table pushes
with steps as (
    select
        s.system,
        s.opportunity_id,
        s.expected_close_on,
        lag(s.expected_close_on) over (partition by s.system, s.opportunity_id order by s.changed_at) as before_on
    from stage_changes s
    join clock c on cast(s.changed_at as date) <= c.as_of_on
    where s.expected_close_on is not null
)

select s.system, s.opportunity_id, d.owner, count(*) filter (where s.expected_close_on > s.before_on) as pushed
from steps s
join deals d on d.system = s.system and d.opportunity_id = s.opportunity_id and d.is_new_business
group by s.system, s.opportunity_id, d.owner
order by s.system, s.opportunity_id
-- /// table pushes_by_owner
select coalesce(owner, 'nobody') as owner, count(*) as deals, cast(sum(pushed) as bigint) as pushed, 1.0 * sum(pushed) / count(*) as pushed_per_deal
from pushes
group by 1
order by 1.0 * sum(pushed) / count(*) desc, 1
-- /// metrics
select
    (
        select string_agg(owner || ' gets ' || cast(referrals as varchar) || ' referrals in ' || cast(deals as varchar) || ' deals', ', ' order by owner)
        from referrals_by_owner
        where differs_q < 0.05 and rate_pct > of_all_pct
    ) as referral_skew,
    (select 100.0 * sum(late_wins) / nullif(sum(wins), 0) from quarter_ends_by_owner) as end_of_quarter_share_pct,
    (select sum(wins) from quarter_ends_by_owner) as end_of_quarter_share_pct_n,
    (
        select 100.0 * count(*) filter (where date_diff('day', day_on, cast(date_trunc('quarter', day_on) + to_months(3) as date)) <= 10) / count(*)
        from (
            select start_on + cast(n as integer) as day_on
            from (select start_on, unnest(generate_series(1, cast(end_on - start_on as integer))) as n from periods where period = 'current') days
        ) each
    ) as even_share_pct,
    (select 1.0 * sum(pushed) / nullif(count(*), 0) from pushes) as close_date_pushes_per_deal,
    (select count(*) from pushes) as close_date_pushes_per_deal_n,
    (select count(*) from referrals_by_owner where differs_q < 0.05 and rate_pct > of_all_pct) as skewed_owners
