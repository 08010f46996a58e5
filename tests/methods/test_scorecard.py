"""The scorecard on simulated customers of whom the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmaudit.methods import Estimate, discrimination, scorecard

NAMES = ("silence", "trend", "tickets", "noise")
KINDS = ("purchases", "purchases", "tickets", "usage")
HEALTHY = (-1, 1, -1, 1)


def simulated(seed: int, people: int = 500, weights: tuple[float, ...] = (1.0, -0.7, 0.6, 0.0), base: float = -2.5,
              days: tuple[int, int] = (4, 3)) -> pl.DataFrame:  # fmt: skip
    """People seen on `days` to fit and to test and today; the log-odds of loss are base + weights x components."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=(people, len(weights)))
    parts = []
    for role, n in (("fit", days[0]), ("test", days[1]), ("now", 1)):
        for _ in range(n):
            z = (person + rng.normal(size=person.shape)) / np.sqrt(2)
            lost = rng.random(people) < 1 / (1 + np.exp(-base - z @ np.array(weights)))
            known = pl.Series("is_lost", lost if role != "now" else [None] * people, dtype=pl.Boolean)
            frame = pl.DataFrame(dict(zip(NAMES, z.T, strict=False))).with_columns(
                known, role=pl.lit(role), party_id=np.arange(people), is_contractual=pl.lit(value=True)
            )
            parts.append(frame)
    return pl.concat(parts)


def judged(table: pl.DataFrame, **other: Any) -> Estimate:
    arguments: dict[str, Any] = {
        "role": "role", "outcome": "is_lost", "cluster": "party_id", "stratum": "is_contractual",
        "components": NAMES, "kinds": KINDS, "healthy": HEALTHY,
    }  # fmt: skip
    return scorecard.estimate(table, **(arguments | other))


def index(found: Estimate) -> pl.Expr:
    """The index as the formula has it, in plain polars."""
    f = found.tables["formula"].row(0, named=True)
    parts = [
        ((pl.col(n) - f[f"{n}_centre"]) / f[f"{n}_scale"]).clip(-3, 3).fill_null(0).fill_nan(0) * f[f"{n}_weight"]
        for n in NAMES
    ]
    found_index: pl.Expr = (pl.sum_horizontal(parts) - f["middle"]) / f["spread"]
    return found_index


def test_a_component_that_matters_is_weighted_and_noise_is_not() -> None:
    found = judged(simulated(1))
    assert found.parameters["basis"] == "component"
    rows: dict[str, Any] = {row["component"]: row for row in found.tables["weights"].to_dicts()}
    assert rows["silence"]["high"] < 0 < rows["trend"]["low"]
    assert rows["tickets"]["high"] < 0
    assert abs(rows["noise"]["weight"]) < 0.2
    assert rows["noise"]["low"] < 0 < rows["noise"]["high"]
    auc = found.tables["auc"].row(0, named=True)
    assert auc["best_component"] == "silence"
    assert auc["difference_low"] > 0
    assert 0 < auc["difference_p"] < 0.05


def test_the_area_is_that_of_the_formula_on_the_later_days_alone() -> None:
    table = simulated(2)
    found = judged(table)
    test = table.with_columns(index=index(found)).filter(pl.col("role") == "test")
    lost = test["is_lost"].to_numpy() * 1.0
    theirs = discrimination.auc(-test["index"].to_numpy(), lost, 1 - lost)
    auc = found.tables["auc"].row(0, named=True)
    assert auc["auc"] == pytest.approx(theirs.auc)
    assert (auc["n"], auc["positives"]) == (1500, int(lost.sum()))
    f = found.tables["formula"].row(0, named=True)
    p = 1 / (1 + np.exp(f["spread"] * test["index"].to_numpy() + f["middle"] - f["intercept_true"]))
    calibrated = found.tables["calibration"]
    assert (calibrated["score_mean"] * calibrated["n"]).sum() == pytest.approx(p.sum())
    off = (calibrated["observed_pct"] - 100 * calibrated["score_mean"]).abs()
    assert off.filter(off > 12).is_empty()


def test_what_happens_on_the_later_days_moves_no_weight() -> None:
    table = simulated(3)
    turned = table.with_columns(
        is_lost=pl.when(pl.col("role") == "test").then(pl.col("is_lost").not_()).otherwise(pl.col("is_lost"))
    )
    one, other = judged(table), judged(turned)
    assert one.tables["formula"].equals(other.tables["formula"])
    assert other.tables["auc"]["auc"][0] == pytest.approx(1 - one.tables["auc"]["auc"][0])


@pytest.mark.parametrize(("runs", "most"), [(60, 8), pytest.param(400, 30, marks=pytest.mark.full)])
def test_noise_is_no_better_than_chance_on_later_days(runs: int, most: int) -> None:
    """What fits by chance does not hold: p-values of the test are even, and the areas lie about one half."""
    areas, small = [], 0
    for seed in range(runs):
        auc = judged(simulated(seed, 200, (0.0, 0.0, 0.0, 0.0), -1.8)).tables["auc"].row(0, named=True)
        areas.append(auc["auc"])
        small += auc["auc_p"] < 0.05
    assert np.mean(areas) == pytest.approx(0.5, abs=0.14 / np.sqrt(runs))
    assert small <= most


@pytest.mark.parametrize(("runs", "least"), [(40, 34), pytest.param(400, 368, marks=pytest.mark.full)])
def test_the_interval_covers_the_area_that_the_weights_have_on_later_days(runs: int, least: int) -> None:
    held = 0
    for seed in range(runs):
        found = judged(simulated(seed, 250))
        large = simulated(seed + 10_000, 6000)
        later = large.with_columns(index=index(found)).filter(pl.col("role") == "test")
        lost = later["is_lost"].to_numpy() * 1.0
        truth = discrimination.auc(-later["index"].to_numpy(), lost, 1 - lost).auc
        auc = found.tables["auc"].row(0, named=True)
        held += auc["auc_low"] <= truth <= auc["auc_high"]
    assert held >= least


@pytest.mark.parametrize(
    ("losses_to_fit", "losses_to_test", "basis"),
    [(60, 20, "component"), (40, 20, "component"), (39, 20, "kind"), (30, 20, "kind"), (29, 20, "equal"),
     (60, 19, "equal"), (19, 60, "equal")],
)  # fmt: skip
def test_losses_decide_how_fine_the_weights_are(losses_to_fit: int, losses_to_test: int, basis: str) -> None:
    """Four components of three kinds: forty losses for one weight each, thirty for one of each kind, else equal."""
    wanted = {"fit": losses_to_fit, "test": losses_to_test}
    table = simulated(4, 200, days=(1, 1)).with_columns(place=pl.int_range(pl.len()).over("role"))
    lost = pl.when(pl.col("role") != "now").then(pl.col("place") < pl.col("role").replace_strict(wanted, default=0))
    found = judged(table.with_columns(is_lost=lost))
    assert found.parameters["basis"] == basis
    assert (found.parameters["fit_events"], found.parameters["test_events"]) == (losses_to_fit, losses_to_test)
    assert found.tables["auc"].height == found.tables["calibration"].height / 10 == (basis != "equal")
    intercept = found.tables["formula"]["intercept_true"][0]
    assert (intercept is None) == (basis == "equal")
    if basis == "kind":
        weights = dict(zip(NAMES, found.tables["weights"]["weight"], strict=True))
        assert weights["silence"] == pytest.approx(-weights["trend"])


def test_a_base_where_nearly_all_are_lost_is_as_hard_to_learn_from() -> None:
    """The rarer of the two outcomes counts."""
    table = simulated(5, 60, days=(1, 1)).with_columns(place=pl.int_range(pl.len()).over("role"))
    lost = pl.when(pl.col("role") != "now").then(pl.col("place") >= 15)
    assert judged(table.with_columns(is_lost=lost)).parameters["basis"] == "equal"


def test_equal_weights_point_where_they_were_told() -> None:
    found = judged(simulated(6, 300, base=-9.0))
    weights = found.tables["weights"]
    assert weights["weight"].to_list() == pytest.approx(np.array(HEALTHY) * abs(weights["weight"][0]))
    assert weights["low"].null_count() == weights["auc_alone"].null_count() == 4
    now = simulated(6, 300, base=-9.0).filter(pl.col("role") == "now")
    today = now.select(index(found)).to_series()
    assert (today.mean(), today.std(ddof=0)) == pytest.approx((0, 1), abs=0.02)


def test_a_component_without_record_on_earlier_days_or_all_alike_does_not_weigh() -> None:
    table = simulated(7)
    fit = pl.col("role") == "fit"
    gone = table.with_columns(trend=pl.when(fit).then(None).otherwise(pl.col("trend")), tickets=pl.lit(2.0))
    found = judged(gone)
    assert found.tables["weights"]["is_used"].to_list() == [True, False, False, True]
    assert found.tables["weights"]["weight"].to_list()[1:3] == [0, 0]
    assert found.tables["weights"]["known_now_pct"].to_list() == [100, 100, 100, 100]


def test_unknown_counts_as_the_mean() -> None:
    table = simulated(8)
    rng = np.random.default_rng(8)
    holes = table.with_columns(trend=pl.when(pl.Series(rng.random(table.height) < 0.5)).then(pl.col("trend")))
    found = judged(holes)
    f = found.tables["formula"].row(0, named=True)
    assert f["trend_centre"] == pytest.approx(holes.filter(pl.col("role") == "fit")["trend"].mean())
    assert float(found.tables["weights"]["low"].to_list()[1]) > 0


def test_each_stratum_has_its_own_base_rate() -> None:
    table = simulated(9, 600).with_columns(is_contractual=pl.col("party_id") % 2 == 0)
    rare = table.filter(
        pl.col("is_lost").is_null() | ~pl.col("is_lost") | ~pl.col("is_contractual") | (pl.col("party_id") % 4 == 0)
    )
    f = judged(rare).tables["formula"].row(0, named=True)
    assert f["intercept_true"] < f["intercept_false"] - 0.3
    few = table.with_columns(is_contractual=pl.col("party_id") < 3)
    f = judged(few).tables["formula"].row(0, named=True)
    assert f["intercept_true"] == f["intercept_false"]


@settings(max_examples=10, deadline=None)
@given(shift=st.floats(-50, 50), stretch=st.floats(0.1, 30), seed=st.integers(0, 5))
def test_neither_units_nor_order_nor_names_matter(shift: float, stretch: float, seed: int) -> None:
    table = simulated(seed, 200)
    other = table.with_columns(silence=pl.col("silence") * stretch + shift, party_id=pl.col("party_id") * 3 + 7).sample(
        fraction=1, shuffle=True, seed=seed
    )
    one, two = judged(table), judged(other)
    assert two.tables["auc"].drop("best_component").row(0) == pytest.approx(
        one.tables["auc"].drop("best_component").row(0), rel=1e-6
    )
    assert two.tables["weights"]["weight"].to_list() == pytest.approx(
        one.tables["weights"]["weight"].to_list(), abs=1e-6
    )


def test_no_rows_and_wrong_outcomes() -> None:
    nobody = judged(simulated(1).clear())
    assert nobody.tables["auc"].is_empty()
    assert nobody.parameters["basis"] == "equal"
    with pytest.raises(ValueError, match="something else"):
        judged(simulated(1, 50).with_columns(is_lost=pl.lit(None)))
