"""Tables as a page shows them: as many rows as fit, each cell in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from crmaudit import text
from crmaudit.page import Head, TableView
from crmaudit.report import Report, Result, Table, TableColumn

MOST_BYTES = 650_000
"""Of all tables together on a page, which then stays below 2 MB."""


@dataclass(frozen=True)
class Fit:
    """How much of each table a page holds: rows, and columns of text in a cell; the rest is in the database."""

    rows: int = 100
    wide: int = 240


FITS = (Fit(), Fit(50), Fit(25), Fit(10), Fit(10, 80), Fit(5, 80), Fit(5, 30), Fit(2, 30))
"""From the most to the least that is of any use."""


def fitting(report: Report) -> Fit:
    """The most of each table that keeps the page small enough."""
    tables = [table for result in report.audits for table in result.tables]
    return next((fit for fit in FITS if _bytes(tables, fit) <= MOST_BYTES), FITS[-1])


def _bytes(tables: Iterable[Table], fit: Fit) -> int:
    """What the rows take on the page, where a sign of mark-up takes the place of several."""
    return sum(
        sum(len(escape(str(value)[: fit.wide]).encode(errors="surrogatepass")) + 10 for value in row) + 11
        for table in tables
        for row in table.rows[: fit.rows]
    )


def shown(table: Table, result: Result, anchor: str, currency: str, fit: Fit) -> TableView:
    """One table with as many of its rows, and as much of its texts, as fit."""
    number = result.tables.index(table) + 1
    rows, total = table.rows[: fit.rows], table.rows_total
    written = [
        [text.cell(value, column.unit) for value, column in zip(row, table.columns, strict=True)] for row in rows
    ]
    title = text.clean(table.title) or text.name(table.name)
    return TableView(
        anchor=f"{anchor}-table-{number}",
        title=title,
        label=f"{text.clean(result.title)}: {title}",
        heads=tuple(
            Head(heading, column.unit in text.NUMBERS)
            for heading, column in zip(headings(table.columns, currency), table.columns, strict=True)
        ),
        rows=tuple(tuple(_shortened(cell, fit.wide) for cell in row) for row in written),
        is_cut=any(len(cell) > fit.wide for row in written for cell in row),
        total=total,
        address=text.clean(f"{result.id}.{table.name}"),
        shape=" ".join(f"n{i + 1}" for i, column in enumerate(table.columns) if column.unit in text.NUMBERS),
        short=total <= 12,
    )


def _shortened(cell: str, wide: int) -> str:
    return cell if len(cell) <= wide else text.shorten(cell, wide)


def headings(columns: Sequence[TableColumn], currency: str) -> list[str]:
    """A heading for each column with its unit; where two would be alike, the column's own name tells them apart."""
    plain = [text.heading(column.label or text.name(column.name), column.unit, currency) for column in columns]
    return [
        heading if plain.count(heading) == 1 else text.heading(text.title(column.name), column.unit, currency)
        for heading, column in zip(plain, columns, strict=True)
    ]
