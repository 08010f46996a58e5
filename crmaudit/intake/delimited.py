"""Delimited text: a dialect is proposed from the beginning and proven on the whole; what does not fit is set apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import duckdb

from crmaudit.intake import other_quotes
from crmaudit.intake.decode import Utf8
from crmaudit.intake.dialect import SAMPLE, Dialect, column_names, newline_of, propose
from crmaudit.intake.prove import BLOCK, Prover
from crmaudit.intake.raw import RawTable, Reject, Unreadable
from crmaudit.intake.records import LONGEST_RECORD, Reading, RecordReader
from crmaudit.intake.relation import FIRST_LINE, csv_relation, identifier, new_file
from crmaudit.intake.respell import respelt
from crmaudit.intake.values import is_total

_SMALL_BLOCK = 1 << 17
_CAREFUL_STRETCH = 1 << 20
_TAIL = 1 << 14
_MOST_REJECTS = 1_000_000
_HOPELESS = 10_000
_MOST_COLUMNS = 16_384


@dataclass
class _Proven:
    """What the whole of a text came to."""

    rows: int = 0
    lines: int = 0
    rejects: list[Reject] = field(default_factory=list)
    blanks: int = 0
    exact: bool = True
    multiline: bool = False
    plain: bool = False
    copy: Path | None = None
    """The good records on their own, where the text as it is holds others."""


def read_delimited(
    text: Utf8,
    name: str,
    con: duckdb.DuckDBPyConnection,
    workdir: Path,
    *,
    sheet: str | None = None,
    delimiter: bytes | None = None,
    header: tuple[str, ...] | None = None,
    line_per_record: bool = False,
) -> RawTable:
    """One delimited text as a table.

    Args:
        text: where it is, as UTF-8.
        name: its path to show.
        delimiter: where it is known; else it is found.
        header: the names of the columns where they are known; the text then holds records only.
        line_per_record: count records rather than lines, as in a sheet.
    """
    if header is None and delimiter is None and (swapped := other_quotes.swapped(text, workdir)) is not None:
        return other_quotes.swapped_back(read_delimited(swapped, name, con, workdir))
    if header is None and delimiter is None:
        text = respelt(text, workdir)
    if header is not None and delimiter is not None:
        dialect = Dialect(delimiter, b'"', b"\n", header, None, len(header), text.start, 1, 0, False, ())
    else:
        dialect = _propose(text, name, delimiter)
    if dialect.width > _MOST_COLUMNS:
        raise Unreadable(name, f"has {dialect.width} columns in its first line.", "Check that it is a table.")
    proven = _Pass(text, dialect, name, workdir, line_per_record=line_per_record).run()
    columns = column_names(dialect.header, dialect.width)
    skip = 1 if proven.copy is not None else dialect.skip or 0
    relation = csv_relation(
        proven.copy or text.path,
        columns,
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        skip=skip,
        multiline=proven.multiline,
    )
    columns, relation, dropped = _without_empty_columns(con, columns, relation, dialect)
    notes = [*text.notes, *dialect.notes, *dropped]
    if proven.blanks:
        notes.append(f"{proven.blanks} empty row{'' if proven.blanks == 1 else 's'} skipped")
    if not proven.rows and not proven.rejects:
        notes.append("there is a header but no record")
    if sheet is None and header is None and _lacks_last_newline(text.path):
        notes.append("the last line has no newline: the file may be cut")
    return RawTable(
        path=name,
        sheet=sheet,
        columns=columns,
        relation=relation,
        rows_read=proven.rows + len(proven.rejects),
        rejects=tuple(proven.rejects),
        first_line=dialect.first_line,
        lines_exact=proven.exact,
        is_plain=proven.plain,
        notes=tuple(notes),
    )


def _propose(text: Utf8, name: str, delimiter: bytes | None) -> Dialect:
    with text.path.open("rb") as file:
        sample = file.read(SAMPLE)
        if file.read(1):
            newline = newline_of(sample)
            sample = sample[: sample.rfind(newline) + len(newline)] or sample

    def quotes(candidate: bytes) -> bool:
        return _quotes_values(text.path, candidate)

    try:
        return propose(sample, text.start, quotes, delimiter=delimiter)
    except ValueError as error:
        raise Unreadable(name, f"holds {error}.", "Export it again.") from error


def _quotes_values(path: Path, delimiter: bytes) -> bool:
    """Whether any value of the text begins with a quote."""
    borders = tuple(before + b'"' for before in (delimiter, b"\n", b"\r"))
    with path.open("rb") as file:
        before = b"\n"
        while block := file.read(BLOCK):
            if b'"' in block:
                joined = before + block.removeprefix(b"\xef\xbb\xbf")
                if any(border in joined for border in borders):
                    return True
            before = block[-1:]
    return False


def _lacks_last_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) not in b"\r\n"


class _Pass:
    """One pass over a text: clean blocks go by, the others record by record; copies only when something is left out."""

    def __init__(self, text: Utf8, dialect: Dialect, name: str, workdir: Path, *, line_per_record: bool) -> None:
        self._dialect = dialect
        self._name = name
        self._workdir = workdir
        self._source = text.path.open("rb")
        self._size = text.path.stat().st_size
        self._prover = Prover(dialect, valid_utf8=text.valid)
        self._reader = RecordReader(dialect, valid_utf8=text.valid, line_per_record=line_per_record)
        self._line_per_record = line_per_record
        self._position = dialect.data_offset
        self._copy: IO[bytes] | None = None
        self._is_all_proven = True
        self._proven = _Proven()
        self._newline = b"\r\n" if dialect.newline == b"\r\n" else b"\n"
        self._careful_from = dialect.data_offset if dialect.report else self._first_total()

    def run(self) -> _Proven:
        """Reads to the end; Unreadable where next to nothing fits."""
        try:
            if self._dialect.skip is None:
                self._start_copy()
            step = BLOCK
            while self._position < self._size:
                if self._prove(step):
                    step = min(2 * step, BLOCK)
                elif step > _SMALL_BLOCK:
                    step = _SMALL_BLOCK
                else:
                    self._read_carefully()
            if self._proven.multiline and not self._dialect.skip and self._copy is None:
                self._start_copy()
            self._proven.plain = self._is_all_proven and self._prover.is_plain
        finally:
            self._source.close()
            if self._copy is not None:
                self._copy.close()
        return self._proven

    def _at(self, position: int, size: int) -> bytes:
        self._source.seek(position)
        return self._source.read(size)

    def _prove(self, step: int) -> bool:
        until = min(self._position + step, self._careful_from)
        if until <= self._position or self._reader.is_wary:
            return False
        block = self._at(self._position, until - self._position)
        clean = self._prover.clean(block, at_end=until >= self._size)
        if clean is None:
            return False
        if self._copy is not None:
            self._copy.write(block[: clean.size])
            if not block[: clean.size].endswith(self._newline):
                self._copy.write(self._newline)
        lines = clean.records if self._line_per_record else clean.lines
        self._reader.note_rows()
        self._count(clean.records, lines, in_step=lines == clean.records)
        self._proven.multiline |= clean.lines != clean.records
        self._proven.lines += lines
        self._position += clean.size
        return True

    def _count(self, records: int, lines: int, *, in_step: bool) -> None:
        """Keeps `exact`: record i is on line i, of all records so far."""
        del lines
        if records and (not in_step or self._proven.lines != self._proven.rows):
            self._proven.exact = False
        self._proven.rows += records

    def _read_carefully(self) -> None:
        self._is_all_proven = False
        window = self._at(self._position, _CAREFUL_STRETCH + LONGEST_RECORD)
        at_end = self._position + len(window) >= self._size
        limit = _CAREFUL_STRETCH
        check_totals = self._position >= self._careful_from
        if not check_totals:
            # Small steps, so that the fast road is taken again as soon as it can be.
            limit = min(_SMALL_BLOCK, self._careful_from - self._position)
        reading = self._reader.read(window, limit, at_end=at_end, check_totals=check_totals)
        if self._copy is None and (reading.rejects or reading.blanks or reading.is_rewritten):
            self._start_copy()
        if self._copy is not None:
            self._copy.writelines(reading.written)
        self._take(reading)
        self._position += reading.size
        if reading.is_cut_short:
            self._skip_line()
        self._give_up_when_hopeless()

    def _take(self, reading: Reading) -> None:
        proven = self._proven
        start = proven.lines
        if reading.rows and not (reading.is_in_step and start == proven.rows):
            proven.exact = False
        proven.rows += reading.rows
        proven.lines += reading.lines
        proven.blanks += reading.blanks
        proven.multiline |= reading.is_multiline
        first = self._dialect.first_line
        proven.rejects.extend(replace(reject, line=first + start + reject.line) for reject in reading.rejects)

    def _skip_line(self) -> None:
        """Passes over the rest of a line that is longer than any record."""
        line_end = self._dialect.newline[-1:]
        while block := self._at(self._position, BLOCK):
            end = block.find(line_end)
            self._position += len(block) if end < 0 else end + 1
            if end >= 0:
                return

    def _start_copy(self) -> None:
        self._proven.copy = new_file(self._workdir, "clean-")
        self._copy = self._proven.copy.open("wb")
        # DuckDB takes the first end of line it meets, even one inside quotes, for that of the whole text.
        self._copy.write(FIRST_LINE + self._newline)
        position = self._dialect.data_offset
        while position < self._position:
            block = self._at(position, min(BLOCK, self._position - position))
            self._copy.write(block)
            position += len(block)

    def _first_total(self) -> int:
        """Where the last lines of the text hold a total: the place of the first of them; else past the end."""
        start = max(self._dialect.data_offset, self._size - _TAIL)
        tail = self._at(start, _TAIL)
        lines = tail.split(self._dialect.newline)
        offsets = [start]
        for line in lines:
            offsets.append(offsets[-1] + len(line) + len(self._dialect.newline))
        filled = [(offset, line) for offset, line in zip(offsets, lines, strict=False) if line.strip()]
        for offset, line in filled[-5:]:
            cells = line.decode("utf-8", errors="replace").replace('"', "").split(self._dialect.delimiter.decode())
            if is_total(cells, report=False):
                return offset
        return self._size + 1

    def _give_up_when_hopeless(self) -> None:
        rejects, rows = len(self._proven.rejects), self._proven.rows
        if rejects > _MOST_REJECTS or (not rows and rejects > _HOPELESS):
            first = self._proven.rejects[0]
            raise Unreadable(
                self._name,
                f"does not fit its own header: {rejects} of the first {rejects + rows} records are faulty, "
                f"the first on line {first.line} ({first.reason}).",
                "Export it again, or mend the header.",
            )


def _without_empty_columns(
    con: duckdb.DuckDBPyConnection, columns: tuple[str, ...], relation: str, dialect: Dialect
) -> tuple[tuple[str, ...], str, list[str]]:
    """Without the columns at the end that have neither a name nor a value."""
    named = max((number for number, name in enumerate(dialect.header, 1) if name.strip()), default=0)
    if not dialect.header or named in (0, len(columns)):
        return columns, relation, []
    counts = ", ".join(f"count(nullif({identifier(column)}, ''))" for column in columns[named:])
    filled = con.execute(f"select {counts} from {relation}").fetchone() or ()
    kept = named + max((number for number, count in enumerate(filled, 1) if count), default=0)
    if kept == len(columns):
        return columns, relation, []
    dropped = len(columns) - kept
    chosen = ", ".join(identifier(column) for column in columns[:kept])
    note = f"{dropped} empty column{'' if dropped == 1 else 's'} without a name dropped"
    return columns[:kept], f"(select {chosen} from {relation})", [note]
