"""Every known export has a sample, is told by its header, and is mapped as its file says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from crmaudit.errors import SettingsError
from crmaudit.intake.load import Loaded, load
from crmaudit.intake.synonyms import KnownExport, known_exports, plain
from tests.intake.tables import raw_file, raw_table

SAMPLES = Path(__file__).parent / "samples"
TODAY = dt.date(2026, 1, 1)


def loaded(name: str) -> tuple[duckdb.DuckDBPyConnection, Loaded]:
    con = duckdb.connect()
    return con, load(con, [raw_file(con, SAMPLES / f"{name}.csv")], today=TODAY)


@pytest.mark.parametrize("known", known_exports(), ids=lambda k: k.file)
def test_every_known_export_has_a_sample_that_is_told_and_loaded(known: KnownExport) -> None:
    _, done = loaded(known.file.removesuffix(".toml"))
    source = done.sources[0].source
    assert (source.system, source.entity) == (known.system, known.entity)
    assert source.score >= 0.9
    assert source.rows_read >= 3
    assert source.rows_rejected == 0
    assert source.rows_read == source.rows_loaded + source.rows_excluded
    assert known.file in source.evidence[0]
    assert known.traps
    used = {plain(n): f"{known.entity}.{c}" for n, c in known.columns.items()}
    assert {used.get(plain(s), t) for s, t in source.columns.items()} == set(source.columns.values())


def test_hubspot_close_dates_of_open_deals_are_plans() -> None:
    con, _ = loaded("hubspot_deals")
    columns = "outcome, closed_on, expected_close_on, amount, account_id"
    query = f"select {columns} from loaded.opportunities order by opportunity_id"
    assert con.execute(query).fetchall() == [
        ("won", dt.date(2024, 3, 1), None, Decimal("1200.50"), "9001"),
        ("lost", dt.date(2024, 4, 2), None, Decimal(800), "9002"),
        ("open", None, dt.date(2024, 12, 31), None, "9003"),
    ]


def test_a_hubspot_stage_history_is_no_list_of_deals() -> None:
    con = duckdb.connect()
    header = ["Record ID", "Deal Name", "Deal Stage", "Date entered stage", "Date left stage", "Amount", "Deal owner"]
    done = load(
        con, [raw_table(con, "x.csv", header, [["1", "a", "Won", "2024-01-02", "", "5.50", "o"]] * 3)], today=TODAY
    )
    assert (done.sources[0].source.system, done.sources[0].source.entity) == ("hubspot", "stage_changes")


def test_stripe_failed_and_test_payments_are_no_money() -> None:
    con, done = loaded("stripe_payments")
    query = "select payment_id, status, amount, currency from loaded.payments order by 1"
    assert con.execute(query).fetchall() == [
        ("ch_1", "succeeded", Decimal(49), "EUR"),
        ("ch_2", "refunded", Decimal(120), "USD"),
    ]
    source = done.sources[0]
    assert [(e.reason, e.rows, e.amount) for e in source.source.exclusions] == [("test mode, no real payment", 1, 15.5)]
    assert (source.money_read, source.money_loaded) == (Decimal("184.5"), Decimal(169))


HEAD = 'system = "s"\nentity = "payments"\nrequires = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + 'x = 1\n[columns]\n"a" = "amount"', "x is not known"),
        (HEAD + '[columns]\n"a" = "sum"', "payments has no column sum"),
        ('system = "s"\nentity = "payments"\n[columns]\n"a" = "amount"', "'requires' is missing"),
        (HEAD.replace("payments", "paiments") + '[columns]\n"a" = "amount"', "paiments is not known"),
    ],
)
def test_a_source_file_that_breaks_the_rules_says_where(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x_y.toml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        known_exports(tmp_path)
