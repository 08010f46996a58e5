from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmaudit.methods import typical
from crmaudit.methods.columns import Ordered

samples = st.lists(st.integers(-20, 20), min_size=1, max_size=25)


def sample(values: object) -> Ordered:
    array = np.asarray(values, dtype=np.float64)
    return Ordered.of(array, np.ones(len(array)))


@settings(max_examples=40, deadline=None)
@given(values=samples, share=st.sampled_from([0.1, 0.25, 0.5, 0.75]))
def test_percentiles_agree_with_numpy_and_their_intervals_with_scipy(values: list[int], share: float) -> None:
    value, low, high = typical.percentile(sample(values), share)
    assert value == pytest.approx(np.quantile(values, share))
    theirs = stats.quantile_test(values, q=0, p=share).confidence_interval()
    assert (low, high) == pytest.approx((theirs.low, theirs.high), nan_ok=True)


def test_five_values_give_no_interval_and_six_do() -> None:
    assert np.isnan(typical.percentile(sample(range(5)), 0.5)[1:]).all()
    assert typical.percentile(sample(range(6)), 0.5)[1:] == (0, 5)


def test_percentiles_of_a_million_are_quick_and_right() -> None:
    value, low, high = typical.percentile(Ordered(np.arange(1e6), np.arange(1, 1e6 + 1)), 0.5)
    assert (value, high - 500_000, 500_000 - low) == pytest.approx((499_999.5, 980, 980), abs=2)


small = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(before=small, after=small)
def test_mann_whitney_is_the_share_of_splits_as_uneven_as_this(before: list[int], after: list[int]) -> None:
    p = typical.mann_whitney(sample(before), sample(after))
    if len(set(before + after)) == 1:
        assert np.isnan(p)
        return
    ranks = stats.rankdata(before + after)
    sums = np.array([sum(split) for split in combinations(ranks, len(before))])
    distance = abs(ranks[: len(before)].sum() - sums.mean())
    assert p == pytest.approx((np.abs(sums - sums.mean()) >= distance - 1e-9).mean())


def test_mann_whitney_of_large_samples_agrees_with_scipy() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 40, 300), rng.integers(2, 42, 200)
    theirs = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic").pvalue
    assert typical.mann_whitney(sample(first), sample(second)) == pytest.approx(theirs)


@settings(max_examples=40, deadline=None)
@given(before=samples, after=samples)
def test_the_shift_is_the_median_of_all_differences(before: list[int], after: list[int]) -> None:
    found, low, high = typical.shift(sample(before), sample(after))
    assert found == pytest.approx(np.median(np.subtract.outer(after, before)))
    if not np.isnan(low):
        assert low <= found <= high


@settings(max_examples=40, deadline=None)
@given(before=samples, after=samples)
def test_tenths_are_as_good_as_whole_numbers(before: list[int], after: list[int]) -> None:
    whole = typical.shift(sample(before), sample(after))
    tenths = typical.shift(sample(np.array(before) / 10), sample(np.array(after) / 10))
    assert tenths == pytest.approx([v / 10 for v in whole], abs=1e-9, nan_ok=True)


def test_shift_interval_of_r() -> None:
    """Hollander & Wolfe's permeability constants (R, example(wilcox.test)): p 0.2544, interval -0.15 to 0.76."""
    first = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    second = [1.15, 0.88, 0.90, 0.74, 1.21]
    found, low, high = typical.shift(sample(second), sample(first))
    assert (found, low, high) == pytest.approx((0.305, -0.15, 0.76))
    assert typical.mann_whitney(sample(first), sample(second)) == pytest.approx(0.2544, abs=5e-5)


def test_many_values_are_thinned_without_being_noticed() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.exponential(10, 60_000), rng.exponential(10, 60_000) + 3
    found, low, high = typical.shift(sample(first), sample(second))
    assert low < 3 < high
    part = typical.shift(sample(first[:20_000]), sample(second[:20_000]))
    assert found == pytest.approx(part[0], abs=0.15)
    assert (high - low) == pytest.approx((part[2] - part[1]) / np.sqrt(3), rel=0.05)


def test_intervals_cover() -> None:
    rng = np.random.default_rng(2)
    held = {"median": 0, "shift": 0}
    for _ in range(400):
        first, second = sample(rng.exponential(10, 25)), sample(rng.exponential(10, 30) + 4)
        _, low, high = typical.percentile(first, 0.5)
        held["median"] += low <= 10 * np.log(2) <= high
        _, low, high = typical.shift(first, second)
        held["shift"] += low <= 4 <= high
    assert 0.93 < held["median"] / 400 < 0.99
    assert 0.92 < held["shift"] / 400 < 0.98


TICKETS = pl.DataFrame(
    {
        "hours": [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, None, 20.0, 22.0, 24.0, 26.0, 28.0, 30.0],
        "year": [2023] * 7 + [2024] * 6,
    }
)


def test_a_table_per_group_and_the_change_between_two() -> None:
    found = typical.estimate(TICKETS, value="hours", group="year", unit="hours", change=["2023", "2024"])
    first = found.tables["typical"].row(0, named=True)
    assert (first["year"], first["n"], first["median_hours"]) == (2023, 6, 7)
    assert (first["median_low_hours"], first["median_high_hours"]) == (2, 12)
    assert first["group_p"] == pytest.approx(2 / 924)
    change = found.tables["change"].row(0, named=True)
    assert (change["before"], change["n_after"], change["shift_hours"]) == ("2023", 6, 18)
    assert change["median_change_pct"] == pytest.approx(100 * (25 / 7 - 1))
    assert change["p"] == pytest.approx(2 / 924)
    assert found.parameters == {"left_out": 1}


def test_a_group_that_is_absent_leaves_the_change_open() -> None:
    found = typical.estimate(TICKETS, value="hours", group="year", change=["2022", "2024"]).tables["change"]
    row = found.row(0, named=True)
    assert (row["n_before"], row["median_before"], row["shift"], row["p"]) == (0, None, None, None)
    assert row["median_after"] == 25


def test_the_rest_is_the_rest_of_the_family() -> None:
    table = pl.concat(
        [
            TICKETS.with_columns(by=pl.lit("year")),
            TICKETS.with_columns(by=pl.lit("all"), year=pl.lit(0, dtype=pl.Int64)),
        ]
    )
    found = typical.estimate(table, value="hours", group="year", family="by").tables["typical"]
    assert found["group_p"].to_list() == pytest.approx([None, 2 / 924, 2 / 924])


def test_nothing_to_describe_and_no_group_to_compare() -> None:
    found = typical.estimate(TICKETS.head(0), value="hours")
    assert found.withheld == "There is nothing to describe."
    assert found.tables["typical"].height == 0
    with pytest.raises(ValueError, match="change"):
        typical.estimate(TICKETS, value="hours", change=["a", "b"])
    with pytest.raises(ValueError, match="not a number"):
        typical.estimate(pl.DataFrame({"hours": ["2"]}), value="hours")


def test_one_value_each_is_one_difference_whatever_rounding_does() -> None:
    for first in range(1, 30):
        for second in range(1, 30):
            found, low, _ = typical.shift(sample([first / 10]), sample([second / 10]))
            assert found == second / 10 - first / 10
            assert np.isnan(low)
