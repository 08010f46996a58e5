"""`crmaudit demo`: the example's exports and their audit, without a checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import EXPORTS, crmaudit


def test_the_demo_writes_the_example_and_audits_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    audited: list[tuple[Path, Path]] = []
    monkeypatch.setattr("crmaudit.cli.analyze", lambda exports, out, **_: audited.append((exports, out)))
    (tmp_path / "crmaudit.toml").write_text('currency = "EUR"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert crmaudit("demo").code == 0
    assert audited == [(Path("crmaudit-demo/exports"), Path("crmaudit-demo/audit"))]
    written = {path.name: path.read_bytes() for path in Path("crmaudit-demo/exports").iterdir()}
    assert b'currency = "USD"' in written.pop("crmaudit.toml"), "else the settings of the present folder would count"
    assert written == {path.name: path.read_bytes() for path in EXPORTS.glob("*.csv")}


def test_the_demo_replaces_nothing(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    place.mkdir()
    ran = crmaudit("demo", place)
    assert (ran.code, ran.out) == (2, "")
    assert "exists already" in ran.err
    assert list(place.iterdir()) == []


def test_a_demo_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crmaudit.demo.SETTINGS", None)
    assert crmaudit("demo", tmp_path / "demo").code != 0
    assert not (tmp_path / "demo").exists()
