"""Whole analyses of small companies: what they find where nothing is, and where one kind of ticket kills."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crmaudit import report
from crmaudit.analysis import Limits, analyze
from crmaudit.settings import Settings
from examples import company
from tests.test_example import false_alarms, named

ARRIVALS = ("LEADS_A_YEAR", "OLD_CUSTOMERS_A_YEAR", "RENTERS_A_YEAR")


@contextmanager
def _of_size(share: float) -> Iterator[None]:
    """The example company with so large a share of its customers."""
    before = {name: getattr(company, name) for name in ARRIVALS}
    try:
        for name, value in before.items():
            setattr(company, name, share * value)
        yield
    finally:
        for name, value in before.items():
            setattr(company, name, value)


def audited(seed: int, share: float, planted: tuple[str, ...] = ()) -> report.Report:
    """The analysis of one such company with these truths planted, and no others."""
    with tempfile.TemporaryDirectory() as place:
        exports = Path(place) / "exports"
        with _of_size(share):
            company.write(exports, seed=seed, planted=planted)
        return analyze(exports, Path(place) / "audit", Settings(), limits=Limits(threads=1))


def raises_an_alarm(seed: int, share: float = 0.2) -> bool:
    """Whether a company in which nothing happens has a finding of level act that says that something does."""
    return any("/act/" in alarm.partition(":")[0] for alarm in false_alarms(audited(seed, share)))


def names_the_killer(seed: int, audit_id: str, share: float = 1.0) -> tuple[bool, bool]:
    """Whether the kind of ticket that kills is named, and whether another one is."""
    found = named(audited(seed, share, (company.CATEGORY,)), audit_id, company.CATEGORIES)
    return company.HARMFUL_CATEGORY in found, bool(found - {company.HARMFUL_CATEGORY})
