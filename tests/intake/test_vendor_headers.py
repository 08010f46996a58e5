"""Every header line that we have of a vendor's own export is told as its vendor and table."""

from __future__ import annotations

import csv

import duckdb
import pytest

from crmaudit.intake.recognise import Recognition, recognise
from tests.intake.tables import raw_table, shared_folder

EXPECTED: dict[tuple[str, str], str | None] = {
    ("stripe", "payments"): "payments",
    ("stripe", "application fees"): None,
    ("stripe", "subscriptions"): "subscriptions",
    ("hubspot", "deals"): "opportunities",
    ("hubspot", "companies"): "accounts",
    ("hubspot", "contacts"): "contacts",
    ("pipedrive", "deals"): "opportunities",
    ("pipedrive", "all"): None,
    ("pipedrive", "leads"): "leads",
    ("pipedrive", "activities"): "activities",
    ("salesforce", "opportunities"): "opportunities",
    ("salesforce", "cases"): "tickets",
    ("dynamics365", "leads"): "leads",
    ("dynamics365", "opportunities"): "opportunities",
    ("zendesk", "tickets"): "tickets",
    ("freshdesk", "tickets"): "tickets",
    ("intercom", "conversations"): "tickets",
    ("chargebee", "subscriptions"): "subscriptions",
    ("quickbooks", "invoices"): "invoices",
    ("quickbooks", "transactions"): "invoices",
    ("quickbooks", "customers"): "accounts",
    ("xero", "sales invoices"): "invoices",
    ("zoho", "leads"): "leads",
    ("zoho", "potentials (deals)"): "opportunities",
    ("zoho", "invoices"): "invoices",
    ("zoho", "cases"): "tickets",
    ("shopify", "orders"): "invoices",
}
"""(vendor, what the export holds) -> canonical table; None for what we have no place for."""


def plausible(name: str, row: int) -> str:
    """A value that such a column might hold."""
    words = name.lower()
    if "minutes" in words or "hrs" in words:
        return str(30 + row)
    if any(w in words for w in ("date", "time", "created", "(utc)", "closed on", "solved at", "updated")):
        return f"2024-0{row + 1}-1{row}"
    if any(w in words for w in ("amount", "total", "value", "fee", "revenue", "quantity", "tax", "balance")):
        return f"{10 * row + 5}.50"
    return f"a{row}@example{row}.com" if "email" in words else f"{name[:5]} {row}"


def told(header: str) -> Recognition:
    columns = next(csv.reader([header]))
    con = duckdb.connect()
    rows = [[plausible(c, row) for c in columns] for row in range(3)]
    return recognise(con, [raw_table(con, "export.csv", columns, rows)])[0]


def test_every_header_line_is_told_as_its_vendor_and_table() -> None:
    path = shared_folder("vendor_headers") / "headers.tsv"
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(lines) >= 30
    for vendor, entity, form, _, header in lines:
        expected = "stage_changes" if "stage history" in form else EXPECTED[vendor, entity]
        found = told(header)
        assert (found.system, found.entity) == (vendor, expected), (vendor, entity, form)
        assert found.reason if expected is None else found.score >= 0.9


@pytest.mark.parametrize("mark", ["\ufeff", "*", " "])
def test_marks_around_a_header_do_not_matter(mark: str) -> None:
    found = told(f"{mark}Record ID,Deal Name,Deal Stage,Amount,Deal owner,Close Date,Create Date,Last Activity Date")
    assert (found.system, found.entity) == ("hubspot", "opportunities")


def test_bills_in_the_form_of_xero_are_no_sales() -> None:
    found = told("*ContactName,EmailAddress,*InvoiceNumber,*InvoiceDate,*DueDate,Total,*AccountCode,*TaxType,Currency")
    assert (found.system, found.entity) == ("xero", None)
    assert found.reason
    assert "Bills" in found.reason
