"""The careful road: each record on its own, by RFC 4180; after a doubtful one it goes on with the next line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from crmaudit.intake import values
from crmaudit.intake.dialect import Dialect, field_pattern, split
from crmaudit.intake.prove import Prover
from crmaudit.intake.raw import VALUE_LENGTH, Reject

LONGEST_RECORD = 1 << 20
LINE_OF_REPORT = "a line of the report, not a record"
DATED_TOTAL = "begins as a total does and has a day as records have: it cannot be told which it is"
_SHORT_RUN = 1 << 11
_BOTH = {"number", "date"}


def shown(raw: bytes) -> str:
    """A doubtful record for the user: its first characters, NULs made visible."""
    return raw[: 4 * VALUE_LENGTH].decode("utf-8", errors="replace").replace("\0", "\u2400")[:VALUE_LENGTH]


@dataclass
class Reading:
    """What one stretch of text came to."""

    size: int = 0
    """Bytes read, whole records."""
    lines: int = 0
    rows: int = 0
    written: list[bytes] = field(default_factory=list)
    """The good records as they are to be written, with their ends of line."""
    is_rewritten: bool = False
    """They are not what the text has."""
    is_in_step: bool = True
    """Good record i, from 0, is on line i of the stretch."""
    is_multiline: bool = False
    rejects: list[Reject] = field(default_factory=list)
    """With `line` counted from the beginning of the stretch, from 0."""
    blanks: int = 0
    is_cut_short: bool = False
    """The last reject goes on past the stretch: skip to the end of its line."""

    def take(self, text: bytes, rows: int, lines: int) -> None:
        """Notes good records that begin on the present line."""
        self.is_in_step = self.is_in_step and self.lines == self.rows and rows == lines
        self.is_multiline = self.is_multiline or rows != lines
        self.written.append(text)
        self.rows += rows


class RecordReader:
    """Reads stretches of one text in one dialect, record by record."""

    def __init__(self, dialect: Dialect, *, valid_utf8: bool, line_per_record: bool) -> None:
        self._dialect = dialect
        self._valid_utf8 = valid_utf8
        self._line_per_record = line_per_record
        self._line_end = b"\r" if dialect.newline == b"\r" else b"\n"
        end = rb"\r" if dialect.newline == b"\r" else rb"\r?\n"
        self._ends = (rb"(?:" + end + rb")", rb"(?:" + end + rb"|\Z)")
        self._one_by_one_until = 0
        self._is_after_blank = False
        self._has_rows = False
        self._is_another_table = False
        delimiter = re.escape(dialect.delimiter)
        self._prover = Prover(dialect, valid_utf8=valid_utf8)
        self._newline = b"\r\n" if dialect.newline == b"\r\n" else b"\n"
        self._strict = self._patterns(delimiter, interior=False, times=rb"{%d}+" % (dialect.width - 1))
        self._lenient = self._patterns(delimiter, interior=True, times=rb"{%d}+" % (dialect.width - 1))
        self._any_width = self._patterns(delimiter, interior=True, times=rb"*+")
        self._blank_lines = re.compile(rb"(?:" + delimiter + rb"*+" + self._ends[0] + rb")++")
        self._run = re.compile(rb"(?:" + self._strict[0].pattern.replace(b"(", b"(?:", 1) + rb")++")

    def _patterns(self, delimiter: bytes, *, interior: bool, times: bytes) -> tuple[re.Pattern[bytes], ...]:
        """One record with its end of line: (inside the text, at its end)."""
        value = field_pattern(self._dialect.delimiter, self._dialect.quote, interior=interior)
        record = rb"(" + value + rb"(?:" + delimiter + value + rb")" + times + rb")"
        return tuple(re.compile(record + end) for end in self._ends)

    @property
    def is_wary(self) -> bool:
        """Whether what follows may be no record of this table however well it is formed: no fast road for it."""
        return self._is_after_blank or self._is_another_table

    def note_rows(self) -> None:
        """Says that records came by on the fast road."""
        self._has_rows = True

    def read(self, window: bytes, limit: int, *, at_end: bool, check_totals: bool) -> Reading:
        """The records of `window` that begin before `limit`.

        The window begins a record and reaches `LONGEST_RECORD` bytes past the limit, or to the end of the text.
        """
        reading = Reading()
        strict = self._strict[at_end]
        position, limit = 0, min(limit, len(window))
        self._one_by_one_until = 0
        while position < limit:
            blank = self._blank_lines.match(window, position)
            if blank is not None:
                lines = window.count(self._line_end, position, blank.end())
                reading.blanks += lines
                reading.lines += lines
                position = blank.end()
                self._is_after_blank = True
                continue
            if not check_totals and position >= self._one_by_one_until and not self.is_wary:
                taken = self._take_run(reading, window, position, limit)
                if taken:
                    position += taken
                    continue
            match = strict.match(window, position)
            if match is not None and match.end() - position <= LONGEST_RECORD:
                raw, end = match.group(1), match.end()
                broken = self._is_broken_by_feed(window, end, at_end=at_end)
                self._accept(reading, raw, raw, check_totals=check_totals, broken=broken)
                reading.is_rewritten |= window[position + len(raw) : end] not in (self._newline, b"")
            else:
                end = self._doubtful(reading, window, position, at_end=at_end, check_totals=check_totals)
            reading.lines += 1 if self._line_per_record else max(1, window.count(self._line_end, position, end))
            position = end
        reading.size = position
        return reading

    def _take_run(self, reading: Reading, window: bytes, position: int, limit: int) -> int:
        """Takes well-formed records from here on at one go, as many as are clean; returns their bytes.

        A run may hold what is well formed and yet to be set aside (the header again, bytes that are not UTF-8): it is
        halved until its beginning is clean, and where that leaves little the records are looked at one by one.
        """
        end = limit
        while end - position > _SHORT_RUN:
            match = self._run.match(window, position, end)
            if match is None:
                return 0
            clean = self._prover.clean(match.group(), at_end=False)
            if clean is not None:
                lines = clean.records if self._line_per_record else clean.lines
                reading.is_multiline |= clean.lines != clean.records
                reading.take(window[position : position + clean.size], clean.records, lines)
                self._has_rows = True
                reading.lines += lines
                return clean.size
            end = position + (match.end() - position) // 2
        self._one_by_one_until = end
        return 0

    def _is_broken_by_feed(self, window: bytes, end: int, *, at_end: bool) -> bool:
        """Whether a record ends in a bare LF among others in CR LF and no record follows: its last value is torn."""
        if self._dialect.newline != b"\r\n" or not window.endswith(b"\n", 0, end) or window.endswith(b"\r\n", 0, end):
            return False
        return end < len(window) and self._strict[at_end].match(window, end) is None

    def _accept(
        self, reading: Reading, raw: bytes, written: bytes, *, check_totals: bool, broken: bool = False
    ) -> None:
        reason, is_record = None, True
        self._is_another_table |= self._is_after_blank and self._begins_a_table(raw)
        self._is_after_blank = False
        if not raw.strip(self._dialect.delimiter):
            reading.blanks += 1
            return
        if raw == self._dialect.header_line:
            reason, is_record = "the header again", False
        elif self._is_another_table:
            reason = "of another table that begins below an empty line: give it a file of its own"
        elif check_totals and (no_record := self._is_no_record(raw)):
            reason, is_record = no_record
        elif broken:
            reason = "ends in LF where others end in CR LF, and what follows is no record"
        elif not self._valid_utf8 and not _is_utf8(raw):
            reason = "holds bytes that are not UTF-8"
        if reason is None:
            lines = 1 if self._line_per_record else 1 + raw.count(self._line_end)
            reading.take(written + self._newline, 1, lines)
            self._has_rows = True
            reading.is_multiline |= b"\n" in raw or b"\r" in raw
            reading.is_rewritten |= written is not raw
        else:
            reading.rejects.append(Reject(reading.lines, None, shown(raw), reason, is_record))

    def _is_no_record(self, raw: bytes) -> tuple[str, bool] | None:
        """Why a line near the end of a text, or among those of a report, is none of its records; whether it may be one.

        What has a day of its own may be the purchase of a customer called Total.
        """
        cells = split(raw, self._dialect.delimiter, self._dialect.quote)
        has_day = any(values.kind(cell) == "date" for cell in cells)
        if values.is_total(cells, report=self._dialect.report):
            return (DATED_TOTAL, True) if has_day else ("a total, not a record", False)
        if self._dialect.report and values.is_heading(cells) and not has_day:
            return "a heading between records, not a record", False
        return None

    def _begins_a_table(self, raw: bytes) -> bool:
        """Whether a record below an empty line is a header: names only, though two columns hold numbers and days."""
        if not self._has_rows or len(self._dialect.typed) < 2 or raw == self._dialect.header_line:
            return False
        cells = split(raw, self._dialect.delimiter, self._dialect.quote)
        return all(values.kind(cell) == "text" for cell in cells) and len(set(cells)) == len(cells)

    def _doubtful(self, reading: Reading, window: bytes, position: int, *, at_end: bool, check_totals: bool) -> int:
        """Deals with a record that is not strictly well formed; returns where the next one begins."""
        lenient = self._lenient[at_end].match(window, position)
        if lenient is not None and lenient.end() - position <= LONGEST_RECORD:
            raw = lenient.group(1)
            cells = split(raw, self._dialect.delimiter, self._dialect.quote)
            self._accept(reading, raw, self._written(cells), check_totals=check_totals)
            return lenient.end()
        # A well-formed record of another width is one record, however many lines it has.
        other = self._any_width[at_end].match(window, position)
        if other is not None and other.end() - position <= LONGEST_RECORD:
            raw, end = other.group(1), other.end()
            if not raw.strip(b" \t" + self._dialect.delimiter):
                reading.blanks += 1
                return end
            cells = split(raw, self._dialect.delimiter, self._dialect.quote)
            if self._is_followed_by_nothing(cells):
                written = self._written(cells[: self._dialect.width])
                self._accept(reading, raw, written, check_totals=check_totals)
                return end
            if self._dialect.report and len(cells) == 1 and not self._is_among_records(window, end):
                reading.rejects.append(Reject(reading.lines, None, shown(raw), LINE_OF_REPORT, is_record=False))
                return end
            reason = self._wrong_width(len(cells))
        else:
            line_end = window.find(self._line_end, position)
            end = line_end + 1 if line_end >= 0 else len(window)
            raw = window[position:end].rstrip(b"\r\n")
            reading.is_cut_short = line_end < 0 and not at_end
            reason = self._malformed(raw)
        reading.rejects.append(Reject(reading.lines, None, shown(raw), reason))
        return end

    def _is_among_records(self, window: bytes, end: int) -> bool:
        """Whether records stand above a line and below it, and no empty line sets it off: then it may be a torn one."""
        return self._has_rows and not self._is_after_blank and self._dialect.delimiter in window[end:]

    def _written(self, cells: Sequence[str]) -> bytes:
        return self._dialect.delimiter.join(b'"' + cell.encode().replace(b'"', b'""') + b'"' for cell in cells)

    def _is_followed_by_nothing(self, cells: tuple[str, ...]) -> bool:
        """Whether a record is too long by empty values alone, and stands in its columns all the same.

        Its numbers and its days must be where the others have theirs: a delimiter too many before them shows in that.
        """
        width, typed = self._dialect.width, self._dialect.typed
        if len(cells) <= width or any(cell.strip() for cell in cells[width:]) or set(typed.values()) != _BOTH:
            return False
        after = cells[max(typed) + 1 : width]
        if len(after) > 1 and any(cell.strip() for cell in after):
            return False
        return all(values.kind(cells[column]) == kind for column, kind in typed.items())

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
