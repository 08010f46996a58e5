"""Does a score tell who will and who will not: AUC, lift and calibration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import erfc, expit, logit

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, complete, counts, groups, numbers
from crmaudit.methods.permutation import score_test
from crmaudit.methods.rates import wilson

PAPERS = (
    "Hanley, J. A. & McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology 143, 29-36.",
    "DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated "
    "receiver operating characteristic curves. Biometrics 44, 837-845.",
    "Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part "
    "2. Statistics in Medicine 25, 559-573.",
)

LEAST = 2
"""Positives and negatives that an AUC needs of each, so that it has a variance."""

SUMMARY = {
    **dict.fromkeys(("n", "positives"), pl.Int64),
    **dict.fromkeys(("auc", "auc_low", "auc_high", "auc_p"), pl.Float64),
    **dict.fromkeys(("lift_top_decile", "lift_low", "lift_high"), pl.Float64),
}
PAIRED = dict.fromkeys(
    ("other_auc", "other_low", "other_high", "difference", "difference_low", "difference_high", "difference_p"),
    pl.Float64,
)
CALIBRATION = {
    **dict.fromkeys(("decile", "n", "positives"), pl.Int64),
    **dict.fromkeys(("observed_pct", "low_pct", "high_pct", "score_lowest", "score_mean", "score_highest"), pl.Float64),
}


@dataclass(frozen=True)
class Auc:
    """The area under the ROC curve, its DeLong variance, and each row's part in it."""

    auc: float
    variance: float
    low: float
    high: float
    p: float
    placed_positive: Floats
    """Per row: the share of negatives with a lower score, ties by half."""
    placed_negative: Floats
    """Per row: the share of positives with a higher score, ties by half."""


def auc(score: Floats, positive: Floats, negative: Floats) -> Auc:
    """AUC with DeLong's 95 % interval on the logit scale; at 0 and 1, where that has no width, Newcombe's.

    Each row is so many positives and negatives with one score. p tests for 0.5 (Mann-Whitney). ValueError with fewer
    than two of either.
    """
    positives, negatives = float(positive.sum()), float(negative.sum())
    if min(positives, negatives) < LEAST:
        raise ValueError("an AUC needs two positives and two negatives")
    values, place = np.unique(score, return_inverse=True)
    up = np.bincount(place, positive, len(values)).astype(np.float64)
    down = np.bincount(place, negative, len(values)).astype(np.float64)
    placed_positive = (np.cumsum(down) - down / 2) / negatives
    placed_negative = (positives - np.cumsum(up) + up / 2) / positives
    area = float((up * placed_positive).sum() / positives)
    variance = float(
        (up * (placed_positive - area) ** 2).sum() / (positives - 1) / positives
        + (down * (placed_negative - area) ** 2).sum() / (negatives - 1) / negatives
    )
    if variance > 0 and 0 < area < 1:
        half = Z95 * np.sqrt(variance) / (area * (1 - area))
        low, high = float(expit(logit(area) - half)), float(expit(logit(area) + half))
    else:
        low, high = _newcombe(area, positives, negatives)
    both = up + down
    p = score_test(2 * np.cumsum(both) - both, up, both).p
    return Auc(area, variance, low, high, p, placed_positive[place], placed_negative[place])


def _newcombe(area: float, positives: float, negatives: float) -> tuple[float, float]:
    size = (positives + negatives) / 2 - 1

    def too_far(theta: float) -> bool:
        shape = 1 + size * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return abs(area - theta) > Z95 * float(np.sqrt(theta * (1 - theta) * shape / (positives * negatives)))

    return _edge(too_far, area, 0.0), _edge(too_far, area, 1.0)


def _edge(outside: Callable[[float], bool], inside: float, limit: float) -> float:
    if not outside(limit):
        return limit
    for _ in range(60):
        middle = (inside + limit) / 2
        if outside(middle):
            limit = middle
        else:
            inside = middle
    return inside


def compare(first: Auc, second: Auc, positive: Floats, negative: Floats) -> tuple[float, float, float, float]:
    """The difference, second less first, of two AUCs on the same rows: value, 95 % interval and p (DeLong)."""
    gap = second.auc - first.auc
    variance = 0.0
    for weight, ours, theirs in (
        (positive, first.placed_positive, second.placed_positive),
        (negative, first.placed_negative, second.placed_negative),
    ):
        n = float(weight.sum())
        variance += float((weight * (theirs - ours - gap) ** 2).sum()) / (n - 1) / n
    if variance <= 0:
        return gap, float("nan"), float("nan"), float("nan")
    half = Z95 * float(np.sqrt(variance))
    return gap, gap - half, gap + half, float(erfc(abs(gap) / np.sqrt(2 * variance)))


def lift(score: Floats, positive: Floats, n: Floats, share: float = 0.1) -> tuple[float, float, float]:
    """How many times more positives the top share holds than a random one, with a 95 % interval (Wilson's).

    A score that straddles the cut gives the fraction of its rows that fits, as if ties were drawn by lot.
    """
    order = np.argsort(-score, kind="stable")
    values, start = np.unique(-score[order], return_index=True)
    up = np.add.reduceat(positive[order], start)
    all_of_it = np.add.reduceat(n[order], start)
    room = share * float(n.sum()) - (np.cumsum(all_of_it) - all_of_it)
    taken = np.divide(room, all_of_it, out=np.zeros(len(values)), where=all_of_it > 0).clip(0, 1)
    caught, total = np.array([float((up * taken).sum())]), np.array([float(positive.sum())])
    low, high = wilson(caught, total)
    return float(caught[0] / total[0] / share), float(low[0] / share), float(high[0] / share)


def calibration(score: Floats, positive: Floats, n: Floats) -> dict[str, Floats]:
    """Observed rates by decile of the score, 1 the lowest; equal scores stay together, so a decile may be missing."""
    values, place = np.unique(score, return_inverse=True)
    weight = np.bincount(place, n, len(values))
    middle = (np.cumsum(weight) - weight / 2) / weight.sum()
    decile = np.minimum(np.floor(middle * 10), 9)[place]
    found, rank = np.unique(decile[n > 0], return_inverse=True)
    score, positive, n = score[n > 0], positive[n > 0], n[n > 0]
    up = np.bincount(rank, positive).astype(np.float64)
    size = np.bincount(rank, n).astype(np.float64)
    lowest, highest = np.full(len(found), np.inf), np.full(len(found), -np.inf)
    np.minimum.at(lowest, rank, score)
    np.maximum.at(highest, rank, score)
    low, high = wilson(up, size)
    return {
        "decile": found + 1,
        "n": size,
        "positives": up,
        "observed_pct": 100 * up / size,
        "low_pct": 100 * low,
        "high_pct": 100 * high,
        "score_lowest": lowest,
        "score_mean": np.bincount(rank, score * n) / size,
        "score_highest": highest,
    }


def estimate(
    table: pl.DataFrame,
    *,
    score: str,
    outcome: str,
    n: str | None = None,
    other: str | None = None,
    group: str | None = None,
) -> Estimate:
    """Tables `auc` and `calibration`, per group; a higher score should mean that the outcome is more likely.

    Each row is `n` cases with one score; `outcome` is true or 1 where it came. Rows with a null are left out.
    auc: `n positives auc auc_low auc_high auc_p lift_top_decile lift_low lift_high`, and with `other` (a second score
    of the same cases) `other_auc other_low other_high difference difference_low difference_high difference_p`, which is
    the second less the first.
    calibration: per decile of the score `decile n positives observed_pct low_pct high_pct score_lowest score_mean
    score_highest`. Null where there are not two cases of either outcome.
    """
    rows = complete(table, score, outcome, n, other)
    came = numbers(rows, outcome)
    if not np.isin(came, (0.0, 1.0)).all():
        raise ValueError(f"column {outcome!r} holds something else than true and false")
    found = groups(rows, group)
    values, weights = numbers(rows, score), counts(rows, n)
    second = numbers(rows, other) if other is not None else None
    schema = SUMMARY | (PAIRED if other is not None else {})
    summaries, deciles = [], []
    for r in found.rows:
        rival = second[r] if second is not None else None
        summaries.append(_summary(values[r], came[r] * weights[r], weights[r], rival))
        deciles.append(calibration(values[r], came[r] * weights[r], weights[r]))
    columns = {name: [summary.get(name, float("nan")) for summary in summaries] for name in schema}
    silent = all("auc" not in summary for summary in summaries)
    return Estimate(
        tables={"auc": found.frame(columns, schema), "calibration": found.long_frame(deciles, CALIBRATION)},
        parameters={"left_out": table.height - rows.height},
        withheld="There are not two cases of either outcome." if silent else None,
    )


def _summary(score: Floats, positive: Floats, n: Floats, other: Floats | None) -> dict[str, float]:
    counted = {"n": float(n.sum()), "positives": float(positive.sum())}
    if min(positive.sum(), (n - positive).sum()) < LEAST:
        return counted
    mine = auc(score, positive, n - positive)
    top = lift(score, positive, n)
    summary = counted | {"auc": mine.auc, "auc_low": mine.low, "auc_high": mine.high, "auc_p": mine.p}
    summary |= dict(zip(("lift_top_decile", "lift_low", "lift_high"), top, strict=True))
    if other is not None:
        rival = auc(other, positive, n - positive)
        figures = (rival.auc, rival.low, rival.high, *compare(mine, rival, positive, n - positive))
        summary |= dict(zip(PAIRED, figures, strict=True))
    return summary
