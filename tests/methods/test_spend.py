"""Gamma-Gamma against its paper, `lifetimes` and simulation."""

from __future__ import annotations

import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmaudit.methods.spend import Spends, estimate, log_likelihood
from tests.methods.histories import shared_data


def simulated(n: int, seed: int = 1, p: float = 6.25, q: float = 3.74, gamma: float = 15.44) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.geometric(0.4, n) - 1
    level = rng.gamma(q, 1 / gamma, n)
    times = np.maximum(x, 1)
    mean = np.where(x > 0, rng.gamma(p * times, 1 / (times * level)), np.nan)
    return pl.DataFrame({"frequency": x, "mean_spend": mean, "level": p / level})


def test_fader_hardie_2013_cdnow() -> None:
    table = pl.read_csv(shared_data("cdnow/cdnow_customers_summary_with_transactions.csv"))
    found = estimate(table, frequency="x", mean_spend="zbar", customers=None)
    assert found.withheld is None
    assert found.parameters["repeat_customers"] == 946
    assert [round(found.parameters[name], 2) for name in ("p", "q")] == [6.25, 3.74]
    assert found.parameters["gamma"] == pytest.approx(15.44, abs=0.01)
    assert found.log_likelihood == pytest.approx(-4055.918, abs=0.01)
    assert found.columns is not None
    again = found.columns.filter(table["x"] > 0)["expected_spend"].mean()
    # The mean of the 946 is 35.08; who bought once is expected to spend what the base does.
    assert again == pytest.approx(35.08, rel=0.01)
    once = found.columns.filter(table["x"] == 0)["expected_spend"]
    assert once.n_unique() == 1
    assert once[0] == pytest.approx(found.parameters["mean_spend"])


def test_lifetimes_gives_the_same() -> None:
    table = simulated(3000).filter(pl.col("frequency") > 0)
    ours = estimate(table, customers=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import GammaGammaFitter  # noqa: PLC0415

        fitter = GammaGammaFitter().fit(table["frequency"].to_numpy(), table["mean_spend"].to_numpy())
    assert [ours.parameters[n] for n in ("p", "q", "gamma")] == pytest.approx(fitter.params_.to_numpy(), rel=1e-3)
    assert ours.columns is not None
    theirs = fitter.conditional_expected_average_profit(table["frequency"].to_numpy(), table["mean_spend"].to_numpy())
    assert ours.columns["expected_spend"].to_numpy() == pytest.approx(np.asarray(theirs), rel=1e-4)


@settings(max_examples=50, deadline=None)
@given(
    st.tuples(st.floats(0.2, 20), st.floats(0.2, 20), st.floats(0.2, 50)),
    st.lists(st.tuples(st.integers(1, 40), st.floats(0.5, 200), st.integers(1, 50)), min_size=1, max_size=8),
)
def test_slopes_are_those_of_the_log_likelihood(
    parameters: tuple[float, float, float], rows: list[tuple[int, float, int]]
) -> None:
    x, mean, customers = (np.array(v, dtype=float) for v in zip(*rows, strict=True))
    distinct, index = np.unique(x, return_inverse=True)
    spends = Spends(distinct, index, mean, customers)
    values = np.array(parameters)
    slopes = log_likelihood(values, spends)[1]
    for i, value in enumerate(values):
        step = np.zeros(3)
        step[i] = 1e-5 * value
        rise = log_likelihood(values + step, spends)[0] - log_likelihood(values - step, spends)[0]
        assert rise / (2 * step[i]) == pytest.approx(slopes[i], rel=1e-4, abs=1e-4 * (customers @ (x + 1)))


def test_simulation_finds_the_truth_and_beats_the_own_mean() -> None:
    table = simulated(20_000)
    found = estimate(table, customers=None)
    assert found.columns is not None
    assert [found.parameters[n] for n in ("p", "q", "gamma")] == pytest.approx([6.25, 3.74, 15.44], rel=0.08)
    rows = table.with_columns(found.columns).filter(pl.col("frequency") == 1)
    off = (rows["expected_spend"] - rows["level"]).pow(2).mean()
    own = (rows["mean_spend"] - rows["level"]).pow(2).mean()
    assert isinstance(off, float)
    assert isinstance(own, float)
    assert off < 0.8 * own


def test_customers_and_currency() -> None:
    table = simulated(2000).with_columns(pl.col("mean_spend").round(0).clip(1)).drop("level")
    grouped = table.group_by("frequency", "mean_spend").agg(customers=pl.len())
    single, together = estimate(table, customers=None), estimate(grouped)
    cents = estimate(table.with_columns(pl.col("mean_spend") * 100), customers=None)
    assert together.parameters == pytest.approx(single.parameters)
    assert together.log_likelihood == pytest.approx(single.log_likelihood)
    assert single.columns is not None
    assert cents.columns is not None
    assert cents.columns["expected_spend"].to_numpy() == pytest.approx(
        100 * single.columns["expected_spend"].to_numpy(), rel=1e-5
    )
    order = np.random.default_rng(1).permutation(table.height)
    shuffled = estimate(table[order], customers=None)
    assert shuffled.columns is not None
    assert shuffled.columns.equals(single.columns[order])


def test_means_of_zero_or_less_are_left_out_and_counted() -> None:
    table = simulated(500).drop("level")
    odd = pl.DataFrame({"frequency": [3, 2, 4], "mean_spend": [0.0, -5.0, None]})
    plain, found = estimate(table, customers=None), estimate(pl.concat([table, odd]), customers=None)
    assert found.parameters["customers_without_spend"] == 3
    assert found.parameters["p"] == plain.parameters["p"]
    assert found.columns is not None
    assert found.columns["expected_spend"][-3:].to_list() == pytest.approx([found.parameters["mean_spend"]] * 3)


@pytest.mark.parametrize("sign", [1, -1])
def test_withheld_where_spend_goes_with_frequency(sign: int) -> None:
    table = simulated(1000).with_columns(pl.col("mean_spend") * (1.0 + pl.col("frequency")) ** sign)
    found = estimate(table, customers=None)
    assert sign * found.parameters["correlation"] > 0.3
    assert "correlated" in (found.withheld or "")
    assert found.columns is None


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (simulated(60).filter(pl.col("frequency") > 0).head(20), "Only 20 customers"),
        (pl.DataFrame({"frequency": [1, 2] * 40, "mean_spend": [9.99] * 80}), "vary too little"),
        (simulated(4000, q=0.6), "mean has no end"),
    ],
    ids=["few", "one_price", "no_mean"],
)
def test_withheld(table: pl.DataFrame, reason: str) -> None:
    found = estimate(table, customers=None)
    assert reason in (found.withheld or "")
    assert found.columns is None
