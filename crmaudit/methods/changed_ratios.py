"""By what factor has each group's own figure changed, and more in one group than in the others?

Each subject is compared with itself, so that what it always was drops out: z = log(now / before), of which some are
surer than others and weigh more. A group's factor is exp of its weighted mean of z. Errors are those of subjects,
whatever the weights say (HC2), with degrees of freedom for as many subjects as the weights leave effective; with equal
weights the test of a group against the rest is Welch's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Floats, complete, groups, numbers

PAPERS = (
    "Welch, B. L. (1947). The generalization of 'Student's' problem when several different population variances are "
    "involved. Biometrika 34, 28-35.",
    "Imbens, G. W. & Kolesar, M. (2016). Robust standard errors in small samples: some practical advice. Review of "
    "Economics and Statistics 98, 701-712.",
    "Kish, L. (1965). Survey Sampling, section 8.2 (effective size under unequal weights).",
)

LEAST_SUBJECTS = 5
"""A group of fewer has no interval, and no test against the rest, nor against a rest of fewer. By weight (Kish's
effective size): where few subjects weigh nearly all, the spread of the others says nothing of theirs."""

COLUMNS = {"subjects": pl.Int64, **dict.fromkeys(("ratio", "ratio_low", "ratio_high", "rest_ratio", "p"), pl.Float64)}


@dataclass(frozen=True)
class Mean:
    """A weighted mean, its variance, and the degrees of freedom of that; the latter two NaN of too few."""

    value: float
    variance: float
    freedom: float


def mean(z: Floats, weight: Floats) -> Mean:
    """The mean of z with weights that are positive; NaN of nothing."""
    total = float(weight.sum())
    if not total:
        return Mean(float("nan"), float("nan"), float("nan"))
    value, effective = float(weight @ z) / total, total**2 / float(weight @ weight)
    # Equal weights are worth all subjects, less the error of a sum.
    if effective < LEAST_SUBJECTS * (1 - 1e-9):
        return Mean(value, float("nan"), float("nan"))
    variance = float((weight**2 * (z - value) ** 2 / (1 - weight / total)).sum()) / total**2
    return Mean(value, variance, effective - 1)


def differs(one: Mean, other: Mean) -> float:
    """Two-sided p that two means are the same; NaN where either has no variance or neither varies."""
    variance = one.variance + other.variance
    if not variance > 0:
        return float("nan")
    freedom = variance**2 / (one.variance**2 / one.freedom + other.variance**2 / other.freedom)
    return float(2 * stdtr(freedom, -abs(one.value - other.value) / np.sqrt(variance)))


def estimate(table: pl.DataFrame, *, now: str, before: str, weight: str, group: str) -> Estimate:
    """Table `changes`: per group `subjects ratio ratio_low ratio_high rest_ratio p`.

    Each row is a subject with its figure `now` and `before`, in one unit, and how much it weighs; rows with nulls are
    left out. `ratio` is now over before, with its 95 % interval; `rest_ratio` that of all other groups together, and
    `p` the test that both are the same. ValueError where a figure or a weight is not positive.
    """
    rows = complete(table, now, before, weight)
    found = groups(rows, group)
    figures = {name: numbers(rows, name) for name in (now, before, weight)}
    for name, values in figures.items():
        if (values <= 0).any():
            raise ValueError(f"column {name!r} holds something that is not positive")
    z, weights = np.log(figures[now] / figures[before]), figures[weight]
    results = [_compared(z, weights, r) for r in found.rows]
    columns = {name: [result[name] for result in results] for name in COLUMNS}
    return Estimate(tables={"changes": found.frame(columns, COLUMNS)}, parameters={"subjects": rows.height})


def _compared(z: Floats, weights: Floats, r: np.ndarray) -> dict[str, float]:
    is_other = np.ones(len(z), dtype=bool)
    is_other[r] = False
    own, rest = mean(z[r], weights[r]), mean(z[is_other], weights[is_other])
    half = float(stdtrit(own.freedom, 0.975) * np.sqrt(own.variance))
    return {
        "subjects": float(len(r)),
        "ratio": float(np.exp(own.value)),
        "ratio_low": float(np.exp(own.value - half)),
        "ratio_high": float(np.exp(own.value + half)),
        "rest_ratio": float(np.exp(rest.value)),
        "p": differs(own, rest),
    }
