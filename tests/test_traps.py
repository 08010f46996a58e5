"""docs/traps.md names for each trap a test or a worked case that exists."""

from __future__ import annotations

import re

from tests.cases import read_page
from tests.command import ROOT

ROW = re.compile(r"^\| (?P<trap>[^|]+) \| (?:`(?P<page>\w+)\.md` (?P<case>[^|]+)|`(?P<test>test_\w+)`) \|$")


def test_every_trap_has_its_test() -> None:
    lines = [line for line in (ROOT / "docs" / "traps.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "]
    rows = [ROW.match(line) for line in lines if line != "| trap | test |"]
    assert all(rows), [line for line, row in zip(lines, rows, strict=False) if not row]
    found = [row for row in rows if row]
    assert len({row["trap"] for row in found}) == len(found) > 45
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    absent = [row["test"] for row in found if row["test"] and f"def {row['test']}(" not in written]
    pages = {row["page"]: read_page(ROOT / "tests" / "audits" / f"{row['page']}.md") for row in found if row["page"]}
    cases = {(page, case.title) for page, told in pages.items() for case in told.cases}
    absent += [row["case"] for row in found if row["page"] and (row["page"], row["case"].strip()) not in cases]
    assert absent == []
