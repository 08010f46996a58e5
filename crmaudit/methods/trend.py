"""Does a proportion or a count go up or down over ordered periods, beyond what chance explains?"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from math import factorial
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, complete, counts, groups, numbers
from crmaudit.methods.permutation import score_test

PAPERS = (
    "Cochran, W. G. (1954). Some methods for strengthening the common chi-squared tests. Biometrics 10, 417-451.",
    "Armitage, P. (1955). Tests for linear trends in proportions and frequencies. Biometrics 11, 375-386.",
    "MacKinnon, J. G. & White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with "
    "improved finite sample properties. Journal of Econometrics 29, 305-325.",
    "Janssen, A. (1997). Studentized permutation tests for non-i.i.d. hypotheses. Statistics & Probability Letters 36, "
    "9-21.",
)

DRAWS = 9_999
"""Orders of the periods that are drawn where they are too many to go through."""

LEAST_PERIODS = 3

COLUMNS = {
    "periods": pl.Int64,
    "successes": pl.Int64,
    "trials": pl.Int64,
    "trend": pl.Float64,
    "trend_low": pl.Float64,
    "trend_high": pl.Float64,
    "p": pl.Float64,
}

Chance = Literal["independent", "periods"]


def estimate(
    table: pl.DataFrame,
    *,
    period: str,
    successes: str,
    trials: str | None = None,
    exposure: str | None = None,
    group: str | None = None,
    chance: Chance | None = None,
) -> Estimate:
    """Table `trends`: per group `periods successes trials trend trend_low trend_high p`.

    `period` is a number that rises by one from period to period; several rows of one period are added up, and rows
    with nulls are left out. With `trials`, `trend` is in percentage points per period. Without, `successes` is a count:
    `trend` is the change per period of the count, per unit of `exposure` where that is named, and every period must
    have its row, with 0 where nothing happened.

    `chance` says what noise is. "independent" (assumed for proportions): every trial or event is so, and given the
    totals the test is exact where it is small (Cochran-Armitage). "periods" (assumed for counts): whole periods may be
    good or bad, by one campaign or one outage; the order of the periods is permuted instead, which needs five of them
    to be able to reach p < 0.05. Neither is safe where a good period makes the next one good.
    Fewer than three periods with trials: trend and p are null.
    """
    if chance is None:
        chance = "independent" if trials is not None else "periods"
    if chance not in ("independent", "periods"):
        raise ValueError(f"chance is 'independent' or 'periods', not {chance!r}")
    weights = trials if trials is not None else exposure
    rows = complete(table, period, successes, weights)
    found = groups(rows, group)
    when, x = numbers(rows, period), counts(rows, successes)
    n = counts(rows, trials) if trials is not None else _exposures(rows, exposure)
    # Without exposures every period is like another, however many rows it has.
    alike = weights is None
    if trials is not None and (x > n).any():
        raise ValueError(f"column {successes!r} exceeds {trials!r}")
    results = []
    for r in found.rows:
        times, place = np.unique(when[r], return_inverse=True)
        hits, size = (np.bincount(place, counted[r], len(times)).astype(np.float64) for counted in (x, n))
        size = np.ones(len(times)) if alike else size
        results.append(_trend(times, hits, size, chance=chance, count=trials is None))
    columns = {name: [result[name] for result in results] for name in COLUMNS}
    return Estimate(tables={"trends": found.frame(columns, COLUMNS)}, parameters={"chance": chance})


def _exposures(rows: pl.DataFrame, exposure: str | None) -> Floats:
    if exposure is None:
        return np.ones(rows.height)
    values = numbers(rows, exposure)
    if (values < 0).any():
        raise ValueError(f"column {exposure!r} is negative")
    return values


def _trend(times: Floats, x: Floats, n: Floats, *, chance: Chance, count: bool) -> dict[str, float]:
    if count and (x[n == 0] > 0).any():
        raise ValueError("something happened in a period without exposure")
    times, x, n = times[n > 0], x[n > 0], n[n > 0]
    result = {
        "periods": float(len(times)),
        "successes": float(x.sum()),
        "trials": float("nan") if count else float(n.sum()),
        **dict.fromkeys(("trend", "trend_low", "trend_high", "p"), float("nan")),
    }
    if len(times) < LEAST_PERIODS:
        return result
    rate = x.sum() / n.sum()
    off = times - (n * times).sum() / n.sum()
    spread = float((n * off**2).sum())
    slope = float((off * x).sum()) / spread
    if chance == "periods":
        # The residuals around the fitted line, not around the mean: a clear trend is no noise.
        residual = (x - n * (rate + slope * off)) / (1 - _pull(n, off))
        error = np.sqrt((off**2 * residual**2).sum()) / spread
        half = float(stdtrit(len(times) - 2, 0.975)) * float(error)
        p = _p_by_order(times, x, n)
    else:
        half = Z95 * float(np.sqrt(rate * (1 if count else 1 - rate) / spread))
        p = _poisson_p(times, x, n) if count else score_test(times, x, n).p
    scale = 1.0 if count else 100.0
    bounds = {"trend": scale * slope, "trend_low": scale * (slope - half), "trend_high": scale * (slope + half)}
    return {**result, **bounds, "p": p}


def _poisson_p(times: Floats, x: Floats, n: Floats) -> float:
    """Given how many there are in all, each falls into a period in proportion to its exposure."""
    total = float(x.sum())
    if total == 0:
        return float("nan")
    # The multinomial is the limit of drawing without replacement from far more places than are taken.
    return score_test(times, x, np.round(n / n.sum() * total * 1e6)).p


def _p_by_order(times: Floats, x: Floats, n: Floats) -> float:
    residual = x - n * x.sum() / n.sum()
    if not residual.any():
        return float("nan")
    orders = _orders(len(times))
    r, w = residual[orders], n[orders]
    off = times - (w @ times / n.sum())[:, None]
    score = (off * r).sum(axis=1)
    # Studentised, since periods of different size are not exchangeable. A perfect line leaves no noise.
    spread = (w * off**2).sum(axis=1)[:, None]
    left = (r - w * off * score[:, None] / spread) / (1 - _pull(w, off))
    noise = np.sqrt((off**2 * left**2).sum(axis=1))
    statistic = np.abs(score) / (noise + 1e-9 * np.abs(residual).sum())
    return float((statistic >= statistic[0] * (1 - 1e-9)).mean())


def _pull(n: Floats, off: Floats) -> Floats:
    """How far each period pulls the line its own way (HC3): two large ones among small ones are no more than two."""
    spread = n * off**2
    pull: Floats = n / n.sum(axis=-1, keepdims=True) + spread / spread.sum(axis=-1, keepdims=True)
    return np.minimum(pull, 1 - 1e-6)


@lru_cache(maxsize=64)
def _orders(periods: int) -> NDArray[np.int64]:
    """All orders of so many periods or, where they are many, a fixed draw of them; the observed one first."""
    if factorial(periods) <= DRAWS:
        return np.array(list(permutations(range(periods))), dtype=np.int64)
    draws = np.random.default_rng(20140601).random((DRAWS, periods)).argsort(axis=1)
    return np.vstack([np.arange(periods), draws]).astype(np.int64)
