"""links.csv: what a person has decided about records that may be one customer. The next run obeys it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from crmaudit.errors import UsageError

FILE_NAME = "links.csv"
COLUMNS = ("record", "other_record", "verdict")
SAME, APART = "same", "not the same"


@dataclass(frozen=True)
class Verdict:
    """Two records, as review.csv and the table `links` name them, and whether they are one customer."""

    record: str
    other: str
    is_same: bool
    line: int


def is_reviewed(path: Path) -> bool:
    """Whether the file is a list of verdicts, and so no export."""
    if path.name != FILE_NAME:
        return False
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            head = file.readline()
    except OSError:
        return False
    return {"other_record", "verdict"} <= set(_cells(head))


def find(exports: Path, settings: Path | None) -> Path | None:
    """The list among the exports, else beside the settings."""
    if is_reviewed(exports / FILE_NAME):
        return exports / FILE_NAME
    beside = settings.parent / FILE_NAME if settings is not None else None
    return beside if beside is not None and beside.is_file() and beside.parent != exports else None


def read(path: Path) -> tuple[Verdict, ...]:
    """The verdicts; further columns, such as those of review.csv, and rows without a verdict are nobody's harm.

    UsageError names the file and the line that cannot be obeyed, or that contradicts another.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8: {error}") from error
    head = text.partition("\n")[0]
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=_delimiter(head))
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if lacking := [name for name in COLUMNS if name not in names]:
        raise UsageError(f"{path}:1: the columns {', '.join(COLUMNS)} are wanted; {', '.join(lacking)} is not there")
    reader.fieldnames = names
    found = []
    try:
        for row in reader:
            verdict = _verdict(row, f"{path}:{reader.line_num}", reader.line_num)
            if verdict is not None:
                found.append(verdict)
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}") from error
    _check(path, found)
    return tuple(found)


def _verdict(row: Mapping[str | None, str | list[str] | None], place: str, line: int) -> Verdict | None:
    if None in row or None in row.values():
        raise UsageError(f"{place}: the line has not as many cells as the header")
    record, other, word = (str(row[name]).strip() for name in COLUMNS)
    if not word:
        return None
    if word.lower() not in (SAME, APART):
        raise UsageError(f"{place}: a verdict is `{SAME}` or `{APART}`, not {word!r}")
    if not record or not other or record == other:
        raise UsageError(f"{place}: a verdict is about two records, not {record!r} and {other!r}")
    return Verdict(record, other, word.lower() == SAME, line)


def _check(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Refuses verdicts that cannot all hold."""
    verdicts = tuple(verdicts)
    first = {record: min(group) for group in groups(verdicts) for record in group}
    for verdict in verdicts:
        one, other = (first.get(record, record) for record in (verdict.record, verdict.other))
        if not verdict.is_same and one == other:
            raise UsageError(
                f"{path}:{verdict.line}: {verdict.record} and {verdict.other} are the same by other lines of the file"
            )


def groups(verdicts: Iterable[Verdict]) -> list[frozenset[str]]:
    """Records that are one customer, by one verdict or by several in a row."""
    group_of: dict[str, set[str]] = {}
    for verdict in verdicts:
        if verdict.is_same:
            merged = group_of.get(verdict.record, {verdict.record}) | group_of.get(verdict.other, {verdict.other})
            group_of |= dict.fromkeys(merged, merged)
    return sorted({frozenset(group) for group in group_of.values()}, key=min)


def _cells(head: str) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in head.strip().split(_delimiter(head))]


def _delimiter(head: str) -> str:
    """A spreadsheet writes semicolons or tabs where commas are decimal marks."""
    return max(",;\t", key=head.count)
