"""Prediction intervals against closed forms, simulation and their laws; the delta method against textbook errors."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st

from crmaudit.methods.beta_geometric import BG_NBD, MBG_NBD
from crmaudit.methods.pareto_nbd import PARETO_NBD
from crmaudit.methods.prediction import estimate, interval
from crmaudit.methods.purchase_process import Array, Fit, PurchaseModel
from crmaudit.methods.uncertainty import directions, moves
from tests.methods.histories import one, simulate

VALUES = {
    BG_NBD: np.array([0.8, 8.0, 0.9, 2.5]),
    MBG_NBD: np.array([0.8, 8.0, 0.9, 2.5]),
    PARETO_NBD: np.array([0.8, 8.0, 0.9, 40.0]),
}


def test_a_lognormal_has_its_own_points() -> None:
    width, middle = 0.7, 3.0
    mean = np.exp(middle + width**2 / 2)
    low, high = interval(np.array([mean]), np.array([mean**2 * np.expm1(width**2)]), np.zeros(1))
    assert low[0] == pytest.approx(np.exp(middle - 1.959964 * width), rel=1e-6)
    assert high[0] == pytest.approx(np.exp(middle + 1.959964 * width), rel=1e-6)


def test_who_brings_nothing_in_two_of_five_cases_may_bring_nothing() -> None:
    rng = np.random.default_rng(1)
    some = rng.random(200_000) < 0.6
    drawn = np.where(some, rng.lognormal(2.0, 0.5, some.size), 0.0)
    low, high = interval(np.array([drawn.mean()]), np.array([drawn.var()]), np.array([0.4]))
    assert low[0] == 0
    assert high[0] == pytest.approx(np.quantile(drawn, 0.975), rel=0.02)


def test_an_error_that_is_not_known_is_not_none_and_a_loss_has_no_interval() -> None:
    table = pl.DataFrame(
        {
            "mean": [100.0, 100.0, -100.0],
            "variance": [100.0] * 3,
            "p_none": [0.0] * 3,
            "a": [1.0, None, 1.0],
        }
    )
    found = estimate(table, moves=["a"])
    assert found.columns is not None
    assert [low is None for low in found.columns["low"]] == [False, True, True]
    assert [high is None for high in found.columns["high"]] == [False, True, True]
    assert found.tables["total"]["n"].to_list() == [1]


def test_variances_add_up_and_moves_are_shared() -> None:
    table = pl.DataFrame(
        {
            "mean": [100.0] * 400,
            "variance": [100.0] * 400,
            "p_none": [0.0] * 400,
            "a": [1.0] * 400,
            "b": [2.0, -2.0] * 200,
        }
    )
    found = estimate(table, moves=["a", "b"])
    assert found.parameters["chance_sd"] == pytest.approx(200)
    assert found.parameters["parameters_sd"] == pytest.approx(400)
    total = found.tables["total"].row(0, named=True)
    assert (total["value"], total["n"]) == (40_000, 400)
    assert total["parameters_pct"] == pytest.approx(80)
    assert total["high"] - total["low"] == pytest.approx(2 * 1.96 * np.hypot(200, 400), rel=0.001)


def test_rows_without_a_variance_are_left_out_and_nothing_has_no_interval() -> None:
    table = pl.DataFrame(
        {"mean": [5.0, None, 7.0, 0.0], "variance": [1.0, 1.0, None, 0.0], "p_none": [0.1, 0.1, 0.1, 1.0]}
    )
    found = estimate(table)
    assert found.tables["total"]["value"].to_list() == [5.0]
    assert found.columns is not None
    assert found.columns["high"].to_list()[1:] == [None, None, 0.0]
    assert estimate(table[3:]).tables["total"].is_empty()


@given(st.floats(0.01, 1e6), st.floats(0, 1e9), st.floats(0, 1))
def test_an_interval_holds_no_value_below_nothing(mean: float, variance: float, none: float) -> None:
    low, high = interval(np.array([mean]), np.array([variance]), np.array([none]))
    assert 0 <= low[0] <= high[0]
    assert np.isfinite(high[0])


def test_directions_are_the_errors_of_a_poisson_mean_and_of_an_exponential_rate() -> None:
    """Two parameters with 400 events and 100 events: the log of each is known to 1/20 and 1/10."""
    events, exposure = np.array([400.0, 100.0]), np.array([50.0, 10.0])

    def slopes(values: Array) -> Array:
        return np.asarray(events / values - exposure)

    found = directions(slopes, events / exposure)
    assert found is not None
    assert np.sort(np.abs(found).max(axis=1)) == pytest.approx([0.05, 0.1], rel=1e-5)
    shifts = moves(lambda values: values @ np.array([1.0, 1.0]), events / exposure, found)
    assert np.hypot(*shifts) == pytest.approx(np.hypot(8 * 0.05, 10 * 0.1), rel=0.01)


def test_no_top_of_a_likelihood_has_no_directions_and_a_flat_one_fewer() -> None:
    assert directions(lambda values: values, np.array([1.0, 1.0])) is None
    found = directions(lambda values: np.full(2, 2 - np.log(values).sum()) / values, np.exp([1.0, 1.0]))
    assert found is not None
    assert found.shape == (1, 2)


@pytest.mark.parametrize(("model", "values"), VALUES.items(), ids=lambda one: getattr(one, "name", ""))
def test_without_discount_the_purchases_ahead_are_those_expected(model: PurchaseModel, values: Array) -> None:
    fitted = Fit(model, values, 0.0)
    for history in (one(0, 0, 60), one(7, 50, 60), one(40, 59, 60)):
        ahead = fitted.discounted_purchases(history, 156.0, 0.0)
        assert ahead.mean == pytest.approx(fitted.expected_purchases(history, 156.0), rel=1e-4)
        assert ahead.squares == pytest.approx(ahead.mean)


@pytest.mark.parametrize(("model", "values"), VALUES.items(), ids=lambda one: getattr(one, "name", ""))
def test_mean_and_variance_of_what_comes_are_those_of_a_simulation(model: PurchaseModel, values: Array) -> None:
    """Over a whole base the squares of what came are as expected, given what each had done."""
    rng = np.random.default_rng(5)
    shape, rate, first, second = values
    base = simulate(
        rng.uniform(5, 100, 60_000),
        rng,
        leaving=model.name,
        shape=shape,
        rate=rate,
        first=first,
        second=second,
        ahead=104.0,
    )
    ahead = Fit(model, values, 0.0).discounted_purchases(base.histories, 104.0, 0.0)
    assert base.future.mean() == pytest.approx(ahead.mean.mean(), rel=0.03)
    assert (base.future**2).mean() == pytest.approx((ahead.squares + ahead.pairs).mean(), rel=0.06)


def test_a_gamma_variable_is_nearly_enough_lognormal_for_an_interval() -> None:
    """What the total of many customers is: hardly skewed."""
    low, high = interval(np.array([100.0]), np.array([100.0]), np.zeros(1))
    exact = scipy.stats.gamma(100.0).ppf([0.025, 0.975])
    assert [low[0], high[0]] == pytest.approx(exact, rel=0.01)
