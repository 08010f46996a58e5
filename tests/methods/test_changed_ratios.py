"""Factors of change by group: Welch's test where weights are equal, the sandwich by hand where not, and the laws."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crmaudit.methods import changed_ratios


def found(now: list[float], before: list[float], weight: list[float], group: list[str]) -> pl.DataFrame:
    table = pl.DataFrame({"now": now, "before": before, "weight": weight, "group": group})
    return changed_ratios.estimate(table, now="now", before="before", weight="weight", group="group").tables["changes"]


def drawn(seed: int, *sizes: int) -> tuple[list[float], list[str]]:
    z = np.random.default_rng(seed).normal(0, 0.5, sum(sizes))
    return np.exp(z).tolist(), [f"g{i}" for i, n in enumerate(sizes) for _ in range(n)]


@pytest.mark.parametrize("seed", range(5))
def test_equal_weights_make_welchs_test_and_students_interval(seed: int) -> None:
    """Against scipy's own, whatever the weight is that all have."""
    now, group = drawn(seed, 7, 12, 5)
    z = np.log(now)
    row = found(now, [1.0] * 24, [3.0] * 24, group).row(0, named=True)
    assert row["p"] == pytest.approx(stats.ttest_ind(z[:7], z[7:], equal_var=False).pvalue)
    low, high = stats.t.interval(0.95, 6, z[:7].mean(), stats.sem(z[:7]))
    assert (row["ratio_low"], row["ratio_high"]) == pytest.approx((np.exp(low), np.exp(high)))
    assert row["subjects"] == 7
    assert row["rest_ratio"] == pytest.approx(np.exp(z[7:].mean()))


def test_unequal_weights_by_the_sandwich_of_weighted_least_squares() -> None:
    """HC2 of the regression of z on the two groups: (X'WX)^-1 X'W e^2/(1-h) W X (X'WX)^-1."""
    now, group = drawn(11, 8, 9)
    weight = np.random.default_rng(12).uniform(0.5, 6, 17)
    z, x = np.log(now), np.array([[g == "g0", g == "g1"] for g in group], dtype=float)
    inverse = np.linalg.inv(x.T @ (weight[:, None] * x))
    beta = inverse @ x.T @ (weight * z)
    leverage = weight * np.einsum("ij,jk,ik->i", x, inverse, x)
    middle = x.T @ ((weight**2 * (z - x @ beta) ** 2 / (1 - leverage))[:, None] * x)
    variance = np.diag(inverse @ middle @ inverse)
    freedom = [weight[:8].sum() ** 2 / (weight[:8] ** 2).sum() - 1, weight[8:].sum() ** 2 / (weight[8:] ** 2).sum() - 1]
    both = variance.sum() ** 2 / (variance**2 / freedom).sum()
    rows = found(now, [1.0] * 17, weight.tolist(), group)
    assert rows["p"][0] == pytest.approx(2 * stats.t.sf(abs(beta[0] - beta[1]) / variance.sum() ** 0.5, both))
    half = stats.t.ppf(0.975, freedom[0]) * variance[0] ** 0.5
    assert np.log(rows["ratio_high"][0]) - np.log(rows["ratio"][0]) == pytest.approx(half)


def test_few_subjects_who_weigh_nearly_all_are_few() -> None:
    """Two of twenty with 365 gaps each are not twenty: no interval, no test, and none of the others against them."""
    now, group = drawn(13, 20, 60)
    weight = [365.0] * 2 + [5.0] * 18 + [5.0] * 60
    rows = found(now, [1.0] * 80, weight, group)
    assert np.isfinite(rows["ratio"].to_numpy()).all()
    assert rows["p"].is_nan().all() or rows["p"].is_null().all()
    own = rows.row(0, named=True)
    assert own["ratio_low"] is None or np.isnan(own["ratio_low"])


figures = st.lists(st.tuples(*[st.floats(0.1, 100)] * 3), min_size=12, max_size=30)


@given(figures, st.floats(0.1, 10))
def test_a_unit_changes_nothing_and_a_factor_common_to_all_no_test(
    rows: list[tuple[float, float, float]], factor: float
) -> None:
    now, before, weight = (list(column) for column in zip(*rows, strict=True))
    group = ["a" if i < 6 else "b" for i in range(len(rows))]
    one = found(now, before, weight, group)
    in_hours = found([24 * n for n in now], [24 * b for b in before], [7 * w for w in weight], group)
    np.testing.assert_allclose(in_hours.drop("group").to_numpy(), one.drop("group").to_numpy(), rtol=1e-6, atol=1e-9)
    all_slower = found([factor * n for n in now], before, weight, group)
    np.testing.assert_allclose(all_slower["ratio"], factor * one["ratio"])
    np.testing.assert_allclose(all_slower["p"], one["p"], rtol=1e-5, atol=1e-9)


@given(figures)
def test_two_groups_mirror_each_other(rows: list[tuple[float, float, float]]) -> None:
    now, before, weight = (list(column) for column in zip(*rows, strict=True))
    both = found(now, before, weight, ["a" if i < 6 else "b" for i in range(len(rows))])
    assert both["p"][0] == both["p"][1]
    assert both["ratio"].to_list() == both["rest_ratio"].to_list()[::-1]


def test_four_are_too_few_on_either_side() -> None:
    now, group = drawn(3, 4, 9)
    rows = found(now, [1.0] * 13, [1.0] * 13, group)
    assert rows["ratio_low"].to_list()[0] is None
    assert rows["ratio_low"].to_list()[1] is not None
    assert rows["p"].to_list() == [None, None]
    now, group = drawn(3, 5, 5)
    assert found(now, [1.0] * 10, [1.0] * 10, group)["p"].null_count() == 0


def test_where_nothing_varies_there_is_no_test() -> None:
    rows = found([3.0] * 6 + [1.0] * 6, [1.0] * 12, [1.0] * 12, ["a"] * 6 + ["b"] * 6)
    assert rows["p"].to_list() == [None, None]
    assert rows["ratio_low"].to_list() == [pytest.approx(3), pytest.approx(1)]


def test_what_is_unknown_is_left_out_and_what_cannot_be_is_refused() -> None:
    table = pl.DataFrame({"now": [1.0, None, 2.0], "before": [1.0, 1.0, None], "weight": [1.0] * 3, "group": ["a"] * 3})
    made = changed_ratios.estimate(table, now="now", before="before", weight="weight", group="group")
    assert made.tables["changes"]["subjects"].to_list() == [1]
    with pytest.raises(ValueError, match="'before' holds something that is not positive"):
        found([1.0], [0.0], [1.0], ["a"])


def test_the_test_is_as_rarely_wrong_as_it_says() -> None:
    """4,000 draws of 12 among 60 whose weights are as unequal as customers' gaps are many: 5 % within three errors."""
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(4_000):
        gaps = rng.integers(1, 12, (2, 60))
        weight = 1 / (1 / gaps[0] + 1 / gaps[1])
        z = np.log(rng.gamma(gaps[0]) / gaps[0]) - np.log(rng.gamma(gaps[1]) / gaps[1])
        own, rest = (changed_ratios.mean(z[part], weight[part]) for part in (slice(12), slice(12, None)))
        wrong += changed_ratios.differs(own, rest) < 0.05
    assert 0.04 <= wrong / 4_000 <= 0.0605
