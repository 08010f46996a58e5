from __future__ import annotations

import importlib.util
import re
import struct
from pathlib import Path

import pytest

from tests.command import crmaudit
from tests.conftest import Audited
from tests.outputs.workbook import read


@pytest.fixture(scope="module")
def everything(small: Audited, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three invoices with all formats that need no extra."""
    folder = tmp_path_factory.mktemp("everything") / "audit"
    assert small.ran.code == 0, small.ran.said
    ran = crmaudit("analyze", small.exports, "--out", folder, "--format", "xlsx", "--format", "png", "--quiet")
    assert ran.code == 0, ran.said
    return folder


def test_formats_stand_beside_the_report_for_their_owner_alone(everything: Path, small: Audited) -> None:
    names = {path.name for path in everything.iterdir()}
    assert names == {path.name for path in small.folder.iterdir()} | {"audit.xlsx", "charts"}
    assert {oct(path.stat().st_mode & 0o777) for path in everything.rglob("*") if path.is_file()} == {"0o600"}
    assert (everything / "audit.json").read_bytes() == (small.folder / "audit.json").read_bytes()


def test_markdown_shows_the_pictures_that_are_there(everything: Path, small: Audited) -> None:
    shown = re.findall(r"\]\((charts/[a-z0-9-]+\.png)\)", (everything / "report.md").read_text(encoding="utf-8"))
    assert shown
    assert {everything / name for name in shown} == set((everything / "charts").iterdir())
    for name in shown:
        head = (everything / name).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert 300 < struct.unpack(">I", head[16:20])[0] <= 1280
    assert "](charts/" not in (small.folder / "report.md").read_text(encoding="utf-8")


def test_the_workbook_has_the_tables_of_the_database_in_full(everything: Path, small: Audited) -> None:
    book = read(everything / "audit.xlsx")
    for audit in small.report.audits:
        if audit.tables:
            table = audit.tables[0]
            rows = {int(ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for ref in book[audit.id].cells}
            assert max(rows) == 3 + table.rows_total, audit.id


def test_a_format_that_is_none_of_ours_is_refused(small: Audited, tmp_path: Path) -> None:
    assert small.ran.code == 0, small.ran.said
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--format", "docx")
    assert (ran.code, ran.out) == (2, "")
    assert "--format takes xlsx, pdf, png, not 'docx'" in ran.err


def test_a_missing_extra_is_told_before_any_work(
    small: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert small.ran.code == 0, small.ran.said
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--format", "pdf")
    assert ran.code == 2
    assert "pip install 'crmaudit[pdf]'" in ran.err
    assert not (tmp_path / "audit").exists()
