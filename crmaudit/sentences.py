"""Sentences of audit headers with their figures put in: `{win_rate_pct} of {deals} closed deals were won.`"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from crmaudit import text
from crmaudit.report import Metric, Value

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)(?:(\.interval)|\|([^{}|]+)\|([^{}|]+))?\}")

_CLAUSE = re.compile(r"\[([a-z][a-z0-9_]*): (.*?) \| (.*?)\]")

LONGEST_NAME = 120
"""Columns of what an export says within a sentence of ours; the tables have it whole."""

Figures = Mapping[str, tuple[Value, str]]
"""Name -> value and unit."""


def fill(template: str, figures: Figures, currency: str) -> str:
    """The template with every `{name}` as people read it, `{name.interval}` from `name_low` and `name_high`.

    `{name|customer has|customers have}` is the figure with the words for one of them, or for any other number.
    `[name: words | other words]` is a clause of its own and what stands in its place where the figure is 0.
    Amounts and times of one sentence have the same decimals.

    KeyError names a figure that the template wants and nobody has.
    """

    template = _CLAUSE.sub(lambda clause: clause[3] if figures[clause[1]][0] == 0 else clause[2], template)
    told_together: dict[str, list[Value]] = {}
    for name in figures_of(template):
        for one in (name, f"{name}_low", f"{name}_high"):
            if one in figures and (one == name or f"{{{name}.interval}}" in template):
                value, unit = figures[one]
                told_together.setdefault(unit, []).append(value)

    def written(place: re.Match[str]) -> str:
        name = place[1]
        if place[2]:
            (low, unit), (high, _) = figures[f"{name}_low"], figures[f"{name}_high"]
            numbers = [v if isinstance(v, int | float) else None for v in (low, high)]
            return text.interval(numbers[0], numbers[1], unit, currency, beside=told_together.get(unit, ()))
        value, unit = figures[name]
        told = text.value(value, unit, currency, beside=told_together.get(unit, ()))
        if isinstance(value, str):
            told = text.shorten(told, LONGEST_NAME)
        return f"{told} {place[3] if value == 1 else place[4]}" if place[3] else told

    return _PLACE.sub(written, template)


def figures_of(template: str) -> list[str]:
    """The names of the figures that a template wants, in its clauses too."""
    return [clause[1] for clause in _CLAUSE.finditer(template)] + [place[1] for place in _PLACE.finditer(template)]


def figures(metrics: Mapping[str, Metric]) -> dict[str, tuple[Value, str]]:
    """Metrics and the ends of their intervals by name, as sentences refer to them."""
    found: dict[str, tuple[Value, str]] = {}
    for name, metric in metrics.items():
        found[name] = (metric.value, metric.unit)
        found[f"{name}_low"] = (metric.low, metric.unit)
        found[f"{name}_high"] = (metric.high, metric.unit)
        found[f"{name}_n"] = (metric.n, "n")
    return found


def headline(templates: Sequence[str], metrics: Mapping[str, Metric], currency: str) -> str:
    """The first of the templates whose figures are all known, else the last, with its figures put in."""
    known = figures(metrics)
    for template in templates:
        if all(known[name][0] is not None for name in figures_of(template)):
            return fill(template, known, currency)
    return fill(templates[-1], known, currency)
