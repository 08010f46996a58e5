"""Clean tables and the ways in which exports are polluted: those of traps.md and of the Pollock benchmark (VLDB 2023).

Each polluted file knows its truth: the records that were in the table, and on which line each of them begins.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

HEADER = ("invoice no", "customer name", "invoice date", "amount", "note")
ROWS = 40
Row = tuple[str, ...]


@dataclass(frozen=True)
class Polluted:
    """A file and what is true of it."""

    name: str
    content: bytes
    rows: dict[Row, int]
    """Each true record -> the line it begins on."""
    header: tuple[str, ...] | None
    """The names under which the values belong; None where the file has none, or none that could be known."""
    tables: int = 1
    is_cut: bool = False
    """The last record may have lost its end: that is to be told, since nobody can see it."""


@dataclass(frozen=True)
class Sheet:
    """A table before it is written, to be polluted step by step."""

    header: tuple[str, ...] = HEADER
    rows: tuple[Row, ...] = ()
    delimiter: str = ","
    newline: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL
    encoding: str = "utf-8"
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    last_newline: bool = True
    changes: Mapping[int, Callable[[str], str]] = field(default_factory=dict)
    """Number of a row -> what is done to its text."""


def table(kind: str, rows: int = ROWS) -> tuple[Row, ...]:
    """Records no two cells of which are the same: `plain` words, `signs` within values, `lines` within values."""
    remark = {
        "plain": "as agreed {}",
        "signs": 'said "no {}", then; left|er',
        "lines": "first {}\nand second",
        "accents": "crème brûlée {}",
        "sparse": "",
    }[kind]
    return tuple(
        (
            f"K{n:04d}",
            f"Customer {n}",
            f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
            f"{100 + n}.{n % 90 + 10}",
            remark.format(n) if n % 3 else "",
        )
        for n in range(1, rows + 1)
    )


def line_of(cells: Sequence[str], sheet: Sheet) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=sheet.delimiter, quoting=sheet.quoting).writerow(cells)  # type: ignore[arg-type]
    return text.getvalue().removesuffix("\r\n")


def made(name: str, sheet: Sheet, **truth: object) -> Polluted:
    """The file of a sheet."""
    pieces = [*sheet.above, *([line_of(sheet.header, sheet)] if sheet.header else [])]
    line = 1 + sum(piece.count("\n") + 1 for piece in pieces)
    rows: dict[Row, int] = {}
    for number, row in enumerate(sheet.rows):
        text = sheet.changes.get(number, str)(line_of(row, sheet))
        rows[row] = line
        pieces.append(text)
        line += text.count("\n") + 1
    pieces += sheet.below
    text = sheet.newline.join(pieces) + (sheet.newline if sheet.last_newline else "")
    found = Polluted(name, text.encode(sheet.encoding), rows, sheet.header or None)
    return replace(found, **truth)  # type: ignore[arg-type]


def sheets() -> Iterator[tuple[str, Sheet]]:
    """Clean tables in every usual dialect."""
    kinds = ("plain", "signs", "lines", "accents", "sparse")
    for kind, delimiter in itertools.product(kinds, (",", ";", "\t", "|")):
        yield f"{kind} {delimiter!r}", Sheet(rows=table(kind), delimiter=delimiter)


def of_the_file(name: str, sheet: Sheet) -> Iterator[Polluted]:
    """What is wrong with the whole of a file, and loses nothing."""
    yield made(f"{name}: clean", sheet)
    yield made(f"{name}: all quoted", replace(sheet, quoting=csv.QUOTE_ALL))
    # Within values the ends of lines are LF in any case, so that a text of lone CR has none of those.
    if not any("\n" in "".join(row) for row in sheet.rows):
        yield made(f"{name}: lines end in CR", replace(sheet, newline="\r"))
    yield made(f"{name}: lines end in CR LF", replace(sheet, newline="\r\n"))
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        yield made(f"{name}: {encoding}", replace(sheet, encoding=encoding))
    yield made(f"{name}: no last newline", replace(sheet, last_newline=False))
    yield made(f"{name}: two last newlines", replace(sheet, below=("",)))
    yield made(f"{name}: one row", replace(sheet, rows=sheet.rows[:1]))
    yield made(f"{name}: no rows", replace(sheet, rows=()))
    yield made(f"{name}: no header", replace(sheet, header=()))
    for n in (1, 2, 4):
        above = tuple(["Report of orders", "", "Run by Ann on Monday", ""][:n])
        yield made(f"{name}: preamble of {n}", replace(sheet, above=above))
        yield made(
            f"{name}: padded preamble of {n}", replace(sheet, above=tuple(a + sheet.delimiter * 4 for a in above))
        )
    yield made(f"{name}: sep line", replace(sheet, above=(f"sep={sheet.delimiter}",)))
    total = line_of(("Total", "", "", "12345.00", ""), sheet)
    for footer in (("", "End of report"), (total,), ("", total), ("40 rows",), ("", "Confidential", "Page 1 of 1")):
        yield made(f"{name}: footer {footer}", replace(sheet, below=footer))
    yield made(f"{name}: a header of two lines", replace(sheet, above=(line_of(("", "", "Sale", "", ""), sheet),)))
    units = line_of(("", "", "day", "EUR", ""), sheet)
    yield made(f"{name}: units under the header", replace(sheet, header=HEADER, changes={0: lambda t: f"{units}\n{t}"}))
    twice = ("invoice no", "customer name", "invoice date", "amount", "amount")
    yield made(f"{name}: a name twice", replace(sheet, header=twice), header=(*twice[:4], "amount (2)"))
    nameless = ("invoice no", "", "invoice date", "amount", "note")
    yield made(
        f"{name}: a name is empty", replace(sheet, header=nameless), header=("invoice no", "column 2", *nameless[2:])
    )
    wide = tuple((*row, "", "") for row in sheet.rows)
    yield made(
        f"{name}: empty columns",
        replace(sheet, header=(*HEADER, "", ""), rows=wide),
        header=HEADER,
        rows=_narrow(sheet),
    )
    ended = {n: lambda t, d=sheet.delimiter: t + d for n in range(len(sheet.rows))}
    yield made(f"{name}: each row ends in a delimiter", replace(sheet, changes=ended))
    header = line_of(sheet.header, sheet)
    yield made(f"{name}: the header again", replace(sheet, changes={20: lambda t: f"{header}\n{t}"}))
    other = (("team", "head"), ("North", "Ann"), ("South", "Bob"))
    second = tuple(line_of(cells, sheet) for cells in other)
    yield made(f"{name}: a second table", replace(sheet, below=("", *second)))
    same = (("id", "name", "day", "cost", "note"), ("9", "Nine", "2025-01-01", "9.50", "x"))
    yield made(
        f"{name}: a second table as wide", replace(sheet, below=("", *(line_of(cells, sheet) for cells in same)))
    )


def _narrow(sheet: Sheet) -> dict[Row, int]:
    return made("", sheet).rows


def of_a_row(name: str, sheet: Sheet) -> Iterator[Polluted]:
    """What is wrong with a row or some: the others are to come through, and those to be counted or right."""
    d = sheet.delimiter
    readable: dict[str, Callable[[str], str]] = {
        # A quote that neither opens nor closes is a sign like any other (6" of pipe), and a letter is a letter.
        "a quote at the end of a value": lambda t: t.replace("Customer", 'Customer"', 1),
        "a quote within a value": lambda t: t.replace("Customer", 'Cus"tomer', 1),
        "Windows-1252": lambda t: t.replace("Customer", "Cust\udce9mer", 1),
    }
    ways: dict[str, Callable[[str], str]] = {
        "too short": lambda t: t.rpartition(d)[0],
        "far too short": lambda t: t.partition(d)[0],
        "too long": lambda t: t + d + "more",
        "too long by nothing": lambda t: t + d,
        "shifted right": lambda t: d + t,
        "shifted, trailing delimiter": lambda t: t.partition(d)[2] + d,
        "a delimiter doubled": lambda t: t.replace(d, d + d, 1),
        "a delimiter lost": lambda t: t.replace(d, "", 1),
        "another delimiter": lambda t: t.replace(d, "~"),
        "a quote opened": lambda t: '"' + t,
        "a quote opened within": lambda t: t.replace(d, d + '"', 1),
        "text after a quote": lambda t: t.replace("Customer", '"Cus"tomer', 1),
        "an end of line within": lambda t: t.replace("Customer ", "Customer\n", 1),
        "NUL bytes": lambda t: t.replace("Customer", "Cust\0\0er", 1),
        "a lone CR": lambda t: t.replace("Customer ", "Customer\r", 1),
        "an empty line above": lambda t: "\n" + t,
        "empty cells above": lambda t: d * 4 + "\n" + t,
        "blanks above": lambda t: "   \n" + t,
        "a comment above": lambda t: "# checked by Ann\n" + t,
        "a byte that is no text": lambda t: t.replace("Customer", "Cust\udcff\udcfeer", 1),
    }
    for way, change in (ways | readable).items():
        for places in ((0,), (20,), (len(sheet.rows) - 1,), (5, 6, 7, 30)):
            dirty = replace(sheet, changes=dict.fromkeys(places, change))
            yield _raw(f"{name}: {way} at {places}", dirty, means=way in readable)
    for kept in (3, 9, 17, 26, len(line_of(sheet.rows[-1], sheet)) - 2):
        text = made("", sheet).content.decode()
        last = line_of(sheet.rows[-1], sheet)
        cut = text[: len(text) - 1 - max(len(last) - kept, 0)]
        yield replace(made(f"{name}: cut after {kept} of the last row", sheet), content=cut.encode(), is_cut=True)


def _raw(name: str, sheet: Sheet, *, means: bool) -> Polluted:
    """A file that may hold bytes that are no text, written as surrogates; its lines by the text as it is."""
    pieces = [line_of(sheet.header, sheet)]
    rows: dict[Row, int] = {}
    line = 2
    for number, row in enumerate(sheet.rows):
        clean = line_of(row, sheet)
        written = sheet.changes.get(number, str)(clean)
        # What was put above the record moves it down.
        above = written[: -len(clean)].count("\n") if written.endswith(clean) and written != clean else 0
        cells = (*(sheet.changes.get(number, str)(cell) for cell in row),) if means else row
        rows[tuple(cell.replace("\udce9", "é") for cell in cells)] = line + above
        line += written.count("\n") + 1
        pieces.append(written)
    content = ("\n".join(pieces) + "\n").encode("utf-8", errors="surrogateescape")
    return Polluted(name, content, rows, sheet.header)


def foreign(name: str, sheet: Sheet) -> Iterator[Polluted]:
    """Dialects that are not RFC 4180: other quotes, escapes by a backslash, delimiters of two signs."""
    d, rows = sheet.delimiter, sheet.rows

    def written(way: str, one: Callable[[str], str], between: str) -> Polluted:
        lines = [between.join(map(one, cells)) for cells in (sheet.header, *rows)]
        starts = itertools.accumulate((text.count("\n") + 1 for text in lines), initial=1)
        truth = dict(zip(rows, list(starts)[1:], strict=False))
        return Polluted(f"{name}: {way}", ("\n".join(lines) + "\n").encode(), truth, sheet.header)

    yield written("quoted by apostrophes", lambda c: "'" + c.replace("'", "''") + "'", d)
    yield written("escaped by backslashes", lambda c: '"' + c.replace("\\", "\\\\").replace('"', '\\"') + '"', d)
    yield written("a delimiter and a blank", lambda c: '"' + c.replace('"', '""') + '"', d + " ")
    yield written("a delimiter of two", lambda c: '"' + c.replace('"', '""') + '"', d + d)


def files() -> Iterator[Polluted]:
    """All of them."""
    for name, sheet in sheets():
        yield from of_the_file(name, sheet)
        yield from of_a_row(name, sheet)
        yield from foreign(name, sheet)
