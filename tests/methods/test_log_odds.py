"""Words that a group over-uses: the paper's formula by hand, and its laws."""

from __future__ import annotations

from math import erfc, log, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmaudit.methods import log_odds

Row = tuple[str, str, int]


def found(rows: list[Row]) -> pl.DataFrame:
    table = pl.DataFrame(rows, schema={"side": pl.String, "word": pl.String, "users": pl.Int64}, orient="row")
    columns = log_odds.estimate(table, group="side", word="word", users="users").columns
    assert columns is not None
    return pl.concat([table, columns], how="horizontal")


def test_monroe_colaresi_quinn_by_hand() -> None:
    """Word "late": 30 of 100 uses of one side, 10 of 300 of the other; prior 500 x 40 / 400 = 50."""
    rows = found([("lost", "late", 30), ("lost", "fine", 70), ("best", "late", 10), ("best", "fine", 290)])
    delta = log((30 + 50) / (100 + 500 - 80)) - log((10 + 50) / (300 + 500 - 60))
    z = delta / sqrt(1 / 80 + 1 / 60)
    assert rows["log_odds"][0] == pytest.approx(delta)
    assert rows["z"][0] == pytest.approx(z)
    assert rows["theme_p"][0] == pytest.approx(erfc(abs(z) / sqrt(2)))
    assert rows["low"][0] < delta < rows["high"][0]
    assert rows["high"][0] - delta == pytest.approx(1.959964 * sqrt(1 / 80 + 1 / 60))


def test_of_one_word_nothing_can_be_told() -> None:
    table = pl.DataFrame({"side": ["lost", "best"], "word": ["late", "late"], "users": [3, 4]})
    estimate = log_odds.estimate(table, group="side", word="word", users="users")
    assert estimate.columns is None
    assert estimate.withheld == "All of them use one and the same word."


def test_the_order_of_importance() -> None:
    """Of words used at one rate in one group alone the more frequent one is the surer theme."""
    rows = found([("a", "often", 40), ("a", "seldom", 4), ("a", "both", 100), ("b", "both", 100), ("b", "other", 44)])
    by_word = dict(zip(rows["word"], rows["z"], strict=False))
    assert by_word["often"] > by_word["seldom"] > 0


counts = st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=2, max_size=8)


@given(counts)
def test_two_groups_mirror_each_other(pairs: list[tuple[int, int]]) -> None:
    rows = found(
        [("a", f"w{i}", a) for i, (a, _) in enumerate(pairs)] + [("b", f"w{i}", b) for i, (_, b) in enumerate(pairs)]
    )
    first, second = rows.filter(pl.col("side") == "a"), rows.filter(pl.col("side") == "b")
    np.testing.assert_allclose(first["log_odds"].to_numpy(), -second["log_odds"].to_numpy(), atol=1e-9)
    np.testing.assert_allclose(first["theme_p"].to_numpy(), second["theme_p"].to_numpy(), atol=1e-9)


@given(counts)
def test_groups_that_talk_alike_have_no_theme(pairs: list[tuple[int, int]]) -> None:
    words = [a for a, _ in pairs]
    rows = found([(side, f"w{i}", n) for side in "ab" for i, n in enumerate(words)])
    np.testing.assert_allclose(rows["log_odds"].to_numpy(), 0.0, atol=1e-9)


def test_noise_is_seldom_called_a_theme() -> None:
    """Of words drawn alike for both groups at most a twentieth stands out, the prior drawing them together."""
    draws = np.random.default_rng(2008)
    called = total = 0
    for _ in range(40):
        shares = draws.dirichlet(np.full(200, 0.5))
        a, b = draws.multinomial(800, shares), draws.multinomial(2400, shares)
        rows = found(
            [("a", f"w{i}", int(n)) for i, n in enumerate(a) if n]
            + [("b", f"w{i}", int(n)) for i, n in enumerate(b) if n]
        )
        called += int((rows["theme_p"] < 0.05).sum())
        total += rows.height
    assert called / total < 0.05


def test_one_group_has_nobody_to_differ_from() -> None:
    table = pl.DataFrame({"side": ["a", "a"], "word": ["x", "y"], "users": [3, 4]})
    assert log_odds.estimate(table, group="side", word="word", users="users").withheld is not None
