"""The star and the cherry-picker, over many seeds: told apart, and nobody a star where there is none.

pytest -s tests/methods/test_stars_simulated.py        prints the measured rates
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from crmaudit.methods import adjusted_rates
from crmaudit.methods.false_discovery import benjamini_hochberg

RUNS = [pytest.param(12, id="slice"), pytest.param(400, id="whole", marks=pytest.mark.full)]
OWNERS = ("Star", "Picker", *(f"Owner {n}" for n in range(6)))


def stars(draws: np.random.Generator, star: float) -> set[str]:
    """Who is named a star among eight owners of 120 deals, one with hard deals and `star` more log-odds than all, one
    with easy deals and none."""
    parts = []
    for owner in OWNERS:
        easy = {"Star": 0.25, "Picker": 0.85}.get(owner, 0.5)
        origin, segment = draws.random(120) < easy, draws.integers(0, 4, 120)
        odds = -1.2 + 1.2 * origin + 0.2 * segment + (star if owner == "Star" else 0.0)
        won = draws.random(120) < expit(odds)
        names = {"owner": [owner] * 120, "origin": origin.astype(str), "segment": segment.astype(str)}
        parts.append(pl.DataFrame({**names, "won": won.astype(int), "deals": 1}))
    deals = pl.concat(parts).group_by("owner", "origin", "segment").agg(pl.col("won").sum(), pl.col("deals").sum())
    found = adjusted_rates.estimate(
        deals, successes="won", trials="deals", unit="owner", mix=["origin", "segment"], crossed=["origin", "segment"]
    ).tables
    owners, cells = found["adjusted"], found["crossed"]
    q = benjamini_hochberg([*owners["p"].to_list(), *cells["p"].to_list()])[: owners.height]
    return {
        row["owner"]
        for row, chance in zip(owners.iter_rows(named=True), q, strict=True)
        if chance is not None and chance < 0.05 and row["low_pct"] > row["base_pct"]
    }


@pytest.mark.parametrize("runs", RUNS)
def test_star_and_cherry_picker_are_told_apart(runs: int) -> None:
    draws = np.random.default_rng(59)
    apart = np.mean([stars(draws, star=1.3) & {"Star", "Picker"} == {"Star"} for _ in range(runs)])
    print(f"star and cherry-picker told apart in {100 * apart:.1f} % of {runs} runs")
    assert apart >= 0.95 - (runs < 100) * 0.15


@pytest.mark.parametrize("runs", RUNS)
def test_nobody_is_a_star_where_only_the_deals_differ(runs: int) -> None:
    draws = np.random.default_rng(60)
    named = np.mean([bool(stars(draws, star=0.0)) for _ in range(runs)])
    print(f"somebody named a star though nobody is in {100 * named:.1f} % of {runs} runs")
    assert named <= 0.05 + (runs < 100) * 0.12
