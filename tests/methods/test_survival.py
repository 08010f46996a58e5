from typing import Any

import numpy as np
import polars as pl
import pytest

from crmaudit.methods import survival
from crmaudit.methods.risk_sets import EVENT, Spells, log_rank, risk_sets

# Freireich et al. 1963: weeks in remission under 6-MP and placebo, as printed in Kalbfleisch & Prentice.
MERCAPTOPURINE = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
RELAPSED = [True] * 9 + [False] * 12
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TRIAL = pl.DataFrame(
    {
        "weeks": MERCAPTOPURINE + PLACEBO,
        "relapsed": RELAPSED + [True] * 21,
        "arm": ["6-MP"] * 21 + ["placebo"] * 21,
    }
)


def summary(table: pl.DataFrame, **options: Any) -> dict[str, Any]:
    return (
        survival.estimate(table, duration="weeks", event="relapsed", unit="weeks", **options)
        .tables["summary"]
        .row(0, named=True)
    )


def test_kaplan_meier_of_freireich() -> None:
    found = summary(TRIAL, group="arm", horizons=[6, 10, 23])
    assert [found[f"at_{week}_pct"] for week in (6, 10, 23)] == pytest.approx([85.71, 75.29, 44.82], abs=0.005)
    assert found["median_weeks"] == 23
    # R's survfit(conf.type = "log-log") prints 13 to NA.
    assert (found["median_low_weeks"], found["median_high_weeks"]) == (13, None)
    assert found["group_chi2"] == pytest.approx(16.793, abs=0.0005)
    assert found["group_p"] < 0.0002
    assert (found["n"], found["events"], found["naive_median_weeks"]) == (21, 9, 10)


def test_both_of_two_groups_have_the_same_p() -> None:
    both = survival.estimate(TRIAL, duration="weeks", event="relapsed", group="arm").tables["summary"]
    assert both["group_p"][0] == pytest.approx(both["group_p"][1], rel=1e-9)


def false_alarms(group: int, rest: int, runs: int, level: float) -> float:
    rng = np.random.default_rng(group)
    alarms = 0
    for _ in range(runs):
        lasting, watched = rng.exponential(100, group + rest), rng.exponential(200, group + rest)
        spells = Spells(
            np.zeros(group + rest),
            np.minimum(lasting, watched),
            (lasting <= watched) * EVENT,
            np.ones(group + rest),
        )
        alarms += log_rank(spells[np.arange(group)], risk_sets(spells)).p <= level
    return alarms / runs


@pytest.mark.parametrize(("group", "rest"), [(1, 200), (3, 200), (20, 20), (100, 100)])
def test_log_rank_raises_no_more_alarms_than_promised_however_small_the_group(group: int, rest: int) -> None:
    # Chi-squared would raise 10 % alarms at 0.01 for a group of one.
    assert false_alarms(group, rest, 500, 0.05) <= 0.075
    assert false_alarms(group, rest, 500, 0.01) <= 0.02


def test_groups_are_compared_within_their_family() -> None:
    table = pl.concat(
        [
            TRIAL.with_columns(by=pl.lit("arm")),
            TRIAL.with_columns(by=pl.lit("all"), arm=pl.lit("all")),
        ]
    )
    found = survival.estimate(table, duration="weeks", event="relapsed", group="arm", family="by").tables["summary"]
    assert found.select("by", "arm").rows() == [("all", "all"), ("arm", "6-MP"), ("arm", "placebo")]
    assert found["group_chi2"].to_list() == pytest.approx([None, 16.793, 16.793], abs=0.0005)


def test_a_naive_median_is_far_too_short_and_kaplan_meier_is_right() -> None:
    rng = np.random.default_rng(8)
    lasting, watched = rng.exponential(90, 3000), rng.uniform(0, 120, 3000)
    table = pl.DataFrame({"weeks": np.minimum(lasting, watched), "relapsed": lasting <= watched})
    found = summary(table)
    truth = 90 * np.log(2)
    assert found["naive_median_weeks"] < 0.62 * truth
    assert found["median_low_weeks"] <= truth <= found["median_high_weeks"]
    assert found["median_weeks"] == pytest.approx(truth, rel=0.08)


def test_delayed_entry_corrects_for_those_who_were_never_seen() -> None:
    rng = np.random.default_rng(9)
    lasting, entry = rng.exponential(50, 6000), rng.uniform(0, 100, 6000)
    seen = lasting > entry
    table = pl.DataFrame({"weeks": lasting[seen], "since": entry[seen], "relapsed": True})
    truth = 50 * np.log(2)
    assert summary(table)["median_weeks"] > 1.4 * truth
    found = summary(table, entry="since")
    assert found["median_low_weeks"] <= truth <= found["median_high_weeks"]


def test_thin_early_risk_sets_do_not_end_the_curve() -> None:
    early = pl.DataFrame({"weeks": [1.0], "since": [0.5], "relapsed": [True]})
    late = pl.DataFrame({"weeks": np.linspace(11, 40, 100), "since": np.linspace(2, 10, 100), "relapsed": [True] * 100})
    found = survival.estimate(pl.concat([early, late]), duration="weeks", event="relapsed", entry="since")
    assert found.tables["summary"]["median_days"][0] > 20
    assert found.tables["summary"]["observed_from_days"][0] > 2


def test_the_interval_covers() -> None:
    rng = np.random.default_rng(10)
    held = known = 0
    for _ in range(300):
        lasting, watched = rng.exponential(30, 60), rng.uniform(10, 80, 60)
        spells = Spells(np.zeros(60), np.minimum(lasting, watched), (lasting <= watched) * EVENT, np.ones(60))
        _, low, high = survival.quantile(survival.kaplan_meier(risk_sets(spells)), 0.5)
        known += not np.isnan(high)
        held += low <= 30 * np.log(2) and not high < 30 * np.log(2)
    assert known > 290
    assert 0.92 < held / 300 < 0.985


def test_curves_are_thinned_and_start_at_0() -> None:
    rng = np.random.default_rng(1)
    table = pl.DataFrame({"hours": rng.exponential(9, 5000), "done": rng.random(5000) < 0.8})
    curve = survival.estimate(table, duration="hours", event="done", unit="hours").tables["curve"]
    assert curve.columns == ["group", "elapsed_hours", "surviving_pct", "low_pct", "high_pct", "at_risk"]
    assert 100 < curve.height <= 120
    assert curve.row(0)[1:3] == (0, 100)
    assert curve["at_risk"][0] == 5000
    assert curve["surviving_pct"].is_sorted(descending=True)


def test_a_curve_that_ends_at_0_keeps_what_was_known_before() -> None:
    curve = survival.estimate(TRIAL, duration="weeks", event="relapsed", group="arm").tables["curve"]
    last = curve.filter(pl.col("arm") == "placebo").row(-1, named=True)
    assert last["surviving_pct"] == pytest.approx(0, abs=1e-9)
    assert last["high_pct"] < 30


def test_horizons_beyond_what_was_watched_are_null_unless_all_is_over() -> None:
    found = survival.estimate(TRIAL, duration="weeks", event="relapsed", group="arm", horizons=[40]).tables["summary"]
    assert found["at_40_pct"].to_list() == pytest.approx([None, 0], abs=1e-9)


def test_nobody_and_nothing() -> None:
    empty = survival.estimate(TRIAL.head(0), duration="weeks", event="relapsed", group="arm")
    assert empty.withheld is not None
    assert empty.tables["summary"].height == empty.tables["curve"].height == 0
    quiet = summary(pl.DataFrame({"weeks": [3, 5, None], "relapsed": [False, False, True]}))
    assert (quiet["n"], quiet["events"], quiet["median_weeks"]) == (2, 0, None)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="true and false"):
        summary(pl.DataFrame({"weeks": [1], "relapsed": [2]}))
    with pytest.raises(ValueError, match="before it begins"):
        summary(pl.DataFrame({"weeks": [1], "relapsed": [1], "since": [2]}), entry="since")
