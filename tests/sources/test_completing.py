"""Exports that complete the records of others: whom HubSpot's deals belong to, and what the ids of stages mean."""

from __future__ import annotations

import datetime as dt
from typing import Any

import duckdb

from crmaudit.intake.load import Loaded, load
from tests.intake.tables import raw_file, raw_table
from tests.sources.test_sources import SAMPLES, TODAY

DEALS = "hubspot_deals_warehouse"


def together(*names: str) -> tuple[duckdb.DuckDBPyConnection, Loaded]:
    con = duckdb.connect()
    return con, load(con, [raw_file(con, SAMPLES / f"{name}.csv") for name in names], today=TODAY)


def reasons(done: Loaded, path: str) -> tuple[int, dict[str, int]]:
    (source,) = [s.source for s in done.sources if s.source.path == path]
    return source.rows_loaded, {e.reason: e.rows for e in source.exclusions}


def deals(con: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return con.execute(f"select opportunity_id, {columns} from loaded.opportunities order by 1").fetchall()


def test_a_deal_belongs_to_its_primary_company_and_to_none_of_several() -> None:
    con, done = together(DEALS, "hubspot_deal_companies_warehouse")
    assert deals(con, "account_id") == [("1", "9001"), ("2", "9003"), ("3", None)]
    assert reasons(done, "hubspot_deal_companies_warehouse.csv") == (
        2,
        {
            "another one comes first for its record": 1,
            "one of several for its record, none of which comes first": 2,
            "the record that it completes is not among the exports": 1,
        },
    )


def test_a_deal_of_several_people_names_none_of_them() -> None:
    con, _ = together(DEALS, "hubspot_deal_contacts_warehouse")
    assert deals(con, "contact_id") == [("1", "501"), ("2", None), ("3", None)]


def test_activities_and_tickets_find_whom_they_were_with() -> None:
    con = duckdb.connect()
    names = [f"hubspot_engagement_{what}_warehouse" for what in ("companies", "contacts", "deals")]
    header = ["engagement_id", "property_hs_timestamp", "type"]
    calls = raw_table(con, "calls.csv", header, [[f"E{n}", "2024-01-01 10:00:00", "CALL"] for n in (1, 2)])
    load(con, [calls, *(raw_file(con, SAMPLES / f"{name}.csv") for name in names)], today=TODAY)
    query = "select activity_id, account_id, contact_id, opportunity_id from loaded.activities order by 1"
    assert con.execute(query).fetchall() == [("E1", "9001", "501", "1"), ("E2", None, None, None)]
    tickets = [f"hubspot_ticket{what}_warehouse" for what in ("s", "_companies", "_contacts")]
    con, _ = together(*tickets)
    query = "select ticket_id, account_id, contact_id from loaded.tickets order by 1"
    assert con.execute(query).fetchall() == [("1", "9001", "501"), ("2", "9002", None)]


STAGES = "hubspot_deal_stages_warehouse"
HEADER = [
    "deal_id",
    "is_deleted",
    "deal_pipeline_id",
    "deal_pipeline_stage_id",
    "property_dealname",
    "property_closedate",
]


def test_ids_of_stages_get_their_names_and_tell_the_outcome() -> None:
    con = duckdb.connect()
    rows = [[str(n), "false", "771", str(8800 + n), "x", f"2024-0{n}-01"] for n in (1, 2, 3, 4)]
    rows.append(["5", "false", "default", "closedwon", "x", "2024-05-01"])
    names = (STAGES, "hubspot_deal_pipelines_warehouse")
    tables = [raw_table(con, "deals.csv", HEADER, rows), *(raw_file(con, SAMPLES / f"{name}.csv") for name in names)]
    done = load(con, tables, today=TODAY)
    day = dt.date
    assert deals(con, "pipeline, stage, outcome, closed_on, expected_close_on") == [
        ("1", "Renewals", "Signed", "won", day(2024, 1, 1), None),
        ("2", "Renewals", "Gone", "lost", day(2024, 2, 1), None),
        ("3", "Renewals", "Talks", "open", None, day(2024, 3, 1)),
        ("4", "Renewals", "8804", None, None, day(2024, 4, 1)),
        ("5", "Sales Pipeline", "closedwon", "won", day(2024, 5, 1), None),
    ]
    assert reasons(done, f"{STAGES}.csv") == (3, {})
    assert reasons(done, "hubspot_deal_pipelines_warehouse.csv")[0] == 2


def test_what_a_record_says_itself_stays() -> None:
    con = duckdb.connect()
    deal = raw_table(con, "deals.csv", HEADER, [["1", "false", "default", "closedlost", "x", "2024-01-01"]])
    header = ["stage_id", "pipeline_id", "label", "closed_won", "is_closed", "active"]
    stages = raw_table(con, "stages.csv", header, [["closedlost", "default", "Verloren", "TRUE", "TRUE", "TRUE"]])
    load(con, [deal, stages], today=TODAY)
    assert deals(con, "stage, outcome") == [("1", "Verloren", "lost")]


def test_another_system_is_not_completed() -> None:
    con = duckdb.connect()
    other = raw_table(con, "deals.csv", ["Deal ID", "Stage", "Amount"], [["1", "8801", "10.50"]] * 1)
    load(con, [other, raw_file(con, SAMPLES / f"{STAGES}.csv")], today=TODAY)
    assert deals(con, "stage, outcome") == [("1", "8801", "open")]
