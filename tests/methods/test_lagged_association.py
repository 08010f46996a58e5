"""Lagged association: a planted effect is found at its lag, noise is not, and the laws it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy import optimize

from crmaudit.methods import lagged_association


def table(exposed: NDArray[Any], events: NDArray[Any], at_risk: NDArray[Any] | None = None) -> pl.DataFrame:
    subjects, steps = exposed.shape
    return pl.DataFrame(
        {
            "subject": np.repeat(np.arange(subjects), steps),
            "step": np.tile(np.arange(steps), subjects),
            "month": np.tile(np.arange(steps) // 4, subjects),
            "exposed": exposed.ravel().astype(bool),
            "events": events.ravel().astype(int),
            "at_risk": np.ones(exposed.size, dtype=bool) if at_risk is None else at_risk.ravel().astype(bool),
        }
    )


def found(data: pl.DataFrame) -> tuple[dict[str, Any], pl.DataFrame]:
    tables = lagged_association.estimate(
        data, subject="subject", step="step", calendar="month", exposed="exposed", events="events", at_risk="at_risk"
    ).tables
    return tables["best"].row(0, named=True), tables["by_lag"]


def lumpy(draws: np.random.Generator, subjects: int, steps: int, hold: float = 0.8) -> NDArray[np.float64]:
    """A normal series for each subject that holds on to what it was the week before."""
    noise = draws.normal(size=(subjects, steps))
    series = noise.copy()
    for step in range(1, steps):
        series[:, step] = hold * series[:, step - 1] + np.sqrt(1 - hold**2) * noise[:, step]
    return series


def test_a_planted_effect_is_found_at_its_lag_with_its_size() -> None:
    draws = np.random.default_rng(5)
    exposed = draws.random((80, 80)) < 0.15
    rate = np.full((80, 80), 0.15)
    rate[:, 3:] *= np.where(exposed[:, :-3], 2.0, 1.0)
    best, by_lag = found(table(exposed, draws.poisson(rate)))
    assert best["lag"] == 3
    assert best["p"] < 0.01
    assert best["low"] < 2.0 < best["high"]
    assert (by_lag.filter(pl.col("lag") != 3)["chance"] > 0.05).all()


def test_lumpy_noise_is_no_association_though_all_lags_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both series hold on to what they were, everybody has more of both in summer, and some have more of both always."""
    monkeypatch.setattr(lagged_association, "DRAWS", 199)
    draws = np.random.default_rng(11)
    chances = []
    for _ in range(60):
        summer = 0.5 * np.cos(np.arange(60) / 52 * 2 * np.pi)
        keen = draws.normal(size=(40, 1))
        exposed = lumpy(draws, 40, 60) + summer + keen > 1
        events = draws.poisson(0.15 * np.exp(0.8 * lumpy(draws, 40, 60) + summer + 0.5 * keen))
        chances.append(found(table(exposed, events))[0]["p"])
    assert np.mean([p is not None and p <= 0.05 for p in chances]) < 0.13


def test_an_interval_leaves_one_out_where_the_test_does() -> None:
    draws, seen = np.random.default_rng(17), set()
    for effect in (0.6, 1.0, 1.0, 1.5):
        exposed = draws.random((40, 60)) < 0.2
        rate = np.full((40, 60), 0.15)
        rate[:, 2:] *= np.where(exposed[:, :-2], effect, 1.0)
        _, by_lag = found(table(exposed, draws.poisson(rate)))
        for row in by_lag.filter((pl.col("chance") - 0.05).abs() > 0.005).iter_rows(named=True):
            assert (row["low"] > 1 or row["high"] < 1) == (row["chance"] < 0.05), row
            seen.add(row["chance"] < 0.05)
    assert seen == {True, False}


def test_rate_ratio_is_the_conditional_maximum_likelihood_estimate() -> None:
    """One lag, no calendar: the multinomial likelihood of each subject's events, maximised by brute force."""
    draws = np.random.default_rng(2)
    exposed = draws.random((25, 40)) < 0.3
    events = draws.poisson(0.3, (25, 40))
    data = table(exposed, events).with_columns(month=0)
    _, by_lag = found(data)
    before = np.roll(exposed, 1, axis=1)
    both = (exposed.sum(axis=1) > 0) & (events.sum(axis=1) > 0)

    def minus_likelihood(log_ratio: float) -> float:
        weight = np.exp(log_ratio * before[both])
        return -float((events[both] * np.log(weight / weight.sum(axis=1, keepdims=True))).sum())

    best = optimize.minimize_scalar(minus_likelihood, bounds=(-3, 3), method="bounded").x
    assert by_lag["rate_ratio"][0] == pytest.approx(np.exp(best), rel=1e-3)


def test_neither_order_nor_time_without_risk_nor_bystanders_change_anything() -> None:
    draws = np.random.default_rng(3)
    exposed, events = draws.random((30, 40)) < 0.2, draws.poisson(0.3, (30, 40))
    at_risk = draws.random((30, 40)) < 0.9
    data = table(exposed, events, at_risk)
    best, by_lag = found(data)
    assert found(data.sample(fraction=1, shuffle=True, seed=1))[0] == best
    hidden = data.with_columns(events=pl.when("at_risk").then("events").otherwise(7))
    assert found(hidden)[0] == best
    bystander = data.filter(pl.col("subject") == 0).with_columns(
        subject=pl.lit(99, pl.Int64), exposed=pl.lit(value=False)
    )
    assert found(pl.concat([data, bystander.select(data.columns)]))[0] == best
    assert by_lag["chance"].is_between(0, 1).all()


def test_few_subjects_and_gaps() -> None:
    draws = np.random.default_rng(4)
    few = table(draws.random((19, 40)) < 0.2, draws.poisson(0.3, (19, 40)))
    best, by_lag = found(few)
    assert (best["p"], best["lag"], by_lag.height) == (None, None, 0)
    with pytest.raises(ValueError, match="gaps"):
        found(few.filter(pl.col("step") != 5))
