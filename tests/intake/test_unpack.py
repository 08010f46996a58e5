"""Exports that come packed, and archives that are no such thing."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from crmaudit.intake import unpack
from crmaudit.intake.discover import survey
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.read import read_packed
from tests.intake.reading import Desk

DEALS = b"id,name\n1,a\n2,b\n"


def taken(desk: Desk, path: Path) -> tuple[list[RawTable], list[Unreadable]]:
    return read_packed(path, desk.exports, desk.con, workdir=desk.workdir)


def archive(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return path


def test_gzip_is_one_export(desk: Desk) -> None:
    path = desk.exports / "deals.csv.gz"
    path.write_bytes(gzip.compress(DEALS))
    (table,), unread = taken(desk, path)
    assert (table.path, unread) == ("deals.csv.gz", [])
    assert desk.rows(table) == [["1", "a"], ["2", "b"]]


def test_gzip_is_known_by_its_bytes(desk: Desk) -> None:
    path = desk.exports / "deals.csv"
    path.write_bytes(gzip.compress(DEALS))
    (table,), _ = taken(desk, path)
    assert desk.rows(table)[1] == ["2", "b"]


def test_an_archive_is_as_many_exports_as_it_holds(desk: Desk) -> None:
    path = archive(
        desk.exports / "all.zip",
        crm__deals_dot_csv=DEALS,
        crm__notes_dot_json=b'[{"id": 7}]',
        README_dot_txt=b"Prose.\nWith no columns at all.\n",
        list_dot_txt=b"id|name\n1|x\n",
        photo_dot_png=b"\x89PNG",
        empty_dot_csv=b"",
    )
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr("__MACOSX/crm/._deals.csv", b"junk")
        packed.writestr("../../outside.csv", DEALS)
    tables, unread = taken(desk, path)
    found = {table.path: desk.rows(table) for table in tables}
    assert found == {
        "all.zip/../../outside.csv": [["1", "a"], ["2", "b"]],
        "all.zip/crm/deals.csv": [["1", "a"], ["2", "b"]],
        "all.zip/crm/notes.json": [["7"]],
        "all.zip/list.txt": [["1", "x"]],
    }
    assert [error.path for error in unread] == ["all.zip/empty.csv"]
    assert not (desk.exports.parent.parent / "outside.csv").exists()
    assert survey(desk.exports).exports == (path,)


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_what_is_cut_yields_nothing(desk: Desk, kept: float) -> None:
    rows = b"id,name\n" + b"".join(b"%d,%x\n" % (n, n * 7919) for n in range(5000))
    packed = gzip.compress(rows)
    path = desk.exports / "deals.csv.gz"
    path.write_bytes(packed[: int(kept * len(packed))])
    tables, (error,) = taken(desk, path)
    assert tables == []
    assert "cut" in error.problem
    path = archive(desk.exports / "deals.zip", deals_dot_csv=rows)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    tables, (error,) = taken(desk, path)
    assert (tables, error.path) == ([], "deals.zip")


def test_a_damaged_member_is_told_and_the_others_are_read(desk: Desk) -> None:
    path = archive(desk.exports / "all.zip", a_dot_csv=DEALS + b"3,%x\n" % (7**99), b_dot_csv=DEALS)
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    (table,), (error,) = taken(desk, path)
    assert (table.path, error.path) == ("all.zip/b.csv", "all.zip/a.csv")


def test_what_swells_beyond_reason_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_SMALL", 1 << 12)
    path = desk.exports / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"id,name\n" + b"0,0\n" * 500_000))
    tables, (error,) = taken(desk, path)
    assert tables == []
    assert "unpacks to more than" in error.problem
    path = archive(desk.exports / "bomb.zip", a_dot_csv=DEALS, b_dot_csv=b"id,name\n" + b"0,0\n" * 500_000)
    (table,), (error,) = taken(desk, path)
    assert (table.path, error.path) == ("bomb.zip/a.csv", "bomb.zip/b.csv")


def test_a_locked_archive_says_so(desk: Desk) -> None:
    path = archive(desk.exports / "locked.zip", deals_dot_csv=DEALS)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    tables, (error,) = taken(desk, path)
    assert tables == []
    assert "password" in error.problem


def test_archives_without_exports_are_left_out(desk: Desk) -> None:
    archive(desk.exports / "photos.zip", one_dot_png=b"\x89PNG", two_dot_pdf=b"%PDF")
    (desk.exports / "backup.tar.gz").write_bytes(gzip.compress(b"x"))
    (desk.exports / "damaged.zip").write_bytes(b"PK\x03\x04 and no more")
    found = survey(desk.exports)
    assert {item.path.name: item.reason for item in found.skipped} == {
        "photos.zip": "an archive without exports",
        "backup.tar.gz": "compressed: unpack it to have it read",
    }
    tables, (error,) = taken(desk, desk.exports / "damaged.zip")
    assert tables == []
    assert "damaged" in error.problem
