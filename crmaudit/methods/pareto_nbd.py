"""Pareto/NBD, where customers leave at any moment, and NBD, where nobody ever leaves.

A customer buys at rate lambda, gamma distributed (shape r, rate alpha), and leaves at rate mu, gamma distributed (shape
s, rate beta). Schmittlein, Morrison & Colombo 1987, Management Science 33(1); the notation is that of Fader & Hardie
2005, "A note on deriving the Pareto/NBD model". The NBD is Ehrenberg's (1959), Applied Statistics 8(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from crmaudit.methods.purchase_process import Array, Histories, log_rising, slope_of_log_rising


@dataclass(frozen=True)
class ParetoNbd:
    name: str = "Pareto/NBD"
    parameter_names: tuple[str, ...] = ("r", "alpha", "s", "beta")
    is_time: tuple[bool, ...] = (False, True, False, True)

    def log_likelihood(self, values: Array, histories: Histories) -> tuple[float, Array]:
        """The derivatives are exact but for those of the tails: central differences on the distinct pairs."""
        r, alpha, s, beta = values
        now, last = histories.by_age, histories.by_recency
        x = now.frequency
        alive = _log_alive(values, x, now.time)
        tail_last, tail_now = _log_tail(values, last.frequency, last.time), _log_tail(values, x, now.time)
        odds_gone = _log_odds_gone(values[2], alive[now.index], tail_last[last.index], tail_now[now.index])
        either = alive[now.index] + np.logaddexp(0.0, odds_gone)
        value = now.customers @ (log_rising(r, x) + r * np.log(alpha) + s * np.log(beta))
        value += histories.customers @ either

        from_last = last.total(histories.customers * s * np.exp(tail_last[last.index] - either))
        from_now = now.total(histories.customers * s * np.exp(tail_now[now.index] - either))
        still = now.total(histories.customers * np.exp(alive[now.index] - either))
        slopes = np.array(
            [
                now.customers @ (slope_of_log_rising(r, x) + np.log(alpha)) - still @ np.log(alpha + now.time),
                histories.n * r / alpha - still @ ((r + x) / (alpha + now.time)),
                histories.n * np.log(beta) - still @ np.log(beta + now.time) + (histories.n - still.sum()) / s,
                histories.n * s / beta - still @ (s / (beta + now.time)),
            ]
        )
        slopes += from_last @ _tail_slopes(values, last.frequency, last.time)
        slopes -= from_now @ _tail_slopes(values, x, now.time)
        return float(value), slopes

    def p_alive(self, values: Array, histories: Histories) -> Array:
        now, last = histories.by_age, histories.by_recency
        odds_gone = _log_odds_gone(
            values[2],
            _log_alive(values, now.frequency, now.time)[now.index],
            _log_tail(values, last.frequency, last.time)[last.index],
            _log_tail(values, now.frequency, now.time)[now.index],
        )
        alive: Array = scipy.special.expit(-odds_gone)
        return alive

    def purchases_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        r, alpha, s, beta = values
        later = np.log((beta + age + horizon) / (beta + age))
        # (1 - q^(s - 1)) / (s - 1) with its limit at s = 1
        stay = later * scipy.special.exprel(-(s - 1) * later)
        expected: Array = (r + frequency) / (alpha + age) * (beta + age) * stay
        return expected

    def p_none_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        """Either still there and silent, or gone before the next purchase."""
        s = values[2]
        then = age + horizon
        now = _log_alive(values, frequency, age)
        silent = np.exp(_log_alive(values, frequency, then) - now)
        left = np.exp(_log_tail(values, frequency, age) - now) - np.exp(_log_tail(values, frequency, then) - now)
        none: Array = np.clip(silent + s * left, 0.0, 1.0)
        return none

    def p_stays_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        _, _, s, beta = values
        stays: Array = np.broadcast_to(((beta + age) / (beta + age + horizon)) ** s, frequency.shape)
        return stays

    def rates_if_alive(self, values: Array, frequency: Array, age: Array, later: float) -> tuple[Array, Array]:
        stays = self.p_stays_if_alive(values, frequency, age, later)
        one, both = NBD.rates_if_alive(values[:2], frequency, age, later)
        return stays * one, stays * both


def _log_odds_gone(s: float, alive: Array, tail_last: Array, tail_now: Array) -> Array:
    """Log odds of having left between the last purchase and now, from the three logs, per history."""
    nothing_left = np.expm1(np.minimum(tail_now - tail_last, 0.0))
    with np.errstate(divide="ignore"):
        odds: Array = np.log(s) + tail_last - alive + np.log(-nothing_left)
    return odds


def _log_alive(values: Array, frequency: Array, time: Array) -> Array:
    """Log of (alpha + t)^-(r + x) (beta + t)^-s: alive and silent until t, without what does not depend on t."""
    r, alpha, s, beta = values
    silent: Array = -(r + frequency) * np.log(alpha + time) - s * np.log(beta + time)
    return silent


def _log_tail(values: Array, frequency: Array, time: Array) -> Array:
    """Log of the integral from t on of (alpha + u)^-(r + x) (beta + u)^-(s + 1).

    Euler's transformation of the papers' hypergeometric functions, one for each of alpha and beta being the larger: the
    terms of these series are all positive and stay small, where the originals overflow for hundreds of purchases.
    """
    r, alpha, s, beta = values
    shape = r + s + frequency
    tail: Array = _log_alive(values, frequency, time) - np.log(shape)
    if alpha >= beta:
        tail += np.log(scipy.special.hyp2f1(1.0, r + frequency, shape + 1, (alpha - beta) / (alpha + time)))
    else:
        tail += np.log(scipy.special.hyp2f1(1.0, s + 1, shape + 1, (beta - alpha) / (beta + time)))
        tail += np.log((alpha + time) / (beta + time))
    return tail


def _tail_slopes(values: Array, frequency: Array, time: Array) -> Array:
    """Derivatives of the log tail by each parameter: one row per pair."""
    slopes = np.empty((frequency.size, values.size))
    for i, value in enumerate(values):
        step = np.zeros_like(values)
        step[i] = 1e-5 * value
        rise = _log_tail(values + step, frequency, time) - _log_tail(values - step, frequency, time)
        slopes[:, i] = rise / (2 * step[i])
    return slopes


@dataclass(frozen=True)
class Nbd:
    """Purchases without leaving: what the others must beat."""

    name: str = "NBD"
    parameter_names: tuple[str, ...] = ("r", "alpha")
    is_time: tuple[bool, ...] = (False, True)

    def log_likelihood(self, values: Array, histories: Histories) -> tuple[float, Array]:
        r, alpha = values
        pairs = histories.by_age
        x, later = pairs.frequency, alpha + pairs.time
        log_p = log_rising(r, x) + r * np.log(alpha) - (r + x) * np.log(later)
        by_r = pairs.customers @ (slope_of_log_rising(r, x) + np.log(alpha) - np.log(later))
        by_alpha = pairs.customers @ (r / alpha - (r + x) / later)
        return float(pairs.customers @ log_p), np.array([by_r, by_alpha])

    def p_alive(self, values: Array, histories: Histories) -> Array:  # noqa: ARG002
        return np.ones_like(histories.age)

    def purchases_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        r, alpha = values
        expected: Array = horizon * (r + frequency) / (alpha + age)
        return expected

    def p_none_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:
        r, alpha = values
        none: Array = ((alpha + age) / (alpha + age + horizon)) ** (r + frequency)
        return none

    def p_stays_if_alive(self, values: Array, frequency: Array, age: Array, horizon: float) -> Array:  # noqa: ARG002
        return np.ones_like(age)

    def rates_if_alive(self, values: Array, frequency: Array, age: Array, later: float) -> tuple[Array, Array]:  # noqa: ARG002
        r, alpha = values
        mean_rate: Array = (r + frequency) / (alpha + age)
        return mean_rate, mean_rate * (r + frequency + 1) / (alpha + age)


PARETO_NBD = ParetoNbd()
NBD = Nbd()
