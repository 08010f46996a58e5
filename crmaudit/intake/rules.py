"""What a known export's file says of its rows beyond names of columns, as SQL: one place for each kind of trap."""

from __future__ import annotations

import duckdb

from crmaudit.intake import forms
from crmaudit.intake.mapping import ColumnMapping
from crmaudit.intake.sql import listed, literal, number, quoted
from crmaudit.intake.synonyms import Derived, RowFilter, Vocabulary

FURTHER_LINE = "a further line of a record that is loaded: what it repeats is no money of its own"
OTHER_TOTAL = "a further line of a record, with another total than the line that counts"
ANY = "*"


def excluded_row(mapping: ColumnMapping) -> str:
    """The SQL expression of why a row is left out; NULL where it stays."""
    arms = [f"when {_is_filtered(f)} then {literal(f.reason)}" for f in mapping.exclude_rows]
    return f"case {' '.join(arms)} end" if arms else "null::varchar"


def derived_value(rule: Derived, otherwise: str | None) -> str:
    """The SQL expression of a column that other source columns tell; `otherwise` where no case holds."""
    arms = []
    for when, value in rule.cases:
        tests = [f"lower({forms.tidy(quoted(source))}) in {listed(texts)}" for source, texts in when.items()]
        arms.append(f"when {' and '.join(tests)} then {literal(value)}")
    return f"case {' '.join(arms)} else {otherwise or 'null'} end"


def in_units(value: str, currency: str, words: Vocabulary) -> str:
    """The SQL expression of an amount that was divided by a hundred, for currencies that have not two decimals."""
    arms = [
        f"when upper({currency}) in {listed(codes)} then {value} * {10.0 ** (2 - digits):g}::decimal(4, 1)"
        for digits, codes in words.minor_units.items()
    ]
    return f"(case {' '.join(arms)} else {value} end)::decimal(18, 4)"


def mark_further_lines(
    con: duckdb.DuckDBPyConnection, name: str, mapping: ColumnMapping, amount: str | None, *, rejected: str | None
) -> tuple[str, ...]:
    """Marks all but one line of each record in a table whose row ids are in the order of the file; says what is odd.

    The first line that has an amount stays, or the first of all: totals stand on every line or on the first alone.
    Lines that will be `rejected` come last, lest they take the others with them.
    """
    key = mapping.one_row_per
    if key is None or mapping.source_of(key) is None:
        return ()
    ranks = [*([rejected] if rejected else []), *([f"{amount} is null"] if amount else []), "rowid"]
    order = f"(partition by {key} order by {', '.join(ranks)})"
    repeats = f"{amount} is null or {amount} = first_value({amount}) over {order}" if amount else "true"
    why = f"case when {repeats} then {literal(FURTHER_LINE)} else {literal(OTHER_TOTAL)} end"
    mine = f"select rowid as line, row_number() over {order} as place, {why} as why from {name}"
    con.execute(
        f"update {name} set _excluded = why from ({mine} where {key} is not null and _excluded is null) "
        f"where {name}.rowid = line and place > 1"
    )
    if amount is None:
        return ()
    odd = number(
        con,
        f"select count(*) from (select {key} from {name} where {key} is not null "
        f"and (_excluded is null or _excluded in {listed((FURTHER_LINE, OTHER_TOTAL))}) "
        f"group by {key} having count(distinct {amount}) > 1)",
    )
    return (f"{odd} records have lines with different totals: the first line's counts",) if odd else ()


def _is_filtered(rows: RowFilter) -> str:
    text = f"lower({forms.tidy(quoted(rows.column))})"
    return f"{text} <> ''" if ANY in rows.values else f"{text} in {listed(rows.values)}"
