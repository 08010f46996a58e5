"""How a delimited text is written: proposed from its beginning, to be proven on the whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from crmaudit.intake import values

DELIMITERS = (b"\t", b"|", b";", b",")
"""The rarer in text first: it is taken where two fit equally."""
NO_DELIMITER = b"\x1f"
"""Stands for the delimiter of a text of one column; proven to be absent."""
SAMPLE = 1 << 19
_RECORDS = 1000
_QUOTED = re.compile(rb'"[^"]*+"')
_SEP_LINE = re.compile(rb"sep=(.)\r?\n", re.I)


@dataclass(frozen=True)
class Record:
    """A record of the sample: where it begins, and its values."""

    offset: int
    end: int
    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class Dialect:
    """What a text is taken for, until the whole of it is read."""

    delimiter: bytes
    quote: bytes
    """b'"', or b"" in a file that quotes nothing, where the sign is a character like any other."""
    newline: bytes
    header: tuple[str, ...]
    """As found; empty where the file has none."""
    header_line: bytes | None
    """The header's bytes without the end of line, to know it again further down."""
    width: int
    data_offset: int
    first_line: int
    skip: int | None
    """Lines that DuckDB is to skip to come to the data; None where that is no plain count."""
    report: bool
    """A title stands above the header: totals and headings are to be expected below."""
    notes: tuple[str, ...]
    typed: Mapping[int, str] = field(default_factory=dict)
    """Columns of numbers and days with their kind: what a record without them is not, or not at its place."""


@lru_cache(maxsize=64)
def field_pattern(delimiter: bytes, quote: bytes, *, interior: bool) -> bytes:
    """The regular expression of one value. `interior` allows a quote inside a value that does not begin with one."""
    d = re.escape(delimiter)
    if not quote:
        return rb"[^" + d + rb"\r\n\0]*+"
    quoted = rb'"[^"\0]*+(?:""[^"\0]*+)*+"'
    plain = rb'[^"' + d + rb"\r\n\0]++"
    if interior:
        plain += rb'(?:"++' + plain + rb")*+"
    return rb"(?:" + quoted + rb"|(?:" + plain + rb")?+)"


def split(record: bytes, delimiter: bytes, quote: bytes) -> tuple[str, ...]:
    """The values of one well-formed record."""
    if not quote or b'"' not in record:
        return tuple(cell.decode("utf-8", errors="replace") for cell in record.split(delimiter))
    cells = []
    pattern = re.compile(field_pattern(delimiter, quote, interior=True))
    position = 0
    while True:
        match = pattern.match(record, position)
        raw = match.group() if match else b""
        if raw.startswith(b'"'):
            raw = raw[1:-1].replace(b'""', b'"')
        cells.append(raw.decode("utf-8", errors="replace"))
        position = match.end() if match else position
        if position >= len(record):
            return tuple(cells)
        if record[position : position + 1] != delimiter:
            raise ValueError("not a well-formed record")
        position += 1


def newline_of(sample: bytes) -> bytes:
    """The end of line most lines of the sample have: LF, CRLF or a lone CR. Those inside quotes do not count."""
    sample = _QUOTED.sub(b"", sample)
    pairs = sample.count(b"\r\n")
    feeds, returns = sample.count(b"\n") - pairs, sample.count(b"\r") - pairs
    return max((pairs, b"\r\n"), (feeds, b"\n"), (returns, b"\r"))[1] if pairs + feeds + returns else b"\n"


def _records(sample: bytes, start: int, delimiter: bytes, quote: bytes, newline: bytes) -> list[Record]:
    field = field_pattern(delimiter, quote, interior=True)
    end_of_line = rb"\r" if newline == b"\r" else rb"\r?\n"
    pattern = re.compile(rb"(" + field + rb"(?:" + re.escape(delimiter) + field + rb")*+)(?:" + end_of_line + rb"|\Z)")
    lines = re.compile(rb"[^" + newline[-1:] + rb"]*(?:" + newline[-1:] + rb"|\Z)")
    found: list[Record] = []
    position, line = start, 1 + sample.count(newline, 0, start)
    while position < len(sample) and len(found) < _RECORDS:
        match = pattern.match(sample, position)
        if match is not None:
            raw, end = match.group(1), match.end()
            cells = split(raw, delimiter, quote)
        else:
            # A damaged line counts with the width it seems to have.
            damaged = lines.match(sample, position)
            end = max(damaged.end() if damaged else 0, position + 1)
            raw = sample[position:end].rstrip(b"\r\n")
            cells = tuple(cell.decode("utf-8", errors="replace") for cell in raw.split(delimiter))
        found.append(Record(position, position + len(raw), line, cells))
        line += sample.count(newline, position, end)
        position = end
    return found


def _score(records: list[Record]) -> tuple[float, float]:
    """How well a delimiter fits: (share of the records of the commonest width, by how much that width says; share)."""
    filled = [r for r in records if not r.is_blank]
    widths = Counter(len(r.cells) for r in filled)
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1], item[0]), default=(1, 0))
    if width < 2:
        return 0.0, 0.0
    share = count / len(filled)
    score = share * (1 - 1 / width)
    return (score if len(filled[0].cells) == width else 0.95 * score), share


def propose(sample: bytes, start: int, quotes: Callable[[bytes], bool], *, delimiter: bytes | None = None) -> Dialect:
    """The dialect of a text from its beginning.

    Args:
        sample: the first bytes of the text, whole lines.
        start: bytes to skip, those of a byte order mark.
        quotes: tells for a delimiter whether any value of the whole file begins with a quote.
        delimiter: where it is known already.

    Raises:
        ValueError: the sample holds nothing but empty rows.
    """
    newline = newline_of(sample)
    first = start
    declared = _SEP_LINE.match(sample, start)
    if declared is not None and delimiter is None:
        delimiter, first = declared.group(1), declared.end()
    candidates = [delimiter] if delimiter is not None else list(DELIMITERS)
    tried: list[tuple[tuple[float, float], int, bytes, bytes, list[Record]]] = []
    for candidate in candidates:
        quote = b'"' if b'"' not in sample or quotes(candidate) else b""
        records = _records(sample, first, candidate, quote, newline)
        tried.append((_score(records), -len(tried), candidate, quote, records))
    if any(all(record.is_blank for record in found) for *_, found in tried):
        raise ValueError("nothing but empty rows")
    (_, share), _, chosen, quote, records = max(tried)
    if delimiter is None and not _delimits(share, records):
        chosen = NO_DELIMITER
        quote = b'"' if b'"' not in sample or quotes(chosen) else b""
        records = _records(sample, first, chosen, quote, newline)
    return _with_header(sample, start, records, (chosen, quote, newline))


def _delimits(share: float, records: list[Record]) -> bool:
    filled = [r for r in records if not r.is_blank]
    if len(filled[0].cells) > 1:
        # A badly ragged file is still delimited when its header and most of its records are.
        return share >= 0.6 or sum(1 for r in filled if len(r.cells) > 1) * 2 > len(filled)
    return share >= 0.6 and _follows_a_title(records)


def _follows_a_title(records: list[Record]) -> bool:
    """Whether the first line, which lacks the delimiter, is a title rather than the header of the only column.

    Titles are set off by an empty line, or what follows them is plainly a header.
    """
    at = next(number for number, r in enumerate(records) if len(r.cells) > 1)
    header = [cell.strip() for cell in records[at].cells]
    if any(r.is_blank for r in records[:at]):
        return True
    return len(header) > 2 and all(values.kind(cell) == "text" for cell in header) and len(set(header)) == len(header)


def _with_header(sample: bytes, start: int, records: list[Record], signs: tuple[bytes, bytes, bytes]) -> Dialect:
    notes: list[str] = []
    filled = [r for r in records if not r.is_blank]
    widths = Counter(len(r.cells) for r in filled)
    width = max(widths.items(), key=lambda item: (item[1], item[0]))[0]
    at = 0
    while at < len(filled) - 1 and width > 1 and _stands_above(filled, at, width):
        at += 1
    if at == len(filled) - 1:
        at = 0
    first = filled[at]
    report = at > 0
    later = [r.cells for r in filled[at + 1 : at + 101]]
    header_width = len(first.cells)
    header: tuple[str, ...] = first.cells
    if values.is_data(first.cells, later):
        notes.append("the file has no header; its columns are numbered")
        header, header_line, data_offset, first_line = (), None, first.offset, first.line
    else:
        header_line = sample[first.offset : first.end]
        following = next((r for r in records if r.offset > first.offset), None)
        data_offset = following.offset if following else len(sample)
        first_line = following.line if following else first.line + 1
        if later and all(len(cells) == header_width + 1 and not cells[-1] for cells in later):
            notes.append("every record ends in a delimiter that the header does not have")
            header, header_width = (*header, ""), header_width + 1
    titles = first.line - 1 - (1 if _SEP_LINE.match(sample, start) else 0)
    if titles:
        lines = "1 line" if titles == 1 else f"{titles} lines"
        notes.append(f"{lines} above the header {'was' if titles == 1 else 'were'} skipped")
    above = sample[start:data_offset]
    plain = not above if header_line is None else above == header_line + signs[2] and _is_one_line(header_line, signs)
    return Dialect(
        *signs,
        header,
        header_line,
        header_width,
        data_offset,
        first_line,
        (0 if header_line is None else 1) if plain else None,
        report,
        tuple(notes),
        _typed([cells for cells in later if len(cells) == header_width]),
    )


def _stands_above(filled: list[Record], at: int, width: int) -> bool:
    """Whether a record stands above the header: a title, or a band of names over groups of columns."""
    if values.is_title(filled[at].cells, width):
        return True
    # Below a band and its header come records, which are not of names only.
    later = [r.cells for r in filled[at + 2 : at + 12]]
    return bool(_typed(later)) and values.is_band(filled[at].cells, filled[at + 1].cells)


def _typed(rows: list[tuple[str, ...]]) -> dict[int, str]:
    """The columns that hold numbers and days, of the rows as wide as the first, with what most of them are."""
    found = {}
    for column in range(len(rows[0]) if rows else 0):
        kinds = Counter(values.kind(row[column]) for row in rows if len(row) == len(rows[0]) and row[column].strip())
        # The header of another table may be among the rows.
        if kinds and (kinds["number"] + kinds["date"]) * 10 >= 9 * kinds.total():
            found[column] = "date" if kinds["date"] >= kinds["number"] else "number"
    return found


def _is_one_line(header_line: bytes, signs: tuple[bytes, bytes, bytes]) -> bool:
    """Whether DuckDB will take the header for one line: a quote left open there would swallow the lines below."""
    value, delimiter = field_pattern(signs[0], signs[1], interior=False), re.escape(signs[0])
    record = value + rb"(?:" + delimiter + value + rb")*+"
    return re.fullmatch(record, header_line) is not None and not re.search(rb"[\r\n]", header_line)


def column_names(header: tuple[str, ...], width: int) -> tuple[str, ...]:
    """Names as found, made unique whatever their case ("name", "name (2)"); empty ones are "column 4"."""
    names: list[str] = []
    taken: set[str] = set()
    for number in range(1, width + 1):
        found = header[number - 1].strip("\ufeff") if number <= len(header) else ""
        base = found if found.strip() else f"column {number}"
        name, again = base, 1
        while name.lower() in taken:
            again += 1
            name = f"{base} ({again})"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)
