"""How many independent trials so many trials are worth that come in clusters, such as several deals of one customer.

The correlation of two trials of one cluster is estimated by the analysis of variance, between clusters within groups,
of the residuals; a group's trials and successes are then divided by its design effect, 1 + (m - 1) correlation, where
m is how many trials stand in the cluster of a trial on average. Trials of no cluster are each their own.
"""

from __future__ import annotations

import numpy as np

from crmaudit.methods.columns import Floats, Ints

PAPERS = (
    "Rao, J. N. K. & Scott, A. J. (1992). A simple method for the analysis of clustered binary data. Biometrics 48, "
    "577-585.",
    "Ridout, M. S., Demetrio, C. G. B. & Firth, D. (1999). Estimating intraclass correlation for binary data. "
    "Biometrics 55, 137-148.",
    "Kish, L. (1965). Survey Sampling. Wiley, section 5.4.",
)

CERTAIN = 1e-9
"""Trials of a rate nearer than this to 0 or 1 cannot tell what goes together."""

NOBODY = -1
"""The cluster of trials that stand alone."""


def correlation(group: Ints, cluster: Ints, successes: Floats, trials: Floats, rate: Floats) -> float:
    """The correlation (0 to 1) of two trials of one cluster in one group; each row is `trials` with a success `rate`
    (0 to 1) to be expected. 0 where no cluster of a group has a second one beside it, or none has two trials."""
    known = (trials > 0) & (rate > CERTAIN) & (rate < 1 - CERTAIN)
    group, cluster = group[known], cluster[known]
    successes, trials, rate = successes[known], trials[known], rate[known]
    spread = np.sqrt(rate * (1 - rate))
    hit, miss = (1 - rate) / spread, -rate / spread
    sums = successes * hit + (trials - successes) * miss
    squares = successes * hit**2 + (trials - successes) * miss**2
    of_group, of_cluster, size = _clusters(group, cluster, trials)
    total = np.bincount(of_cluster, sums, minlength=len(size)).astype(np.float64)
    square = np.bincount(of_cluster, squares, minlength=len(size)).astype(np.float64)
    alone = size < 0
    size = np.abs(size)
    between = np.where(alone, square, total**2 / size)
    members = np.where(alone, size, 1.0)
    groups = int(of_group.max()) + 1 if len(of_group) else 0

    def by_group(values: Floats) -> Floats:
        return np.bincount(of_group, values, minlength=groups).astype(np.float64)

    n = np.maximum(by_group(size), 1.0)
    freedom_between = float(members.sum() - np.count_nonzero(by_group(size)))
    freedom_within = float(size.sum() - members.sum())
    if freedom_between < 1 or freedom_within < 1:
        return 0.0
    mean_between = float(between.sum() - (by_group(total) ** 2 / n).sum()) / freedom_between
    mean_within = float((square - between).sum()) / freedom_within
    usual = float(size.sum() - (by_group(np.where(alone, size, size**2)) / n).sum()) / freedom_between
    scale = mean_between + (usual - 1) * mean_within
    return min(max((mean_between - mean_within) / scale, 0.0), 1.0) if scale > 0 else 0.0


def effects(group: Ints, groups: int, cluster: Ints, trials: Floats, correlation: float) -> Floats:
    """The design effect (1 or more) of each of so many groups, numbered from 0; a row of group -1 is of none."""
    inside = group >= 0
    of_group, _, size = _clusters(group[inside], cluster[inside], trials[inside])
    squares = np.where(size < 0, -size, size**2)
    total = np.bincount(of_group, np.abs(size), minlength=groups)
    mean = np.bincount(of_group, squares, minlength=groups) / np.maximum(total, 1.0)
    return np.maximum(1 + (mean - 1) * correlation, 1.0)


def _clusters(group: Ints, cluster: Ints, trials: Floats) -> tuple[Ints, Ints, Floats]:
    """The group of each cluster, the cluster of each row, and the trials of each cluster, negative where they stand
    alone."""
    width = int(cluster.max(initial=NOBODY)) + 2
    keys, place = np.unique(group * width + cluster + 1, return_inverse=True)
    size = np.bincount(place, trials, minlength=len(keys)).astype(np.float64)
    return keys // width, place, np.where(keys % width == 0, -size, size)
