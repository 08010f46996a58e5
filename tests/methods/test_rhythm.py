"""Overdue and lapsed: the share a loyal base is flagged, shrinkage, segments."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from crmaudit.methods.rhythm import estimate


def loyal(n: int, seed: int, shape: float, rate: float, ages: tuple[float, float] = (30, 1095)) -> pl.DataFrame:
    """A base that never leaves: days, mean gap `rate / shape`."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(*ages, n)
    x = rng.poisson(rng.gamma(shape, 1 / rate, n) * age)
    last = np.where(x > 0, age * rng.random(n) ** (1 / np.maximum(x, 1)), 0.0)
    return pl.DataFrame({"frequency": x, "recency_days": last, "age_days": age})


@pytest.mark.parametrize(
    ("shape", "rate"),
    [(1.2, 80.0), (0.4, 84.0), (5.0, 350.0), (300.0, 30_000.0)],
    ids=["usual", "wide", "narrow", "one"],
)
def test_a_base_that_never_leaves_is_flagged_as_often_as_stated(shape: float, rate: float) -> None:
    table = loyal(20_000, 3, shape, rate)
    found = estimate(table, customers=None)
    assert found.columns is not None
    for flag, stated in (("is_overdue", "overdue"), ("is_beyond_lapse", "lapsed")):
        share = 100 * found.columns[flag].sum() / table.height
        # Four standard errors, and the ages thinned to 64.
        assert share == pytest.approx(found.parameters[f"{stated}_if_nobody_leaves_pct"], abs=1.3)
    assert 5 < found.parameters["overdue_if_nobody_leaves_pct"] < 30
    assert found.parameters["lapsed_if_nobody_leaves_pct"] < 2


def test_the_next_gap_is_as_predicted() -> None:
    """Of customers watched up to a purchase, 20 % take longer than overdue_after to the next, 1 % than lapsed_after."""
    rng = np.random.default_rng(8)
    n, x = 40_000, 3
    rates = rng.gamma(1.2, 1 / 80.0, n)
    upto, gap = rng.gamma(x, 1 / rates), rng.exponential(1 / rates)
    prior = loyal(20_000, 9, 1.2, 80.0)
    seen = pl.DataFrame({"frequency": np.full(n, x), "recency_days": upto, "age_days": upto})
    weighted = pl.concat([prior.with_columns(customers=pl.lit(1.0)), seen.with_columns(customers=pl.lit(1e-6))])
    found = estimate(weighted)
    assert found.columns is not None
    limits = found.columns[-n:]
    for column, share in (("typical_gap_days", 0.5), ("overdue_after_days", 0.2), ("lapsed_after_days", 0.01)):
        assert (gap > limits[column].to_numpy()).mean() == pytest.approx(share, rel=0.1)


def test_lomax_by_hand() -> None:
    found = estimate(loyal(500, 1, 1.2, 80.0), customers=None)
    table = loyal(500, 1, 1.2, 80.0)
    r, alpha = found.parameters["r"], found.parameters["alpha_days"]
    assert found.columns is not None
    row, limits = table.row(7, named=True), found.columns.row(7, named=True)
    known, purchases = alpha + row["recency_days"], r + row["frequency"]
    for column, share in (("typical_gap_days", 0.5), ("overdue_after_days", 0.2), ("lapsed_after_days", 0.01)):
        assert (known / (known + limits[column])) ** purchases == pytest.approx(share)
    assert limits["silence_days"] == pytest.approx(row["age_days"] - row["recency_days"])


def test_few_purchases_lean_on_the_base() -> None:
    base = loyal(2000, 4, 3.0, 300.0)
    own = pl.DataFrame({"frequency": [1, 40], "recency_days": [5.0, 200.0], "age_days": [400.0, 400.0]})
    found = estimate(pl.concat([base, own], how="vertical_relaxed"), customers=None)
    assert found.columns is not None
    once, often = found.columns["typical_gap_days"][-2:]
    # Both bought every five days; for one that is a single gap, for the other forty.
    assert once > 30
    assert often < 10


def test_segments_have_their_own_rhythm_where_they_are_large_enough() -> None:
    fast, slow = loyal(1000, 5, 2.0, 40.0), loyal(1000, 6, 2.0, 600.0)
    few = loyal(30, 7, 2.0, 40.0)
    table = pl.concat(
        [t.with_columns(segment=pl.lit(name, pl.String)) for t, name in ((fast, "fast"), (slow, "slow"), (few, None))]
    )
    found, base = estimate(table, customers=None, segment="segment"), estimate(table, customers=None)
    priors = {row["segment"]: row for row in found.tables["priors"].iter_rows(named=True)}
    assert [(name, p["customers"], p["is_own"]) for name, p in priors.items()] == [
        (None, 30, False),
        ("fast", 1000, True),
        ("slow", 1000, True),
    ]
    assert priors["fast"]["purchases_per_year"] == pytest.approx(365.25 * 2 / 40, rel=0.1)
    assert priors["slow"]["purchases_per_year"] == pytest.approx(365.25 * 2 / 600, rel=0.1)
    assert found.columns is not None
    assert base.columns is not None
    assert found.columns[-30:].equals(base.columns[-30:])
    alone = estimate(slow, customers=None)
    assert alone.columns is not None
    assert found.columns["overdue_after_days"][1000:2000].to_list() == alone.columns["overdue_after_days"].to_list()
    assert found.parameters["overdue_if_nobody_leaves_pct"] == pytest.approx(
        100 * found.columns["is_overdue"].sum() / table.height, abs=4
    )


def test_weeks_weights_and_order() -> None:
    table = loyal(1500, 2, 1.2, 80.0).with_columns(pl.col("recency_days", "age_days").floor())
    days = estimate(table, customers=None)
    weeks = estimate(table.with_columns(pl.col("recency_days", "age_days") / 7), customers=None, unit_days=7)
    order = np.random.default_rng(1).permutation(table.height)
    shuffled = estimate(table[order], customers=None)
    twice = estimate(table.with_columns(customers=pl.lit(2)))
    assert days.columns is not None
    assert weeks.columns is not None
    assert shuffled.columns is not None
    assert weeks.columns["overdue_after_days"].to_numpy() == pytest.approx(
        days.columns["overdue_after_days"].to_numpy(), rel=1e-4
    )
    assert weeks.parameters["overdue_if_nobody_leaves_pct"] == pytest.approx(
        days.parameters["overdue_if_nobody_leaves_pct"], rel=1e-3
    )
    assert shuffled.columns.equals(days.columns[order])
    assert twice.parameters["r"] == pytest.approx(days.parameters["r"], rel=1e-4)
    assert twice.parameters["customers"] == 3000


def test_limits_beyond_all_numbers_are_null_and_nobody_is_overdue() -> None:
    rare = loyal(60, 2, 2.0, 40.0).with_columns(customers=pl.lit(1))
    never = pl.DataFrame({"frequency": [0], "recency_days": [0.0], "age_days": [900.0], "customers": [10_000_000]})
    found = estimate(pl.concat([rare, never], how="vertical_relaxed"))
    assert found.columns is not None
    assert found.columns["lapsed_after_days"][-1] is None
    assert not found.columns["is_overdue"][-1]


def test_withheld() -> None:
    table = loyal(200, 2, 1.2, 80.0)
    again = table.filter(pl.col("frequency") > 0)
    assert estimate(again[:19], customers=None).withheld == (
        "Only 19 of 19 customers whose purchases were followed bought again; a rhythm wants at least 20."
    )
    assert estimate(again[:20], customers=None).withheld is None
    for column in ("frequency", "recency_days", "age_days"):
        broken = table.with_columns(pl.when(pl.int_range(pl.len()) != 3).then(column).alias(column))
        assert "1 purchase histories are impossible" in (estimate(broken, customers=None).withheld or "")
    late = table.with_columns(recency_days=pl.col("age_days") + 1)
    assert "200 purchase histories" in (estimate(late, customers=None).withheld or "")
