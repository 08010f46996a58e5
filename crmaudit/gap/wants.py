"""What is wanted of which export, in words that a client knows: no name of a table or column of ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from crmaudit import text
from crmaudit.schema import TABLES, Column

MEANINGS = {f"{table.name}.{column.name}": column.meaning for table in TABLES.values() for column in table.columns}
_SHORT = 3
"""Fields named in a line; the data requests have all of them."""


def by_table(wanted: Iterable[str]) -> dict[str, list[str]]:
    """`table.column` -> the columns of each table, in their order."""
    found: dict[str, list[str]] = {}
    for address in wanted:
        table, _, column = address.partition(".")
        found.setdefault(table, []).append(column)
    return found


def lines(wanted: Sequence[str], asks: Collection[str], tables_that_came: Collection[str]) -> Iterable[str]:
    """A line for each export: what it lacks, or that it is not there, with what the answer mostly `asks` of it."""
    for table, columns in by_table(wanted).items():
        came = table in tables_that_came
        telling = [column for column in columns if came or f"{table}.{column}" in asks] or columns
        said = "; ".join(MEANINGS[f"{table}.{column}"] for column in telling)
        place = TABLES[table].found_in
        yield f"{_capital(place)} lacks: {said}." if came else f"Not there: {place}. It would tell: {said}."


def instead(chosen: str, others: Sequence[str]) -> str:
    """The line beside what is asked for that says what would do in its place."""
    places = [
        f"{'; '.join(MEANINGS[f'{table}.{column}'] for column in columns)} ({TABLES[table].found_in})"
        for table, columns in by_table(others).items()
    ]
    one = "this would" if len(others) == 1 else "any of these would"
    return f"In place of \u201c{MEANINGS[chosen]}\u201d {one} do too: {'; '.join(places)}."


def why_none(lacks: Iterable[Sequence[str]], tables_that_came: Collection[str]) -> str:
    """Why a question has no answer, in a sentence or two for the scorecard; of each group one column is enough."""
    groups = tuple(lacks)
    tables = by_table(lack[0] for lack in groups if len(lack) == 1)
    absent = [TABLES[table].found_in for table in tables if table not in tables_that_came]
    present = [f"{TABLES[t].found_in} lacks {_some(t, tables[t])}" for t in tables if t in tables_that_came]
    choices = dict.fromkeys(_choice(lack, tables_that_came) for lack in groups if len(lack) > 1)
    wanted = [*absent, *choices]
    return " ".join([*([f"Wanted: {_and(wanted)}."] if wanted else ()), *(f"{_capital(one)}." for one in present)])


def _choice(lack: Sequence[str], tables_that_came: Collection[str]) -> str:
    """Where one of the columns would have to come from: an export, or one that came and has none of them."""
    places = [
        TABLES[table].found_in + (f" with {' or '.join(_named(table, columns))}" if table in tables_that_came else "")
        for table, columns in by_table(lack).items()
    ]
    return ", or ".join(places)


def step(table: str, columns: Sequence[str], tables_that_came: Collection[str]) -> str:
    """What is to be done to have the columns."""
    place = TABLES[table].found_in
    return f"Add to {place}: {_some(table, columns)}" if table in tables_that_came else f"Get {place}"


def field_name(column: Column) -> str:
    """The heading a field might have, with what it holds: `Opened, day and time`, `Bounced, yes or no`."""
    words = re.sub(r"^is_|_(?:on|at)$", "", column.name).replace("_", " ")
    kind = {"date": ", day", "time": ", day and time", "bool": ", yes or no"}.get(column.kind, "")
    return text.title(words) + kind


def _some(table: str, columns: Sequence[str]) -> str:
    named = _named(table, columns)
    more = len(columns) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


def _named(table: str, columns: Sequence[str]) -> list[str]:
    return [MEANINGS[f"{table}.{column}"] for column in columns[:_SHORT]]


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
