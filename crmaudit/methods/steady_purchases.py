"""How many customers are active where they buy more steadily than chance: the BG/CNBD-k and the MBG/CNBD-k.

The models of `buy_till_you_die` take every purchase for chance. Customers who buy on a rhythm are silent for less time
before they are gone, so that such a model takes a silence too lightly and tells too many to be active. Here gaps are
Erlang distributed: of a Poisson process of events with a gamma distributed rate (r, alpha) each k-th is a purchase.
After every purchase, in the MBG/CNBD-k the first too, a customer leaves with a beta distributed (a, b) chance. At k = 1
they are the BG/NBD and the MBG/NBD.

With x repeat purchases, the last at time t, now at T, and n occasions to leave so far (x, or x + 1), integrated over
the rate and the chance,

    gone   B(a + 1, b + n - 1) / B(a, b)  (r)_kx         alpha^r / (alpha + t)^(r + kx)
    there  B(a, b + n) / B(a, b)          sum over j < k of (T - t)^j / j! (r)_(kx+j) alpha^r / (alpha + T)^(r + kx + j)

with (r)_n the rising factorial. What hangs on k alone is left out: likelihoods of different k are not to be compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import gammaln, logsumexp, xlogy

from crmaudit.methods import Estimate
from crmaudit.methods.columns import numbers
from crmaudit.methods.purchase_process import (
    Array,
    Histories,
    log_rising,
    most_likely,
    slope_of_log_rising,
    typical,
)

PAPERS = (
    "Reutterer, T., Platzer, M. & Schroeder, N. (2021). Leveraging purchase regularity for predicting customer "
    "behavior the easy way. International Journal of Research in Marketing 38, 194-215.",
    "Platzer, M. & Reutterer, T. (2016). Ticking away the moments: timing regularity helps to better predict customer "
    "activity. Marketing Science 35, 779-799.",
)

FEWEST_REPEATERS = 50
ENOUGH = 20_000
"""Every n-th customer of a larger base, at least so many, take part in the fit."""
SAME_LIKELIHOOD = 2.0
"""Closer than this, likelihoods do not tell the two models apart."""


@dataclass(frozen=True)
class SteadyGeometric:
    """k is `every`; `occasions` to leave before the first repeat purchase are 0 in the BG, 1 in the MBG/CNBD-k."""

    name: str
    every: int
    occasions: int
    parameter_names: tuple[str, ...] = ("r", "alpha", "a", "b")
    is_time: tuple[bool, ...] = (False, True, False, False)

    def log_likelihood(self, values: Array, histories: Histories) -> tuple[float, Array]:
        """The log-likelihood but for what hangs on k alone, and its derivatives."""
        r, alpha, a, b = values
        parts = self._parts(values, histories)
        each = logsumexp(parts, axis=0)
        share = np.exp(parts - each) * histories.customers
        events, time = self._events(histories), np.stack([histories.recency, *[histories.age] * self.every])
        by_r = share * (slope_of_log_rising(r, events) + np.log(alpha) - np.log(alpha + time))
        by_alpha = share * (r / alpha - (r + events) / (alpha + time))
        survived = histories.frequency + self.occasions
        both = -slope_of_log_rising(a + b, survived)
        by_a = histories.customers * both + share[0] / a
        by_b = histories.customers * (both + slope_of_log_rising(b, survived))
        by_b -= share[0] / (b + np.maximum(survived, 1) - 1)
        slopes = np.array([by_r.sum(), by_alpha.sum(), by_a.sum(), by_b.sum()])
        return float(histories.customers @ each), slopes

    def p_alive(self, values: Array, histories: Histories) -> Array:
        """The probability that a customer has not left, per history."""
        parts = self._parts(values, histories)
        gone: Array = np.exp(parts[0] - logsumexp(parts, axis=0))
        return 1 - gone

    def _events(self, histories: Histories) -> Array:
        """Per part, how many events of the Poisson process are known to have been."""
        x = self.every * histories.frequency
        return np.stack([x, *(x + j for j in range(self.every))])

    def _parts(self, values: Array, histories: Histories) -> Array:
        """The logarithms of `gone` and of each term of `there`: one row each."""
        r, alpha, a, b = values
        events, silence = self._events(histories), histories.age - histories.recency
        survived = histories.frequency + self.occasions
        left_at_last = np.where(survived > 0, np.log(a) - np.log(b + np.maximum(survived, 1) - 1), -np.inf)
        gone = left_at_last - (r + events[0]) * np.log(alpha + histories.recency)
        there = [
            xlogy(j, silence) - gammaln(j + 1) - (r + events[0] + j) * np.log(alpha + histories.age)
            for j in range(self.every)
        ]
        stays = log_rising(b, survived) - log_rising(a + b, survived)
        found: Array = log_rising(r, events) + r * np.log(alpha) + stays + np.stack([gone, *there])
        return found


def estimate(
    table: pl.DataFrame,
    *,
    regularity: float | None,
    frequency: str = "frequency",
    recency: str = "recency_weeks",
    age: str = "age_weeks",
    customers: str = "customers",
    floored_to: float = 0.0,
) -> Estimate:
    """Table `steady` with one row, where customers buy steadily: `every` (k) and `active_customers`.

    Each row is a distinct history, as `buy_till_you_die` reads them, and `regularity` the shape of the gaps, as
    `regularity` finds it; k is the whole number next to it. Of the two models the one of greater likelihood; where
    these are within two units, the MBG/CNBD-k. No row with a k of 1 or less, or none; with fewer than 50 repeat
    customers; or where both fits have a fault.
    """
    x, last, now, n = (numbers(table, name) for name in (frequency, recency, age, customers))
    every = round(regularity or 0.0)
    empty = pl.DataFrame(schema={"every": pl.Int64, "active_customers": pl.Float64})
    order, later = np.lexsort((n, now, last, x)), floored_to / 2
    histories = Histories(*(column[order] for column in (x, np.where(x > 0, last + later, last), now + later, n)))
    if every < 2 or histories.repeat_customers < FEWEST_REPEATERS:
        return Estimate(tables={"steady": empty}, parameters={"every": every})
    sample = histories.where(typical(histories)).thinned(ENOUGH)
    models = (SteadyGeometric("MBG/CNBD-k", every, 1), SteadyGeometric("BG/CNBD-k", every, 0))
    fits = [(model, top) for model in models if not (top := most_likely(model, sample)).fault]
    if not fits:
        return Estimate(tables={"steady": empty}, parameters={"every": every})
    best = max(top.log_likelihood for _, top in fits)
    model, top = next((m, t) for m, t in fits if best - t.log_likelihood <= SAME_LIKELIHOOD)
    active = float(histories.customers @ model.p_alive(top.values, histories))
    return Estimate(
        tables={"steady": pl.DataFrame({"every": [every], "active_customers": [active]}, schema=empty.schema)},
        parameters={
            "model": model.name,
            "every": every,
            **dict(zip(model.parameter_names, top.values.tolist(), strict=True)),
        },
        log_likelihood=top.log_likelihood,
    )
