"""What the models of purchasing and leaving share: the histories they read, and how they are fitted.

All of them say that a customer buys at random at a rate of their own and leaves at a moment nobody sees. A history is
then three numbers: frequency (repeat purchase days), recency (when the last was, from the first) and age (now, from the
first), both in the same unit of time. Customers with the same history are one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# A shape beyond this means that the likelihood still rises towards a simpler model without spread between customers:
# the value itself then says nothing. The bounds of the search, with the mean age as the unit of time, lie beyond.
LARGEST_SHAPE = 1_000.0
BOUNDS = (1e-5, 1e6)
# Beyond this many times the repeaters' 99th percentile lies no gamma's tail: a till, a reseller, a test account.
OUTLIER_FACTOR = 10.0
# Customers in the first, coarse search; all of them decide in the second.
THIN = 10_000
# Moments in the future at which rates of purchase are looked at: enough for six digits over three years.
NODES = 20


@dataclass(frozen=True)
class Pairs:
    """The distinct (frequency, time) among histories, and which of them each history has.

    Every special function of these models depends on such a pair alone, and a million customers have a few thousand.
    """

    frequency: Array
    time: Array
    index: Indices
    customers: Array

    def total(self, values: Array) -> Array:
        """The sum of a value per history, by pair."""
        return np.bincount(self.index, values, minlength=self.frequency.size).astype(np.float64)


@dataclass(frozen=True)
class Histories:
    """Distinct purchase histories: arrays of one length; `customers` is how many share each."""

    frequency: Array
    recency: Array
    age: Array
    customers: Array

    @cached_property
    def by_recency(self) -> Pairs:
        return self._pairs(self.recency)

    @cached_property
    def by_age(self) -> Pairs:
        return self._pairs(self.age)

    @cached_property
    def n(self) -> float:
        return float(self.customers.sum())

    @property
    def repeat_customers(self) -> int:
        return int(self.customers[self.frequency > 0].sum())

    @property
    def mean_age(self) -> float:
        return float(self.customers @ self.age / self.n)

    def rescaled(self, factor: float) -> Histories:
        return Histories(self.frequency, self.recency * factor, self.age * factor, self.customers)

    def where(self, keep: NDArray[np.bool_]) -> Histories:
        return Histories(self.frequency[keep], self.recency[keep], self.age[keep], self.customers[keep])

    def distinct(self) -> Histories:
        """Neighbouring rows of one history as one row; for sorted rows, every history once."""
        values = np.stack([self.frequency, self.recency, self.age])
        first = np.flatnonzero(np.r_[True, (values[:, 1:] != values[:, :-1]).any(axis=0)])
        frequency, recency, age = values[:, first]
        return Histories(frequency, recency, age, np.add.reduceat(self.customers, first))

    def thinned(self, customers: int) -> Histories:
        """Every k-th customer in the order of the rows, so that about as many as asked for are left."""
        every = max(int(self.n // customers), 1)
        upto = np.cumsum(self.customers) // every
        chosen = np.diff(upto, prepend=0.0)
        kept = Histories(self.frequency, self.recency, self.age, chosen)
        return kept.where(chosen > 0)

    def _pairs(self, time: Array) -> Pairs:
        frequencies, of_frequency = np.unique(self.frequency, return_inverse=True)
        times, of_time = np.unique(time, return_inverse=True)
        codes, index = np.unique(of_frequency * times.size + of_time, return_inverse=True)
        return Pairs(
            frequency=frequencies[codes // times.size],
            time=times[codes % times.size],
            index=index,
            customers=np.bincount(index, self.customers, minlength=codes.size).astype(np.float64),
        )


def typical(histories: Histories) -> NDArray[np.bool_]:
    """All but those whose purchases no gamma distribution of rates would reach."""
    repeaters = histories.frequency > 0
    if not repeaters.any():
        return np.ones(histories.frequency.size, dtype=np.bool_)
    order = np.argsort(histories.frequency[repeaters], kind="stable")
    upto = np.cumsum(histories.customers[repeaters][order])
    high = histories.frequency[repeaters][order][np.searchsorted(upto, 0.99 * upto[-1])]
    typical: NDArray[np.bool_] = ~(histories.frequency > OUTLIER_FACTOR * high)
    return typical


@dataclass(frozen=True)
class Ahead:
    """The purchases that are to come, each discounted, per history.

    Expectations of the sum of their discount factors, of the sum of the squares of these, and of the sum over ordered
    pairs of purchases of the product of the two: the last two make the square of the first sum.
    """

    mean: Array
    squares: Array
    pairs: Array


class Likelihood(Protocol):
    """What a model of purchasing and leaving is fitted by. `values` are its parameters in the order of their names."""

    @property
    def name(self) -> str: ...

    @property
    def parameter_names(self) -> tuple[str, ...]: ...

    @property
    def is_time(self) -> tuple[bool, ...]:
        """Which parameters are measured in the unit of the histories."""
        ...

    def log_likelihood(self, values: Array, histories: Histories) -> tuple[float, Array]:
        """The log-likelihood of all customers (no mean, not rescaled, no penalty) and its derivatives."""
        ...


class PurchaseModel(Likelihood, Protocol):
    """One model of purchasing and leaving, and what it says of each customer."""

    def p_alive(self, values: Array, histories: Histories) -> Array:
        """The probability that a customer has not left, per history."""
        ...

    def purchases_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        """Expected purchases within the horizon of a customer who has not left yet."""
        ...

    def p_none_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        """The probability that a customer who has not left yet buys nothing within the horizon."""
        ...

    def p_stays_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        """The probability that a customer who has not left yet is still there at the end of the horizon."""
        ...

    def rates_if_alive(self, values: Array, frequency: Array, age: Array, later: float) -> tuple[Array, Array]:
        """Two rates for a customer who has not left yet, at a time `later` from now.

        That of a purchase then; and that of a purchase then together with one at any given moment before it.
        """
        ...


@dataclass(frozen=True)
class Fit:
    """A model with the parameters of greatest likelihood; `fault` says in a few words why they are not to be used."""

    model: PurchaseModel
    values: Array
    log_likelihood: float
    fault: str | None = None

    @property
    def parameters(self) -> Mapping[str, float]:
        return {name: float(value) for name, value in zip(self.model.parameter_names, self.values, strict=True)}

    def p_alive(self, histories: Histories) -> Array:
        return self.model.p_alive(self.values, histories)

    def expected_purchases(self, histories: Histories, horizon: float) -> Array:
        return self.p_alive(histories) * self._if_alive(self.model.purchases_if_alive, histories, horizon)

    def p_active(self, histories: Histories, horizon: float) -> Array:
        """The probability of at least one purchase within the horizon."""
        return self.p_alive(histories) * (1 - self._if_alive(self.model.p_none_if_alive, histories, horizon))

    def discounted_purchases(self, histories: Histories, horizon: float, discount: float) -> Ahead:
        """The purchases within the horizon, each worth e^(-discount x time) of one now."""
        pairs = histories.by_age
        mean, squares, both = (np.zeros_like(pairs.time) for _ in range(3))
        # Gauss and Legendre's nodes: these rates are smooth in time.
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        for later, width in zip((nodes + 1) * horizon / 2, weights * horizon / 2, strict=True):
            rate, with_one_before = self.model.rates_if_alive(self.values, pairs.frequency, pairs.time, float(later))
            worth = np.exp(-discount * later)
            before = -np.expm1(-discount * later) / discount if discount else later
            mean += width * worth * rate
            squares += width * worth**2 * rate
            both += 2 * width * worth * before * with_one_before
        alive = self.p_alive(histories)
        return Ahead(*(alive * one[pairs.index] for one in (mean, squares, both)))

    def p_leaves(self, histories: Histories, horizon: float) -> Array:
        """The probability that a customer who has not left yet leaves within the horizon."""
        return 1 - self._if_alive(self.model.p_stays_if_alive, histories, horizon)

    def _if_alive(
        self, function: Callable[[Array, Array, Array, float], Array], histories: Histories, horizon: float
    ) -> Array:
        pairs = histories.by_age
        return function(self.values, pairs.frequency, pairs.time, horizon)[pairs.index]


def log_rising(start: float, steps: Array) -> Array:
    """Log of start (start + 1) ... (start + steps - 1), the rising factorial."""
    rising: Array = scipy.special.gammaln(start + steps) - scipy.special.gammaln(start)
    return rising


def slope_of_log_rising(start: float, steps: Array) -> Array:
    """Its derivative by `start`."""
    slope: Array = scipy.special.digamma(start + steps) - scipy.special.digamma(start)
    return slope


@dataclass(frozen=True)
class Top:
    """The parameters of greatest likelihood; `fault` says in a few words why they are not to be used."""

    values: Array
    log_likelihood: float
    fault: str | None = None


def fit(model: PurchaseModel, histories: Histories, start: Array | None = None) -> Fit:
    """The model with the parameters that `most_likely` finds."""
    top = most_likely(model, histories, start)
    return Fit(model, top.values, top.log_likelihood, top.fault)


def most_likely(model: Likelihood, histories: Histories, start: Array | None = None) -> Top:
    """The parameters of greatest likelihood, by L-BFGS-B on their logarithms.

    Time is measured in mean ages while searching, so that the clock's unit changes nothing. `start` are parameters to
    search from, in the histories' own unit; without them a large base is searched on a thin sample first. A search that
    ends at a bound is returned with its `fault`.
    """
    if start is None and histories.frequency.size > 2 * THIN:
        start = most_likely(model, histories.thinned(THIN)).values

    unit = histories.mean_age
    is_time = np.asarray(model.is_time)
    scaled = histories.rescaled(1 / unit)

    def objective(logs: Array) -> tuple[float, Array]:
        values = np.exp(logs)
        # Far out the special functions have no value; the search then ends there, and the fault says so.
        with np.errstate(all="ignore"):
            value, slopes = model.log_likelihood(values, scaled)
        return -value / scaled.n, -slopes * values / scaled.n

    begin = _start(model, scaled) if start is None else np.where(is_time, start / unit, start)
    found = scipy.optimize.minimize(
        objective,
        np.log(np.clip(begin, *BOUNDS)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(log(BOUNDS[0]), log(BOUNDS[1]))] * begin.size,
        options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-6},
    )
    values = np.exp(found.x)
    steepest = np.abs(objective(found.x)[1]).max()
    fault = None
    if not np.isfinite(found.fun):
        fault = "its likelihood cannot be computed"
    elif values[~is_time].max() > LARGEST_SHAPE or values.max() > 0.99 * BOUNDS[1] or values.min() < 1.01 * BOUNDS[0]:
        fault = "its parameters run off to the bounds"
    elif steepest > 1e-3:
        fault = "the search for its parameters did not converge"
    values = np.where(is_time, values * unit, values)
    with np.errstate(all="ignore"):
        log_likelihood = model.log_likelihood(values, histories)[0]
    return Top(values, log_likelihood, fault)


def _start(model: Likelihood, scaled: Histories) -> Array:
    """Half a customer's worth of prior shape everywhere, at the base's own mean rate of purchase."""
    rate = float(scaled.customers @ scaled.frequency) / scaled.n
    start = np.where(model.is_time, 1.0, 0.5)
    start[1] = 0.5 / max(rate, 1e-3)
    return start
