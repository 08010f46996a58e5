"""What of the exports is missing in the audit, told at the top of the report: files unread, left out, rows rejected."""

from __future__ import annotations

from collections.abc import Iterable

from crmaudit import report
from crmaudit.intake.load import LoadedSource
from crmaudit.intake.raw import Unreadable


def losses(sources: Iterable[report.Source], unread: Iterable[Unreadable]) -> Iterable[report.Finding]:
    """What must stand at the top: files that could not be read, and files that lost more than 1 % of their rows."""
    for error in unread:
        yield report.Finding(
            f"sources/act/{error.path}", "act", f"{error.path} could not be read: {error.problem} {error.way_out}"
        )
    for source in sources:
        if source.entity is not None and source.rows_rejected * 100 > source.rows_read:
            name = source.path + (f" ({source.sheet})" if source.sheet else "")
            text = f"{name}: {source.rows_rejected:,} of {source.rows_read:,} rows were rejected; rejects.csv says why."
            yield report.Finding(f"sources/act/{name}", "act", text)


def questions(sources: Iterable[LoadedSource]) -> Iterable[report.Finding]:
    """Files that are left out because more than one kind of record fits them."""
    for source in (s.source for s in sources if s.recognition.is_ambiguous):
        name = source.path + (f" ({source.sheet})" if source.sheet else "")
        reason = source.exclusions[0].reason.partition("not used: ")[2] if source.exclusions else "It has no rows."
        text = f"{name}: {source.rows_read:,} rows were left out. {reason}"
        yield report.Finding(f"sources/act/{name}", "act", text)


def unread_source(error: Unreadable) -> report.Source:
    """The account of a file that could not be read."""
    return report.Source(
        path=error.path,
        sheet=None,
        system="unknown",
        entity=None,
        rows_read=0,
        rows_loaded=0,
        rows_rejected=0,
        rows_excluded=0,
        notes=(f"{error.problem} {error.way_out}",),
    )
