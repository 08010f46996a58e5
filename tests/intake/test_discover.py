from __future__ import annotations

import os
from pathlib import Path

import pytest

from crmaudit.errors import InputError
from crmaudit.intake.discover import discover, survey

PROSE = b"These exports were taken on Monday.\nAsk Ann, of sales, for more.\n\nlicence: none, whatever\n"


def test_exports_come_in_order_and_the_rest_is_named(tmp_path: Path) -> None:
    for name in ("b.csv", "A.CSV", "sub/c.xlsx", "sub/d.ndjson", "sub/e.parquet", "f.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "list.txt").write_bytes(b"id|name\n1|a\n2|b\n")
    (tmp_path / "blanks.txt").write_bytes(b" id  amount\n 1   2.50\n 2  13.00\n")
    for name in (
        "README.md",
        "page.html",
        "script.py",
        "paper.pdf",
        ".hidden.csv",
        "~$c.xlsx",
        "packed.csv.bz2",
        "LICENSE",
    ):
        (tmp_path / name).write_text("x")
    (tmp_path / "SOURCE.txt").write_bytes(PROSE)
    found = survey(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in found.exports]
    assert names == ["A.CSV", "b.csv", "blanks.txt", "f.tsv", "list.txt", "sub/c.xlsx", "sub/d.ndjson", "sub/e.parquet"]
    assert discover(tmp_path) == list(found.exports)
    reasons = {item.path.name: item.reason for item in found.skipped}
    assert reasons == {
        "README.md": "no kind of file that holds exports",
        "page.html": "no kind of file that holds exports",
        "script.py": "no kind of file that holds exports",
        "paper.pdf": "no kind of file that holds exports",
        ".hidden.csv": "hidden",
        "~$c.xlsx": "hidden",
        "packed.csv.bz2": "compressed: unpack it to have it read",
        "LICENSE": "a file without an ending",
        "SOURCE.txt": "text without columns",
    }


def test_earlier_audits_are_left_alone(tmp_path: Path) -> None:
    audit = tmp_path / "audit"
    (audit / "inner").mkdir(parents=True)
    for name in ("audit.json", "rejects.csv", "inner/x.csv"):
        (audit / name).write_text("x")
    (tmp_path / "deals.csv").write_text("x")
    (tmp_path / "rejects.csv").write_text("x")
    assert discover(tmp_path) == [tmp_path / "deals.csv", tmp_path / "rejects.csv"]
    assert [(item.path, item.reason) for item in survey(tmp_path).skipped] == [(audit, "an earlier audit")]


def test_an_audit_written_into_the_exports_is_not_read_as_one(tmp_path: Path) -> None:
    for name in ("audit.json", "rejects.csv", "deals.csv"):
        (tmp_path / name).write_text("x")
    assert discover(tmp_path) == [tmp_path / "deals.csv"]


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    reasons = {item.path.name: item.reason for item in survey(tmp_path).skipped}
    assert reasons["pipe.csv"] == "no regular file"
    assert reasons["gone.csv"].startswith("cannot be read")


def test_one_file_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "deals.csv"
    path.write_text("x")
    assert discover(path) == [path]


def test_a_folder_that_is_absent_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        discover(tmp_path / "nowhere")
