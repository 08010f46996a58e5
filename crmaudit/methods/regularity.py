"""How steadily do customers buy: the shape k of the gaps between their purchases, from the first two gaps of each.

Where a customer's gaps are gamma distributed with shape k, whatever the customer's rate, the first gap as a share of
the first two together is Beta(k, k) distributed and does not hang on how long they are together, so that neither rates
that differ nor a window that is too short for some bend it. Its variance about a half is 1 / (4 (2 k + 1)): 1/12 where
every purchase is chance (k = 1, the Poisson process of the NBD models), less where customers are steadier.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, numbers

PAPERS = (
    "Wheat, R. D. & Morrison, D. G. (1990). Estimating purchase regularity with two interpurchase times. Journal of "
    "Marketing Research 27, 87-93.",
    "Platzer, M. & Reutterer, T. (2016). Ticking away the moments: timing regularity helps to better predict customer "
    "activity. Marketing Science 35, 779-799.",
)

FEWEST = 50


def shape(variance: float) -> float:
    """The k of that variance of the share about a half; infinite at none."""
    return (1 - 4 * variance) / (8 * variance) if variance > 0 else float("inf")


def estimate(table: pl.DataFrame, *, first: str, second: str) -> Estimate:
    """Table `regularity` with one row: `customers`, `regularity` (k), `low`, `high` (95 %).

    Each row is a customer: `first` and `second` are the gaps, in any unit, more than nothing. Null with fewer than 50
    customers; an end is null where it is infinite. ValueError where a gap is nothing or less.
    """
    gaps = np.stack([numbers(table, first), numbers(table, second)])
    if not (gaps > 0).all():
        raise ValueError(f"columns {first!r} and {second!r} hold gaps, which are more than nothing")
    n = gaps.shape[1]
    row = {"customers": n, "regularity": float("nan"), "low": float("nan"), "high": float("nan")}
    if n >= FEWEST:
        squares = (gaps[0] / gaps.sum(axis=0) - 0.5) ** 2
        variance, half = float(squares.mean()), Z95 * float(squares.std(ddof=1)) / n**0.5
        row |= {"regularity": shape(variance), "low": shape(variance + half), "high": shape(variance - half)}
    found = pl.DataFrame([row], schema={"customers": pl.Int64, **dict.fromkeys(list(row)[1:], pl.Float64)})
    floats = pl.col(pl.Float64)
    return Estimate(tables={"regularity": found.with_columns(pl.when(floats.is_finite()).then(floats))})
