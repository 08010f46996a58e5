"""Weekly counts: the level's likelihood, calibration on bases in which nothing changes, and what is found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import nbinom

from crmaudit.methods import weekly_counts
from crmaudit.methods.weekly_counts import estimate, holm, level

Make = Callable[[np.random.Generator, int], NDArray[np.int64]]


def table(**flows: object) -> pl.DataFrame:
    parts = [
        pl.DataFrame({"flow": name, "week": range(1 - len(counts), 1), "count": counts})  # type: ignore[arg-type]
        for name, counts in flows.items()
    ]
    return pl.concat(parts)


def test_the_likelihood_is_that_of_negative_binomials() -> None:
    """Against scipy's, week by week, at a discount of 0.8."""
    counts = np.array([3.0, 5, 0, 4, 9, 2])
    a, b, expected = 0.0, 0.0, 0.0
    for i, y in enumerate(counts):
        if i:
            expected += nbinom.logpmf(y, a, b / (1 + b))
        a, b = 0.8 * (a + y), 0.8 * (b + 1)
    assert weekly_counts._likelihood(counts, 0.8) == pytest.approx(expected, rel=1e-12)


def test_a_level_that_does_not_move_is_the_mean_of_all_weeks() -> None:
    """Without discount it is the conjugate gamma-Poisson: shape the sum, rate the number of weeks."""
    counts = np.random.default_rng(3).poisson(40, 400).astype(float)
    found = level(counts)
    assert found.discount > 0.97
    assert found.mean == pytest.approx(counts.mean(), rel=0.05)
    exact = weekly_counts._filtered(counts, 1.0)
    assert (exact[0][-1], exact[1][-1]) == (counts.sum(), len(counts))


STILL: dict[str, Make] = {
    "many": lambda rng, n: rng.poisson(40, n),
    "few": lambda rng, n: rng.poisson(1.5, n),
    "restless": lambda rng, n: rng.negative_binomial(10, 0.25, n),
    "drifting": lambda rng, n: rng.poisson(30 * np.exp(np.cumsum(rng.normal(0, 0.04, n)))),
    "by season": lambda rng, n: rng.poisson(
        30 * (1 + 0.3 * np.sin(2 * np.pi * (np.arange(n) + rng.integers(52)) / 52))
    ),
}


@pytest.mark.parametrize("kind", STILL)
def test_of_twenty_usual_weeks_at_most_about_one_is_outside_its_interval(kind: str) -> None:
    rng, runs = np.random.default_rng(11), 250
    p = np.array(
        [
            weekly_counts._judged(level(c[:-1]), c[-1])["p"]
            for c in (STILL[kind](rng, 105).astype(float) for _ in range(runs))
        ]
    )
    # Three standard errors above 5 %.
    assert (p < 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert (p < 0.01).mean() <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / runs)


def test_mails_about_a_base_in_which_nothing_changes_rarely_report_a_count() -> None:
    """Six flows, a year of mails: at most one in twenty says that something is unusual."""
    rng = np.random.default_rng(5)
    flows = {name: rng.poisson(rate, 104 + 52) for name, rate in
             {"a": 120, "b": 4, "c": 7, "d": 9, "e": 40, "f": 18}.items()}  # fmt: skip
    told = sum(
        estimate(table(**{n: c[i : i + 105] for n, c in flows.items()})).tables["weeks"]["is_news"].any()
        for i in range(52)
    )
    assert told <= 5


def test_a_week_that_breaks_ranks_is_found_and_the_others_are_not() -> None:
    rng = np.random.default_rng(2)
    flows = {name: rng.poisson(30, 80) for name in "abcdef"}
    flows["c"][-1] = 8
    found = estimate(table(**flows)).tables["weeks"]
    assert found.filter("is_news")["flow"].to_list() == ["c"]
    row = found.row(by_predicate=pl.col("flow") == "c", named=True)
    assert (row["week"], row["count"]) == (0, 8)
    assert 14 <= row["low"] <= 22 <= row["expected"] <= 38 <= row["high"] <= 46


def test_each_week_that_entered_is_judged_by_those_before_it() -> None:
    counts = np.random.default_rng(4).poisson(30, 60)
    counts[-2] = 90
    found = estimate(table(a=counts), entered=3).tables["weeks"]
    assert found["week"].to_list() == [-2, -1, 0]
    assert found["is_news"].to_list() == [False, True, False]


def test_a_level_that_has_moved_is_news_once_and_then_usual() -> None:
    rng = np.random.default_rng(9)
    counts = np.concatenate([rng.poisson(30, 80), rng.poisson(60, 12)])
    found = estimate(table(a=counts), entered=12).tables["weeks"]["is_news"].to_list()
    assert any(found[:3])
    assert not any(found[5:])


def test_too_little_is_left_out() -> None:
    assert estimate(table(short=[5] * 26)).tables["weeks"].is_empty()
    assert estimate(table(rare=[0] * 60 + [9, 0])).tables["weeks"].is_empty()
    assert estimate(table(enough=[5] * 27)).tables["weeks"].height == 1


def test_a_missing_week_is_no_empty_week() -> None:
    with pytest.raises(ValueError, match="missing or there twice"):
        estimate(table(a=[5] * 40).filter(pl.col("week") != -7))


def test_holm_by_hand() -> None:
    """Holm 1979: the k-th smallest of m against 0.05 / (m - k + 1), until the first that fails."""
    assert holm(np.array([0.04, 0.01, 0.03, 0.005])) == [False, True, False, True]
    assert holm(np.array([])) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=27, max_size=60).filter(lambda c: sum(c[:-1]) >= 10))
def test_laws(counts: list[int]) -> None:
    row = estimate(table(a=counts)).tables["weeks"].row(0, named=True)
    assert 0 <= row["p"] <= 1
    assert 0 <= row["low"] <= row["high"]
    assert row["expected"] > 0
    more = estimate(table(a=[*counts[:-1], counts[-1] + 500])).tables["weeks"].row(0, named=True)
    assert (more["low"], more["high"]) == (row["low"], row["high"])
    assert more["p"] <= row["p"] or counts[-1] < row["expected"]
