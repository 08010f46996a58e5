"""Words and figures for people: one place that knows how a value of a unit is written. No locale, no clock."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable

from crmaudit.report import Value

NO_BREAK = "\u00a0"
MINUS = "\u2212"
NOTHING = "\u2013"
"""What stands in a cell without a value."""

_SPACE = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]+")
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_SURROGATES = re.compile("[\ud800-\udfff]")
_PLANE_ENDS = re.compile(
    "[" + "".join(chr(plane << 16 | end) for plane in range(1, 17) for end in (0xFFFE, 0xFFFF)) + "]"
)


def clean(text: str) -> str:
    """One line of printable text: control, bidirectional and invisible characters out, white space in single blanks.

    Bidirectional controls can turn the words around them; control characters reach a terminal as commands, and a
    chart's renderer aborts the whole process on a character that XML forbids.
    """
    text = _SPACE.sub(" ", text)
    text = _UNPRINTABLE.sub("", text)
    text = _PLANE_ENDS.sub("", text)
    return _SURROGATES.sub("\ufffd", text).strip()


def columns_wide(text: str) -> int:
    """The width of a text in columns of a terminal: East Asian wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def shorten(text: str, columns: int) -> str:
    """The text cleaned and cut to a width in columns, with an ellipsis where something was cut."""
    text = clean(text[: 20 * columns])
    if columns_wide(text) <= columns and len(text) <= 4 * columns:
        return text
    kept, width = "", 0
    for char in text[: 4 * columns]:
        width += columns_wide(char)
        if width > columns - 1:
            break
        kept += char
    return kept.rstrip() + "\u2026"


def number(value: float, decimals: int = 0) -> str:
    """A number with thousands separators and a true minus sign: 1,234.50, \u22123."""
    written = f"{abs(value):,.{decimals}f}"
    negative = value < 0 and any(char in "123456789" for char in written)
    return (MINUS if negative else "") + written


def _significant(value: float) -> str:
    """Three significant digits below 100, whole numbers above, as ratios are read."""
    size = abs(value)
    return number(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3)


def _one_decimal(value: float) -> str:
    return number(value, 0 if float(value).is_integer() else 1)


def _money(value: float) -> str:
    """Cents up to 10,000, whole units above, where nobody reads them."""
    return number(value, 0 if abs(value) >= 10_000 or float(value).is_integer() else 2)


_WHOLE_FROM = 10_000
_CENTS_BELOW = 100
_WHOLE_DAYS_FROM = 100


def _decimals(unit: str, together: Iterable[float]) -> Callable[[float], str] | None:
    """How values of a unit are written side by side, where each alone would have decimals of its own.

    Beside a large amount nobody reads the cents of another, but for those of a very small one.
    """
    sizes = [abs(size) for size in together]
    if len(sizes) < 2 or unit not in ("money", "days", "hours"):
        return None
    if all(float(size).is_integer() for size in sizes):
        return number
    if unit != "money":
        tenths_below = 1 if max(sizes) >= _WHOLE_DAYS_FROM else math.inf
        return lambda size: number(size, 1 if 0 < abs(size) < tenths_below else 0)
    if max(sizes) < _WHOLE_FROM:
        return lambda size: number(size, 2 if size else 0)
    return lambda size: number(size, 2 if abs(size) < _CENTS_BELOW and not float(size).is_integer() else 0)


def _share(value: float) -> str:
    return f"<{number(0.1, 1)}" if 0 < value < 0.05 else number(value, 1)


def _difference(value: float) -> str:
    written = number(value, 1)
    return f"+{written}" if value > 0 and written.strip("0.") else written


def _probability(value: float) -> str:
    return "<0.001" if 0 <= value < 0.001 else number(value, 3)


_WRITTEN = {
    "pct": _share,
    "points": _difference,
    "days": _one_decimal,
    "hours": _one_decimal,
    "money": _money,
    "n": _one_decimal,
    "ratio": _significant,
    "p": _probability,
}
"""How the number of each unit is written, without the unit's name."""

NUMBERS = frozenset(_WRITTEN)
"""Units whose values are numbers: aligned to the right and sorted by size."""


def _suffix(unit: str, currency: str, *, one: bool = False) -> str:
    names = {"pct": "%", "points": "points", "days": "day" if one else "days", "hours": "hour" if one else "hours"}
    name = clean(currency) if unit == "money" else names.get(unit, "")
    return NO_BREAK + name if name else ""


def _number_of(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


def value(value: Value, unit: str, currency: str = "", beside: Iterable[Value] = ()) -> str:
    """A value as it stands alone, with its unit: 63.2 %, 1,234.50 EUR, 62 days, +2.1 points, 2025-06-30.

    `beside` are the values of the unit that stand with it, itself among them: all get the same decimals.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    size = _number_of(value)
    if size is None:
        return clean(value) if isinstance(value, str) and clean(value) else NOTHING
    if unit not in NUMBERS:
        return str(value).replace("-", MINUS)
    written = _decimals(unit, filter(None, map(_number_of, beside))) or _WRITTEN[unit]
    return written(size) + _suffix(unit, currency, one=size == 1)


def cell(value: Value, unit: str) -> str:
    """A value in a table, whose heading names the unit; money always to the cent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    size = _number_of(value)
    if size is None:
        return clean(value) if isinstance(value, str) and clean(value) else NOTHING
    if unit not in NUMBERS:
        return str(value).replace("-", MINUS)
    return number(size, 2) if unit == "money" else _WRITTEN[unit](size)


def heading(label: str, unit: str, currency: str = "") -> str:
    """A column's heading with its unit: Revenue (EUR), Share (%), Silent (days)."""
    name = _suffix(unit, currency).strip(NO_BREAK)
    label = clean(label)
    return f"{label} ({name})" if name and name.lower() not in label.lower().replace("(", " ").split() else label


def interval(low: float | None, high: float | None, unit: str, currency: str = "", beside: Iterable[Value] = ()) -> str:
    """An interval: 60.1\u201365.9 %, \u22122.1 to +3.4 points; empty where an end is absent.

    `beside` as for a value; the ends have the same decimals in any case.
    """
    first, last = _number_of(low), _number_of(high)
    if first is None or last is None:
        return ""
    dash = " to " if first < 0 or last < 0 or unit == "points" else "\u2013"
    written = _decimals(unit, filter(None, map(_number_of, (low, high, *beside)))) or _WRITTEN.get(unit, _significant)
    return written(first) + dash + written(last) + _suffix(unit, currency)


def count(n: int, one: str, many: str | None = None) -> str:
    """A number of things: 1 customer, 12,345 customers."""
    return f"{number(n)}{NO_BREAK}{one if n == 1 else many or one + 's'}"


_UNIT_ENDS = re.compile(r"_(?:pct|points|days|hours|amount|count|on|at|id)$")


def name(identifier: str) -> str:
    """An identifier in words, its unit left to the value: `customer_churn_pct` is Customer churn."""
    return title(_UNIT_ENDS.sub("", clean(identifier)))


_SHORT = re.compile(r"\b(?:arr|auc|crm|mrr|nps|[abc](?= customers\b))\b")


def title(identifier: str) -> str:
    """All of an identifier in words, those that are short for others in capitals: `at_risk_mrr` is At risk MRR."""
    words = _SHORT.sub(lambda found: found[0].upper(), identifier.replace("_", " ").strip())
    return words[:1].upper() + words[1:]


_MARKDOWN = re.compile(
    r"(?<=[0-9])\.(?=[0-9])"  # 63.2: neither a list nor the end of a host name
    r"|(?<=[A-Za-z])[.:](?= |$)"  # the end of a sentence
    r"|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9])"  # re-opened, 2025-06-30
    r"|(?<=[A-Za-z ,])\((?=[A-Za-z0-9\u2212])|(?<=[A-Za-z%])\)"  # (a word): a link needs a bracket before it
    r"|(?P<late>(?<=[0-9%)])[.:)](?=[ .,:;]|$))"  # 182. ends a sentence; at the beginning of a line it is a list
    r"|(?<=[ (])\+(?=[0-9])"  # +2.1
    r"|(?P<read>[!#$&(-+\-.:<=>@\[-`{-~])"
)


def markdown(text: str) -> str:
    """Text as Markdown that shows just that text: what Markdown could read becomes an entity, the rest stays legible.

    Left alone are `" % ' , / ; ?`, and a point, hyphen or round bracket in places where no dialect gives it a meaning.
    """

    line = clean(text)
    first_blank = line.find(" ")

    def escaped(found: re.Match[str]) -> str:
        is_safe = found["late"] is not None and 0 <= first_blank < found.start()
        return found[0] if is_safe or not (found["late"] or found["read"]) else f"&#{ord(found[0])};"

    return _MARKDOWN.sub(escaped, line)
