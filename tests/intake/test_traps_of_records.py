"""Traps of what records mean that real exports have set, each on a few rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

from crmaudit.intake.load import Loaded, load
from crmaudit.intake.recognise import recognise
from tests.intake.tables import raw_table

TODAY = dt.date(2026, 1, 31)
Export = tuple[str, str, Sequence[str]]
"""Name, header, rows: cells set apart by `|`."""


def loaded(*exports: Export, timezone: str = "UTC") -> tuple[duckdb.DuckDBPyConnection, Loaded]:
    con = duckdb.connect()
    tables = [raw_table(con, name, head.split("|"), [r.split("|") for r in rows]) for name, head, rows in exports]
    return con, load(con, tables, today=TODAY, timezone=timezone)


def asked(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_identical_rows_without_a_key_are_two_purchases() -> None:
    sales = ("sales.csv", "customer|date|amount", ["Acme|2025-01-05|10.50"] * 2 + ["Bolt|2025-01-06|0.00"])
    con, done = loaded(sales)
    assert asked(con, "select count(*), sum(amount) from loaded.invoices") == [(3, 21)]
    assert done.sources[0].source.rows_loaded == 3


def test_a_source_reaches_from_its_first_to_its_last_fact() -> None:
    """Plans, and facts that lie ahead of today, reach nowhere."""
    head = "invoice id|customer|invoice date|due date|amount"
    rows = ["1|Acme|2025-01-05|2025-02-05|1.50", "2|Acme|2025-03-05|2026-01-20|1.50", "3|Acme|2027-03-05||1.50"]
    _, done = loaded(("invoices.csv", head, rows))
    source = done.sources[0].source
    assert (source.observed_from, source.observed_until) == ("2025-01-05", "2025-03-05")
    assert "1 rows have issued_on after 2026-01-31" in source.notes


def test_a_load_stamp_is_told_from_a_date_of_creation() -> None:
    head = "ticket id|customer id|submitted at|subject|created at"
    rows = [f"{n}|7|2025-0{n}-05 10:00:00|x|2025-12-24 03:00:0{n}" for n in range(1, 8)]
    con, done = loaded(("tickets.csv", head, rows))
    assert asked(con, "select min(opened_at)::date, count(distinct loaded_at::date) from loaded.tickets") == [
        (dt.date(2025, 1, 5), 1)
    ]
    assert any("created at: a load stamp" in note for note in done.sources[0].source.notes)


def test_instants_move_to_the_zone_of_the_report_and_days_stay() -> None:
    tickets = ("tickets.csv", "ticket id|customer|opened at|subject", ["1|Acme|2026-01-01T02:00:00Z|x"])
    invoices = ("invoices.csv", "invoice id|customer|invoice date|amount", ["1|Acme|2026-01-01|1.50"])
    con, _ = loaded(tickets, invoices, timezone="America/New_York")
    assert asked(con, "select opened_at from loaded.tickets") == [(dt.datetime(2025, 12, 31, 21),)]  # noqa: DTZ001
    assert asked(con, "select issued_on from loaded.invoices") == [(dt.date(2026, 1, 1),)]


def test_ids_of_another_id_space_are_told() -> None:
    people = ("users.csv", "customer_id|email", [f"C{n}|p{n}@example.com" for n in range(5)])
    tickets = ("tickets.csv", "ticket_id|customer_id|opened_at|subject", [f"{n}|90{n}|2025-01-05|x" for n in range(4)])
    con, done = loaded(people, tickets)
    (source,) = [s.source for s in done.sources if s.source.path == "tickets.csv"]
    assert any("none of 4 sampled ids is among the 5 contacts loaded" in note for note in source.notes)
    assert asked(con, "select count(contact_id) from loaded.tickets") == [(4,)]


def test_a_summary_by_customer_is_no_list_of_records() -> None:
    head = "account_id|tickets_last_quarter|escalation_count|avg_resolution_hours"
    con = duckdb.connect()
    rows = [[f"A{n}", "4", "1", "12.5"] for n in range(6)]
    (found,) = recognise(con, [raw_table(con, "zendesk_tickets.csv", head.split("|"), rows)])
    assert found.entity is None
    assert found.reason is not None
    assert found.reason.startswith("A summary by account_id")


CALLS = "activity_id|type|activity date|subject|user_id"
REPS = ("users.csv", "user_id|name|team", ["u1|Ann|North", "u2|Bob|South"])


@pytest.mark.parametrize(
    ("more", "beside"),
    [
        ([REPS], ""),  # the export of our people knows them
        ([], "|account_id"),  # another column names the customer
    ],
)
def test_user_ids_are_our_people_where_another_column_names_the_customer(more: list[Export], beside: str) -> None:
    rows = [f"{n}|call|2025-01-0{n}|x|u{n}" + ("|a1" if beside else "") for n in (1, 2)]
    con, _ = loaded(("activities.csv", CALLS + beside, rows), *more)
    query = "select owner_id, contact_id, account_id from loaded.activities order by 1"
    account = "a1" if beside else None
    assert asked(con, query) == [("u1", None, account), ("u2", None, account)]


def test_user_ids_are_customers_where_nothing_else_names_them() -> None:
    con, _ = loaded(("activities.csv", CALLS, ["1|call|2025-01-01|x|u1", "2|call|2025-01-02|x|u2"]))
    assert asked(con, "select contact_id, owner_id from loaded.activities order by 1") == [("u1", None), ("u2", None)]


def test_users_of_a_product_are_the_customers_whatever_stands_beside_them() -> None:
    events = ("events.csv", "event_id|user_id|account_id|event_name|event_time", ["1|u1|a1|login|2025-01-01 10:00:00"])
    con, _ = loaded(events)
    assert asked(con, "select contact_id, account_id from loaded.usage") == [("u1", "a1")]


def test_users_who_are_contacts_are_customers_in_activities_too() -> None:
    people = ("contacts.csv", "user_id|first_name|email", ["u1|Ann|a@example.com", "u2|Bob|b@example.com"])
    rows = ["1|call|2025-01-01|x|u1|a1", "2|call|2025-01-02|x|u2|a1"]
    con, _ = loaded(people, ("activities.csv", CALLS + "|account_id", rows))
    assert asked(con, "select contact_id, owner_id from loaded.activities order by 1") == [("u1", None), ("u2", None)]
