"""`audit.xlsx`: the report for those who live in Excel.

Findings, figures and sources have a sheet each, and every table of every audit: typed columns with their units, the
header frozen and with filters. Text is written as text, so nothing from an export becomes a formula or a link.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

from crmaudit import tables, text
from crmaudit.report import Report, Result, Table, TableColumn, Value

MOST_ROWS = 5_000
"""Rows of one sheet; all of them are in audit.duckdb."""
MADE_ON = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""The day of creation that the file claims: the same report gives the same bytes."""

Rows = Callable[[str, str, int], Sequence[Sequence[Any]]]
"""The first rows of a table as values of the report: audit id, table, how many."""

_LONGEST_TEXT = 32_767
_LONGEST_NAME = 31
_WIDEST = 60
_FORMATS = {
    "pct": "0.0",
    "points": "+0.0;-0.0;0.0",
    "days": "#,##0.0",
    "hours": "#,##0.0",
    "money": "#,##0.00",
    "n": "#,##0.###",
    "ratio": "0.###",
    "p": "0.000",
    "date": "yyyy-mm-dd",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, what stands above the table, its columns and rows."""

    name: str
    title: str
    note: str
    columns: Sequence[TableColumn]
    rows: Sequence[Sequence[Any]]


def write(report: Report, rows: Rows, path: Path) -> None:
    """Writes the workbook; scratch files go beside it."""
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": MADE_ON})
        formats = {unit: book.add_format({"num_format": pattern}) for unit, pattern in _FORMATS.items()}
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
        bold = book.add_format({"bold": True, "font_size": 14})
        for sheet in _sheets(report, rows):
            _write_sheet(book, sheet, report.currency, formats, head, bold)


def _sheets(report: Report, rows: Rows) -> Iterator[Sheet]:
    every = [(result, table) for result in report.audits for table in result.tables]
    names = _names(every)
    yield _contents(report, every, names)
    yield _findings(report)
    yield _figures(report)
    yield _sources(report)
    for (result, table), name in zip(every, names, strict=True):
        shown = rows(result.id, table.name, MOST_ROWS)
        extent = text.count(table.rows_total, "row")
        if len(shown) < table.rows_total:
            extent = f"the first {text.number(len(shown))} of {extent}; all are in audit.duckdb"
        title = f"{result.title}: {table.title or text.name(table.name)}"
        yield Sheet(name, title, f"{result.question} ({extent}, {result.id}.{table.name})", table.columns, shown)


def _names(every: Sequence[tuple[Result, Table]]) -> list[str]:
    """A name for each table's sheet: the audit's id, with a number from its second table on; none twice."""
    taken = {"contents", "findings", "figures", "sources"}
    names, counts = [], dict[str, int]()
    for result, _ in every:
        counts[result.id] = counts.get(result.id, 0) + 1
        place = counts[result.id]
        while True:
            end = "" if place == 1 else f" {place}"
            name = re.sub(r"[^A-Za-z0-9_ -]", "_", result.id)[: _LONGEST_NAME - len(end)] + end
            if name.lower() not in taken:
                break
            place += 1
        taken.add(name.lower())
        names.append(name)
    return names


def _columns(words: str) -> list[TableColumn]:
    """`label:unit` for each column, separated by bars."""
    return [
        TableColumn(label, unit or "text", label) for label, _, unit in (w.partition(":") for w in words.split("|"))
    ]


def _contents(report: Report, every: Sequence[tuple[Result, Table]], names: Sequence[str]) -> Sheet:
    sheets: dict[str, list[tuple[Table, str]]] = {}
    for (result, table), name in zip(every, names, strict=True):
        sheets.setdefault(result.id, []).append((table, name))
    rows: list[tuple[Value, ...]] = []
    for result in report.audits:
        words = (result.id, result.title, result.question, result.status, result.headline or result.reason)
        rows += [
            (*words, table.title or text.name(table.name), table.rows_total, name)
            for table, name in sheets.get(result.id, ())
        ] or [(*words, None, None, None)]
    window = f"{report.window.get('start') or text.NOTHING} to {report.window.get('end') or text.NOTHING}"
    note = f"As of {report.as_of or text.NOTHING}; window {window}; currency {report.currency or 'not known'}."
    columns = _columns("Audit|Title|Question|Status|Answer|Table|Rows:n|Sheet")
    return Sheet("Contents", "Customer base audit", note, columns, rows)


def _findings(report: Report) -> Sheet:
    rows = [("data", "", f.level, f.text, f.customers, f.value_at_stake) for f in report.findings]
    rows += [
        (result.id, result.title, f.level, f.text, f.customers, f.value_at_stake)
        for result in report.audits
        for f in result.findings
    ]
    note = "Amounts at stake of several findings overlap and are never added up."
    columns = _columns("Audit|Title|Level|Finding|Customers:n|At stake:money")
    return Sheet("Findings", "Findings", note, columns, rows)


def _figures(report: Report) -> Sheet:
    rows = [
        (result.id, name, metric.label or text.name(name), metric.value, metric.unit, metric.low, metric.high,
         metric.n, metric.better, metric.note)
        for result in report.audits
        for name, metric in result.metrics.items()
    ]  # fmt: skip
    columns = _columns("Audit|Metric|Label|Value|Unit|Low|High|n:n|Better|Note")
    return Sheet("Figures", "Figures", "Low and high are the ends of a 95 % interval.", columns, rows)


def _sources(report: Report) -> Sheet:
    rows = [
        (s.path, s.sheet, s.system, s.entity, s.rows_read, s.rows_loaded, s.rows_rejected, s.rows_excluded,
         s.observed_from, s.observed_until, "; ".join(s.notes))
        for s in report.sources
    ]  # fmt: skip
    columns = _columns(
        "Export|Sheet|System|Rows are|Read:n|Loaded:n|Rejected:n|Excluded:n|Observed from:date|until:date|Notes"
    )
    return Sheet("Sources", "Sources", "Rows read = loaded + rejected + excluded.", columns, rows)


def _write_sheet(book: Any, sheet: Sheet, currency: str, formats: dict[str, Any], head: Any, bold: Any) -> None:
    page = book.add_worksheet(sheet.name)
    headings = tables.headings(sheet.columns, currency)
    for i, (column, heading) in enumerate(zip(sheet.columns, headings, strict=True)):
        page.set_column(i, i, _width(heading, [row[i] for row in sheet.rows[:50]]), formats.get(column.unit))
    page.write_string(0, 0, text.clean(sheet.title), bold)
    page.write_string(1, 0, text.clean(sheet.note))
    for i, heading in enumerate(headings):
        page.write_string(2, i, heading, head)
    for at, row in enumerate(sheet.rows, start=3):
        for i, (value, column) in enumerate(zip(row, sheet.columns, strict=True)):
            _write_cell(page, at, i, value, formats.get(column.unit))
    page.freeze_panes(3, 0)
    if sheet.columns:
        page.autofilter(2, 0, 2 + len(sheet.rows), len(sheet.columns) - 1)


def _write_cell(page: Any, row: int, column: int, value: Value, look: Any) -> None:
    if isinstance(value, bool):
        page.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        # Beyond 15 digits Excel would change the last ones.
        if math.isfinite(value) and abs(value) < 1e15:
            page.write_number(row, column, value, look)
        else:
            page.write_string(row, column, str(value))
    elif isinstance(value, str):
        day = _day(value) if look is not None else None
        if day is not None:
            page.write_datetime(row, column, day, look)
        else:
            page.write_string(row, column, text.clean(value)[:_LONGEST_TEXT])


def _day(value: str) -> dt.date | None:
    """The day where Excel's calendar, which begins in 1900, has it."""
    if not _DAY.fullmatch(value) or value < "1900-03-01":
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def _width(heading: str, values: Sequence[Value]) -> float:
    longest = max((text.columns_wide(str(value)[:_WIDEST]) for value in values if value is not None), default=0)
    return min(_WIDEST, max(10, longest + 2, min(24, text.columns_wide(heading) + 3)))
