"""A file that several tables fit as well is a question: nothing of it is used until somebody says what it is."""

from __future__ import annotations

import datetime as dt
import tomllib

import duckdb

from crmaudit.intake.describe import describe, propose_settings
from crmaudit.intake.load import load
from crmaudit.intake.raw import RawTable
from crmaudit.intake.recognise import recognise
from tests.intake.tables import raw_table

TODAY = dt.date(2026, 1, 1)


def things(con: duckdb.DuckDBPyConnection) -> RawTable:
    rows = [[str(n), f"thing {n}", "open", f"2025-01-0{n}", ""] for n in range(1, 7)]
    return raw_table(con, "things.csv", ["id", "title", "status", "created", "closed"], rows)


def test_what_two_tables_fit_is_left_out_and_asked() -> None:
    con = duckdb.connect()
    table = things(con)
    (found,) = recognise(con, [table])
    assert found.is_ambiguous
    assert (found.entity, [c.entity for c in found.candidates]) == (None, ["tickets", "leads"])
    assert found.reason is not None
    assert "tickets (0.61) or leads (0.57)" in found.reason
    (source,) = (s.source for s in load(con, [table], today=TODAY).sources)
    assert (source.rows_read, source.rows_loaded, source.rows_excluded) == (6, 0, 6)
    assert source.exclusions[0].reason == f"not used: {found.reason}"


def test_the_answers_stand_in_the_settings_as_comments_and_one_of_them_is_obeyed() -> None:
    con = duckdb.connect()
    table = things(con)
    written = propose_settings(recognise(con, [table]))
    assert tomllib.loads(written) == {"files": {"things.csv": {}}}
    assert '# entity = "leads"  # score 0.57' in written
    answered = tomllib.loads(written.replace('# entity = "leads"', 'entity = "leads"'))["files"]
    (found,) = recognise(con, [table], overrides=answered)
    assert (found.entity, found.is_ambiguous) == ("leads", False)


def test_whether_customers_are_companies_or_people_is_no_reason_to_leave_them_out() -> None:
    con = duckdb.connect()
    rows = [[str(n), f"name {n}", f"n{n}@example.com"] for n in range(1, 7)]
    table = raw_table(con, "customers.csv", ["customer id", "name", "email"], rows)
    (found,) = recognise(con, [table])
    assert (found.entity, found.is_ambiguous) == ("accounts", False)
    assert "# could also be: contacts 1.00" in propose_settings([found])
    assert not describe([found])[0].is_ambiguous
    (source,) = (s.source for s in load(con, [table], today=TODAY).sources)
    assert "could also be contacts (1.00): the settings can say so" in source.notes


def test_what_nothing_fits_is_no_question() -> None:
    con = duckdb.connect()
    (found,) = recognise(con, [raw_table(con, "x.csv", ["colour", "shape"], [["red", "round"]] * 6)])
    assert not found.is_ambiguous
    assert "ignore = true" in propose_settings([found])
