"""Whole analyses of small companies: what they find where nothing is, and whether they find what is planted."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from crmaudit import renderings, report
from crmaudit.analysis import Limits, analyze
from crmaudit.settings import Settings
from examples import company
from tests.test_example import false_alarms, named

ARRIVALS = ("LEADS_A_YEAR", "OLD_CUSTOMERS_A_YEAR", "RENTERS_A_YEAR")

PLANTED: Mapping[str, tuple[dict[str, Any], str]] = {
    "service_and_loss": (company.CATEGORIES, company.HARMFUL_CATEGORY),
    "journey_end": (company.CATEGORIES, company.HARMFUL_CATEGORY),
    "win_loss_by_competitor": (company.COMPETITORS, company.RISING),
    "time_to_convert": (company.ORIGINS, company.SLOW_ORIGIN),
    "repurchase_rhythm": (company.SEGMENTS, company.SLOWING_SEGMENT),
}
"""By audit what it may name, and what of that is true."""


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


def audited(seed: int, share: float, planted: Iterable[str] = ()) -> report.Report:
    """The analysis of one such company with these truths planted, and no others."""
    with tempfile.TemporaryDirectory() as place:
        exports = Path(place) / "exports"
        with _of_size(share):
            company.write(exports, seed=seed, planted=planted)
        # Nobody reads the files, and to write them takes a third of the time.
        with mock.patch.object(renderings, "write"):
            return analyze(exports, Path(place) / "audit", Settings(), limits=Limits(threads=1))


def raises_an_alarm(seed: int, share: float = 0.2) -> bool:
    """Whether a company in which nothing happens has a finding of level act that says that something does."""
    return any("/act/" in alarm.partition(":")[0] for alarm in false_alarms(audited(seed, share)))


def names_what_is_planted(seed: int, share: float = 1.0) -> dict[str, tuple[bool, float]]:
    """By audit, of a company with all truths planted: whether it names the true one, and others' share of those named."""
    found = audited(seed, share, company.TRUTHS)
    told = {}
    for audit_id, (names, truth) in PLANTED.items():
        those = named(found, audit_id, names)
        told[audit_id] = truth in those, len(those - {truth}) / max(len(those), 1)
    return told
