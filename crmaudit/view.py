"""The report as a person reads it: every figure already in words, every list in its order, ready for a template.

Nothing is computed here that is not in the report object; this module only chooses, orders and words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from crmaudit import charts, particulars, svg, tables, text
from crmaudit.history import Trends
from crmaudit.page import (
    Card,
    Chapter,
    Definitions,
    Exhibit,
    Export,
    Figure,
    Group,
    Line,
    Page,
    TableView,
)
from crmaudit.plot import Column
from crmaudit.report import (
    CHAPTERS,
    LEVELS,
    Chart,
    Finding,
    Level,
    Metric,
    Report,
    Result,
    Table,
)

LEVEL_NAMES: dict[Level, str] = {"act": "Act now", "watch": "Watch", "good": "Going well", "info": "For information"}
STATUS_NAMES = {
    "answered": "Answered",
    "partial": "Answered in part",
    "unanswerable": "Not answerable",
    "failed": "Failed",
}

UNKNOWN_SYSTEM = "generic"
"""The system of an export that no product is known by; it is not named to anybody."""

BASE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Active customers", ("base_health.active_customers",), "base_health.active_customers_change_pct"),
    ("Customers", ("identity_resolution.customers",), ""),
    (
        "Revenue in the window",
        ("period_change.revenue", "customer_concentration.revenue", "abc_ranking.revenue", "base_health.revenue"),
        "period_change.revenue_change",
    ),
    ("Recurring revenue, a month", ("recurring_revenue.mrr",), ""),
    ("Customers lost", ("retention.customer_churn_pct",), "retention.change_points"),
    ("Deals won", ("win_rate.win_rate_pct",), "win_rate.win_rate_change_points"),
    ("Expected still active", ("churn_risk.expected_active_customers",), ""),
)
"""The numbers of the base: what each is called, the metrics that give it (the first one present), and its change."""
MOST_BASE = 5
STORY = ("base_health", "retention", "churn_risk")
"""The audits whose headlines, one after the other, tell how the base stands."""
OTHER_DEFINITION = re.compile(r"another definition(?: of (\w+))?: ")
"""How a note begins that tells another metric differently: by default the one before it of the same unit."""


def page(
    report: Report, *, title: str = "Customer base audit", pictures: bool = True, trends: Trends | None = None
) -> Page:
    """The report in words. `pictures=False` leaves the charts undrawn, for Markdown and the terminal."""
    trends = trends or {}
    anchors = _anchors(report)
    fit = tables.fitting(report)
    exhibits = [
        exhibit(result, report, anchors[i], trends, pictures=pictures, fit=fit)
        for i, result in enumerate(report.audits)
    ]
    lines = [line for shown in exhibits for line in shown.findings]
    order = {(result.id, i): found for result in report.audits for i, found in enumerate(result.findings)}
    ranked = sorted(zip(order.values(), lines, strict=True), key=lambda pair: _rank(pair[0]))
    groups = tuple(
        Group(level, LEVEL_NAMES[level], kept)
        for level in LEVELS
        if (kept := tuple(line for found, line in ranked if found.level == level))
    )
    return Page(
        title=text.clean(title),
        facts=_facts(report),
        story=_story(exhibits),
        verdict=_verdict(groups, exhibits),
        groups=groups,
        data=tuple(_line(found, report, None, {}) for found in sorted(report.findings, key=_rank)),
        base=_base(report, {result.id: anchors[i] for i, result in enumerate(report.audits)}, trends),
        chapters=_chapters(report, exhibits),
        definitions=tuple(_definitions(report, anchors)),
        exports=_exports(exhibits, report.audits),
        unanswered=tuple(shown for shown in exhibits if shown.status == "unanswerable"),
        failed=tuple(shown for shown in exhibits if shown.status == "failed"),
        sources=tuple(particulars.source(source, report.currency) for source in report.sources),
        comparisons=text.number(report.comparisons),
        version=text.clean(report.crmaudit),
    )


def _rank(found: Finding) -> tuple[int, float, int]:
    """Level, then money, then customers; what has neither keeps its place at the end."""
    return LEVELS.index(found.level), -(found.value_at_stake or 0), -(found.customers or 0)


def _anchors(report: Report) -> list[str]:
    """One anchor for each audit, of letters that need no escaping, never the same twice."""
    anchors: list[str] = []
    for i, result in enumerate(report.audits):
        slug = re.sub(r"[^a-z0-9]+", "-", result.id.lower()).strip("-") or f"audit-{i + 1}"
        anchors.append(slug if slug not in anchors else f"{slug}-{i + 1}")
    return anchors


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    used = [source for source in report.sources if source.rows_loaded]
    known = (source.system for source in used if source.system not in ("", UNKNOWN_SYSTEM))
    systems = list(dict.fromkeys(map(text.clean, known)))
    start, end = report.window.get("start"), report.window.get("end")
    files = text.count(len(used), "export") + (
        f" of {text.number(len(report.sources))}" if len(used) < len(report.sources) else ""
    )
    facts = (
        ("As of", text.value(report.as_of, "date")),
        ("Window", f"{text.value(start, 'date')} to {text.value(end, 'date')}" if start and end else ""),
        ("Currency", text.clean(report.currency) or "named by no export; amounts are as they stand there"),
        ("Customers are", {"account": "accounts", "person": "persons"}[report.grain]),
        ("Setting", text.clean(report.setting)),
        ("Sources", f"{files} from {', '.join(systems)}" if systems else files),
    )
    return tuple((name, value) for name, value in facts if value)


def _story(exhibits: Sequence[Exhibit]) -> tuple[str, ...]:
    told = {shown.id: shown.headline for shown in exhibits if shown.status in ("answered", "partial")}
    return tuple(told[name] for name in STORY if name in told)


def _definitions(report: Report, anchors: Sequence[str]) -> Iterator[Definitions]:
    """Figures that have other definitions; who has another number on a dashboard finds here which one it is."""
    for result, anchor in zip(report.audits, anchors, strict=True):
        told: dict[str, list[Card]] = {}
        before: dict[str, str] = {}
        labels = _labels(result, report.currency)
        for label, (name, metric) in zip(labels, result.metrics.items(), strict=True):
            card = _card(label, metric, report.currency)
            other = OTHER_DEFINITION.match(metric.note or "")
            of = before.get(metric.unit) if other is None else other[1] or before.get(metric.unit)
            if other is None:
                before[metric.unit] = name
                told[name] = [card]
            elif of in told:
                told[of].append(replace(card, note=text.clean(metric.note or "")[other.end() :]))
        for cards in told.values():
            if len(cards) > 1:
                yield Definitions(anchor, text.clean(result.title), tuple(cards))


def _verdict(groups: Sequence[Group], exhibits: Sequence[Exhibit]) -> str:
    """One sentence: how many findings there are to act on and to watch, and how many questions are answered."""
    counts = {group.level: len(group.lines) for group in groups}
    answered = {name: sum(shown.status == name for shown in exhibits) for name in STATUS_NAMES}
    act, watch = counts.get("act", 0), counts.get("watch", 0)
    acted, watched = text.count(act, "finding") if act else "No finding", text.number(watch) if watch else "none"
    parts = [
        f"{acted} to act on and {watched} to watch.",
        f"{text.number(answered['answered'])} of {text.count(len(exhibits), 'question')} answered in full",
    ]
    others = (
        ("partial", "in part"),
        ("unanswerable", "not answerable from these exports"),
        ("failed", "failed"),
    )
    rest = [f"{text.number(answered[name])} {words}" for name, words in others if answered[name]]
    return ", ".join((" ".join(parts), *rest)) + "."


def _metric(report: Report, address: str) -> Metric | None:
    audit, _, name = address.partition(".")
    return next((result.metrics.get(name) for result in report.audits if result.id == audit), None)


def _base(report: Report, anchors: Mapping[str, str], trends: Trends) -> tuple[Card, ...]:
    cards = []
    for label, addresses, change in BASE:
        found = next(((a, m) for a in addresses if (m := _metric(report, a)) and m.value is not None), None)
        if found:
            address, metric = found
            moved = _metric(report, change) if change else None
            words, tone = _change(moved, metric, report.currency)
            anchor = anchors[address.partition(".")[0]]
            card = _card(label, metric, report.currency, change=words, tone=tone, audit=anchor)
            cards.append(_with_trend(card, trends.get(address, ()), metric.unit, report.currency))
    return tuple(cards[:MOST_BASE])


def _change(moved: Metric | None, of: Metric, currency: str) -> tuple[str, str]:
    if moved is None or isinstance(moved.value, bool) or not isinstance(moved.value, int | float):
        return "", ""
    words = text.value(moved.value, moved.unit, currency)
    words = words if moved.value <= 0 or words.startswith("+") else f"+{words}"
    if moved.low is not None and moved.high is not None and moved.low <= 0 <= moved.high:
        return words, "within chance"
    better = of.better or moved.better
    if not better or not moved.value or (moved.low is None and moved.unit in ("pct", "points")):
        # A share without an interval: nobody can say whether it moved by more than chance.
        return words, ""
    return words, "better" if (moved.value > 0) == (better == "up") else "worse"


def _card(label: str, metric: Metric, currency: str, *, change: str = "", tone: str = "", audit: str = "") -> Card:
    return Card(
        label=label,
        # A card is narrow: a large amount may stand above its currency.
        value=text.value(metric.value, metric.unit, currency).replace(text.NO_BREAK, " "),
        interval=text.interval(metric.low, metric.high, metric.unit, currency),
        n="" if metric.n is None else text.number(metric.n),
        note=OTHER_DEFINITION.sub("another definition: ", text.clean(metric.note or "")),
        better={"up": "higher is better", "down": "lower is better"}.get(metric.better or "", ""),
        change=change,
        tone=tone,
        audit=audit,
    )


def _with_trend(card: Card, points: Sequence[tuple[str, float]], unit: str, currency: str) -> Card:
    if not points:
        return card
    days = [(dt.date.fromisoformat(day).toordinal(), value) for day, value in points]
    first, value = points[0]
    return replace(
        card,
        trend=Markup(svg.sparkline(days)),  # noqa: S704 -- written by svg.py from numbers
        trend_from=f"{text.value(value, unit, currency)} on {text.value(first, 'date')}",
    )


def exhibit(
    result: Result,
    report: Report,
    anchor: str,
    trends: Trends,
    *,
    pictures: bool,
    fit: tables.Fit = tables.FITS[0],
) -> Exhibit:
    """One audit in words, its charts drawn, with at most so many rows of each table."""
    currency = report.currency
    grids = {table.name: tables.shown(table, result, anchor, currency, fit) for table in result.tables}
    figures = _figures(result, grids, currency, anchor) if pictures else ()
    behind = {chart.table for chart in result.charts} if pictures else set()
    return Exhibit(
        id=text.clean(result.id),
        anchor=anchor,
        title=text.clean(result.title),
        headline=text.clean(result.headline or result.title),
        question=text.clean(result.question),
        why=text.clean(result.why),
        fix=text.clean(result.fix),
        status=result.status,
        status_name=STATUS_NAMES[result.status],
        reason=text.clean(result.reason or ""),
        bias=text.clean(result.bias or ""),
        cards=tuple(
            _with_trend(
                _card(label, metric, currency),
                trends.get(f"{result.id}.{name}", ()),
                metric.unit,
                currency,
            )
            for label, (name, metric) in zip(_labels(result, currency), result.metrics.items(), strict=True)
        ),
        findings=tuple(
            _line(found, report, result, {name: shown.anchor for name, shown in grids.items()}, anchor)
            for found in result.findings
        ),
        figures=figures,
        tables=tuple(shown for name, shown in grids.items() if name not in behind),
        every_table=tuple(grids.values()),
        methods=tuple(map(particulars.method, result.methods)),
        missing=tuple(map(text.clean, particulars.missing(result.missing))),
        command=f"crmaudit explain {result.id}" if re.fullmatch(r"[a-z][a-z0-9_]*", result.id) else "",
    )


def _labels(result: Result, currency: str) -> list[str]:
    """A label for each metric; where two are alike, the unit tells them apart."""
    plain = [text.clean(metric.label) or text.name(name) for name, metric in result.metrics.items()]
    return [
        label if plain.count(label) == 1 else text.heading(label, metric.unit, currency)
        for label, metric in zip(plain, result.metrics.values(), strict=True)
    ]


def _line(found: Finding, report: Report, result: Result | None, tables: Mapping[str, str], anchor: str = "") -> Line:
    return Line(
        level=found.level,
        level_name=LEVEL_NAMES[found.level],
        text=text.clean(found.text),
        customers="" if found.customers is None else text.count(found.customers, "customer"),
        stake="" if found.value_at_stake is None else text.value(found.value_at_stake, "money", report.currency),
        audit=anchor,
        audit_title=text.clean(result.title) if result else "",
        table=tables.get(found.table or "", ""),
    )


def columns(table: Table, currency: str) -> dict[str, Column]:
    """A table's columns as charts take them."""
    return {
        column.name: Column(
            [row[i] for row in table.rows], column.unit, column.label or text.name(column.name), currency
        )
        for i, column in enumerate(table.columns)
    }


def _figures(result: Result, shown: Mapping[str, TableView], currency: str, anchor: str) -> tuple[Figure, ...]:
    tables = {table.name: table for table in result.tables}
    figures, placed = [], set[str]()
    for i, chart in enumerate(result.charts):
        svg, problem = _drawn(chart, tables.get(chart.table), currency)
        table = tables.get(chart.table)
        figures.append(
            Figure(
                name=f"{anchor}-{i + 1}",
                svg=svg,
                caption=text.clean(chart.caption),
                description=text.clean(chart.description),
                problem=problem,
                note=f"Drawn from the first {text.number(len(table.rows))} of {text.count(table.rows_total, 'row')}."
                if table and table.rows_total > len(table.rows)
                else "",
                table=shown[table.name] if table and table.name not in placed else None,
                elsewhere=shown[table.name].anchor if table and table.name in placed else "",
            )
        )
        placed.add(chart.table)
    return tuple(figures)


def _drawn(chart: Chart, table: Table | None, currency: str) -> tuple[Markup, str]:
    """The SVG, or in its place why this chart cannot be drawn: one wrong role must not cost the reader the report."""
    if table is None:
        return Markup(), text.clean(f"This chart cannot be drawn: there is no table {chart.table!r}.")
    try:
        return Markup(charts.draw(chart.kind, columns(table, currency), chart.roles)), ""  # noqa: S704 -- written by svg.py
    except ValueError as error:
        return Markup(), text.clean(f"This chart cannot be drawn: {error}.")


def _chapters(report: Report, exhibits: Sequence[Exhibit]) -> tuple[Chapter, ...]:
    names = list(dict.fromkeys([*CHAPTERS, *(result.chapter for result in report.audits)]))
    chapters = []
    for i, name in enumerate(names):
        inside = [shown for shown, result in zip(exhibits, report.audits, strict=True) if result.chapter == name]
        if inside:
            answered = tuple(shown for shown in inside if shown.status in ("answered", "partial"))
            rest = tuple(shown for shown in inside if shown.status not in ("answered", "partial"))
            chapters.append(Chapter(f"chapter-{i + 1}", CHAPTERS.get(name) or text.name(name), answered, rest))
    return tuple(chapters)


def _exports(exhibits: Sequence[Exhibit], results: Sequence[Result]) -> tuple[Export, ...]:
    """What to export, by the number of questions that it would help to answer."""
    wanted: dict[str, tuple[dict[str, None], dict[str, Exhibit]]] = {}
    for shown, result in zip(exhibits, results, strict=True):
        if shown.status == "unanswerable":
            for where, column in particulars.wanted(result.missing):
                columns_, questions = wanted.setdefault(text.clean(where) or "not known", ({}, {}))
                columns_[text.clean(column)] = None
                questions[shown.anchor] = shown
    exports = [Export(where, tuple(names), tuple(asked.values())) for where, (names, asked) in wanted.items()]
    return tuple(sorted(exports, key=lambda export: -len(export.questions)))
