"""The test of a count against what was to be expected, where the expectation was learnt from the same cases."""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, gammaln

PAPERS = (
    "Fisher, R. A. (1935). The logic of inductive inference. JRSS 98, 39-82.",
    "Lancaster, H. O. (1961). Significance tests in discrete distributions. JASA 56, 223-234.",
)

EXACT_VARIANCE = 1000.0
"""Counts with a smaller variance are tested exactly."""

ROUNDING = 1e-15

WHOLE = 1e-9
"""A count nearer than this to a whole number is one."""


def mid_p(observed: float, expected: float, variance: float, trials: float) -> float:
    """Two-sided mid-p of a count of `trials` with this mean and variance; NaN where nothing varies.

    A count that is no whole number, of cases that come in clusters, lies between its neighbours.

    What the trials share with the cases that their mean was learnt from makes the count a draw without replacement: the
    hypergeometric law of as many cases as give this variance, which is Fisher's where there is no mix.
    """
    rate = expected / trials
    left = variance / (trials * rate * (1 - rate)) if 0 < rate < 1 else 0.0
    if left <= 1e-6:
        return float("nan")
    if variance > EXACT_VARIANCE:
        return float(chdtrc(1, (observed - expected) ** 2 / variance))
    whole = float(np.floor(observed + WHOLE))
    share = observed - whole
    if share > WHOLE:
        ends = (mid_p(whole, expected, variance, trials), mid_p(whole + 1, expected, variance, trials))
        return (1 - share) * ends[0] + share * ends[1]
    observed = whole
    total = trials / max(1 - left, 1e-9)
    hits = total * rate
    first, last = max(0.0, trials - (total - hits)), min(trials, hits)
    k = np.arange(np.floor(first + 1e-6), np.ceil(last - 1e-6) + 1)
    if not k[0] <= observed <= k[-1]:
        return float(chdtrc(1, max(abs(observed - expected) - 0.5, 0.0) ** 2 / variance))
    logs = -(gammaln(k + 1) + gammaln(trials - k + 1))
    logs -= gammaln(np.maximum(hits - k, 0) + 1) + gammaln(np.maximum(total - hits - trials + k, 0) + 1)
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    here = float(chance[k == observed].sum())
    below, above = float(chance[k < observed].sum()), float(chance[k > observed].sum())
    return min(1.0, max(ROUNDING, 2 * min(below, above) + here))
