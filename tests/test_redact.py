"""Pseudonyms: no name, address, number, note or id of the input leaves in any output, and the figures stay."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crmaudit import analysis, identity, redact
from crmaudit.database import create_loaded
from crmaudit.errors import UsageError
from crmaudit.report import from_json
from crmaudit.schema import TABLES as TABLES_OF_THE_SCHEMA
from crmaudit.settings import Settings
from tests.command import crmaudit

KEY = "a key that nobody guesses"

TABLES: dict[str, list[dict[str, Any]]] = {
    "accounts": [
        {"account_id": f"ACCT-{i}", "account_name": name, "website": f"www.{name.split()[0].lower()}.example",
         "phone": f"+49 30 55500{i}", "vat_number": f"DE81199776{i}", "segment": "Retail", "industry": "Bakery", "owner_id": f"Owner Person{i % 2}",
         "created_date": "2020-01-0" + str(i + 1)}
        for i, name in enumerate(["Quillfeather GmbH", "Brambleworth Ltd", "Oxenstierna AB", "Tarquinius SpA"])
    ],
    "contacts": [
        {"contact_id": f"PERS-{i}", "account_id": f"ACCT-{i}", "first_name": f"Zebulon{i}", "last_name": f"Vanterpool{i}",
         "email": f"zebulon{i}.vanterpool@quillmail{i}.example", "phone": f"+49 171 77700{i}", "role": "Decision maker",
         "personal_note": f"collects snuffboxes {i}", "created_date": "2021-02-03"}
        for i in range(4)
    ],
    "leads": [
        {"lead_id": f"LEAD-{i}", "company": f"Prospectia{i} Inc", "name": f"Wilhelmina{i} Ashgrove",
         "email": f"wilhelmina{i}@prospectia.example", "lead_source": "Trade fair", "status": "Qualified",
         "referred_by": "Quillfeather GmbH", "created_date": f"2025-0{i + 1}-05", "qualified_date": f"2025-0{i + 1}-15"}
        for i in range(5)
    ],
    "opportunities": [
        {"opportunity_id": f"DEAL-{i}", "account_id": f"ACCT-{i % 4}", "deal_name": f"Fitout of Brambleworth depot {i}",
         "stage": "Closed Lost" if i % 2 else "Closed Won", "amount": "1000.00", "currency": "EUR",
         "competitor": "Rivalicious plc", "loss_reason": "Oxenstierna AB objected" if i % 2 else "",
         "owner_id": f"Owner Person{i % 2}", "created_date": f"2025-0{i + 1}-01", "close_date": f"2025-0{i + 2}-01"}
        for i in range(6)
    ],
    "invoices": [
        {"invoice_id": f"BILL-{i}", "account_id": f"ACCT-{i % 4}", "customer_name": "", "issue_date": f"2025-{1 + i % 12:02d}-1{i % 9}",
         "due_date": f"2025-{1 + i % 12:02d}-28", "net_amount": f"{100 + i}.00", "currency": "EUR", "status": "paid"}
        for i in range(40)
    ] + [{"invoice_id": "BILL-X", "account_id": "ACCT-0", "customer_name": "", "issue_date": "the Quillfeather day",
          "due_date": "2025-01-28", "net_amount": "5.00", "currency": "EUR", "status": "paid"}],
    "tickets": [
        {"ticket_id": f"TICK-{i}", "account_id": f"ACCT-{i % 4}", "requester_email": f"zebulon{i % 4}.vanterpool@quillmail{i % 4}.example",
         "subject": f"Broken hinge says Vanterpool {i}", "category": {3: "write to clerk@brambleworth.example", 4: "ask Vanterpool1, Zebulon1"}.get(i, "Delivery"),
         "status": "Solved", "created_at": f"2025-1{i % 2}-0{1 + i} 10:00:00", "solved_at": f"2025-1{i % 2}-0{2 + i} 10:00:00"}
        for i in range(6)
    ],
    "activities": [
        {"activity_id": f"ACTV-{i}", "account_id": f"ACCT-{i % 4}", "type": "Call", "subject": f"Spoke of Tarquinius plans {i}",
         "notes": f"Zebulon dislikes marzipan {i}", "outcome": "Connected", "owner_id": f"Owner Person{i % 2}",
         "activity_date": f"2025-11-1{i}"}
        for i in range(8)
    ],
}  # fmt: skip

HARMLESS = {
    "segment", "industry", "role", "lead_source", "status", "stage", "currency", "type", "outcome", "amount", "net_amount"
}  # fmt: skip
"""Columns of categories and figures, which stay."""


def secrets() -> set[str]:
    """Every value of the input that names somebody, tells where to reach them, or was said of them."""
    return {
        str(value)
        for rows in TABLES.values()
        for row in rows
        for column, value in row.items()
        if value and column not in HARMLESS and "date" not in column and not column.endswith("_at")
        and value != "Delivery"
    } | {"the Quillfeather day", "Vanterpool", "Wilhelmina", "Ashgrove", "Prospectia", "quillmail", "Rivalicious"}  # fmt: skip


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("redacted") / "exports"
    place.mkdir()
    for name, rows in TABLES.items():
        out = io.StringIO()
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        (place / f"{name}.csv").write_text(out.getvalue(), encoding="utf-8")
    return place


def audited(exports: Path, out: Path, monkeypatch: pytest.MonkeyPatch, key: str | None = KEY) -> Path:
    flags = () if key is None else ("--redact",)
    monkeypatch.setenv(redact.ENVIRONMENT, key or "")
    ran = crmaudit("gap", exports, "--client", "The client", "--out", out, *flags)
    assert (ran.code, ran.err) == (0, "")
    return out


@pytest.fixture(scope="module")
def folders(exports: Path) -> dict[str, Path]:
    place = exports.parent
    with pytest.MonkeyPatch.context() as patch:
        return {
            "plain": audited(exports, place / "plain", patch, None),
            "hidden": audited(exports, place / "hidden", patch),
        }


def test_no_value_of_the_input_is_in_any_output(folders: dict[str, Path]) -> None:
    wanted = secrets()
    assert len(wanted) > 100
    outputs = sorted(path for path in folders["hidden"].rglob("*") if path.is_file())
    names = {
        "audit.duckdb",
        "audit.json",
        "gap.html",
        "gap.md",
        "history.json",
        "rejects.csv",
        "report.html",
        "report.md",
        "review.csv",
    }
    assert {path.name for path in outputs} == names
    for path in outputs:
        content = path.read_bytes().lower()
        leaked = sorted(value for value in wanted if value.lower().encode() in content)
        assert leaked == [], f"{path.name} holds {leaked[:5]}"
    plain = folders["plain"]
    for name in ("audit.duckdb", "audit.json", "report.html", "rejects.csv"):
        content = (plain / name).read_bytes().lower()
        assert any(value.lower().encode() in content for value in wanted), f"{name} would not have told of a leak"
    shown = crmaudit("customer", _somebody(folders["hidden"]), "--audit", folders["hidden"]).out.lower()
    assert [value for value in wanted if value.lower() in shown] == []


def _somebody(folder: Path) -> str:
    con = duckdb.connect(str(folder / "audit.duckdb"), read_only=True)
    try:
        return str(con.execute("select account_id from accounts order by 1").fetchall()[0][0])
    finally:
        con.close()


def test_the_figures_stay(folders: dict[str, Path]) -> None:
    plain, hidden = (
        from_json((folders[name] / "audit.json").read_text(encoding="utf-8")) for name in ("plain", "hidden")
    )
    for before, after in zip(plain.audits, hidden.audits, strict=True):
        assert (before.id, before.status) == (after.id, after.status)
        told = [
            {name: (m.value, m.n) for name, m in audit.metrics.items() if m.unit != "text"} for audit in (before, after)
        ]
        assert told[0] == told[1], before.id


def test_sales_that_two_systems_bill_are_listed_by_pseudonyms() -> None:
    with duckdb.connect() as con:
        create_loaded(con, TABLES_OF_THE_SCHEMA)
        con.execute("create table settings as select 'account' as grain")
        for system, number in (("books", "BOOKED-1"), ("shop", "SHOPPED-1")):
            con.execute(
                "insert into loaded.invoices (system, invoice_id, account_name, issued_on, amount, currency, source_id) "
                f"values ('{system}', '{number}', 'Acme', '2026-03-10', 50.5, 'EUR', 1)"
            )
        identity.resolve(con, ())
        redact.hide(con, KEY.encode(), (), ())
        ((record, other),) = con.execute("select record_id, other_record_id from repeated_sales").fetchall()
        assert not {record, other} & {"BOOKED-1", "SHOPPED-1"}
        assert con.execute("select count(*) from invoices where invoice_id = ?", [record]).fetchall() == [(1,)]


def test_pseudonyms_are_stable_with_their_key_alone() -> None:
    told = []
    for key in (KEY, KEY, f"{KEY}, another"):
        con = duckdb.connect()
        redact._define(con, key.encode())
        told.append(
            con.execute(
                f"select name_hmac(v), {redact._id('v')}, {redact._email('v')} from (select 'a@b.example' as v)"
            ).fetchall()
        )
    assert told[0] == told[1]
    assert all(one != other for one, other in zip(told[0][0], told[2][0], strict=True))


def test_ids_and_names_still_join(folders: dict[str, Path]) -> None:
    con = duckdb.connect(str(folders["hidden"] / "audit.duckdb"), read_only=True)
    try:
        joins = (
            ("invoices", "accounts", "account_id", 40),
            ("contacts", "accounts", "account_id", 4),
            ("tickets", "contacts", "email", 6),
        )
        for left, right, column, rows in joins:
            found = con.execute(f"select count(*) from {left} a join {right} b on a.{column} = b.{column}").fetchall()
            assert found == [(rows,)], (left, right)
        referrers = con.execute("select count(*) from leads l join accounts a on a.name = l.referred_by").fetchall()
        assert referrers == [(5,)]
        kept = con.execute("select distinct loss_reason from opportunities where loss_reason is not null").fetchall()
        assert kept == [(redact.GONE,)], "a reason that names a customer goes"
        assert con.execute("select count(*) from tickets where category = 'Delivery'").fetchall() == [(4,)]
    finally:
        con.close()


REASONS = (
    ("Price", 1),
    ("Too expensive for us", 1),
    ("No budget until next fiscal year begins", 5),
    ("Launch 2026-06-30", 1),
    ("30.06.2026", 1),
    ("2024-2025", 1),
    ("Size 10.5", 1),
    ("Node.js", 1),
    ("e.g. taste", 1),
)
TELLING = (
    ("call 030 555 0012", 1),
    ("+49 (30) 55500-12", 5),
    ("ring 5550012 first", 1),
    ("moved to brambleworth.de", 5),
    ("see brambleworth.co.uk.", 1),
    ("www.brambleworth.example", 1),
    ("the boss's wife likes their espresso", 1),
    ("the boss's wife likes their espresso more", 4),
)


def test_a_category_stays_and_what_reaches_or_betrays_somebody_goes() -> None:
    con = duckdb.connect()
    con.execute("create table opportunities (loss_reason varchar)")
    rows = [[reason] for reason, records in (*REASONS, *TELLING) for _ in range(records)]
    con.executemany("insert into opportunities values (?)", rows)
    said = f"select {redact._category(con, 'opportunities', 'loss_reason', frozenset())} from opportunities"
    left = {value for (value,) in con.execute(said).fetchall()}
    assert left == {*(reason for reason, _ in REASONS), redact.GONE}


def test_what_is_sold_keeps_its_long_names() -> None:
    con = duckdb.connect()
    con.execute("create table products as select 'Espresso machine with two groups, red, large' as name")
    assert redact._category(con, "products", "name", frozenset()) == "name"


@pytest.mark.parametrize("key", [b"k" * 16, b"k" * 64, b"k" * 65, b"k" * 200, "schlüssel für alle".encode()])
def test_the_hash_is_hmac_of_sha_256(key: bytes) -> None:
    con = duckdb.connect()
    redact._define(con, key)
    for value in ("Acme Ltd", "", "Übergrößenträger", "a" * 1000, "'; drop table x"):
        wanted = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
        assert con.execute("select hmac(?)", [value]).fetchall() == [(wanted,)]
    assert con.execute("select name_hmac(' ACME   ltd ') = name_hmac('Acme Ltd'), name_hmac(null)").fetchall() == [
        (True, None)
    ]


def test_the_key_comes_from_a_private_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(redact.ENVIRONMENT, raising=False)
    with pytest.raises(UsageError, match="a key of at least 16 characters in CRMAUDIT_REDACT_KEY"):
        redact.read_key(None)
    monkeypatch.setenv(redact.ENVIRONMENT, "short")
    with pytest.raises(UsageError, match="at least 16"):
        redact.read_key(None)
    monkeypatch.setenv(redact.ENVIRONMENT, KEY)
    assert redact.read_key(None) == KEY.encode()
    file = tmp_path / "key"
    file.write_text(f"{KEY}, in a file\n", encoding="utf-8")
    file.chmod(0o600)
    assert redact.read_key(file) == f"{KEY}, in a file".encode()
    if os.name == "posix":
        file.chmod(0o640)
        with pytest.raises(UsageError, match="chmod 600"):
            redact.read_key(file)


def test_no_folder_that_keeps_letters_becomes_a_redacted_one(exports: Path, tmp_path: Path) -> None:
    letters = tmp_path / "audit" / "weekly"
    letters.mkdir(parents=True)
    with pytest.raises(UsageError, match="letters of the weekly mail"):
        analysis.analyze(exports, letters.parent, Settings(), redaction_key=b"k" * 32)
    assert letters.is_dir()


def test_without_a_key_nothing_runs(exports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(redact.ENVIRONMENT, raising=False)
    ran = crmaudit("analyze", exports, "--redact", "--out", tmp_path / "audit")
    assert ran.code == 2
    assert "--redact wants a key" in ran.err
    assert not (tmp_path / "audit").exists()
