"""How a prediction did on what it had not seen: area under the ROC curve, a paired bootstrap, calibration by decile.

Rows stand for `customers` customers each; every function takes arrays of one length. Scores rise with the chance of
the outcome. Hanley & McNeil 1982, Radiology 143(1) for the area as a rank sum; Efron & Tibshirani 1993, "An
Introduction to the Bootstrap".
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Ranking:
    """The order of the rows by a score, sorted once and used for many weightings."""

    def __init__(self, score: Array) -> None:
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        self._starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])

    def auc(self, customers: Array, happened: Flags) -> float | None:
        """The chance that one for whom it happened scores above one for whom not; ties count half.

        None where it happened to all or to none.
        """
        yes = np.add.reduceat((customers * happened)[self._order], self._starts)
        no = np.add.reduceat((customers * ~happened)[self._order], self._starts)
        pairs = yes.sum() * no.sum()
        if pairs == 0:
            return None
        below = np.cumsum(no) - no
        return float(yes @ (below + no / 2) / pairs)


def naive_rule(silence: Array, customers: Array, happened: Flags) -> tuple[float, Array]:
    """The rule "bought in the last x weeks" with the x that does best here, and who it calls active (1 or 0).

    Best by the mean of the shares it gets right among those for whom it happened and those for whom not, which is the
    area under its curve. Choosing x by the outcome favours the rule.
    """
    order = np.argsort(silence, kind="stable")
    limits = silence[order]
    yes = np.cumsum((customers * happened)[order])
    no = np.cumsum((customers * ~happened)[order])
    last = np.r_[limits[1:] != limits[:-1], True]
    score = yes[last] / max(yes[-1], 1.0) - no[last] / max(no[-1], 1.0)
    limit = float(limits[last][int(score.argmax())])
    return limit, (silence <= limit).astype(np.float64)


def shown_worse(model: Array, naive: Array, customers: Array, happened: Flags, replicates: int = 400) -> bool:
    """Whether a paired bootstrap of customers shows the model's area under the curve below the naive score's.

    Shown means: below in at least 97.5 % of the replicates, the upper end of the 95 % interval of the difference. The
    draws are fixed, so that the same rows give the same answer.
    """
    by_model, by_naive = Ranking(model), Ranking(naive)

    def difference(weights: Array) -> float | None:
        ours, theirs = by_model.auc(weights, happened), by_naive.auc(weights, happened)
        return None if ours is None or theirs is None else ours - theirs

    observed = difference(customers)
    # A bootstrap is centred on what was observed: it cannot show the model worse where the model did better.
    if observed is None or observed >= 0:
        return False
    draws = np.random.default_rng(1982)
    differences = [difference(draws.poisson(customers).astype(np.float64)) for _ in range(replicates)]
    known = np.array([d for d in differences if d is not None])
    return bool(known.size and np.quantile(known, 0.975) < 0)


def calibration(expected: Array, p_active: Array, actual: Array, customers: Array) -> pl.DataFrame:
    """What was predicted and what came, by tenths of the customers in order of prediction; 10 is the highest.

    `expected` and `actual` are outcomes per customer, `p_active` the probability of at least one. A row is in the tenth
    that its middle customer is in, so tenths are equal only as far as rows allow.
    """
    order = np.lexsort((p_active, expected))
    middle = np.cumsum(customers[order]) - customers[order] / 2
    decile = np.empty(order.size, dtype=np.int64)
    decile[order] = np.minimum((10 * middle / customers.sum()).astype(np.int64), 9) + 1
    rows = pl.DataFrame(
        {
            "decile": decile,
            "customers": customers,
            "predicted": customers * expected,
            "actual": customers * actual,
            "predicted_active": customers * p_active,
            "actual_active": customers * (actual > 0),
        }
    )
    return (
        rows.group_by("decile", maintain_order=True)
        .sum()
        .sort("decile")
        .select(
            "decile",
            pl.col("customers").round().cast(pl.Int64),
            "predicted",
            "actual",
            predicted_active_pct=100 * pl.col("predicted_active") / pl.col("customers"),
            actual_active_pct=100 * pl.col("actual_active") / pl.col("customers"),
        )
    )
