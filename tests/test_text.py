from __future__ import annotations

import math

import pytest

from crmaudit import text
from crmaudit.report import Value

NB = text.NO_BREAK


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (63.21, "pct", f"63.2{NB}%"),
        (100, "pct", f"100.0{NB}%"),
        (0, "pct", f"0.0{NB}%"),
        (0.01, "pct", f"<0.1{NB}%"),
        (-0.01, "pct", f"0.0{NB}%"),
        (2.1, "points", f"+2.1{NB}points"),
        (-3.04, "points", f"\u22123.0{NB}points"),
        (1, "days", f"1{NB}day"),
        (62.4, "days", f"62.4{NB}days"),
        (26.25, "hours", f"26.2{NB}hours"),
        (1234567.891, "money", f"1,234,568{NB}EUR"),
        (-1234.5, "money", f"\u22121,234.50{NB}EUR"),
        (12_345, "n", "12,345"),
        (0.741, "ratio", "0.74"),
        (0.0123, "ratio", "0.012"),
        (0.00004, "p", "<0.001"),
        (0.0344, "p", "0.034"),
        ("2025-06-30", "date", "2025-06-30"),
        ("Con\ttoso\u202e", "text", "Con toso"),
        (True, "bool", "yes"),
        (None, "money", "\u2013"),
        (math.nan, "pct", "\u2013"),
        ("", "text", "\u2013"),
    ],
)
def test_a_value_is_written_as_its_unit_is_read(value: Value, unit: str, written: str) -> None:
    assert text.value(value, unit, "EUR") == written


def test_money_in_a_table_keeps_its_cents_and_leaves_its_currency_to_the_heading() -> None:
    assert text.cell(1234567.891, "money") == "1,234,567.89"
    assert text.heading("Revenue", "money", "EUR") == "Revenue (EUR)"
    assert text.heading("Silent days", "days") == "Silent days"
    assert text.heading("Customer", "text") == "Customer"


@pytest.mark.parametrize(
    ("low", "high", "unit", "written"),
    [
        (9_358.29, 13_966, "money", f"9,358\u201313,966{NB}EUR"),
        (26, 32.2, "hours", f"26.0\u201332.2{NB}hours"),
        (60.1, 65.9, "pct", f"60.1\u201365.9{NB}%"),
        (-2.1, 3.4, "points", f"\u22122.1 to +3.4{NB}points"),
        (-5, -1, "pct", f"\u22125.0 to \u22121.0{NB}%"),
        (1_000, 20_000, "money", f"1,000\u201320,000{NB}EUR"),
        (None, 1, "pct", ""),
        (0, math.inf, "pct", ""),
    ],
)
def test_an_interval_has_both_ends_or_is_absent(low: float | None, high: float, unit: str, written: str) -> None:
    assert text.interval(low, high, unit, "EUR") == written


def test_text_is_cut_by_the_width_it_takes() -> None:
    assert text.shorten("short", 10) == "short"
    assert text.shorten("a" * 11, 10) == "a" * 9 + "\u2026"
    assert text.columns_wide(text.shorten("\u6f22" * 20, 10)) <= 10
    assert len(text.shorten("e" + "\u0301" * 9_999, 10)) <= 41


def test_identifiers_become_words() -> None:
    assert text.name("customer_churn_pct") == "Customer churn"
    assert text.name("overdue_amount") == "Overdue"
    assert text.name("at_risk_mrr") == "At risk MRR"
    assert text.name("momentum_down_a_customers") == "Momentum down A customers"
    assert text.count(1, "customer") == f"1{NB}customer"
    assert text.count(12_345, "customer") == f"12,345{NB}customers"


def test_a_sentence_stays_legible_in_markdown() -> None:
    said = "The re-opened share (12.5 %) rose: see A, B and C."
    assert text.markdown(said) == said
    ended = "Of 182. (0.97\u20131.51), by (\u221211.8 %): 16.2 %. Then (2.56\u20134.27). And +2.1; (\u22123) 7: so 9)."
    assert text.markdown(ended) == ended
    for marker in ("1. a", "12) a", "1.", "7: a", "+ a"):
        assert text.markdown(marker).startswith(marker[: len(marker.split()[0]) - 1] + "&#")
    assert text.markdown("1. a_b *c* <d> www.e.f |") == "1&#46; a&#95;b &#42;c&#42; &#60;d&#62; www&#46;e&#46;f &#124;"
