"""Texts that quote otherwise than RFC 4180 are read as they were meant, and only those."""

from __future__ import annotations

import pytest

from tests.intake.reading import Desk, lines_of_rejects

BLANKS = b'"id"; "name"; "note"\n"1"; "a ""b""; c"; "d\ne"\n"2"; x; "; ; "\n'
BACKSLASHES = rb'"id","name","note"' + b"\n" + rb'"1","said \"no\", then","C:\\x"' + b"\n" + rb'"2","b",""' + b"\n"


def test_blanks_before_quotes_are_passed_over(desk: Desk) -> None:
    table = desk.table(BLANKS)
    assert table.columns == ("id", "name", "note")
    assert desk.rows(table) == [["1", 'a "b"; c', "d\ne"], ["2", " x", "; ; "]]
    assert "blanks stand between delimiters and quotes" in table.notes


def test_a_header_without_quotes_above_blanks_before_quotes(desk: Desk) -> None:
    table = desk.table(b'id, name\n1, "a, b"\n2, "c"\n')
    assert desk.rows(table) == [["1", "a, b"], ["2", "c"]]


def test_a_faulty_record_among_blanks_is_set_apart_with_its_line(desk: Desk) -> None:
    table = desk.table(b'"id", "name"\n"1", "a\nb"\n"2", "c" d"\n"3", "e"\n')
    assert desk.rows(table) == [["1", "a\nb"], ["3", "e"]]
    assert lines_of_rejects(table) == [4]


@pytest.mark.parametrize(
    "content",
    [
        b'id,name\n1, 6" pipe\n2,x\n',  # a quote that is a sign
        b'id,name\n1,"a"\n2, "b"\n',  # quotes as RFC 4180 has them come first
    ],
)
def test_blanks_are_kept_where_quotes_say_nothing_of_them(desk: Desk, content: bytes) -> None:
    table = desk.table(content)
    assert not any("blanks stand" in note for note in table.notes)


def test_quotes_are_escaped_by_backslashes(desk: Desk) -> None:
    table = desk.table(BACKSLASHES)
    assert desk.rows(table) == [["1", 'said "no", then', "C:\\x"], ["2", "b", ""]]
    assert "quotes within values are escaped by backslashes" in table.notes


def test_a_backslash_before_the_closing_quote_is_a_backslash_where_that_reads(desk: Desk) -> None:
    table = desk.table(b'id,folder,note\n1,"C:\\","x"\n2,"D:\\","y"\n')
    assert desk.rows(table) == [["1", "C:\\", "x"], ["2", "D:\\", "y"]]


@pytest.mark.parametrize("bad", [b'"3","c",""x"\n', b'"3","c"\n', b'"3","c","d","e"\n', b'"3","c","open\n'])
def test_one_record_that_backslashes_do_not_explain_leaves_all_to_the_strict_reading(desk: Desk, bad: bytes) -> None:
    table = desk.table(BACKSLASHES + bad)
    assert desk.rows(table) == [["2", "b", ""]]
    assert lines_of_rejects(table) == [2, 4]
