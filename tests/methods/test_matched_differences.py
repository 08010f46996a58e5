"""Matched differences: by hand, their size on noise, and what one customer in many sets is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from crmaudit.methods import matched_differences

Row = tuple[str, int, str, bool, bool]


def found(rows: list[Row]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    data = pl.DataFrame(rows, schema=["kind", "set", "who", "case", "came"], orient="row")
    tables = matched_differences.estimate(
        data, matched_set="set", subject="who", is_case="case", outcome="came", group="kind", first="good", second="bad"
    ).tables
    return {row["kind"]: row for row in tables["differences"].iter_rows(named=True)}, tables["contrast"].row(
        0, named=True
    )


def sets(kind: str, first: int, cases: int, hits: int, control_hits: int, controls: int = 2) -> list[Row]:
    """`cases` sets, of which in `hits` the case has the outcome and in `control_hits` all controls."""
    rows: list[Row] = []
    for n in range(first, first + cases):
        rows.append((kind, n, f"case {n}", True, n - first < hits))
        rows += [(kind, n, f"control {n} {k}", False, n - first < control_hits) for k in range(controls)]
    return rows


def test_two_groups_by_hand() -> None:
    """12 of 20 against a quarter, and 4 of 20 against a quarter. The error: sum of (y - 0.6)^2 / 400 over the cases, 0.012,
    and of (y - 0.25)^2 / 1600 over the controls, 0.0046875, times 60 / 59 subjects."""
    rows, contrast = found(sets("good", 0, 20, 12, 5) + sets("bad", 100, 20, 4, 5))
    good = rows["good"]
    assert (good["sets"], good["controls"], good["case_pct"], good["control_pct"]) == (20, 40, 60, pytest.approx(25))
    assert good["difference_points"] == pytest.approx(35)
    error = 100 * np.sqrt((0.012 + 0.0046875) * 60 / 59)
    assert good["high_points"] - good["difference_points"] == pytest.approx(2.0010 * error, rel=1e-3)
    assert rows["bad"]["difference_points"] == pytest.approx(-5)
    assert contrast["difference_points"] == pytest.approx(40)


def test_controls_of_one_set_are_one_comparison() -> None:
    """Five controls that agree say no more than one: a set counts once."""
    few, many = (found(sets("good", 0, 20, 12, 5, controls=k))[0]["good"]["control_pct"] for k in (1, 5))
    assert few == pytest.approx(many)


def test_one_control_in_every_set_makes_the_interval_wider() -> None:
    rows = sets("good", 0, 20, 12, 5)
    alone = found(rows)[0]["good"]
    shared = found([(k, s, "everywhere" if not c and w[-1] == "0" else w, c, y) for k, s, w, c, y in rows])[0]["good"]
    assert shared["difference_points"] == pytest.approx(alone["difference_points"])
    assert shared["high_points"] != pytest.approx(alone["high_points"])


def test_noise_is_no_difference() -> None:
    draws = np.random.default_rng(8)
    p = []
    for _ in range(120):
        rows = [
            ("good", n, f"{n % 25 if k == 0 else draws.integers(0, 60)}", k == 0, bool(draws.random() < 0.2))
            for n in range(40)
            for k in range(5)
        ]
        p.append(found(rows)[0]["good"]["p"])
    assert np.mean(np.array(p) < 0.05) < 0.1


def test_nothing_at_all_is_no_certainty_and_few_sets_are_none() -> None:
    nothing = found(sets("good", 0, 20, 0, 0))[0]["good"]
    assert nothing["difference_points"] == 0
    assert nothing["low_points"] < -5
    assert nothing["p"] == pytest.approx(1)
    few, contrast = found(sets("good", 0, 9, 5, 0))
    assert (few["good"]["difference_points"], contrast["p"]) == (None, None)
    assert found(sets("good", 0, 10, 5, 0))[0]["good"]["sets"] == 10


def test_sets_without_a_case_or_a_control_are_left_out() -> None:
    rows = sets("good", 0, 12, 6, 3)
    more: list[Row] = [
        ("good", 900, "lonely", True, True),
        ("good", 901, "x", False, True),
        ("good", 901, "y", False, True),
    ]
    assert found(rows + more) == found(rows)
    with pytest.raises(ValueError, match="flags"):
        matched_differences.estimate(
            pl.DataFrame({"set": [1], "who": ["a"], "case": [2], "came": [1], "kind": ["good"]}),
            matched_set="set", subject="who", is_case="case", outcome="came", group="kind", first="good", second="bad",
        )  # fmt: skip
