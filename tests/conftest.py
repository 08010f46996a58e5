"""What several test files share: one audit of the example and one of three invoices, each made once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from crmaudit import report
from tests.command import EXPORTS, INVOICES, Ran, crmaudit

# A slow machine makes no test fail.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@dataclass(frozen=True)
class Audited:
    """Exports, the audit folder made of them and what the command said."""

    exports: Path
    folder: Path
    ran: Ran

    @property
    def report(self) -> report.Report:
        return report.from_json((self.folder / "audit.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """The example company, audited with one thread."""
    folder = tmp_path_factory.mktemp("example") / "audit"
    return Audited(EXPORTS, folder, crmaudit("analyze", EXPORTS, "--out", folder, "--threads", 1))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """Three invoices, audited; tests read it and leave it alone."""
    place = tmp_path_factory.mktemp("small")
    exports = place / "exports"
    exports.mkdir()
    (exports / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    return Audited(exports, place / "audit", crmaudit("analyze", exports, "--out", place / "audit"))
