"""A customer's page from an audit's database and report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from crmaudit import text
from crmaudit.audits import label, unit_of
from crmaudit.customer.page import CustomerPage, Reason, Section
from crmaudit.database import identifier
from crmaudit.page import Head
from crmaudit.report import LEVELS, Finding, Report, Result, Table, rounded
from crmaudit.resources import folder
from crmaudit.view import LEVEL_NAMES

if TYPE_CHECKING:
    import duckdb

SECTIONS = {
    "contacts": "Contacts",
    "conversations": "Last conversations",
    "deals": "Deals",
    "subscriptions": "Subscriptions",
    "invoices": "Invoices",
    "tickets": "Tickets",
}
"""The queries of queries/customer that make a section, in their order on the page."""

UNTOLD = frozenset({"customer", "party_id", "class", "segment", "owner", "owner_id", "region"})
"""Columns of an audit's list that the head of the page tells already."""

SOON_DAYS = 90
"""A renewal this near is to be prepared; an A customer unheard for so long is to be called."""

Facts = Mapping[str, Any]


def build(con: duckdb.DuckDBPyConnection, report: Report, party: int) -> CustomerPage:
    """The page of one party."""
    con.execute(f"create or replace temp table party as select {int(party)} as party_id")
    facts = _rows(con, _sql("facts"))[0]
    return CustomerPage(
        name=text.clean(facts["customer"] or ""),
        as_of=_day(facts["as_of_on"]),
        standing=_standing(facts),
        facts=tuple((name, value) for name, value in _facts(facts, report.currency) if value not in ("", text.NOTHING)),
        to_do=tuple(_to_do(facts, report.currency)) or ("Nothing presses.",),
        reasons=tuple(_reasons(con, report, facts["customer"])),
        sections=tuple(section for name, title in SECTIONS.items() if (section := _section(con, name, title, report))),
        version=text.clean(report.crmaudit),
    )


def _sql(name: str) -> str:
    return (folder("queries") / "customer" / f"{name}.sql").read_text(encoding="utf-8")


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[dict[str, Any]]:
    rows = con.execute(sql).fetchall()
    names = [column[0] for column in con.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _day(value: dt.date | None) -> str:
    return value.isoformat() if value else ""


def _money(value: Any, currency: str) -> str:
    return text.value(rounded(value), "money", currency) if value is not None else ""


def _facts(facts: Facts, currency: str) -> Iterable[tuple[str, str]]:
    yield "Id", text.clean(facts["id"] or "")
    yield "Class", text.clean(facts["class"] or "")
    yield "Customer since", _day(facts["customer_since_on"])
    for name in ("segment", "industry", "region", "origin"):
        yield name.capitalize(), text.clean(facts[name] or "")
    yield "Looked after by", text.clean(facts["owner"] or "")
    yield "Revenue, this window", _money(facts["window_amount"], currency)
    yield "Revenue, the one before", _money(facts["previous_amount"], currency)
    yield "Revenue in all", _money(facts["revenue_amount"], currency)
    yield "Purchases in all", text.value(facts["purchases"], "n")
    yield "Last purchase", _day(facts["last_purchase_on"])
    yield "Recurring, a month", _money(facts["mrr_amount"], currency)
    yield "Renews on", _day(facts["renews_on"])
    yield "Still a customer, probability", text.value(rounded(facts["p_alive"]), "p")
    yield "Stays for a year, probability", text.value(rounded(facts["p_stays_52w"]), "p")


def _standing(facts: Facts) -> str:
    """How they stand, in a sentence."""
    if not facts["is_customer"]:
        return "No purchase yet."
    if facts["ended_on"] is not None:
        return f"The last contract ended on {_day(facts['ended_on'])}."
    silence = _silence(facts)
    if facts["is_lapsed"]:
        return f"Lapsed: {silence}."
    if facts["is_overdue"]:
        return f"Overdue by their own rhythm: {silence}."
    if facts["is_under_contract"]:
        return "Under contract."
    if facts["typical_gap_days"]:
        return f"In their rhythm: {silence}."
    return (
        f"Nobody can tell their rhythm yet: {silence}." if silence else "A customer without a rhythm that can be told."
    )


def _silence(facts: Facts) -> str:
    if facts["silence_days"] is None:
        return ""
    said = f"silent for {text.value(facts['silence_days'], 'days')}"
    gap = facts["typical_gap_days"]
    return f"{said}, where they usually buy every {text.value(rounded(gap), 'days')}" if gap else said


def _to_do(facts: Facts, currency: str) -> Iterable[str]:
    """What presses, in the order in which it had better be done."""
    today: dt.date = facts["as_of_on"]
    if facts["open_tickets"]:
        tickets = text.count(facts["open_tickets"], "open ticket")
        yield f"Solve {tickets} before anything is sold; the oldest is of {_day(facts['oldest_open_on'])}."
    if facts["overdue_bills"]:
        bills = text.count(facts["overdue_bills"], "overdue invoice")
        yield f"Ask for {bills}, {_money(facts['overdue_amount'], currency)} in all."
    renews = facts["renews_on"]
    if renews is not None and (renews - today).days <= SOON_DAYS:
        yield f"Prepare the renewal of {_day(renews)}."
    if facts["is_lapsed"] or facts["ended_on"] is not None:
        yield "Ask why they left, before wooing them back."
    elif facts["is_overdue"]:
        yield f"Call: {_silence(facts)}."
    last = facts["last_conversation_on"]
    heard = f"the last conversation was on {_day(last)}" if last else "no conversation is on record"
    is_left = facts["is_lapsed"] or facts["ended_on"] is not None
    if facts["class"] == "A" and not is_left and (last is None or (today - last).days > SOON_DAYS):
        yield f"Talk with them: {heard}."
    if facts["is_customer"] and not is_left:
        if facts["contacts"] < 2:
            yield "Get to know a second person there."
        if not facts["deciders"]:
            yield "Find out who decides, and note it."


def _reasons(con: duckdb.DuckDBPyConnection, report: Report, customer: str | None) -> Iterable[Reason]:
    """The lists behind the findings in which the customer stands, by level, each list once."""
    namesakes = con.execute("select count(*) from parties where customer = ?", [customer]).fetchall()[0][0]
    seen: set[tuple[str, str]] = set()
    for level in LEVELS[:3]:
        for result in report.audits:
            for finding in result.findings:
                listed = next((t for t in result.tables if t.name == finding.table), None)
                is_new = listed is not None and (result.id, listed.name) not in seen
                if finding.level == level and listed is not None and is_new and _singles_out(listed, finding):
                    seen.add((result.id, listed.name))
                    yield from _reason(con, report, result, listed, finding, customer if namesakes == 1 else None)


def _singles_out(table: Table, finding: Finding) -> bool:
    """Whether the table lists those whom the finding concerns, more or less, rather than everybody."""
    return finding.customers is not None and table.rows_total <= 3 * finding.customers


def _reason(
    con: duckdb.DuckDBPyConnection, report: Report, result: Result, table: Table, finding: Finding, name: str | None
) -> Iterable[Reason]:
    """A list tells of a party by its number, or by a name that nobody else has."""
    units = {column.name: column.unit for column in table.columns}
    address = f"{identifier(result.id)}.{identifier(table.name)}"
    if "party_id" in units:
        con.execute(f"select t.* from {address} t join party y on y.party_id = t.party_id limit 1")
    elif "customer" in units and name is not None:
        con.execute(f"select * from {address} where customer = ? limit 1", [name])
    else:
        return
    names = [column[0] for column in con.description or ()]
    for row in con.fetchall():
        told = [
            f"{text.name(column)} {text.value(rounded(value), units[column], report.currency)}"
            for column, value in zip(names, row, strict=True)
            if column in units and column not in UNTOLD and value is not None
        ]
        yield Reason(
            finding.level,
            LEVEL_NAMES[finding.level],
            text.clean(table.title),
            text.clean(result.title),
            "; ".join(told),
        )


def _section(con: duckdb.DuckDBPyConnection, name: str, title: str, report: Report) -> Section | None:
    """The records of one kind, without the columns that none of them fills; nothing where there are none."""
    rows = _rows(con, _sql(name))
    kinds = {column[0]: str(column[1]) for column in con.description or ()}
    shown = [column for column in kinds if any(row[column] is not None for row in rows)]
    if not shown:
        return None
    units = {column: unit_of(column, kinds[column]) for column in shown}
    return Section(
        title=title,
        heads=tuple(
            Head(text.heading(label(c), units[c], report.currency), units[c] in text.NUMBERS) for c in shown
        ),
        rows=tuple(tuple(text.cell(rounded(row[c]), units[c]) for c in shown) for row in rows),
    )  # fmt: skip
