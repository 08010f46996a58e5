"""Every worked case of every audit, and the rules that every audit's file keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmaudit.analysis import audits_of
from crmaudit.audits import read_models
from crmaudit.needs import models_read
from crmaudit.resources import folder
from tests.cases import Case, Page, faults, read_page

PAGES = {path.stem: read_page(path) for path in sorted((Path(__file__).parent / "audits").glob("*.md"))}
AUDITS = {audit.id: audit for audit in audits_of()}
MODELS = read_models(folder("queries") / "model")
READ = {id_: models_read((audit,), MODELS) for id_, audit in AUDITS.items()}

CASES = [
    pytest.param(page.audit, case, id=f"{page.audit}: {case.title}") for page in PAGES.values() for case in page.cases
]


@pytest.mark.parametrize(("audit", "case"), CASES)
def test_case(audit: str, case: Case, tmp_path: Path) -> None:
    assert faults(case, AUDITS[audit], READ[audit], tmp_path) == []


def test_every_audit_has_a_page_and_every_page_an_audit() -> None:
    assert PAGES.keys() == AUDITS.keys()


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_page_says_what_is_asked_and_why(page: Page) -> None:
    assert PAGES[page.audit] is page
    assert len(page.text) > 100
    assert page.cases
