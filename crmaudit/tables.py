"""Tables as a page shows them: as many rows as fit, each cell in words."""

from __future__ import annotations

from collections.abc import Sequence

from crmaudit import text
from crmaudit.page import Head, TableView
from crmaudit.report import Report, Result, Table, TableColumn, Value

MOST_BYTES = 650_000
"""Of all tables together on a page, which then stays below 2 MB: each shows as many rows as that allows."""
MOST_ROWS = (100, 50, 25, 10, 5)
LONGEST_CELL = 240
"""Columns of text in a cell; the whole text is in the database and the workbook."""


def rows_shown(report: Report) -> int:
    """How many rows of each table fit on the page."""
    sizes = [
        [sum(min(len(str(value)), LONGEST_CELL) + 10 for value in row) + 11 for row in table.rows]
        for result in report.audits
        for table in result.tables
    ]
    return next((most for most in MOST_ROWS if sum(sum(rows[:most]) for rows in sizes) <= MOST_BYTES), MOST_ROWS[-1])


def shown(table: Table, result: Result, anchor: str, currency: str, most: int) -> TableView:
    """One table with its first rows, at most `most`."""
    number = result.tables.index(table) + 1
    rows, total = table.rows[:most], table.rows_total
    title = text.clean(table.title) or text.name(table.name)
    return TableView(
        anchor=f"{anchor}-table-{number}",
        title=title,
        label=f"{text.clean(result.title)}: {title}",
        heads=tuple(
            Head(heading, column.unit in text.NUMBERS)
            for heading, column in zip(headings(table.columns, currency), table.columns, strict=True)
        ),
        rows=tuple(
            tuple(_cell(value, column.unit) for value, column in zip(row, table.columns, strict=True)) for row in rows
        ),
        total=total,
        address=text.clean(f"{result.id}.{table.name}"),
        shape=" ".join(f"n{i + 1}" for i, column in enumerate(table.columns) if column.unit in text.NUMBERS),
        short=total <= 12,
    )


def _cell(value: Value, unit: str) -> str:
    written = text.cell(value, unit)
    return written if len(written) <= LONGEST_CELL else text.shorten(written, LONGEST_CELL)


def headings(columns: Sequence[TableColumn], currency: str) -> list[str]:
    """A heading for each column with its unit; where two would be alike, the column's own name tells them apart."""
    plain = [text.heading(column.label or text.name(column.name), column.unit, currency) for column in columns]
    return [
        heading if plain.count(heading) == 1 else text.heading(text.title(column.name), column.unit, currency)
        for heading, column in zip(plain, columns, strict=True)
    ]
