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
    groups = [by_table(lack) for lack in lacks]
    alone = [group for group in groups if len(group) == 1]
    # A choice within one export is no choice of exports.
    absent = dict.fromkeys(table for group in alone for table in group if table not in tables_that_came)
    lacking: dict[str, list[str]] = {}
    for group in alone:
        for table, columns in group.items():
            if table in tables_that_came:
                lacking.setdefault(table, []).append(" or ".join(_named(table, columns)))
    choices = dict.fromkeys(
        "; ".join(_place(table, columns, tables_that_came) for table, columns in group.items())
        for group in groups
        if len(group) > 1 and not absent.keys() & group.keys()
    )
    return " ".join(
        [
            *([f"Wanted: {_and([TABLES[table].found_in for table in absent])}."] if absent else ()),
            *(f"Wanted{' too' if absent else ''}, one of them: {choice}." for choice in choices),
            *(f"{_capital(TABLES[table].found_in)} lacks {_listed(named)}." for table, named in lacking.items()),
        ]
    )


def _place(table: str, columns: Sequence[str], tables_that_came: Collection[str]) -> str:
    """An export to get, or one that came and would need one of the columns."""
    place = TABLES[table].found_in
    return f"{place} with {' or '.join(_named(table, columns))}" if table in tables_that_came else place


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
    return _listed([MEANINGS[f"{table}.{column}"] for column in columns])


def _listed(named: Sequence[str]) -> str:
    more = len(named) - _SHORT
    return "; ".join(named[:_SHORT]) + (f"; and {more} more" if more > 0 else "")


def _named(table: str, columns: Sequence[str]) -> list[str]:
    return [MEANINGS[f"{table}.{column}"] for column in columns[:_SHORT]]


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
