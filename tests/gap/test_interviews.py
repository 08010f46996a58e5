"""Whom to talk to: strata by what customers did, spread over the classes, the same in every run."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import duckdb
import pytest
import sqlglot
from sqlglot import ErrorLevel

from crmaudit import querying
from crmaudit.gap import guidance, interviews
from crmaudit.resources import folder
from tests.conftest import Audited

SQL = (folder("queries") / "gap" / "interviews.sql").read_text(encoding="utf-8")
AS_OF = dt.date(2026, 6, 30)

PEOPLE = """
 party  since       last        purchases  contract  ended       class  lapsed  overdue  began       stratum
 1      2020-01-01  2026-06-01  3          false     -           A      false   false    -           loyal
 2      2020-01-01  2026-06-01  3          false     -           A      false   true     -           -
 3      2024-07-01  2026-06-01  3          false     -           A      false   false    -           -
 4      2020-01-01  2025-01-01  0          false     -           -      false   false    -           -
 5      2020-01-01  -           0          true      -           -      -       -        -           loyal
 6      2026-01-01  2026-06-01  1          false     -           B      false   false    2026-01-01  won
 7      2026-01-01  2026-06-01  1          false     -           B      false   false    -           -
 8      2025-06-30  2026-06-01  1          false     -           B      false   false    2025-06-01  -
 9      2020-01-01  2025-01-01  0          false     -           -      true    true     -           lost
 10     2020-01-01  2024-06-30  0          false     -           -      true    true     -           -
 11     2020-01-01  -           0          false     2026-01-01  -      -       -        -           lost
 12     2020-01-01  -           0          false     2024-06-30  -      -       -        -           -
 13     2026-01-01  2026-02-01  1          false     -           -      true    true     2026-01-01  lost
"""
"""Each who belongs to a stratum, and beside them those whom one condition alone keeps out of it."""


def _value(text: str) -> str:
    return "null" if text == "-" else text if text.isdigit() or text in ("true", "false") else f"'{text}'"


@pytest.fixture
def base() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    lines = [line.split() for line in PEOPLE.strip().splitlines()]
    rows = [dict(zip(lines[0], map(_value, line), strict=True)) for line in lines[1:]]
    con.execute(f"create table clock as select date '{AS_OF}' as as_of_on")
    con.execute(
        "create table contact_records (party_id int, contact varchar, role varchar, title varchar, has_left bool)"
    )
    con.execute(
        "insert into contact_records values (1, 'Gone', 'a', null, true), (1, 'Zoe', null, 'x', false), (1, 'Jo', 'buyer', 'owner', false)"
    )
    con.execute(
        "create table customers (period varchar, party_id int, customer_since_on date, last_purchase_on date, "
        "window_purchases int, window_revenue decimal(18, 4), is_under_contract bool, ended_on date)"
    )
    con.execute(
        "create table parties (party_id int, customer varchar, account_id varchar, contact_id varchar, owner varchar)"
    )
    con.execute("create table classes (period varchar, party_id int, class varchar)")
    con.execute("create table forecasts (party_id int, is_lapsed bool, is_overdue bool)")
    con.execute("create table beginnings (party_id int, cohort_on date)")
    for r in rows:
        con.execute(
            f"insert into customers values ('current', {r['party']}, {r['since']}, {r['last']}, {r['purchases']}, 5, {r['contract']}, {r['ended']}), "
            f"('previous', {r['party']}, '2020-01-01', '2026-06-01', 1, 5, true, null)"
        )
        con.execute(f"insert into parties values ({r['party']}, 'Customer {r['party']}', 'A{r['party']}', null, 'Kim')")
        con.execute(f"insert into classes values ('current', {r['party']}, {r['class']})")
        con.execute(f"insert into forecasts values ({r['party']}, {r['lapsed']}, {r['overdue']})")
        con.execute(f"insert into beginnings values ({r['party']}, {r['began']})")
    return con


def test_each_condition_keeps_out_whom_it_should(base: duckdb.DuckDBPyConnection) -> None:
    lines = [line.split() for line in PEOPLE.strip().splitlines()[1:]]
    wanted = {int(line[0]): line[-1] for line in lines if line[-1] != "-"}
    assert dict(base.execute(f"select party_id, stratum from ({SQL})").fetchall()) == wanted


def test_a_class_takes_its_turn_and_a_contact_who_has_left_is_nobody(base: duckdb.DuckDBPyConnection) -> None:
    base.execute("insert into parties select 100 + range, 'More ' || range, 'M' || range, null, null from range(9)")
    base.execute(
        "insert into customers select 'current', 100 + range, '2020-01-01', '2026-06-01', 1, 5, false, null from range(9)"
    )
    base.execute("insert into classes select 'current', 100 + range, 'C' from range(9)")
    strata = interviews.draw(base, guidance.read([folder("report_templates")]).interviews, "EUR")
    loyal = next(stratum for stratum in strata if stratum.title.startswith("Loyal"))
    assert [one.customer_class for one in loyal.people[:3]] == ["A", "C", ""]
    assert loyal.drawn.replace("\u00a0", " ") == "5 of 11 customers"
    assert (loyal.people[0].contact, loyal.people[0].owner) == ("Jo, owner", "Kim")


def test_the_order_of_rows_is_of_no_account(base: duckdb.DuckDBPyConnection) -> None:
    first = base.execute(SQL).fetchall()
    for table in ("customers", "parties", "classes", "contact_records"):
        base.execute(f"create or replace table {table} as from {table} order by 1 desc, 2 desc")
    assert base.execute(SQL).fetchall() == first


def test_the_sql_can_be_carried_over_to_spark() -> None:
    assert sqlglot.transpile(SQL, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE)


def test_the_example_has_all_three_kinds(example: Audited) -> None:
    con = querying.open_locked(example.folder / "audit.duckdb")
    strata = interviews.draw(con, guidance.read([folder("report_templates")]).interviews, "USD")
    con.close()
    assert [len(stratum.people) for stratum in strata] == [5, 5, 5]
    for stratum in strata:
        assert max(Counter(one.customer_class for one in stratum.people).values()) <= 3
        assert len({one.customer for one in stratum.people}) == 5
