"""Does a customer spend more or less than a year ago? Two years of four matched seasons, shrunk towards the base.

Spend of a year counts as so many independent events as its swings within the year allow (quasi-Poisson: the variance is
proportional to the mean, and a customer's own factor is shrunk towards that of the base). Given both years together,
the share of the later one is beta-binomial, and its distribution over the base is learnt from all customers, with those
who left apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import brentq, minimize
from scipy.special import betainc, betaincc, betaln, digamma, expit, logit, polygamma

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Floats, numbers

PAPERS = (
    "Wedderburn, R. W. M. (1974). Quasi-likelihood functions, generalized linear models, and the Gauss-Newton method. "
    "Biometrika 61, 439-447.",
    "Griffiths, D. A. (1973). Maximum likelihood estimation for the beta-binomial distribution. Biometrics 29, "
    "637-648.",
    "Smyth, G. K. (2004). Linear models and empirical Bayes methods for assessing differential expression. "
    "Statistical Applications in Genetics and Molecular Biology 3, article 3.",
    "McCarthy, D. J. & Smyth, G. K. (2009). Testing significance relative to a fold-change threshold is a TREAT. "
    "Bioinformatics 25, 765-771.",
)

FEWEST = 10
MOST_FITTED = 3_000
"""The base's distribution is learnt from so many customers at most, evenly over the order of their size."""

OFTEN = 8
"""Purchases in two years from which a customer's own swings tell how regular customers are."""

LEAST_DISPERSION = 0.01
OWN_FREEDOM = 6.0
"""Four quarters in each of two years, less the level of each year."""


@dataclass(frozen=True)
class Prior:
    """The later year's share of two years' spend over the base: none for those who left, Beta(later, earlier) else."""

    later: float
    earlier: float
    left: float = 0.0
    """Share of the base that left between the years."""


def fit_shares(
    later: Floats, earlier: Floats, copies: Floats | None = None, *, some_leave: bool = False
) -> tuple[Prior, float]:
    """The beta-binomial of greatest likelihood, and its log-likelihood without the binomial coefficients.

    With `some_leave` a share of the base, fitted too, has nothing in the later year whatever the others do.
    """
    weights = np.ones(len(later)) if copies is None else copies
    nothing = later <= 0

    def parts(point: Floats) -> tuple[float, float, float]:
        mean, size = float(expit(point[0])), float(np.exp(point[1]))
        return mean * size, (1 - mean) * size, float(expit(point[2])) if some_leave else 0.0

    def loss(point: Floats) -> float:
        a, b, left = parts(point)
        stayed = np.log1p(-left) + betaln(a + later, b + earlier) - betaln(a, b)
        logs = np.where(nothing, np.logaddexp(np.log(left), stayed), stayed) if some_leave else stayed
        return -float(logs @ weights) / float(weights.sum())

    start = float(logit((weights @ later + 0.5) / (weights @ (later + earlier) + 1)))
    bounds = [(-8, 8), (np.log(0.1), np.log(1e5)), (-12, 6)]
    found = min(
        (
            minimize(loss, [start, size, -3.0], method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-9})
            for size in (1.0, 4.0)
        ),
        key=lambda result: float(result.fun),
    )
    return Prior(*parts(found.x)), -float(found.fun) * float(weights.sum())


def fit_dispersion(values: Floats, freedom: float) -> tuple[float, float]:
    """The typical dispersion and its prior degrees of freedom, from the moments of the logarithms (Smyth 2004, 6.2)."""
    logs = np.log(np.maximum(values, LEAST_DISPERSION))
    spread = float(np.var(logs, ddof=1) - polygamma(1, freedom / 2))
    centre = float(logs.mean() - digamma(freedom / 2) + np.log(freedom / 2))
    if spread <= 1e-6:
        return float(np.exp(centre)), 1e6
    half = float(brentq(lambda x: float(polygamma(1, x)) - spread, 1e-3, 1e7))
    return float(np.exp(centre + digamma(half) - np.log(half))), 2 * half


def _dispersions(spend: Floats, purchases: Floats) -> tuple[Floats, dict[str, float]]:
    """Variance over mean of each customer's spend, in that customer's mean purchases, shrunk; what it was shrunk to."""
    total = spend.sum(axis=1)
    seasons = ((spend[:, :4] + spend[:, 4:]) / total[:, None]).mean(axis=0)
    seasons = np.maximum(seasons, 1e-6) / np.maximum(seasons, 1e-6).sum()
    pearson, years = np.zeros(len(spend)), np.zeros(len(spend))
    for year in (spend[:, :4], spend[:, 4:]):
        expected = year.sum(axis=1, keepdims=True) * seasons
        some = expected[:, 0] > 0
        pearson[some] += ((year[some] - expected[some]) ** 2 / expected[some]).sum(axis=1)
        years += some
    freedom = 3 * years
    own = pearson / freedom / (total / purchases)
    often = (purchases >= OFTEN) & (years == 2)
    if often.sum() >= FEWEST:
        typical, prior = fit_dispersion(own[often], OWN_FREEDOM)
    else:
        typical, prior = max(float(own.mean()), LEAST_DISPERSION), OWN_FREEDOM
    shrunk = np.maximum((prior * typical + freedom * own) / (prior + freedom), LEAST_DISPERSION)
    return shrunk, {"dispersion": typical, "dispersion_freedom": prior}


def estimate(
    table: pl.DataFrame,
    *,
    quarters: Sequence[str],
    purchases: str,
    threshold: float = 0.2,
    certain: float = 0.8,
) -> Estimate:
    """Per row `p_up`, `p_down`, `expected_change_pct`.

    `quarters` names eight columns of spend, the oldest first; `purchases` how many purchases they hold. Spend below
    nothing counts as nothing; rows without any are null. `p_up` is the probability that the later year's expected spend
    is more than `threshold` above that of the earlier, `p_down` below. Parameters say what share of customers who do
    not change the rule p >= `certain` would call so: `flagged_if_stable_pct`. Withheld below ten customers.
    """
    if len(quarters) != 8:
        raise ValueError("eight quarters are compared, four with four")
    spend = np.stack([np.maximum(np.nan_to_num(numbers(table, name)), 0.0) for name in quarters], axis=1)
    count = np.nan_to_num(numbers(table, purchases))
    usable = (spend.sum(axis=1) > 0) & (count > 0)
    if usable.sum() < FEWEST:
        return Estimate(
            parameters={"customers": int(usable.sum())},
            withheld=f"Only {int(usable.sum())} customers can be followed over eight quarters; "
            f"at least {FEWEST} are wanted.",
        )
    spend, count = spend[usable], count[usable]
    dispersion, parameters = _dispersions(spend, count)
    events = spend / (spend.sum(axis=1) / count * dispersion)[:, None]
    earlier, later = events[:, :4].sum(axis=1), events[:, 4:].sum(axis=1)
    # Rounded, so that neither the order of the rows nor the unit of money moves the search where it is flat.
    earlier, later = np.round(earlier, 6), np.round(later, 6)
    order = np.lexsort((later, earlier + later))
    kept = order[np.linspace(0, len(order) - 1, min(len(order), MOST_FITTED)).round().astype(np.int64)]
    prior, likelihood = fit_shares(later[kept], earlier[kept], some_leave=True)
    p_up, p_down = _beyond(prior, later, earlier, threshold)
    size = (earlier + later)[kept]
    whole = np.maximum(np.round(size), 1).astype(np.int64)
    share = np.random.default_rng(0).binomial(whole, 0.5) / whole
    still_up, still_down = _beyond(prior, share * size, (1 - share) * size, threshold)
    flagged = (still_up >= certain) | (still_down >= certain)
    columns = {
        "p_up": p_up,
        "p_down": p_down,
        "expected_change_pct": 100
        * ((1 - _gone(prior, later, earlier)) * (prior.later + later) / (prior.earlier + earlier) - 1),
    }
    return Estimate(
        columns=pl.DataFrame({name: _spread(values, usable) for name, values in columns.items()}),
        parameters={
            **parameters,
            "customers": int(usable.sum()),
            "prior_later": prior.later,
            "prior_earlier": prior.earlier,
            "prior_left": prior.left,
            "flagged_if_stable_pct": 100 * float(flagged.mean()),
        },
        log_likelihood=likelihood,
    )


def _beyond(prior: Prior, later: Floats, earlier: Floats, threshold: float) -> tuple[Floats, Floats]:
    """The posterior probabilities that the later year is above and below the earlier by more than the threshold."""
    a, b = prior.later + later, prior.earlier + earlier
    up, down = (1 + threshold) / (2 + threshold), (1 - threshold) / (2 - threshold)
    gone = _gone(prior, later, earlier)
    return (1 - gone) * betaincc(a, b, up), gone + (1 - gone) * betainc(a, b, down)


def _gone(prior: Prior, later: Floats, earlier: Floats) -> Floats:
    """The posterior probability of having left: none for whoever bought in the later year."""
    gone = np.zeros(len(later))
    nothing = later <= 0
    logs = betaln(prior.later, prior.earlier + earlier[nothing]) - betaln(prior.later, prior.earlier)
    gone[nothing] = prior.left / (prior.left + (1 - prior.left) * np.exp(logs))
    return gone


def _spread(values: Floats, usable: np.ndarray) -> pl.Series:
    column = np.full(len(usable), np.nan)
    column[usable] = values
    return pl.Series(column, dtype=pl.Float64).fill_nan(None)
