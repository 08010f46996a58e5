"""Figures in sentences: one of a kind, and any other number of it."""

from __future__ import annotations

import pytest

from crmaudit.audits import unit_of
from crmaudit.sentences import figures_of, fill

TEMPLATE = "{n|customer has|customers have} left, {share} of all."


@pytest.mark.parametrize(
    ("n", "told"),
    [
        (1, "1 customer has left, 5.0\u00a0% of all."),
        (0, "0 customers have left, 5.0\u00a0% of all."),
        (1200, "1,200 customers have left, 5.0\u00a0% of all."),
    ],
)
def test_a_figure_takes_the_words_that_go_with_it(n: int, told: str) -> None:
    assert fill(TEMPLATE, {"n": (n, "n"), "share": (5.0, "pct")}, "EUR") == told


def test_names_are_found_with_and_without_words() -> None:
    assert figures_of(TEMPLATE + "{x.interval}") == ["n", "share", "x"]


def test_words_do_not_stand_in_for_a_missing_figure() -> None:
    with pytest.raises(KeyError, match="n"):
        fill(TEMPLATE, {}, "EUR")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("low", "ratio"), ("high", "ratio"), ("_low", "ratio"), ("rate_pct_low", "pct"), ("low_pct", "pct")],
)
def test_ends_of_intervals_have_the_unit_of_their_figure(name: str, unit: str) -> None:
    assert unit_of(name, "DOUBLE") == unit
