"""Whether the 95 % interval of a method holds what it names, in one sample of which that is known."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from crmaudit.methods import discrimination, rates, survival, typical


def rate(seed: int) -> bool:
    """Wilson's, of a rate of 30 % in 80."""
    won = int(np.random.default_rng(seed).binomial(80, 0.3))
    found = rates.estimate(pl.DataFrame({"won": [won], "deals": [80]}), successes="won", trials="deals").columns
    assert found is not None
    return bool(found["low_pct"][0] <= 30 <= found["high_pct"][0])


def shrunk_rate(seed: int) -> bool:
    """Of one of forty groups, drawn at random, whose rates differ."""
    rng = np.random.default_rng(seed)
    truth, trials = rng.beta(6, 14, 40), rng.integers(5, 60, 40)
    table = pl.DataFrame({"won": rng.binomial(trials, truth), "deals": trials})
    found = rates.estimate(table, successes="won", trials="deals", shrink=True).columns
    assert found is not None
    one = int(rng.integers(40))
    return bool(found["shrunk_low_pct"][one] <= 100 * truth[one] <= found["shrunk_high_pct"][one])


def _watched(seed: int) -> pl.DataFrame:
    """150 who leave at 1 % a day, watched for 20 to 250 days."""
    rng = np.random.default_rng(seed)
    leaves, watched = rng.exponential(100, 150), rng.uniform(20, 250, 150)
    return pl.DataFrame({"days": np.minimum(leaves, watched), "left": leaves <= watched})


def survival_at_a_day(seed: int) -> bool:
    found = survival.estimate(_watched(seed), duration="days", event="left", horizons=[60.0]).tables["summary"]
    return bool(found["at_60_low"][0] <= 100 * np.exp(-0.6) <= found["at_60_high"][0])


def survival_median(seed: int) -> bool:
    found = survival.estimate(_watched(seed), duration="days", event="left").tables["summary"].row(0, named=True)
    # An end that is not reached is open.
    high = found["median_high_days"]
    return bool(found["median_low_days"] <= 100 * np.log(2) and (high is None or high >= 100 * np.log(2)))


def median(seed: int) -> bool:
    values = np.random.default_rng(seed).lognormal(3, 1, 61)
    found = typical.estimate(pl.DataFrame({"hours": values}), value="hours").tables["typical"]
    return bool(found["median_low"][0] <= np.exp(3) <= found["median_high"][0])


def area_under_the_curve(seed: int) -> bool:
    rng = np.random.default_rng(seed)
    won = np.arange(120) < 40
    table = pl.DataFrame({"score": rng.normal(size=120) + won, "won": won})
    found = discrimination.estimate(table, score="score", outcome="won").tables["auc"]
    return bool(found["auc_low"][0] <= stats.norm.cdf(1 / np.sqrt(2)) <= found["auc_high"][0])


METHODS = {
    "a rate (Wilson)": rate,
    "a shrunk rate": shrunk_rate,
    "survival at a day": survival_at_a_day,
    "median survival": survival_median,
    "a median": median,
    "area under the curve": area_under_the_curve,
}
"""Competing risks and rate ratios are drawn in the tests of their methods, ten thousand times."""
