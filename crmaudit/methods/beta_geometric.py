"""BG/NBD and MBG/NBD: customers may leave right after a purchase.

A customer buys at rate lambda, gamma distributed (shape r, rate alpha), and leaves after a purchase with probability p,
beta distributed (a, b). In the BG/NBD (Fader, Hardie & Lee 2005, Marketing Science 24(2)) the first purchase is no
occasion to leave, so that who bought once is alive for certain however long ago; in the MBG/NBD (Batislam, Denizel &
Filiztekin 2007, International Journal of Research in Marketing 24(3)) it is one. Hence one class with the number of
occasions before the first repeat purchase.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy

from crmaudit.methods.purchase_process import Array, Histories, log_rising, slope_of_log_rising


@dataclass(frozen=True)
class BetaGeometric:
    """`occasions` is 0 in the BG/NBD and 1 in the MBG/NBD."""

    name: str
    occasions: int
    parameter_names: tuple[str, ...] = ("r", "alpha", "a", "b")
    is_time: tuple[bool, ...] = (False, True, False, False)

    def log_likelihood(self, values: Array, histories: Histories) -> tuple[float, Array]:
        r, alpha, a, b = values
        now, last = histories.by_age, histories.by_recency
        x, survived = now.frequency, now.frequency + self.occasions
        alive = log_rising(r, x) + r * np.log(alpha) - (r + x) * np.log(alpha + now.time)
        alive += log_rising(b, survived) - log_rising(a + b, survived)
        odds_gone = self._log_odds_gone(values, histories)
        value = now.customers @ alive + histories.customers @ np.logaddexp(0.0, odds_gone)

        gone = histories.customers * scipy.special.expit(odds_gone)
        gone_last = last.total(gone)
        still = now.customers - now.total(gone)
        by_r = now.customers @ (slope_of_log_rising(r, x) + np.log(alpha))
        by_r -= still @ np.log(alpha + now.time) + gone_last @ np.log(alpha + last.time)
        by_alpha = histories.n * r / alpha - still @ ((r + x) / (alpha + now.time))
        by_alpha -= gone_last @ ((r + last.frequency) / (alpha + last.time))
        both = -slope_of_log_rising(a + b, survived)
        by_a = now.customers @ both + gone.sum() / a
        by_b = now.customers @ (both + slope_of_log_rising(b, survived))
        by_b -= gone_last @ (1 / (b + np.maximum(last.frequency + self.occasions, 1) - 1))
        return float(value), np.array([by_r, by_alpha, by_a, by_b])

    def p_alive(self, values: Array, histories: Histories) -> Array:
        alive: Array = scipy.special.expit(-self._log_odds_gone(values, histories))
        return alive

    def purchases_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        """The mean over p, given it survived so far, of (1 - (1 + p w)^-(r + x)) / p, with w = horizon / (alpha + age).

        Equal to the closed form of the papers, whose factor 1 / (a - 1) and whose growing hypergeometric function fail
        near a = 1 and for hundreds of purchases.
        """
        r, alpha, _, _ = values
        log_stays_at = -(r + frequency)
        per_age = horizon / (alpha + age)
        total = np.zeros_like(age)
        for p, weight in self._chances_of_leaving(values, frequency):
            total -= weight * np.expm1(log_stays_at * np.log1p(p * per_age)) / p
        return total

    def p_none_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        r, alpha, _, _ = values
        none: Array = ((alpha + age) / (alpha + age + horizon)) ** (r + frequency)
        return none

    def p_stays_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        r, alpha, _, _ = values
        total = np.zeros_like(age)
        for p, weight in self._chances_of_leaving(values, frequency):
            total += weight * np.exp(-(r + frequency) * np.log1p(p * horizon / (alpha + age)))
        return total

    def rates_if_alive(self, values: Array, frequency: Array, age: Array, later: float) -> tuple[Array, Array]:
        """Given rate and p it is lambda e^(-lambda p later): the purchases before are all survived."""
        r, alpha, _, _ = values
        shape, per_age = r + frequency, later / (alpha + age)
        mean_rate = shape / (alpha + age)
        one, both = np.zeros_like(age), np.zeros_like(age)
        for p, weight in self._chances_of_leaving(values, frequency):
            log_grown = np.log1p(p * per_age)
            still = weight * np.exp(-(shape + 1) * log_grown)
            one += still
            both += still * (1 - p) * np.exp(-log_grown)
        return mean_rate * one, mean_rate * (shape + 1) / (alpha + age) * both

    def _chances_of_leaving(self, values: Array, frequency: Array) -> Iterator[tuple[Array, Array]]:
        """Nodes and weights of the beta (a, b + occasions survived) of those still there, one pair per step."""
        _, _, a, b = values
        distinct, of_frequency = np.unique(frequency, return_inverse=True)
        nodes, weights = beta_quadrature(float(a), tuple(b + distinct + self.occasions))
        for node, weight in zip(nodes.T, weights.T, strict=True):
            yield node[of_frequency], weight[of_frequency]

    def _log_odds_gone(self, values: Array, histories: Histories) -> Array:
        r, alpha, a, b = values
        now, last = histories.by_age, histories.by_recency
        survived = last.frequency + self.occasions
        left_at_last = np.where(survived > 0, np.log(a) - np.log(b + np.maximum(survived, 1) - 1), -np.inf)
        left_at_last -= (r + last.frequency) * np.log(alpha + last.time)
        silent_since = (r + now.frequency) * np.log(alpha + now.time)
        odds: Array = left_at_last[last.index] + silent_since[now.index]
        return odds


@lru_cache(maxsize=16)
def beta_quadrature(a: float, b: tuple[float, ...], nodes: int = 32) -> tuple[Array, Array]:
    """Gauss-Jacobi nodes in (0, 1) and weights that sum to 1 for beta (a, b) distributions, one row per b.

    By the eigenvalues of the recurrence's matrix (Golub & Welsch 1969, Mathematics of Computation 23). Not by
    hypergeometric functions, which scipy has wrong for some parameters of this size.
    """
    k = np.arange(1, nodes)
    left, right = a - 1, np.array(b)[:, None] - 1
    c = left + right
    matrix = np.zeros((len(b), nodes, nodes))
    matrix[:, 0, 0] = ((left - right) / (c + 2))[:, 0]
    matrix[:, k, k] = (left**2 - right**2) / ((2 * k + c) * (2 * k + c + 2))
    # (k + c) / (2 k + c - 1) is 1 at k = 1 whatever c, also where both are 0.
    last = np.where(k == 1, 1.0, (k + c) / np.where(k == 1, 1.0, 2 * k + c - 1))
    beside = np.sqrt(4 * k * (k + left) * (k + right) * last / ((2 * k + c) ** 2 * (2 * k + c + 1)))
    matrix[:, k, k - 1] = beside
    matrix[:, k - 1, k] = beside
    found, vectors = np.linalg.eigh(matrix)
    return np.clip((1 + found) / 2, 1e-15, 1.0), vectors[:, 0, :] ** 2


BG_NBD = BetaGeometric("BG/NBD", occasions=0)
MBG_NBD = BetaGeometric("MBG/NBD", occasions=1)
