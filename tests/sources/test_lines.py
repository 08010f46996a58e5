"""Lists of invoices with a row per line: the rows are the lines too, of the invoices that count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb

from crmaudit.intake.load import load
from tests.intake.tables import raw_table
from tests.sources.test_sources import TODAY, loaded
from tests.sources.test_traps import of_rows


def lines_of(name: str) -> list[tuple[Any, ...]]:
    con, _ = loaded(name)
    columns = "invoice_id, product_id, product, quantity, amount"
    return con.execute(f"select {columns} from loaded.invoice_lines order by all").fetchall()


def test_rows_of_shopify_orders_are_their_lines_at_the_price_of_one() -> None:
    assert lines_of("shopify_orders") == [
        ("#1001", "B1", "Bulb", 2.0, Decimal(40)),
        ("#1001", "L1", "Lamp", 1.0, Decimal(60)),
        ("#1002", "L1", "Lamp", 1.0, Decimal(60)),
    ]


def test_rows_of_xero_invoices_are_their_lines() -> None:
    assert lines_of("xero_invoices") == [
        ("INV-1", None, "Fit-out", 1.0, Decimal(200)),
        ("INV-1", None, "Travel", 1.0, Decimal("100.5")),
        ("INV-2", None, "Advice", 1.0, Decimal("60.25")),
        ("INV-2", None, "Travel", 1.0, Decimal(20)),
    ]


ORDERS = (
    "Name,Financial Status,Total,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem discount"
)


def test_a_discounted_line_has_no_amount_and_a_row_without_product_is_no_line() -> None:
    con, done = of_rows(
        ORDERS,
        "#1|paid|30.50|EUR|2024-01-05 10:00:00 +0100|3|Bulb|10.50|1.00",
        "#1||||2024-01-05 10:00:00 +0100|1|Lamp|5.50|0.00",
        "#2|paid|30.50|EUR|2024-01-05 10:00:00 +0100||||",
    )
    query = "select invoice_id, product, amount from loaded.invoice_lines order by all"
    assert con.execute(query).fetchall() == [("#1", "Bulb", None), ("#1", "Lamp", Decimal("5.5"))]
    assert (done.source.rows_read, done.source.rows_loaded, done.source.rows_excluded) == (3, 2, 1)


def test_lines_of_an_order_that_is_exported_twice_count_once() -> None:
    con = duckdb.connect()
    header = ORDERS.split(",")
    first = [
        "#1|paid|30.50|EUR|2024-01-05 10:00:00 +0100|3|Bulb|10.50|",
        "#1||||2024-01-05 10:00:00 +0100|1|Lamp|5.50|",
    ]
    later = [
        "#1|paid|30.50|EUR|2024-01-05 10:00:00 +0100|2|Bulb|10.50|",
        "#3|paid|9.50|EUR|2024-03-05 10:00:00 +0100|1|Cup|9.50|",
    ]
    tables = [
        raw_table(con, f"orders_{name}.csv", header, [row.split("|") for row in rows])
        for name, rows in (("1", first), ("2", later))
    ]
    done = load(con, tables, today=TODAY)
    query = "select invoice_id, product, quantity, source_id from loaded.invoice_lines order by all"
    assert con.execute(query).fetchall() == [("#1", "Bulb", 2.0, 2), ("#3", "Cup", 1.0, 2)]
    for source in (s.source for s in done.sources):
        assert source.rows_read == source.rows_loaded + source.rows_excluded + source.rows_rejected
