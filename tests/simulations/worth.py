"""What customers are still worth and how many there are: predicted from half of their life, held against the rest."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crmaudit.methods import buy_till_you_die, prediction, regularity, retention_curve, spend, steady_purchases
from crmaudit.methods.purchase_process import Array

WEEKS, DISCOUNT = 156.0, 0.1
FORCE = log(1 + DISCOUNT) / (365.25 / 7)
SPEND_P, SPEND_Q, SPEND_MEAN = 6.0, 4.0, 600.0
LEAVING = {"BG/NBD": (0.9, 2.5), "MBG/NBD": (0.9, 2.5), "Pareto/NBD": (0.9, 40.0)}
"""How customers leave, and the two parameters of it."""


@dataclass(frozen=True)
class Outcome:
    """One base: whether the interval of the total held what came, and figures predicted beside true ones."""

    is_held: bool
    each_held: float
    worth: float
    came: float
    active: float
    truly_active: float


@dataclass(frozen=True)
class Drawn:
    """Histories to now by customer, what each spent, what each will bring (discounted) and whether it is still there.

    `gaps` are the first two between purchases, NaN where there are not as many.
    """

    frequency: Array
    recency: Array
    age: Array
    spent: Array
    brings: Array
    is_active: NDArray[np.bool_]
    gaps: Array


def draw(rng: np.random.Generator, customers: int, leaving: str, *, regular: int = 1) -> Drawn:
    """A base of which customers joined over the last three years, and what it does in the next three.

    Gaps are gamma distributed with the shape `regular`: 1 makes the Poisson process of the models, 2 a steadier one.
    """
    first, second = LEAVING[leaving]
    age, rate = rng.uniform(1, WEEKS, customers), rng.gamma(0.8, 1 / 8.0, customers)
    level = SPEND_MEAN * (SPEND_Q - 1) / rng.gamma(SPEND_Q, 1, customers)
    p = rng.beta(first, second, customers) if "BG" in leaving else np.zeros(customers)
    until = np.full(customers, np.inf)
    if leaving == "Pareto/NBD":
        until = rng.exponential(1 / rng.gamma(first, 1 / second, customers))
    if leaving == "MBG/NBD":
        until = np.where(rng.random(customers) < p, 0.0, np.inf)
    clock, frequency, recency, brings = (np.zeros(customers) for _ in range(4))
    gaps = np.full((2, customers), np.nan)
    spent = rng.gamma(SPEND_P, level / SPEND_P)
    going = np.arange(customers)
    while going.size:
        clock[going] += rng.gamma(regular, 1 / (regular * rate[going]))
        going = going[clock[going] < np.minimum(until[going], age[going] + WEEKS)]
        amount, is_past = rng.gamma(SPEND_P, level[going] / SPEND_P), clock[going] <= age[going]
        past, later = going[is_past], going[~is_past]
        early = past[frequency[past] < 2]
        gaps[frequency[early].astype(np.intp), early] = clock[early] - recency[early]
        frequency[past] += 1
        recency[past] = clock[past]
        spent[past] += amount[is_past]
        brings[later] += amount[~is_past] * np.exp(-FORCE * (clock[later] - age[later]))
        leaves = going[rng.random(going.size) < p[going]]
        until[leaves] = clock[leaves]
    return Drawn(frequency, recency, age, spent, brings, until > age, gaps)


def on_a_rhythm(seed: int, leaving: str, *, customers: int = 1500, shape: int = 2) -> tuple[float, float] | None:
    """Customers told to be active where that is allowed for, and those who are; None where no rhythm is found."""
    base = draw(np.random.default_rng(seed), customers, leaving, regular=shape)
    first, second = base.gaps[:, np.isfinite(base.gaps).all(axis=0)]
    gaps = pl.DataFrame({"first": first, "second": second})
    found = regularity.estimate(gaps, first="first", second="second").tables["regularity"].row(0, named=True)
    histories = pl.DataFrame(
        {
            "frequency": base.frequency,
            "recency_weeks": np.floor(base.recency),
            "age_weeks": np.floor(base.age),
            "customers": 1,
        }
    )
    told = steady_purchases.estimate(histories, regularity=found["regularity"], floored_to=1.0).tables["steady"]
    if found["low"] is None or found["low"] <= 1.5 or told.is_empty():
        return None
    return told["active_customers"][0], float(base.is_active.sum())


def without_contract(seed: int, leaving: str, *, customers: int = 1500, regular: int = 1) -> Outcome | None:
    """None where the model or the interval is withheld."""
    base = draw(np.random.default_rng(seed), customers, leaving, regular=regular)
    histories = pl.DataFrame(
        {
            "period": "current",
            "frequency": base.frequency,
            "recency_weeks": np.floor(base.recency),
            "age_weeks": np.floor(base.age),
            "customers": 1,
            "future_purchases": None,
        }
    )
    purchases = buy_till_you_die.estimate(histories, horizons_weeks=[WEEKS], discount=DISCOUNT, floored_to=1.0).columns
    orders = pl.DataFrame({"frequency": base.frequency + 1, "mean_spend": base.spent / (base.frequency + 1)})
    spends = spend.estimate(orders, customers=None).columns
    if purchases is None or spends is None:
        return None
    each, mean = spends["expected_spend"], purchases["worth_mean"] * spends["expected_spend"]
    square = purchases["worth_squares"] * spends["order_square"] + purchases["worth_pairs"] * spends["spend_square"]
    moves = {f"purchases_{i}": purchases[f"worth_move_{i}"] * each for i in range(1, 5)}
    moves |= {f"spend_{i}": spends[f"spend_move_{i}"] * purchases["worth_mean"] for i in range(1, 4)}
    table = pl.DataFrame({"mean": mean, "variance": square - mean**2, "p_none": purchases["p_none"], **moves})
    found = prediction.estimate(table, moves=list(moves))
    if found.columns is None or moves["purchases_1"].null_count() or moves["spend_1"].null_count():
        return None
    total = found.tables["total"].row(0, named=True)
    low, high, came = found.columns["low"].to_numpy(), found.columns["high"].to_numpy(), float(base.brings.sum())
    return Outcome(
        total["low"] <= came <= total["high"],
        float(((base.brings >= low) & (base.brings <= high)).mean()),
        total["value"],
        came,
        float(purchases["p_alive"].to_numpy().sum()),
        float(base.is_active.sum()),
    )


def under_contract(seed: int, *, customers: int = 600, months: int = 36) -> Outcome | None:
    """Contracts signed over three years, each with a chance of its own of ending in a month; None where withheld."""
    rng = np.random.default_rng(seed)
    signed = rng.integers(0, months, customers)
    ends = rng.geometric(rng.beta(0.7, 12.0, customers))
    tenures = np.arange(1, months + 1)
    at_risk = [int(((ends >= t) & (signed >= t)).sum()) for t in tenures]
    lost = [int(((ends == t) & (signed >= t)).sum()) for t in tenures]
    counts = pl.DataFrame({"tenure": tenures, "at_risk": at_risk, "lost": lost}).filter(pl.col("at_risk") > 0)
    monthly = (1 + DISCOUNT) ** (1 / 12) - 1
    found = retention_curve.estimate(counts, project=months, discount=monthly)
    if found.withheld:
        return None
    running, price = ends > signed, rng.lognormal(4, 0.5, customers)
    ahead = found.tables["curve"].select(
        "tenure", "ahead_mean", "ahead_square", "ahead_low", "ahead_high", "ahead_move_1", "ahead_move_2"
    )
    here = pl.DataFrame({"tenure": signed[running].astype(np.float64), "price": price[running]})
    rows = here.with_columns(pl.col("tenure").cast(pl.Int64)).join(
        ahead, on="tenure", how="left", maintain_order="left"
    )
    table = rows.select(
        mean=pl.col("price") * pl.col("ahead_mean"),
        variance=pl.col("price") ** 2 * (pl.col("ahead_square") - pl.col("ahead_mean") ** 2),
        p_none=pl.lit(0.0),
        one=pl.col("price") * pl.col("ahead_move_1"),
        two=pl.col("price") * pl.col("ahead_move_2"),
    )
    total = prediction.estimate(table, moves=["one", "two"]).tables["total"].row(0, named=True)
    stays = np.minimum(ends[running] - signed[running] - 1 + rng.random(int(running.sum())), months)
    worth = -np.expm1(-log(1 + monthly) * stays) / log(1 + monthly)
    low, high = rows["ahead_low"].to_numpy(), rows["ahead_high"].to_numpy()
    came = float(worth @ price[running])
    within = float(((worth >= low) & (worth <= high)).mean())
    return Outcome(total["low"] <= came <= total["high"], within, total["value"], came, 1.0, 1.0)
