"""What is typical: medians and other percentiles with intervals, and whether two groups differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import betainc

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Z95, Floats, Ints, Ordered, complete, counts, groups, numbers
from crmaudit.methods.permutation import score_test

PAPERS = (
    "Thompson, W. R. (1936). On confidence ranges for the median and other expectation distributions. Annals of "
    "Mathematical Statistics 7, 122-128.",
    "Hodges, J. L. & Lehmann, E. L. (1963). Estimates of location based on rank tests. Annals of Mathematical "
    "Statistics 34, 598-611.",
    "Mann, H. B. & Whitney, D. R. (1947). On a test of whether one of two random variables is stochastically larger "
    "than the other. Annals of Mathematical Statistics 18, 50-60.",
)

MOST_VALUES = 20_000
"""A group with more distinct values is thinned to so many of its quantiles before all pairs are compared."""


def percentile(sample: Ordered, share: float) -> tuple[float, float, float]:
    """A percentile with the two order statistics that hold it with at least 95 %; NaN where none do (n < 6)."""
    n = sample.total
    if not n:
        return float("nan"), float("nan"), float("nan")
    reach = 8 * np.sqrt(n * share * (1 - share)) + 3
    ranks = np.arange(max(0.0, np.floor(n * share - reach)), min(n, np.ceil(n * share + reach)))
    below = betainc(n - ranks, ranks + 1, 1 - share)
    low, high = ranks[below <= 0.025], ranks[below >= 0.975]
    return (
        sample.quantile(share),
        # Ranks count from 0 in `at`: with k values or fewer below it in 2.5 % of samples, the next one is the bound.
        sample.at(float(low[-1])) if len(low) else float("nan"),
        sample.at(float(high[0])) if len(high) else float("nan"),
    )


def mann_whitney(first: Ordered, second: Ordered) -> float:
    """Two-sided p that neither of two samples tends to be larger, ties allowed; NaN where all values are the same."""
    values = np.union1d(first.values, second.values)
    mine, other = (_at_each(values, sample) for sample in (first, second))
    return _ranked(mine, mine + other)


def _ranked(mine: Floats, both: Floats) -> float:
    doubled_midranks = 2 * np.cumsum(both) - both
    return score_test(doubled_midranks, mine, both).p


def _at_each(values: Floats, sample: Ordered) -> Floats:
    each = np.zeros(len(values))
    each[np.searchsorted(values, sample.values)] = np.diff(sample.upto, prepend=0.0)
    return each


def shift(before: Ordered, after: Ordered) -> tuple[float, float, float]:
    """How much larger the second sample is: the median difference over all pairs (Hodges-Lehmann), with its interval.

    The 95 % interval turns the rank test around. NaN where a side is empty; the interval where there are too few.
    """
    pairs = before.total * after.total
    if not pairs:
        return float("nan"), float("nan"), float("nan")
    spread = Z95 * np.sqrt(pairs * (before.total + after.total + 1) / 12)
    outer = float(np.floor(pairs / 2 + 0.5 - spread))
    first, second = _thinned(before), _thinned(after)
    middle = [_difference(first, second, rank) for rank in (np.floor((pairs + 1) / 2), np.ceil((pairs + 1) / 2))]
    low, high = (
        _difference(first, second, rank) if outer >= 1 else float("nan") for rank in (outer, pairs + 1 - outer)
    )
    return sum(middle) / 2, low, high


def _thinned(sample: Ordered) -> Ordered:
    if len(sample.values) <= MOST_VALUES:
        return sample
    ranks = np.floor((np.arange(MOST_VALUES) + 0.5) * sample.total / MOST_VALUES)
    values = sample.values[np.searchsorted(sample.upto, ranks, side="right")]
    return Ordered.of(values, np.full(MOST_VALUES, sample.total / MOST_VALUES))


def _difference(before: Ordered, after: Ordered, rank: float) -> float:
    """The difference, second less first, that is the `rank`th smallest (from 1) of all pairs."""
    weight = np.diff(before.upto, prepend=0.0)
    upto = np.concatenate([[0.0], after.upto])
    low = float(after.values[0] - before.values[-1])
    high = float(after.values[-1] - before.values[0])
    # What rounding makes of the sum of two values of this size.
    slack = 1e-12 * max(float(np.abs(before.values).max()), float(np.abs(after.values).max()), 1e-300)

    def up_to(difference: float) -> np.ndarray:
        return np.searchsorted(after.values, before.values + difference + slack, side="right")

    tolerance = rank - 1e-6
    below = low - 1 - abs(low)
    while high - below > slack:
        middle = (below + high) / 2
        if middle in {below, high}:
            break
        if float((weight * upto[up_to(middle)]).sum()) >= tolerance:
            high = middle
        else:
            below = middle
    places = up_to(high)
    reached = places > 0
    return float((after.values[places[reached] - 1] - before.values[reached]).max())


def estimate(
    table: pl.DataFrame,
    *,
    value: str,
    n: str | None = None,
    group: str | None = None,
    family: str | None = None,
    unit: str | None = None,
    percentiles: Sequence[int] = (25, 50, 75),
    change: Sequence[str] | None = None,
) -> Estimate:
    """Table `typical` per group, and `change` between two groups where `change = [before, after]` names them.

    Each row is `n` observations of `value`; nulls are left out. Names end in `_unit` where one is given.
    typical: `n`, per percentile `p25 p25_low p25_high` (`median` for the 50th) with the distribution-free interval,
    at least as wide as 95 % asks and null where there are too few; and `group_p`, the Mann-Whitney test of the group
    against the rest of its family.
    change: `before after n_before n_after median_before median_after median_change_pct`, `shift shift_low shift_high`
    (Hodges-Lehmann) and `p` (Mann-Whitney).
    """
    rows = complete(table, value, n)
    found = groups(rows, group, family)
    values, weights = numbers(rows, value), counts(rows, n)
    samples = [Ordered.of(values[r], weights[r]) for r in found.rows]
    suffix = f"_{unit}" if unit else ""
    names = ["median" if q == 50 else f"p{q}" for q in percentiles]
    columns: dict[str, list[float]] = {"n": [sample.total for sample in samples]}
    for q, name in zip(percentiles, names, strict=True):
        figures = [percentile(sample, q / 100) for sample in samples]
        for place, part in enumerate(("", "_low", "_high")):
            columns[f"{name}{part}{suffix}"] = [figure[place] for figure in figures]
    columns["group_p"] = _against_rest(samples, found.family)
    schema = {name: pl.Int64 if name == "n" else pl.Float64 for name in columns}
    tables = {"typical": found.frame(columns, schema)}
    if change is not None:
        if group is None or len(change) != 2:
            raise ValueError("change names two values of the group column")
        before, after = change
        tables["change"] = _change(dict(zip(_texts(found.labels[group]), samples, strict=True)), before, after, suffix)
    return Estimate(
        tables=tables,
        parameters={"left_out": table.height - rows.height},
        withheld=None if rows.height else "There is nothing to describe.",
    )


def _texts(labels: pl.Series) -> list[str]:
    return labels.cast(pl.String).fill_null("").to_list()


def _against_rest(samples: Sequence[Ordered], family: Ints) -> list[float]:
    p = [float("nan")] * len(samples)
    for code in np.unique(family):
        members: list[int] = np.flatnonzero(family == code).tolist()
        whole = Ordered.of(
            np.concatenate([samples[m].values for m in members]),
            np.concatenate([np.diff(samples[m].upto, prepend=0.0) for m in members]),
        )
        for m in members:
            p[m] = _ranked(_at_each(whole.values, samples[m]), np.diff(whole.upto, prepend=0.0))
    return p


def _change(samples: dict[str, Ordered], before: str, after: str, suffix: str) -> pl.DataFrame:
    nothing = Ordered(np.empty(0), np.empty(0))
    first, second = samples.get(before, nothing), samples.get(after, nothing)
    medians = first.quantile(0.5), second.quantile(0.5)
    figures = (
        *medians,
        100 * (medians[1] / medians[0] - 1) if medians[0] else float("nan"),
        *shift(first, second),
        mann_whitney(first, second) if first.total and second.total else float("nan"),
    )
    names = (
        *(f"{name}{suffix}" for name in ("median_before", "median_after")),
        "median_change_pct",
        *(f"{name}{suffix}" for name in ("shift", "shift_low", "shift_high")),
        "p",
    )
    return pl.DataFrame(
        {"before": [before], "after": [after], "n_before": [int(first.total)], "n_after": [int(second.total)]}
        | {
            name: pl.Series([figure], dtype=pl.Float64).fill_nan(None)
            for name, figure in zip(names, figures, strict=True)
        }
    )
