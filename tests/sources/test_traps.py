"""The traps that the files of sources/ name, each on the sample of its export."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crmaudit.intake.load import LoadedSource, load
from crmaudit.intake.read import read
from crmaudit.intake.synonyms import known_exports, unused_exports
from tests.intake.tables import raw_file, raw_table
from tests.sources.test_sources import SAMPLES, TODAY, loaded


def asked(name: str, columns: str) -> list[tuple[Any, ...]]:
    """Columns of a sample's rows, in the order of their values."""
    con, done = loaded(name)
    return con.execute(f"select {columns} from loaded.{done.sources[0].source.entity} order by all").fetchall()


def excluded(name: str) -> dict[str, int]:
    _, done = loaded(name)
    return {e.reason: e.rows for e in done.sources[0].source.exclusions}


def of_rows(header: str, *rows: str) -> tuple[duckdb.DuckDBPyConnection, LoadedSource]:
    con = duckdb.connect()
    table = raw_table(con, "export.csv", header.split(","), [r.split("|") for r in rows])
    return con, load(con, [table], today=TODAY).sources[0]


def test_every_sample_has_its_file() -> None:
    assert {p.stem for p in SAMPLES.iterdir()} == {k.file.removesuffix(".toml") for k in known_exports()}


def test_every_table_that_is_left_says_why() -> None:
    for export in unused_exports():
        assert export.reason.endswith(".")
        assert export.requires or export.columns


def test_stripe_amounts_are_in_the_smallest_unit_of_their_currency() -> None:
    assert asked("stripe_charges", "payment_id, amount, refunded_amount, currency") == [
        ("ch_1", Decimal(49), Decimal(0), "USD"),
        ("ch_2", Decimal(4900), Decimal(0), "JPY"),
        ("ch_3", Decimal("12.34"), Decimal(0), "EUR"),
        ("ch_4", Decimal(2), Decimal(2), "KWD"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "entity"),
    [
        ("id,customer,currency,total,amount_due,amount_paid,amount_remaining,date", "F{n}|Mill|EUR|1200|1200|0|1200|2024-01-0{n}",
         "invoices"),
        ("id,customer,currency,total,amount_due,amount_paid,amount_remaining,date,livemode",
         "F{n}|Mill|EUR|1200|1200|0|1200.00|2024-01-0{n}|true", "invoices"),
        ("refund_id,id,customer,amount,created,reason,receipt_number,status", "R{n}|R{n}|Mill|1200|2024-01-0{n}|late|{n}|done",
         "refunds"),
        ("payment_id,id,customer,amount,amount_refunded,captured,created,currency,paid",
         "P{n}|P{n}|Mill|1200|0|true|2024-01-0{n}|EUR|true", "payments"),
    ],
    ids=["invoices", "with parts of a cent", "refunds", "charges"],
)  # fmt: skip
def test_a_list_of_ones_own_with_names_that_stripe_has_too_is_not_in_cents(header: str, row: str, entity: str) -> None:
    con, done = of_rows(header, *(row.format(n=n) for n in range(1, 6)))
    assert done.source.system != "stripe"
    assert set(con.execute(f"select amount from loaded.{entity}").fetchall()) <= {(Decimal(1200),)}


def test_cents_that_a_program_wrote_as_whole_numbers_with_a_mark_are_cents() -> None:
    header = "id,customer,currency,total,amount_due,amount_paid,amount_remaining,created,livemode"
    con, _ = of_rows(header, "in_1|cus_1|eur|1200.0|1200.0|0.0|1200.0|2024-01-05|true")
    assert con.execute("select amount from loaded.invoices").fetchall() == [(Decimal(12),)]


def test_a_stripe_charge_that_was_not_captured_is_no_money() -> None:
    assert asked("stripe_charges", "payment_id, status") == [
        ("ch_1", "succeeded"),
        ("ch_2", "succeeded"),
        ("ch_3", "pending"),
        ("ch_4", "refunded"),
    ]
    assert excluded("stripe_charges") == {"test mode, no real payment": 1}


def test_a_stripe_refund_that_failed_gave_nothing_back() -> None:
    assert asked("stripe_refunds", "refund_id, amount") == [("re_1", Decimal(49)), ("re_2", Decimal(4900))]


def test_stripe_credit_notes_that_refunds_say_again_count_once() -> None:
    assert asked("stripe_credit_notes", "refund_id, amount") == [("cn_1", Decimal(50))]


def test_a_stripe_subscription_ends_when_it_ends_not_when_it_is_cancelled() -> None:
    assert asked("stripe_subscriptions", "subscription_id, ended_on, price, billing_period")[1] == (
        "sub_2", dt.date(2024, 2, 1), Decimal(490), "annual",
    )  # fmt: skip
    assert asked("stripe_subscriptions_api", "subscription_id, ended_on, quantity") == [
        ("sub_1", None, 2.0),
        ("sub_2", dt.date(2024, 2, 1), 1.0),
    ]


def test_hubspot_ids_of_several_companies_link_to_none() -> None:
    assert asked("hubspot_contacts", "contact_id, account_id, account_name") == [
        ("1", "9001", "Harbour Ltd"),
        ("2", None, None),
        ("3", None, None),
    ]


def test_hubspot_deals_of_existing_customers_are_no_new_business() -> None:
    kinds = asked("hubspot_deals", "opportunity_id, kind, pipeline")
    assert kinds[0] == ("101", "new business", "Sales Pipeline")
    assert kinds[1] == ("102", "existing business", "Renewals")


def test_ids_of_hubspot_stages_are_not_guessed_to_be_open() -> None:
    assert asked("hubspot_deals_warehouse", "opportunity_id, outcome, closed_on, expected_close_on") == [
        ("1", "won", dt.date(2024, 3, 1), None),
        ("2", "open", None, dt.date(2024, 12, 1)),
        ("3", None, None, dt.date(2024, 2, 1)),
    ]


def test_salesforce_says_by_itself_what_is_won() -> None:
    assert asked("salesforce_opportunities", "opportunity_id, outcome, kind, closed_on") == [
        ("006A", "won", "new business", dt.date(2024, 3, 1)),
        ("006B", "lost", "expansion", dt.date(2024, 4, 1)),
        ("006C", "open", None, None),
    ]
    assert excluded("salesforce_opportunities") == {"deleted in the source": 1}


def test_a_salesforce_currency_stands_before_its_amount() -> None:
    assert asked("salesforce_opportunities_report", "account_name, amount, currency, kind") == [
        ("Harbour Ltd", Decimal("1200.5"), "EUR", "new business"),
        ("Mill AG", Decimal("800.25"), "GBP", "renewal"),
        ("Quarry SA", Decimal("70.75"), "USD", None),
    ]


def test_salesforce_ids_that_may_be_anything_link_to_what_they_are() -> None:
    assert asked("salesforce_events", "activity_id, contact_id, opportunity_id") == [
        ("00UA", "003A", "006A"),
        ("00UB", None, None),
    ]
    assert asked("salesforce_tasks", "activity_id, contact_id, opportunity_id, duration_minutes") == [
        ("00TA", "003A", "006A", 1.5),
        ("00TB", None, None, None),
    ]


def test_owner_ids_are_resolved_through_the_users_export() -> None:
    con = duckdb.connect()
    tables = [raw_file(con, SAMPLES / f"salesforce_{n}.csv") for n in ("opportunities", "users")]
    load(con, tables, today=TODAY)
    query = (
        "select opportunity_id, u.name from loaded.opportunities join loaded.users u on user_id = owner_id order by 1"
    )
    assert con.execute(query).fetchall() == [("006A", "Ada Quill"), ("006B", "Ada Quill"), ("006C", "Ben Ash")]


def test_pipedrive_links_by_name_and_says_the_outcome_in_its_status() -> None:
    assert asked("pipedrive_deals", "opportunity_id, account_name, outcome, closed_on, stage") == [
        ("1", "Harbour Ltd", "won", dt.date(2024, 3, 2), "Proposal"),
        ("2", "Mill AG", "lost", dt.date(2024, 4, 2), "Negotiation"),
        ("3", "Quarry SA", "open", None, "Won trust"),
    ]


def test_what_is_not_done_has_not_taken_place() -> None:
    assert asked("pipedrive_activities", "activity_id, happened_at::varchar") == [
        ("1", "2024-01-03 10:00:00"),
        ("2", "2024-01-05 11:00:00"),
    ]


def test_the_do_not_modify_columns_of_dynamics_are_id_and_last_change() -> None:
    con, done = loaded("dynamics365_leads")
    source = done.sources[0]
    assert con.execute("select lead_id from loaded.leads order by 1").fetchall() == [("aa-1",), ("aa-2",), ("aa-3",)]
    assert source.recognition.mapping
    assert source.recognition.mapping.updated == "(Do Not Modify) Modified On"
    assert "(Do Not Modify) Row Checksum" in source.source.unmapped


def test_a_view_of_dynamics_without_status_does_not_say_how_deals_ended() -> None:
    con, _ = loaded("dynamics365_opportunities")
    assert con.execute("select count(outcome), count(closed_on), sum(amount) from loaded.opportunities").fetchall() == [
        (0, 2, Decimal("2071.5"))
    ]


def test_zendesk_satisfaction_is_a_word_and_an_offer_is_no_answer() -> None:
    columns = "ticket_id, satisfaction_text, satisfaction, first_response_hours, resolution_hours, category"
    assert asked("zendesk_tickets", columns) == [
        ("11", "Good", None, 0.5, 24.0, "Incident"),
        ("12", None, None, 1.5, 2.0, "Problem"),
    ]


def test_zendesk_agents_are_no_contacts() -> None:
    assert asked("zendesk_users", "contact_id") == [("501",), ("502",)]


def test_freshdesk_hours_with_colons_are_no_numbers() -> None:
    con, done = loaded("freshdesk_tickets")
    mapping = done.sources[0].recognition.mapping
    assert mapping
    assert "only 0% of its values are numbers" in mapping.unmapped["Resolution time (in hrs)"]
    assert "resolution_hours" in {r[0] for r in con.execute("describe loaded.tickets").fetchall()}


def test_an_intercom_conversation_counts_once_by_the_customers_first_message() -> None:
    assert asked("intercom_conversations", "ticket_id, email, description") == [
        ("c1", "ann@example.com", "Wrong sum"),
        ("c2", "bob@example.com", "Slow"),
    ]


def test_chargebee_headers_are_dotted() -> None:
    assert asked("chargebee_subscriptions", "subscription_id, account_id, plan, status, started_on, ended_on")[1] == (
        "s2", "c2", "pro", "cancelled", dt.date(2023, 2, 1), dt.date(2024, 2, 1),
    )  # fmt: skip


def test_a_shopify_order_counts_once_and_its_time_has_a_zone() -> None:
    assert asked("shopify_orders", "invoice_id, amount, net_amount, refunded_amount, status, issued_on, quantity") == [
        ("#1001", Decimal(105), None, Decimal(0), "paid", dt.date(2024, 1, 5), None),
        ("#1002", Decimal("65.25"), None, Decimal(20), "paid", dt.date(2024, 1, 6), None),
    ]


def test_days_of_zoho_become_hours() -> None:
    assert asked("zoho_cases", "resolution_hours, status")[0] == (48.0, "closed")


def test_closed_lost_to_competition_is_lost() -> None:
    assert asked("zoho_deals", "name, outcome") == [("Harbour", "won"), ("Mill", "lost"), ("Quarry", "open")]


def test_a_column_that_the_sample_leaves_empty_gives_way_to_the_next_name() -> None:
    con, _ = of_rows(
        "Id,WhoId,WhatId,ActivityDate,CompletedDateTime,TaskSubtype,IsClosed",
        "00TA|003A|006A|2024-01-05||Call|true",
        "00TB|003A|006A|2024-01-06||Call|true",
    )
    assert con.execute("select min(happened_at)::date from loaded.activities").fetchall() == [(dt.date(2024, 1, 5),)]


def test_a_strict_file_maps_nothing_by_name_alone() -> None:
    _, done = of_rows(
        "id,created,delinquent,email,invoice_prefix,state",
        *(f"cus_{i}|2024-01-01|FALSE|a@example.com|A|active" for i in range(3)),
    )
    assert done.source.system == "stripe"
    assert "state" in done.source.unmapped


def test_an_unused_column_stays_out_and_says_why() -> None:
    _, done = of_rows(
        "Record ID,First Name,Last Name,Create Date,Company Name",
        *(f"{i}|Ann|Lee|2024-01-01|Harbour" for i in range(3)),
    )
    mapping = done.recognition.mapping
    assert mapping
    assert mapping.unmapped["Company Name"] == "what the person typed, not the company the contact belongs to"


def test_a_rule_about_a_column_that_the_file_lacks_is_left_out() -> None:
    con, _ = of_rows(
        "id,amount,amount_refunded,balance_transaction_id,captured,created,currency,paid,status",
        "ch_1|4900|0|txn_1|TRUE|2024-01-05|usd|TRUE|succeeded",
        "ch_2|4900|0|txn_2|FALSE|2024-01-05|usd|TRUE|succeeded",
    )
    assert con.execute("select status from loaded.payments order by payment_id").fetchall() == [
        ("succeeded",),
        ("pending",),
    ]


def test_texts_are_rewritten_in_files_of_plain_characters_too(tmp_path: Path) -> None:
    con = duckdb.connect()
    (table,) = read(SAMPLES / "hubspot_contacts.csv", SAMPLES, con, workdir=tmp_path)
    assert table.is_plain
    load(con, [table], today=TODAY)
    assert con.execute("select account_id from loaded.contacts order by contact_id").fetchall() == [
        ("9001",),
        (None,),
        (None,),
    ]
