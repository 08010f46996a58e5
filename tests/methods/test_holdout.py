"""Area under the curve, paired bootstrap and calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmaudit.methods.holdout import Ranking, calibration, shown_worse

rows = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.booleans()), min_size=1, max_size=30)


@given(rows)
def test_auc_is_the_share_of_pairs_in_order(data: list[tuple[int, int, bool]]) -> None:
    score, customers, happened = (np.array(v) for v in zip(*data, strict=True))
    yes = [s for s, n, h in data if h for _ in range(n)]
    no = [s for s, n, h in data if not h for _ in range(n)]
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    found = Ranking(score.astype(float)).auc(customers.astype(float), happened)
    assert found == (pytest.approx(wins / (len(yes) * len(no))) if yes and no else None)


def test_worse_is_shown_only_beyond_chance() -> None:
    rng = np.random.default_rng(1)
    outcome = rng.random(2000) < 0.4
    noise, ones = rng.normal(size=2000), np.ones(2000)
    good, bad = outcome + noise, outcome * 0.2 + rng.normal(size=2000)
    assert shown_worse(bad, good, ones, outcome)
    assert not shown_worse(good, bad, ones, outcome)
    assert not shown_worse(good, good, ones, outcome)
    barely = good + rng.normal(scale=0.05, size=2000)
    few = slice(0, 60)
    assert not shown_worse(barely[few], good[few], ones[few], outcome[few])
    assert not shown_worse(good, bad, ones, np.ones(2000, dtype=bool))


def test_rows_of_many_customers_weigh_as_many() -> None:
    rng = np.random.default_rng(2)
    outcome = rng.random(400) < 0.5
    bad, good = rng.normal(size=400), outcome + rng.normal(size=400) * 3
    assert not shown_worse(bad[:40], good[:40], np.ones(40), outcome[:40])
    assert shown_worse(bad[:40], good[:40], np.full(40, 1000.0), outcome[:40])


def test_calibration_by_tenths() -> None:
    expected = np.arange(20, dtype=float)
    found = calibration(expected, expected / 20, np.where(expected > 9, 2.0, 0.0), np.full(20, 5.0))
    assert found["customers"].to_list() == [10] * 10
    assert found["predicted"].to_list() == [5.0 * (4 * i + 1) for i in range(10)]
    assert found["actual"].to_list() == [0.0] * 5 + [20.0] * 5
    assert found["actual_active_pct"].to_list() == [0.0] * 5 + [100.0] * 5
    assert found["predicted_active_pct"][9] == pytest.approx(92.5)
