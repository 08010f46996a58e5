"""Loading accounts for every row and every amount, and merges what is there twice."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import duckdb
import pytest

from crmaudit.intake.load import Loaded, load
from crmaudit.intake.raw import RawTable, Reject
from crmaudit.losses import of_values, two_readings
from crmaudit.schema import TABLES
from tests.intake.tables import raw_table, real_load

TODAY = dt.date(2026, 7, 25)
INVOICE = ["invoice_id", "customer_id", "date", "amount", "status"]


def loaded(
    *tables: tuple[str, list[str], list[list[str]]], shuffle: int = 0
) -> tuple[duckdb.DuckDBPyConnection, Loaded]:
    con = duckdb.connect()
    raw = [raw_table(con, *table) for table in tables]
    raw = raw[shuffle:] + raw[:shuffle]
    return con, load(con, raw, today=TODAY)


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return con.execute(query).fetchall()


def reconciles(done: Loaded) -> bool:
    return all(
        s.source.rows_read == s.source.rows_loaded + s.source.rows_rejected + s.source.rows_excluded
        for s in done.sources
    )


FOLDERS = ("maven_crm", "ravenstack", "complyflow", "flowstack", "p5_saas_journey", "cdnow", "churnguard")


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_row_of_the_real_exports_is_loaded_or_accounted_for(folder: str) -> None:
    con, done = real_load(folder, TODAY)
    assert reconciles(done)
    for s in done.sources:
        source = s.source
        assert source.rows_read > 0
        if source.entity is None:
            assert source.exclusions[0].reason.startswith("not used: ")
            continue
        assert (source.rows_loaded, source.rows_rejected) == (source.rows_read, 0)
        assert s.money_read == s.money_loaded
        query = f"select count(*) from loaded.{source.entity} where source_id = {s.source_id}"
        assert rows(con, query) == [(source.rows_loaded,)]
    for name, table in TABLES.items():
        described = {r[0]: r[1] for r in rows(con, f"describe loaded.{name}")}
        wanted = {c.name: c.sql_type.replace(" ", "") for c in table.columns}
        assert described == {**wanted, "system": "VARCHAR", "source_id": "INTEGER"}


def test_cdnow_zero_values_and_exact_duplicates_stay() -> None:
    con, done = real_load("cdnow", TODAY)
    assert done.sources[0].money_loaded == Decimal("2500315.63")
    query = (
        "select count(*), count(*) filter (amount = 0), count(distinct contact_id), min(issued_on) from loaded.invoices"
    )
    assert rows(con, query) == [(69_659, 80, 23_570, dt.date(1997, 1, 1))]
    distinct = "select count(*) from (select distinct contact_id, issued_on, quantity, amount from loaded.invoices)"
    assert rows(con, distinct) == [(69_659 - 255,)]


def test_maven_deals_are_month_first_and_known_by_outcome() -> None:
    con, done = real_load("maven_crm", TODAY)
    outcomes = rows(con, "select outcome, count(*) from loaded.opportunities group by all order by 1")
    assert outcomes == [("lost", 2473), ("open", 1589 + 500), ("won", 4238)]
    assert rows(con, "select sum(amount), median(closed_on - created_on) is not null from loaded.opportunities") == [
        (Decimal(10_005_534), True)
    ]
    assert rows(con, "select count(*) from loaded.opportunities where account_name is null") == [(1425,)]
    assert rows(con, "select count(*) from loaded.opportunities where outcome = 'lost' and amount = 0") == [(2473,)]
    assert rows(con, "select account_id = name, industry from loaded.accounts where name = 'Acme Corporation'") == [
        (True, "technolgy")
    ]
    pipeline = next(s.source for s in done.sources if s.source.entity == "opportunities")
    assert (pipeline.observed_from, pipeline.observed_until) == ("2016-10-20", "2017-12-31")


def test_ravenstack_and_complyflow_sums() -> None:
    con, _ = real_load("ravenstack", TODAY)
    assert rows(con, "select sum(mrr), sum(mrr) filter (ended_on is null) from loaded.subscriptions") == [
        (Decimal(11_338_747), Decimal(10_159_608))
    ]
    assert rows(con, "select count(satisfaction), round(avg(satisfaction), 3) from loaded.tickets") == [(1175, 3.981)]
    con, _ = real_load("complyflow", TODAY)
    won = (
        "select outcome, count(*), sum(amount) filter (outcome = 'won')::integer "
        "from loaded.opportunities group by all order by 1"
    )
    assert rows(con, won) == [("lost", 1926, None), ("open", 71, None), ("won", 787, 1_747_565)]
    assert rows(con, "select sum(mrr) from loaded.subscriptions where status = 'active'") == [(Decimal("131206.70"),)]
    assert rows(con, "select count(*) from loaded.leads where origin is null") == [(191,)]


def test_tickets_of_another_id_space_are_told() -> None:
    con, done = real_load("p5_saas_journey", TODAY)
    tickets = next(s.source for s in done.sources if s.source.path == "support_tickets.csv")
    assert any("none of 970 sampled ids is among the 2000 contacts" in note for note in tickets.notes)
    assert rows(con, "select count(*) from loaded.tickets") == [(970,)]


def test_flowstack_load_stamps_and_dates_in_the_future_are_told() -> None:
    con, done = real_load("flowstack", TODAY)
    tickets = next(s.source for s in done.sources if s.source.entity == "tickets")
    notes = " ".join(tickets.notes)
    assert "created_at: a load stamp" in notes
    assert "rows have opened_at after 2026-07-25" in notes
    assert tickets.observed_until == "2026-07-25"
    assert rows(
        con, "select max(opened_at)::date > date '2027-01-01', count(distinct loaded_at::date) from loaded.tickets"
    ) == [(True, 1)]


def test_the_newer_export_wins_and_the_older_row_is_counted() -> None:
    may = ("a/may.csv", ["invoice_id", "customer_id", "date", "amount", "status"], [
        ["I1", "C1", "2024-05-01", "10.50", "open"], ["I2", "C2", "2024-05-20", "20.50", "paid"],
    ])  # fmt: skip
    june = ("june.csv", INVOICE, [
        ["I1", "C1", "2024-05-01", "10.50", "Paid"], ["I3", "C2", "2024-06-02", "30.50", "paid"],
    ])  # fmt: skip
    for first in range(2):
        con, done = loaded(may, june, shuffle=first)
        assert rows(con, "select invoice_id, amount, status, source_id from loaded.invoices order by 1") == [
            ("I1", Decimal("10.50"), "paid", 2),
            ("I2", Decimal("20.50"), "paid", 1),
            ("I3", Decimal("30.50"), "paid", 2),
        ]
        old = done.sources[0]
        assert (old.source.path, old.source.rows_loaded, old.source.rows_excluded) == ("a/may.csv", 1, 1)
        assert old.source.exclusions[0].reason == "a newer row has the same invoice_id"
        assert old.source.exclusions[0].amount == 10.5
        assert old.money_read == Decimal(31)
        assert old.money_loaded == Decimal("20.50")
        assert reconciles(done)


def test_the_date_of_change_goes_before_the_order_of_exports() -> None:
    columns = ["invoice_id", "customer_id", "date", "amount", "updated_at"]
    first = ("1.csv", columns, [["I1", "C1", "2024-05-01", "10.50", "2024-09-01"]])
    second = (
        "2.csv",
        columns,
        [["I1", "C1", "2024-05-01", "11.50", "2024-08-01"], ["I2", "C1", "2024-07-01", "1.5", "2024-08-01"]],
    )
    con, _ = loaded(first, second)
    assert rows(con, "select invoice_id, amount from loaded.invoices order by 1") == [
        ("I1", Decimal("10.5")),
        ("I2", Decimal("1.5")),
    ]


def test_the_same_export_twice_changes_nothing() -> None:
    sales = [["C1", "2024-05-01", "10.50"], ["C1", "2024-05-01", "10.50"], ["C2", "2024-05-02", "3.50"]]
    once, _ = loaded(("sales.csv", INVOICE[1:4], sales))
    twice, done = loaded(("sales.csv", INVOICE[1:4], sales), ("copy of sales.csv", INVOICE[1:4], sales))
    query = "select contact_id, issued_on, amount from loaded.invoices order by all"
    assert rows(twice, query) == rows(once, query)
    assert [s.source.rows_excluded for s in done.sources] == [0, 3]
    assert done.sources[1].source.exclusions[0].reason == "the same row is in an overlapping export"
    assert reconciles(done)


def test_of_overlapping_exports_the_one_with_most_of_a_row_counts() -> None:
    a = ("a.csv", INVOICE[1:4], [["C1", "2024-05-01", "10.50"], ["C2", "2024-05-02", "3.50"]])
    b = ("b.csv", INVOICE[1:4], [["C1", "2024-05-01", "10.50"]] * 3)
    con, done = loaded(a, b)
    assert rows(con, "select contact_id, count(*) from loaded.invoices group by all order by 1") == [
        ("C1", 3),
        ("C2", 1),
    ]
    assert [s.source.rows_excluded for s in done.sources] == [0, 1]


def test_two_records_under_one_id_are_both_kept_where_nothing_refers_to_it() -> None:
    columns = ["ticket_id", "customer_id", "created_at", "priority"]
    con, done = loaded(("tickets.csv", columns, [
        ["T1", "C1", "2024-05-01", "low"], ["T1", "C2", "2024-06-01", "high"], ["T2", "C1", "2024-05-03", "low"],
        ["T2", "C1", "2024-05-03", "high"],
    ]))  # fmt: skip
    assert rows(con, "select ticket_id, contact_id, priority from loaded.tickets order by all") == [
        ("T1", "C1", "low"), ("T1", "C2", "high"), ("T2", "C1", "high"),
    ]  # fmt: skip
    assert any("1 ticket_id values are on records of different customers" in n for n in done.sources[0].source.notes)
    assert reconciles(done)


def test_an_open_deals_close_date_is_a_plan() -> None:
    columns = ["deal_id", "deal_name", "stage", "amount", "created_date", "close_date"]
    con, done = loaded(("deals.csv", columns, [
        ["D1", "a", "Closed Won", "5.50", "2024-01-02", "2024-02-02"],
        ["D2", "b", "Negotiation", "6.50", "2024-01-03", "2027-02-02"],
        ["D3", "c", "closed-lost", "7.50", "2024-01-04", "2024-02-04"],
    ]))  # fmt: skip
    query = "select outcome, closed_on, expected_close_on from loaded.opportunities order by opportunity_id"
    assert rows(con, query) == [
        ("won", dt.date(2024, 2, 2), None), ("open", None, dt.date(2027, 2, 2)), ("lost", dt.date(2024, 2, 4), None),
    ]  # fmt: skip
    assert done.sources[0].source.observed_until == "2024-02-04"


def test_texts_are_trimmed_and_lose_control_characters_and_nothing_else() -> None:
    columns = ["contact_id", "email", "full_name", "note"]
    people = [["1", "a@example.com", " Zo\x07ë  Ö\u2019Neil\u00a0", "two\nlines\x01, =A1 "]]
    con, _ = loaded(("contacts.csv", columns, people))
    assert rows(con, "select name, note from loaded.contacts") == [("Zoë  Ö\u2019Neil", "two\nlines, =A1")]


def test_a_contract_whose_end_cannot_be_read_is_not_taken_for_a_running_one() -> None:
    columns = ["subscription_id", "customer_id", "start_date", "end_date", "mrr"]
    running = [[f"S{i}", "C1", "2024-01-01", "", "5.50"] for i in range(20)]
    ended = [[f"E{i}", "C1", "2024-01-01", "2024-06-30", "5.50"] for i in range(20)]
    con, done = loaded(("subscriptions.csv", columns, [
        *running, *ended, ["X", "C1", "2024-01-01", "soon", "5.50"], ["Y", "C1", "2024-01-01", "9999-12-31", "5.50"],
    ]))  # fmt: skip
    assert rows(con, "select count(*), count(ended_on) from loaded.subscriptions") == [(41, 20)]
    assert rows(con, "select ended_on from loaded.subscriptions where subscription_id = 'Y'") == [(None,)]
    assert done.sources[0].source.rows_rejected == 1


def test_a_company_is_known_without_the_day_on_which_somebody_wrote_it_down() -> None:
    known = [[str(i), f"Mill {i}", f"2024-01-0{i}"] for i in range(1, 6)]
    con, done = loaded(("accounts.csv", ["account_id", "name", "created_at"], [*known, ["9", "Quay", "long ago"]]))
    assert rows(con, "select count(*), count(created_on), max(account_id) from loaded.accounts") == [(6, 5, "9")]
    assert done.sources[0].unread == (("created_at", 1),)
    assert rows(con, "select line, value, reason from loaded.rejects") == [
        (7, "long ago", "not a date (the record is kept without it)")
    ]


def test_a_deal_is_won_or_lost_without_its_first_day_but_not_without_its_last_or_its_value() -> None:
    columns = ["deal_id", "customer_id", "stage", "amount", "created_date", "close_date"]
    con, done = loaded(("deals.csv", columns, [
        *[[f"D{i}", "C1", "won", "5.50", "2024-01-01", "2024-02-01"] for i in range(9)],
        ["X", "C1", "won", "on request", "2024-01-01", "2024-02-01"], ["Y", "C1", "lost", "1.50", "?", "2024-02-01"],
        ["Z", "C1", "won", "1.50", "2024-01-01", "soon"],
    ]))  # fmt: skip
    query = "select opportunity_id, amount, created_on is null from loaded.opportunities where opportunity_id > 'E'"
    assert rows(con, query) == [("Y", Decimal("1.5"), True)]
    assert (done.sources[0].source.rows_rejected, done.sources[0].unread) == (2, (("created_date", 1),))
    assert [f.text for f in of_values(done.sources)] == [
        "deals.csv: 1 of 12 rows have a value in 'created_date' that could not be read. "
        "They count without it; rejects.csv has each."
    ]


def test_what_is_said_of_a_sheet_calls_it_as_the_settings_do() -> None:
    con = duckdb.connect()
    dates = [["I1", "C1", "03/04/2024", "1.50", "paid"], ["I2", "C1", "05/06/2024", "2.50", "paid"]]
    raw = raw_table(con, "in/invoices.xlsx", INVOICE, dates)
    done = load(con, [RawTable(**{**vars(raw), "sheet": "May"})], today=TODAY)
    (asked,) = two_readings(done.sources)
    assert asked.text.endswith('under [files."in/invoices.xlsx#May"]: date_order = "dmy" # or "mdy".')
    assert asked.key.startswith("sources/act/in/invoices.xlsx#May ")


def test_what_the_reader_rejected_is_in_the_account() -> None:
    con = duckdb.connect()
    raw = raw_table(
        con,
        "invoices.csv",
        INVOICE,
        [["I1", "C1", "2024-05-01", "x", "paid"]] + [["I2", "C1", "2024-05-01", "1.50", "paid"]] * 9,
    )
    broken = RawTable(**{**vars(raw), "rows_read": 11, "rejects": (Reject(12, None, "I3;C1", "5 columns expected"),)})
    done = load(con, [broken], today=TODAY)
    source = done.sources[0].source
    assert (source.rows_read, source.rows_loaded, source.rows_rejected, source.rows_excluded) == (11, 1, 2, 8)
    assert rows(con, 'select line, "column", value, reason from loaded.rejects order by line') == [
        (2, "amount", "x", "not a number"), (12, None, "I3;C1", "5 columns expected"),
    ]  # fmt: skip


def test_states_are_told_in_one_language() -> None:
    status = ["Paid", "VOID", "Cancelled", "draft", "Declined", "overdue", "Bezahlt", "on ice"]
    con, _ = loaded(("invoices.csv", INVOICE, [[f"I{i}", "C1", "2024-05-01", "1.50", s] for i, s in enumerate(status)]))
    assert [r[0] for r in rows(con, "select status from loaded.invoices order by invoice_id")] == [
        "paid", "void", "void", "draft", "failed", "open", "paid", "on ice",
    ]  # fmt: skip


def test_the_result_does_not_depend_on_threads_or_the_order_of_files() -> None:
    n = 3000
    one = [[f"I{i}", f"C{i % 7}", f"2024-0{1 + i % 9}-11", f"{i}.25", "paid"] for i in range(n)]
    two = [[f"I{i}", f"C{i % 7}", f"2024-0{1 + i % 9}-11", f"{i}.75", "paid"] for i in range(n // 2, n)]
    seen = []
    for threads, seed in ((1, 0), (2, 1), (8, 2)):
        con = duckdb.connect()
        con.execute(f"set threads = {threads}")
        raw = [raw_table(con, "one.csv", INVOICE, one), raw_table(con, "two.csv", INVOICE, two)]
        raw = raw[seed % 2 :] + raw[: seed % 2]
        done = load(con, raw, today=TODAY)
        data = rows(con, "select * exclude (paid_on) from loaded.invoices order by invoice_id")
        seen.append(([replace(s.source) for s in done.sources], data))
    assert seen[0] == seen[1] == seen[2]
