"""False-discovery control over one family of tests, and over families of families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Floats, groups, numbers

PAPERS = (
    "Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289-300.",
    "Simes, R. J. (1986). An improved Bonferroni procedure for multiple tests of significance. Biometrika 73, 751-754.",
    "Benjamini, Y. & Bogomolov, M. (2014). Selective inference on multiple families of hypotheses. JRSS B 76, 297-318.",
)


def benjamini_hochberg(p: Sequence[float | None] | Floats) -> tuple[float | None, ...]:
    """The q-value of each p: the smallest level at which Benjamini-Hochberg rejects it. None and NaN stay None."""
    known, where = _known(p)
    q: list[float | None] = [None] * len(p)
    for place, value in zip(where, _adjusted(known), strict=True):
        q[place] = float(value)
    return tuple(q)


def simes(p: Sequence[float | None] | Floats) -> float | None:
    """The p of the hypothesis that nothing in the family is real; None for a family without a test."""
    known, _ = _known(p)
    return float(_adjusted(known).min()) if len(known) else None


def control(families: Mapping[str, Sequence[float | None]]) -> dict[str, tuple[float | None, ...]]:
    """The q of every hypothesis under hierarchical control, family by family, in the order given.

    At level q: Simes' p of each of the m families, Benjamini-Hochberg over them selects R, and within each selected
    family Benjamini-Hochberg runs at level q R / m. A hypothesis is rejected at level q exactly where its returned
    value is at most q, whatever the level: the average false-discovery rate over the selected families is then at most
    q. None and NaN stay None and count as no test; a family of nothing else counts as no family.
    """
    tested = {name: p for name, p in families.items() if simes(p) is not None}
    selected_at = _adjusted(np.array([simes(p) for p in tested.values()], dtype=np.float64))
    level_of = dict(zip(tested, selected_at, strict=True))
    steps = np.sort(selected_at)
    return {
        name: tuple(
            None if within is None else _smallest_level(within, float(level_of[name]), steps)
            for within in benjamini_hochberg(p)
        )
        for name, p in families.items()
    }


def _smallest_level(within: float, selected_at: float, steps: Floats) -> float:
    """The smallest level q >= selected_at with q R(q) / m >= within, where R(q) counts the steps up to q."""
    m = len(steps)
    for r in range(1, m + 1):
        level = max(selected_at, float(steps[r - 1]), within * m / r)
        if r == m or level < steps[r]:
            return level
    raise AssertionError("the last step has no upper end")


def _known(p: Sequence[float | None] | Floats) -> tuple[Floats, list[int]]:
    values = np.array([np.nan if v is None else v for v in p], dtype=np.float64)
    where = np.flatnonzero(~np.isnan(values))
    if ((values[where] < 0) | (values[where] > 1)).any():
        raise ValueError("a p-value lies outside 0 to 1")
    return values[where], where.tolist()


def _adjusted(p: Floats) -> Floats:
    order = np.argsort(p, kind="stable")
    ratio = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty_like(p)
    q[order] = np.minimum.accumulate(ratio[::-1])[::-1]
    return q


def estimate(table: pl.DataFrame, *, p: str = "p", family: str | None = None) -> Estimate:
    """A `q` beside each row's p: over the whole table, or hierarchical where a family column is named."""
    values = numbers(table, p)
    q = np.full(table.height, np.nan)
    if family is None:
        q[:] = np.array(benjamini_hochberg(values), dtype=np.float64)
    else:
        rows = {str(place): r for place, r in enumerate(groups(table, family).rows)}
        for name, found in control({name: tuple(values[r]) for name, r in rows.items()}).items():
            q[rows[name]] = np.array(found, dtype=np.float64)
    tests = int((~np.isnan(values)).sum())
    columns = pl.DataFrame({"q": pl.Series(q, dtype=pl.Float64).fill_nan(None)})
    return Estimate(columns=columns, parameters={"tests": tests})
