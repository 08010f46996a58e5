"""What each file is taken for: the real exports as a person who knows them would sign, and nothing mistaken."""

from __future__ import annotations

import datetime as dt
import tomllib

import duckdb
import pytest

from crmaudit.errors import SettingsError
from crmaudit.intake.describe import describe, propose_settings
from crmaudit.intake.recognise import Recognition, recognise
from crmaudit.intake.synonyms import plain, vocabulary
from crmaudit.schema import TABLES
from tests.intake.tables import raw_table, real_load

ENTITIES: dict[str, dict[str, str | None]] = {
    "maven_crm": {
        "accounts.csv": "accounts", "data_dictionary.csv": None, "products.csv": "products",
        "sales_pipeline.csv": "opportunities", "sales_teams.csv": "users",
    },
    "ravenstack": {
        "ravenstack_accounts.csv": "accounts", "ravenstack_churn_events.csv": "churn_events",
        "ravenstack_feature_usage.csv": "usage", "ravenstack_subscriptions.csv": "subscriptions",
        "ravenstack_support_tickets.csv": "tickets",
    },
    "complyflow": {
        "accounts.csv": "accounts", "customer_health_scores.csv": None, "leads.csv": "leads",
        "opportunities.csv": "opportunities", "retention_experiments.csv": "experiments",
        "revenue_events.csv": "subscription_changes", "sales_reps.csv": "users", "subscriptions.csv": "subscriptions",
    },
    "flowstack": {
        "account_managers.csv": "users", "customers.csv": "accounts", "monthly_targets.csv": None,
        "plans.csv": "products", "subscriptions.csv": "subscriptions", "support_tickets.csv": "tickets",
    },
    "p5_saas_journey": {
        "cohort_retention_matrix.csv": None, "customer_journey.csv": None, "events.csv": "usage",
        "funnel_summary.csv": None, "kpi_summary.csv": None, "mrr_breakdown.csv": None, "revenue.csv": "invoices",
        "segmentation.csv": None, "subscriptions.csv": "subscriptions", "support_tickets.csv": "tickets",
        "users.csv": "contacts",
    },
    "cdnow": {
        "CDNOW_master.txt": "invoices", "CDNOW_sample.txt": None, "cdnow_customers_summary.csv": None,
        "cdnow_customers_summary_with_transactions.csv": None, "donations.csv": None,
    },
    "churnguard": {"amplitude_usage.csv": None, "salesforce_accounts.csv": "accounts", "zendesk_tickets.csv": None},
}  # fmt: skip

COLUMNS: dict[tuple[str, str], dict[str, str]] = {
    ("maven_crm", "accounts.csv"): {
        "account": "name", "sector": "industry", "revenue": "annual_revenue", "employees": "employees",
        "office_location": "region", "subsidiary_of": "parent_name",
    },
    ("maven_crm", "sales_pipeline.csv"): {
        "opportunity_id": "opportunity_id", "sales_agent": "owner_id", "product": "product", "account": "account_name",
        "deal_stage": "stage", "engage_date": "created_on", "close_date": "closed_on", "close_value": "amount",
    },
    ("maven_crm", "products.csv"): {"product": "name", "series": "family", "sales_price": "price"},
    ("maven_crm", "sales_teams.csv"): {"sales_agent": "name", "manager": "team"},
    ("ravenstack", "ravenstack_support_tickets.csv"): {
        "ticket_id": "ticket_id", "account_id": "account_id", "submitted_at": "opened_at", "closed_at": "resolved_at",
        "resolution_time_hours": "resolution_hours", "priority": "priority",
        "first_response_time_minutes": "first_response_hours", "satisfaction_score": "satisfaction",
        "escalation_flag": "is_escalated",
    },
    ("ravenstack", "ravenstack_churn_events.csv"): {
        "churn_event_id": "event_id", "account_id": "account_id", "churn_date": "churned_on", "reason_code": "reason",
        "refund_amount_usd": "refunded_amount", "is_reactivation": "is_reactivation", "feedback_text": "feedback",
    },
    ("ravenstack", "ravenstack_feature_usage.csv"): {
        "usage_id": "usage_id", "subscription_id": "subscription_id", "usage_date": "used_at",
        "feature_name": "feature", "usage_count": "quantity",
    },
    ("complyflow", "accounts.csv"): {
        "account_id": "account_id", "company_name": "name", "segment": "segment", "industry": "industry",
        "region": "region", "arr": "annual_revenue", "signup_date": "created_on",
    },
    ("complyflow", "revenue_events.csv"): {
        "event_id": "change_id", "account_id": "account_id", "sub_id": "subscription_id", "type": "kind",
        "amount": "amount", "event_date": "changed_on",
    },
    ("complyflow", "retention_experiments.csv"): {
        "experiment_id": "assignment_id", "account_id": "account_id", "sub_id": "subscription_id", "variant": "variant",
        "treatment_type": "treatment", "assigned_date": "assigned_on", "outcome": "outcome",
    },
    ("flowstack", "customers.csv"): {
        "customer_id": "account_id", "company_name": "name", "industry": "industry", "region": "region",
        "acquisition_channel": "origin", "signup_date": "created_on", "manager_id": "owner_id",
        "created_at": "loaded_at",
    },
    ("flowstack", "subscriptions.csv"): {
        "subscription_id": "subscription_id", "customer_id": "account_id", "plan_id": "product_id",
        "billing_cycle": "billing_period", "subscription_start": "started_on", "subscription_end": "ended_on",
        "subscription_status": "status", "discount_percent": "discount_pct", "created_at": "loaded_at",
    },
    ("flowstack", "plans.csv"): {"plan_id": "product_id", "plan_name": "name", "monthly_price": "price"},
    ("p5_saas_journey", "users.csv"): {
        "customer_id": "contact_id", "email": "email", "signup_date": "created_on", "country": "region",
        "pricing_plan": "plan", "acquisition_channel": "origin", "status": "status",
    },
    ("p5_saas_journey", "revenue.csv"): {
        "invoice_id": "invoice_id", "customer_id": "contact_id", "amount": "amount", "revenue_date": "issued_on",
    },
    ("p5_saas_journey", "events.csv"): {
        "event_id": "usage_id", "customer_id": "contact_id", "event_name": "feature", "event_timestamp": "used_at",
    },
    ("cdnow", "CDNOW_master.txt"): {
        "customer_id": "contact_id", "date": "issued_on", "number_of_cds": "quantity", "dollar_value": "amount",
    },
    ("churnguard", "salesforce_accounts.csv"): {
        "account_id": "account_id", "company_name": "name", "region": "region", "industry": "industry",
        "company_size": "segment", "arr_value": "annual_revenue", "contract_start_date": "customer_since_on",
        "account_owner": "owner_id", "account_tier": "plan",
    },
}  # fmt: skip


def recognised(folder: str) -> dict[str, Recognition]:
    _, done = real_load(folder, dt.date(2026, 7, 25))
    return {s.source.path: s.recognition for s in done.sources}


@pytest.mark.parametrize("folder", ENTITIES)
def test_real_exports_are_what_a_person_who_knows_them_says(folder: str) -> None:
    found = recognised(folder)
    assert {path: r.entity for path, r in found.items()} == ENTITIES[folder]
    for path, recognition in found.items():
        if recognition.mapping is None:
            assert recognition.reason
            continue
        assert 0.5 <= recognition.score <= 1
        assert recognition.evidence
        mapping = {m.source: m.column for m in recognition.mapping.columns}
        if (folder, path) in COLUMNS:
            assert mapping == COLUMNS[folder, path]
        assert all(m.reason for m in recognition.mapping.columns)
        assert set(recognition.mapping.unmapped) == set(recognition.table.columns) - set(mapping)
        assert all(recognition.mapping.unmapped.values())


def test_minutes_become_hours() -> None:
    mapping = recognised("ravenstack")["ravenstack_support_tickets.csv"].mapping
    assert mapping is not None
    factors = {m.column: m.factor for m in mapping.columns}
    assert factors["first_response_hours"] * 60 == 1
    assert factors["resolution_hours"] == 1


def test_a_proposed_settings_file_gives_the_same_mapping_again() -> None:
    con, done = real_load("p5_saas_journey", dt.date(2026, 7, 25))
    found = [s.recognition for s in done.sources]
    tables = [r.table for r in found]
    settings = tomllib.loads(propose_settings(found))
    again = recognise(con, tables, overrides=settings["files"])
    for one, two in zip(found, again, strict=True):
        assert (one.entity, one.system) == (two.entity, two.system)
        assert [(m.source, m.column, m.factor) for m in (one.mapping.columns if one.mapping else ())] == [
            (m.source, m.column, m.factor) for m in (two.mapping.columns if two.mapping else ())
        ]


SALES = ["customer_id", "date", "amount", 'odd "name"\n#']
SALES_ROWS = [["7", "2024-03-07", "1.50", "x"], ["8", "2024-03-08", "2.50", "y"]]


def test_names_that_toml_must_escape_survive_the_settings_file() -> None:
    con = duckdb.connect()
    tables = [raw_table(con, 'a "b"/sales\t.csv', SALES, SALES_ROWS)]
    found = recognise(con, tables)
    files = tomllib.loads(propose_settings(found))["files"]
    assert files['a "b"/sales\t.csv']["columns"]['odd "name"\n#'] == ""
    assert recognise(con, tables, overrides=files)[0].entity == "invoices"


def test_what_the_settings_say_goes_before_what_we_think() -> None:
    con = duckdb.connect()
    tables = [raw_table(con, "in/sales.csv", SALES, SALES_ROWS)]
    override = {
        "entity": "payments",
        "columns": {"date": "payments.paid_on", "customer_id": "account_id", "amount": ""},
    }
    (found,) = recognise(con, tables, overrides={"sales.csv": override})
    assert found.mapping is not None
    assert found.entity == "payments"
    assert {m.source: m.column for m in found.mapping.columns} == {"customer_id": "account_id", "date": "paid_on"}
    (ignored,) = recognise(con, tables, overrides={"in/sales.csv": {"ignore": True}})
    assert (ignored.entity, ignored.reason) == (None, "The settings say to ignore it.")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ({"sale.csv": {}}, "Did you mean 'sales.csv'"),
        ({"sales.csv": {"entity": "invoice"}}, "Did you mean 'invoices'"),
        ({"sales.csv": {"columns": {"amout": "amount"}}}, "Did you mean 'amount'"),
        ({"sales.csv": {"columns": {"amount": "ammount"}}}, "Did you mean 'amount'"),
        ({"sales.csv": {"column": {}}}, "Did you mean 'columns'"),
        ({"sales.csv": {"date_order": "ymd"}}, "'dmy' or 'mdy'"),
        ({"sales.csv": {"constants": {"curency": "EUR"}}}, "Did you mean 'currency'"),
    ],
)
def test_settings_that_cannot_be_obeyed_say_so(override: dict[str, object], message: str) -> None:
    con = duckdb.connect()
    with pytest.raises(SettingsError, match=message):
        recognise(con, [raw_table(con, "sales.csv", SALES, SALES_ROWS)], overrides=override)


def test_customers_are_companies_where_the_other_file_says_so() -> None:
    con = duckdb.connect()
    customers = raw_table(
        con, "customers.csv", ["id", "company_name", "industry"], [["7", "Mill AG", "Food"], ["8", "Q", "Ore"]]
    )
    sales = raw_table(con, "sales.csv", SALES, SALES_ROWS)
    by_name = raw_table(con, "orders.csv", ["Customer", "Date", "Total"], [["Mill AG", "2024-03-07", "5.50"]])
    found = {r.table.path: r for r in recognise(con, [sales, by_name, customers])}
    assert found["customers.csv"].entity == "accounts"
    for path, source, column in (
        ("sales.csv", "customer_id", "account_id"),
        ("orders.csv", "Customer", "account_name"),
    ):
        mapping = found[path].mapping
        assert mapping is not None
        assert mapping.source_of(column) == source


def test_a_true_creation_date_is_no_load_stamp() -> None:
    con = duckdb.connect()
    rows = [
        [str(i), f"p{i}@example.com", f"2024-{i + 1:02}-07 10:00:00", "2026-07-25 00:18:26.9", f"2025-{i + 1:02}-09"]
        for i in range(9)
    ]
    people = raw_table(con, "contacts.csv", ["contact_id", "email", "created_at", "inserted_at", "last_login"], rows)
    (found,) = recognise(con, [people])
    assert found.mapping is not None
    assert found.mapping.source_of("created_on") == "created_at"
    assert found.mapping.source_of("loaded_at") == "inserted_at"


def test_a_name_whose_values_are_something_else_is_not_believed() -> None:
    con = duckdb.connect()
    rows = [[str(i), "7", "2024-03-07", f"{i}.50", "see contract"] for i in range(5)]
    table = raw_table(con, "invoices.csv", ["invoice_id", "customer_id", "date", "amount", "due_date"], rows)
    (found,) = recognise(con, [table])
    (described,) = describe([found])
    assert described.unmapped == ("due_date",)
    assert "only 0% of its values are dates" in next(c.reason for c in described.columns if c.target is None)


def test_an_empty_file_is_not_recognised_and_says_why() -> None:
    con = duckdb.connect()
    (found,) = recognise(con, [raw_table(con, "notes.csv", ["a", "b"], [])])
    assert found.entity is None
    assert found.reason == "It has a header and no rows."


def test_names_are_compared_without_case_marks_or_humps() -> None:
    assert {plain(n) for n in ("Deal_Stage", "dealStage", "*Deal Stage", "deal-stage", "DEAL STAGE")} == {"deal stage"}


def test_the_vocabulary_names_only_tables_and_columns_that_exist() -> None:
    words = vocabulary()
    assert set(words.tables) == set(TABLES)
    for name, table in words.tables.items():
        known = {c.name for c in TABLES[name].columns} | {"customer"}
        assert {c for group in table.needs for c in group} <= known
        assert set(table.signs) <= known
        assert all(n == plain(n) or "*" in n for names in table.columns.values() for n in names)
    for key in words.states:
        TABLES[key.partition(".")[0]].column(key.partition(".")[2])


def test_a_data_dictionary_that_names_the_columns_of_accounts_is_no_list_of_accounts() -> None:
    con = duckdb.connect()
    header = [
        "account",
        "sector",
        "year_established",
        "revenue",
        "employees",
        "subsidiary_of",
        "sales_agent",
        "manager",
    ]
    rows = [[""] * 8, ["products", *[""] * 7], ["product", "series", "sales_price", *[""] * 5], *[[""] * 8] * 4]
    (found,) = recognise(con, [raw_table(con, "data_dictionary.csv", header, rows)])
    assert found.entity is None


def test_a_few_known_columns_among_many_are_not_enough() -> None:
    con = duckdb.connect()
    header = ["id", "amount", "created_at", "status", "type", "net", "fee", "object", "payout", "source", "reporting"]
    rows = [[str(i), "5.50", "2024-03-07", "available", "charge", "5", "0.5", "x", "p", "s", "r"] for i in range(5)]
    (found,) = recognise(con, [raw_table(con, "balance_data.csv", header, rows)])
    assert found.entity is None
    assert found.reason


def test_an_amount_due_beside_a_total_is_what_is_open_and_alone_it_is_the_amount() -> None:
    con = duckdb.connect()
    header, row = ["Invoice no", "Customer", "Date", "Amount due"], ["R1", "Mill AG", "2024-03-07", "5.50"]
    alone, beside = recognise(
        con,
        [
            raw_table(con, "a/invoices.csv", header, [row]),
            raw_table(con, "b/invoices.csv", [*header, "Total"], [[*row, "9.50"]]),
        ],
    )
    assert alone.mapping
    assert beside.mapping
    assert (alone.mapping.source_of("amount"), alone.mapping.source_of("open_amount")) == ("Amount due", None)
    assert (beside.mapping.source_of("amount"), beside.mapping.source_of("open_amount")) == ("Total", "Amount due")
