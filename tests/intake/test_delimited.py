from __future__ import annotations

import pytest

from crmaudit.intake.raw import Unreadable
from tests.intake.reading import Desk, lines_of_rejects


def clean(records: int, width: int = 3) -> bytes:
    return b"".join(b",".join([b"%d" % n] * width) + b"\n" for n in range(records))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_delimiters_and_ends_of_line(desk: Desk, delimiter: str, newline: str) -> None:
    lines = [["id", "name", "note"], ["1", '"a ""b"""', ""], ["2", f'"c{delimiter}d"', '"e\nf"'], ["3", "g", "h"]]
    table = desk.table(newline.join(delimiter.join(line) for line in lines).encode() + newline.encode())
    assert table.columns == ("id", "name", "note")
    assert desk.rows(table) == [["1", 'a "b"', ""], ["2", f"c{delimiter}d", "e\nf"], ["3", "g", "h"]]
    assert table.rejects == ()
    assert table.first_line == 2


def test_columns_are_unique_whatever_their_case(desk: Desk) -> None:
    table = desk.table(b"id,Id,ID,,name,name (2),name\n1,2,3,4,5,6,7\n")
    assert table.columns == ("id", "Id (2)", "ID (3)", "column 4", "name", "name (2)", "name (3)")
    assert desk.names(table) == table.columns


def test_names_hostile_to_sql_stay_as_they_are(desk: Desk) -> None:
    table = desk.table(b'it\'s {x}: \'y\',"say ""hi""",a;b--,Amount \n1,2,3,4\n')
    assert table.columns == ("it's {x}: 'y'", 'say "hi"', "a;b--", "Amount ")
    assert desk.names(table) == table.columns


@pytest.mark.parametrize(
    "name", ["export[1].csv", "a*b.csv", "what?.csv", "it's.csv", "{a,b}.csv", "year=2024.csv", "~x.csv"]
)
def test_file_names_are_no_patterns(desk: Desk, name: str) -> None:
    (desk.exports / "export1.csv").write_bytes(b"a,b\n1,wrong\n")
    (desk.exports / "aXb.csv").write_bytes(b"a,b\n1,wrong\n")
    folder = desk.exports / "month=5 [x]"
    folder.mkdir()
    for path in (desk.exports / name, folder / name):
        path.write_bytes(b"a,b\n1,right\n")
        (table,) = desk.tables(path)
        assert desk.rows(table) == [["1", "right"]]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"2,b", "2 values where the header has 3"),
        (b"2,,200,38,", "5 values where the header has 3"),
        (b"2,,200,", "4 values where the header has 3"),
        (b'2,"b,c', "a quote is opened and not closed"),
        (b'2,"b"x,c', "a quote where none may stand"),
        (b"2,b\0,c", "NUL"),
        (b"2,b\xff,c", "not UTF-8"),
        (b"2,b\rb,c", "carriage return"),
        (b"id,name,note", "the header again"),
    ],
)
def test_a_bad_record_is_set_apart_and_no_other(desk: Desk, bad: bytes, reason: str) -> None:
    table = desk.table(b'id,name,note\n1,"a",b\n' + bad + b'\n3,\xc3\xa9\xc3\xa9,f\n4,"g",h\n')
    assert [row[0] for row in desk.rows(table)] == ["1", "3", "4"]
    assert lines_of_rejects(table) == [3]
    assert reason in table.rejects[0].reason
    assert table.rejects[0].column is None
    assert table.rows_read == 4
    assert not table.lines_exact


def test_bad_records_are_found_far_into_a_file(desk: Desk) -> None:
    lines = clean(60_000).splitlines()
    for place in (5, 40_000, 40_001, 59_999):
        lines[place] += b",x"
    table = desk.table(b"a,b,c\n" + b"\n".join(lines) + b"\n")
    assert lines_of_rejects(table) == [7, 40_002, 40_003, 60_001]
    rows = desk.rows(table)
    assert len(rows) == 59_996
    assert rows[4:6] == [["4"] * 3, ["6"] * 3]


def test_a_quote_left_open_swallows_nothing(desk: Desk) -> None:
    table = desk.table(b'id,name,note\n1,"open,x\n' + b'2,b,"c, d"\n' * 20_000)
    assert table.rows_read == 20_001
    assert lines_of_rejects(table) == [2]


def test_a_record_of_several_lines_and_the_wrong_width_is_one_reject(desk: Desk) -> None:
    table = desk.table(b'id,name,note\n1,"a\nb,c,d\ne",f,g\n2,b,c\n')
    assert desk.rows(table) == [["2", "b", "c"]]
    assert [(r.line, r.reason) for r in table.rejects] == [(2, "4 values where the header has 3")]


def test_a_torn_record_in_a_file_of_crlf_is_not_cut_short(desk: Desk) -> None:
    table = desk.table(b"id,name,note\r\n1,a,first\nsecond\r\n2,b,c\r\n")
    assert desk.rows(table) == [["2", "b", "c"]]
    assert lines_of_rejects(table) == [2, 3]


def test_a_carriage_return_apart_from_its_line_feed(desk: Desk) -> None:
    table = desk.table(b"id,name\r\n1,a\rxx\n2,b\r\n")
    assert desk.rows(table) == [["2", "b"]]
    assert lines_of_rejects(table) == [2]


def test_a_nul_inside_quotes(desk: Desk) -> None:
    table = desk.table(b'id,name\n1,"a\0b"\n2,b\n')
    assert desk.rows(table) == [["2", "b"]]
    assert "NUL" in table.rejects[0].reason


def test_ends_of_line_inside_quotes_are_no_ends_of_line(desk: Desk) -> None:
    without_header = desk.table(b'2024-01-05,"a\r\nb"\n2024-01-06,c\n')
    assert desk.rows(without_header) == [["2024-01-05", "a\r\nb"], ["2024-01-06", "c"]]
    old_macintosh = desk.table(b'id,name\r1,"a\nb\nc\nd"\r2,"e\n"\r')
    assert desk.rows(old_macintosh) == [["1", "a\nb\nc\nd"], ["2", "e\n"]]
    assert not old_macintosh.rejects


def test_files_of_both_ends_of_line_are_read(desk: Desk) -> None:
    table = desk.table(b"id,name\r\n1,a\r\n2,b\r\n3,c\n4,d\n")
    assert [row[1] for row in desk.rows(table)] == ["a", "b", "c", "d"]
    assert not table.rejects


def test_quotes_are_characters_in_a_file_that_quotes_nothing(desk: Desk) -> None:
    table = desk.table(b'id,name\n1,monitor 24"\n2,5" pipe\n3,an "odd" one\n')
    assert [row[1] for row in desk.rows(table)] == ['monitor 24"', '5" pipe', 'an "odd" one']
    assert table.lines_exact


def test_quotes_inside_a_value_are_kept_beside_quoted_values(desk: Desk) -> None:
    table = desk.table(b'id,name\n1,"a, b"\n2,an "odd" one\n3,c\n')
    assert [row[1] for row in desk.rows(table)] == ["a, b", 'an "odd" one', "c"]
    assert not table.rejects


def test_a_value_longer_than_duckdb_takes_by_itself(desk: Desk) -> None:
    table = desk.table(b"id,name\n1," + b"x" * 900_000 + b"\n2,b\n")
    assert [len(row[1]) for row in desk.rows(table)] == [900_000, 1]


def test_a_line_without_end_is_one_reject(desk: Desk) -> None:
    table = desk.table(b"id,name\n1,a\n" + b"x" * 3_000_000 + b"\n2,b\n")
    assert [row[0] for row in desk.rows(table)] == ["1", "2"]
    assert lines_of_rejects(table) == [3]
    assert len(table.rejects[0].value) == 200


def test_the_lines_of_records_are_exact_where_it_is_said(desk: Desk) -> None:
    assert desk.table(b"a,b\n1,2\n3,4\n").lines_exact
    assert desk.table(b"a,b\n1,2\n3,4\n5\n").lines_exact
    assert not desk.table(b'a,b\n1,"x\ny"\n3,4\n').lines_exact
    assert not desk.table(b"a,b\n1,2\n\n3,4\n").lines_exact


def test_empty_rows_are_no_records(desk: Desk) -> None:
    table = desk.table(b"a,b,c\n1,2,3\n,,\n\n4,5,6\n,,\n \n,\n")
    assert desk.rows(table) == [["1", "2", "3"], ["4", "5", "6"]]
    assert "5 empty rows skipped" in table.notes
    assert table.rows_read == 2
    otherwise_clean = desk.table(b"a,b,c\n1,2,3\n,,\n4,5,6\n")
    assert desk.rows(otherwise_clean) == [["1", "2", "3"], ["4", "5", "6"]]


def test_empty_columns_at_the_end_are_dropped(desk: Desk) -> None:
    table = desk.table(b"a,b,,\n1,2,,\n3,4,,\n")
    assert table.columns == ("a", "b")
    assert desk.rows(table) == [["1", "2"], ["3", "4"]]
    assert any("2 empty columns" in note for note in table.notes)
    kept = desk.table(b"a,b,,\n1,2,,\n3,4,x,\n")
    assert kept.columns == ("a", "b", "column 3")


def test_a_delimiter_that_only_the_records_end_in(desk: Desk) -> None:
    table = desk.table(b"a,b\n1,2,\n3,4,\n")
    assert table.columns == ("a", "b")
    assert desk.rows(table) == [["1", "2"], ["3", "4"]]


DATED = b"id,day,amount,note\n" + b"".join(b"K%d,2025-01-%02d,%d.5,n%d\n" % (n, n, n, n) for n in range(1, 10))


def test_a_record_that_only_nothing_follows_is_read_where_its_numbers_and_days_stand_right(desk: Desk) -> None:
    table = desk.table(DATED + b'K10,2025-01-10,10.5,n10,\nK11,2025-01-11,11.5,,"", \n')
    assert desk.rows(table)[-2:] == [["K10", "2025-01-10", "10.5", "n10"], ["K11", "2025-01-11", "11.5", ""]]
    assert table.rejects == ()


@pytest.mark.parametrize(
    "bad",
    [
        b"K10,,2025-01-10,10.5,",  # a delimiter too many before the day, and no note
        b"K10,2025-01-10,,10.5,",
        b"K10,2025-01-10,10.5,n,more",
        b"K10,2025-01-10,,n,",
    ],
)
def test_a_record_too_long_that_may_be_shifted_is_set_apart(desk: Desk, bad: bytes) -> None:
    table = desk.table(DATED + bad + b"\n")
    assert lines_of_rejects(table) == [11]


def test_two_columns_of_words_at_the_end_may_hide_a_shift(desk: Desk) -> None:
    rows = b"".join(b"2025-01-%02d,%d.5,a%d,b%d\n" % (n, n, n, n) for n in range(1, 10))
    table = desk.table(b"day,amount,one,two\n" + rows + b"2025-01-10,10.5,,b,\n")
    assert lines_of_rejects(table) == [11]


def test_numbers_alone_do_not_show_a_shift(desk: Desk) -> None:
    rows = b"".join(b"%d,%d,x\n" % (n, n + 1) for n in range(1, 10))
    table = desk.table(b"net,tax,note\n" + rows + b"10,11,x,\n")
    assert lines_of_rejects(table) == [11]


def test_a_missing_last_newline_is_noted(desk: Desk) -> None:
    cut = "the last line has no newline: the file may be cut"
    assert cut in desk.table(b"a,b\n1,2\n3,4").notes
    assert cut not in desk.table(b"a,b\n1,2\n3,4\n").notes


def test_a_header_alone_is_a_table_without_rows(desk: Desk) -> None:
    for content in (b"id,name\n", b"id,name"):
        table = desk.table(content)
        assert table.columns == ("id", "name")
        assert table.rows_read == 0
        assert "there is a header but no record" in table.notes


def test_nothing_fits_is_unreadable_only_where_it_is_hopeless(desk: Desk) -> None:
    few = desk.table(b"a,b,c\n" + b"1,2,3,4\n" * 5)
    assert few.rows_read == len(few.rejects) == 5
    with pytest.raises(Unreadable, match="line 2 \\(4 values where the header has 3\\)"):
        desk.table(b"a,b,c\n" + b"1,2,3,4\n" * 60_000)


def test_a_leading_sharp_is_no_comment(desk: Desk) -> None:
    table = desk.table(b"#id,note\n#1,first\n# 2,#x\n3,y\n")
    assert desk.rows(table) == [["#1", "first"], ["# 2", "#x"], ["3", "y"]]


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("id,name\n1,Ann Lee\n2,Bo\n", True),
        ('id,name\r\n1,"Lee,Ann"\r\n2,Bo\r\n', True),
        ("id,name\n1,Ann \n2,Bo\n", False),
        ("id,name\n1, Ann\n2,Bo\n", False),
        ("id,name\n 1,Ann\n2,Bo\n", False),
        ('id,name\n1," Ann"\n2,Bo\n', False),
        ("id,name\n1,Zoë\n2,Bo\n", False),
        ("id,name\n1,A\x07nn\n2,Bo\n", False),
        ("id,name\n1,A\tnn\n2,Bo\n", False),
        ('id,name\n1,"Ann\nLee"\n2,Bo\n', False),
        ("id,name\n1,Ann\n2,Bo,3\n", False),
    ],
)
def test_a_text_is_plain_only_where_nothing_could_be_stripped(desk: Desk, text: str, *, is_plain: bool) -> None:
    assert desk.table(text.encode()).is_plain is is_plain
