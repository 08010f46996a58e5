"""A chart's SVG made small and safe, its colours left to the page.

Every shape keeps its literal colour, for PDF, PNG and mail, and takes a class beside it (`f1` for a fill, `s1` for a
stroke), which the page's style sheet gives another colour by day or by night: CSS wins over attributes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from crmaudit import text

COLOURS: dict[str, str] = {
    "#1d2733": "ink",
    "#5b6673": "muted",
    "#e3e6e9": "grid",
    "#9aa3ad": "rule",
    "#14546e": "c1",
    "#c07a1b": "c2",
    "#7a3e5c": "c3",
    "#4c8a6b": "c4",
    "#8a8f2f": "c5",
    "#6b7fae": "c6",
    "#b8c7cf": "soft",
    "#2f7d57": "up",
    "#b0402f": "down",
    "#eef4f6": "h1",
    "#d6e5eb": "h2",
    "#b4d0db": "h3",
    "#88b3c4": "h4",
    "#5892a8": "h5",
    "#2f7089": "h6",
    "#114b63": "h7",
    "#fefefe": "paper",
}
"""Colour by day -> the name that the style sheet knows it by, as `--ink` and so on."""

LITERAL = {name: colour for colour, name in COLOURS.items()}
WIDE = 6.4
"""Pixels of one column of text at 12 pixels: an estimate that errs to the wide side."""


@dataclass(frozen=True)
class Word:
    """A text beside the marks, its anchor at `x` and its middle at `y`, in pixels of the plot."""

    text: str
    x: float
    y: float
    colour: str = "ink"
    anchor: Literal["start", "middle", "end"] = "start"
    size: int = 12


_SPACE = "http://www.w3.org/2000/svg"
_PLACES = frozenset({"d", "transform", "x", "y", "x1", "x2", "y1", "y2", "r", "cx", "cy", "width", "height"})
_LOOKS = frozenset(
    {
        "fill",
        "fill-opacity",
        "opacity",
        "stroke",
        "stroke-dasharray",
        "stroke-linecap",
        "stroke-opacity",
        "stroke-width",
    }
    | {"font-size", "font-weight", "text-anchor"}
)
_DEFAULTS = {
    ("opacity", "1"),
    ("stroke-width", "1"),
    ("font-size", "12px"),
    ("text-anchor", "start"),
    ("transform", "translate(0,0)"),
    ("font-weight", "normal"),
}
_TAGS = frozenset({"svg", "g", "path", "line", "rect", "text"})
_FIGURE = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def finish(
    drawn: str,
    *,
    heading: str = "",
    legend: Sequence[tuple[str, str]] = (),
    note: str = "",
    words: Sequence[Word] = (),
    origin: tuple[float, float] = (0, 0),
) -> str:
    """The SVG that goes into the page, from what vl-convert drew.

    `heading` and `legend`, (label, colour name) each, go to the top, the remark `note` to the bottom, `words` where
    they stand in a plot whose corner is at `origin`. ValueError where the drawing has an element that no chart of
    ours uses: nothing else gets through, whatever the labels say.
    """
    root = ET.fromstring(drawn)  # noqa: S314 -- written by vl-convert a moment ago, without a DTD
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    shapes = [shape for child in root for shape in _tidied(child)]
    if heading:
        shapes.append(_words(heading, 0, 14, "muted"))
    shapes += _legend(legend, width, 24 if heading else 0)
    shapes += [_beside(word, origin) for word in words]
    if note:
        shapes.append(_words(note, 0, height - 4, "muted"))
    return _document(shapes, width, height)


def legend_height(legend: Sequence[tuple[str, str]], width: float) -> int:
    """The pixels that a legend takes above the plot."""
    return 22 * (1 + max((line for _, line, _ in _places(legend, width)), default=-1)) + (8 if legend else 0)


def sentence(words: str, width: float = 600) -> str:
    """A picture that only says something, where there is nothing to draw."""
    return _document([_words(words, 0, 22, "muted")], width, 34)


def sparkline(points: Sequence[tuple[float, float]]) -> str:
    """A line without axes over at least two points, the last of them marked; its looks are the style sheet's.

    A report has hundreds of them: every byte that all share is left to the style sheet.
    """
    (xs, ys), edge, right, bottom = zip(*points, strict=True), 3, 117, 21
    wide, high = max(xs) - min(xs) or 1, max(ys) - min(ys)
    places = [
        (
            edge + round((right - edge) * (x - min(xs)) / wide),
            12 if not high else bottom - round((bottom - edge) * (y - min(ys)) / high),
        )
        for x, y in points
    ]
    root = ET.Element("svg", {"class": "spark", "viewBox": "0 0 120 24", "aria-hidden": "true"})
    ET.SubElement(root, "path", {"class": "s-c1", "d": "M" + "L".join(f"{x},{y}" for x, y in places)})
    x, y = places[-1]
    ET.SubElement(root, "circle", {"class": "f-c1", "cx": str(x), "cy": str(y), "r": "2.5"})
    return ET.tostring(root, encoding="unicode")


def _document(shapes: Sequence[ET.Element], width: float, height: float) -> str:
    size = {"width": f"{width:.0f}", "height": f"{height:.0f}", "viewBox": f"0 0 {width:.0f} {height:.0f}"}
    root = ET.Element("svg", {"xmlns": _SPACE, "class": "chart", **size, "aria-hidden": "true", "focusable": "false"})
    root.set("font-family", "sans-serif")
    root.set("font-size", "12")
    root.extend(shapes)
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def _tidied(element: ET.Element) -> list[ET.Element]:
    """The element without what a reader cannot see; a group that says nothing gives way to its children."""
    tag = element.tag.rpartition("}")[2]
    if tag not in _TAGS:
        raise ValueError(f"a chart has no place for <{tag}>")
    kept = {name: value for name, value in element.attrib.items() if name in _LOOKS}
    kept |= {name: _short(value) for name, value in element.attrib.items() if name in _PLACES}
    kept = {name: value for name, value in kept.items() if (name, value) not in _DEFAULTS}
    if kept.get("stroke", "none") == "none":
        kept = {name: value for name, value in kept.items() if not name.startswith("stroke")}
    children = [shape for child in element for shape in _tidied(child)]
    if tag == "g":
        if not children:
            return []
        if not set(kept) - {"fill", "stroke"}:
            return children
        kept.pop("fill", None)
    elif tag != "text" and ("fill" not in kept or kept["fill"] == "transparent") and "stroke" not in kept:
        return []
    tidy = ET.Element(tag, kept)
    if tag != "g":
        tidy.set("fill", kept.get("fill", "none"))
        _class(tidy)
    tidy.text = element.text
    tidy.extend(children)
    return [tidy]


def _class(shape: ET.Element) -> None:
    names = [
        prefix + COLOURS[shape.get(attribute, "")]
        for prefix, attribute in (("f-", "fill"), ("s-", "stroke"))
        if shape.get(attribute, "") in COLOURS
    ]
    if names:
        shape.set("class", " ".join(names))


def _short(value: str) -> str:
    """Coordinates to a tenth of a pixel."""
    return _FIGURE.sub(
        lambda figure: (f"{float(figure[0]):.1f}".removesuffix(".0") + ",").replace("-0,", "0,")[:-1], value
    )


def _words(words: str, x: float, y: float, colour: str) -> ET.Element:
    shape = ET.Element("text", {"x": f"{x:.0f}", "y": f"{y:.0f}", "fill": LITERAL[colour]})
    shape.text = text.clean(words)
    _class(shape)
    return shape


def _beside(word: Word, origin: tuple[float, float]) -> ET.Element:
    shape = _words(word.text, 0, 0, word.colour)
    shape.set("x", _short(f"{origin[0] + word.x:.1f}"))
    # The middle of lower-case letters is a third of the size above the line they stand on.
    shape.set("y", _short(f"{origin[1] + word.y + word.size / 3:.1f}"))
    if word.anchor != "start":
        shape.set("text-anchor", word.anchor)
    if word.size != 12:
        shape.set("font-size", str(word.size))
    return shape


def _places(legend: Sequence[tuple[str, str]], width: float) -> list[tuple[float, int, tuple[str, str]]]:
    places, x, line = [], 0.0, 0
    for item in legend:
        wide = 18 + WIDE * text.columns_wide(item[0]) + 20
        if x and x + wide > width:
            x, line = 0.0, line + 1
        places.append((x, line, item))
        x += wide
    return places


def _legend(legend: Sequence[tuple[str, str]], width: float, top: int) -> list[ET.Element]:
    shapes = []
    for x, line, (label, colour) in _places(legend, width):
        mark = {"x": f"{x:.0f}", "y": f"{top + 22 * line + 4}", "width": "12", "height": "12", "fill": LITERAL[colour]}
        square = ET.Element("rect", mark)
        _class(square)
        shapes += [square, _words(label, x + 18, top + 22 * line + 14, "ink")]
    return shapes
