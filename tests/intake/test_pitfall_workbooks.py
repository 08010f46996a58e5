"""The workbooks and the drifting weeks among the pitfalls, in full: against the XML itself, and by name."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from crmaudit.intake.load import load
from tests.intake.reading import Desk, shared

CELL = re.compile(r'<c r="([A-Z]+)(\d+)"(?: s="\d+")?(?: t="(\w+)")?>(?:<f>[^<]*</f>)?<v>([^<]*)</v></c>')
TODAY = dt.date(2026, 7, 1)


def cells(path: Path, sheet: int) -> dict[tuple[int, str], tuple[str, str]]:
    """(row, column) -> (kind, text) of a sheet as its XML has them."""
    with zipfile.ZipFile(path) as archive:
        texts = re.findall(r"<t[^>]*>([^<]*)</t>", archive.read("xl/sharedStrings.xml").decode())
        found = CELL.findall(archive.read(f"xl/worksheets/sheet{sheet}.xml").decode())
    return {(int(row), name): (kind, texts[int(text)] if kind == "s" else text) for name, row, kind, text in found}


def is_same(kind: str, wanted: str, shown: str) -> bool:
    """Whether a cell of the XML is delivered: errors are empty, days may be days or their numbers."""
    if kind == "e":
        return shown == ""
    if kind == "s":
        return shown == wanted
    if kind == "b":
        return shown == {"1": "true", "0": "false"}[wanted]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}(?: 00:00:00)?", shown):
        return dt.date.fromisoformat(shown[:10]) == dt.date(1899, 12, 30) + dt.timedelta(days=int(wanted))
    return Decimal(shown) == Decimal(wanted)


@pytest.mark.parametrize(
    ("name", "sheet", "header", "records"),
    [("late_types_xlsx.xlsx", 1, 1, 1503), ("error_cells_xlsx.xlsx", 1, 1, 5), ("hidden_first_sheet.xlsx", 2, 3, 2)],
)
def test_every_cell_of_the_pitfall_workbooks_is_delivered_or_told(
    desk: Desk, name: str, sheet: int, header: int, records: int
) -> None:
    path = shared("corpora", "pitfalls", name)
    (table,) = desk.tables(path)
    wanted = cells(path, sheet)
    last = max(row for row, _ in wanted)
    assert table.rows_read == records == last - header
    rejected = {reject.line for reject in table.rejects}
    lines = [line for line in range(header + 1, last + 1) if line not in rejected]
    for line, row in zip(lines, desk.rows(table), strict=True):
        for column, shown in zip("ABCDEF", row, strict=False):
            kind, text = wanted.get((line, column), ("s", ""))
            assert is_same(kind, text, shown), (line, column, text, shown)


def test_columns_that_change_places_between_weeks_are_read_by_name(desk: Desk) -> None:
    tables = [t for week in "ab" for t in desk.tables(shared("corpora", "pitfalls", f"drift_cols_{week}.csv"))]
    told = {"entity": "invoices", "columns": {"id": "invoice_id", "net": "net_amount", "gross": "amount"}}
    load(desk.con, tables, today=TODAY, overrides={f"drift_cols_{week}.csv": told for week in "ab"})
    found = desk.con.execute("select invoice_id, net_amount, amount from loaded.invoices order by 1").fetchall()
    assert found == [("1", 10, 12), ("2", 20, 24)]


def test_a_column_that_appears_is_told_and_one_that_disappears_is_absent(desk: Desk) -> None:
    names = [f"drift_{what}.csv" for what in ("extra_a", "extra_b", "missing", "case")]
    tables = [t for name in names for t in desk.tables(shared("corpora", "pitfalls", name))]
    told = {name: {"entity": "payments", "columns": {"id": "payment_id", "amount": "amount"}} for name in names[:2]}
    told["drift_missing.csv"] = {"entity": "payments", "columns": {"id": "payment_id"}}
    told["drift_case.csv"] = {"entity": "payments", "columns": {"ID": "payment_id", "Amount ": "amount"}}
    done = load(desk.con, tables, today=TODAY, overrides=told)
    sources = {s.source.path: s.source for s in done.sources}
    assert "vat" in sources["drift_extra_b.csv"].unmapped
    assert "amount" not in sources["drift_missing.csv"].columns
    found = desk.con.execute("select payment_id, amount from loaded.payments order by 1").fetchall()
    assert [row for row in found if row[0] in "345"] == [("3", 30), ("4", None), ("5", 50)]


def test_decimal_marks_that_change_between_weeks_are_each_read_for_what_they_are(desk: Desk) -> None:
    names = ["decimal_point.csv", "decimal_comma.csv"]
    tables = [t for name in names for t in desk.tables(shared("corpora", "pitfalls", name))]
    told = {"entity": "payments", "columns": {"id": "payment_id", "amt": "amount"}}
    load(desk.con, tables, today=TODAY, overrides=dict.fromkeys(names, told))
    found = desk.con.execute("select payment_id, amount from loaded.payments order by 1").fetchall()
    assert found == [("1", Decimal("10.5")), ("2", Decimal("1234.5"))]
