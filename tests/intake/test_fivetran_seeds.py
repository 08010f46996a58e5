"""Every warehouse table of five vendors is told for what it is, or told apart where we have no place for it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest

from crmaudit.intake.load import load
from crmaudit.intake.recognise import recognise
from tests.intake.tables import raw_file, shared_folder

TAKEN: dict[str, tuple[str, dict[str, str]]] = {
    "hubspot/company_data": ("accounts", {"account_id": "id", "name": "property_name"}),
    "hubspot/company_data_databricks": ("accounts", {"account_id": "id", "name": "property_name"}),
    "hubspot/company_data_postgres": ("accounts", {"account_id": "id", "name": "property_name"}),
    "hubspot/company_data_snowflake": ("accounts", {"account_id": "id", "name": "property_name"}),
    "hubspot/contact_data": ("contacts", {"contact_id": "id", "email": "property_email"}),
    "hubspot/deal_data": (
        "opportunities",
        {
            "opportunity_id": "deal_id",
            "stage": "deal_pipeline_stage_id",
            "amount": "property_amount",
            "closed_on": "property_closedate",
        },
    ),
    "hubspot/deal_company_data": ("opportunities", {"account_id": "company_id"}),
    "hubspot/deal_contact_data": ("opportunities", {"contact_id": "contact_id"}),
    "hubspot/deal_pipeline_data": ("opportunities", {"pipeline": "label"}),
    "hubspot/deal_pipeline_stage_data": ("opportunities", {"stage": "label"}),
    "hubspot/deal_stage_data": (
        "stage_changes",
        {"opportunity_id": "deal_id", "stage": "value", "changed_at": "date_entered"},
    ),
    "hubspot/email_event_data": (
        "campaign_touches",
        {"touch_id": "id", "email": "recipient", "kind": "type", "happened_at": "created"},
    ),
    "hubspot/engagement_call_data": (
        "activities",
        {"activity_id": "engagement_id", "happened_at": "property_hs_timestamp"},
    ),
    "hubspot/engagement_communication_data": (
        "activities",
        {"activity_id": "engagement_id", "happened_at": "property_hs_timestamp"},
    ),
    "hubspot/engagement_email_data": (
        "activities",
        {"activity_id": "engagement_id", "happened_at": "property_hs_timestamp"},
    ),
    "hubspot/engagement_meeting_data": ("activities", {"activity_id": "engagement_id", "happened_at": "start_time"}),
    "hubspot/engagement_note_data": (
        "activities",
        {"activity_id": "engagement_id", "happened_at": "property_hs_timestamp"},
    ),
    "hubspot/engagement_task_data": (
        "activities",
        {"activity_id": "engagement_id", "happened_at": "property_hs_timestamp"},
    ),
    "hubspot/engagement_company_data": ("activities", {"account_id": "company_id"}),
    "hubspot/engagement_contact_data": ("activities", {"contact_id": "contact_id"}),
    "hubspot/engagement_deal_data": ("activities", {"opportunity_id": "deal_id"}),
    "hubspot/owner_data": ("users", {"user_id": "owner_id", "email": "email"}),
    "hubspot/ticket_data": ("tickets", {"ticket_id": "id", "opened_at": "property_createdate"}),
    "hubspot/ticket_company_data": ("tickets", {"account_id": "company_id"}),
    "hubspot/ticket_contact_data": ("tickets", {"contact_id": "contact_id"}),
    "hubspot/users_data": ("users", {"user_id": "id", "email": "email"}),
    "salesforce/sf_account_data": ("accounts", {"account_id": "id", "name": "name"}),
    "salesforce/sf_account_history_data": ("accounts", {"account_id": "id", "name": "name"}),
    "salesforce/sf_contact_data": ("contacts", {"contact_id": "id", "account_id": "account_id", "email": "email"}),
    "salesforce/sf_contact_history_data": (
        "contacts",
        {"contact_id": "id", "account_id": "account_id", "email": "email"},
    ),
    "salesforce/sf_event_data": ("activities", {"activity_id": "id", "happened_at": "start_date_time"}),
    "salesforce/sf_lead_data": (
        "leads",
        {"lead_id": "id", "converted_on": "converted_date", "opportunity_id": "converted_opportunity_id"},
    ),
    "salesforce/sf_opportunity_data": (
        "opportunities",
        {
            "opportunity_id": "id",
            "stage": "stage_name",
            "amount": "amount",
            "closed_on": "close_date",
            "account_id": "account_id",
        },
    ),
    "salesforce/sf_opportunity_history_data": (
        "opportunities",
        {
            "opportunity_id": "id",
            "stage": "stage_name",
            "amount": "amount",
            "closed_on": "close_date",
            "account_id": "account_id",
        },
    ),
    "salesforce/sf_product_2_data": ("products", {"product_id": "id", "name": "name"}),
    "salesforce/sf_task_data": ("activities", {"activity_id": "id", "happened_at": "completed_date_time"}),
    "salesforce/sf_user_data": ("users", {"user_id": "id", "email": "email"}),
    "stripe/charge_data": (
        "payments",
        {"payment_id": "id", "amount": "amount", "paid_on": "created", "status": "status"},
    ),
    "stripe/credit_note_data": ("refunds", {"refund_id": "id", "amount": "total", "refunded_on": "created"}),
    "stripe/customer_data": ("contacts", {"contact_id": "id", "email": "email"}),
    "stripe/invoice_data": (
        "invoices",
        {"invoice_id": "id", "amount": "total", "tax_amount": "tax", "issued_on": "period_start"},
    ),
    "stripe/invoice_line_item_data": (
        "invoice_lines",
        {"line_id": "id", "invoice_id": "invoice_id", "amount": "amount"},
    ),
    "stripe/product_data": ("products", {"product_id": "id", "name": "name"}),
    "stripe/refund_data": ("refunds", {"refund_id": "id", "amount": "amount", "refunded_on": "created"}),
    "stripe/subscription_data": (
        "subscriptions",
        {"subscription_id": "id", "started_on": "start_date", "ended_on": "ended_at"},
    ),
    "stripe/subscription_history_data": (
        "subscriptions",
        {"subscription_id": "id", "started_on": "start_date", "ended_on": "ended_at"},
    ),
    "xero/xero_contact_data": ("accounts", {"account_id": "contact_id", "name": "name"}),
    "xero/xero_invoice_data": (
        "invoices",
        {"invoice_id": "invoice_id", "kind": "type", "amount": "total", "net_amount": "sub_total", "issued_on": "date"},
    ),
    "xero/xero_invoice_line_item_data": (
        "invoice_lines",
        {"line_id": "line_item_id", "invoice_id": "invoice_id", "amount": "line_amount"},
    ),
    "zendesk/organization_data": ("accounts", {"account_id": "id", "name": "name"}),
    "zendesk/ticket_data": ("tickets", {"ticket_id": "id", "opened_at": "created_at"}),
    "zendesk/user_data": ("contacts", {"contact_id": "id", "account_id": "organization_id", "email": "email"}),
    "zendesk/user_data_snowflake": (
        "contacts",
        {"contact_id": "id", "account_id": "organization_id", "email": "email"},
    ),
}
"""File -> its table, and where the columns that matter come from."""

LEFT: dict[str, str] = {
    "hubspot": """
        company_property_history_data contact_form_submission_data contact_list_data contact_list_member_data
        contact_merge_audit_data contact_property_history_data deal_property_history_data email_campaign_data
        email_event_bounce_data email_event_click_data email_event_deferred_data email_event_delivered_data
        email_event_dropped_data email_event_dropped_data_postgres email_event_dropped_data_snowflake
        email_event_forward_data email_event_open_data email_event_print_data email_event_sent_data
        email_event_sent_data_postgres email_event_sent_data_snowflake email_event_spam_report_data
        email_event_status_change_data engagement_data form_data merged_deal_data owner_team_data property_data property_option_data
        role_data team_data team_user_data ticket_deal_data
        ticket_engagement_data ticket_pipeline_data ticket_pipeline_stage_data ticket_property_history_data
    """,
    "salesforce": """
        sf_opportunity_line_item_data sf_order_data sf_user_role_data
    """,
    "stripe": """
        account_data balance_transaction_data card_data coupon_data credit_note_line_item_data discount_data
        discount_data_postgres discount_data_snowflake dispute_data fee_data payment_intent_data
        payment_method_card_data payment_method_data payout_balance_transaction_data payout_data plan_data
        price_data subscription_discount_data subscription_discount_data_postgres
        subscription_discount_data_snowflake subscription_item_data transfer_data
    """,
    "xero": """
        xero_account_data xero_bank_transaction_data xero_credit_note_data
        xero_invoice_line_item_has_tracking_category_data xero_journal_cash_data xero_journal_cash_line_data
        xero_journal_cash_line_has_tracking_category_data xero_journal_data xero_journal_line_data
        xero_journal_line_has_tracking_category_data xero_organization_data xero_tracking_category_data
        xero_tracking_category_has_option_data xero_tracking_category_option_data
    """,
    "zendesk": """
        audit_log_data brand_data brand_data_postgres daylight_time_data domain_name_data group_data
        organization_tag_data organization_tag_data_snowflake schedule_data schedule_holiday_data
        sla_policy_metric_history_data ticket_chat_data ticket_chat_event_data ticket_comment_data
        ticket_field_history_data ticket_form_history_data ticket_schedule_data ticket_sla_policy_data
        ticket_tag_data time_zone_data user_tag_data user_tag_data_snowflake
    """,
}
"""Vendor -> files that no canonical table has a place for."""

ALL = [*TAKEN, *(f"{vendor}/{name}" for vendor, names in LEFT.items() for name in names.split())]


@pytest.mark.parametrize("seed", ALL)
def test_every_seed_is_told_for_what_it_is(seed: str) -> None:
    vendor, _, name = seed.partition("/")
    con = duckdb.connect()
    found = recognise(con, [raw_file(con, shared_folder("fivetran_seeds") / vendor / f"{name}.csv")])[0]
    entity, columns = TAKEN.get(seed, (None, {}))
    assert (found.system, found.entity) == (vendor, entity)
    if found.mapping is None:
        assert found.reason
        return
    assert {c: found.mapping.source_of(c) for c in columns} == columns


def test_no_seed_is_forgotten() -> None:
    root = shared_folder("fivetran_seeds")
    assert {f"{p.parent.name}/{p.stem}" for p in root.glob("*/*.csv")} == set(ALL)


def test_xero_bills_are_apart_from_sales() -> None:
    con = duckdb.connect()
    path = shared_folder("fivetran_seeds") / "xero" / "xero_invoice_data.csv"
    load(con, [raw_file(con, path)], today=dt.date(2026, 1, 1))
    query = "select count(*), sum(amount) from loaded.invoices where {}"
    assert con.execute(query.format("kind = 'sale' and status = 'paid'")).fetchall() == [(103, Decimal("357700.59"))]
    assert con.execute(query.format("kind = 'bill'")).fetchall()[0][0] == 484


def test_stripe_cents_become_units() -> None:
    con = duckdb.connect()
    path = shared_folder("fivetran_seeds") / "stripe" / "charge_data.csv"
    load(con, [raw_file(con, path)], today=dt.date(2026, 1, 1))
    query = "select amount, currency, status from loaded.payments where payment_id = 'ch_0IMDAfig6peNXzgDJYQKfT3B'"
    assert con.execute(query).fetchall() == [(Decimal("32932.32"), "USD", "failed")]
