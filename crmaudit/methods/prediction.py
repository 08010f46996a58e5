"""Prediction intervals of what each will bring, and of what all will bring together.

What one will bring has an expectation, a variance and a chance of being nothing at all. Over many the variances add
up, while an error in the parameters moves all of them alike: intervals on the parameters alone cover what is realised
in two runs of three, and such without them shrink to nothing on a large base.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

from crmaudit.methods import Estimate
from crmaudit.methods.columns import numbers

PAPERS = (
    "Geisser 1993, Predictive Inference: An Introduction",
    "Fenton 1960, The Sum of Log-Normal Probability Distributions in Scatter Transmission Systems, "
    "IRE Transactions on Communications Systems 8(1)",
)

TAIL = 0.025

Array = NDArray[np.float64]


def estimate(
    table: pl.DataFrame,
    *,
    mean: str = "mean",
    variance: str = "variance",
    none: str = "p_none",
    moves: Sequence[str] = (),
) -> Estimate:
    """95 % prediction intervals, per row and of the sum.

    `table` has one row per outcome: its expectation `mean` (at least 0), its `variance` given the parameters, the
    probability `none` that it is 0, and in each column of `moves` by how much an independent standard error of the
    parameters moves the expectation. Rows without a mean, a variance or one of the moves are left out: an error that
    is not known is not none.

    Columns: `low` and `high`, null where the row is left out. Table: `total` with one row: `value`, `low`, `high`, `n`
    and `parameters_pct`, the share of the variance of the sum that is due to the parameters.

    What is more than nothing is held lognormal, as is the sum: both have long right tails and no values below 0.
    Where nothing is to be expected, `total` has no row.
    """
    values, spread, nothing = numbers(table, mean), numbers(table, variance), numbers(table, none)
    shifts = np.column_stack([numbers(table, name) for name in moves] or [np.zeros(table.height)])
    # A loss, where a margin is below zero, has no lognormal.
    known = np.isfinite(values) & (values >= 0) & np.isfinite(spread) & (spread >= 0) & np.isfinite(shifts).all(axis=1)
    value = float(values[known].sum())
    by_chance = float(spread[known].sum())
    by_parameters = float((shifts[known].sum(axis=0) ** 2).sum())
    low, high = (np.full(table.height, np.nan) for _ in range(2))
    low[known], high[known] = interval(
        values[known], spread[known] + (shifts[known] ** 2).sum(axis=1), np.nan_to_num(nothing[known])
    )
    of_all = interval(np.array([value]), np.array([by_chance + by_parameters]), np.zeros(1))
    both = max(by_chance + by_parameters, 1e-300)
    total = pl.DataFrame(
        {
            "value": [value],
            "low": of_all[0],
            "high": of_all[1],
            "n": [int(known.sum())],
            "parameters_pct": [100 * by_parameters / both],
        }
    )
    return Estimate(
        columns=pl.DataFrame({"low": low, "high": high}).with_columns(pl.all().fill_nan(None)),
        tables={"total": total if value > 0 else total.clear()},
        parameters={"value": value, "chance_sd": by_chance**0.5, "parameters_sd": by_parameters**0.5},
    )


def interval(mean: Array, variance: Array, none: Array) -> tuple[Array, Array]:
    """The 2.5 % and 97.5 % points of outcomes that are 0 with probability `none` and lognormal otherwise."""
    some = 1 - np.clip(none, 0.0, 1.0 - 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = mean / some
        square = (variance + mean**2) / some
        width = np.sqrt(np.log(np.maximum(square / centre**2, 1.0)))
        middle = np.log(centre) - width**2 / 2
    ends = []
    for level in (TAIL, 1 - TAIL):
        # The level among those who bring something.
        within = (level - (1 - some)) / some
        point = np.where(mean > 0, np.exp(middle + width * scipy.special.ndtri(np.clip(within, 1e-12, 1.0))), 0.0)
        ends.append(np.where(within > 0, point, 0.0))
    return ends[0], ends[1]
