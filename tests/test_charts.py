from __future__ import annotations

import itertools
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from crmaudit import charts, svg, text
from crmaudit.plot import Column
from crmaudit.report import Value
from crmaudit.resources import folder
from crmaudit.view import columns
from tests.hostile import HANDFUL, corpus
from tests.report_sample import sample

TAGS = {"svg", "g", "path", "line", "rect", "text"}
DRAWN = [
    (chart, table)
    for audit in sample().audits
    for chart in audit.charts
    for table in audit.tables
    if table.name == chart.table
]

# One way to call each kind: which columns of `_columns` play which role.
CALLS: dict[str, dict[str, str]] = {
    "bars": {"label": "name", "value": "money"},
    "interval_bars": {"label": "name", "value": "pct", "low": "low", "high": "high", "n": "n", "reference": "flat"},
    "stacked_bars": {"label": "name", "value": "money", "series": "kind"},
    "waterfall": {"label": "name", "value": "money", "total": "is_total"},
    "line": {"x": "month", "y": "pct", "low": "low", "high": "high", "series": "kind"},
    "curve_with_band": {"x": "n", "y": "pct", "low": "low", "high": "high"},
    "calibration": {"predicted": "pct", "actual": "high", "n": "n", "low": "low", "high": "high"},
    "lorenz": {"x": "pct", "y": "low"},
    "heatmap": {"x": "kind", "y": "name", "value": "pct"},
    "histogram": {"x": "n", "value": "money"},
    "scatter": {"x": "n", "y": "money", "size": "n", "series": "kind"},
}


def _columns(size: int, *, word: str = "Customer") -> dict[str, Column]:
    every = range(size)
    months = [f"{2000 + i // 12}-{1 + i % 12:02d}" for i in every]
    return {
        "name": Column([f"{word} {i}" for i in every], "text", "Customer"),
        "kind": Column([f"{word} {i % 9}" for i in every], "text", "Kind"),
        "month": Column(months, "date", "Month"),
        "money": Column([(-1) ** i * (i + 1) * 1234.5 for i in every], "money", "Revenue", "EUR"),
        "pct": Column([100 * i / size for i in every], "pct", "Share"),
        "low": Column([80 * i / size for i in every], "pct", "Low"),
        "high": Column([min(100.0, 120 * i / size) for i in every], "pct", "High"),
        "n": Column([i * 3 for i in every], "n", "Deals"),
        "flat": Column([42.0] * size, "pct", "Base"),
        "is_total": Column([i in (0, size - 1) for i in every], "bool", "Total"),
    }


def _shapes(drawn: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(drawn).iter() if isinstance(element.tag, str)]  # noqa: S314


def _words(drawn: str) -> list[str]:
    return [shape.text or "" for shape in _shapes(drawn) if _tag(shape) == "text"]


def _tag(shape: ET.Element) -> str:
    return shape.tag.rpartition("}")[2]


def _bars(drawn: str, colour: str = "c1") -> list[tuple[float, float]]:
    """(left, right) of each bar of a colour, in the plot's own pixels."""
    found = []
    for shape in _shapes(drawn):
        if f"f-{colour}" in (shape.get("class") or "") and _tag(shape) == "path":
            start, length = re.match(r"M(-?[\d.]+),[-\d.]+h(-?[\d.]+)", shape.get("d", "")).groups()  # type: ignore[union-attr]
            found.append((float(start), float(start) + float(length)))
    return found


@pytest.mark.parametrize(("chart", "table"), DRAWN, ids=lambda one: getattr(one, "kind", ""))
def test_each_chart_of_the_sample_is_small_and_made_of_plain_shapes(chart: Any, table: Any) -> None:
    drawn = charts.draw(chart.kind, columns(table, "EUR"), chart.roles)
    assert len(drawn.encode()) < 60_000
    assert {_tag(shape) for shape in _shapes(drawn)} <= TAGS
    for shape in _shapes(drawn):
        assert not {"id", "style", "href", "onclick"} & set(shape.attrib)
        for attribute in ("fill", "stroke"):
            colour = shape.get(attribute, "none")
            assert colour == "none" or colour in svg.COLOURS
    assert charts.NOTHING not in drawn
    assert charts.draw(chart.kind, columns(table, "EUR"), chart.roles) == drawn


def test_the_sample_has_every_kind_of_chart() -> None:
    assert {chart.kind for chart, _ in DRAWN} == set(charts.KINDS) == set(CALLS)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("size", [0, 1, 200])
def test_any_number_of_rows_can_be_drawn(kind: str, size: int) -> None:
    drawn = charts.draw(kind, _columns(size, word="A name that is far too long for any axis to show"), CALLS[kind])
    assert len(drawn.encode()) < 60_000
    assert (charts.NOTHING in drawn) == (size == 0)
    root = _shapes(drawn)[0]
    assert 0 < float(root.get("width", "0")) <= 640
    assert "NaN" not in drawn
    assert "undefined" not in drawn
    assert "null" not in drawn


@pytest.mark.parametrize("kind", CALLS)
def test_values_that_are_absent_or_out_of_reach_are_left_out(kind: str) -> None:
    odd: list[Value] = [None, math.nan, math.inf, -math.inf, 1e300, "text", True]
    whole = _columns(len(odd))
    holed = {
        name: Column(odd, column.unit, column.label) if column.unit not in ("text", "date", "bool") else column
        for name, column in whole.items()
    }
    assert charts.NOTHING in charts.draw(kind, holed, CALLS[kind])
    absent = {name: Column([None] * 5, column.unit) for name, column in whole.items()}
    assert charts.NOTHING in charts.draw(kind, absent, CALLS[kind])


@pytest.mark.parametrize("kind", CALLS)
def test_words_cannot_become_shapes(kind: str) -> None:
    harmless = charts.draw(kind, _named(["x" * 40] * len(HANDFUL)), CALLS[kind])
    drawn = charts.draw(kind, _named(HANDFUL), CALLS[kind])
    shapes = [[(_tag(shape), sorted(shape.attrib)) for shape in _shapes(one)] for one in (harmless, drawn)]
    assert shapes[0] == shapes[1]
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\ufffe\uffff]", drawn)


def _named(words: Sequence[str]) -> dict[str, Column]:
    """Columns whose texts, and whose labels, hold the words."""
    return {
        name: Column(
            [f"{i} {word}" for i, word in enumerate(words)] if column.unit == "text" else column.values,
            column.unit,
            f"{name} {words[i % len(words)]}",
            "EUR",
        )
        for i, (name, column) in enumerate(_columns(len(words)).items())
    }


def test_words_of_the_corpus_reach_the_axis_as_they_are() -> None:
    payloads = corpus(61)
    if not payloads:
        pytest.skip("the corpus of payloads is not beside the checkout")
    for start in range(0, len(payloads), 25):
        some = payloads[start : start + 25]
        drawn = charts.draw(
            "bars", {"a": Column(some, "text", "Words"), "b": Column([1.0] * len(some), "n", "n")},
            {"label": "a", "value": "b"},
        )  # fmt: skip
        written = _words(drawn)
        assert [word for payload in some if (word := text.shorten(text.cell(payload, "text"), 30)) not in written] == []


def test_the_length_of_a_bar_is_its_value() -> None:
    table = {"a": Column(["x", "y", "z"]), "b": Column([10.0, 20.0, -5.0], "n", "Deals")}
    bars = _bars(charts.draw("bars", table, {"label": "a", "value": "b"}))
    lengths = [right - left for left, right in bars]
    assert lengths[1] / lengths[0] == pytest.approx(2, abs=0.01)
    assert lengths[2] / lengths[0] == pytest.approx(0.5, abs=0.01)
    assert bars[2][1] == pytest.approx(bars[0][0], abs=0.2)  # both begin at zero


def test_a_waterfall_arrives_at_its_total() -> None:
    table = {
        "a": Column(["before", "more", "less", "after"]),
        "b": Column([100.0, 50.0, -30.0, 120.0], "money", "Revenue", "EUR"),
        "t": Column([True, False, False, True], "bool"),
    }
    drawn = charts.draw("waterfall", table, {"label": "a", "value": "b", "total": "t"})
    (_, before), (_, after) = _bars(drawn)
    (up,), (down,) = _bars(drawn, "up"), _bars(drawn, "down")
    assert up[0] == pytest.approx(before, abs=0.2)
    assert down[1] == pytest.approx(up[1], abs=0.2)
    assert down[0] == pytest.approx(after, abs=0.2)
    assert [word for word in _words(drawn) if word[0] in "+\u2212"] == ["+50", "\u221230"]


def test_stacked_parts_follow_each_other_and_the_rest_is_added_up() -> None:
    table = {"a": Column(["x"] * 8), "s": Column([f"s{i}" for i in range(8)]), "v": Column([1.0] * 8, "n", "Deals")}
    drawn = charts.draw("stacked_bars", table, {"label": "a", "value": "v", "series": "s"})
    parts = [_bars(drawn, colour) for colour in ("c1", "c2", "c3", "c4", "c5", "c6")]
    ends = [part for (part,) in parts]
    assert all(before[1] == pytest.approx(after[0], abs=0.2) for before, after in itertools.pairwise(ends))
    assert ends[5][1] - ends[5][0] == pytest.approx(3 * (ends[0][1] - ends[0][0]), abs=0.3)
    assert "3 others" in _words(drawn)


def test_more_than_can_be_read_is_cut_and_said() -> None:
    drawn = charts.draw("bars", _columns(40), CALLS["bars"])
    assert "The first 25 of 40." in _words(drawn)
    assert len(_bars(drawn)) == 25


def test_customers_of_the_same_name_keep_their_own_bars() -> None:
    table = {"a": Column(["Smith", "Smith"]), "b": Column([1.0, 2.0], "n", "n")}
    assert len(_bars(charts.draw("bars", table, {"label": "a", "value": "b"}))) == 2


def test_large_amounts_are_in_thousands_or_millions_and_say_so() -> None:
    for size, heading, figure in ((5e4, "Revenue (EUR)", "50,000"), (5e5, "Revenue (EUR thousand)", "500"),
                                  (5e7, "Revenue (EUR million)", "50")):  # fmt: skip
        table = {"a": Column(["x"]), "b": Column([size], "money", "Revenue", "EUR")}
        words = _words(charts.draw("bars", table, {"label": "a", "value": "b"}))
        assert heading in words
        assert figure in words


def test_a_higher_value_has_a_darker_cell() -> None:
    table = {"x": Column([1, 2, 3], "n"), "y": Column(["a"] * 3), "v": Column([0.0, 50.0, 100.0], "pct", "Active")}
    drawn = charts.draw("heatmap", table, {"x": "x", "y": "y", "value": "v"})
    cells = [shape.get("class", "") for shape in _shapes(drawn) if "s-paper" in shape.get("class", "")]
    assert cells == ["f-h1 s-paper", "f-h4 s-paper", "f-h7 s-paper"]


@pytest.mark.parametrize(
    ("kind", "roles", "said"),
    [
        ("pie", {}, "no chart is called 'pie'"),
        ("bars", {"label": "name"}, "lacks the role value"),
        ("bars", {"label": "name", "value": "money", "low": "low"}, "has no role low"),
        ("bars", {"label": "name", "value": "profit"}, "draws profit, which its table has not"),
    ],
)
def test_wrong_roles_are_named(kind: str, roles: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        charts.draw(kind, _columns(3), roles)


def test_an_element_that_no_chart_uses_is_refused() -> None:
    with pytest.raises(ValueError, match="<image>"):
        svg.finish('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="http://x"/></svg>')


def test_every_colour_has_a_rule_and_a_value_by_day_and_by_night() -> None:
    style = (folder("report_templates") / "style.css").read_text(encoding="utf-8")
    day, night = style.split("@media (prefers-color-scheme: dark)", 1)
    for colour, name in svg.COLOURS.items():
        assert f".f-{name} {{ fill: var(--{name}); }}" in style
        assert f".s-{name} {{ stroke: var(--{name}); }}" in style
        assert f"--{name}: {colour};" in day or name in ("ink", "muted")
        assert f"--{name}: " in night.split("}", 1)[0]


def test_the_time_zone_and_the_locale_of_the_machine_change_nothing() -> None:
    program = (
        "import hashlib; from crmaudit import charts; from tests.test_charts import CALLS, _columns;"
        "print(hashlib.sha256(charts.draw('line', _columns(40), CALLS['line']).encode()).hexdigest())"
    )
    digests = set()
    for zone, locale in (("Pacific/Kiritimati", "C"), ("America/Anchorage", "de_DE.UTF-8")):
        environment = {**os.environ, "TZ": zone, "LC_ALL": locale, "LANG": locale}
        root = Path(__file__).resolve().parents[1]
        ran = subprocess.run(
            [sys.executable, "-c", program], env=environment, cwd=root, capture_output=True, check=True
        )
        digests.add(ran.stdout)
    assert len(digests) == 1
