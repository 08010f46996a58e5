"""Texts that quote otherwise than RFC 4180: blanks before the quote, or a backslash before a quote within a value.

Both are written anew as RFC 4180 has it, record by record, so that the lines stay where they are. A text is taken for
such a one only where RFC 4180 has no reading for it.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from crmaudit.intake.decode import Utf8
from crmaudit.intake.dialect import DELIMITERS
from crmaudit.intake.relation import new_file

_HEAD = 1 << 16
_END = re.compile(rb"\r?\n|\r")
_QUOTED = rb'"[^"\0]*+(?:""[^"\0]*+)*+"'
_SPACED = rb" *+" + _QUOTED
_ESCAPED = rb'"(?:[^"\\\0]++|\\[^\0])*+"'


def respelt(text: Utf8, workdir: Path) -> Utf8:
    """The text with its values quoted by RFC 4180: a copy where it is spelt otherwise, else the text itself."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        head = file.read(_HEAD)
    for delimiter in DELIMITERS:
        if _has_blanks_before_quotes(head, delimiter):
            note = "blanks stand between delimiters and quotes"
            return _copied(text, _without_blanks(text, workdir, delimiter), note)
        if b'\\"' in head:
            copy = _without_backslashes(text, workdir, delimiter)
            if copy is not None:
                return _copied(text, copy, "quotes within values are escaped by backslashes")
    return text


def _copied(text: Utf8, copy: Path, note: str) -> Utf8:
    return replace(text, path=copy, start=0, notes=(*text.notes, note))


def _record(value: bytes, delimiter: bytes) -> re.Pattern[bytes]:
    """A record of at least two such values, up to the end of its last line."""
    value = rb"(?:" + value + rb"|[^\"\r\n\0" + re.escape(delimiter) + rb"]*+)"
    return re.compile(value + rb"(?:" + re.escape(delimiter) + value + rb")++(?=[\r\n]|\Z)")


def _has_blanks_before_quotes(head: bytes, delimiter: bytes) -> bool:
    """Whether the first line with a quote is a record only where blanks before quotes are passed over."""
    line = next((line for line in re.split(rb"[\r\n]+", head) if b'"' in line), b"")
    has_blank = re.search(re.escape(delimiter) + rb' +"', line) is not None
    return has_blank and delimiter + b'"' not in line and _record(_SPACED, delimiter).fullmatch(line) is not None


def _without_blanks(text: Utf8, workdir: Path, delimiter: bytes) -> Path:
    """A copy without the blanks before quotes; a line that is no record of that spelling stays as it is."""
    record = _record(_SPACED, delimiter)
    value = re.compile(rb"(" + re.escape(delimiter) + rb") +(?=\")|" + _QUOTED)
    copy = new_file(workdir, "quotes-")
    with _mapped(text.path) as whole, copy.open("wb") as out:
        position = text.start
        while position < len(whole):
            found = record.match(whole, position)
            if found is not None:
                out.write(value.sub(lambda match: match[1] or match[0], found.group()))
                position = found.end()
            end = _end_of_line(whole, position)
            out.write(whole[position:end])
            position = end
    return copy


def _without_backslashes(text: Utf8, workdir: Path, delimiter: bytes) -> Path | None:
    """A copy with quotes doubled, where every record is as wide as the first and RFC 4180 cannot read some of them."""
    record, by_rfc = _record(_ESCAPED, delimiter), _record(_QUOTED, delimiter)
    value = re.compile(_ESCAPED)
    width = 0
    is_needed = False
    copy = new_file(workdir, "quotes-")
    with _mapped(text.path) as whole, copy.open("wb") as out:
        position = text.start
        while position < len(whole):
            found = record.match(whole, position)
            if found is not None:
                width = width or _width(found.group(), delimiter)
                if _width(found.group(), delimiter) != width:
                    return None
                is_needed |= by_rfc.fullmatch(found.group()) is None
                out.write(value.sub(_doubled, found.group()))
                position = found.end()
            end = _end_of_line(whole, position)
            if found is None and whole[position:end].strip():
                return None
            out.write(whole[position:end])
            position = end
    return copy if is_needed else None


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        yield whole


def _end_of_line(whole: mmap.mmap, position: int) -> int:
    found = _END.search(whole, position)
    return found.end() if found else len(whole)


def _width(record: bytes, delimiter: bytes) -> int:
    return re.sub(_ESCAPED, b"", record).count(delimiter) + 1


def _doubled(value: re.Match[bytes]) -> bytes:
    inside = re.sub(rb'\\(["\\])', rb"\1", value[0][1:-1])
    return b'"' + inside.replace(b'"', b'""') + b'"'
