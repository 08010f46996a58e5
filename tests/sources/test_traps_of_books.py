"""The traps of bookkeeping exports: QuickBooks' and Xero's balances, totals, taxes and lines."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from crmaudit import losses
from crmaudit.intake.load import load
from crmaudit.intake.read import read
from crmaudit.intake.rules import FURTHER_LINE, OTHER_TOTAL
from tests.sources.test_sources import TODAY, loaded
from tests.sources.test_traps import asked, excluded, of_rows


def test_quickbooks_customers_are_their_parents_and_not_deleted() -> None:
    assert asked("quickbooks_customers", "account_id, name") == [
        (n, n) for n in ("Harbour Ltd", "Mill AG", "Quarry SA")
    ]
    assert asked("quickbooks_invoices", "account_name, amount, kind") == [
        ("Harbour Ltd", Decimal("1200.5"), "sale"),
        ("Mill AG", Decimal("800.25"), "sale"),
        ("Quarry SA", Decimal("-70.75"), "credit note"),
    ]


@pytest.mark.parametrize(
    ("name", "open_amounts"),
    [
        ("quickbooks_invoices", {"1001": "0", "1002": "800.25", "1003": "0"}),
        ("quickbooks_sales", {"1001": "0", "1002": "0"}),
        ("xero_invoices", {"INV-1": "0", "INV-2": "80.25"}),
        ("xero_invoices_warehouse", {"i1": "0", "i2": "47.99", "i3": "0"}),
        ("stripe_invoices", {"in_1": "0", "in_2": "12000", "in_3": "1"}),
        ("shopify_orders", {"#1001": "0", "#1002": "5.25"}),
    ],
)
def test_the_balance_of_an_invoice_is_what_is_still_owed(name: str, open_amounts: dict[str, str]) -> None:
    expected = [(number, Decimal(amount)) for number, amount in open_amounts.items()]
    assert asked(name, "invoice_id, open_amount") == expected


def test_quickbooks_payments_and_estimates_are_no_invoices() -> None:
    assert asked("quickbooks_sales", "invoice_id, amount") == [("1001", Decimal("1200.5")), ("1002", Decimal("800.25"))]
    assert excluded("quickbooks_sales") == {"no invoice": 2}


@pytest.mark.parametrize("customer", ["Customer", "Name", "Customer full name"])
def test_a_quickbooks_report_has_title_lines_and_a_total(tmp_path: Path, customer: str) -> None:
    text = (
        "Invoice List by Date,,,,,,,,\nOur Company Inc.,,,,,,,,\nAll Dates,,,,,,,,\n\n"
        f"Date,Num,{customer},Memo/Description,Due Date,Amount,Open Balance,Currency,Exchange rate\n"
        '01/15/2024,1001,Harbour Ltd,,02/14/2024,"1,200.50",0.00,USD United States Dollar,1\n'
        "01/16/2024,1002,Mill AG:Bakery,,02/15/2024,800.25,800.25,USD United States Dollar,1\n"
        "01/17/2024,1003,Quarry SA (deleted),,02/16/2024,(70.75),0.00,USD United States Dollar,1\n"
        'TOTAL,,,,,"1,930.00",800.25,,\n'
    )
    path = tmp_path / "invoices.csv"
    path.write_text(text)
    con = duckdb.connect()
    source = load(con, read(path, tmp_path, con, workdir=tmp_path), today=TODAY).sources[0].source
    assert (source.system, source.entity, source.rows_loaded) == ("quickbooks", "invoices", 3)
    query = "select sum(amount), min(currency), max(currency), max(account_name) from loaded.invoices"
    assert con.execute(query).fetchall() == [(Decimal(1930), "USD", "USD", "Quarry SA")]


def test_totals_hold_tax_and_what_is_bought_is_net_where_the_tax_is_told() -> None:
    assert asked("xero_invoices", "invoice_id, net_amount, amount") == [
        ("INV-1", Decimal("270.45"), Decimal("300.5")),
        ("INV-2", Decimal("72.23"), Decimal("80.25")),
    ]
    assert asked("stripe_invoices", "invoice_id, net_amount")[:2] == [("in_1", Decimal(40)), ("in_2", Decimal(12000))]


@pytest.mark.parametrize(
    ("name", "is_gross"),
    [
        ("xero_invoices", False),
        ("xero_invoices_warehouse", False),
        ("quickbooks_sales", True),
        ("shopify_orders", True),
    ],
)
def test_amounts_that_hold_an_unknown_tax_are_told(name: str, is_gross: bool) -> None:
    con, done = loaded(name)
    told = [finding.text for finding in losses.gross(con, done.sources)]
    assert told == [f"{name}.csv: its amounts hold tax, and no net amount can be told. "
                    "Revenue from this file is gross."] * is_gross  # fmt: skip


@pytest.mark.parametrize(
    ("taxes", "said"),
    [
        (("", ""), "no net amount can be told. Revenue from this file is gross."),
        (("30.05", ""), "no net amount can be told for 1 of 2 rows. They count gross."),
    ],
)
def test_a_tax_that_is_left_empty_tells_no_net(taxes: tuple[str, str], said: str) -> None:
    con, done = of_rows(
        "*ContactName,*InvoiceNumber,Reference,*InvoiceDate,Total,TaxTotal,*AccountCode,*TaxType",
        f"Harbour Ltd|INV-1||2024-01-15|300.50|{taxes[0]}|200|OUTPUT",
        f"Mill AG|INV-2||2024-01-16|80.25|{taxes[1]}|200|OUTPUT",
    )
    assert [f.text for f in losses.gross(con, [done])] == [f"export.csv: its amounts hold tax, and {said}"]


@pytest.mark.parametrize("repeated", ["300.50", ""])
def test_a_xero_invoice_counts_once_however_its_total_stands_on_its_lines(repeated: str) -> None:
    header = "*ContactName,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,*Quantity,*AccountCode,*TaxType"
    con, done = of_rows(
        header,
        "Harbour Ltd|INV-1||2024-01-15|2024-02-14|300.50|1|200|OUTPUT",
        f"Harbour Ltd|INV-1||2024-01-15|2024-02-14|{repeated}|5|200|OUTPUT",
        "Mill AG|INV-2||2024-01-16|2024-02-15|80.25|1|200|OUTPUT",
    )
    assert con.execute("select invoice_id, amount, quantity from loaded.invoices order by 1").fetchall() == [
        ("INV-1", Decimal("300.5"), None),
        ("INV-2", Decimal("80.25"), None),
    ]
    (further,) = done.source.exclusions
    assert (further.reason, further.rows, further.amount) == (FURTHER_LINE, 1, None)
    assert done.money_read == done.money_loaded == Decimal("380.75")


def test_totals_that_differ_between_lines_are_told() -> None:
    con, done = of_rows(
        "*ContactName,*InvoiceNumber,Reference,*InvoiceDate,Total,*AccountCode,*TaxType",
        "Harbour Ltd|INV-1||2024-01-15||200|OUTPUT",
        "Harbour Ltd|INV-1||2024-01-15|300.50|200|OUTPUT",
        "Harbour Ltd|INV-1||2024-01-15|100.25|200|OUTPUT",
    )
    assert con.execute("select amount from loaded.invoices").fetchall() == [(Decimal("300.5"),)]
    assert "1 records have lines with different totals: the first line's counts" in done.source.notes
    assert {(e.reason, e.rows, e.amount) for e in done.source.exclusions} == {
        (FURTHER_LINE, 1, None),
        (OTHER_TOTAL, 1, 100.25),
    }
    assert (done.money_read, done.money_loaded) == (Decimal("400.75"), Decimal("300.5"))


def test_a_line_that_cannot_be_read_does_not_take_the_readable_ones_of_its_record_with_it() -> None:
    con, done = of_rows(
        "*ContactName,*InvoiceNumber,Reference,*InvoiceDate,Total,*AccountCode,*TaxType",
        "Harbour Ltd|INV-1||some day|300.50|200|OUTPUT",
        "Harbour Ltd|INV-1||2024-01-15|300.50|200|OUTPUT",
        "Mill AG|INV-2||2024-01-16|80.25|200|OUTPUT",
        "Mill AG|INV-2||some day|80.25|200|OUTPUT",
    )
    loaded = con.execute("select invoice_id, amount, issued_on from loaded.invoices order by 1").fetchall()
    assert loaded == [
        ("INV-1", Decimal("300.5"), dt.date(2024, 1, 15)),
        ("INV-2", Decimal("80.25"), dt.date(2024, 1, 16)),
    ]
    assert (done.source.rows_rejected, done.source.exclusions) == (2, ())
    assert done.money_read == done.money_loaded == Decimal("380.75")


def test_xero_bills_are_told_from_sales_by_their_type() -> None:
    assert asked("xero_invoices_warehouse", "invoice_id, kind, status, net_amount") == [
        ("i1", "sale", "paid", Decimal("100.5")),
        ("i2", "bill", "open", Decimal("47.99")),
        ("i3", "sale", "void", Decimal("70.75")),
    ]
