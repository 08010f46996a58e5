"""Text becomes the right value or none: dates, money, numbers and words, judged by whole columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmaudit.intake import forms
from crmaudit.intake.load import Loaded, load
from tests.intake.tables import raw_table

TODAY = dt.date(2026, 1, 1)
FILE = "invoices.csv"


def cast(
    dates: Sequence[str | None],
    amounts: Sequence[str | None] | None = None,
    others: dict[str, Sequence[str | None]] | None = None,
    *,
    timezone: str = "UTC",
    **override: str,
) -> tuple[duckdb.DuckDBPyConnection, Loaded]:
    """Load invoices with these dates and amounts; everything else is clean."""
    con = duckdb.connect()
    amounts = amounts or ["1.50"] * len(dates)
    columns = {
        "invoice_id": [f"INV-{i}" for i in range(len(dates))],
        "customer_id": ["C1"] * len(dates),
        "invoice_date": list(dates),
        "amount": list(amounts),
        **(others or {}),
    }
    rows = list(zip(*columns.values(), strict=True))
    table = raw_table(con, FILE, list(columns), rows)
    overrides = {FILE: override} if override else None
    return con, load(con, [table], today=TODAY, timezone=timezone, overrides=overrides)


def column(con: duckdb.DuckDBPyConnection, name: str) -> list[object]:
    rows = con.execute(f"select {name} from loaded.invoices order by invoice_id[5:]::integer").fetchall()
    return [row[0] for row in rows]


def rejects(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute('select line, "column", value, reason from loaded.rejects order by all').fetchall()


DAY = dt.date(2024, 3, 7)


DAY_FORMS = (
    "2024-03-07", "2024-03-07 00:00:00", "2024-03-07T23:59:59.123", "2024-03-07T10:00:00Z", "2024-03-07 10:00:00 UTC",
    "2024-03-07T10:00:00+02:00", "2024-03-07 9:05", "20240307", "20240307T101500", "2024/03/07", "2024/3/7",
    "2024.03.07", "07.03.2024", "7.3.2024", "07.03.2024 14:30", "7 March 2024", "07-Mar-2024", "7 Mar 2024",
    "Mar 7, 2024", "March 7, 2024", "Thu, 7 Mar 2024", "Thursday, March 7, 2024", "7. März 2024", "7 mars 2024",
    "7 de marzo de 2024", "Mar 7, 2024 3:04 PM", "7th March 2024", " 2024-03-07 ", "2024-03-07\u00a0",
)  # fmt: skip


def test_every_written_form_of_a_day_is_that_day() -> None:
    con, _ = cast(DAY_FORMS)
    assert dict(zip(DAY_FORMS, column(con, "issued_on"), strict=True)) == dict.fromkeys(DAY_FORMS, DAY)
    assert rejects(con) == []


@pytest.mark.parametrize("texts", [["1709802000"] * 3, ["1709802000000"] * 2, ["45358", "45358.75"]])
def test_a_column_of_epochs_or_of_serial_days_is_read_as_days(texts: list[str]) -> None:
    con, _ = cast(texts)
    assert column(con, "issued_on") == [DAY] * len(texts)


def test_four_forms_in_one_column_are_each_read_for_what_they_are() -> None:
    con, loaded = cast(["2024-03-07", "07 Mar 2024", "20240307", "13/03/2024", "07/03/2024"])
    assert column(con, "issued_on") == [DAY, DAY, DAY, dt.date(2024, 3, 13), DAY]
    assert "day-first, proved by 1 of 2 dates" in " ".join(loaded.sources[0].source.notes)


@pytest.mark.parametrize(
    ("proof", "expected"), [("25/12/2024", dt.date(2024, 2, 1)), ("12/25/2024", dt.date(2024, 1, 2))]
)
def test_one_value_decides_the_order_of_the_whole_column(proof: str, expected: dt.date) -> None:
    con, _ = cast(["01/02/2024", "03/04/2024", proof])
    assert column(con, "issued_on")[0] == expected


def test_a_column_that_proves_no_order_is_set_aside() -> None:
    con, loaded = cast(["01/02/2024", "03/04/2024", "05/05/2024"])
    assert column(con, "issued_on") == [dt.date(2024, 5, 5)]
    assert rejects(con) == [
        (2, "invoice_date", "01/02/2024", "day and month cannot be told apart"),
        (3, "invoice_date", "03/04/2024", "day and month cannot be told apart"),
    ]
    assert loaded.sources[0].source.rows_rejected == 2


def test_a_column_that_proves_both_orders_keeps_only_what_proves_itself() -> None:
    con, _ = cast(["25/12/2024", "12/26/2024", "01/02/2024"])
    assert column(con, "issued_on") == [dt.date(2024, 12, 25), dt.date(2024, 12, 26)]
    assert [row[2] for row in rejects(con)] == ["01/02/2024"]


def test_another_date_column_of_the_file_proves_the_order() -> None:
    con, loaded = cast(["01/02/2024", "03/04/2024"], others={"due_date": ["15/02/2024", "16/04/2024"]})
    assert column(con, "issued_on") == [dt.date(2024, 2, 1), dt.date(2024, 4, 3)]
    assert any("as other columns of the file prove" in n for n in loaded.sources[0].source.notes)


def test_the_settings_say_the_order() -> None:
    con, _ = cast(["01/02/2024"], date_order="mdy")
    assert column(con, "issued_on") == [dt.date(2024, 1, 2)]


CLEAN = ["2024-03-07"] * 40


def test_a_two_digit_year_is_never_read() -> None:
    short = ["03-04-26", "1/2/24", "03.04.26", "07-Mar-24"]
    con, _ = cast([*short, *CLEAN])
    assert column(con, "issued_on") == [DAY] * 40
    assert rejects(con) == [(i + 2, "invoice_date", t, "a two-digit year is not read") for i, t in enumerate(short)]


def test_what_is_no_day_is_rejected() -> None:
    wrong = ["2024-02-30", "2024-13-01", "31.11.2024", "soon", "2024-03", "0024-03-07", "29 Feb 2023"]
    con, loaded = cast([*wrong, *CLEAN])
    assert column(con, "issued_on") == [DAY] * 40
    assert rejects(con) == [(i + 2, "invoice_date", t, "not a date") for i, t in enumerate(wrong)]
    source = loaded.sources[0].source
    assert (source.rows_read, source.rows_loaded, source.rows_rejected) == (47, 40, 7)


def test_a_bare_number_among_written_dates_is_no_serial_day() -> None:
    con, _ = cast([*CLEAN, "45358"])
    assert column(con, "issued_on") == [DAY] * 40
    assert rejects(con)[0][2] == "45358"


def test_instants_become_days_of_the_reports_zone() -> None:
    texts = ["2024-03-07T23:30:00Z", "2024-03-07T23:30:00+00:00", "2024-03-07 23:30:00"]
    con, _ = cast(texts, timezone="Europe/Berlin")
    assert column(con, "issued_on") == [dt.date(2024, 3, 8), dt.date(2024, 3, 8), DAY]


def test_texts_that_mean_nothing_are_absent_and_no_rejects() -> None:
    nothing = ["None", "N/A", "-", "Select", "null", "#N/A", "nan", "", "  ", "NULL", None, "n/a", "\u00a0"]
    con, loaded = cast(
        ["2024-03-08"] * 14, ["5", *nothing], {"due_date": ["2024-03-09", *nothing], "product": ["x", *nothing]}
    )
    assert column(con, "amount") == [Decimal(5), *[None] * 13]
    assert column(con, "due_on") == [dt.date(2024, 3, 9), *[None] * 13]
    assert column(con, "product") == ["x", *[None] * 13]
    assert rejects(con) == []
    assert loaded.sources[0].source.rows_loaded == 14


ENGLISH = {
    "1,234.50": "1234.50", "1'234.50": "1234.50", "(1,234.50)": "-1234.50", "-1,234.50": "-1234.50",
    "1,234.50-": "-1234.50", "$1,234.50": "1234.50", "£1,234.50": "1234.50", "USD 1,234.50": "1234.50",
    "-$12.50": "-12.50", "1.5e3": "1500", "+7.25": "7.25", ".5": "0.5", "1,234,567": "1234567", "12.3456": "12.3456",
    "99999999999999.99": "99999999999999.99", "0.125": "0.125", "1234.567": "1234.567", " 12.50 ": "12.50",
    "1,234": "1234", "1.234": "1.234", "5.00 USD": "5",
}  # fmt: skip
GERMAN = {
    "1.234,50": "1234.50", "1 234,50": "1234.50", "1\u00a0234,50": "1234.50", "1\u202f234,50": "1234.50",
    "1.234,50 €": "1234.50", "0,5": "0.5", "1.234.567": "1234567", "12,5": "12.5", "(1.234,50)": "-1234.50",
    "1.234": "1234", "1,234": "1.234", "-0,01": "-0.01", "EUR 5,00": "5", "12": "12",
}  # fmt: skip


@pytest.mark.parametrize("written", [ENGLISH, GERMAN])
def test_every_written_form_of_an_amount_is_that_amount(written: dict[str, str]) -> None:
    con, _ = cast(["2024-03-07"] * len(written), list(written))
    assert dict(zip(written, column(con, "amount"), strict=True)) == {t: Decimal(v) for t, v in written.items()}
    assert rejects(con) == []


@pytest.mark.parametrize("text", [t for t in (ENGLISH | GERMAN) if t not in ("1.234", "1,234")][::6])
def test_an_amount_that_proves_itself_needs_no_company(text: str) -> None:
    con, _ = cast(["2024-03-07"], [text])
    assert column(con, "amount") == [Decimal((ENGLISH | GERMAN)[text])]


def test_thousands_or_decimals_is_not_guessed() -> None:
    doubtful = ["1.234", "12,500", "999.000", "1,234"]
    con, _ = cast(["2024-03-07"] * 5, [*doubtful, "7"])
    assert column(con, "amount") == [Decimal(7)]
    why = "thousands and decimals cannot be told apart"
    assert rejects(con) == [(i + 2, "amount", text, why) for i, text in enumerate(doubtful)]


@pytest.mark.parametrize(("proof", "expected"), [("0.5", "1.234"), ("0,5", "1234")])
def test_one_value_decides_the_decimal_mark(proof: str, expected: str) -> None:
    con, _ = cast(["2024-03-07", "2024-03-08"], ["1.234", proof])
    assert column(con, "amount")[0] == Decimal(expected)


def test_another_number_column_proves_the_mark() -> None:
    con, _ = cast(["2024-03-07"], ["1.234"], {"tax": ["234,46"]})
    assert column(con, "amount") == [Decimal(1234)]


def test_both_marks_in_one_column_keep_only_what_proves_itself() -> None:
    con, _ = cast(["2024-03-07"] * 3, ["12.50", "12,50", "1.234"])
    assert column(con, "amount") == [Decimal("12.50"), Decimal("12.50")]
    assert [r[2] for r in rejects(con)] == ["1.234"]


def test_what_a_lenient_cast_would_take_is_rejected() -> None:
    wrong = ["1_000", "12.75.1", "1,23,45", "twelve", "0x1A", "1--2", "12 34", "1,2345.6"]
    con, _ = cast(["2024-03-07"] * 48, [*wrong, *["1.25"] * 40])
    assert column(con, "amount") == [Decimal("1.25")] * 40
    assert rejects(con) == [(i + 2, "amount", text, "not a number") for i, text in enumerate(wrong)]


def test_currency_in_the_amounts_is_not_lost() -> None:
    con, _ = cast(["2024-03-07"] * 4, ["€5.25", "$5.25", "GBP 5.25", "5.25"])
    assert column(con, "currency") == ["EUR", "USD", "GBP", None]


def test_a_bad_value_past_the_sample_is_found() -> None:
    n = 1500
    amounts = ["1.25"] * n
    dates = ["2024-03-07"] * n
    amounts[1400], dates[1450] = "1.234,50", "07/31/2024"
    con, loaded = cast(dates, amounts)
    assert loaded.sources[0].source.rows_loaded == n
    assert column(con, "amount")[1400] == Decimal("1234.50")
    assert column(con, "issued_on")[1450] == dt.date(2024, 7, 31)


def test_a_cell_that_does_not_matter_is_left_out_of_a_record_that_stays() -> None:
    con, loaded = cast(["2024-03-07"], ["5"], {"due_date": ["soon"], "quantity": ["many"]})
    source = loaded.sources[0].source
    assert (source.rows_loaded, source.rows_rejected) == (1, 0)
    assert [r[1:3] for r in rejects(con)] == []
    assert source.unmapped == ("due_date", "quantity")


def test_money_is_exact() -> None:
    con, loaded = cast(["2024-03-07"] * 10, ["0.10"] * 10)
    assert loaded.sources[0].money_loaded == Decimal("1.0000")
    assert con.execute("select typeof(amount) from loaded.invoices limit 1").fetchall() == [("DECIMAL(18,4)",)]


AMOUNTS = st.decimals(-(10**12), 10**12, places=2)


def _english(value: Decimal) -> str:
    return f"{value:,.2f}"


def _german(value: Decimal) -> str:
    return _english(value).translate(str.maketrans(",.", ".,"))


def _french(value: Decimal) -> str:
    return _english(value).replace(",", "\u202f").replace(".", ",")


def _brackets(value: Decimal) -> str:
    return f"({-value:,.2f})" if value < 0 else _english(value)


@settings(max_examples=8, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=60), st.sampled_from([str, _english, _german, _french, _brackets]))
def test_amounts_come_back_exact_however_written(values: list[Decimal], write: object) -> None:
    assert callable(write)
    con, _ = cast(["2024-03-07"] * len(values), [write(v) for v in values])
    assert column(con, "amount") == values
    assert rejects(con) == []


DATES = st.dates(dt.date(1970, 1, 1), dt.date(2199, 12, 31))
FORMS = ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%d %B %Y", "%b %d, %Y", "%Y/%m/%d", "%Y-%m-%d %H:%M:%S"]


@settings(max_examples=5, deadline=None)
@given(st.lists(st.tuples(DATES, st.sampled_from(FORMS)), min_size=1, max_size=80))
def test_days_come_back_exact_however_mixed_their_forms(written: list[tuple[dt.date, str]]) -> None:
    con, _ = cast([day.strftime(form) for day, form in written])
    assert column(con, "issued_on") == [day for day, _ in written]


@settings(max_examples=8, deadline=None)
@given(st.lists(DATES, min_size=1, max_size=12), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y"]))
def test_slashed_days_are_right_or_set_aside(days: list[dt.date], form: str) -> None:
    con, loaded = cast([day.strftime(form) for day in days])
    rows = con.execute("select invoice_id[5:]::integer, issued_on from loaded.invoices").fetchall()
    assert all(days[i] == day for i, day in rows)
    proved = any(day.day > 12 for day in days)
    clear = [d for d in days if proved or d.day == d.month]
    assert len(rows) == len(clear)
    assert loaded.sources[0].source.rows_rejected == len(days) - len(rows)


@settings(max_examples=4, deadline=None)
@given(st.lists(st.text("0123456789.,-+eE_ ()$€%xn", min_size=1, max_size=9), min_size=20, max_size=100))
def test_the_quick_cast_and_the_careful_one_agree(texts: list[str]) -> None:
    """The quick pass must flag every text that the careful one reads otherwise."""
    con = duckdb.connect()
    lenient = ["1_000", "12.5_0", "5e-5", "1.00005", "1E2", " 7", "9.", "-.5"]
    con.execute("create table x as select unnest($texts) as t", {"texts": [*lenient, *texts]})
    for form, sql_type in (("decimal", "decimal(18, 4)"), ("integer", "decimal(18, 4)")):
        quick = f"case when {forms.quick_test(form, 't')} then try_cast(t as {sql_type}) end"
        tidy = forms.tidy("t")
        careful = forms.number_value("c", forms.number_core("c"), ".", sql_type)
        rows = con.execute(f"select t, {quick}, {careful} from (select t, {tidy} as c from x)").fetchall()
        assert [r for r in rows if r[1] is not None and r[1] != r[2]] == []
