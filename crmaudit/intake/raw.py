"""What reading an export yields: tables of proven text, and the records that could not be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from crmaudit.errors import InputError

VALUE_LENGTH = 200
"""A reject shows at most this many characters of what was found."""


@dataclass(frozen=True)
class Reject:
    """A record that could not be read, or a value that could not be cast."""

    line: int
    """Line of the file (or row of the sheet) the record begins on, from 1."""
    column: str | None
    """Source column; None when the whole record is at fault."""
    value: str
    """The text as found, at most 200 characters."""
    reason: str
    """Plain words."""
    is_record: bool = True
    """False for a total, a heading and the like: nothing is lost with it."""


@dataclass(frozen=True)
class Question:
    """Values of a column that can be read in two ways and are set aside, and the setting that would tell."""

    column: str
    values: int
    between: str
    """"day and month", "thousands and decimals"."""
    setting: str
    """A line of a `[files]` table, with the other answer in a comment."""


@dataclass(frozen=True)
class RawTable:
    """One file or one sheet, proven, as text."""

    path: str
    """Relative to the exports folder, with forward slashes."""
    sheet: str | None
    columns: tuple[str, ...]
    """The header as found, made unique ("name", "name (2)"); empty ones are named "column 4"."""
    relation: str
    """SQL for FROM on the connection given to `read`: one VARCHAR per column, in file order; NULL or '' where empty."""
    rows_read: int
    """Data records found, rejected ones included."""
    rejects: tuple[Reject, ...]
    """The records that are not in `relation`."""
    first_line: int
    """Line of the first data record."""
    lines_exact: bool
    """True when record i of the relation (from 0) is on line `first_line + i`."""
    notes: tuple[str, ...]
    """What a careful reader of the file would want to know, in sentences."""
    is_plain: bool = False
    """Every value is known to be printable ASCII without blanks around it."""

    @property
    def no_records(self) -> dict[str, int]:
        """Of the rejects those with which nothing is lost: reason -> lines."""
        return dict(sorted(Counter(reject.reason for reject in self.rejects if not reject.is_record).items()))


class Unreadable(InputError):  # noqa: N818 -- says what the file is
    """A file that yields no table: what is wrong with it, and what to do about it.

    Attributes: `path` (relative to the exports folder), `problem` and `way_out`, each a sentence.
    """

    def __init__(self, path: str, problem: str, way_out: str) -> None:
        super().__init__(f"{path}: {problem} {way_out}")
        self.path = path
        self.problem = problem
        self.way_out = way_out
