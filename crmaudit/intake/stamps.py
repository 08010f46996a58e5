"""Load stamps: dates that say when a warehouse wrote the rows, and are named like dates of creation."""

from __future__ import annotations

import datetime as dt

from crmaudit.intake.mapping import ENOUGH
from crmaudit.intake.profile import ColumnProfile, Profile

_STAMP_WORDS = frozenset({"created", "inserted", "loaded", "synced", "ingested", "updated", "modified"})
_STAMP_SPAN = dt.timedelta(days=1)
_OTHER_SPAN = dt.timedelta(days=30)
_STAMP_ROWS = 5


def load_stamps(profile: Profile) -> dict[str, str]:
    """Columns named like creation dates that were all written in one go while the file's other dates span months."""
    spans = {c.name: span for c in profile.columns.values() if (span := _span(c)) is not None}
    return {
        name: f"a load stamp: all values lie within {_words(span)}, other dates of the file span months"
        for name, span in spans.items()
        if _STAMP_WORDS & set(profile.columns[name].plain.split())
        and span <= _STAMP_SPAN
        and len(profile.columns[name].values) >= _STAMP_ROWS
        and (len(spans) == 1 or any(other >= _OTHER_SPAN for n, other in spans.items() if n != name))
        and (len(spans) > 1 or _is_instant(profile.columns[name]))
    }


def _span(column: ColumnProfile) -> dt.timedelta | None:
    if column.dates < ENOUGH:
        return None
    try:
        days = [dt.datetime.fromisoformat(v).replace(tzinfo=None) for v in column.values]
    except ValueError:
        return None
    return max(days) - min(days) if days else None


def _is_instant(column: ColumnProfile) -> bool:
    return any(":" in v for v in column.distinct)


def _words(span: dt.timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 1:
        return "a second"
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
