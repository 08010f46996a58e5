-- /// audit
-- title    = "Lead score"
-- question = "Does the lead score predict who buys?"
-- why      = "A score that tells nothing sends people to the wrong leads with a good conscience."
-- fix      = "Keep the score as it was on the day it was given, with that day, and never overwrite it after the sale."
-- headline = ["Of a lead that bought and one that did not, the first has the higher score in {auc_pct} of the pairs; the best tenth buys {lift_top_decile} times as often as all.", "{scored_pct} of the leads have a score, too few of either outcome to tell what it is worth."]
-- any_of   = [["leads.score"], ["leads.created_on", "leads.qualified_on"]]
-- optional = ["*"]
-- hidden   = ["scored", "score_auc", "score_by_decile", "undated_scores"]
-- [[method]]
-- name = "discrimination"
-- table = "scored"
-- score = "score"
-- outcome = "has_bought"
-- n = "leads"
-- is_tested = false
-- gives = { auc = "score_auc(n, positives, auc, auc_low, auc_high, lift_top_decile, lift_low, lift_high)", calibration = "score_by_decile(decile, n, positives, observed_pct, low_pct, high_pct, score_mean)" }
-- [metrics]
-- auc = { unit = "ratio", better = "up", note = "leads whose outcome is known: bought within 365 days of the day they came, or given up, or that old without having bought; 0.5 is chance" }
-- auc_pct = { unit = "pct", label = "Pairs in the right order" }
-- lift_top_decile = { unit = "ratio", better = "up", note = "share of buyers in the tenth with the highest scores over the share among all" }
-- scored_pct = { unit = "pct", better = "up", label = "Leads with a score", note = "of the leads whose outcome is known" }
-- [[finding]]
-- level = "act"
-- when = "auc_high < 0.55 and auc_n >= 100"
-- text = "The lead score tells next to nothing about who buys: an area of {auc} ({auc_low} to {auc_high}) where chance has 0.5."
-- [[finding]]
-- level = "good"
-- when = "auc_low > 0.65"
-- text = "The lead score tells who buys: an area of {auc} ({auc_low} to {auc_high}) where chance has 0.5."
-- [[partial]]
-- when = "true"
-- reason = "No export says when a score was given: it may have been raised after the sale, or lowered after the loss."
-- bias = "The score then looks better than it was when it was needed."
-- [[chart]]
-- kind = "interval_bars"
-- table = "buyers_by_score"
-- caption = "Share of leads that bought, by tenth of the score, the highest last"
-- label = "tenth"
-- value = "observed_pct"
-- low = "low_pct"
-- high = "high_pct"
-- ///
-- /// table scored
select
    score,
    case when converted_on <= created_on + 365 then 1 else 0 end as has_bought,
    count(*) as leads
from lead_paths
where not is_existing_customer
    and not is_date_fault
    and score is not null
    and (converted_on <= created_on + 365 or given_up_on is not null or created_on <= as_of_on - 365)
group by 1, 2
order by 1, 2
-- /// table undated_scores
select count(*) as leads, count(score) as with_score
from lead_paths
where not is_existing_customer
    and not is_date_fault
    and (converted_on <= created_on + 365 or given_up_on is not null or created_on <= as_of_on - 365)
order by 1
-- /// table buyers_by_score
select cast(decile as varchar) as tenth, n as leads, positives as bought, observed_pct, low_pct, high_pct, score_mean
from score_by_decile
order by decile
-- /// metrics
select
    a.auc,
    a.auc_low,
    a.auc_high,
    a.n as auc_n,
    100.0 * a.auc as auc_pct,
    a.lift_top_decile,
    a.lift_low as lift_top_decile_low,
    a.lift_high as lift_top_decile_high,
    (select 100.0 * with_score / nullif(leads, 0) from undated_scores) as scored_pct,
    (select leads from undated_scores) as scored_pct_n
from score_auc a
