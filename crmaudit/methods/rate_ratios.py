"""How many times as often does it happen while exposed as while not: rate ratios over time at risk, stratum by stratum.

Each subject's time at risk is cut where its exposure or a covariate changes, so that everybody is compared, on each
day, with others of the same kind on whom the exposure is not switched on. The Mantel-Haenszel rate ratio over such
time is the hazard ratio of a Cox model with a time-varying exposure, for hazards that are level within a stratum. It
stays right with many thin strata, where a regression with a parameter for each would not.

With a events in time s while exposed and b in time t while not, in a stratum of time s + t,

    ratio = sum a t / (s + t)  :  sum b s / (s + t)

Given how many events each stratum has, how many of them fall into exposed time is binomial where the exposure does
nothing. The sum of these is the test: exact (mid-p) where it is small, else normal. Both hold from the counts alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import chdtrc, gammaln, xlog1py, xlogy

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, complete, counts, groups, numbers

PAPERS = (
    "Greenland, S. & Robins, J. M. (1985). Estimation of a common effect parameter from sparse follow-up data. "
    "Biometrics 41, 55-68.",
    "Rothman, K. J., Greenland, S. & Lash, T. L. (2008). Modern Epidemiology, 3rd ed., chapter 15.",
    "Breslow, N. E. & Day, N. E. (1987). Statistical Methods in Cancer Research II: The Design and Analysis of Cohort "
    "Studies, IARC, chapter 3.",
    "Suissa, S. (2008). Immortal time bias in pharmacoepidemiology. American Journal of Epidemiology 167, 492-499.",
)

EXACT_VARIANCE = 1000.0
"""Counts with a smaller variance are tested exactly."""

ROUNDING = 1e-15

COLUMNS = {
    "events": pl.Int64,
    "exposed_events": pl.Int64,
    "expected_events": pl.Float64,
    "exposed_time": pl.Float64,
    "rate_ratio": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
}


@dataclass(frozen=True)
class Strata:
    """Per stratum: events while exposed and while not, and the time at risk of each."""

    exposed_events: Floats
    other_events: Floats
    exposed_time: Floats
    other_time: Floats

    def informative(self) -> Strata:
        """The strata that compare something: with events, and with time of both kinds."""
        kept = (self.exposed_time > 0) & (self.other_time > 0) & (self.exposed_events + self.other_events > 0)
        return Strata(
            self.exposed_events[kept], self.other_events[kept], self.exposed_time[kept], self.other_time[kept]
        )

    @property
    def events(self) -> Floats:
        return self.exposed_events + self.other_events

    @property
    def chance(self) -> Floats:
        """Share of the time that is exposed: the chance of an event to fall into it where it does nothing."""
        return self.exposed_time / (self.exposed_time + self.other_time)

    @property
    def expected(self) -> float:
        """Events to be expected while exposed, had the exposure no effect."""
        return float((self.events * self.chance).sum())

    @property
    def variance(self) -> float:
        return float((self.events * self.chance * (1 - self.chance)).sum())


def ratio(strata: Strata) -> tuple[float, float, float]:
    """The Mantel-Haenszel rate ratio with its 95 % interval (Greenland & Robins); NaN where it is 0 or infinite."""
    numerator = float((strata.exposed_events * (1 - strata.chance)).sum())
    denominator = float((strata.other_events * strata.chance).sum())
    if numerator <= 0 or denominator <= 0:
        return float("nan"), float("nan"), float("nan")
    half = Z95 * float(np.sqrt(strata.variance / (numerator * denominator)))
    found = numerator / denominator
    return found, found * float(np.exp(-half)), found * float(np.exp(half))


def score_p(strata: Strata) -> float:
    """Two-sided p that exposure changes nothing: exact mid-p where few events are at stake; NaN where none is."""
    variance = strata.variance
    if variance <= 0:
        return float("nan")
    observed = float(strata.exposed_events.sum())
    if variance > EXACT_VARIANCE:
        return float(chdtrc(1, (observed - strata.expected) ** 2 / variance))
    if strata.expected > strata.events.sum() / 2:
        # Counted from the side with fewer events, so that a sum over few terms is enough.
        strata = Strata(strata.other_events, strata.exposed_events, strata.other_time, strata.exposed_time)
        observed = float(strata.exposed_events.sum())
    below, here = _tail(strata, int(observed))
    # What is left of 1 is rounded: no p is told from nothing.
    return min(1.0, 2 * max(ROUNDING, min(below + here / 2, 1 - below - here / 2)))


def _tail(strata: Strata, observed: int) -> tuple[float, float]:
    """The chances of fewer than, and of exactly, so many events while exposed."""
    order = np.lexsort((strata.events, strata.chance))
    pmf = np.ones(1)
    for n, chance in zip(strata.events[order], strata.chance[order], strict=True):
        k = np.arange(min(int(n), observed) + 1)
        choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        pmf = np.convolve(pmf, np.exp(choose + xlogy(k, chance) + xlog1py(n - k, -chance)))[: observed + 1]
    return float(pmf[:observed].sum()), float(pmf[observed]) if len(pmf) > observed else 0.0


def estimate(
    table: pl.DataFrame,
    *,
    events: str,
    time: str,
    exposed: str,
    strata: Sequence[str] = (),
    group: str | None = None,
    least_events: int = 10,
    least_exposed_events: int = 0,
) -> Estimate:
    """Table `ratios`: per group `events exposed_events expected_events exposed_time rate_ratio low high p`.

    Each row is time at risk of one kind: `time` in any unit, `events` in it, whether it was `exposed`, and the
    `strata` it belongs to, each value of which, null included, is compared within itself; rows of one kind are added
    up, and rows with null events, time or exposure are left out. Events and time are those of the strata that compare
    something; `expected_events` would fall into exposed time had the exposure no effect.

    Ratio, interval and p are null with fewer than `least_events` events in all. With fewer than `least_exposed_events`
    of them while exposed the ratio is withheld but p is not: tests that are chosen by their own result promise nothing.
    ValueError where events are no counts, time is negative, or something happened in no time.
    """
    rows = complete(table, events, time, exposed)
    happened, lasted, on = counts(rows, events), numbers(rows, time), numbers(rows, exposed)
    if (lasted < 0).any():
        raise ValueError(f"column {time!r} is negative")
    if not np.isin(on, (0.0, 1.0)).all():
        raise ValueError(f"column {exposed!r} is no flag")
    absent = [name for name in strata if name not in rows.columns]
    if absent:
        raise ValueError(f"the table has no column {absent[0]!r}")
    stratum = _codes(rows, strata)
    found = groups(rows, group)
    results = []
    for r in found.rows:
        _, place = np.unique(stratum[r], return_inverse=True)
        size = int(place.max(initial=-1)) + 1
        sums = [
            np.bincount(place, values[r] * side, minlength=size).astype(np.float64)
            for values in (happened, lasted)
            for side in (on[r], 1 - on[r])
        ]
        if ((sums[2] == 0) & (sums[0] > 0)).any() or ((sums[3] == 0) & (sums[1] > 0)).any():
            raise ValueError("something happened in a stratum without time at risk")
        results.append(_compared(Strata(*sums).informative(), least_events, least_exposed_events))
    columns = {name: [result[name] for result in results] for name in COLUMNS}
    parameters = {"strata": len(np.unique(stratum)), "least_events": least_events}
    return Estimate(tables={"ratios": found.frame(columns, COLUMNS)}, parameters=parameters)


def _codes(rows: pl.DataFrame, strata: Sequence[str]) -> np.ndarray:
    """One number per combination of the strata's values."""
    if not strata:
        return np.zeros(rows.height, dtype=np.int64)
    combined = rows.select(pl.struct(list(strata)).rank("dense").alias("code"))
    return np.asarray(combined.get_column("code").to_numpy(), dtype=np.int64)


def _compared(strata: Strata, least_events: int, least_exposed_events: int) -> dict[str, float]:
    total, exposed_events = float(strata.events.sum()), float(strata.exposed_events.sum())
    result = {
        "events": total,
        "exposed_events": exposed_events,
        "expected_events": strata.expected,
        "exposed_time": float(strata.exposed_time.sum()),
        **dict.fromkeys(("rate_ratio", "low", "high", "p"), float("nan")),
    }
    if total < least_events:
        return result
    result["p"] = score_p(strata)
    if exposed_events >= least_exposed_events:
        result["rate_ratio"], result["low"], result["high"] = ratio(strata)
    return result
