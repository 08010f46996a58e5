"""Purchase histories for tests: simulated bases whose truth is known, and CDNOW where it is at hand."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crmaudit.methods.purchase_process import Array, Histories


def shared_data(name: str) -> Path:
    """A file of the shared folder beside the checkout; the test is skipped where there is none."""
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    path = Path(os.environ.get("CRMAUDIT_SHARED", beside)) / "data" / name
    if not path.exists():
        pytest.skip(f"no shared data: {name}")
    return path


def cdnow() -> Histories:
    """The 2,357 customers of the 1/10 sample after 39 weeks, with the recency and age of two decimals as published."""
    table = pl.read_csv(shared_data("cdnow/cdnow_customers_summary.csv"))
    x, last, age = (table[c].cast(pl.Float64).to_numpy() for c in ("frequency", "recency", "T"))
    return Histories(x, last, age, np.ones(x.size))


def cdnow_until(day: date, holdout_weeks: int) -> pl.DataFrame:
    """The same customers to the day, and how many purchase days each has in the weeks after."""
    columns = ["master", "id", "day", "items", "amount"]
    text = shared_data("cdnow/CDNOW_sample.txt").read_text().split()
    rows = pl.DataFrame([text[i::5] for i in range(5)], schema=columns, orient="col")
    rows = rows.select("id", pl.col("day").str.to_date("%Y%m%d")).unique().sort("id", "day")
    end = day + timedelta(weeks=holdout_weeks)
    seen = pl.col("day") <= day
    return (
        rows.group_by("id", maintain_order=True)
        .agg(
            frequency=seen.sum() - 1,
            recency=(pl.col("day").filter(seen).max() - pl.col("day").min()).dt.total_days() / 7,
            age=(day - pl.col("day").min()).dt.total_days() / 7,
            future=((pl.col("day") > day) & (pl.col("day") <= end)).sum(),
        )
        .sort("id")
    )


def one(frequency: float, recency: float, age: float) -> Histories:
    return Histories(*(np.array([float(v)]) for v in (frequency, recency, age, 1)))


@dataclass(frozen=True)
class Base:
    """A simulated base: what was seen until `age`, and what nobody sees: who has left, and who leaves and buys when."""

    frequency: Array
    recency: Array
    age: Array
    left_after: Array
    future: Array

    @property
    def histories(self) -> Histories:
        return Histories(self.frequency, self.recency, self.age, np.ones(self.age.size))

    def table(self, period: str, *, whole_weeks: bool = True) -> pl.DataFrame:
        clock = np.floor if whole_weeks else np.asarray
        return (
            pl.DataFrame(
                {
                    "period": period,
                    "frequency": self.frequency.astype(np.int64),
                    "recency_weeks": clock(self.recency),
                    "age_weeks": clock(self.age),
                    "future_purchases": self.future.astype(np.int64) if period == "holdout" else None,
                },
                schema_overrides={"future_purchases": pl.Int64},
            )
            .group_by(pl.all())
            .agg(customers=pl.len())
            .sort(pl.all())
        )


def simulate(
    age: Array,
    rng: np.random.Generator,
    *,
    shape: float = 0.8,
    rate: float = 8.0,
    leaving: str = "MBG/NBD",
    first: float = 0.9,
    second: float = 2.5,
    ahead: float = 52.0,
) -> Base:
    """Customers who buy as these models say and leave as `leaving` says: at a purchase, at any time, or never."""
    n = age.size
    rates = rng.gamma(shape, 1 / rate, n)
    p = rng.beta(first, second, n) if "BG" in leaving else np.zeros(n)
    until = np.full(n, np.inf)
    if leaving == "Pareto/NBD":
        until = rng.exponential(1 / rng.gamma(first, 1 / second, n))
    if leaving == "MBG/NBD":
        until = np.where(rng.random(n) < p, 0.0, np.inf)
    clock, frequency, recency, future = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    going = np.arange(n)
    while going.size:
        clock[going] += rng.exponential(1 / rates[going])
        going = going[clock[going] < np.minimum(until[going], age[going] + ahead)]
        seen = going[clock[going] <= age[going]]
        frequency[seen] += 1
        recency[seen] = clock[seen]
        future[going] += clock[going] > age[going]
        leaves = going[rng.random(going.size) < p[going]]
        until[leaves] = clock[leaves]
    return Base(frequency, recency, age, until, future)
