"""Exports whose rows are no records but complete some: which company a deal is of, what the id of a stage means."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from crmaudit.database import make_writable
from crmaudit.intake import forms
from crmaudit.intake.mapping import ColumnMapping, Completion
from crmaudit.intake.raw import RawTable
from crmaudit.intake.rules import derived_value, excluded_row
from crmaudit.intake.sql import listed, literal, quoted
from crmaudit.intake.synonyms import Vocabulary
from crmaudit.intake.typed import Excluded

USED = "used"
NO_RECORD = "the record that it completes is not among the exports"
SEVERAL = "one of several for its record, none of which comes first"
ANOTHER = "another one comes first for its record"


def complete(
    con: duckdb.DuckDBPyConnection, table: RawTable, mapping: ColumnMapping, *, system: str, words: Vocabulary
) -> tuple[int, tuple[Excluded, ...]]:
    """Fills columns of `loaded.<entity>`; returns how many rows were of use, and the others by reason.

    What a record says itself stays, but for the column that it is found by: the id of a stage gives way to its name.
    Where rows say different things of one record, those that come first count, and where these differ too, none does.
    """
    if mapping.completion is None:
        raise ValueError(f"{table.path} completes nothing")
    values = _values(mapping, words)
    _read(con, table, mapping, mapping.completion, values, words)
    _choose(con, tuple(values))
    make_writable(con, mapping.entity)
    column = quoted(mapping.completion.column)
    fills = [f"{quoted(c)} = {_filled(c, by=mapping.completion.column)}" for c in values]
    fills += [f"{c} = {value}" for c, value in _close_dates().items() if "outcome" in values]
    con.execute(
        f"create or replace temp table completed as select distinct c.key from completing c "
        f"join loaded.{mapping.entity} r on r.system = {literal(system)} and r.{column} = c.key"
    )
    con.execute(
        f"update loaded.{mapping.entity} as record set {', '.join(fills)} from chosen "
        f"where record.system = {literal(system)} and record.{column} = chosen.key"
    )
    same = " and ".join(f"h.{quoted(c)} is not distinct from c.{quoted(c)}" for c in values)
    told = con.execute(
        f"select coalesce(excluded, case when d.key is null then {literal(NO_RECORD)} "
        f"when h.key is null then {literal(SEVERAL)} when {same} then {literal(USED)} "
        f"else {literal(ANOTHER)} end) as reason, count(*) "
        "from completing c left join completed d on d.key = c.key left join chosen h on h.key = c.key "
        "group by all order by all"
    ).fetchall()
    for name in ("completing", "completed", "chosen"):
        con.execute(f"drop table {name}")
    used = sum(rows for reason, rows in told if reason == USED)
    return used, tuple(Excluded(reason, rows, None) for reason, rows in told if reason != USED)


def _values(mapping: ColumnMapping, words: Vocabulary) -> dict[str, str]:
    """Canonical column -> the SQL expression of its text."""
    values = {m.column: _text(m.source, words) for m in mapping.columns}
    return values | {rule.column: derived_value(rule, values.get(rule.column)) for rule in mapping.derived}


def _text(source: str, words: Vocabulary) -> str:
    return forms.meaningful(forms.stripped(quoted(source), lines=False), words.nothing)


def _read(
    con: duckdb.DuckDBPyConnection,
    table: RawTable,
    mapping: ColumnMapping,
    completion: Completion,
    values: Mapping[str, str],
    words: Vocabulary,
) -> None:
    """Table `completing`: key, the values, whether the row comes first, why it is left out."""
    first = "false"
    if completion.first is not None:
        source, texts = completion.first
        first = f"coalesce(lower({forms.tidy(quoted(source))}) in {listed(texts)}, false)"
    columns = ", ".join(f"{sql} as {quoted(column)}" for column, sql in values.items())
    con.execute(
        f"create or replace temp table completing as select {_text(completion.source, words)} as key, {columns}, "
        f"{first} as is_first, {excluded_row(mapping)} as excluded from {table.relation}"
    )


def _choose(con: duckdb.DuckDBPyConnection, columns: tuple[str, ...]) -> None:
    """Table `chosen`: the keys of which all rows, or all that come first, say the same, with what they say."""
    names = ", ".join(map(quoted, columns))
    con.execute(
        f"create or replace temp table chosen as with said as (select distinct key, is_first, {names} from completing "
        f"where excluded is null and key is not null and coalesce({names}) is not null), "
        "firsts as (select * from said qualify is_first or not bool_or(is_first) over (partition by key)), "
        f"same as (select distinct key, {names} from firsts) "
        "select * from same qualify count(*) over (partition by key) = 1"
    )


def _filled(column: str, *, by: str) -> str:
    new = f"chosen.{quoted(column)}"
    own = f"record.{quoted(column)}"
    return f"coalesce({new}, {own})" if column == by else f"coalesce({own}, {new})"


def _close_dates() -> dict[str, str]:
    """The close date of a deal that turns out to be won or lost is no plan any more."""
    closes = "record.outcome is null and chosen.outcome in ('won', 'lost')"
    return {
        "closed_on": f"case when {closes} then coalesce(closed_on, expected_close_on) else closed_on end",
        "expected_close_on": f"case when {closes} then null else expected_close_on end",
    }
