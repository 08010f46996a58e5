"""What a customer spends per purchase: Gamma-Gamma.

Spend per purchase is gamma distributed (shape p, rate nu) around a customer's own level, nu is gamma distributed (shape
q, rate gamma) over customers. The expected spend weighs a customer's own mean against everybody's, the more heavily the
more often they bought. It supposes that spend and frequency are independent, which is looked at first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import polars as pl
import scipy

from crmaudit.methods import Estimate
from crmaudit.methods.purchase_process import Array, Indices
from crmaudit.methods.uncertainty import directions, moves

PAPERS = (
    "Fader, Hardie & Lee 2005, RFM and CLV: Using Iso-Value Curves, Journal of Marketing Research 42(4)",
    "Fader & Hardie 2013, The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025",
)

FEWEST_REPEATERS = 50
LARGEST_CORRELATION = 0.3
BOUNDS = (1e-4, 1e6)
LARGEST_SHAPE = 1_000.0


@dataclass(frozen=True)
class Spends:
    """Mean spend of repeat customers: arrays of one length; `customers` is how many share each row."""

    frequencies: Array
    of_frequency: Indices
    mean_spend: Array
    customers: Array

    @property
    def frequency(self) -> Array:
        return self.frequencies[self.of_frequency]

    @property
    def n(self) -> float:
        return float(self.customers.sum())


def estimate(
    table: pl.DataFrame,
    *,
    frequency: str = "frequency",
    mean_spend: str = "mean_spend",
    customers: str | None = "customers",
) -> Estimate:
    """The expected spend per purchase, per row.

    `table` has one row per customer, or per distinct (`frequency`, `mean_spend`) with the number of `customers`:
    `frequency` counts the purchases that `mean_spend` is the mean of, 0 for who has none (expected to spend what the
    base does). Means of zero or less, or unknown, are left out of the fit and counted in the parameters.

    Columns, in the money of the table: `expected_spend`; `spend_square`, the expected square of the customer's own
    level, and `order_square`, that of one purchase (null where q + p x frequency is at most 2 and they have no end);
    `spend_move_1` to `_3`, by how much one standard error of the parameters, along independent directions, moves the
    expected spend (null where the errors cannot be told). Withheld: fewer than 50 customers with a mean; spend and
    frequency that are correlated by more than 0.3, which the model excludes; spends that do not vary, or so wildly that
    their mean is infinite (q <= 1).
    """
    x = table[frequency].cast(pl.Float64).to_numpy()
    mean = table[mean_spend].cast(pl.Float64).to_numpy()
    counts = np.ones(table.height) if customers is None else table[customers].cast(pl.Float64).to_numpy()
    known = (x > 0) & (mean > 0) & (counts > 0)
    # Summed in an order that the table's does not change.
    order = np.flatnonzero(known)[np.lexsort((counts[known], mean[known], x[known]))]
    frequencies, of_frequency = np.unique(x[order], return_inverse=True)
    spends = Spends(frequencies, of_frequency, mean[order], counts[order])
    parameters: dict[str, float | int] = {
        "repeat_customers": int(spends.n),
        "customers_without_spend": int(counts[(x > 0) & ~known].sum()),
    }
    if spends.n < FEWEST_REPEATERS:
        return Estimate(
            parameters=parameters,
            withheld=f"Only {int(spends.n)} customers have repeat purchases with an amount; "
            f"at least {FEWEST_REPEATERS} are wanted.",
        )
    correlation = _correlation(spends)
    parameters["correlation"] = correlation
    if abs(correlation) > LARGEST_CORRELATION:
        return Estimate(
            parameters=parameters,
            withheld=f"Spend and frequency are correlated ({correlation:.2f}); the model holds only within "
            f"{LARGEST_CORRELATION} either way.",
        )
    values, fault = fit(spends)
    p, q, gamma = (float(v) for v in values)
    parameters |= {"p": p, "q": q, "gamma": gamma}
    if fault is None and q <= 1:
        fault = "Spends vary so wildly that their mean has no end (q is at most 1)."
    if fault is not None:
        return Estimate(parameters=parameters, withheld=fault)
    total = np.where(x > 0, x * np.where(mean > 0, mean, 0.0), 0.0)
    purchases = np.where((x > 0) & (mean > 0), x, 0.0)
    parameters["mean_spend"] = p * gamma / (q - 1)

    def expected(at: Array) -> Array:
        spend: Array = at[0] * (at[2] + total) / (at[0] * purchases + at[1] - 1)
        return spend

    found = {"expected_spend": expected(values)}
    shape = p * purchases + q
    with np.errstate(divide="ignore"):
        square = np.where(shape > 2, found["expected_spend"] ** 2 * (shape - 1) / (shape - 2), np.nan)
    found |= {"spend_square": square, "order_square": square * (1 + 1 / p)}
    along = directions(lambda at: log_likelihood(at, spends)[1], values)
    shifts = [] if along is None else moves(expected, values, along)
    unknown = np.full(x.size, np.nan if along is None else 0.0)
    found |= {f"spend_move_{i + 1}": shifts[i] if i < len(shifts) else unknown for i in range(values.size)}
    return Estimate(
        columns=pl.DataFrame(found).with_columns(pl.all().fill_nan(None)),
        parameters=parameters,
        log_likelihood=log_likelihood(values, spends)[0],
    )


def log_likelihood(values: Array, spends: Spends) -> tuple[float, Array]:
    """The log-likelihood of all customers at (p, q, gamma), equation 1a of the note, and its derivatives."""
    p, q, gamma = values
    each, of, customers = spends.frequencies, spends.of_frequency, spends.customers
    counts = np.bincount(of, customers, minlength=each.size)
    x, total = spends.frequency, spends.frequency * spends.mean_spend
    rest = np.log(total + gamma)
    logs_by_frequency = np.bincount(of, customers * np.log(spends.mean_spend), minlength=each.size)
    rests_by_frequency = np.bincount(of, customers * rest, minlength=each.size)
    value = counts @ (scipy.special.gammaln(p * each + q) - scipy.special.gammaln(p * each) + p * each * np.log(each))
    value += spends.n * (q * log(gamma) - scipy.special.gammaln(q))
    value += (p * each - 1) @ logs_by_frequency - (p * each + q) @ rests_by_frequency
    by_p = each @ (counts * (scipy.special.digamma(p * each + q) - scipy.special.digamma(p * each) + np.log(each)))
    by_p += each @ (logs_by_frequency - rests_by_frequency)
    by_q = (
        counts @ scipy.special.digamma(p * each + q)
        + spends.n * (log(gamma) - scipy.special.digamma(q))
        - rests_by_frequency.sum()
    )
    by_gamma = spends.n * q / gamma - customers @ ((p * x + q) / (total + gamma))
    return float(value), np.array([by_p, by_q, by_gamma])


def fit(spends: Spends) -> tuple[Array, str | None]:
    """The (p, q, gamma) of greatest likelihood, and why they are not to be used, if so.

    Searched with the geometric mean as the unit of money, so that neither the currency nor a few huge means matter.
    """
    unit = float(np.exp(spends.customers @ np.log(spends.mean_spend) / spends.n))
    scaled = Spends(spends.frequencies, spends.of_frequency, spends.mean_spend / unit, spends.customers)

    def objective(logs: Array) -> tuple[float, Array]:
        values = np.exp(logs)
        value, slopes = log_likelihood(values, scaled)
        return -value / scaled.n, -slopes * values / scaled.n

    found = scipy.optimize.minimize(
        objective,
        np.log([2.0, 3.0, 1.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(log(BOUNDS[0]), log(BOUNDS[1]))] * 3,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-6},
    )
    values = np.exp(found.x)
    fault = None
    if values[:2].max() > LARGEST_SHAPE or values.max() > 0.99 * BOUNDS[1] or values.min() < 1.01 * BOUNDS[0]:
        fault = "The spends vary too little, or in no way that the model can tell."
    elif not np.isfinite(found.fun) or np.abs(objective(found.x)[1]).max() > 1e-3:
        fault = "The search for the spread of spends did not converge."
    return values * np.array([1.0, 1.0, unit]), fault


def _correlation(spends: Spends) -> float:
    """Pearson's, over customers; 0 where one of the two does not vary."""
    x, mean, weights = spends.frequency, spends.mean_spend, spends.customers / spends.n
    dx, dm = x - weights @ x, mean - weights @ mean
    scale = np.sqrt((weights @ dx**2) * (weights @ dm**2))
    return float(weights @ (dx * dm) / scale) if scale > 0 else 0.0
