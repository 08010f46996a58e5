"""Customers on a rhythm: the MBG/NBD at k = 1, the integral by quadrature, and bases that buy so."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats
from scipy.optimize import approx_fprime

from crmaudit.methods import steady_purchases
from crmaudit.methods.beta_geometric import BG_NBD, MBG_NBD, BetaGeometric
from crmaudit.methods.purchase_process import Histories, most_likely
from crmaudit.methods.steady_purchases import SteadyGeometric
from tests.methods.histories import cdnow
from tests.simulations import worth

VALUES = np.array([0.8, 8.0, 0.9, 2.5])
SOME = Histories(
    np.array([0.0, 0.0, 1.0, 3.0, 12.0]),
    np.array([0.0, 0.0, 5.0, 30.0, 80.0]),
    np.array([4.0, 90.0, 60.0, 31.0, 99.0]),
    np.array([7.0, 5.0, 3.0, 2.0, 1.0]),
)


def steady(every: int, occasions: int = 1) -> SteadyGeometric:
    return SteadyGeometric("", every, occasions)


def table(base: worth.Drawn) -> pl.DataFrame:
    return pl.DataFrame(
        {"frequency": base.frequency, "recency_weeks": base.recency, "age_weeks": base.age, "customers": 1}
    )


@pytest.mark.parametrize(("occasions", "like"), [(1, MBG_NBD), (0, BG_NBD)])
def test_every_event_a_purchase_is_the_model_of_chance(occasions: int, like: BetaGeometric) -> None:
    model = steady(1, occasions)
    one, slopes = model.log_likelihood(VALUES, SOME)
    other, expected = like.log_likelihood(VALUES, SOME)
    assert one == pytest.approx(other)
    np.testing.assert_allclose(slopes, expected)
    np.testing.assert_allclose(model.p_alive(VALUES, SOME), like.p_alive(VALUES, SOME))


def test_cdnow_at_k_1() -> None:
    """r, alpha, a, b and the likelihood of the MBG/NBD on the 1/10 sample."""
    top = most_likely(steady(1), cdnow())
    assert top.values == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=0.002)
    assert top.log_likelihood == pytest.approx(-9582.133, abs=0.01)


@pytest.mark.parametrize("every", [2, 3])
def test_p_alive_by_integrating_over_rate_and_chance(every: int) -> None:
    """Three purchases until week 30 of 50: the survival of a gap is that of scipy's gamma distribution."""
    r, alpha, a, b = VALUES
    even = (np.arange(1500) + 0.5) / 1500
    p, rate = stats.beta.ppf(even, a, b)[:, None], stats.gamma.ppf(even, r, scale=1 / alpha)
    seen = (1 - p) ** 3 * stats.gamma.pdf(30, 3 * every, scale=1 / rate)
    gone, there = (seen * p).mean(), (seen * (1 - p) * stats.gamma.sf(20, every, scale=1 / rate)).mean()
    one = Histories(*(np.array([v]) for v in (3.0, 30.0, 50.0, 1.0)))
    assert steady(every).p_alive(VALUES, one)[0] == pytest.approx(there / (gone + there), rel=1e-4)


@pytest.mark.parametrize(("every", "occasions"), [(2, 1), (4, 1), (3, 0)])
def test_the_slopes_are_those_of_the_likelihood(every: int, occasions: int) -> None:
    model = steady(every, occasions)
    by_step = approx_fprime(VALUES, lambda v: model.log_likelihood(v, SOME)[0], 1e-7)
    np.testing.assert_allclose(model.log_likelihood(VALUES, SOME)[1], by_step, rtol=1e-4)


def test_a_silence_says_more_of_who_buys_on_a_rhythm() -> None:
    """The clock's unit changes nothing, more recent is more alive, and more regular is less so after a silence."""
    last = Histories(np.full(6, 4.0), np.linspace(10, 60, 6), np.full(6, 60.0), np.ones(6))
    alive = [steady(k).p_alive(VALUES, last) for k in (1, 2, 3)]
    assert all((np.diff(one) > 0).all() for one in alive)
    assert alive[0][0] > alive[1][0] > alive[2][0]
    days = VALUES * np.array([1, 7, 1, 1])
    np.testing.assert_allclose(steady(2).p_alive(days, last.rescaled(7)), alive[1])


def test_as_many_are_told_as_are_there() -> None:
    """5,000 customers who buy with gaps of shape two and leave as the models say, or not quite: within 5 and 15 %."""
    for leaving, off in (("MBG/NBD", 0.05), ("BG/NBD", 0.05), ("Pareto/NBD", 0.15)):
        base = worth.draw(np.random.default_rng(3), 5000, leaving, regular=2)
        found = steady_purchases.estimate(table(base), regularity=1.9).tables["steady"].row(0, named=True)
        assert found["every"] == 2
        assert found["active_customers"] == pytest.approx(base.is_active.sum(), rel=off)


def test_floors_shuffles_and_rows_of_one_history_change_little_or_nothing() -> None:
    base = table(worth.draw(np.random.default_rng(4), 2000, "MBG/NBD", regular=2))
    one = steady_purchases.estimate(base, regularity=2.2).tables["steady"]["active_customers"][0]
    floored = base.with_columns(pl.col("recency_weeks", "age_weeks").floor())
    told = steady_purchases.estimate(floored, regularity=2.2, floored_to=1.0).tables["steady"]["active_customers"][0]
    assert told == pytest.approx(one, rel=0.02)
    keys = ["frequency", "recency_weeks", "age_weeks"]
    rows = floored.group_by(keys).agg(pl.col("customers").sum()).sample(fraction=1.0, shuffle=True, seed=1)
    again = steady_purchases.estimate(rows, regularity=2.2, floored_to=1.0).tables["steady"]["active_customers"][0]
    assert again == pytest.approx(told, rel=1e-6)


def test_there_is_no_row_where_purchases_are_chance_or_too_few() -> None:
    base = table(worth.draw(np.random.default_rng(4), 300, "MBG/NBD", regular=2))
    for regularity in (None, 1.4):
        assert steady_purchases.estimate(base, regularity=regularity).tables["steady"].is_empty()
    few = base.filter(pl.col("frequency") > 0).head(49)
    assert steady_purchases.estimate(few, regularity=2.0).tables["steady"].is_empty()
    assert steady_purchases.estimate(base.filter(pl.col("frequency") > 0), regularity=2.0).tables["steady"].height == 1
