"""The careful road: each record on its own, by RFC 4180; after a doubtful one the reading goes on with the next line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from crmaudit.intake import values
from crmaudit.intake.dialect import Dialect, field_pattern, split
from crmaudit.intake.raw import VALUE_LENGTH, Reject

LONGEST_RECORD = 1 << 20


def shown(raw: bytes) -> str:
    """A doubtful record for the user: its first characters, NULs made visible."""
    return raw[: 4 * VALUE_LENGTH].decode("utf-8", errors="replace").replace("\0", "\u2400")[:VALUE_LENGTH]


@dataclass
class Reading:
    """What one stretch of text came to."""

    size: int = 0
    """Bytes read, whole records."""
    lines: int = 0
    records: list[bytes] = field(default_factory=list)
    """The good ones, without their ends of line, as they are to be written."""
    places: list[int] = field(default_factory=list)
    """Lines they begin on, counted from the beginning of the stretch (0)."""
    rejects: list[Reject] = field(default_factory=list)
    """With `line` counted likewise."""
    blanks: int = 0
    is_cut_short: bool = False
    """The last reject goes on past the stretch: skip to the end of its line."""


class RecordReader:
    """Reads stretches of one text in one dialect, record by record."""

    def __init__(self, dialect: Dialect, *, valid_utf8: bool, line_per_record: bool) -> None:
        self._dialect = dialect
        self._valid_utf8 = valid_utf8
        self._line_per_record = line_per_record
        self._line_end = b"\r" if dialect.newline == b"\r" else b"\n"
        end = rb"\r" if dialect.newline == b"\r" else rb"\r?\n"
        self._ends = (rb"(?:" + end + rb")", rb"(?:" + end + rb"|\Z)")
        delimiter = re.escape(dialect.delimiter)
        self._strict = self._patterns(delimiter, interior=False, times=rb"{%d}+" % (dialect.width - 1))
        self._lenient = self._patterns(delimiter, interior=True, times=rb"{%d}+" % (dialect.width - 1))
        self._any_width = self._patterns(delimiter, interior=True, times=rb"*+")

    def _patterns(self, delimiter: bytes, *, interior: bool, times: bytes) -> tuple[re.Pattern[bytes], ...]:
        """One record with its end of line: (inside the text, at its end)."""
        value = field_pattern(self._dialect.delimiter, self._dialect.quote, interior=interior)
        record = rb"(" + value + rb"(?:" + delimiter + value + rb")" + times + rb")"
        return tuple(re.compile(record + end) for end in self._ends)

    def read(self, window: bytes, limit: int, *, at_end: bool, check_totals: bool) -> Reading:
        """The records of `window` that begin before `limit`.

        The window begins a record and reaches `LONGEST_RECORD` bytes past the limit, or to the end of the text.
        """
        reading = Reading()
        strict = self._strict[at_end]
        position = 0
        while position < min(limit, len(window)):
            match = strict.match(window, position)
            if match is not None and match.end() - position <= LONGEST_RECORD:
                raw = match.group(1)
                self._accept(reading, raw, raw, check_totals=check_totals)
                end = match.end()
            else:
                end = self._doubtful(reading, window, position, at_end=at_end, check_totals=check_totals)
            reading.lines += 1 if self._line_per_record else max(1, window.count(self._line_end, position, end))
            position = end
        reading.size = position
        return reading

    def _accept(self, reading: Reading, raw: bytes, written: bytes, *, check_totals: bool) -> None:
        reason = None
        if not raw.strip(b" \t" + self._dialect.delimiter):
            reading.blanks += 1
            return
        if raw == self._dialect.header_line:
            reason = "the header again"
        elif not self._valid_utf8 and not _is_utf8(raw):
            reason = "holds bytes that are not UTF-8"
        elif check_totals:
            cells = split(raw, self._dialect.delimiter, self._dialect.quote)
            if values.is_total(cells, report=self._dialect.report):
                reason = "a total, not a record"
            elif self._dialect.report and values.is_heading(cells):
                reason = "a heading between records, not a record"
        if reason is None:
            reading.records.append(written)
            reading.places.append(reading.lines)
        else:
            reading.rejects.append(Reject(reading.lines, None, shown(raw), reason))

    def _doubtful(self, reading: Reading, window: bytes, position: int, *, at_end: bool, check_totals: bool) -> int:
        """Deals with a record that is not strictly well formed; returns where the next one begins."""
        lenient = self._lenient[at_end].match(window, position)
        if lenient is not None and lenient.end() - position <= LONGEST_RECORD:
            raw = lenient.group(1)
            cells = split(raw, self._dialect.delimiter, self._dialect.quote)
            written = self._dialect.delimiter.join(b'"' + c.encode().replace(b'"', b'""') + b'"' for c in cells)
            self._accept(reading, raw, written, check_totals=check_totals)
            return lenient.end()
        # A well-formed record of another width is one record, however many lines it has.
        other = self._any_width[at_end].match(window, position)
        if other is not None and other.end() - position <= LONGEST_RECORD:
            raw, end = other.group(1), other.end()
            if not raw.strip(b" \t" + self._dialect.delimiter):
                reading.blanks += 1
                return end
            width = len(split(raw, self._dialect.delimiter, self._dialect.quote))
            reason = self._wrong_width(width)
        else:
            line_end = window.find(self._line_end, position)
            end = line_end + 1 if line_end >= 0 else len(window)
            raw = window[position:end].rstrip(b"\r\n")
            reading.is_cut_short = line_end < 0 and not at_end
            reason = self._malformed(raw)
        reading.rejects.append(Reject(reading.lines, None, shown(raw), reason))
        return end

    def _wrong_width(self, width: int) -> str:
        expected = self._dialect.width
        return f"{width} value{'' if width == 1 else 's'} where the header has {expected}"

    def _malformed(self, raw: bytes) -> str:
        if b"\0" in raw:
            return "holds NUL bytes: the file is damaged or half written"
        if len(raw) >= LONGEST_RECORD:
            return "longer than 1 MiB without an end"
        if b"\r" in raw and self._dialect.newline != b"\r":
            return "a carriage return inside the record"
        if raw.count(b'"') % 2:
            return "a quote is opened and not closed, or closed and not opened"
        return "a quote where none may stand"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
