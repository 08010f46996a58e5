"""What the kinds of chart share: rows from columns, axes, layers, and the way from a drawing to an SVG.

Nothing here asks Vega how wide a font is: room for labels is reckoned from the text, so the same rows give the same
bytes on every machine. Words beside marks stand where we put them and are left out of what Vega draws, since it
measures each of them, which takes longer than all the rest.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import vl_convert

from crmaudit import svg, text
from crmaudit.report import Value
from crmaudit.svg import Word

WIDTH = 640
MOST_BARS = 25
MOST_SERIES = 6
MOST_CELLS = 36
"""Rows, and columns, of a heat map."""
LONGEST = 30
"""Columns of text that a label may take."""
SERIES = ("c1", "c2", "c3", "c4", "c5", "c6")
LINE = 26
"""Pixels from one bar to the next."""

Row = dict[str, Any]
Layer = dict[str, Any]
Axis = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column of a table: its values, their unit (as in the report) and the words for it."""

    values: Sequence[Value]
    unit: str = "text"
    label: str = ""
    currency: str = ""

    @property
    def heading(self) -> str:
        return text.heading(self.label, self.unit, self.currency)


@dataclass(frozen=True)
class Drawing:
    """A plot of `width` x `height` pixels, with room for labels at its `left`, figures at its `right`, axis below."""

    rows: Sequence[Row]
    layers: Sequence[Layer]
    height: float
    left: int = 56
    right: int = 20
    bottom: int = 44
    width: float | None = None
    top: int = 8
    heading: str = ""
    legend: Sequence[tuple[str, str]] = ()
    note: str = ""
    words: Sequence[Word] = ()


def number(value: Value) -> float | None:
    """The value where it is a finite number of a size that a scale can take; booleans are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        return None
    return value


def numbers(column: Column) -> list[float | None]:
    return [number(value) for value in column.values]


def words(column: Column) -> list[str | None]:
    return [None if value is None else text.cell(value, column.unit) for value in column.values]


def rows_of(**needed: Sequence[Any]) -> list[Row]:
    """One row for each position at which every needed value is present; `at` remembers the position."""
    length = min(len(values) for values in needed.values())
    rows = ({"at": at, **{role: values[at] for role, values in needed.items()}} for at in range(length))
    return [row for row in rows if all(value is not None for value in row.values())]


def beside(rows: Sequence[Row], **more: Column | None) -> None:
    """Adds to each row what optional columns hold at its position; roles that were not given stay absent."""
    for role, column in more.items():
        if column is not None:
            for row in rows:
                row[role] = number(column.values[row["at"]])


def first(rows: list[Row], most: int = MOST_BARS) -> tuple[list[Row], str]:
    """As many rows as can be read, numbered from 0, and the remark that there are more."""
    for i, row in enumerate(rows):
        row["i"] = i
    return rows[:most], f"The first {most} of {text.number(len(rows))}." if len(rows) > most else ""


def largest_series(rows: Sequence[Row], most: int) -> list[str]:
    """The series that hold most, in the order of the rows."""
    sizes: dict[str, float] = {}
    for row in rows:
        sizes[row["series"]] = sizes.get(row["series"], 0) + abs(row["value"])
    largest = set(sorted(sizes, key=lambda name: -sizes[name])[:most])
    return [name for name in sizes if name in largest]


def figure(value: float, column: Column) -> str:
    """The figure written beside a mark: short, without the currency, which the heading names."""
    if column.unit == "money":
        return text.number(value, 0 if abs(value) >= 1000 or float(value).is_integer() else 1)
    if column.unit == "pct":
        return text.value(value, "pct")
    return text.cell(value, column.unit)


def along(column: Column) -> tuple[list[Any], str]:
    """The values of an x axis and its type: dates as milliseconds (`temporal`), numbers, else words in their order."""
    present = [value for value in column.values if value is not None]
    if present and all(number(value) is not None for value in present):
        return numbers(column), "quantitative"
    stamps = [_milliseconds(value) for value in column.values]
    if present and sum(stamp is not None for stamp in stamps) == len(present):
        return stamps, "temporal"
    return [None if word is None else text.shorten(word, 14) for word in words(column)], "ordinal"


_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?")


def _milliseconds(value: Value) -> int | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        day = dt.date.fromisoformat(value if len(value) == 10 else f"{value}-01")
    except ValueError:
        return None
    return (day - dt.date(1970, 1, 1)).days * 86_400_000


def colour(name: str) -> Mapping[str, str]:
    return {"value": svg.LITERAL[name]}


def by_colour(field: str = "colour", names: Iterable[str] = svg.LITERAL) -> Axis:
    """Each row's own colour, by its name."""
    names = list(names)
    scale = {"domain": names, "range": [svg.LITERAL[name] for name in names]}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None}


def quantity(field: str, *, title: str = "", grid: bool = False, scale: Mapping[str, Any] | None = None) -> Axis:
    """A numeric axis: few ticks, thousands separated, a grid only where asked."""
    axis = {"title": title or None, "grid": grid, "tickCount": 5, "format": ",~f", "labelFlush": False}
    return {"field": field, "type": "quantitative", "axis": axis, "scale": dict(scale or {"nice": True})}


def bare(field: str) -> Axis:
    """A numeric scale without an axis, where each mark carries its figure."""
    return {"field": field, "type": "quantitative", "axis": None, "scale": {"zero": True, "nice": False}}


def across(field: str, type_: str, column: Column, rows: Sequence[Row]) -> Axis:
    """The x axis of a line: dates need no title, words keep their order and show every so many labels."""
    if type_ == "temporal":
        axis: Axis = {"title": None, "grid": False, "tickCount": 7, "labelFlush": True}
        return {"field": field, "type": "temporal", "axis": axis, "scale": {"type": "utc", "nice": False}}
    if type_ == "quantitative":
        return quantity(field, title=column.heading, scale={"zero": False, "nice": False})
    places = list(dict.fromkeys(row[field] for row in rows))
    shown = places[:: max(1, math.ceil(len(places) / 7))]
    axis = {"title": column.heading or None, "grid": False, "labelAngle": 0, "values": shown, "labelOverlap": False}
    return {"field": field, "type": "ordinal", "sort": None, "axis": axis, "scale": {"type": "point", "padding": 0.3}}


def layer(mark: str, encoding: Mapping[str, Any], rows: Sequence[Row] | None = None, **looks: Any) -> Layer:
    """One layer; `looks` are properties of the mark, and a colour is given by its name."""
    looks = {key: svg.LITERAL.get(look, look) if isinstance(look, str) else look for key, look in looks.items()}
    made: Layer = {"mark": {"type": mark, **looks}, "encoding": dict(encoding)}
    if rows is not None:
        made["data"] = {"values": list(rows)}
    return made


def lines(count: int) -> Axis:
    """The y scale of `count` lines below each other, numbered from 0."""
    return {"y": {"field": "i", "type": "ordinal", "axis": None, "scale": {"domain": list(range(count)), "padding": 0}}}


def room(labels: Iterable[str]) -> int:
    """The pixels that the longest of the labels takes at the left of a plot."""
    widest = max((text.columns_wide(text.shorten(label, LONGEST)) for label in labels), default=0)
    return int(svg.WIDE * widest) + 16


def side_labels(labels: Sequence[str]) -> list[Word]:
    """The names at the left of a plot with one line each."""
    return [Word(text.shorten(label, LONGEST), -10, middle(i), anchor="end") for i, label in enumerate(labels)]


def middle(i: int) -> float:
    """The middle of line `i`, in pixels below the top of the plot."""
    return LINE * (i + 0.5)


def horizontal(
    labels: Sequence[str],
    layers: Sequence[Layer],
    figures: Sequence[str],
    *,
    heading: str,
    note: str = "",
    legend: Sequence[tuple[str, str]] = (),
    axis: bool = False,
) -> Drawing | None:
    """One line for each label, the label at the left and its figure at the right."""
    if not labels:
        return None
    left, right = room(labels), int(svg.WIDE * max(map(text.columns_wide, figures), default=0)) + 20
    width = WIDTH - left - right
    written = [Word(words, width + right - 2, middle(i), anchor="end") for i, words in enumerate(figures)]
    height, bottom = LINE * len(labels), 28 if axis else 4
    return Drawing([], layers, height, left, right, bottom, width, heading=heading, legend=legend, note=note,
                   words=[*side_labels(labels), *written])  # fmt: skip


def zero_line(values: Iterable[float]) -> list[Layer]:
    """A rule at zero where some values lie below it."""
    below = any(value < 0 for value in values)
    return [layer("rule", {"x": {"datum": 0, "type": "quantitative"}}, [{}], color="rule")] if below else []


def diagonal(low: float, high: float) -> Layer:
    """The line on which both axes agree."""
    ends = [{"x": low, "y": low}, {"x": high, "y": high}]
    places = {side: {"field": side, "type": "quantitative"} for side in "xy"}
    return layer("line", places, ends, color="rule", strokeDash=[4, 3], strokeWidth=1)


def sized(rows: Sequence[Row], field: str) -> tuple[Axis, Mapping[str, Any]]:
    """How large points are: by a column of positive numbers where there is one, else all alike."""
    sizes = [row[field] for row in rows if row.get(field) is not None]
    if not sizes or min(sizes) < 0 or max(sizes) <= 0:
        return {}, {"size": 60}
    scale = {"domain": [0, max(sizes)], "range": [12, 320]}
    return {"size": {"field": field, "type": "quantitative", "scale": scale, "legend": None}}, {}


_VEGA_LITE = "6.1"
_CONFIG: Mapping[str, Any] = {
    "aria": False,
    "background": None,
    "font": "Liberation Sans",
    "view": {"stroke": None},
    "axis": {
        "domainColor": svg.LITERAL["rule"],
        "gridColor": svg.LITERAL["grid"],
        "labelColor": svg.LITERAL["muted"],
        "titleColor": svg.LITERAL["muted"],
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "ticks": False,
        "labelPadding": 6,
        "domain": False,
    },
    "text": {"fontSize": 12},
}


def warm_up() -> None:
    """Starts what draws, which takes longer than the first twenty charts."""
    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "bar"}, vl_version=_VEGA_LITE, allowed_base_urls=[])


def to_svg(drawing: Drawing) -> str:
    """The drawing as an SVG of at most `WIDTH` pixels; ValueError where Vega cannot draw it."""
    width = drawing.width or WIDTH - drawing.left - drawing.right
    whole = width + drawing.left + drawing.right
    top = drawing.top + (24 if drawing.heading else 0) + svg.legend_height(drawing.legend, whole)
    padding = {"left": drawing.left, "right": drawing.right, "top": top,
               "bottom": drawing.bottom + (24 if drawing.note else 0)}  # fmt: skip
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.1.json",
        "width": width,
        "height": drawing.height,
        "padding": padding,
        "autosize": {"type": "none"},
        "data": {"values": list(drawing.rows)},
        "layer": list(drawing.layers),
        "config": _CONFIG,
    }
    drawn = vl_convert.vegalite_to_svg(spec, vl_version=_VEGA_LITE, allowed_base_urls=[])
    return svg.finish(drawn, heading=drawing.heading, legend=drawing.legend, note=drawing.note, words=drawing.words,
                      origin=(drawing.left, top))  # fmt: skip
