"""How steadily customers buy: the shape of gamma distributed gaps is found again, whatever rates and windows do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from crmaudit.methods import regularity
from crmaudit.methods.columns import Floats


def found(gaps: Floats) -> dict[str, float]:
    table = pl.DataFrame({"one": gaps[0], "two": gaps[1]})
    return regularity.estimate(table, first="one", second="two").tables["regularity"].row(0, named=True)


def drawn(k: float, n: int, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    return rng.gamma(k, 1, (2, n)) / rng.gamma(0.8, 1 / 8, n)


def test_variances_of_the_beta_distribution() -> None:
    """Of Beta(k, k): 1/12, 1/20 and 1/28 for 1, 2 and 3."""
    assert [regularity.shape(1 / v) for v in (12, 20, 28)] == pytest.approx([1, 2, 3])
    assert regularity.shape(0.0) == float("inf")


@pytest.mark.parametrize("k", [1.0, 1.5, 2.0, 4.0])
def test_the_shape_is_found_again_whatever_the_rates(k: float) -> None:
    assert found(drawn(k, 40_000))["regularity"] == pytest.approx(k, rel=0.03)


def test_a_window_that_is_too_short_for_some_bends_nothing() -> None:
    gaps = drawn(2.0, 80_000)
    gaps = gaps[:, gaps.sum(axis=0) < np.median(gaps.sum(axis=0))]
    assert found(gaps)["regularity"] == pytest.approx(2.0, rel=0.03)


def test_neither_unit_nor_order_matters() -> None:
    gaps = drawn(2.0, 300)
    one = found(gaps)
    for other in (7 * gaps, gaps[:, ::-1], gaps[::-1]):
        assert found(other) == pytest.approx(one)


def test_few_customers_and_gaps_all_alike() -> None:
    assert found(drawn(2.0, 49)) == {"customers": 49, "regularity": None, "low": None, "high": None}
    assert found(np.full((2, 60), 30.0)) == {"customers": 60, "regularity": None, "low": None, "high": None}
    with pytest.raises(ValueError, match="more than nothing"):
        found(np.array([[0.0], [1.0]]))
