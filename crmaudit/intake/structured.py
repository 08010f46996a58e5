"""JSON: an array of objects, an object that holds one such array, or one object a line (NDJSON)."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from crmaudit.intake.decode import Utf8
from crmaudit.intake.dialect import column_names
from crmaudit.intake.raw import VALUE_LENGTH, RawTable, Reject, Unreadable
from crmaudit.intake.relation import FIRST_LINE, csv_relation, new_file

if TYPE_CHECKING:
    import _csv

_LONGEST_VALUE = 1 << 20
_MOST_COLUMNS = 4096
_DEEPEST = 8
_LONGEST_RECORD = 1 << 26
_CHUNK = 1 << 20
_BLANK = re.compile(r"[ \t\r\n]*")


class _TwiceError(ValueError):
    """An object names a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _TwiceError
    return made


def _constant(name: str) -> str:
    return name


# Numbers stay as they are written: no digit is to be lost before a value is cast.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_constant)


def read_json(text: Utf8, name: str, workdir: Path) -> RawTable:
    """One JSON file as a table; nested objects become dotted columns, arrays inside records stay JSON.

    Raises:
        Unreadable: the file is not JSON, is cut, or holds no list of records.
    """
    if not text.valid:
        raise Unreadable(name, "is JSON, but not valid UTF-8.", "Export it again.")
    table = _Table(list(text.notes), workdir)
    try:
        if _is_one_object_a_line(text):
            _read_lines(text, table)
        else:
            _read_document(text, name, table)
    except RecursionError as error:
        raise Unreadable(name, "is nested too deeply to be a list of records.", "Export flat records.") from error
    finally:
        table.close()
    if not table.keys:
        raise Unreadable(name, "holds no records.", "Export it again, as CSV if you can.")
    return table.finish(name, workdir)


class _Table:
    """The rows as they come, written out at once: a long file is never held in memory."""

    def __init__(self, notes: list[str], workdir: Path) -> None:
        self.notes = notes
        self.keys: dict[str, int] = {}
        self.rows = 0
        self.rejects: list[Reject] = []
        self.path = new_file(workdir, "json-")
        self._file = self.path.open("w", encoding="utf-8", newline="")
        self._writer = _writer(self._file)
        self._first_width = 0
        self._first_line = 1
        self._exact = True

    def close(self) -> None:
        self._file.close()

    def add(self, record: Any, line: int) -> None:
        """Takes one value of the list: a row if it is an object, a reject otherwise."""
        if not isinstance(record, dict):
            self.reject(line, json.dumps(record, ensure_ascii=False), "no object")
            return
        row: list[tuple[int, str]] = []
        for key, value in _flat(record):
            if len(value) > _LONGEST_VALUE or "\0" in value or not _is_text(key) or not _is_text(value):
                self.reject(line, value, f"the value of {key!r} is too long or no valid text")
                return
            row.append((self.keys.setdefault(key, len(self.keys)), value))
        cells = [""] * max(len(self.keys), 1)
        for number, value in row:
            cells[number] = value
        self._writer.writerow(cells)
        if not self.rows:
            self._first_width = len(cells)
        self._see(line, self.rows)
        self.rows += 1

    def _see(self, line: int, row: int) -> None:
        if not row and not self.rejects:
            self._first_line = line
        self._exact = self._exact and line == self._first_line + row

    def reject(self, line: int, found: str, reason: str) -> None:
        if not self.rows and not self.rejects:
            self._first_line = line
        shown = found[:VALUE_LENGTH].encode("utf-8", errors="replace").decode().replace("\0", "\u2400")
        self.rejects.append(Reject(line, None, shown, reason))

    def finish(self, name: str, workdir: Path) -> RawTable:
        """The table; where keys came up after the first row, the rows before are filled up to the same width."""
        self.close()
        width = len(self.keys)
        if width > _MOST_COLUMNS:
            raise Unreadable(name, f"has {width} different keys.", "Export flat records with the same keys.")
        if width != self._first_width and self.rows:
            self._fill_up(width, workdir)
        columns = column_names(tuple(self.keys), width)
        return RawTable(
            path=name,
            sheet=None,
            columns=columns,
            relation=csv_relation(self.path, columns, delimiter=b",", quote=b'"'),
            rows_read=self.rows + len(self.rejects),
            rejects=tuple(self.rejects),
            first_line=self._first_line,
            lines_exact=self._exact,
            notes=tuple(self.notes),
        )

    def _fill_up(self, width: int, workdir: Path) -> None:
        narrow, self.path = self.path, new_file(workdir, "json-")
        csv.field_size_limit(2 * _LONGEST_VALUE)
        with (
            narrow.open(encoding="utf-8", newline="") as source,
            self.path.open("w", encoding="utf-8", newline="") as target,
        ):
            rows = csv.reader(source)
            next(rows)
            _writer(target).writerows(row + [""] * (width - len(row)) for row in rows)
        narrow.unlink()


def _writer(file: TextIO) -> _csv.Writer:
    file.write(FIRST_LINE.decode() + "\n")
    return csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _flat(value, name + ".", depth + 1)
        else:
            yield name, _as_text(value)


def _as_text(value: Any) -> str:
    if value is None or value in ({}, []):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


def _is_one_object_a_line(text: Utf8) -> bool:
    """Whether the first line that is not empty is a whole object, and another line follows, or none."""
    with text.path.open("rb") as file:
        file.seek(text.start)
        for line in file:
            if line.strip():
                first = line.strip()
                break
        else:
            return False
        more = any(line.strip() for line in file)
    if not first.startswith(b"{"):
        return False
    try:
        made = _DECODER.decode(first.decode("utf-8"))
    except ValueError:
        # The first line may be the broken one; a document written over several lines does not end its first in "}".
        return more and first.endswith(b"}")
    # A single object on a single line is a record unless it holds a list of them, or tells of an error.
    return more or not (any(isinstance(v, list) for v in made.values()) or "error" in made or "errors" in made)


def _read_lines(text: Utf8, table: _Table) -> None:
    last = b"\n"
    with text.path.open("rb") as file:
        file.seek(text.start)
        for number, line in enumerate(file, 1):
            last = line[-1:]
            if not line.strip():
                continue
            found = line.strip().decode("utf-8")
            try:
                record = _DECODER.decode(found)
            except _TwiceError:
                table.reject(number, found, "names a key twice")
            except ValueError as error:
                table.reject(number, found, f"not valid JSON: {error}")
            except RecursionError:
                table.reject(number, found, "nested too deeply")
            else:
                table.add(record, number)
    if last != b"\n":
        table.notes.append("the last line has no newline: the file may be cut")


class _Cursor:
    """A place in a JSON text that is read piece by piece, so that a long array need not be held at once."""

    def __init__(self, text: Utf8) -> None:
        self._file = text.path.open("rb")
        self._file.seek(text.start)
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._place = 0
        self._ended = False
        self.line = 1

    def close(self) -> None:
        self._file.close()

    def _more(self) -> bool:
        chunk = self._file.read(max(_CHUNK, len(self._text)))
        self._ended = not chunk
        self._text = self._text[self._place :] + self._decode.decode(chunk, final=self._ended)
        self._place = 0
        return not self._ended

    def peek(self) -> str:
        """The next character that is not blank; '' at the end."""
        while True:
            blank = _BLANK.match(self._text, self._place)
            self._advance(blank.end() if blank else self._place)
            if self._place < len(self._text) or not self._more():
                return self._text[self._place : self._place + 1]

    def end(self) -> None:
        """ValueError where anything but blanks follows."""
        if self.peek():
            raise ValueError("something follows the end")

    def skip(self) -> None:
        self._advance(self._place + 1)

    def value(self) -> Any:
        """The value that begins here; ValueError where it is broken or cut."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
                # A number at the end of the piece may go on in the next.
                if end < len(self._text) or self._ended or not self._more():
                    self._advance(end)
                    return value
            except _TwiceError:
                raise
            except ValueError:
                if self._ended or not self._more():
                    raise
            if len(self._text) > _LONGEST_RECORD:
                raise ValueError("one record is longer than 64 MiB, or not closed")

    def _advance(self, place: int) -> None:
        self.line += self._text.count("\n", self._place, place)
        self._place = place


def _read_document(text: Utf8, name: str, table: _Table) -> None:
    cursor = _Cursor(text)
    try:
        if cursor.peek() == "[":
            _read_array(cursor, table)
        else:
            _read_object(cursor, name, table)
        cursor.end()
    except _TwiceError as error:
        raise Unreadable(name, f"names a key twice in one object, near line {cursor.line}.", "Export again.") from error
    except ValueError as error:
        problem = f"is not valid JSON near line {cursor.line} ({error}): broken, or cut."
        raise Unreadable(name, problem, "Export it again.") from error
    finally:
        cursor.close()


def _read_array(cursor: _Cursor, table: _Table) -> None:
    cursor.skip()
    if cursor.peek() == "]":
        cursor.skip()
        return
    while True:
        cursor.peek()
        line = cursor.line
        table.add(cursor.value(), line)
        following = cursor.peek()
        cursor.skip()
        if following == "]":
            return
        if following != ",":
            raise ValueError("the list is not closed" if not following else f"found {following!r} in place of a comma")


def _read_object(cursor: _Cursor, name: str, table: _Table) -> None:
    """An object that holds one array of objects; its other values are talk, but for what says that there is more."""
    others: dict[str, Any] = {}
    list_key = None
    cursor.skip()
    while cursor.peek() not in ("}", ""):
        key = cursor.value()
        if not isinstance(key, str) or cursor.peek() != ":":
            raise ValueError("a key and a colon are wanted")
        cursor.skip()
        if cursor.peek() == "[":
            before = table.rows
            _read_array(cursor, table)
            if list_key is not None and table.rows > before:
                raise Unreadable(
                    name,
                    f"holds two lists of records, {list_key!r} and {key!r}.",
                    "Export each into a file of its own.",
                )
            if table.rows > before:
                list_key = key
            elif list_key is None:
                # A list of plain values beside the records is no list of records.
                table.rejects.clear()
        else:
            others[key] = cursor.value()
        if cursor.peek() == ",":
            cursor.skip()
        elif cursor.peek() != "}":
            raise ValueError("the object is not closed")
    if cursor.peek() != "}":
        raise ValueError("the object is not closed")
    cursor.skip()
    if list_key is None:
        shown = json.dumps(others, ensure_ascii=False)[:VALUE_LENGTH]
        raise Unreadable(name, f"is a JSON object without a list of records: {shown}", "Export the data again.")
    table.notes.append(f"the records are those under {list_key!r}")
    if others.get("has_more") is True or others.get("done") is False or others.get("nextRecordsUrl"):
        table.notes.append("the file says that there are more records than it holds: the export is not whole")
