"""Figures in sentences: one of a kind, and any other number of it."""

from __future__ import annotations

import pytest

from crmaudit.audits import unit_of
from crmaudit.sentences import LONGEST_NAME, figures_of, fill

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


CLAUSE = "About {n} stay; [lost: {lost|is|are} at risk, who brought {amount} | nobody is at risk]."


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        (0, "About 9 stay; nobody is at risk."),
        (1, "About 9 stay; 1 is at risk, who brought 0\u00a0EUR."),
        (None, "About 9 stay; \u2013 are at risk, who brought 0\u00a0EUR."),
    ],
)
def test_a_clause_gives_way_to_other_words_where_its_figure_is_nothing(lost: int | None, told: str) -> None:
    assert fill(CLAUSE, {"n": (9, "n"), "lost": (lost, "n"), "amount": (0, "money")}, "EUR") == told


def test_the_names_of_a_clause_are_wanted_too() -> None:
    assert set(figures_of(CLAUSE)) == {"n", "lost", "amount"}


def test_words_of_customers_are_no_clause() -> None:
    assert fill("{who} left.", {"who": ("[n: a | b] {n}", "text"), "n": (0, "n")}, "EUR") == "[n: a | b] {n} left."


@pytest.mark.parametrize(
    ("unit", "values", "told"),
    [
        ("money", (10_416, 6_866.95), "10,416\u00a0EUR, not 6,867\u00a0EUR"),
        ("money", (10_416, 3.5), "10,416\u00a0EUR, not 3.50\u00a0EUR"),
        ("money", (1_200, 1_554.34), "1,200.00\u00a0EUR, not 1,554.34\u00a0EUR"),
        ("money", (0, 1_554.34), "0\u00a0EUR, not 1,554.34\u00a0EUR"),
        ("money", (1_200, 50), "1,200\u00a0EUR, not 50\u00a0EUR"),
        ("days", (18, 21.5), "18.0\u00a0days, not 21.5\u00a0days"),
        ("days", (201, 6.9), "201\u00a0days, not 7\u00a0days"),
        ("hours", (201, 0.4), "201\u00a0hours, not 0.4\u00a0hours"),
        ("days", (18, 21), "18\u00a0days, not 21\u00a0days"),
        ("n", (18, 21.5), "18, not 21.5"),
    ],
)
def test_figures_of_one_sentence_have_the_same_decimals(unit: str, values: tuple[float, float], told: str) -> None:
    figures = dict(zip("ab", ((value, unit) for value in values), strict=True))
    assert fill("{a}, not {b}", figures, "EUR") == told


def test_an_interval_has_the_decimals_of_its_sentence() -> None:
    figures = {"x": (28.9, "hours"), "x_low": (26.0, "hours"), "x_high": (32.0, "hours")}
    assert fill("{x} ({x.interval})", figures, "EUR") == "28.9\u00a0hours (26.0\u201332.0\u00a0hours)"


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


def test_a_sentence_has_no_more_of_a_name_than_is_read() -> None:
    told = fill("{who} left.", {"who": ("x" * 5_000, "text")}, "EUR")
    assert len(told) == LONGEST_NAME + len(" left.")
    assert told.endswith("x\u2026 left.")
