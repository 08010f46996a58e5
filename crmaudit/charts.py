"""One small function for each kind of chart. Each takes columns and knows neither audits nor customers.

The name of a function is the chart's `kind`, its parameters are the chart's `roles`. It returns a drawing (layers of
Vega-Lite, and the labels around them), or None where there is nothing to draw.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crmaudit import plot, svg, text
from crmaudit.plot import Column, Drawing, Row, layer, quantity
from crmaudit.svg import Word

NOTHING = "Nothing to draw: no row has all the values that this chart needs."


def bars(label: Column, value: Column) -> Drawing | None:
    """Horizontal bars in the order of the rows, each with its value; the first 25."""
    rows, note = plot.first(plot.rows_of(label=plot.words(label), value=plot.numbers(value)))
    x = {"x": plot.bare("value"), "x2": {"datum": 0}, **plot.lines(len(rows))}
    layers = [
        layer("bar", x, rows, color="c1", height={"band": 0.66}),
        *plot.zero_line(row["value"] for row in rows),
    ]
    figures = [plot.figure(row["value"], value) for row in rows]
    return plot.horizontal([row["label"] for row in rows], layers, figures, heading=value.heading, note=note)


def interval_bars(
    label: Column,
    value: Column,
    low: Column,
    high: Column,
    *,
    n: Column | None = None,
    reference: Column | None = None,
) -> Drawing | None:
    """An estimate and its interval on each line; `n` is what it rests on, `reference` one value for all, as a rule."""
    rows = plot.rows_of(label=plot.words(label), value=plot.numbers(value))
    plot.beside(rows, low=low, high=high, n=n, reference=reference)
    rows, note = plot.first(rows)
    places = plot.lines(len(rows))
    whole = [row for row in rows if row["low"] is not None and row["high"] is not None]
    scale = {"zero": False, "nice": True}
    x = {"x": quantity("value", grid=True, scale=scale), **places}
    span = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}, **places}
    layers = [
        layer("rule", span, whole, color="soft", size=6),
        layer("circle", x, rows, color="c1", size=90, opacity=1),
    ]
    references = {row["reference"] for row in rows if row.get("reference") is not None}
    if len(references) == 1:
        rule = {"x": {"datum": references.pop(), "type": "quantitative"}}
        layers.insert(0, layer("rule", rule, [{}], color="rule", strokeDash=[4, 3]))
    counted = ["" if row.get("n") is None else f"\u2003n = {text.number(row['n'])}" for row in rows]
    figures = [plot.figure(row["value"], value) + more for row, more in zip(rows, counted, strict=True)]
    labels = [row["label"] for row in rows]
    return plot.horizontal(labels, layers, figures, heading=value.heading, note=note, axis=True)


def stacked_bars(label: Column, value: Column, series: Column) -> Drawing | None:
    """Bars put together from the values of up to six series; the smaller ones are added up as others.

    They lie, at most 25 of them; a longer history, whose labels are dates, stands as columns from left to right.
    """
    rows = plot.rows_of(label=plot.words(label), value=plot.numbers(value), series=plot.words(series))
    labels = list(dict.fromkeys(row["label"] for row in rows))
    names = list(dict.fromkeys(row["series"] for row in rows))
    kept = names if len(names) <= plot.MOST_SERIES else plot.largest_series(rows, plot.MOST_SERIES - 1)
    sizes: dict[tuple[int, int], float] = {}
    for row in rows:
        place = labels.index(row["label"]), kept.index(row["series"]) if row["series"] in kept else len(kept)
        sizes[place] = sizes.get(place, 0) + row["value"]
    ends: dict[tuple[int, bool], float] = {}
    parts: list[Row] = []
    for (line_, part), size in sorted(sizes.items()):
        start = ends.get((line_, size > 0), 0)
        ends[line_, size > 0] = start + size
        parts.append({"i": line_, "low": start, "high": start + size, "colour": plot.SERIES[part]})
    others = [] if kept == names else [f"{len(names) - len(kept)} others"]
    legend = [(text.shorten(name, plot.LONGEST), plot.SERIES[i]) for i, name in enumerate([*kept, *others])]
    if len(labels) > plot.MOST_BARS and plot.along(label)[1] == "temporal":
        return _columns_in_time(labels, parts, value, legend)
    shown, parts = labels[: plot.MOST_BARS], [part for part in parts if part["i"] < plot.MOST_BARS]
    note = f"The first {plot.MOST_BARS} of {text.number(len(labels))}." if len(labels) > plot.MOST_BARS else ""
    place_ = {"x": quantity("low", grid=True), "x2": {"field": "high"}, **plot.lines(len(shown))}
    looks = {"height": {"band": 0.66}, "stroke": "paper", "strokeWidth": 0.5}
    layers = [layer("bar", {**place_, "color": plot.by_colour()}, parts, **looks)]
    return plot.horizontal(shown, layers, [], heading=value.heading, note=note, legend=legend, axis=True)


def _columns_in_time(
    labels: Sequence[str], parts: list[Row], value: Column, legend: Sequence[tuple[str, str]]
) -> Drawing:
    """Stacked columns in the order of their dates, side by side."""
    order = sorted(range(len(labels)), key=lambda i: labels[i])
    place = {i: at for at, i in enumerate(order)}
    for part in parts:
        part["left"], part["right"] = place[part["i"]] + 0.08, place[part["i"]] + 0.92
    every = math.ceil(len(labels) / 8)
    width, height = plot.WIDTH - 64 - 20, 260
    words = [
        Word(labels[i], width * (at + 0.5) / len(labels), height + 14, "muted", "middle")
        for at, i in list(enumerate(order))[::every]
    ]
    across = {
        "field": "left",
        "type": "quantitative",
        "axis": None,
        "scale": {"domain": [0, len(labels)], "nice": False},
    }
    places = {"x": across, "x2": {"field": "right"}, "y": quantity("low", grid=True), "y2": {"field": "high"}}
    layers = [layer("bar", {**places, "color": plot.by_colour()}, parts)]
    return Drawing([], layers, height, 64, bottom=30, heading=value.heading, legend=legend, words=words)


def waterfall(label: Column, value: Column, total: Column | None = None) -> Drawing | None:
    """From an opening to a closing amount by steps up and down; rows where `total` is true stand on the ground."""
    rows, note = plot.first(plot.rows_of(label=plot.words(label), value=plot.numbers(value)))
    level, figures = 0.0, []
    for row in rows:
        size, grounded = row["value"], bool(total and total.values[row["at"]])
        row["low"], level = (0.0, size) if grounded else (level, level + size)
        row["high"] = level
        row["colour"] = "c1" if grounded else "up" if size >= 0 else "down"
        figures.append(("+" if size > 0 and not grounded else "") + plot.figure(size, value).removeprefix("+"))
    x = {"x": plot.bare("low"), "x2": {"field": "high"}, **plot.lines(len(rows)), "color": plot.by_colour()}
    below = [end for row in rows for end in (row["low"], row["high"])]
    layers = [layer("bar", x, rows, height={"band": 0.6}), *plot.zero_line(below)]
    return plot.horizontal([row["label"] for row in rows], layers, figures, heading=value.heading, note=note)


def line(
    x: Column, y: Column, low: Column | None = None, high: Column | None = None, series: Column | None = None
) -> Drawing | None:
    """A line over dates, numbers or ordered words, with a band where `low` and `high` are given; up to six series."""
    return _curve("linear", x, y, low=low, high=high, series=series)


def curve_with_band(
    x: Column, y: Column, low: Column | None = None, high: Column | None = None, series: Column | None = None
) -> Drawing | None:
    """A step curve (survival, cumulative incidence) with its band."""
    return _curve("step-after", x, y, low=low, high=high, series=series)


def _curve(
    interpolate: str, x: Column, y: Column, *, low: Column | None, high: Column | None, series: Column | None
) -> Drawing | None:
    values, type_ = plot.along(x)
    rows = plot.rows_of(x=values)
    plot.beside(rows, y=y, low=low, high=high)
    if type_ != "ordinal":
        rows.sort(key=lambda row: (row["x"], row["at"]))
    rows, legend, note = _coloured(rows, series)
    if all(row["y"] is None for row in rows):
        return None
    zero = y.unit in ("pct", "n", "money")
    x_axis = plot.across("x", type_, x, rows)
    places = {
        "x": x_axis,
        "y": quantity("y", grid=True, scale={"zero": zero, "nice": True}),
        "color": plot.by_colour(names=plot.SERIES),
    }
    layers = []
    if low and high:
        whole = [row for row in rows if row["low"] is not None and row["high"] is not None]
        band = {**places, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
        layers.append(layer("area", band, whole, opacity=0.16, interpolate=interpolate))
    layers.append(layer("line", places, rows, strokeWidth=2, interpolate=interpolate))
    if (len(rows) <= 24 * max(1, len(legend)) and interpolate == "linear") or len(rows) == 1:
        layers.append(layer("circle", places, [row for row in rows if row["y"] is not None], size=28, opacity=1))
    return Drawing(rows, layers, 260, 64, bottom=30 if type_ == "temporal" else 50, heading=y.heading, legend=legend,
                   note=note)  # fmt: skip


def _coloured(rows: list[Row], series: Column | None) -> tuple[list[Row], list[tuple[str, str]], str]:
    """The rows of the first six series with their colours, the legend, and the remark that there are more."""
    if series is None:
        return [{**row, "colour": "c1"} for row in rows], [], ""
    names = plot.words(series)
    order = list(dict.fromkeys(name for name in names if name is not None))
    shown = {name: plot.SERIES[i] for i, name in enumerate(order[: plot.MOST_SERIES])}
    kept = [{**row, "colour": shown[name]} for row in rows if (name := names[row["at"]] or "") in shown]
    legend = [(text.shorten(name, plot.LONGEST), colour) for name, colour in shown.items()]
    return kept, legend, f"The first {len(shown)} of {len(order)}." if len(order) > len(shown) else ""


def calibration(
    predicted: Column,
    actual: Column,
    n: Column | None = None,
    low: Column | None = None,
    high: Column | None = None,
) -> Drawing | None:
    """What was predicted against what happened; on the diagonal both agree. Points grow with `n`."""
    rows = plot.rows_of(x=plot.numbers(predicted), y=plot.numbers(actual))
    plot.beside(rows, n=n, low=low, high=high)
    if not rows:
        return None
    values = [row.get(role) for row in rows for role in ("x", "y", "low", "high")]
    ends = [value for value in values if value is not None]
    bottom, top = min(0.0, *ends), max(0.0, *ends)
    top = top if top > bottom else bottom + 1
    scale = {"domain": [bottom, top], "nice": True}
    size, looks = plot.sized(rows, "n")
    places = {
        "x": quantity("x", title=predicted.heading, scale=scale),
        "y": quantity("y", grid=True, scale=scale),
    }
    layers = [plot.diagonal(bottom, top)]
    if low and high:
        whole = [row for row in rows if row["low"] is not None and row["high"] is not None]
        span = {"x": places["x"], "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}}
        layers.append(layer("rule", span, whole, color="soft", size=4))
    layers.append(layer("circle", {**places, **size}, rows, color="c1", opacity=1, **looks))
    return Drawing(rows, layers, 330, 64, width=330, bottom=50, heading=actual.heading)


def lorenz(x: Column, y: Column) -> Drawing | None:
    """Cumulative shares, of customers along and of revenue up; on the diagonal all customers are alike."""
    rows = plot.rows_of(x=plot.numbers(x), y=plot.numbers(y))
    if not rows:
        return None
    whole = 100.0 if max(max(row["x"], row["y"]) for row in rows) > 1.5 else 1.0
    rows = sorted([{"x": 0.0, "y": 0.0}, *rows], key=lambda row: (row["x"], row["y"]))
    heights = [row["y"] for row in rows]
    reach = {"domain": [min(0.0, *heights), max(whole, *heights)]}
    places = {
        "x": quantity("x", title=x.heading, scale={"domain": [0, whole]}),
        "y": quantity("y", grid=True, scale=reach),
    }
    layers = [
        layer("area", {**places, "y2": {"field": "x"}}, rows, color="h2", opacity=1),
        plot.diagonal(0.0, whole),
        layer("line", places, rows, color="c1", strokeWidth=2),
    ]
    return Drawing(rows, layers, 330, 64, width=330, bottom=50, heading=y.heading)


def heatmap(x: Column, y: Column, value: Column) -> Drawing | None:
    """A grid, such as cohorts (y) by age (x), in seven shades from the lowest value to the highest."""
    rows = plot.rows_of(x=plot.words(x), y=plot.words(y), value=plot.numbers(value))
    if not rows:
        return None
    whole = len(rows)
    names, rows = _few(rows, "y")
    if all(plot.number(age) is not None for age in x.values):
        rows.sort(key=lambda row: x.values[row["at"]])  # type: ignore[arg-type,return-value]
    heads, kept = _few(rows, "x")
    cut = max(len(names), len(heads)) == plot.MOST_CELLS and len(kept) < whole
    note = f"The first {len(names)} lines and {len(heads)} columns." if cut else ""
    rows = kept
    lowest, highest = min(row["value"] for row in rows), max(row["value"] for row in rows)
    left = plot.room(names)
    width = min(plot.WIDTH - left - 20, 60 * len(heads))
    wide = width / len(heads)
    for row in rows:
        share = (row["value"] - lowest) / (highest - lowest) if highest > lowest else 0.5
        shade = 1 + min(6, int(share * 7))
        row |= {"colour": f"h{shade}", "ink": "paper" if shade >= 5 else "ink"}
        row |= {"i": names.index(row["y"]), "j": heads.index(row["x"])}
    column = {
        "x": {"field": "j", "type": "ordinal", "axis": None, "scale": {"domain": list(range(len(heads))), "padding": 0}}
    }
    places = {**column, **plot.lines(len(names))}
    every = max(1, math.ceil(36 / wide))
    room = max(3, int(every * wide / svg.WIDE))
    words = plot.side_labels(names)
    words += [
        Word(text.shorten(head, room), wide * (j + 0.5), -9, "muted", "middle")
        for j, head in list(enumerate(heads))[::every]
    ]
    if wide >= 30:
        words += [
            Word(_brief(row["value"]), wide * (row["j"] + 0.5), plot.middle(row["i"]), row["ink"], "middle", 11)
            for row in rows
        ]
    layers = [layer("rect", {**places, "color": plot.by_colour()}, rows, stroke="paper", strokeWidth=1)]
    ends = [(plot.figure(lowest, value), "h1"), (plot.figure(highest, value), "h7")] if highest > lowest else []
    heading = " ".join([value.heading, *([f"by {text.clean(x.label).lower()}"] if x.label else [])])
    height = plot.LINE * len(names)
    return Drawing([], layers, height, left, bottom=4, width=width, top=24, heading=heading, legend=ends, note=note,
                   words=words)  # fmt: skip


def _few(rows: Sequence[Row], side: str) -> tuple[list[str], list[Row]]:
    """The first names on one side of a grid, in the order of the rows, and the rows that have one of them."""
    names = list(dict.fromkeys(row[side] for row in rows))[: plot.MOST_CELLS]
    return names, [row for row in rows if row[side] in names]


def _brief(value: float) -> str:
    """A figure that fits into a cell: three digits and a letter."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return text.number(value / size, 1 if abs(value) < 10 * size else 0) + letter
    return text.number(value, 0 if abs(value) >= 10 or float(value).is_integer() else 1)


def histogram(x: Column, value: Column, x_end: Column | None = None) -> Drawing | None:
    """How many in each class: `x` is where a class begins (or its name), `x_end` where it ends, `value` how many."""
    named = not any(plot.number(start) is not None for start in x.values)
    rows = plot.rows_of(x=plot.words(x) if named else plot.numbers(x), value=plot.numbers(value))
    if not rows:
        return None
    y = quantity("value", grid=True)
    if named:
        for row in rows:
            row["x"] = text.shorten(row["x"], 14)
        axis = plot.across("x", "ordinal", x, rows)
        place = {"x": {**axis, "scale": {"type": "band", "padding": 0.12}}, "y": y}
        layers = [layer("bar", place, rows, color="c1")]
        return Drawing(rows, layers, 240, 64, bottom=50, heading=value.heading)
    plot.beside(rows, x_end=x_end)
    rows.sort(key=lambda row: (row["x"], row["at"]))
    gaps = [after["x"] - row["x"] for row, after in itertools.pairwise(rows) if after["x"] > row["x"]]
    for row in rows:
        end = row.get("x_end")
        row["end"] = row["x"] + min(gaps, default=1) if end is None else end
    x_axis = quantity("x", title=x.heading, scale={"zero": False, "nice": False})
    place = {"x": x_axis, "x2": {"field": "end"}, "y": y, "y2": {"datum": 0}}
    layers = [layer("bar", place, rows, color="c1", stroke="paper", strokeWidth=1)]
    return Drawing(rows, layers, 240, 64, bottom=50, heading=value.heading)


def scatter(x: Column, y: Column, size: Column | None = None, series: Column | None = None) -> Drawing | None:
    """One point for each row; `size` grows it, `series` colours it (the first six)."""
    values, type_ = plot.along(x)
    rows = plot.rows_of(x=values, y=plot.numbers(y))
    plot.beside(rows, size=size)
    rows, legend, note = _coloured(rows, series)
    if not rows:
        return None
    by_size, looks = plot.sized(rows, "size")
    places = {
        "x": plot.across("x", type_, x, rows),
        "y": quantity("y", grid=True, scale={"zero": False, "nice": True}),
        "color": plot.by_colour(names=plot.SERIES),
    }
    layers = [layer("circle", {**places, **by_size}, rows, opacity=0.7, **looks)]
    return Drawing(rows, layers, 300, 64, bottom=50, heading=y.heading, legend=legend, note=note)


KINDS: dict[str, Callable[..., Drawing | None]] = {
    kind.__name__: kind
    for kind in (
        bars, interval_bars, stacked_bars, waterfall, line, curve_with_band,
        calibration, lorenz, heatmap, histogram, scatter,
    )
}  # fmt: skip


def check(kind: str, roles: Mapping[str, str], columns: Sequence[str]) -> None:
    """ValueError where there is no such kind, a role is missing or unknown, or names a column that is not there."""
    if kind not in KINDS:
        raise ValueError(f"no chart is called {kind!r}: there are {', '.join(KINDS)}")
    parameters = inspect.signature(KINDS[kind]).parameters
    needed = [name for name, parameter in parameters.items() if parameter.default is inspect.Parameter.empty]
    if lacking := [name for name in needed if name not in roles]:
        raise ValueError(f"chart {kind} lacks the role {', '.join(lacking)}: it takes {', '.join(parameters)}")
    if unknown := [name for name in roles if name not in parameters]:
        raise ValueError(f"chart {kind} has no role {', '.join(unknown)}: it takes {', '.join(parameters)}")
    if absent := [name for name in roles.values() if name not in columns]:
        raise ValueError(f"chart {kind} draws {', '.join(absent)}, which its table has not: {', '.join(columns)}")


def draw(kind: str, columns: Mapping[str, Column], roles: Mapping[str, str]) -> str:
    """The chart as an SVG of at most 60 KB: `roles` says which of the columns each parameter of `kind` reads.

    ValueError as in `check`. Where no row can be drawn, the picture says so.
    """
    check(kind, roles, list(columns))
    drawing = KINDS[kind](**_readable({role: columns[name] for role, name in roles.items()}))
    return svg.sentence(NOTHING) if drawing is None else plot.to_svg(drawing)


def _readable(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Money in thousands or millions where the amounts are large; all columns of a chart alike."""
    amounts = [abs(size) for column in columns.values() if column.unit == "money"
               for size in plot.numbers(column) if size is not None]  # fmt: skip
    largest = max(amounts, default=0)
    for least, by, word in ((1e7, 1e6, "million"), (1e5, 1e3, "thousand")):
        if largest >= least:
            return {role: _divided(column, by, word) for role, column in columns.items()}
    return dict(columns)


def _divided(column: Column, by: float, word: str) -> Column:
    if column.unit != "money":
        return column
    values: list[Any] = [None if size is None else size / by for size in plot.numbers(column)]
    return replace(column, values=values, currency=f"{column.currency} {word}".strip())
