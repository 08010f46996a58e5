"""Reading a method's columns: numbers, counts, flags and groups out of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Schema = Mapping[str, type[pl.DataType]]

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
    """How many observations each row stands for (1 without a column); ValueError unless whole and not negative."""
    if name is None:
        return np.ones(table.height)
    values = numbers(table, name)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values == np.round(values)).all()):
        raise ValueError(f"column {name!r} holds something else than counts")
    return values


@dataclass(frozen=True)
class Ordered:
    """Observations in order, each distinct value once: `values`, and how many are up to and including each."""

    values: Floats
    upto: Floats

    @classmethod
    def of(cls, values: Floats, n: Floats) -> Ordered:
        """Sort observations, each standing for n of its kind."""
        distinct, place = np.unique(values[n > 0], return_inverse=True)
        return cls(distinct, np.cumsum(np.bincount(place, n[n > 0], minlength=len(distinct)).astype(np.float64)))

    @property
    def total(self) -> float:
        return float(self.upto[-1]) if len(self.upto) else 0.0

    def at(self, rank: float) -> float:
        """The observation with so many before it."""
        return float(self.values[np.searchsorted(self.upto, rank, side="right")])

    def quantile(self, share: float) -> float:
        """The quantile as SQL's `percentile_cont` has it; NaN where there is nothing."""
        if not self.total:
            return float("nan")
        place = share * (self.total - 1)
        low, high = self.at(float(np.floor(place))), self.at(float(np.ceil(place)))
        return low + (high - low) * (place - float(np.floor(place)))


@dataclass(frozen=True)
class Groups:
    """The groups of a table: `labels` has one row per group, in order; `rows` the numbers of its rows."""

    labels: pl.DataFrame
    rows: tuple[Ints, ...]
    family: Ints
    """One code per group: groups are compared within their family."""

    def frame(self, columns: Mapping[str, Sequence[float] | Floats], schema: Schema) -> pl.DataFrame:
        """One row per group: its labels and these columns; NaN becomes null."""
        return self.labels.hstack(_frame(columns, schema))

    def long_frame(self, parts: Sequence[Mapping[str, Floats]], schema: Schema) -> pl.DataFrame:
        """Several rows per group: its labels beside each row of its part; NaN becomes null."""
        lengths = [len(next(iter(part.values()))) for part in parts]
        joined = {name: np.concatenate([part[name] for part in parts] or [np.empty(0)]) for name in schema}
        repeated = self.labels[np.repeat(np.arange(len(parts)), lengths)] if parts else self.labels
        return repeated.hstack(_frame(joined, schema))


def _frame(columns: Mapping[str, Any], schema: Schema) -> pl.DataFrame:
    built = {name: pl.Series(name, columns[name], dtype=pl.Float64, strict=False) for name in schema}
    return pl.DataFrame(built).select(pl.col(name).fill_nan(None).cast(kind) for name, kind in schema.items())


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
