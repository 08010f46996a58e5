"""The same data in another dress (format, encoding, country) gives the same answers, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import crmaudit
from tests.conftest import Audited
from tests.dresses import DRESSES, EVERY_DAY, exports
from tests.test_example import differences

RARE = [pytest.param(name, marks=pytest.mark.full) for name in list(DRESSES)[EVERY_DAY:]]


@pytest.mark.parametrize("dress", [*list(DRESSES)[:EVERY_DAY], *RARE])
def test_the_same_answers_in_another_dress(dress: str, example: Audited, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    DRESSES[dress](folder)
    ran = crmaudit("analyze", folder, "--out", tmp_path / "audit", "--threads", 1, "-q")
    assert (ran.code, ran.err) == (0, "")
    plain, dressed = (
        json.loads((place / "audit.json").read_text(encoding="utf-8")) for place in (example.folder, tmp_path / "audit")
    )
    counts = [sorted((s["entity"], s["rows_read"], s["rows_loaded"]) for s in r["sources"]) for r in (plain, dressed)]
    assert counts[0] == counts[1]
    for part in ("audits", "summary"):
        changed = differences(plain[part], dressed[part], part)
        assert not changed, "\n".join(changed[:20])
        assert plain[part] == dressed[part]


def test_there_is_something_to_dress() -> None:
    """Days, amounts and letters beyond ASCII, without which a dress would hide nothing."""
    invoices = exports()["billing_invoices"]
    assert len(exports()) == 16
    assert any(row["issue_date"][8:] > "12" for row in invoices)
    assert any(float(row["net_amount"]) >= 1000 for row in invoices)
    assert any(float(row["net_amount"]) < 0 for row in invoices)
    assert any("é" in row["customer_name"] for row in invoices)
