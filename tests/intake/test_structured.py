from __future__ import annotations

import json

import pytest

from crmaudit.intake.raw import Unreadable
from tests.intake.reading import Desk, lines_of_rejects

RECORDS = """[{"id": 1, "name": "Ann"},
 {"id": 2, "name": null, "amount": 12.50},
 {"amount": 1e400, "id": 9007199254740993}]"""
LINES = """{"id": 1, "name": "Ann"}

{"id": 2, "name": null, "amount": 12.50}
{"amount": 1e400, "id": 9007199254740993}
"""


@pytest.mark.parametrize(
    "content",
    [
        RECORDS,
        f'{{"data": {RECORDS}, "total": 3}}',
        f'{{"url": "/v1", "none": [], "tags": ["a"], "records": {RECORDS}}}',
        LINES,
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_shape_yields_the_same_table(desk: Desk, content: str, encoding: str) -> None:
    table = desk.table(content.encode(encoding), "export.json")
    assert table.columns == ("id", "name", "amount")
    assert desk.rows(table) == [["1", "Ann", ""], ["2", "", "12.50"], ["9007199254740993", "", "1e400"]]


def test_nested_objects_become_dotted_columns(desk: Desk) -> None:
    table = desk.table(
        b'[{"id": 1, "a": {"b": {"c": true}, "d": {}}, "e": [1.50, {"f": "x"}], "g": "l1\\nl2 \\"q\\""}]', "x.json"
    )
    assert table.columns == ("id", "a.b.c", "a.d", "e", "g")
    assert desk.rows(table) == [["1", "true", "", '["1.50", {"f": "x"}]', 'l1\nl2 "q"']]


def test_broken_lines_are_rejected_with_their_number(desk: Desk) -> None:
    content = (
        b'{"id": 1}\n{"id": 2\n{"id": 3}\n[4]\n{"id": 5, "id": 6}\n{"id": "a\\u0000b"}\n{"id": "\\ud800"}\n{"id": 7}'
    )
    table = desk.table(content, "x.ndjson")
    assert desk.rows(table) == [["1"], ["3"], ["7"]]
    assert lines_of_rejects(table) == [2, 4, 5, 6, 7]
    assert not table.lines_exact
    assert "the last line has no newline: the file may be cut" in table.notes


def test_a_first_line_that_is_broken(desk: Desk) -> None:
    table = desk.table(b'{"id": oops}\n{"id": 2}\n', "x.ndjson")
    assert desk.rows(table) == [["2"]]
    assert lines_of_rejects(table) == [1]


def test_lines_of_an_array(desk: Desk) -> None:
    table = desk.table(b'[\n{"id": 1},\n"oops",\n{"id": 2}\n]', "x.json")
    assert (table.first_line, lines_of_rejects(table), table.lines_exact) == (2, [3], False)
    assert desk.table(b'[\n{"id": 1},\n{"id": 2}\n]', "x.json").lines_exact


def test_an_export_that_is_not_whole_says_so(desk: Desk) -> None:
    table = desk.table(b'{"object": "list", "data": [{"id": "ch_1"}], "has_more": true}', "x.json")
    assert any("not whole" in note for note in table.notes)


def test_long_arrays_are_read_piece_by_piece(desk: Desk) -> None:
    content = json.dumps([{"id": n, "name": "é" * (n % 50)} for n in range(40_000)], ensure_ascii=False).encode()
    assert len(content) > 2_000_000
    table = desk.table(content, "x.json")
    rows = desk.rows(table)
    assert len(rows) == 40_000
    assert rows[39_999] == ["39999", "é" * 49]


def test_json_saved_as_csv_is_known_by_its_bytes(desk: Desk) -> None:
    assert desk.rows(desk.table(b'[{"id": 1}]')) == [["1"]]
    with pytest.raises(Unreadable, match="rate limited"):
        desk.table(b'{"error":"rate limited"}')


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[]", "no records"),
        (b"[1, 2]", "no records"),
        (b"{}", "no records"),
        (b'{"a": 1}\n', None),
        (b'{"a": {"b": 1},\n "c": 2}', "without a list"),
        (b'{"a": [{"x": 1}], "b": [{"y": 1}]}', "two lists"),
        (b'[{"id": 1}, {"id": 2}, {"id"', "broken, or cut"),
        (b'[{"id": 1}, {"id": 2}', "broken, or cut"),
        (b'[{"id": 1} {"id": 2}]', "in place of a comma"),
        (b'[{"id": 1}] more', "something follows"),
        (b'{"data": [{"id": 1}]', "broken, or cut"),
        (b'[{"id": 1, "id": 2}]', "twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": 1}\n{"id": "\xff"}\n', "not valid UTF-8"),
    ],
)
def test_what_is_no_list_of_records(desk: Desk, content: bytes, problem: str | None) -> None:
    if problem is None:
        assert desk.rows(desk.table(content, "x.json")) == [["1"]]
        return
    with pytest.raises(Unreadable, match=problem):
        desk.table(content, "x.json")
