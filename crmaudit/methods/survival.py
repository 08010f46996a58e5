"""How long until it happens, with those still waiting counted for what they are: Kaplan-Meier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, complete, counts, groups, numbers
from crmaudit.methods.rates import wilson
from crmaudit.methods.risk_sets import (
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
    "Kaplan, E. L. & Meier, P. (1958). Nonparametric estimation from incomplete observations. JASA 53, 457-481.",
    "Brookmeyer, R. & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.",
    "Mantel, N. (1966). Evaluation of survival data and two new rank order statistics. Cancer Chemotherapy Reports 50, "
    "163-170.",
    "Lai, T. L. & Ying, Z. (1991). Estimating a distribution function with truncated and censored data. Annals of "
    "Statistics 19, 417-442.",
)


@dataclass(frozen=True)
class Survival:
    """The share still waiting from each event time on, 0 to 1, with its 95 % interval."""

    times: Floats
    surviving: Floats
    low: Floats
    high: Floats


def kaplan_meier(sets: RiskSets) -> Survival:
    """Kaplan-Meier with Greenwood's variance on the log-log scale."""
    y, d = sets.at_risk, sets.events
    surviving = np.cumprod(1 - d / y).astype(np.float64)
    greenwood = np.cumsum(np.divide(d, y * (y - d), out=np.zeros_like(y), where=y > d))
    inside = (surviving > 0) & (surviving < 1)
    log = np.log(np.where(inside, surviving, 0.5))
    factor = np.exp(Z95 * np.sqrt(greenwood) / np.abs(log))
    low, high = np.exp(log * factor), np.exp(log / factor)
    # At 0 the log-log interval does not exist; Wilson's of those then at risk does, but takes nothing back.
    _, edge = wilson(np.zeros_like(y), y)
    edge = np.minimum(edge, high[inside][-1] if inside.any() else 1.0)
    return Survival(sets.times, surviving, np.where(inside, low, 0.0), np.where(inside, high, edge))


def quantile(curve: Survival, share: float) -> tuple[float, float, float]:
    """The time by which this share has had the event, with a 95 % interval (Brookmeyer-Crowley); NaN where never."""
    return tuple(  # type: ignore[return-value]
        _first(curve.times, line <= 1 - share + 1e-12) for line in (curve.surviving, curve.low, curve.high)
    )


def _first(times: Floats, reached: np.ndarray) -> float:
    return float(times[int(reached.argmax())]) if reached.any() else float("nan")


def estimate(
    table: pl.DataFrame,
    *,
    duration: str,
    event: str,
    n: str | None = None,
    entry: str | None = None,
    group: str | None = None,
    family: str | None = None,
    unit: str = "days",
    percentiles: Sequence[int] = (25, 50, 75),
    horizons: Sequence[float] = (),
) -> Estimate:
    """Tables `curve` and `summary`, per group; column names end in the unit of the clock, `days` or `hours`.

    Each row is `n` subjects watched from `entry` (0: from the start) to `duration`, both included; `event` is true or 1
    where it happened then, false or 0 where it had not yet (censored). Rows with a null are left out.

    curve: `elapsed_days surviving_pct low_pct high_pct at_risk`, at most about 120 moments.
    summary: `n events observed_from_days`, per percentile `p25_days p25_low_days p25_high_days` (`median_days` for the
    50th; null where so many never get there), `naive_median_days` of those to whom it happened, per horizon
    `at_30_pct at_30_low at_30_high` (surviving; null where nobody was watched so long), and `group_chi2`, `group_p`:
    the log-rank test of the group against the rest of its family.
    """
    rows = complete(table, duration, event, entry, n)
    happened = numbers(rows, event)
    if not np.isin(happened, (0.0, 1.0)).all():
        raise ValueError(f"column {event!r} holds something else than true and false")
    found = groups(rows, group, family)
    spells = Spells(
        numbers(rows, entry) if entry is not None else np.zeros(rows.height),
        numbers(rows, duration),
        happened.astype(np.int64) * EVENT,
        counts(rows, n),
    )
    parts = [spells[r] for r in found.rows]
    chi2, p = group_p(parts, found.family)
    results = [_one(part, unit, percentiles, np.array(horizons, dtype=np.float64)) for part in parts]
    curve_schema = dict.fromkeys((f"elapsed_{unit}", "surviving_pct", "low_pct", "high_pct"), pl.Float64)
    names = _summary_schema(unit, percentiles, horizons)
    tests = {"group_chi2": chi2, "group_p": p}
    summary = {name: [s[name] for _, s in results] for name in names if name not in tests} | tests
    return Estimate(
        tables={
            "curve": found.long_frame([curve for curve, _ in results], curve_schema | {"at_risk": pl.Int64}),
            "summary": found.frame(summary, names),
        },
        parameters={"left_out": table.height - rows.height},
        withheld=None if rows.height else "There is nobody to watch.",
    )


def _summary_schema(unit: str, percentiles: Sequence[int], horizons: Sequence[float]) -> dict[str, type[pl.DataType]]:
    times = [f"{_name(q)}_{part}{unit}" for q in percentiles for part in ("", "low_", "high_")]
    at = [f"at_{h:g}_{part}" for h in horizons for part in ("pct", "low", "high")]
    figures = (f"observed_from_{unit}", *times, f"naive_median_{unit}", *at, "group_chi2", "group_p")
    return {**dict.fromkeys(("n", "events"), pl.Int64), **dict.fromkeys(figures, pl.Float64)}


def _name(percentile: int) -> str:
    return "median" if percentile == 50 else f"p{percentile}"


def _one(
    spells: Spells, unit: str, percentiles: Sequence[int], horizons: Floats
) -> tuple[dict[str, Floats], dict[str, float]]:
    sets = risk_sets(spells)
    found = kaplan_meier(sets)
    last = float(spells.exit[spells.n > 0].max(initial=0.0))
    finished = len(sets.times) > 0 and found.surviving[-1] <= 1e-12

    def at(moments: Floats) -> tuple[Floats, Floats, Floats]:
        all_low = float(wilson(spells.n.sum(keepdims=True), spells.n.sum(keepdims=True))[0][0])
        lines = ((found.surviving, 1.0), (found.low, all_low), (found.high, 1.0))
        value, low, high = (100 * value_at(moments, sets.times, v, start) for v, start in lines)
        return value, low, high

    moments = thin(spells, sets.times, horizons)
    value, low, high = at(moments)
    curve = {f"elapsed_{unit}": moments, "surviving_pct": value, "low_pct": low, "high_pct": high}
    summary: dict[str, float] = {
        "n": float(spells.n.sum()),
        "events": float(spells.n[spells.kind == EVENT].sum()),
        f"observed_from_{unit}": observed_from(spells),
        f"naive_median_{unit}": naive_median(spells),
    }
    for q in percentiles:
        for part, figure in zip(("", "low_", "high_"), quantile(found, q / 100), strict=True):
            summary[f"{_name(q)}_{part}{unit}"] = figure
    for horizon, *figures in zip(horizons, *at(horizons), strict=True):
        known = horizon <= last or finished
        for part, figure in zip(("pct", "low", "high"), figures, strict=True):
            summary[f"at_{horizon:g}_{part}"] = float(figure) if known else float("nan")
    return curve | {"at_risk": at_risk_at(moments, spells)}, summary
