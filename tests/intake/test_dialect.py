from __future__ import annotations

import pytest

from crmaudit.intake.dialect import column_names
from tests.intake.reading import Desk, lines_of_rejects

REPORT = b"""Example Ltd
Sales by Customer
"January - March, 2024"

Date,Num,Customer,Amount
01/05/2024,1001,Smith,10.00
Jones,,,
01/06/2024,1002,Jones,20.00
Total for Jones,,,20.00
TOTAL,,,30.00
"""


def test_the_title_and_the_totals_of_a_report_are_no_records(desk: Desk) -> None:
    table = desk.table(REPORT)
    assert table.columns == ("Date", "Num", "Customer", "Amount")
    assert [row[1] for row in desk.rows(table)] == ["1001", "1002"]
    assert table.first_line == 6
    assert lines_of_rejects(table) == [7, 9, 10]
    assert "4 lines above the header were skipped" in table.notes


def test_what_may_be_a_record_of_a_report_is_rejected_and_counts(desk: Desk) -> None:
    body = b"Sales by Customer\n\nCustomer,Memo,Date,Amount\nSmith,,2025-02-01,10\nTotal Energies,,2025-03-01,5000\n"
    table = desk.table(body + b"Jones Lt\nMiller,,2025-03-02,7\nTOTAL,,,5017\nAccrual basis\n")
    assert [row[0] for row in desk.rows(table)] == ["Smith", "Miller"]
    assert [(r.line, r.is_record) for r in table.rejects] == [(5, True), (6, True), (8, False), (9, False)]


def test_a_title_padded_to_full_width(desk: Desk) -> None:
    table = desk.table(b"Sales,,,\n,,,\nid,name,day,amount\n1,a,2024-01-05,3\n2,b,2024-01-06,4\n")
    assert table.columns == ("id", "name", "day", "amount")
    assert table.first_line == 4


def test_a_total_at_the_end_is_no_record_but_a_company_of_that_name_is(desk: Desk) -> None:
    body = b"name,region,amount\nTotal Wine,North,5\nTotal,South,6\nSmith,West,7\n"
    table = desk.table(body + b"Total,,18\n")
    assert [row[0] for row in desk.rows(table)] == ["Total Wine", "Total", "Smith"]
    assert [r.reason for r in table.rejects] == ["a total, not a record"]
    assert not desk.table(body).rejects


def test_a_total_that_ends_otherwise_than_the_records_is_a_total(desk: Desk) -> None:
    body = b"Sales\n\nid,name,amount\r\n1,a,5\r\n2,b,6\r\nTOTAL,,11\n\n\n" + b'"Monday, Jan 5, 2026"\n'
    table = desk.table(body)
    assert [row[0] for row in desk.rows(table)] == ["1", "2"]
    assert [(r.reason, r.is_record) for r in table.rejects] == [
        ("a total, not a record", False),
        ("a line of the report, not a record", False),
    ]


def test_a_footer_is_rejected(desk: Desk) -> None:
    table = desk.table(b'id,name\n1,a\n2,b\n3,c\n\n"Confidential. Do not distribute"\n"(c) Example"\n')
    assert [row[1] for row in desk.rows(table)] == ["a", "b", "c"]
    assert lines_of_rejects(table) == [6, 7]


@pytest.mark.parametrize(
    "first",
    [b"00004,19970101,2,29.33", b"1001,a@example.com,Ann,5.20", b"2024-01-05,ann,x,1.5"],
)
def test_a_file_without_a_header(desk: Desk, first: bytes) -> None:
    table = desk.table(first + b"\n" + first + b"\n")
    assert table.columns == ("column 1", "column 2", "column 3", "column 4")
    assert table.rows_read == 2
    assert table.first_line == 1
    assert any("no header" in note for note in table.notes)


@pytest.mark.parametrize(
    "header", [b"id,2023,2024", b"month,0,1", b"2022,2023,2024", b"id,name,d", b"name,12 months,a@b"]
)
def test_headers_with_numbers_are_headers(desk: Desk, header: bytes) -> None:
    table = desk.table(header + b"\nAnn,5,6\nBob,7,8\n")
    assert table.columns == tuple(header.decode().split(","))
    assert table.rows_read == 2


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"id;amount\n1;12,50\n2;13,75\n", ("id", "amount")),
        (b"id;text\n1;well, yes, and no\n2;no\n", ("id", "text")),
        (b"id,tags,name\n1,a;b,x\n2,c;d,y\n", ("id", "tags", "name")),
        (b"id|name, first\n1|a, b\n2|c, d\n", ("id", "name, first")),
        (b"note\nwell, yes\nno\nperhaps, or not, who knows\n", ("note",)),
        (b"note\nwell, yes\nwell, no\n", ("note",)),
        (b"note\na||\nb||\n", ("note",)),
        (b"Sales\n\nid,name\n1,a\n2,b\n", ("id", "name")),
        (b"Sales of May\nid,name,city\n1,a,x\n2,b,y\n", ("id", "name", "city")),
        (b"day\n03/04/2026\n05/06/2026\n", ("day",)),
        (b"sep=|\nid|name\n1|a\n", ("id", "name")),
        (b",name\n1,a\n2,b\n", ("column 1", "name")),
    ],
)
def test_the_delimiter_is_the_one_that_all_lines_agree_on(desk: Desk, content: bytes, columns: tuple[str, ...]) -> None:
    table = desk.table(content)
    assert table.columns == columns
    assert not table.rejects


def test_a_ragged_file_is_not_taken_for_one_column(desk: Desk) -> None:
    table = desk.table(b"id,name,note\n" + b"1,a\n2,b,c,d\n3,e,f\n4\n5,g,h\n6,i,j,k,l\n" * 5)
    assert table.columns == ("id", "name", "note")
    assert [row[0] for row in desk.rows(table)] == ["3", "5"] * 5
    assert len(table.rejects) == 20


def test_a_header_over_two_lines(desk: Desk) -> None:
    table = desk.table(b'id,"amount\n(EUR)"\n1,2\n3,4\n')
    assert table.columns == ("id", "amount\n(EUR)")
    assert desk.rows(table) == [["1", "2"], ["3", "4"]]
    assert table.first_line == 3


def test_a_quote_left_open_in_the_header_swallows_nothing(desk: Desk) -> None:
    table = desk.table(b'id,"name,note\n1,a,"b, c"\n2,d,e\n')
    assert table.rows_read == 2
    assert len(desk.rows(table)) == 2


def test_names_for_columns() -> None:
    assert column_names(("a", "A", "a (2)", " ", ""), 6) == (
        "a",
        "A (2)",
        "a (2) (2)",
        "column 4",
        "column 5",
        "column 6",
    )
