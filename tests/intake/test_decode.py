from __future__ import annotations

from pathlib import Path

import pytest

from crmaudit.intake.raw import Unreadable
from tests.intake.reading import Desk, lines_of_rejects

RUSSIAN = "id;имя;город\n" + "".join(f"{n};Иванов Иван;Москва и область\n" for n in range(20))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_one_text_in_every_encoding(desk: Desk, encoding: str) -> None:
    text = "id;name;city\n1;Müller;Köln\n2;Søren;Århus\n3;Zoë Ibáñez;A Coruña\n"
    table = desk.table(text.encode(encoding))
    assert table.columns == ("id", "name", "city")
    assert desk.rows(table) == [["1", "Müller", "Köln"], ["2", "Søren", "Århus"], ["3", "Zoë Ibáñez", "A Coruña"]]
    assert bool(table.notes) == (not encoding.startswith("utf-8"))


def test_text_that_is_utf8_is_read_in_place(desk: Desk) -> None:
    table = desk.table("id,name\n1,Müller\n".encode())
    assert str(desk.exports / "export.csv") in table.relation
    assert not list(desk.workdir.iterdir())


def test_cyrillic_is_told_from_western(desk: Desk) -> None:
    table = desk.table(RUSSIAN.encode("cp1251"))
    assert desk.rows(table)[0] == ["0", "Иванов Иван", "Москва и область"]
    assert "WINDOWS-1251" in table.notes[0]


def test_windows_signs_are_kept(desk: Desk) -> None:
    table = desk.table("id;note\n1;“5 €” – that’s it…\n2;café\n".encode("cp1252"))
    assert desk.rows(table) == [["1", "“5 €” – that’s it…"], ["2", "café"]]


def test_a_damaged_byte_costs_its_line_only(desk: Desk) -> None:
    table = desk.table("id,name\n1,Müller\n2,Jörg\n".encode() + b"3,bad\xff\n4,ok\n")
    assert [row[0] for row in desk.rows(table)] == ["1", "2", "4"]
    assert lines_of_rejects(table) == [4]
    assert "UTF-8" in table.rejects[0].reason


def test_a_byte_cp1252_does_not_have_costs_its_line_only(desk: Desk) -> None:
    table = desk.table("id;name\n1;Müller\n2;Jörg\n3;Göthe\n".encode("cp1252") + b"4;what\x81\n")
    assert [row[1] for row in desk.rows(table)] == ["Müller", "Jörg", "Göthe"]
    assert lines_of_rejects(table) == [5]


def test_a_multibyte_character_across_pieces(desk: Desk) -> None:
    body = "".join(f"{n},é{'x' * (n % 7)}€\n" for n in range(150_000))
    table = desk.table(("id,name\n" + body).encode())
    assert table.rows_read == 150_000
    assert not table.rejects


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.csv", b"", "0 bytes"),
        ("a.csv", b" \n\n\t\n", "white space"),
        ("a.csv", b"\xef\xbb\xbf", "white space"),
        ("a.csv", b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "web page"),
        ("a.csv", b"\n <HTML><head>", "web page"),
        ("a.csv", b'<?xml version="1.0"?><rows/>', "XML"),
        ("a.csv", b"\x1f\x8b\x08\0\0", "gzip"),
        ("a.csv", b"PK\x03\x04rest", "ZIP"),
        ("a.csv", b"%PDF-1.7\n", "PDF"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "picture"),
        ("a.csv", bytes(range(256)) * 20, "binary"),
        ("a.xlsx", b"id,name\n1,a\n", "no xlsx file"),
        ("a.parquet", b"id,name\n1,a\n", "no parquet file"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason_and_the_way_out(
    desk: Desk, name: str, content: bytes, problem: str
) -> None:
    with pytest.raises(Unreadable, match=problem) as raised:
        desk.table(content, name)
    assert raised.value.path == name
    assert str(raised.value).startswith(f"{name}: ")
    assert raised.value.way_out


def test_a_file_that_cannot_be_opened_is_unreadable(desk: Desk) -> None:
    with pytest.raises(Unreadable, match="cannot be opened"):
        desk.tables(desk.exports / "gone.csv")


def test_utf16_cut_in_the_middle_of_a_character_says_so(desk: Desk) -> None:
    table = desk.table("id,name\n1,a\n2,b".encode("utf-16")[:-1])
    assert any("cut" in note for note in table.notes)


def test_paths_are_shown_relative_to_the_exports(desk: Desk) -> None:
    folder = desk.exports / "crm"
    folder.mkdir()
    path = Path(folder / "deals.csv")
    path.write_text("id,name\n1,a\n")
    (table,) = desk.tables(path)
    assert table.path == "crm/deals.csv"
