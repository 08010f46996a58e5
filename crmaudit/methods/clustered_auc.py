"""Areas under the ROC curve of several scores where the same individual stands in several rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, expit, logit

from crmaudit.methods.columns import Z95, Floats
from crmaudit.methods.discrimination import LEAST, auc

PAPERS = (
    "Obuchowski, N. A. (1997). Nonparametric analysis of clustered ROC curve data. Biometrics 53, 567-578.",
    "DeLong, E. R., DeLong, D. M. & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated "
    "receiver operating characteristic curves. Biometrics 44, 837-845.",
)

NOTHING = float("nan")


@dataclass(frozen=True)
class Areas:
    """One area per score, and their covariance matrix, in which an individual's rows count as one."""

    areas: Floats
    covariance: Floats

    def interval(self, score: int) -> tuple[float, float]:
        """The 95 % interval of one area on the logit scale; NaN where the area is 0 or 1 or has no variance."""
        area, variance = float(self.areas[score]), float(self.covariance[score, score])
        if not (variance > 0 and 0 < area < 1):
            return NOTHING, NOTHING
        half = Z95 * np.sqrt(variance) / (area * (1 - area))
        return float(expit(logit(area) - half)), float(expit(logit(area) + half))

    def p(self, score: int) -> float:
        """The p-value of the area against 0.5, two-sided; NaN where it has no variance."""
        variance = float(self.covariance[score, score])
        return _two_sided(float(self.areas[score]) - 0.5, variance)

    def difference(self, first: int, second: int) -> tuple[float, float, float, float]:
        """The first area less the second: value, 95 % interval and p; NaN where it has no variance."""
        gap = float(self.areas[first] - self.areas[second])
        c = self.covariance
        variance = float(c[first, first] + c[second, second] - 2 * c[first, second])
        if variance <= 0:
            return gap, NOTHING, NOTHING, NOTHING
        half = Z95 * float(np.sqrt(variance))
        return gap, gap - half, gap + half, _two_sided(gap, variance)


def areas(scores: Floats, came: NDArray[np.bool_], cluster: NDArray[np.int64]) -> Areas:
    """Areas of each column of `scores` (rows x scores); `came` says in which rows the outcome came.

    `cluster` numbers the individuals; with one row each this is DeLong's. ValueError with fewer than two individuals
    of either outcome.
    """
    _, who = np.unique(cluster, return_inverse=True)
    individuals = int(who.max()) + 1 if len(who) else 0
    positives, negatives = float(came.sum()), float((~came).sum())
    with_positive, with_negative = len(np.unique(who[came])), len(np.unique(who[~came]))
    if min(with_positive, with_negative) < LEAST:
        raise ValueError("an AUC needs two individuals for whom it came and two for whom not")
    found = np.empty(scores.shape[1])
    up, down = np.empty((individuals, scores.shape[1])), np.empty((individuals, scores.shape[1]))
    for k in range(scores.shape[1]):
        one = auc(scores[:, k], came.astype(np.float64), (~came).astype(np.float64))
        found[k] = one.auc
        up[:, k] = np.bincount(who, np.where(came, one.placed_positive - one.auc, 0.0), individuals)
        down[:, k] = np.bincount(who, np.where(came, 0.0, one.placed_negative - one.auc), individuals)
    both = up.T @ down * individuals / (individuals - 1) / positives / negatives
    covariance = (
        up.T @ up * with_positive / (with_positive - 1) / positives**2
        + down.T @ down * with_negative / (with_negative - 1) / negatives**2
        + both
        + both.T
    )
    return Areas(found, covariance)


def _two_sided(distance: float, variance: float) -> float:
    return float(erfc(abs(distance) / np.sqrt(2 * variance))) if variance > 0 else NOTHING
