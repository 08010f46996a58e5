"""Earlier runs' figures, kept by as-of date beside the audit, and what differs between two audits.

It lies outside `audit.json`, which holds nothing that the exports and the as-of date do not determine.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from crmaudit import report
from crmaudit.errors import UsageError

FILE_NAME = "history.json"
SCHEMA_VERSION = 1
MOST_DATES = 520
"""Ten years of weeks."""
LEAST_DATES = 3
"""Two points are a change and no trend."""
DATES_SHOWN = 26
"""Half a year of weeks."""

Number = int | float
Trends = Mapping[str, tuple[tuple[str, Number], ...]]
"""`audit.metric` -> (as-of date, value), the earliest first."""


@dataclass(frozen=True)
class Snapshot:
    """The figures of one run: `audit.metric` -> value, numbers only."""

    as_of: str
    currency: str
    metrics: Mapping[str, Number]


@dataclass(frozen=True)
class Change:
    """One figure in two audits; None where one of them has no answer."""

    audit: str
    title: str
    label: str
    unit: str
    better: Literal["up", "down"] | None
    old: report.Value
    new: report.Value


@dataclass(frozen=True)
class Difference:
    """What differs between two audits, in the order of the newer one."""

    old_as_of: str
    new_as_of: str
    changes: tuple[Change, ...]
    unchanged: int
    appeared: tuple[report.Finding, ...]
    gone: tuple[report.Finding, ...]
    statuses: tuple[tuple[str, str, str], ...]
    """(audit, status before, status now)."""


def snapshot(told: report.Report) -> Snapshot:
    figures = {
        f"{result.id}.{name}": metric.value
        for result in told.audits
        for name, metric in result.metrics.items()
        if isinstance(metric.value, int | float) and not isinstance(metric.value, bool)
    }
    return Snapshot(told.as_of or "", told.currency, figures)


def read(folder: Path) -> tuple[Snapshot, ...]:
    """The snapshots of an audit folder, the earliest first; UsageError where they are there and cannot be read."""
    path = folder / FILE_NAME
    if not path.is_file():
        return ()
    try:
        return _snapshots(path.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); move it away to begin a new history") from error


def _snapshots(text: str) -> tuple[Snapshot, ...]:
    data = json.loads(text)
    if data["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"it is of schema {data['schema_version']}")
    return tuple(Snapshot(**run) for run in data["runs"])


def remember(folder: Path, told: report.Report) -> tuple[Snapshot, ...]:
    """Adds the run to the folder's history, in place of an earlier one as of the same date."""
    now = snapshot(told)
    kept = sorted((*(s for s in read(folder) if s.as_of != now.as_of), now), key=lambda s: s.as_of)[-MOST_DATES:]
    data = {"schema_version": SCHEMA_VERSION, "runs": [asdict(s) for s in kept]}
    (folder / FILE_NAME).write_text(
        json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )
    return tuple(kept)


def trends(snapshots: Iterable[Snapshot]) -> Trends:
    """The figures that at least three dates know and that have moved, in the currency of the last."""
    snapshots = tuple(snapshots)
    alike = [s for s in snapshots if s.currency == snapshots[-1].currency][-DATES_SHOWN:]
    names = alike[-1].metrics if alike else ()
    found = {name: tuple((s.as_of, s.metrics[name]) for s in alike if name in s.metrics) for name in names}
    # A figure that has never moved needs no picture to say so.
    return {n: points for n, points in found.items() if len(points) >= LEAST_DATES and len({v for _, v in points}) > 1}


def difference(old: report.Report, new: report.Report) -> Difference:
    """What differs: figures, findings by their keys, and which questions are answered.

    UsageError where the two count money in different currencies or customers by different grains: nothing compares.
    """
    for what, first, second in (("currency", old.currency, new.currency), ("grain", old.grain, new.grain)):
        if first != second:
            raise UsageError(
                f"the audits do not compare: {what} {first or 'unknown'} before, {second or 'unknown'} now"
            )
    earlier = {result.id: result for result in old.audits}
    changes: list[Change] = []
    unchanged = 0
    for result in new.audits:
        before = earlier[result.id].metrics if result.id in earlier else {}
        names = list(dict.fromkeys([*result.metrics, *before]))
        for name in names:
            rule = result.metrics.get(name) or before[name]
            was, now = (side[name].value if name in side else None for side in (before, result.metrics))
            if was == now:
                unchanged += 1
            else:
                changes.append(Change(result.id, result.title, rule.label, rule.unit, rule.better, was, now))
    was_told, is_told = ({f.key: f for a in side.audits for f in a.findings} for side in (old, new))
    return Difference(
        old_as_of=old.as_of or "",
        new_as_of=new.as_of or "",
        changes=tuple(changes),
        unchanged=unchanged,
        appeared=tuple(f for key, f in is_told.items() if key not in was_told),
        gone=tuple(f for key, f in was_told.items() if key not in is_told),
        statuses=tuple(
            (result.id, earlier[result.id].status, result.status)
            for result in new.audits
            if result.id in earlier and earlier[result.id].status != result.status
        ),
    )


def open_report(place: Path) -> report.Report:
    """The report of an audit folder or an `audit.json`; UsageError where it is none."""
    path = place / "audit.json" if place.is_dir() else place
    try:
        return report.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}); name an audit folder or an audit.json") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no audit.json of this version: {error}") from error
