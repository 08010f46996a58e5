"""After how much silence is a customer overdue, given their own rhythm and everybody else's.

Customers buy at random, each at a rate of their own; the rates are gamma distributed (shape r, rate alpha) over the
base or the segment. What is known of a customer up to their last purchase (x repeat purchases within the time t_x)
makes that gamma (r + x, alpha + t_x), and the next gap Lomax distributed:

    P(gap > g) = ((alpha + t_x) / (alpha + t_x + g))^(r + x)

Its median is the typical gap, its 80th percentile the silence after which a customer is overdue, its 99th the one after
which they have lapsed.

The silence itself does not enter the rate: the question is whether it is unusual for the customer known before it. To
count it as time without purchases would let every silence lengthen its own limit, and the rule would flag far fewer
than it says. The prior, in contrast, is the NBD's of all purchases within all ages, silences included: a base in which
many have left therefore looks slower than it is, and the rule errs on the side of patience.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

from crmaudit.methods import Estimate
from crmaudit.methods.pareto_nbd import NBD
from crmaudit.methods.purchase_process import Array, Histories, fit, log_rising

PAPERS = (
    "Ehrenberg 1959, The Pattern of Consumer Purchases, Applied Statistics 8(1)",
    "Lomax 1954, Business Failures, Journal of the American Statistical Association 49(268)",
    "Morrison & Schmittlein 1988, Generalizing the NBD Model for Customer Purchases, "
    "Journal of Business & Economic Statistics 6(2)",
)

FEWEST_REPEATERS = 20
FEWEST_REPEATERS_IN_SEGMENT = 50
# Ages are thinned to so many for the rate at which a loyal base is flagged.
AGES = 64


@dataclass(frozen=True)
class _Prior:
    r: float
    alpha: float

    def gap(self, frequency: Array, recency: Array, share: float) -> Array:
        """The quantile of the next gap, in the unit of alpha; infinite where it lies beyond all numbers."""
        with np.errstate(over="ignore"):
            gap: Array = (self.alpha + recency) * np.expm1(-np.log1p(-share) / (self.r + frequency))
        return gap


def estimate(
    table: pl.DataFrame,
    *,
    frequency: str = "frequency",
    recency: str = "recency_days",
    age: str = "age_days",
    customers: str | None = "customers",
    segment: str | None = None,
    unit_days: float = 1.0,
    overdue: float = 0.80,
    lapsed: float = 0.99,
) -> Estimate:
    """Typical gap and the silences after which a customer is overdue and lapsed, per row.

    `table` has one row per customer, or per distinct history with the number of `customers` that share it: `frequency`
    repeat purchase days, `recency` and `age` since the first purchase in units of `unit_days` (7 for weeks). Segments
    with at least 50 repeat customers have a prior of their own, the others the base's.

    Columns: `silence_days`, `typical_gap_days`, `overdue_after_days`, `lapsed_after_days` (null: beyond all numbers),
    `is_overdue`, `is_beyond_lapse` (silent for longer). Table: `priors`. Parameters: the base's prior, and
    `overdue_if_nobody_leaves_pct` and `lapsed_if_nobody_leaves_pct`: how many the rule would flag in a base of these
    ages and rhythms that never leaves.

    Withheld with fewer than 20 repeat customers, or histories that are impossible.
    """
    histories = _histories(table, frequency, recency, age, customers)
    x, last, now = histories.frequency, histories.recency, histories.age
    possible = (x >= 0) & (last >= 0) & (now >= last) & (histories.customers > 0) & np.isfinite(x) & np.isfinite(now)
    if not possible.all():
        return Estimate(
            withheld=f"{int((~possible).sum())} purchase histories are impossible: a missing or contradictory number."
        )
    if histories.repeat_customers < FEWEST_REPEATERS:
        return Estimate(
            withheld=f"Only {histories.repeat_customers} of {histories.customers.sum():.0f} customers whose purchases "
            f"were followed bought again; a rhythm wants at least {FEWEST_REPEATERS}."
        )
    base = _prior(histories)
    members = _members(table, segment)
    gaps = {share: np.empty(table.height) for share in (0.5, overdue, lapsed)}
    flagged = dict.fromkeys((overdue, lapsed), 0.0)
    priors = []
    for name, rows in members:
        part = histories.where(rows)
        own = segment is not None and part.repeat_customers >= FEWEST_REPEATERS_IN_SEGMENT
        prior = _prior(part) if own and len(members) > 1 else base
        for share, gap in gaps.items():
            gap[rows] = prior.gap(part.frequency, part.recency, share)
        for share in flagged:
            flagged[share] += part.n * _share_flagged(prior, part, share)
        priors.append(
            {
                "segment": name,
                "customers": int(part.n),
                "repeat_customers": part.repeat_customers,
                "is_own": own,
                "r": prior.r,
                "alpha_days": prior.alpha * unit_days,
                "purchases_per_year": 365.25 * prior.r / (prior.alpha * unit_days),
            }
        )
    silence = now - last
    found = {
        "silence_days": silence * unit_days,
        "typical_gap_days": gaps[0.5] * unit_days,
        "overdue_after_days": gaps[overdue] * unit_days,
        "lapsed_after_days": gaps[lapsed] * unit_days,
    }
    columns = pl.DataFrame(found).with_columns(
        pl.when(pl.all().is_finite()).then(pl.all()),
        is_overdue=pl.Series(silence > gaps[overdue]),
        is_beyond_lapse=pl.Series(silence > gaps[lapsed]),
    )
    return Estimate(
        columns=columns,
        tables={"priors": pl.DataFrame(priors, schema_overrides={"segment": pl.String})},
        parameters={
            "r": base.r,
            "alpha_days": base.alpha * unit_days,
            "customers": int(histories.n),
            "repeat_customers": histories.repeat_customers,
            "overdue_percentile": 100 * overdue,
            "lapsed_percentile": 100 * lapsed,
            "overdue_if_nobody_leaves_pct": 100 * flagged[overdue] / histories.n,
            "lapsed_if_nobody_leaves_pct": 100 * flagged[lapsed] / histories.n,
        },
    )


def _histories(table: pl.DataFrame, frequency: str, recency: str, age: str, customers: str | None) -> Histories:
    x, last, now = (table[c].cast(pl.Float64).to_numpy() for c in (frequency, recency, age))
    counts = np.ones(table.height) if customers is None else table[customers].cast(pl.Float64).to_numpy()
    return Histories(x, last, now, counts)


def _members(table: pl.DataFrame, segment: str | None) -> list[tuple[str | None, NDArray[np.bool_]]]:
    """The rows of each segment, in the order of their names; all rows where there are none."""
    if segment is None:
        return [(None, np.ones(table.height, dtype=np.bool_))]
    names = table[segment].cast(pl.String)
    members: list[tuple[str | None, NDArray[np.bool_]]] = []
    for name in names.unique().sort().to_list():
        rows = names.is_null() if name is None else (names == name).fill_null(value=False)
        members.append((name, rows.to_numpy()))
    return members


def _prior(histories: Histories) -> _Prior:
    """The NBD of greatest likelihood, summed in an order that the table's does not change.

    Shapes in the thousands are no fault here: they say that all buy at one rate.
    """
    order = np.lexsort((histories.customers, histories.age, histories.frequency))
    ordered = Histories(
        *(v[order] for v in (histories.frequency, histories.recency, histories.age, histories.customers))
    )
    r, alpha = fit(NBD, ordered).values
    return _Prior(float(r), float(alpha))


def _share_flagged(prior: _Prior, histories: Histories, share: float) -> float:
    """The share that would be silent beyond the limit if nobody ever left, at these ages.

    Of x purchases at random within the age, the last lies before t with probability (t / age)^x; x is NBD. Silent
    beyond the limit is a last purchase before the t at which the silence age - t equals the limit.
    """
    ages, customers = _thinned(histories.by_age.time, histories.by_age.customers)
    fastest = scipy.special.gammaincinv(prior.r, 1 - 1e-9) / prior.alpha * ages.max()
    x = np.arange(min(int(fastest + 8 * np.sqrt(fastest)) + 20, 20_000), dtype=np.float64)
    shrink = np.exp(np.log1p(-share) / (prior.r + x))
    total = 0.0
    for age, count in zip(ages, customers, strict=True):
        bought = age / (prior.alpha + age)
        log_p = log_rising(prior.r, x) - log_rising(1.0, x)
        log_p += prior.r * np.log1p(-bought) + x * np.log(bought)
        latest = np.maximum((prior.alpha + age) * shrink - prior.alpha, 0.0) / age
        total += count * float(np.exp(log_p) @ np.where(latest > 0, latest**x, 0.0))
    return total / float(histories.n)


def _thinned(ages: Array, customers: Array) -> tuple[Array, Array]:
    """At most AGES ages, each the mean of as many customers, those of age zero left out: they cannot be flagged."""
    order = np.argsort(ages, kind="stable")
    ages, customers = ages[order], customers[order]
    ages, customers = ages[ages > 0], customers[ages > 0]
    group = np.minimum((AGES * (np.cumsum(customers) - customers / 2) / customers.sum()).astype(np.intp), AGES - 1)
    counts = np.bincount(group, customers, minlength=AGES)
    means = np.bincount(group, customers * ages, minlength=AGES)
    kept = counts > 0
    return (means[kept] / counts[kept]).astype(np.float64), counts[kept].astype(np.float64)
