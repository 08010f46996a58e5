"""A look at the first rows of an export: what each column seems to hold, before anything is believed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import duckdb

from crmaudit.intake import forms
from crmaudit.intake.raw import RawTable
from crmaudit.intake.synonyms import Vocabulary, english, english_file_words

SAMPLE_ROWS = 1000

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NUMBER = re.compile(f"(?:{forms.NUMBER}|{forms.SCIENTIFIC})")
_DATE = re.compile("|".join(f"(?:{form})" for form in forms.DATE_FORMS.values()))
_DIGIT = re.compile(r"\d")
_SPACES = re.compile(r"\s")


@dataclass(frozen=True)
class ColumnProfile:
    """One column of the sample: its meaningful values and what share of them looks like what (0 to 1)."""

    name: str
    plain: str
    values: tuple[str, ...]
    """The meaningful values, in file order, with repetitions."""
    distinct: frozenset[str]
    rows: int
    emails: float
    numbers: float
    dates: float
    booleans: float

    @property
    def is_unique(self) -> bool:
        return bool(self.values) and len(self.distinct) == len(self.values) == self.rows

    @property
    def is_empty(self) -> bool:
        return not self.values


@dataclass(frozen=True)
class Profile:
    """One file or sheet: its sampled columns by source name."""

    table: RawTable
    columns: Mapping[str, ColumnProfile]
    rows: int
    """Rows in the sample; under `SAMPLE_ROWS` where the file has no more."""

    @property
    def file_words(self) -> str:
        """The file's (and sheet's) name in plain words, with a space on both sides."""
        stem = PurePosixPath(self.table.path).name.split(".")[0]
        return english_file_words(f"{stem} {self.table.sheet or ''}")


def profile(con: duckdb.DuckDBPyConnection, table: RawTable, words: Vocabulary) -> Profile:
    """The first thousand rows of the table, looked at column by column."""
    rows = con.execute(f"select * from {table.relation} limit {SAMPLE_ROWS}").fetchall()
    nothing = set(words.nothing)
    booleans = set(words.true) | set(words.false)
    columns = {}
    for i, name in enumerate(table.columns):
        texts = (_SPACES.sub(" ", row[i]).strip() for row in rows if row[i] is not None)
        values = tuple(t for t in texts if t.lower() not in nothing)
        counted = Counter(values)
        numeric = Counter({text: n for text, n in counted.items() if _DIGIT.search(text)})
        columns[name] = ColumnProfile(
            name=name,
            plain=english(name),
            values=values,
            distinct=frozenset(counted),
            rows=len(rows),
            emails=_share(counted, lambda t: bool(_EMAIL.fullmatch(t)), of=len(values)),
            numbers=_share(numeric, lambda t: bool(_NUMBER.fullmatch(t)), of=len(values)),
            dates=_share(numeric, lambda t: bool(_DATE.fullmatch(t)), of=len(values)),
            booleans=_share(counted, lambda t: t.lower() in booleans, of=len(values)),
        )
    return Profile(table, columns, len(rows))


def _share(counted: Counter[str], test: Callable[[str], bool], *, of: int) -> float:
    return sum(n for text, n in counted.items() if test(text)) / max(of, 1)
