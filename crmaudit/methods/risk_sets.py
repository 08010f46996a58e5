"""Who is at risk when: the counting behind Kaplan-Meier, Aalen-Johansen and the log-rank test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, chdtrc

from crmaudit.methods.columns import Floats, Ints, Ordered

CENSORED = 0
EVENT = 1
COMPETING = 2

CURVE_POINTS = 116

SMALL = 30.0
"""Fewer expected events than this, and the log-rank test does not trust chi-squared."""


@dataclass(frozen=True)
class Spells:
    """Times under observation, each from `entry` to `exit` inclusive, ending with `kind`, `n` times over.

    An entry of 0 is seen from the start; a later one (delayed entry, left truncation) says that nobody like this could
    have been seen earlier. Both ends count: who enters and leaves on one and the same day was at risk on it.
    """

    entry: Floats
    exit: Floats
    kind: Ints
    n: Floats

    def __post_init__(self) -> None:
        if (self.entry < 0).any() or (self.exit < self.entry).any():
            raise ValueError("a spell ends before it begins, or begins before 0")

    def __getitem__(self, rows: Ints) -> Spells:
        return Spells(self.entry[rows], self.exit[rows], self.kind[rows], self.n[rows])


@dataclass(frozen=True)
class RiskSets:
    """Per distinct time at which something happened: `at_risk`, `events` and `competing` then."""

    times: Floats
    at_risk: Floats
    events: Floats
    competing: Floats


def risk_sets(spells: Spells) -> RiskSets:
    """The risk sets of these spells; early ones that delayed entry leaves too thin are skipped.

    With delayed entry the first few at risk can all fail at once, and the curve would never leave 0. Until as many as
    the fourth root of all are at risk, nothing is taken from them (Lai & Ying 1991).
    """
    happened = spells.kind != CENSORED
    times, place = np.unique(spells.exit[happened], return_inverse=True)
    weight, kind = spells.n[happened], spells.kind[happened]
    events, competing = (
        np.bincount(place, weight * (kind == code), minlength=len(times)).astype(np.float64)
        for code in (EVENT, COMPETING)
    )
    at_risk = at_risk_at(times, spells)
    present = at_risk > 0
    if spells.entry.any():
        enough = np.maximum.accumulate(at_risk) >= spells.n.sum() ** 0.25
        present &= enough
    return RiskSets(times[present], at_risk[present], events[present], competing[present])


def thin(spells: Spells, times: Floats, also: Floats) -> Floats:
    """The moments at which a curve is drawn: 0, `also` as far as observed, and at most 120 of or between its times."""
    last = float(spells.exit[spells.n > 0].max(initial=0.0))
    moments = times
    if len(times) > CURVE_POINTS:
        moments = np.linspace(0, last, CURVE_POINTS)
        if np.array_equal(times, np.round(times)):
            moments = np.round(moments)
    return np.unique(np.concatenate([[0.0, last], moments, also[also <= last]]))


def value_at(moments: Floats, times: Floats, values: Floats, start: float) -> Floats:
    """A step function that is `start` before the first time and takes `values` from each time on."""
    stepped: Floats = np.concatenate([[start], values])[np.searchsorted(times, moments, side="right")]
    return stepped


def naive_median(spells: Spells) -> float:
    """The median time of those to whom it happened: what a spreadsheet says, and too short while others wait."""
    happened = (spells.kind == EVENT) & (spells.n > 0)
    return Ordered.of(spells.exit[happened], spells.n[happened]).quantile(0.5)


def group_p(parts: Sequence[Spells], family: Ints) -> tuple[Floats, Floats]:
    """Chi-squared and p of each group against the rest of its family; NaN for a group without a rest."""
    chi2, p = np.full(len(parts), np.nan), np.full(len(parts), np.nan)
    for code in np.unique(family):
        members: list[int] = np.flatnonzero(family == code).tolist()
        if len(members) < 2:
            continue
        whole = risk_sets(together([parts[m] for m in members]))
        for m in members:
            test = log_rank(parts[m], whole)
            chi2[m], p[m] = test.chi2, test.p
    return chi2, p


def together(parts: Sequence[Spells]) -> Spells:
    """Several lots of spells as one."""
    return Spells(
        np.concatenate([part.entry for part in parts]),
        np.concatenate([part.exit for part in parts]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.n for part in parts]),
    )


def at_risk_at(times: Floats, spells: Spells) -> Floats:
    """How many are at risk at each time."""
    entered = _up_to(times, spells.entry, spells.n, "right") if spells.entry.any() else spells.n.sum()
    found: Floats = entered - _up_to(times, spells.exit, spells.n, "left")
    return found


def _up_to(times: Floats, moments: Floats, n: Floats, side: str) -> Floats:
    order = np.argsort(moments, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(n[order])])
    found: Floats = total[np.searchsorted(moments[order], times, side=side)]  # type: ignore[call-overload]
    return found


def observed_from(spells: Spells) -> float:
    """The first time from which on the risk set is thick enough to be believed; 0 without delayed entry."""
    if not spells.entry.any():
        return 0.0
    moments = np.unique(spells.entry[spells.n > 0])
    at_risk = at_risk_at(moments, spells)
    enough = np.flatnonzero(at_risk >= spells.n.sum() ** 0.25)
    return float(moments[enough[0]]) if len(enough) else float("nan")


@dataclass(frozen=True)
class LogRank:
    """`observed` and `expected` events of a group, `variance` of their difference, chi-squared and p on one degree."""

    observed: float
    expected: float
    variance: float
    chi2: float
    p: float


def log_rank(group: Spells, whole: RiskSets) -> LogRank:
    """A group against the rest of the whole it is part of: p is NaN where there is no rest, or nothing happened.

    Other ways to leave end the time at risk, so for competing risks this compares cause-specific hazards. Chi-squared
    is wrong for small groups, where chance alone gives the smallest p, so there p is that of the binomial with the same
    mean and variance: for a small group in a large base the exact Poisson test.
    """
    mine = at_risk_at(whole.times, group)
    dated = (group.kind == EVENT) & np.isin(group.exit, whole.times)
    observed = float(group.n[dated].sum())
    share = mine / whole.at_risk
    left = np.maximum(whole.at_risk - 1, 1)
    expected = float((share * whole.events).sum())
    variance = float((share * (1 - share) * whole.events * (whole.at_risk - whole.events) / left).sum())
    if variance <= 0:
        return LogRank(observed, expected, 0.0, float("nan"), float("nan"))
    chi2 = (observed - expected) ** 2 / variance
    total = float(whole.events.sum())
    # Of the group and the rest the smaller one, so that both of two groups get the same p.
    side = (observed, expected) if expected <= total - expected else (total - observed, total - expected)
    p = two_sided(*side, variance) if side[1] < SMALL else float(chdtrc(1, chi2))
    return LogRank(observed, expected, variance, chi2, p)


def two_sided(observed: float, mean: float, variance: float) -> float:
    """Two-sided p of a count under the binomial with this mean and variance (Poisson where they are equal)."""
    chance = max(1 - variance / mean, 1e-9)
    size = mean / chance
    upper = 1.0 if observed <= 0 else float(betainc(observed, max(size - observed + 1, 1e-9), chance))
    beyond = 0.0 if observed + 1 > size else float(betainc(observed + 1, size - observed, chance))
    return min(1.0, 2 * min(upper, 1 - beyond))
