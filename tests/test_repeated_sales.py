"""The same sale in two billing systems counts once, is listed, and stays in the account of its source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crmaudit import identity
from crmaudit.database import create_loaded, quoted
from crmaudit.schema import TABLES
from tests.command import crmaudit

COLUMNS = "system, invoice_id, account_name, issued_on, amount, currency, kind, status, source_id"
ACME = ("books", "1", "Acme", "2026-03-10", "50.50", "EUR", "sale", "paid", "1")
MORE = [("books", f"9{n}", "Other", "2020-01-01", f"{n}.25", "EUR", "sale", "paid", "1") for n in range(3)]
"""So that `books` is the system with more records."""


def like(row: Sequence[Any], **changes: Any) -> tuple[Any, ...]:
    """The sale of that row as another system has it, but for the changes."""
    names = COLUMNS.split(", ")
    other = dict(zip(names, row, strict=True)) | {"system": "shop", "invoice_id": "S1", "source_id": "2"} | changes
    return tuple(other[name] for name in names)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        create_loaded(con, TABLES)
        con.execute("create table settings as select 'account' as grain")
        yield con


def insert(con: duckdb.DuckDBPyConnection, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
    for row in rows:
        cells = ["null" if cell is None else f"'{quoted(cell)}'" for cell in row]
        con.execute(f"insert into loaded.{table} ({columns}) values ({', '.join(cells)})")


def left(con: duckdb.DuckDBPyConnection, rows: Sequence[Sequence[Any]]) -> list[str]:
    """The invoices that count of those rows."""
    insert(con, "invoices", COLUMNS, [*rows, *MORE])
    identity.resolve(con)
    found = con.execute("select invoice_id from invoices where account_name <> 'Other' order by all").fetchall()
    return [name for (name,) in found]


@pytest.mark.parametrize(
    ("changes", "counting"),
    [
        ({}, ["1"]),
        ({"issued_on": "2026-03-13"}, ["1"]),
        ({"issued_on": "2026-03-07"}, ["1"]),
        ({"currency": None}, ["1"]),
        ({"issued_on": "2026-03-14"}, ["1", "S1"]),
        ({"issued_on": "2026-03-06"}, ["1", "S1"]),
        ({"amount": "50.51"}, ["1", "S1"]),
        ({"currency": "USD"}, ["1", "S1"]),
        ({"account_name": "Bolt"}, ["1", "S1"]),
        ({"kind": "credit note"}, ["1", "S1"]),
        ({"status": "void"}, ["1", "S1"]),
        ({"status": "failed"}, ["1", "S1"]),
        ({"status": "draft"}, ["1", "S1"]),
        ({"system": "books"}, ["1", "S1"]),
        ({"kind": "bill"}, ["1", "S1"]),
    ],
)
def test_only_the_same_sale_counts_once(
    con: duckdb.DuckDBPyConnection, changes: dict[str, Any], counting: list[str]
) -> None:
    assert left(con, [ACME, like(ACME, **changes)]) == counting


def test_bills_zeros_and_sales_without_number_are_left_as_they_are(con: duckdb.DuckDBPyConnection) -> None:
    bill = like(ACME, system="books", invoice_id="2", kind="bill")
    nothing = like(ACME, system="books", invoice_id="3", amount="0")
    rows = [bill, like(bill), nothing, like(nothing, invoice_id="S3"), like(ACME, system="books", invoice_id=None)]
    insert(con, "invoices", COLUMNS, [*rows, *MORE])
    identity.resolve(con)
    assert con.execute("select count(*) from invoices where account_name = 'Acme'").fetchall() == [(5,)]


def test_one_sale_answers_one(con: duckdb.DuckDBPyConnection) -> None:
    """Two sales of a week in the one system and three in the other are three sales."""
    twice = like(ACME, system="books", invoice_id="2", issued_on="2026-03-12", source_id="1")
    shop = [like(ACME, invoice_id=f"S{n}", issued_on=f"2026-03-{n}") for n in (10, 12, 13)]
    assert left(con, [ACME, twice, *shop]) == ["1", "2", "S13"]


def test_of_three_systems_one_counts(con: duckdb.DuckDBPyConnection) -> None:
    assert left(con, [ACME, like(ACME), like(ACME, system="till", invoice_id="T1")]) == ["1"]


def test_what_paid_the_invoice_that_does_not_count_paid_the_one_that_does(con: duckdb.DuckDBPyConnection) -> None:
    insert(con, "invoices", COLUMNS, [ACME, like(ACME), *MORE])
    columns = "system, payment_id, invoice_id, account_name, paid_on, amount, source_id"
    paid = ("shop", "P1", "S1", "Acme", "2026-03-11", "50.50", "3")
    insert(con, "payments", columns, [paid, ("shop", "P2", "S2", "Acme", "2026-04-11", "7.50", "3")])
    insert(con, "payments", columns, [("books", "B1", "1", "Acme", "2026-03-11", "50.50", "4")])
    insert(con, "payments", columns, [("shop", "P3", None, "Bolt", "2026-05-11", "7.50", "3")])
    identity.resolve(con)
    query = "select payment_id, invoice_id from payments order by all"
    assert con.execute(query).fetchall() == [("P1", "1"), ("P2", "S2"), ("P3", None)]
    query = "select entity, record_id, other_record_id, amount from repeated_sales order by all"
    assert con.execute(query).fetchall() == [
        ("invoices", "1", "S1", Decimal("50.5")),
        ("payments", "P1", "B1", Decimal("50.5")),
    ]


BOOKS = "Transaction date,Transaction type,No.,Name,Total,Balance\n"
XERO = "*ContactName,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,Currency,*AccountCode,*TaxType\n"


def test_a_folder_of_two_billing_systems(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    sales = [("1001", "Acme Ltd", "2026-03-10", "50.50"), ("1002", "Bolt SA", "2026-04-10", "70.25")]
    rows = [
        f"{day},Invoice,{n},{name},{amount},0\n"
        for n, name, day, amount in [*sales, ("3", "Acme Ltd", "2026-05-30", "9.75")]
    ]
    (exports / "books.csv").write_text(BOOKS + "".join(rows))
    rows = [f"{name},INV-{n},,{day},{day},{amount},EUR,200,OUTPUT\n" for n, name, day, amount in sales]
    (exports / "xero.csv").write_text(XERO + "".join(rows))
    ran = crmaudit("analyze", exports, "--out", tmp_path / "audit", "--as-of", "2026-06-30")
    assert ran.code == 0, ran.said
    report = json.loads((tmp_path / "audit" / "audit.json").read_text())
    sources = {s["path"]: s for s in report["sources"]}
    assert sources["xero.csv"]["rows_loaded"] == 0
    (excluded,) = sources["xero.csv"]["exclusions"]
    assert excluded == {"reason": "the same sale as in quickbooks, within 3 days", "rows": 2, "amount": 120.75}
    assert sources["xero.csv"]["rows_excluded"] == 2
    assert any("2 invoices of xero are those of quickbooks" in f["text"] for f in report["findings"])
    with duckdb.connect(str(tmp_path / "audit" / "audit.duckdb"), read_only=True) as con:
        assert con.execute("select sum(amount) from purchases").fetchall() == [(Decimal("130.5"),)]
        assert con.execute("select count(*) from repeated_sales").fetchall() == [(2,)]
