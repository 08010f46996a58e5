from typing import Any

import numpy as np
import polars as pl
import pytest

from crmaudit.methods import competing_risks, survival
from crmaudit.methods.risk_sets import COMPETING, EVENT, Spells, risk_sets

NEVER = 1e9


def leads(
    converts: np.ndarray, leaves: np.ndarray, watched: np.ndarray, since: np.ndarray | None = None
) -> pl.DataFrame:
    """What an export shows of leads that convert or leave on these days and are watched for so many."""
    end = np.minimum(np.minimum(converts, leaves), watched)
    outcome = np.where(converts <= end, "event", np.where(leaves <= end, "competing", "censored"))
    table = pl.DataFrame({"entered": np.zeros(len(end)) if since is None else since, "ended": end, "outcome": outcome})
    return table.filter(pl.col("entered") <= pl.col("ended"))


def summary(table: pl.DataFrame, **options: Any) -> dict[str, Any]:
    found = competing_risks.estimate(table, entry="entered", exit="ended", outcome="outcome", **options)
    return found.tables["summary"].row(0, named=True)


def cohort(rng: np.random.Generator, n: int, share: float, fast: float, slow: float) -> tuple[np.ndarray, np.ndarray]:
    """A share converts, with mean `fast`; the others leave, with mean `slow`."""
    buyer = rng.random(n) < share
    return np.where(buyer, np.ceil(rng.exponential(fast, n)), NEVER), np.where(
        buyer, NEVER, np.ceil(rng.exponential(slow, n))
    )


def test_without_censoring_it_is_the_share_and_its_binomial_variance() -> None:
    kinds = np.array([EVENT, COMPETING, EVENT, EVENT, COMPETING] * 8)
    times = (np.arange(40) % 13 + 1).astype(np.float64)
    found = competing_risks.aalen_johansen(risk_sets(Spells(np.zeros(40), times, kinds, np.ones(40))))
    share = np.array([((times <= t) & (kinds == EVENT)).mean() for t in found.times])
    assert found.incidence == pytest.approx(share)
    assert found.variance == pytest.approx(share * (1 - share) / 40)


def test_both_doors_and_those_who_stay_make_a_whole() -> None:
    rng = np.random.default_rng(1)
    times, kinds = rng.integers(0, 50, 500).astype(float), rng.integers(0, 3, 500)
    spells = Spells(np.zeros(500), times, kinds, np.ones(500))
    turned = Spells(np.zeros(500), times, np.array([0, 2, 1])[kinds], np.ones(500))
    one, other = (competing_risks.aalen_johansen(risk_sets(s)) for s in (spells, turned))
    assert one.incidence + other.incidence + one.remaining == pytest.approx(np.ones(len(one.times)))


def test_without_competition_it_is_kaplan_meier_turned_over() -> None:
    rng = np.random.default_rng(2)
    times, kinds = rng.integers(1, 60, 300).astype(float), rng.integers(0, 2, 300)
    sets = risk_sets(Spells(np.zeros(300), times, kinds, np.ones(300)))
    incidence, curve = competing_risks.aalen_johansen(sets), survival.kaplan_meier(sets)
    assert incidence.incidence == pytest.approx(1 - curve.surviving)
    inside = curve.surviving > 0
    assert incidence.low[inside] == pytest.approx(1 - curve.high[inside])
    assert incidence.high[inside] == pytest.approx(1 - curve.low[inside])


def test_a_closed_only_win_rate_is_biased_while_deals_are_open() -> None:
    rng = np.random.default_rng(4)
    wins, losses = cohort(rng, 6000, 0.25, 20, 250)
    table = leads(wins, losses, np.floor(rng.uniform(0, 400, 6000)))
    won, lost = (table.filter(outcome=kind).height for kind in ("event", "competing"))
    assert won / (won + lost) > 0.37
    found = summary(table)
    assert found["at_365_low"] <= 25 <= found["at_365_high"]
    assert abs(found["at_365_pct"] - 25) < 1.5


def test_half_of_the_incidence_is_a_day_where_kaplan_meier_never_gets_there() -> None:
    rng = np.random.default_rng(5)
    converts, _ = cohort(rng, 20_000, 0.15, 84, 1)
    leaves = np.where(converts < NEVER, NEVER, np.ceil(rng.exponential(400, 20_000)))
    table = leads(converts, leaves, np.floor(rng.uniform(60, 500, 20_000)))
    found = summary(table)
    assert found["half_of_365_days"] == pytest.approx(84 * np.log(2), abs=4)
    assert found["half_of_365_low_days"] <= 84 * np.log(2) <= found["half_of_365_high_days"]
    assert found["naive_median_days"] < found["half_of_365_days"] - 4
    as_survival = table.with_columns(converted=pl.col("outcome") == "event")
    curve = survival.estimate(as_survival, duration="ended", event="converted").tables["summary"]
    assert curve["median_days"][0] is None


def coverage(runs: int, n: int) -> dict[str, float]:
    rng = np.random.default_rng(6)
    truth = {"at_90": 30 * (1 - np.exp(-90 / 60)), "at_365": 30 * (1 - np.exp(-365 / 60))}
    half = -60 * np.log(1 - truth["at_365"] / 60)
    held, known = dict.fromkeys([*truth, "half"], 0), 0
    for _ in range(runs):
        buyer = rng.random(n) < 0.3
        converts, leaves = (
            np.where(buyer, rng.exponential(60, n), NEVER),
            np.where(buyer, NEVER, rng.exponential(250, n)),
        )
        found = summary(
            leads(converts, leaves, rng.uniform(100, 700, n), rng.uniform(0, 40, n) * (rng.random(n) < 0.3))
        )
        if found["at_365_pct"] is None:
            continue
        known += 1
        for name, value in truth.items():
            held[name] += found[f"{name}_low"] <= value <= found[f"{name}_high"]
        # An end that is not reached by day 365 is open.
        held["half"] += found["half_of_365_low_days"] <= half <= (found["half_of_365_high_days"] or 365)
    assert known > 0.95 * runs
    return {name: count / known for name, count in held.items()}


def test_intervals_cover() -> None:
    for share in coverage(250, 150).values():
        assert 0.91 < share < 0.985


@pytest.mark.full
@pytest.mark.parametrize("n", [60, 150, 600])
def test_intervals_cover_in_many_runs(n: int) -> None:
    for share in coverage(2500, n).values():
        assert 0.935 < share < 0.968


def test_delayed_entry_corrects_for_conversions_before_the_export_began() -> None:
    rng = np.random.default_rng(7)
    converts, leaves = cohort(rng, 8000, 0.3, 60, 60)
    since = np.where(rng.random(8000) < 0.5, np.floor(rng.uniform(1, 200, 8000)), 0.0)
    table = leads(converts, leaves, np.full(8000, 400.0), since)
    truth = 30 * (1 - np.exp(-90 / 60))
    found = summary(table)
    assert found["at_90_low"] <= truth <= found["at_90_high"]
    assert found["observed_from_days"] == 0
    ignored = summary(table.with_columns(entered=pl.lit(0.0)))
    assert ignored["at_90_high"] < truth


def test_a_lead_that_converts_on_its_first_day_counts() -> None:
    table = pl.DataFrame(
        {"entered": [0, 0, 5, 0], "ended": [0, 10, 5, 20], "outcome": ["event", "censored", "event", "censored"]}
    )
    found = competing_risks.estimate(table, entry="entered", exit="ended", outcome="outcome").tables["curve"]
    assert found["incidence_pct"].to_list() == pytest.approx([100 / 3, 100 * (1 / 3 + 2 / 9), 100 * 5 / 9])
    assert found["day"].to_list() == [0, 5, 20]


def test_groups_differ_beyond_chance_or_do_not() -> None:
    rng = np.random.default_rng(8)
    parts = []
    for origin, share in (("event", 0.1), ("referral", 0.4), ("web", 0.12)):
        parts.append(leads(*cohort(rng, 800, share, 40, 80), np.full(800, 200.0)).with_columns(origin=pl.lit(origin)))
    found = competing_risks.estimate(pl.concat(parts), exit="ended", outcome="outcome", group="origin").tables[
        "summary"
    ]
    assert found["origin"].to_list() == ["event", "referral", "web"]
    assert found["group_p"].max() < 1e-3  # type: ignore[operator]
    alike = pl.concat([parts[0].with_columns(origin=pl.lit(k)) for k in "ab"])
    p = competing_risks.estimate(alike, exit="ended", outcome="outcome", group="origin").tables["summary"]["group_p"]
    assert p.to_list() == pytest.approx([1, 1])


def test_horizons_nobody_reached_are_null() -> None:
    table = pl.DataFrame({"ended": [5, 80, 95], "outcome": ["event", "censored", "competing"]})
    found = competing_risks.estimate(table, exit="ended", outcome="outcome", horizons=(90, 120)).tables["summary"]
    assert found["at_90_pct"][0] == pytest.approx(100 / 3)
    # With the last one gone nothing can happen any more, so later days are known as well.
    assert found["at_120_pct"][0] == pytest.approx(100 / 3)
    open_ended = table.with_columns(outcome=pl.Series(["event", "competing", "censored"]))
    found = competing_risks.estimate(open_ended, exit="ended", outcome="outcome", horizons=(90, 120)).tables["summary"]
    assert found["at_120_pct"][0] is None
    assert found["half_of_365_days"][0] is None


def test_nobody_converts() -> None:
    found = summary(pl.DataFrame({"entered": [0] * 9, "ended": [400] * 9, "outcome": ["censored"] * 9}))
    assert (found["at_365_pct"], found["at_365_low"], found["naive_median_days"]) == (0, 0, None)
    assert 20 < found["at_365_high"] < 40


def test_nobody_at_all_is_said() -> None:
    empty = pl.DataFrame(schema={"ended": pl.Int64, "outcome": pl.String, "origin": pl.String})
    found = competing_risks.estimate(empty, exit="ended", outcome="outcome", group="origin")
    assert found.withheld == "There is nobody to watch."
    assert found.tables["summary"].columns[:4] == ["origin", "n", "events", "competing"]


def test_curves_have_at_most_120_days_and_hold_the_horizons() -> None:
    rng = np.random.default_rng(9)
    table = leads(*cohort(rng, 5000, 0.2, 90, 200), np.floor(rng.uniform(0, 900, 5000)))
    curve = competing_risks.estimate(table, exit="ended", outcome="outcome").tables["curve"]
    assert 100 < curve.height <= 120
    assert {0, 90, 365} <= set(curve["day"])
    assert curve["incidence_pct"].is_sorted()


def test_an_unknown_outcome_is_named() -> None:
    with pytest.raises(ValueError, match="won"):
        competing_risks.estimate(pl.DataFrame({"ended": [1], "outcome": ["won"]}), exit="ended", outcome="outcome")


def test_the_half_way_interval_without_censoring_is_multinomial() -> None:
    kinds = np.array([EVENT, EVENT, COMPETING] * 60)
    times = (np.arange(180) * 7 % 97 + 1).astype(np.float64)
    by = times <= np.arange(1, 98)[:, None]
    # Per subject the statistic is 1 if there by the day, less a half if there in the end.
    parts = by * (kinds == EVENT) - (kinds == EVENT) / 2
    spread = 1.959964 * parts.std(axis=1) / np.sqrt(180)
    expected = [1 + int(np.argmax(parts.mean(axis=1) + side * spread >= 0)) for side in (0, 1, -1)]
    sets = risk_sets(Spells(np.zeros(180), times, kinds, np.ones(180)))
    assert competing_risks.half_way(sets, 365) == tuple(expected)


def test_a_curve_that_ends_at_100_keeps_what_was_known_before() -> None:
    table = pl.DataFrame({"ended": range(1, 31), "outcome": ["event"] * 30})
    last = competing_risks.estimate(table, exit="ended", outcome="outcome").tables["curve"].row(-1, named=True)
    assert last["incidence_pct"] == pytest.approx(100)
    assert last["low_pct"] > 75
