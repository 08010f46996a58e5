"""Reading a method's columns: numbers, counts, flags and groups out of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Z95 = 1.959963984540054
"""The 97.5 % point of the normal distribution: every interval here is one of 95 %."""


def numbers(table: pl.DataFrame, name: str) -> Floats:
    """A column as floats, one per row, null as NaN; ValueError where it is absent or no number."""
    if name not in table.columns:
        raise ValueError(f"the table has no column {name!r}")
    column = table.get_column(name)
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        raise ValueError(f"column {name!r} is {column.dtype}, not a number")
    return np.array(column.cast(pl.Float64).fill_null(float("nan")), dtype=np.float64)


def complete(table: pl.DataFrame, *names: str | None) -> pl.DataFrame:
    """The rows in which none of these columns is null or NaN."""
    for name in names:
        if name is not None:
            table = table.filter(np.isfinite(numbers(table, name)))
    return table


def counts(table: pl.DataFrame, name: str | None) -> Floats:
    """How many observations each row stands for (1 where no column is named); ValueError unless whole and not negative."""
    if name is None:
        return np.ones(table.height)
    values = numbers(table, name)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values == np.round(values)).all()):
        raise ValueError(f"column {name!r} holds something else than counts")
    return values


def weighted_quantile(values: Floats, n: Floats, share: float) -> float:
    """The quantile as `percentile_cont` has it, each value standing for n of its kind; NaN where there is none."""
    total = float(n.sum())
    if total == 0:
        return float("nan")
    order = np.argsort(values, kind="stable")
    ordered, upto = values[order], np.cumsum(n[order])
    place = share * (total - 1)
    below, above = np.floor(place), np.ceil(place)
    low, high = (float(ordered[np.searchsorted(upto, rank, side="right")]) for rank in (below, above))
    return low + (high - low) * float(place - below)


@dataclass(frozen=True)
class Groups:
    """The groups of a table: `labels` has one row per group, in order; `rows` the numbers of its rows."""

    labels: pl.DataFrame
    rows: tuple[Ints, ...]
    family: Ints
    """One code per group: groups are compared within their family."""

    def frame(self, columns: dict[str, Sequence[Any] | Floats], schema: dict[str, Any]) -> pl.DataFrame:
        """One row per group: its labels and these columns; NaN becomes null."""
        return self.labels.hstack(_frame(columns, schema))

    def long_frame(self, parts: Sequence[dict[str, Floats]], schema: dict[str, Any]) -> pl.DataFrame:
        """Several rows per group: its labels beside each row of its part; NaN becomes null."""
        lengths = [len(next(iter(part.values()))) for part in parts]
        joined = {name: np.concatenate([part[name] for part in parts] or [np.empty(0)]) for name in schema}
        repeated = self.labels[np.repeat(np.arange(len(parts)), lengths)] if parts else self.labels
        return repeated.hstack(_frame(joined, schema))


def _frame(columns: dict[str, Any], schema: dict[str, Any]) -> pl.DataFrame:
    built = {name: pl.Series(name, columns[name], dtype=pl.Float64, strict=False) for name in schema}
    return pl.DataFrame(built).select(pl.all().fill_nan(None)).cast(schema)


def groups(table: pl.DataFrame, group: str | None, family: str | None = None) -> Groups:
    """The rows of each group, sorted by family and group with nulls last; without a group column one called `all`."""
    if group is None:
        labels = pl.DataFrame({"group": ["all"]}) if table.height else pl.DataFrame(schema={"group": pl.String})
        return Groups(
            labels, (np.arange(table.height),) if table.height else (), np.zeros(labels.height, dtype=np.int64)
        )
    keys = [group] if family is None else [family, group]
    for key in keys:
        if key not in table.columns:
            raise ValueError(f"the table has no column {key!r}")
    found = (
        table.select(keys)
        .with_row_index("row number")
        .group_by(keys, maintain_order=True)
        .agg(pl.col("row number"))
        .sort(keys, nulls_last=True)
    )
    rows = tuple(np.array(r, dtype=np.int64) for r in found.get_column("row number"))
    labels = found.select(keys)
    codes = (
        np.zeros(labels.height) if family is None else labels.get_column(family).rank("dense").fill_null(0).to_numpy()
    )
    return Groups(labels, rows, np.asarray(codes, dtype=np.int64))
