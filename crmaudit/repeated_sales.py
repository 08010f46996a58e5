"""A sale that two systems bill, or a payment that two systems list, counts once: the other is set aside and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from crmaudit.report import Exclusion, Finding, Source

if TYPE_CHECKING:
    import duckdb

_KEYS = {"invoices": "invoice_id", "payments": "payment_id"}
_COLUMNS = (
    "entity varchar, party_id integer, system varchar, record_id varchar, sold_on date, other_system varchar, "
    "other_record_id varchar, other_source_id integer, other_sold_on date, amount decimal(18, 4), currency varchar"
)


def set_aside(con: duckdb.DuckDBPyConnection, steps: Mapping[str, str]) -> None:
    """Makes the table `repeated_sales` and takes the records that do not count out of `invoices` and `payments`.

    What refers to an invoice that was taken out refers to the one that stays. Expects the tables with their parties.
    """
    con.execute(f"create or replace table repeated_sales ({_COLUMNS})")
    if not any(_has_two_systems(con, entity) for entity in _KEYS):
        return
    con.execute(f"insert into repeated_sales {steps['repeated_sales']}")
    for entity, key in _KEYS.items():
        if con.execute("select 1 from repeated_sales where entity = ? limit 1", [entity]).fetchall():
            con.execute(
                f"delete from stored.{entity} as r using repeated_sales s where s.entity = '{entity}' "
                f"and r.system = s.other_system and r.{key} = s.other_record_id and r.party_id = s.party_id"
            )
    for entity in ("payments", "refunds"):
        _refer_to_what_stays(con, entity)


def accounted(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> tuple[Source, ...]:
    """The sources with what was set aside among their excluded rows."""
    told = list(sources)
    for number, system, rows, amount in con.execute(
        "select other_source_id, system, count(*), sum(amount) from repeated_sales group by all order by all"
    ).fetchall():
        if number <= len(told):
            source = told[number - 1]
            repeated = Exclusion(f"the same sale as in {system}, within 3 days", rows, float(amount))
            told[number - 1] = replace(
                source,
                rows_loaded=source.rows_loaded - rows,
                rows_excluded=source.rows_excluded + rows,
                exclusions=(*source.exclusions, repeated),
            )
    return tuple(told)


def findings(con: duckdb.DuckDBPyConnection) -> tuple[Finding, ...]:
    """Says how many records of one system another has too."""
    rows = con.execute(
        "select entity, system, other_system, count(*) from repeated_sales group by all order by all"
    ).fetchall()
    return tuple(
        Finding(
            f"sources/info/{entity} {system} {other}",
            "info",
            f"{count:,} {entity} of {other} are those of {system} (same customer and amount, within 3 days): "
            "each counts once, and the table repeated_sales of audit.duckdb lists them.",
        )
        for entity, system, other, count in rows
    )


def _refer_to_what_stays(con: duckdb.DuckDBPyConnection, entity: str) -> None:
    stored = _stored_columns(con, entity)
    if "invoice_id" not in stored:
        return
    # A column with one value in all rows is not stored.
    system = "r.system" if "system" in stored else f"(select min(system) from {entity})"
    con.execute(
        f"update stored.{entity} as r set invoice_id = s.record_id from repeated_sales s "
        "where s.entity = 'invoices' and r.invoice_id = s.other_record_id and r.party_id = s.party_id "
        f"and {system} = s.other_system"
    )


def _has_two_systems(con: duckdb.DuckDBPyConnection, entity: str) -> bool:
    return bool(con.execute(f"select coalesce(min(system) <> max(system), false) from {entity}").fetchall()[0][0])


def _stored_columns(con: duckdb.DuckDBPyConnection, entity: str) -> set[str]:
    query = "select column_name from duckdb_columns() where schema_name = 'stored' and table_name = ?"
    return {name for (name,) in con.execute(query, [entity]).fetchall()}
