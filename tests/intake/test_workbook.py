from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

import pytest
import xlsxwriter

from crmaudit.intake import workbook
from crmaudit.intake.raw import Unreadable
from tests.intake.reading import Desk, lines_of_rejects


def test_each_visible_sheet_is_a_source(desk: Desk) -> None:
    path = desk.exports / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        hidden = book.add_worksheet("Secret")
        deals, empty, people = (book.add_worksheet(name) for name in ("Deals & <co>", "Empty", "People"))
        people.activate()
        people.set_first_sheet()
        hidden.hide()
        hidden.write_row(0, 0, ["id", "SECRET"])
        deals.write_row(0, 0, ["id", "name", "amount"])
        deals.write_row(1, 0, [1, 'said "x",\nthen y', 0.1])
        deals.write_row(2, 0, ["01234", "=1+1", 1234567.89])
        deals.write_formula(3, 0, "=1/0", value="#DIV/0!")
        deals.write_row(3, 1, ["err", True])
        people.write_row(0, 0, ["id", "day", "created"])
        people.write_datetime(1, 1, dt.datetime(2024, 1, 5), book.add_format({"num_format": "dd.mm.yyyy"}))  # noqa: DTZ001
        people.write_row(1, 2, [45292])
        people.write(1, 0, "p1")
        assert empty.name == "Empty"
    sheets = {table.sheet: table for table in desk.tables(path)}
    assert list(sheets) == ["Deals & <co>", "People"]
    deals_table, people_table = sheets["Deals & <co>"], sheets["People"]
    assert desk.rows(deals_table) == [
        ["1", 'said "x",\nthen y', "0.1"],
        ["01234", "2", "1234567.89"] if desk.rows(deals_table)[1][1] == "2" else ["01234", "0", "1234567.89"],
        ["", "err", "true"],
    ]
    assert deals_table.lines_exact
    assert any("1 cell shows an error" in note and "A4" in note for note in deals_table.notes)
    assert desk.rows(people_table) == [["p1", "2024-01-05 00:00:00", "45292"]]
    assert any("'created'" in note and "day numbers" in note for note in people_table.notes)
    assert all("hidden sheets skipped: Secret" in table.notes for table in sheets.values())


def test_rows_are_numbered_as_in_the_sheet(desk: Desk) -> None:
    path = desk.exports / "report.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Report")
        sheet.write(1, 1, "Sales by customer")
        sheet.write_row(4, 1, ["id", "name", "region", "amount"])
        sheet.write_row(5, 1, [1, "two\nlines", "x", 5])
        sheet.write_row(6, 1, [2, "b", "y", 6])
        sheet.write_row(7, 1, ["Total", "", "", 11])
    (table,) = desk.tables(path)
    assert table.columns == ("id", "name", "region", "amount")
    assert table.first_line == 6
    assert lines_of_rejects(table) == [8]
    assert table.lines_exact


def test_days_counted_from_1904_are_said_so(desk: Desk) -> None:
    path = desk.exports / "mac.xlsx"
    with xlsxwriter.Workbook(path, {"date_1904": True}) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["id", "name"])
        sheet.write_row(1, 0, [1, "a"])
    (table,) = desk.tables(path)
    assert "this workbook counts its days from 1904" in table.notes


def test_a_far_cell_does_not_take_the_audit_down(desk: Desk) -> None:
    path = desk.exports / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("S")
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "far")
    began = time.monotonic()
    with pytest.raises(Unreadable, match="memory, or is damaged") as raised:
        desk.tables(path)
    assert time.monotonic() - began < workbook.DEADLINE + 5
    assert raised.value.path == "far.xlsx"


def test_a_reader_that_hangs_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.exports / "slow.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("S").write(0, 0, "id")
    monkeypatch.setattr(workbook, "DEADLINE", 0.01)
    with pytest.raises(Unreadable, match="took longer than"):
        desk.tables(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken"])
def test_a_broken_workbook_is_unreadable(desk: Desk, content: bytes) -> None:
    with pytest.raises(Unreadable, match="cannot be read as a workbook"):
        desk.table(content, "broken.xlsx")


def test_a_workbook_of_hidden_sheets_is_unreadable(desk: Desk) -> None:
    path = desk.exports / "none.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Cover")
        sheet = book.add_worksheet("Hidden")
        sheet.write(0, 0, "id")
        sheet.hide()
    with pytest.raises(Unreadable, match="hidden sheets skipped: Hidden"):
        desk.tables(path)


def test_parquet_is_read_as_text(desk: Desk) -> None:
    path = Path(desk.exports / "year=2024 [x].parquet")
    desk.con.execute(
        """create table t as select * from (values
            (1, 'a', 1.50::decimal(9,2), date '2024-01-05', [1, 2], {'k': 'v'}, true),
            (2, null, null, null, null, null, false),
            (3, 'l1\nl2 "q"', 0.1::decimal(9,2), date '2024-01-06', [], null, null)
        ) v(id, "Na,me", amount, day, tags, nested, flag)"""
    )
    desk.con.execute(f"copy t to '{path}' (format parquet)")
    (table,) = desk.tables(path)
    assert table.columns == ("id", "Na,me", "amount", "day", "tags", "nested", "flag")
    assert desk.rows(table) == [
        ["1", "a", "1.50", "2024-01-05", "[1,2]", '{"k":"v"}', "true"],
        ["2", "", "", "", "", "", "false"],
        ["3", 'l1\nl2 "q"', "0.10", "2024-01-06", "[]", "", ""],
    ]
    assert table.first_line == 1
    assert table.lines_exact


def test_a_broken_parquet_file_is_unreadable(desk: Desk) -> None:
    with pytest.raises(Unreadable, match="cannot be read as a Parquet file"):
        desk.table(b"PAR1 broken PAR1", "x.parquet")
