"""Shifted-beta-geometric against its two papers and `lifelines`."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from crmaudit.methods.retention_curve import estimate, renewal_rate, residual_renewals, survival

HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]


def cohort(survivors: list[int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "tenure": range(1, len(survivors)),
            "at_risk": survivors[:-1],
            "lost": [a - b for a, b in pairwise(survivors)],
        }
    )


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "log_likelihood", "after_twelve"),
    [
        pytest.param(HIGH_END, 0.668, 3.806, -1611.158, 0.3780, id="high_end"),
        pytest.param(REGULAR, 0.704, 1.182, -1680.265, 0.1700, id="regular"),
    ],
)
def test_fader_hardie_2007(
    survivors: list[int], alpha: float, beta: float, log_likelihood: float, after_twelve: float
) -> None:
    found = estimate(cohort(survivors), fit_until=7)
    assert round(found.parameters["alpha"], 3) == alpha
    assert round(found.parameters["beta"], 3) == beta
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=5e-4)
    assert found.columns is not None
    assert found.columns["survival"][11] == pytest.approx(after_twelve, abs=5e-5)
    assert found.holdout is not None
    assert found.holdout["renewals"] == 5
    assert found.holdout["actual"] == survivors[7] - survivors[12]
    one_rate = found.candidates[1]
    assert one_rate["log_likelihood"] < log_likelihood - 20


@pytest.mark.parametrize(
    ("values", "printed"),
    [((3.80, 15.20), [3.31, 3.45, 3.59, 3.72, 3.84]), ((0.067, 0.267), [7.68, 9.46, 9.86, 10.06, 10.19])],
)
def test_fader_hardie_2010_residual_lifetime(values: tuple[float, float], printed: list[float]) -> None:
    found = residual_renewals(np.array(values), np.arange(1.0, 6), 0.1)
    assert found == pytest.approx(printed, abs=0.011)


def test_residual_lifetime_is_the_discounted_sum_of_survivals() -> None:
    values, discount = np.array([0.7, 1.2]), 0.1
    later = np.arange(3.0, 2000)
    by_sum = (survival(values, later) / survival(values, np.array([2.0])) / (1 + discount) ** (later - 3)).sum()
    assert residual_renewals(values, np.array([3.0]), discount)[0] == pytest.approx(by_sum)


def test_survival_is_the_product_of_renewal_rates_and_falls_ever_slower() -> None:
    values, tenure = np.array([0.7, 1.2]), np.arange(1.0, 40)
    assert survival(values, tenure) == pytest.approx(np.cumprod(renewal_rate(values, tenure)))
    assert (np.diff(renewal_rate(values, tenure)) > 0).all()
    assert survival(values, np.zeros(1))[0] == pytest.approx(1)


def test_cohorts_pool_and_young_ones_count_for_what_they_saw() -> None:
    old, young = cohort(HIGH_END), cohort(HIGH_END[:4])
    both = pl.concat([old.with_columns(cohort=pl.lit("2015")), young.with_columns(cohort=pl.lit("2024"))])
    found, alone = estimate(both), estimate(old)
    pooled = both.group_by("tenure").agg(pl.col("at_risk", "lost").sum()).sort("tenure")
    assert found.parameters == pytest.approx(estimate(pooled).parameters)
    assert found.columns is not None
    assert found.columns.height == both.height
    assert found.parameters["alpha"] == pytest.approx(alone.parameters["alpha"], rel=0.1)


def test_observed_survival_is_kaplan_meier() -> None:
    old, young = cohort(REGULAR), cohort(REGULAR[:6])
    curve = estimate(pl.concat([old, young])).tables["curve"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifelines import KaplanMeierFitter  # noqa: PLC0415

        lengths: list[int] = []
        seen: list[bool] = []
        weights: list[int] = []
        for survivors in (REGULAR, REGULAR[:6]):
            for tenure, (a, b) in enumerate(pairwise(survivors), 1):
                lengths, seen, weights = [*lengths, tenure], [*seen, True], [*weights, a - b]
            lengths, seen, weights = [*lengths, len(survivors) - 1], [*seen, False], [*weights, survivors[-1]]
        oracle = KaplanMeierFitter().fit(lengths, seen, weights=weights)
    observed = curve.filter(pl.col("observed_survival").is_not_null())
    assert observed["tenure"].to_list() == list(range(13))
    theirs = oracle.survival_function_at_times(observed["tenure"].to_list()).to_list()
    assert observed["observed_survival"].to_list() == pytest.approx(theirs)
    assert curve["tenure"].to_list() == list(range(25))
    assert curve["survival"].is_sorted(descending=True)


def test_a_gap_in_the_tenures_ends_the_observed_survival() -> None:
    curve = estimate(cohort(REGULAR).filter(pl.col("tenure") != 3)).tables["curve"]
    assert curve["observed_survival"].is_not_null().to_list()[:6] == [True, True, True, False, False, False]
    assert curve["observed_renewal_rate"][4] == pytest.approx(326 / 382)


def test_one_rate_for_all_is_said() -> None:
    survivors = [round(100_000 * 0.9**t) for t in range(9)]
    found = estimate(cohort(survivors))
    assert found.parameters["is_one_rate"]
    assert found.columns is not None
    assert found.columns["renewal_rate"].to_list() == pytest.approx([0.9] * 8, rel=1e-3)
    assert not estimate(cohort(REGULAR)).parameters["is_one_rate"]


def test_order_of_rows() -> None:
    table = cohort(REGULAR)
    here, there = estimate(table), estimate(table.reverse())
    assert here.parameters == there.parameters
    assert here.columns is not None
    assert there.columns is not None
    assert here.columns.equals(there.columns.reverse())


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (cohort([100, 90, 81]), "19 lost over 2 renewals"),
        (cohort([1000, 600]), "400 lost over 1 renewals"),
        (pl.DataFrame({"tenure": [1, 2], "at_risk": [50, 40], "lost": [50, 40]}), "90 lost"),
        (pl.DataFrame({"tenure": [1, 2], "at_risk": [50, 40], "lost": [51, 4]}), "1 rows are impossible"),
        (pl.DataFrame({"tenure": [0.0, 1.5], "at_risk": [50, 40], "lost": [5, 4]}), "2 rows are impossible"),
        (pl.DataFrame({"tenure": [1, 2], "at_risk": [50, None], "lost": [5, 4]}), "1 rows are impossible"),
        (cohort([1000, 600])[:0], "0 lost over 0 renewals"),
    ],
)
def test_withheld(table: pl.DataFrame, reason: str) -> None:
    found = estimate(table)
    assert (found.withheld or "").startswith(reason)
    assert found.columns is None
