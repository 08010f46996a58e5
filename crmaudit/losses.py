"""What of the exports is missing in the audit, told at the top of the report: files unread, left out, rows rejected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crmaudit import report
from crmaudit.intake.load import LoadedSource
from crmaudit.intake.raw import Unreadable
from crmaudit.intake.recognise import GENERIC
from crmaudit.intake.sql import number

if TYPE_CHECKING:
    import duckdb

AMOUNTS = {
    "invoices": "coalesce(net_amount, amount)",
    "payments": "amount",
    "opportunities": "amount",
    "subscriptions": "coalesce(mrr, price)",
    "refunds": "amount",
}
"""Tables of money and the amount of each row, net where that is known."""
NAMED = 5
"""Files that one finding names."""


def of_files(sources: Iterable[report.Source], unread: Iterable[Unreadable]) -> Iterable[report.Finding]:
    """What must stand at the top: files that could not be read, and files that lost more than 1 % of their rows."""
    for error in unread:
        yield report.Finding(
            f"sources/act/{error.path}", "act", f"{error.path} could not be read: {error.problem} {error.way_out}"
        )
    for source in sources:
        if source.entity is not None and source.rows_rejected * 100 > source.rows_read:
            name = _named(source)
            text = (
                f"{name}: {source.rows_rejected:,} of {source.rows_read:,} rows were rejected, since the line, its id, "
                "its day or its amount cannot be read; rejects.csv says why."
            )
            yield report.Finding(f"sources/act/{name}", "act", text)


def of_values(sources: Iterable[LoadedSource]) -> Iterable[report.Finding]:
    """Columns of which more than 1 % of the rows have a value that could not be read."""
    for source in sources:
        path, rows = _called(source.source), source.source.rows_read
        asked = {question.column for question in source.questions}
        for column, values in source.unread:
            if values * 100 > rows and column not in asked:
                text = (
                    f"{path}: {values:,} of {rows:,} rows have a value in {column!r} that could not be read. "
                    "They count without it; rejects.csv has each."
                )
                yield report.Finding(f"sources/watch/{path} {column}", "watch", text)


def _named(source: report.Source) -> str:
    """A file or a sheet in words."""
    return source.path + (f" ({source.sheet})" if source.sheet else "")


def _called(source: report.Source) -> str:
    """The name by which the settings know a file or a sheet."""
    return f"{source.path}#{source.sheet}" if source.sheet else source.path


def two_readings(sources: Iterable[LoadedSource]) -> Iterable[report.Finding]:
    """Columns whose dates or numbers can be read in two ways, and how to say which."""
    for source in sources:
        path = _called(source.source)
        for question in source.questions:
            text = (
                f"{path}: {question.values:,} values of {question.column!r} are set aside, since {question.between} "
                f"cannot be told apart. Say in crmaudit.toml, under [files.{json.dumps(path, ensure_ascii=False)}]: "
                f"{question.setting}."
            )
            yield report.Finding(f"sources/act/{path} {question.column}", "act", text)


def questions(sources: Iterable[LoadedSource]) -> Iterable[report.Finding]:
    """Files that are left out because more than one kind of record fits them."""
    for source in (s.source for s in sources if s.recognition.is_ambiguous):
        name = _named(source)
        reason = source.exclusions[0].reason.partition("not used: ")[2] if source.exclusions else "It has no rows."
        text = f"{name}: {source.rows_read:,} rows were left out. {reason}"
        yield report.Finding(f"sources/act/{name}", "act", text)


def unknown(sources: Iterable[LoadedSource]) -> Iterable[report.Finding]:
    """Files with records that are nothing we know: what is in them is nowhere in the audit."""
    left_out = [
        found.source
        for found in sources
        if found.source.entity is None
        and found.source.rows_read
        and found.source.system == GENERIC
        and not found.recognition.is_ambiguous
        and not found.recognition.overridden
    ]
    if left_out:
        names = ", ".join(map(_named, left_out[:NAMED]))
        more = f" and {len(left_out) - NAMED:,} more" if len(left_out) > NAMED else ""
        rows = sum(source.rows_read for source in left_out)
        text = (
            f"Not recognised, and not used: {names}{more}, {rows:,} {'row' if rows == 1 else 'rows'}. "
            "`crmaudit inspect` says what each lacks; [files] in crmaudit.toml says what it is, or `ignore = true`."
        )
        yield report.Finding("sources/watch/unknown", "watch", text)


def gross(con: duckdb.DuckDBPyConnection, sources: Iterable[LoadedSource]) -> Iterable[report.Finding]:
    """Files whose amounts hold tax, and nothing tells the net of some or all rows: these count gross."""
    for source in sources:
        mapping, rows = source.recognition.mapping, source.source.rows_loaded
        if mapping is None or not mapping.amount_is_gross or not rows:
            continue
        path = source.source.path
        unknown = "net_amount is null and amount is not null"
        query = f"select count(*) from loaded.{mapping.entity} where source_id = {source.source_id} and {unknown}"
        told = number(con, query) if mapping.has("net_amount") or mapping.tells_net else None
        if told is None or told == rows:
            text = f"{path}: its amounts hold tax, and no net amount can be told. Revenue from this file is gross."
        elif told:
            text = (
                f"{path}: its amounts hold tax, and no net amount can be told for {told:,} of {rows:,} rows. "
                "They count gross."
            )
        else:
            continue
        yield report.Finding(f"sources/info/{path}", "info", text)


def unread_source(error: Unreadable) -> report.Source:
    """The account of a file that could not be read."""
    return report.Source(
        path=error.path,
        sheet=None,
        system="unknown",
        entity=None,
        rows_read=0,
        rows_loaded=0,
        rows_rejected=0,
        rows_excluded=0,
        notes=(f"{error.problem} {error.way_out}",),
    )


def kept_apart(con: duckdb.DuckDBPyConnection, sources: Sequence[report.Source]) -> tuple[report.Source, ...]:
    """The sources with what each has in currencies that have no rate: no sum of the audit holds it.

    Expects the canonical tables, `exchange_rates` among them, and the table `settings`.
    """
    told = list(sources)
    for at, currency, rows, amount in _without_rate(con, "source_id"):
        if at <= len(told):
            apart = {"currency": currency, "rows": rows, "amount": float(amount)}
            told[at - 1] = replace(told[at - 1], unconverted=(*told[at - 1].unconverted, apart))
    return tuple(told)


def currencies(con: duckdb.DuckDBPyConnection) -> Iterable[report.Finding]:
    """Asks for the rate of each currency that has none."""
    for entity, currency, rows, amount in _without_rate(con, "entity"):
        text = (
            f"{amount:,.2f} {currency} of {entity} ({'1 row' if rows == 1 else f'{rows:,} rows'}) are in no sum, "
            "since no rate is known. "
            f"Say in crmaudit.toml what one is worth: [rates] {currency} = ..."
        )
        yield report.Finding(f"sources/watch/{currency} {entity}", "watch", text)


def _without_rate(con: duckdb.DuckDBPyConnection, by: str) -> list[tuple[Any, ...]]:
    """(source number or table, currency, rows, amount)."""
    parts = " union all ".join(
        f"select '{entity}' as entity, source_id::integer as source_id, upper(currency) as currency, "
        f"{amount} as amount from {entity}"
        for entity, amount in AMOUNTS.items()
    )
    return con.execute(
        f"select {by}, m.currency, count(*), sum(amount) from ({parts}) m cross join settings s "
        "where m.currency is not null and m.currency <> s.currency and amount is not null "
        "and m.currency not in (select upper(currency) from exchange_rates where rate > 0 and currency is not null) "
        "group by all order by all"
    ).fetchall()
