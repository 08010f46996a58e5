"""Each kind of news on tables made by hand: for each condition a row that it alone keeps out, or in the band."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import ErrorLevel

from crmaudit import news, querying
from crmaudit.database import Database
from crmaudit.errors import AuditFileError
from crmaudit.report import Finding, Report, Result
from crmaudit.resources import folder
from tests.conftest import Audited

QUERIES = [*sorted((folder("queries") / "news").glob("*.sql")), *sorted((folder("queries") / "weekly").glob("*.sql"))]
KINDS = {kind.id: kind for kind in news.read_kinds()}


def rows_of(sql: str, **tables: str) -> list[dict[str, Any]]:
    """A query's rows over tables given as `columns | a row | a row`, cells between blanks, `-` for null."""
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("create table clock as select date '2026-06-30' as as_of_on")
        for name, text in tables.items():
            schema, _, table = name.rpartition("__")
            if schema:
                con.execute(f"create schema if not exists {schema}")
            head, *rows = (line.split() for line in text.strip().split("|"))
            columns = [(column.partition(":")[0], column.partition(":")[2] or "varchar") for column in head]
            place = f"{schema}.{table}" if schema else table
            con.execute(f"create table {place} ({', '.join(f'{n} {t}' for n, t in columns)})")
            for row in rows:
                con.execute(
                    f"insert into {place} values ({', '.join('?' * len(row))})", [None if c == "-" else c for c in row]
                )
        done = con.execute(sql)
        names = [column[0] for column in done.description or ()]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def entered(kind: str, by: str = "party_id", **tables: str) -> dict[Any, bool]:
    """Who is there, and whether they are in or in the band."""
    return {row[by]: row["is_entered"] for row in rows_of(KINDS[kind].sql, **tables)}


CLASSES = "period party_id:integer class | current 1 A | current 2 B | current 3 C | current 4 A | current 5 A | current 6 A | previous 7 A"


def test_at_risk() -> None:
    """In below 0.7, out above 0.8; A and B; under contract by the chance to stay."""
    found = entered(
        "at_risk",
        classes=CLASSES,
        customer_outlook="party_id:integer kind p_alive:double p_stays_52w:double window_revenue:decimal(18,4) "
        "| 1 non-contractual 0.69 0.1 10 | 2 non-contractual 0.8 0.1 9 | 3 non-contractual 0.1 0.1 8 "
        "| 4 contractual 1 0.5 7 | 5 contractual 0.1 0.81 6 | 6 non-contractual 0.81 0.1 5 | 7 non-contractual 0.1 0.1 5",
        forecasts="party_id:integer silence_days:integer typical_gap_days:double | 1 90 30",
    )
    assert found == {1: True, 2: False, 3: False, 4: True, 7: False}


def test_gone_silent() -> None:
    """Two A customers, 4 purchases in the window: the limit is its largest, 20 %; out again beyond 30 %."""
    tables = {
        "classes": CLASSES,
        "parties": "party_id:integer segment | 1 - | 2 - | 4 - | 5 - | 6 -",
        "customers": "period party_id:integer window_purchases:integer | current 1 2 | current 4 1 | current 5 1 | current 2 9999 | previous 1 9999",
        "rhythm_priors": "segment r:double alpha_days:double | unknown 1 100",
    }
    # Known for 100 days with 1 purchase: chance (200 / (200 + silence))^2.
    forecasts = (
        "party_id:integer silence_days:integer typical_gap_days:double first_purchase_on:date last_purchase_on:date purchases:integer "
        "window_revenue:decimal(18,4) | 1 260 80 2026-01-01 2026-04-11 2 50 | 2 900 80 2026-01-01 2026-04-11 2 40 "
        "| 4 200 80 2026-01-01 2026-04-11 2 30 | 5 150 80 2026-01-01 2026-04-11 2 20 | 6 900 - 2026-01-01 2026-04-11 2 10"
    )
    assert entered("gone_silent", **tables, forecasts=forecasts) == {1: True, 2: False, 4: False}
    many = tables | {"customers": "period party_id:integer window_purchases:integer | current 1 1300"}
    assert entered("gone_silent", **many, forecasts=forecasts) == {}, "13 of 1,300 gaps grow beyond 1 %"


def test_unpaid() -> None:
    """Later than nine of ten paid invoices: those were paid 10 days late."""
    found = entered(
        "unpaid",
        receivables="party_id:integer outstanding:decimal(18,4) issued_on:date due_on:date settled_on:date is_known:boolean "
        "| 9 0 2026-01-01 2026-01-10 2026-01-20 true | 1 5 2026-05-01 2026-06-19 - true | 2 5 2026-05-01 2026-06-20 - true "
        "| 3 5 2026-05-01 2026-06-30 - true | 4 0.004 2026-05-01 2026-05-20 - true | 5 5 2026-05-01 2026-05-20 - false "
        "| - 5 2026-05-01 2026-05-20 - true | 6 5 2026-07-01 2026-05-20 - true",
    )
    assert found == {1: True, 2: False}
    prompt = "party_id:integer outstanding:decimal(18,4) issued_on:date due_on:date settled_on:date is_known:boolean | 1 5 2026-05-01 2026-06-23 - true | 2 5 2026-05-01 2026-06-22 - true"
    assert entered("unpaid", receivables=prompt) == {1: False, 2: True}, "at least a week"


def test_renewals() -> None:
    found = {
        row["record"]: row["is_entered"]
        for row in rows_of(
            KINDS["renewals"].sql,
            renewals_due__due_renewals="record_id party_id:integer due_on:date in_days:integer mrr_amount:decimal(18,2) danger "
            "is_urgent:boolean is_longer:boolean "
            "| year 1 2026-07-30 30 5 - false true | later 1 2026-07-31 31 5 - false true | far 1 2026-08-10 38 5 - false true "
            "| month 1 2026-07-10 10 5 - false false | danger 1 2026-07-10 10 5 cancelled true false",
        )
    }
    assert found == {"year 2026-07-30": True, "later 2026-07-31": False, "danger 2026-07-10": True}


def test_slipped_deals() -> None:
    found = {
        row["record"]: (row["is_entered"], row["mark"], row["late_days"])
        for row in rows_of(
            KINDS["slipped_deals"].sql,
            deals="party_id:integer system opportunity_id outcome expected_close_on:date amount:decimal(18,4) "
            "| 1 crm past open 2026-06-22 5 | 1 crm just open 2026-06-23 5 | 1 crm ahead open 2026-08-01 5 | 1 crm won won 2026-06-01 5 "
            "| 1 crm never open - 5 | 1 crm someday open 2028-01-01 5",
        )
    }
    assert found == {
        "crm past": (True, "2026-06-22", 8),
        "crm just": (False, "2026-06-23", 7),
        "crm ahead": (False, "2026-08-01", None),
    }


def test_ageing_tickets() -> None:
    found = {
        row["record"]: (row["is_entered"], row["level"])
        for row in rows_of(
            KINDS["ageing_tickets"].sql,
            classes=CLASSES,
            issues="party_id:integer system ticket_id opened_at:timestamp priority category is_resolved:boolean "
            "| 1 desk pressing 2026-06-22 Urgent - false | 2 desk b 2026-06-22 High - false | 1 desk fresh 2026-06-23 urgent - false "
            "| 1 desk old 2026-05-30 - - false | 1 desk younger 2026-05-31 low - false | 1 desk solved 2026-01-01 - - true "
            "| 1 desk - 2026-01-01 - - false | 7 desk past 2026-06-22 Urgent - false",
        )
    }
    assert found == {
        "desk pressing": (True, "act"),
        "desk b": (True, "watch"),
        "desk fresh": (False, "act"),
        "desk old": (True, "watch"),
        "desk younger": (False, "watch"),
        "desk past": (True, "watch"),
    }


def test_hot_leads() -> None:
    found = rows_of(
        KINDS["hot_leads"].sql,
        email_engagement__hot_and_warm="person click_days:integer last_on:date | ann@x 2 2026-06-01 | bob@x 1 2026-06-02 | cy@x 0 2026-06-03",
        email_engagement__mail_events="person party_id:integer | ann@x - | ann@x 4",
    )
    assert [(row["record"], row["party_id"], row["is_entered"]) for row in found] == [
        ("ann@x", 4, True),
        ("bob@x", None, False),
    ]


def test_flows_count_whole_weeks_and_know_an_export_that_ends_early() -> None:
    found = rows_of(
        (folder("queries") / "weekly" / "flows.sql").read_text(encoding="utf-8"),
        purchases="purchased_on:date | 2026-06-30 | 2026-06-24 | 2026-06-23 | 2026-06-09 | 2026-07-01",
        customers="period first_purchase_on:date | current 2026-06-09 | previous 2026-06-24",
        deals="outcome is_new_business:boolean closed_on:date | won true 2026-06-23 | won true 2026-06-10 | won false 2026-06-23 | lost true 2026-06-09 | open true -",
        leads="created_on:date | 2026-06-30",
        issues="opened_at:timestamp | 2026-06-30",
    )
    counts: dict[str, list[int]] = {}
    for row in found:
        counts.setdefault(row["flow"], []).append(row["count"])
    # The week in which an export begins is not whole, and is left out.
    assert counts == {
        "Purchases": [0, 1, 2],
        "New customers": [0, 0, 0],
        "Deals won": [1, 1, 0],
        "Deals lost": [0, 0, 0],
    }
    assert {row["flow"]: row["is_cut_short"] for row in found} == {
        "Purchases": False, "New customers": False, "Deals won": True, "Deals lost": True
    }  # fmt: skip


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_sql_can_be_carried_over_to_spark(path: Path) -> None:
    sql = path.read_text(encoding="utf-8").partition("-- /// table news")
    (carried,) = sqlglot.transpile(sql[2] or sql[0], read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE)
    assert carried
    ordered = sqlglot.parse_one(sql[2] or sql[0], read="duckdb").args.get("order") is not None
    assert ordered or path.stem == "people"


def observed(audited: Audited, tmp_path: Path) -> news.Observed:
    con = querying.open_locked(audited.folder / "audit.duckdb")
    try:
        return news.observe(Database(con, tmp_path), KINDS.values(), audited.report)
    finally:
        con.close()


def test_three_invoices_tell_what_they_can_and_nothing_breaks(small: Audited, tmp_path: Path) -> None:
    found = observed(small, tmp_path)
    assert {"slipped_deals", "ageing_tickets", "hot_leads", "renewals"} <= found.unknown
    assert not {"at_risk", "gone_silent", "unpaid"} & found.unknown
    assert all(key.startswith("finding/") for key in found.entries)


def test_the_example_tells_of_its_customers_by_name(example: Audited, tmp_path: Path) -> None:
    found = observed(example, tmp_path)
    kinds = {entry.kind for entry in found.entries.values()}
    assert {"at_risk", "gone_silent", "unpaid", "slipped_deals", "ageing_tickets"} <= kinds
    silent = [entry for entry in found.entries.values() if entry.kind == "gone_silent"]
    assert all(entry.customer and entry.party.startswith("account ") and entry.owner_email for entry in silent)
    assert all(entry.key == f"gone_silent/{entry.party}" for entry in silent)
    assert all("{" not in entry.text for entry in found.entries.values())


def told(*findings: Finding) -> Report:
    result = Result("win_rate", "win", "Win rate", "?", "answered", findings=findings)
    failed = Result("recency", "keep", "Recency", "?", "failed")
    data = (Finding("sources/act/x", "act", "x is lost."), Finding("sources/info/y", "info", "y"))
    return Report("0", "2026-06-30", {}, "EUR", "account", "hybrid", 0, (), (result, failed), {}, findings=data)


def test_findings_are_entries_by_their_keys_and_two_of_one_key_are_two() -> None:
    found = list(
        news._findings(
            told(
                Finding("k/act/a", "act", "one"), Finding("k/act/a", "act", "two"), Finding("k/good/b", "good", "three")
            )
        )
    )
    assert [(entry.key, entry.text) for entry in found] == [
        ("data/sources/act/x", "x is lost."), ("finding/k/act/a", "one"), ("finding/k/act/a#2", "two")
    ]  # fmt: skip
    assert [entry.kind for entry in found] == ["data", "audit:win_rate", "audit:win_rate"]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('-- title = "T"\n-- text = "x"\n', "lacks `subject`"),
        ('-- title = "T"\n-- subject = "s"\n-- text = "x"\n-- color = "red"\n', "unknown keys: color"),
    ],
)
def test_a_file_that_breaks_the_rules_is_told(header: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "own.sql"
    path.write_text(f"-- /// news\n{header}-- ///\n-- /// table news\nselect 1\n", encoding="utf-8")
    with pytest.raises(AuditFileError, match=said):
        news._read_kind(path)


def places(kinds: Iterable[news.Kind]) -> list[int]:
    return [kind.place for kind in kinds]


def test_every_kind_has_a_place_of_its_own() -> None:
    assert places(news.read_kinds()) == sorted(set(places(news.read_kinds())))
