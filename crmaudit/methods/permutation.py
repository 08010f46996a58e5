"""The test of a linear score statistic given the margins: exact where small, normal where large.

One test under many names. Observations carry a score, and some of them are successes; given how many there are
at each score and how many successes in all, is the sum of the successes' scores what a random draw would give?
With periods as scores it is the Cochran-Armitage trend test, with midranks the Wilcoxon-Mann-Whitney test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import erfc, gammaln

from crmaudit.methods.columns import Floats

PAPERS = (
    "Armitage, P. (1955). Tests for linear trends in proportions and frequencies. Biometrics 11, 375-386.",
    "Mehta, C. R., Patel, N. R. & Senchaudhuri, P. (1992). Exact stratified linear rank tests for ordered categorical "
    "and binary data. Journal of Computational and Graphical Statistics 1, 21-40.",
)

EXACT_WORK = 10_000_000
"""Up to so many additions the exact distribution is worked out (some 30 ms)."""


@dataclass(frozen=True)
class ScoreTest:
    """`deviation` of the score sum from its mean given the margins, its `variance`, and the two-sided `p`."""

    deviation: float
    variance: float
    p: float
    exact: bool


def score_test(scores: Floats, successes: Floats, trials: Floats, *, exact_work: int = EXACT_WORK) -> ScoreTest:
    """Test whether successes sit at high or low scores; one entry per distinct score.

    The exact p is P(|T - E T| >= |t - E T|) over all ways to place the successes among the trials. It needs scores that
    are whole numbers; others, and large tables, are tested by the normal approximation. p is NaN where nothing varies.
    """
    total, hits = float(trials.sum()), float(successes.sum())
    if total < 2 or hits in {0.0, total}:
        return ScoreTest(0.0, 0.0, float("nan"), exact=True)
    mean = float((trials * scores).sum()) / total
    deviation = float((successes * (scores - mean)).sum())
    variance = hits * (total - hits) / (total * (total - 1)) * float((trials * (scores - mean) ** 2).sum())
    if variance <= 0:
        return ScoreTest(0.0, 0.0, float("nan"), exact=True)
    placed = successes if hits <= total / 2 else trials - successes
    whole = _whole_scores(scores)
    if whole is not None and _work(whole, trials, placed.sum()) <= exact_work:
        return ScoreTest(deviation, variance, _exact_p(whole, placed, trials), exact=True)
    return ScoreTest(deviation, variance, float(erfc(abs(deviation) / np.sqrt(2 * variance))), exact=False)


def _whole_scores(scores: Floats) -> Floats | None:
    shifted = scores - scores.min()
    if not np.array_equal(shifted, np.round(shifted)) or shifted.max() > 1e9:
        return None
    divisor = int(np.gcd.reduce(shifted.astype(np.int64)))
    smallest: Floats = shifted / max(divisor, 1)
    return smallest


def _work(scores: Floats, trials: Floats, hits: float) -> float:
    states = (hits + 1) * (hits * scores.max() + 1)
    return float(states * (np.minimum(trials, hits) + 1).sum())


def _exact_p(scores: Floats, successes: Floats, trials: Floats) -> float:
    hits = int(successes.sum())
    # Binomial probabilities instead of binomial coefficients: proportional given the margin, and they cannot overflow.
    rate = hits / float(trials.sum())
    ways = np.zeros((hits + 1, int(hits * scores.max()) + 1))
    ways[0, 0] = 1.0
    for score, n in zip(scores.astype(int), trials.astype(int), strict=True):
        placed = np.arange(min(n, hits) + 1)
        log_pmf = gammaln(n + 1) - gammaln(placed + 1) - gammaln(n - placed + 1)
        pmf = np.exp(log_pmf + placed * np.log(rate) + (n - placed) * np.log1p(-rate))
        new = np.zeros_like(ways)
        for x, weight in zip(placed, pmf, strict=True):
            shift = x * score
            new[x:, shift:] += weight * ways[: hits + 1 - x, : ways.shape[1] - shift]
        ways = new
    sums = np.arange(ways.shape[1])
    mean = hits * float((trials * scores).sum() / trials.sum())
    distance = abs(float((successes * scores).sum()) - mean)
    return min(1.0, float(ways[hits, np.abs(sums - mean) >= distance - 1e-7].sum() / ways[hits].sum()))
