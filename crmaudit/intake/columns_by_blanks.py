"""Text whose columns are set apart by runs of blanks, as printed lists and old statistics packages write it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from crmaudit.intake import values
from crmaudit.intake.decode import Utf8
from crmaudit.intake.dialect import SAMPLE, column_names
from crmaudit.intake.raw import RawTable, Reject
from crmaudit.intake.records import shown
from crmaudit.intake.relation import FIRST_LINE, csv_relation, new_file

SUFFIXES = frozenset({".txt", ".dat", ".prn", ".asc", ".lst", ".out"})


def has_columns(sample: bytes) -> bool:
    """Whether nearly all lines have the same number of words, at least two, and most of these are numbers or dates."""
    lines = [line.split() for line in sample.splitlines()[:1000] if line.strip()]
    if not lines:
        return False
    width, count = Counter(len(line) for line in lines).most_common(1)[0]
    if width < 2 or count < 0.9 * len(lines):
        return False
    body = [line for line in (lines[1:] if len(lines) > 1 else lines) if len(line) == width]
    data = sum(1 for line in body for word in line if values.kind(word.decode("utf-8", "replace")) != "text")
    return data * 2 >= len(body) * width > 0


def starts_with_columns(text: Utf8) -> bool:
    """`has_columns` for the beginning of a text."""
    with text.path.open("rb") as file:
        return has_columns(file.read(SAMPLE)[text.start :])


def read_columns(text: Utf8, name: str, workdir: Path) -> RawTable:
    """Such a text as a table: a record a line, as wide as the first; the others are rejected with their line."""
    header: tuple[str, ...] | None = None
    rejects: list[Reject] = []
    rows, width, first_line, blanks = 0, 0, 1, 0
    exact, last = True, b"\n"
    target = new_file(workdir, "clean-")
    notes = [*text.notes, "columns are set apart by blanks"]
    with (
        text.path.open("rb") as source,
        target.open("wb") as copy,
    ):
        copy.write(FIRST_LINE + b"\n")
        source.seek(text.start)
        for number, line in enumerate(source, 1):
            last = line[-1:]
            words = line.split()
            if not words:
                blanks += 1
                continue
            if not width:
                width = len(words)
                first = tuple(word.decode("utf-8", "replace") for word in words)
                if values.is_data(first, ()):
                    header, first_line = (), number
                    notes.append("the file has no header; its columns are numbered")
                else:
                    header, first_line = first, number + 1
                    continue
            reason = _fault(line, words, width, text)
            if reason is not None:
                rejects.append(Reject(number, None, shown(line.strip()), reason))
                continue
            exact = exact and number == first_line + rows
            rows += 1
            copy.write(b",".join(_as_csv(word) for word in words) + b"\n")
    if blanks:
        notes.append(f"{blanks} empty row{'' if blanks == 1 else 's'} skipped")
    if last != b"\n":
        notes.append("the last line has no newline: the file may be cut")
    columns = column_names(header or (), width)
    return RawTable(
        path=name,
        sheet=None,
        columns=columns,
        relation=csv_relation(target, columns, delimiter=b",", quote=b'"', multiline=False),
        rows_read=rows + len(rejects),
        rejects=tuple(rejects),
        first_line=first_line,
        lines_exact=exact,
        notes=tuple(notes),
    )


def _fault(line: bytes, words: list[bytes], width: int, text: Utf8) -> str | None:
    if b"\0" in line:
        return "holds NUL bytes: the file is damaged or half written"
    if len(words) != width:
        return f"{len(words)} value{'' if len(words) == 1 else 's'} where the header has {width}"
    if not text.valid:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return "holds bytes that are not UTF-8"
    return None


def _as_csv(word: bytes) -> bytes:
    return b'"' + word.replace(b'"', b'""') + b'"' if re.search(rb'[",]', word) else word
