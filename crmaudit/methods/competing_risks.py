"""How many get there, by when, while others leave by another door: the Aalen-Johansen cumulative incidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, complete, counts, groups, numbers
from crmaudit.methods.rates import wilson
from crmaudit.methods.risk_sets import (
    CENSORED,
    COMPETING,
    EVENT,
    RiskSets,
    Spells,
    at_risk_at,
    group_p,
    naive_median,
    observed_from,
    risk_sets,
    thin,
    value_at,
)

PAPERS = (
    "Aalen, O. O. & Johansen, S. (1978). An empirical transition matrix for non-homogeneous Markov chains based on "
    "censored observations. Scandinavian Journal of Statistics 5, 141-150.",
    "Marubini, E. & Valsecchi, M. G. (1995). Analysing Survival Data from Clinical Trials, ch. 10 (variance).",
    "Choudhury, J. B. (2002). Non-parametric confidence interval estimation for competing risks analysis. Statistics "
    "in Medicine 21, 1129-1144.",
    "Lai, T. L. & Ying, Z. (1991). Estimating a distribution function with truncated and censored data. Annals of "
    "Statistics 19, 417-442.",
)

OUTCOMES = {"event": EVENT, "competing": COMPETING, "censored": CENSORED}


@dataclass(frozen=True)
class Incidence:
    """The cumulative incidence at each event time, 0 to 1, with its variance and 95 % interval."""

    times: Floats
    incidence: Floats
    variance: Floats
    low: Floats
    high: Floats
    remaining: Floats
    """The share to whom neither has happened yet."""


def aalen_johansen(sets: RiskSets) -> Incidence:
    """Cumulative incidence of the events, the competing ones being another way out, not censoring."""
    parts = _Terms.of(sets)
    f, before = parts.incidence, parts.before
    gone = np.cumsum(parts.loss)
    variance = (
        f**2 * gone
        - 2 * f * np.cumsum(parts.loss * f)
        + np.cumsum(parts.loss * f**2)
        + np.cumsum(before**2 * parts.own)
        - 2 * (f * np.cumsum(before * parts.both) - np.cumsum(f * before * parts.both))
    )
    variance = np.maximum(variance, 0.0)
    low, high = _interval(f, variance, sets.at_risk)
    return Incidence(sets.times, f, variance, low, high, parts.remaining)


@dataclass(frozen=True)
class _Terms:
    """Per time: S before and after, F after, Var a, Var b and Cov(a, b) of the two independent-by-time errors.

    The error of F(t) is the sum over times j up to t of S(j-) b_j - (F(t) - F(j)) a_j.
    """

    before: Floats
    remaining: Floats
    incidence: Floats
    loss: Floats
    own: Floats
    both: Floats

    @classmethod
    def of(cls, sets: RiskSets) -> _Terms:
        y, d1 = sets.at_risk, sets.events
        d = d1 + sets.competing
        remaining = np.cumprod(1 - d / y).astype(np.float64)
        before = np.concatenate([[1.0], remaining[:-1]])
        # Where all at risk leave, F moves no more, so the infinite term is multiplied by nothing.
        loss = np.divide(d, y * (y - d), out=np.zeros_like(y), where=y > d)
        return cls(before, remaining, np.cumsum(before * d1 / y), loss, (y - d1) * d1 / y**3, d1 / y**2)


def _interval(f: Floats, variance: Floats, at_risk: Floats) -> tuple[Floats, Floats]:
    """The log-log interval, which stays within 0 and 1; at 0 and 1, where it does not exist, Wilson's."""
    # Sums of shares miss the whole by a rounding.
    f = np.where(f > 1 - 1e-12, 1.0, np.maximum(f, 0.0))
    inside = (f > 0) & (f < 1)
    log = np.log1p(-np.where(inside, f, 0.5))
    reach = Z95 * np.sqrt(variance) / ((1 - np.where(inside, f, 0.5)) * np.abs(log))
    factor = np.exp(np.minimum(reach, 500))
    low, high = -np.expm1(log / factor), -np.expm1(log * factor)
    edge_low, edge_high = wilson(f * at_risk, at_risk)
    # The last one to go takes nothing back of what was known before.
    known = float(low[inside][-1]) if inside.any() else 0.0
    return np.where(inside, low, np.where(f == 0, 0.0, np.maximum(edge_low, known))), np.where(inside, high, edge_high)


def half_way(sets: RiskSets, horizon: float) -> tuple[float, float, float]:
    """The day on which the incidence reaches half its value at the horizon, with a 95 % interval; NaN where unknown.

    The interval holds the days t on which F(t) and F(horizon) / 2 cannot be told apart.
    """
    parts = _Terms.of(sets)
    upto = sets.times <= horizon
    if not upto.any() or parts.incidence[upto][-1] <= 0:
        return float("nan"), float("nan"), float("nan")
    times, f, s = sets.times[upto], parts.incidence[upto], parts.before[upto]
    loss, own, both = parts.loss[upto], parts.own[upto] * s**2, parts.both[upto] * s
    half = f[-1] / 2
    rest = (f[-1] - f) / 2
    lead = rest + f
    early = (
        np.cumsum(lead**2 * loss)
        - 2 * f * np.cumsum(lead * loss)
        + f**2 * np.cumsum(loss)
        + np.cumsum(own) / 4
        + np.cumsum(lead * both)
        - f * np.cumsum(both)
    )
    late = np.cumsum(rest**2 * loss + own / 4 - rest * both)
    spread = Z95 * np.sqrt(np.maximum(early + late[-1] - late, 0.0))
    return (
        _first(times, f >= half - 1e-12),
        _first(times, f + spread >= half),
        _first(times, f - spread >= half),
    )


def _first(times: Floats, reached: np.ndarray) -> float:
    return float(times[int(reached.argmax())]) if reached.any() else float("nan")


def estimate(
    table: pl.DataFrame,
    *,
    exit: str,  # noqa: A002 - the field's own word for the end of a time at risk
    outcome: str,
    entry: str | None = None,
    n: str | None = None,
    group: str | None = None,
    family: str | None = None,
    horizons: Sequence[float] = (90, 365),
    half_of: float = 365,
) -> Estimate:
    """Tables `curve` and `summary`, per group.

    Each row is `n` subjects watched from day `entry` (0: from the start) to day `exit`, both included, when there was
    the `outcome`: 'event', 'competing' or 'censored'. Rows with a null are left out.

    curve: `day incidence_pct low_pct high_pct at_risk`, at most about 120 days.
    summary: `n events competing observed_from_days`, per horizon `at_90_pct at_90_low at_90_high` (null where nobody
    was watched so long), `half_of_365_days` with `_low` and `_high`, `naive_median_days` (of those who got there, for
    comparison), and `group_p`, the log-rank test of the group's cause-specific hazard against the rest of its family.
    Where `observed_from_days` is above 0, incidence is among those to whom nothing had happened by then.
    """
    rows = complete(table, exit, entry, n).filter(pl.col(outcome).is_not_null())
    unknown = sorted(set(rows.get_column(outcome).unique()) - set(OUTCOMES))
    if unknown:
        raise ValueError(f"column {outcome!r} holds {unknown}; known are {sorted(OUTCOMES)}")
    found = groups(rows, group, family)
    spells = Spells(
        numbers(rows, entry) if entry is not None else np.zeros(rows.height),
        numbers(rows, exit),
        np.array([OUTCOMES[o] for o in rows.get_column(outcome)], dtype=np.int64),
        counts(rows, n),
    )
    parts = [spells[r] for r in found.rows]
    _, p = group_p(parts, found.family)
    results = [_one(part, np.array(horizons, dtype=np.float64), half_of) for part in parts]
    curve_schema = dict.fromkeys(("day", "incidence_pct", "low_pct", "high_pct"), pl.Float64) | {"at_risk": pl.Int64}
    names = _summary_schema(horizons, half_of)
    summary = {name: [s[name] for _, s in results] for name in names if name != "group_p"} | {"group_p": p}
    return Estimate(
        tables={
            "curve": found.long_frame([curve for curve, _ in results], curve_schema),
            "summary": found.frame(summary, names),
        },
        parameters={"left_out": table.height - rows.height, "half_of": half_of},
        withheld=None if rows.height else "There is nobody to watch.",
    )


def _summary_schema(horizons: Sequence[float], half_of: float) -> dict[str, type[pl.DataType]]:
    whole = dict.fromkeys(("n", "events", "competing"), pl.Int64)
    at = [f"at_{h:g}_{part}" for h in horizons for part in ("pct", "low", "high")]
    half = [f"half_of_{half_of:g}_{part}days" for part in ("", "low_", "high_")]
    rest = dict.fromkeys(("observed_from_days", *at, *half, "naive_median_days", "group_p"), pl.Float64)
    return {**whole, **rest}


def _one(spells: Spells, horizons: Floats, half_of: float) -> tuple[dict[str, Floats], dict[str, float]]:
    sets = risk_sets(spells)
    found = aalen_johansen(sets)
    last = float(spells.exit[spells.n > 0].max(initial=0.0))
    finished = len(sets.times) > 0 and found.remaining[-1] <= 1e-12

    def at(moments: Floats) -> tuple[Floats, Floats, Floats]:
        none = float(wilson(np.zeros(1), spells.n.sum(keepdims=True))[1][0])
        values = ((found.incidence, 0.0), (found.low, 0.0), (found.high, none))
        value, low, high = (100 * value_at(moments, sets.times, v, start) for v, start in values)
        return value, low, high

    days = thin(spells, sets.times, horizons)
    value, low, high = at(days)
    curve = {"day": days, "incidence_pct": value, "low_pct": low, "high_pct": high, "at_risk": at_risk_at(days, spells)}
    summary: dict[str, float] = {
        "n": float(spells.n.sum()),
        "events": float(spells.n[spells.kind == EVENT].sum()),
        "competing": float(spells.n[spells.kind == COMPETING].sum()),
        "observed_from_days": observed_from(spells),
        "naive_median_days": naive_median(spells),
    }
    for horizon, *figures in zip(horizons, *at(horizons), strict=True):
        known = horizon <= last or finished
        for part, figure in zip(("pct", "low", "high"), figures, strict=True):
            summary[f"at_{horizon:g}_{part}"] = float(figure) if known else float("nan")
    middle = half_way(sets, half_of) if half_of <= last or finished else (float("nan"),) * 3
    for part, figure in zip(("", "low_", "high_"), middle, strict=True):
        summary[f"half_of_{half_of:g}_{part}days"] = figure
    return curve, summary
