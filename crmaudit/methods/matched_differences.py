"""How much more often does it follow than for controls drawn from the same risk set: differences of shares, by sets.

Each set is one case and the controls that were like it on its day. The difference is the mean over sets of the case's
outcome less the mean of its controls', so that a set counts once whatever its size. One subject may be a case several
times, and a control in many sets: errors are those of subjects, whose parts in all sets are added up first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import stdtr, stdtrit

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Floats, complete, groups, numbers

PAPERS = (
    "Langholz, B. & Goldstein, L. (1996). Risk set sampling in epidemiologic cohort studies. Statistical Science 11, "
    "35-53.",
    "Liang, K.-Y. & Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models. Biometrika 73, "
    "13-22.",
    "Agresti, A. & Caffo, B. (2000). Simple and effective confidence intervals for proportions and differences of "
    "proportions result from adding two successes and two failures. The American Statistician 54, 280-288.",
)

LEAST_SETS = 10

COLUMNS = {
    **dict.fromkeys(("sets", "controls"), pl.Int64),
    **dict.fromkeys(("case_pct", "control_pct", "difference_points", "low_points", "high_points", "p"), pl.Float64),
}


@dataclass(frozen=True)
class Difference:
    """Shares of cases and controls (0 to 1), and each subject's part in the error of their difference."""

    sets: float
    controls: float
    case: float
    control: float
    subjects: pl.DataFrame
    """Columns `subject` and `part`."""

    @property
    def value(self) -> float:
        return self.case - self.control

    @property
    def least_variance(self) -> float:
        """That of as many independent observations, a success and a failure added: no event at all is no certainty."""
        case, control = ((p * n + 1) / (n + 2) for p, n in ((self.case, self.sets), (self.control, self.controls)))
        return case * (1 - case) / (self.sets + 2) + control * (1 - control) / (self.controls + 2)


def difference(rows: pl.DataFrame) -> Difference | None:
    """The difference over the sets of `rows` (`set subject case outcome`); None with fewer than ten whole sets."""
    whole = rows.filter((pl.col("case").sum().over("set") == 1) & (pl.len().over("set") > 1))
    sets = whole.get_column("set").n_unique()
    if sets < LEAST_SETS:
        return None
    weight = pl.when(pl.col("case") == 1).then(1.0).otherwise(1.0 / (pl.len().over("set") - 1)) / sets
    whole = whole.with_columns(weight.alias("weight"))
    shares = {}
    for side in (0, 1):
        one = whole.filter(pl.col("case") == side)
        shares[side] = float((one.get_column("weight") * one.get_column("outcome")).sum())
    sign = pl.when(pl.col("case") == 1).then(1.0).otherwise(-1.0)
    centre = pl.when(pl.col("case") == 1).then(shares[1]).otherwise(shares[0])
    parts = whole.with_columns((sign * pl.col("weight") * (pl.col("outcome") - centre)).alias("part"))
    subjects = parts.group_by("subject").agg(pl.col("part").sum()).sort("subject")
    return Difference(float(sets), float(whole.height - sets), shares[1], shares[0], subjects)


def tested(value: float, parts: Floats, least_variance: float) -> tuple[float, float, float]:
    """The 95 % interval and the two-sided p of a value whose error is the sum of independent subjects' parts."""
    n = len(parts)
    error = float(np.sqrt(max((parts**2).sum() * n / (n - 1), least_variance)))
    half = float(stdtrit(n - 1, 0.975)) * error
    return value - half, value + half, float(2 * stdtr(n - 1, -abs(value) / error))


def estimate(
    table: pl.DataFrame,
    *,
    matched_set: str,
    subject: str,
    is_case: str,
    outcome: str,
    group: str,
    first: str,
    second: str,
) -> Estimate:
    """Tables `differences`, per group, and `contrast`: the difference of group `first` less that of `second`.

    Each row is a subject in a set: `is_case` or a control, and its `outcome` (0 or 1). Sets without one case and a
    control are left out.

    differences: `<group> sets controls case_pct control_pct difference_points low_points high_points p`.
    contrast: `difference_points low_points high_points p`. All null with fewer than ten sets.
    """
    rows = complete(table, is_case, outcome)
    if not np.isin(numbers(rows, outcome), (0.0, 1.0)).all() or not np.isin(numbers(rows, is_case), (0.0, 1.0)).all():
        raise ValueError(f"columns {is_case!r} and {outcome!r} are flags")
    told = rows.select(
        pl.col(matched_set).alias("set"),
        pl.col(subject).alias("subject"),
        pl.col(is_case).cast(pl.Int64).alias("case"),
        pl.col(outcome).cast(pl.Float64).alias("outcome"),
    )
    found = groups(rows, group)
    names = found.labels.get_column(group).to_list() if rows.height else []
    differences = {name: difference(told[r]) for name, r in zip(names, found.rows, strict=True)}
    results = [_told(differences[name]) for name in names]
    contrast = {
        "difference_points": float("nan"),
        "low_points": float("nan"),
        "high_points": float("nan"),
        "p": float("nan"),
    }
    one, other = differences.get(first), differences.get(second)
    if one is not None and other is not None:
        # Who is in sets of both groups is one subject still.
        both = one.subjects.join(other.subjects, on="subject", how="full", coalesce=True).fill_null(0.0)
        parts = (both.get_column("part") - both.get_column("part_right")).to_numpy()
        gap = one.value - other.value
        low, high, p = tested(gap, parts, one.least_variance + other.least_variance)
        contrast = {"difference_points": 100 * gap, "low_points": 100 * low, "high_points": 100 * high, "p": p}
    columns = {name: [result.get(name, float("nan")) for result in results] for name in COLUMNS}
    whole = pl.DataFrame([contrast], schema=dict.fromkeys(contrast, pl.Float64))
    return Estimate(
        tables={
            "differences": found.frame(columns, COLUMNS),
            "contrast": whole.select(pl.all().fill_nan(None)),
        }
    )


def _told(found: Difference | None) -> dict[str, float]:
    if found is None:
        return {}
    low, high, p = tested(found.value, found.subjects.get_column("part").to_numpy(), found.least_variance)
    return {
        "sets": found.sets,
        "controls": found.controls,
        "case_pct": 100 * found.case,
        "control_pct": 100 * found.control,
        "difference_points": 100 * found.value,
        "low_points": 100 * low,
        "high_points": 100 * high,
        "p": p,
    }
