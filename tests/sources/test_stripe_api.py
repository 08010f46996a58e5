"""What Stripe's API answers, saved as it came: a list of objects, amounts in cents, times in seconds."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crmaudit.intake.load import LoadedSource, load
from crmaudit.intake.read import read
from tests.sources.test_sources import TODAY

BOUGHT = 1700000000
"""14 November 2023."""

INVOICES = [
    {"id": f"in_{n}", "object": "invoice", "customer": "cus_1", "customer_email": "ann@example.com", "currency": currency,
     "amount_due": total, "amount_paid": paid, "amount_remaining": total - paid, "subtotal": 2 * total, "tax": tax,
     "total": total, "status": status, "created": BOUGHT, "due_date": None, "livemode": True,
     "lines": {"object": "list", "data": [{"id": "il_1", "amount": total}]}, "subscription": "sub_1",
     "status_transitions": {"paid_at": BOUGHT + 86400 if status == "paid" else None}}
    for n, currency, total, paid, tax, status in (
        (1, "usd", 1200, 1200, 200, "paid"), (2, "jpy", 5000, 1000, None, "open"), (3, "usd", 7050, 0, 0, "void"),
    )
]  # fmt: skip
CUSTOMERS = [
    {"id": f"cus_{n}", "object": "customer", "created": BOUGHT, "delinquent": False, "email": f"{n}@example.com",
     "name": f"Ann {n}", "phone": None, "address": {"city": "York"}, "livemode": True}
    for n in (1, 2, 3)
]  # fmt: skip
SUBSCRIPTIONS = [
    {"id": f"sub_{n}", "object": "subscription", "billing_cycle_anchor": BOUGHT, "cancel_at_period_end": False,
     "canceled_at": None, "ended_at": ended, "created": BOUGHT, "customer": f"cus_{n}", "currency": "usd",
     "start_date": BOUGHT, "status": "canceled" if ended else "active", "livemode": True,
     "items": {"object": "list", "data": [{"price": {"unit_amount": 900}, "quantity": 2}]}}
    for n, ended in ((1, None), (2, BOUGHT + 86400), (3, None))
]  # fmt: skip
CHARGES = [
    {"id": f"ch_{n}", "object": "charge", "amount": amount, "amount_refunded": 0, "captured": True, "created": BOUGHT,
     "currency": currency, "customer": "cus_1", "paid": True, "refunded": False, "status": "succeeded",
     "invoice": f"in_{n}", "balance_transaction": "txn_1", "billing_details": {"email": "ann@example.com"},
     "receipt_email": None, "livemode": True}
    for n, currency, amount in ((1, "usd", 1200), (2, "jpy", 1000), (3, "usd", 5))
]  # fmt: skip
REFUNDS = [
    {"id": f"re_{n}", "object": "refund", "amount": 250, "charge": "ch_1", "created": BOUGHT, "currency": "usd",
     "reason": "requested_by_customer", "receipt_number": None, "status": status}
    for n, status in ((1, "succeeded"), (2, "failed"), (3, "succeeded"))
]  # fmt: skip

DAY = dt.date(2023, 11, 14)


def answered(objects: list[dict[str, Any]], form: str, folder: Path) -> tuple[duckdb.DuckDBPyConnection, LoadedSource]:
    answer = {"object": "list", "url": "/v1/things", "has_more": False, "data": objects}
    text = {
        "list": json.dumps(answer, indent=2),
        "array": json.dumps(objects),
        "lines": "".join(json.dumps(o) + "\n" for o in objects),
    }[form]
    path = folder / "export.json"
    path.write_text(text)
    con = duckdb.connect()
    return con, load(con, read(path, folder, con, workdir=folder), today=TODAY).sources[0]


@pytest.mark.parametrize("form", ["list", "array", "lines"])
@pytest.mark.parametrize(
    ("objects", "entity", "columns", "expected"),
    [
        (INVOICES, "invoices",
         "invoice_id, contact_id, email, subscription_id, status, amount, net_amount, paid_amount, open_amount, issued_on, paid_on",
         [("in_1", "cus_1", "ann@example.com", "sub_1", "paid", Decimal(12), Decimal(10), Decimal(12), Decimal(0), DAY,
           dt.date(2023, 11, 15)),
          ("in_2", "cus_1", "ann@example.com", "sub_1", "open", Decimal(5000), None, Decimal(1000), Decimal(4000), DAY,
           None),
          ("in_3", "cus_1", "ann@example.com", "sub_1", "void", Decimal("70.5"), Decimal("70.5"), Decimal(0),
           Decimal("70.5"), DAY, None)]),
        (CUSTOMERS, "contacts", "contact_id, name, email, created_on",
         [(f"cus_{n}", f"Ann {n}", f"{n}@example.com", DAY) for n in (1, 2, 3)]),
        (SUBSCRIPTIONS, "subscriptions", "subscription_id, contact_id, status, started_on, ended_on",
         [("sub_1", "cus_1", "active", DAY, None), ("sub_2", "cus_2", "cancelled", DAY, dt.date(2023, 11, 15)),
          ("sub_3", "cus_3", "active", DAY, None)]),
        (CHARGES, "payments", "payment_id, contact_id, email, invoice_id, amount, currency, paid_on",
         [("ch_1", "cus_1", "ann@example.com", "in_1", Decimal(12), "USD", DAY),
          ("ch_2", "cus_1", "ann@example.com", "in_2", Decimal(1000), "JPY", DAY),
          ("ch_3", "cus_1", "ann@example.com", "in_3", Decimal("0.05"), "USD", DAY)]),
        (REFUNDS, "refunds", "refund_id, payment_id, amount, refunded_on",
         [("re_1", "ch_1", Decimal("2.5"), DAY), ("re_3", "ch_1", Decimal("2.5"), DAY)]),
    ],
    ids=["invoices", "customers", "subscriptions", "charges", "refunds"],
)  # fmt: skip
def test_objects_of_the_api_are_told_and_read_in_units(
    objects: list[dict[str, Any]], entity: str, columns: str, expected: list[tuple[Any, ...]], form: str, tmp_path: Path
) -> None:
    con, done = answered(objects, form, tmp_path)
    assert (done.source.system, done.source.entity) == ("stripe", entity)
    assert con.execute(f"select {columns} from loaded.{entity} order by 1").fetchall() == expected
