"""Rates per row: intervals, shrinkage towards the base, and the test of each row against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import betainc, betaincinv, betaln, erfc, expit, gammaln, logit

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, counts, groups, numbers

PAPERS = (
    "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.",
    "Efron, B. & Morris, C. (1977). Stein's paradox in statistics. Scientific American 236(5), 119-127.",
    "Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., section 5.3 (beta-binomial hierarchy).",
    "Fisher, R. A. (1935). The logic of inductive inference. JRSS 98, 39-82.",
    "Clopper, C. J. & Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of the "
    "binomial. Biometrika 26, 404-413.",
)

EXACT_SUPPORT = 20_000
"""Tables with more possible outcomes than this are tested by chi-squared instead of Fisher's exact test."""


def wilson(successes: Floats, trials: Floats) -> tuple[Floats, Floats]:
    """The 95 % Wilson interval of each proportion, 0 to 1; NaN without trials."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = successes / trials
        centre = rate + Z95**2 / (2 * trials)
        half = Z95 * np.sqrt(rate * (1 - rate) / trials + Z95**2 / (4 * trials**2))
        scale = 1 + Z95**2 / trials
        low, high = (centre - half) / scale, (centre + half) / scale
    # At the ends rounding would leave 1e-17 instead of nothing.
    return np.where(successes == 0, rate * 0, low), np.where(successes == trials, rate * 0 + 1, high)


def james_stein(values: Floats, variance: float) -> tuple[Floats, float]:
    """Means of equal known variance shrunk towards their grand mean, and the factor that is kept (0 to 1).

    Needs four values, since three degrees of freedom are spent; ValueError otherwise.
    """
    if len(values) < 4:
        raise ValueError("James-Stein shrinkage towards the mean needs at least four values")
    centre = float(values.mean())
    spread = float(((values - centre) ** 2).sum())
    factor = max(0.0, 1 - (len(values) - 3) * variance / spread) if spread > 0 else 0.0
    return centre + factor * (values - centre), factor


@dataclass(frozen=True)
class Shrunk:
    """Posterior `mean`, `low` and `high` of each row's rate (0 to 1), and what was learnt of the base."""

    mean: Floats
    low: Floats
    high: Floats
    base_rate: float
    base_sd: float
    """Standard deviation of the true rates between the rows: what differs beyond chance."""


def shrink_rates(successes: Floats, trials: Floats) -> Shrunk:
    """Beta-binomial shrinkage, the prior learnt from the marginal likelihood of all rows; trials must be positive.

    The prior's mean and spread are integrated over instead of being fixed at their maximum: with few rows the maximum
    is often at no spread at all, and intervals that take it for certain are too narrow. The spread, as the square root
    of the intraclass correlation, is uniform on (0, 1) beforehand, the mean as well.
    """
    pairs, place, copies = np.unique(np.stack([successes, trials]), axis=1, return_inverse=True, return_counts=True)
    x, n = pairs
    root, logs, mean, size = _nodes(x, n, copies.astype(np.float64))
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    a = mean[:, None] * size[:, None] + x
    b = (1 - mean)[:, None] * size[:, None] + n - x
    centre = weight @ (a / (a + b))
    square = weight @ (a * b / ((a + b) ** 2 * (a + b + 1)) + (a / (a + b)) ** 2)
    variance = np.maximum(square - centre**2, 1e-15)
    strength = np.maximum(centre * (1 - centre) / variance - 1, 1e-9)
    low = betaincinv(centre * strength, (1 - centre) * strength, 0.025)
    high = betaincinv(centre * strength, (1 - centre) * strength, 0.975)
    base = float(weight @ mean)
    place = place.reshape(-1)
    return Shrunk(centre[place], low[place], high[place], base, float(weight @ (root * np.sqrt(mean * (1 - mean)))))


def _nodes(x: Floats, n: Floats, copies: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Nodes over the prior: root correlation, log weight, mean, size; first where the mass is, then finely there."""
    coarse = np.geomspace(1e-3, 0.99, 60)
    height = _on_grid(coarse, x, n, copies)[1].reshape(60, -1).max(axis=1)
    near = np.flatnonzero(height > height.max() - 10)
    low = 0.0 if near[0] == 0 else coarse[near[0] - 1]
    high = coarse[min(near[-1] + 1, 59)]
    step = (high - low) / 40
    return _on_grid(low + step * (np.arange(40) + 0.5), x, n, copies)


def _on_grid(roots: Floats, x: Floats, n: Floats, copies: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    z, z_weight = np.polynomial.hermite_e.hermegauss(9)
    correlation = roots**2
    size = 1 / correlation - 1
    information = copies * n / (1 + (n - 1) * correlation[:, None])
    centre = (information @ (x / n) + 0.5) / (information.sum(axis=1) + 1)
    spread = 1 / np.sqrt(information.sum(axis=1) * centre * (1 - centre))
    mean = expit(logit(centre)[:, None] + spread[:, None] * z)
    logs = np.log(z_weight) + z**2 / 2 + np.log(spread)[:, None] + np.log(mean) + np.log1p(-mean)
    for k in range(len(z)):
        a, b = mean[:, k] * size, (1 - mean[:, k]) * size
        logs[:, k] += (betaln(a[:, None] + x, b[:, None] + n - x) - betaln(a, b)[:, None]) @ copies
    return np.repeat(roots, len(z)), logs.reshape(-1), mean.reshape(-1), np.repeat(size, len(z))


def against_rest(successes: Floats, trials: Floats) -> Floats:
    """Two-sided p of each row's rate against that of all other rows together: Fisher's exact test, NaN without both."""
    hits, total = float(successes.sum()), float(trials.sum())
    known: dict[tuple[float, float], float] = {}
    for pair in zip(successes.tolist(), trials.tolist(), strict=True):
        if pair not in known:
            known[pair] = fisher(*pair, hits - pair[0], total - pair[1])
    return np.array([known[pair] for pair in zip(successes.tolist(), trials.tolist(), strict=True)], dtype=np.float64)


def fisher(successes: float, trials: float, other_successes: float, other_trials: float) -> float:
    """Two-sided p that two proportions are the same; NaN where one has no trials. Tables as rare or rarer count."""
    if trials == 0 or other_trials == 0:
        return float("nan")
    hits, total = successes + other_successes, trials + other_trials
    if hits in {0.0, total}:
        return 1.0
    lowest, highest = max(0.0, hits - other_trials), min(trials, hits)
    if highest - lowest > EXACT_SUPPORT:
        rate = hits / total
        gap = successes / trials - other_successes / other_trials
        return float(erfc(abs(gap) / np.sqrt(2 * rate * (1 - rate) * (1 / trials + 1 / other_trials))))
    k = np.arange(lowest, highest + 1)
    log_pmf = -(gammaln(k + 1) + gammaln(trials - k + 1) + gammaln(hits - k + 1) + gammaln(other_trials - hits + k + 1))
    pmf = np.exp(log_pmf - log_pmf.max())
    observed = pmf[int(successes - lowest)]
    return min(1.0, float(pmf[pmf <= observed * (1 + 1e-7)].sum() / pmf.sum()))


def against_own(successes: Floats, trials: Floats, other_successes: Floats, other_trials: Floats) -> Floats:
    """Two-sided p of each row's rate against another rate of the same row: Fisher's exact test, NaN without both."""
    tables, place = np.unique(np.stack([successes, trials, other_successes, other_trials]), axis=1, return_inverse=True)
    p = np.array([fisher(*column) for column in tables.T.tolist()], dtype=np.float64)
    return p[place.reshape(-1)]


def against_known(successes: Floats, trials: Floats, rate: Floats) -> Floats:
    """Two-sided p of each row's rate against one that is known (0 to 1): the exact binomial test, twice the smaller
    tail; NaN where the known rate is."""
    misses = trials - successes
    below = np.where(misses > 0, betainc(np.maximum(misses, 1), successes + 1, 1 - rate), 1.0)
    above = np.where(successes > 0, betainc(np.maximum(successes, 1), misses + 1, rate), 1.0)
    return np.where(np.isfinite(rate), np.minimum(2 * np.minimum(below, above), 1.0), np.nan)


def estimate(
    table: pl.DataFrame,
    *,
    successes: str,
    trials: str,
    shrink: bool = False,
    compare: bool = False,
    family: str | None = None,
    before: Sequence[str] | None = None,
    known_pct: str | None = None,
) -> Estimate:
    """Per row `rate_pct`, `low_pct`, `high_pct` (Wilson, 95 %).

    With `shrink` also `shrunk_pct`, `shrunk_low_pct`, `shrunk_high_pct`: three deals do not top a table. With `compare`
    also `differs_p` against the pooled rate of the other rows, or of those alone that share its value of `family`: rows
    that divide the same subjects several ways are compared within each way. With `before = [successes, trials]`,
    two columns of the row, also `changed_p` against the row's own rate before; with `known_pct`, a column of rates that
    are no estimates of these trials, `beyond_p` against it. Rows without trials are null throughout.
    ValueError where successes or trials are no counts or successes exceed trials.
    """
    usable = (
        np.isfinite(numbers(table, successes)) & np.isfinite(numbers(table, trials)) & (numbers(table, trials) != 0)
    )
    kept = table.filter(usable)
    x, n = counts(kept, successes), counts(kept, trials)
    if (x > n).any():
        raise ValueError(f"column {successes!r} exceeds {trials!r}")
    low, high = wilson(x, n)
    columns: dict[str, Floats] = {"rate_pct": 100 * x / n, "low_pct": 100 * low, "high_pct": 100 * high}
    parameters: dict[str, float] = {}
    if shrink:
        found = shrink_rates(x, n) if len(x) > 1 else Shrunk(x / n, low, high, float("nan"), float("nan"))
        columns |= {
            "shrunk_pct": 100 * found.mean,
            "shrunk_low_pct": 100 * found.low,
            "shrunk_high_pct": 100 * found.high,
        }
        if len(x) > 1:
            parameters = {"base_rate_pct": 100 * found.base_rate, "spread_points": 100 * found.base_sd}
    if compare:
        p = np.full(len(x), np.nan)
        for rows in groups(kept, family).rows:
            p[rows] = against_rest(x[rows], n[rows])
        columns["differs_p"] = p
    if before is not None:
        earlier, of_them = (counts(kept, name) for name in before)
        if (earlier > of_them).any():
            raise ValueError(f"column {before[0]!r} exceeds {before[1]!r}")
        columns["changed_p"] = against_own(x, n, earlier, of_them)
    if known_pct is not None:
        columns["beyond_p"] = against_known(x, n, numbers(kept, known_pct) / 100)
    return Estimate(columns=_spread(columns, usable), parameters=parameters)


def _spread(columns: dict[str, Floats], usable: np.ndarray) -> pl.DataFrame:
    full = {}
    for name, values in columns.items():
        column = np.full(len(usable), np.nan)
        column[usable] = values
        full[name] = pl.Series(name, column, dtype=pl.Float64).fill_nan(None)
    return pl.DataFrame(full)
