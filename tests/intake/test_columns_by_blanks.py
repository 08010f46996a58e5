from __future__ import annotations

from tests.intake.reading import Desk, lines_of_rejects

LINES = (
    b" customer_id  date number_of_cds  dollar_value\r\n 00001 19970101  1   11.77\r\n 00002 19970112  1   12.00\r\n"
)


def test_columns_set_apart_by_blanks(desk: Desk) -> None:
    table = desk.table(LINES, "list.txt")
    assert table.columns == ("customer_id", "date", "number_of_cds", "dollar_value")
    assert desk.rows(table) == [["00001", "19970101", "1", "11.77"], ["00002", "19970112", "1", "12.00"]]
    assert table.first_line == 2
    assert table.lines_exact


def test_without_a_header(desk: Desk) -> None:
    table = desk.table(LINES.split(b"\n", 1)[1], "list.txt")
    assert table.columns == ("column 1", "column 2", "column 3", "column 4")
    assert table.rows_read == 2
    assert table.first_line == 1


def test_lines_of_another_width_are_rejected(desk: Desk) -> None:
    good = b" 3 4,5 6 7\r\n" * 30
    table = desk.table(LINES + b" 1 2\r\n\r\n" + good + b' 1 2 3 "4"x\0', "list.txt")
    assert table.rows_read == 34
    assert lines_of_rejects(table) == [4, 36]
    assert desk.rows(table)[2] == ["3", "4,5", "6", "7"]
    assert not table.lines_exact
    assert "the last line has no newline: the file may be cut" in table.notes


def test_a_csv_file_with_blanks_in_its_values_is_none(desk: Desk) -> None:
    table = desk.table(b"name\nAnn Smith\nBob Jones\n")
    assert table.columns == ("name",)
    assert desk.rows(table) == [["Ann Smith"], ["Bob Jones"]]
