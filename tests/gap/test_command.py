"""`crmaudit gap` as its users call it."""

from __future__ import annotations

import importlib.util
import stat
from pathlib import Path

import pytest

from tests.command import INVOICES, crmaudit
from tests.conftest import Audited
from tests.gap.test_brand import PNG


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    place = tmp_path / "exports"
    place.mkdir()
    (place / "<b> invoices.csv").write_text(INVOICES, encoding="utf-8")
    return place


def test_a_branded_report_lies_in_the_audit_folder(exports: Path, small: Audited, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(PNG)
    out = tmp_path / "audit"
    ran = crmaudit(
        *("gap", exports, "--client", "Acme <x>", "--logo", logo, "--accent", "#036", "--prepared-by", "Ines Ott"),
        *("--out", out, "--earlier", small.folder),
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{out / 'gap.html'}\n"
    html = (out / "gap.html").read_text(encoding="utf-8")
    assert "<h1>Acme &lt;x&gt;</h1>" in html
    assert ":root { --accent: #003366; }" in html
    assert 'src="data:image/png;base64,' in html
    assert "Since the audit of 2026-03-05" in html
    assert "&lt;b&gt; invoices.csv" in html
    assert (out / "gap.md").read_text(encoding="utf-8").startswith("# Acme &#60;x&#62;: gap report\n")
    assert (out / "audit.json").is_file()
    assert {stat.S_IMODE((out / name).stat().st_mode) for name in ("gap.html", "gap.md")} == {0o600}
    assert crmaudit("analyze", exports, "--out", out, "--quiet").code == 0, "an audit folder it is still"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "gap wants the folder with the exports and --client NAME"),
        (("--client", "X"), "gap wants the folder with the exports"),
        (("exports", "--client", ""), "gap wants --client NAME"),
        (("exports", "--accent", "yellow"), "--accent takes a colour"),
        (("exports", "--logo", "no.png"), "No such file or directory: no.png"),
        (("exports", "--client", "X", "--accent", "yellow"), "--accent takes a colour"),
        (("exports", "--client", "X", "--logo", "exports/<b> invoices.csv"), "is no PNG, JPEG or SVG"),
        (("exports", "--client", "X", "--logo", "no.png"), "No such file or directory: no.png"),
        (("exports", "--client", "X", "--earlier", "exports"), "exports holds no audit.json"),
        (("exports", "--client", "X", "--templates", "nowhere"), "nowhere: no such folder"),
    ],
)
def test_what_does_not_fit_is_said_before_the_audit_runs(
    arguments: tuple[str, ...], words: str, exports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exports.parent)
    ran = crmaudit("gap", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.said
    assert not ("NAME" in ran.said and "--client" in arguments and arguments[-1])
    assert not (exports.parent / "audit").exists()


def test_templates_to_start_from(exports: Path, tmp_path: Path) -> None:
    place = tmp_path / "mine"
    ran = crmaudit("gap", "--init-templates", place)
    assert ran.code == 0
    assert sorted(Path(line).name for line in ran.out.split()) == [
        "document.css",
        "gap.html.j2",
        "gap.md.j2",
        "gap.toml",
    ]
    again = crmaudit("gap", "--init-templates", place)
    assert again.code == 2
    assert "exists already" in again.err
    (place / "gap.md.j2").write_text("{{ gap.gone }}", encoding="utf-8")
    out = tmp_path / "audit"
    ran = crmaudit("gap", exports, "--client", "X", "--templates", place, "--out", out, "--quiet")
    assert ran.code == 2
    assert "gone" in ran.err
    assert not out.exists(), "whole or not at all"


@pytest.mark.skipif(importlib.util.find_spec("weasyprint") is not None, reason="WeasyPrint is here")
def test_without_the_extra_it_says_what_to_install(exports: Path, tmp_path: Path) -> None:
    ran = crmaudit("gap", exports, "--client", "X", "--out", tmp_path / "audit", "--pdf")
    assert ran.code == 2
    assert "pip install 'crmaudit[pdf]'" in ran.err
    assert not (tmp_path / "audit").exists()


@pytest.mark.skipif(importlib.util.find_spec("weasyprint") is None, reason="WeasyPrint is not installed")
def test_the_pdf_is_tagged_and_loads_nothing(exports: Path, tmp_path: Path) -> None:
    ran = crmaudit("gap", exports, "--client", "X", "--out", tmp_path / "audit", "--pdf", "--quiet")
    assert ran.code == 0
    content = (tmp_path / "audit" / "gap.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/MarkInfo" in content
