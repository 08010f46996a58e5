"""How much a mail reports about a base in which nothing changes: the real queries over simulated years."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import polars as pl
import pytest

from crmaudit import news, weekly
from crmaudit.changes import State, compare
from crmaudit.methods import weekly_counts
from crmaudit.news import Entry, Observed
from crmaudit.resources import folder
from tests.report_sample import sample

KINDS = {kind.id: kind for kind in news.read_kinds()}
END = dt.date(2026, 6, 30)
YEARS = 4
SHAPE, SCALE = 2.0, 60.0
"""Customers buy at rates that are gamma distributed: every 30 days in the middle."""


@contextmanager
def base(customers: int, seed: int, leaving: int = 0) -> Iterator[duckdb.DuckDBPyConnection]:
    """A base of loyal A customers, of whom the first `leaving` stop half a year before the end."""
    rng = np.random.default_rng(seed)
    days: list[tuple[int, dt.date]] = []
    for party, rate in enumerate(rng.gamma(SHAPE, 1 / SCALE, customers)):
        start = rng.integers(0, 365)
        times = start + np.unique(
            np.concatenate([[0], rng.integers(0, 365 * YEARS - start, rng.poisson(rate * (365 * YEARS - start)))])
        )
        if party < leaving:
            times = times[times < 365 * YEARS - 182]
        days += [(party, END - dt.timedelta(days=365 * YEARS) + dt.timedelta(days=int(t))) for t in times]
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("create table history (party_id integer, purchased_on date)")
        con.execute(
            "insert into history select unnest(?::integer[]), unnest(?::date[])",
            [[p for p, _ in days], [d for _, d in days]],
        )
        con.execute("create table parties as select distinct party_id, null::varchar as segment from history")
        con.execute("create table classes as select 'current' as period, party_id, 'A' as class from parties")
        con.execute(
            f"create table rhythm_priors as select 'unknown' as segment, {SHAPE}::double as r, {SCALE}::double as alpha_days"
        )
        con.execute(
            "create table deals as select '' as outcome, true as is_new_business, null::date as closed_on where false"
        )
        con.execute("create table leads as select null::date as created_on where false")
        con.execute("create table issues as select null::timestamp as opened_at where false")
        yield con


def a_year_of_mails(con: duckdb.DuckDBPyConnection) -> tuple[int, int, set[str]]:
    """Customers told of as gone silent, counts told of as unusual, and who was told of, in 52 mails after the first."""
    state: State | None = None
    silent = unusual = 0
    who: set[str] = set()
    for week in range(52, -1, -1):
        as_of = END - dt.timedelta(weeks=week)
        _look(con, as_of)
        done = con.execute(KINDS["gone_silent"].sql)
        names = [column[0] for column in done.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in done.fetchall()]
        entries = {
            f"gone_silent/{row['party_id']}": Entry(
                f"gone_silent/{row['party_id']}", "gone_silent", row["is_entered"], "act", "", str(row["party_id"])
            )
            for row in rows
        }
        changed, new_state = compare(
            state, Observed(as_of.isoformat(), entries, frozenset()), as_of.isoformat(), KINDS.values()
        )
        flows = con.execute((folder("queries") / "weekly" / "flows.sql").read_text(encoding="utf-8")).fetchall()
        table = pl.DataFrame([row[:3] for row in flows], schema=["flow", "week", "count"], orient="row")
        counts = weekly_counts.estimate(table.filter(pl.col("flow") == "Purchases")).tables["weeks"]
        if state is not None:
            silent += len(changed.new)
            unusual += int(counts["is_news"].sum())
            who |= {entry.party for entry in changed.new}
        state = new_state
    return silent, unusual, who


def _look(con: duckdb.DuckDBPyConnection, as_of: dt.date) -> None:
    """The models' tables as of a day."""
    con.execute("create or replace table clock as select ?::date as as_of_on", [as_of])
    con.execute(
        "create or replace table purchases as select h.* from history h join clock c on h.purchased_on <= c.as_of_on"
    )
    con.execute(
        "create or replace table forecasts as select party_id, count(*)::integer as purchases, min(purchased_on) as first_purchase_on, "
        "max(purchased_on) as last_purchase_on, date_diff('day', max(purchased_on), max(as_of_on)) as silence_days, 30.0::double as typical_gap_days, "
        "1::decimal(18, 4) as window_revenue from purchases cross join clock group by party_id"
    )
    con.execute(
        "create or replace table customers as select 'current' as period, party_id, min(purchased_on) as first_purchase_on, "
        "count(*) filter (where purchased_on > as_of_on - 365) as window_purchases from purchases cross join clock group by party_id"
    )


@pytest.mark.parametrize(("customers", "most"), [(40, 22), (150, 22), (500, 75)])
def test_a_base_that_never_leaves_is_hardly_ever_told_of(customers: int, most: int) -> None:
    """One a month by design, 13 a year and its chance; of a large base 1 % of its gaps, 5 a month of 500 customers."""
    with base(customers, seed=customers) as con:
        silent, unusual, _ = a_year_of_mails(con)
    assert silent <= most
    # One week in twenty by design: 2.6 a year, and its chance.
    assert unusual <= 7


def test_who_leaves_is_told_of() -> None:
    with base(150, seed=1, leaving=12) as con:
        _, _, who = a_year_of_mails(con)
    assert len(who & {str(party) for party in range(12)}) >= 8


def test_a_week_that_was_told_of_is_not_told_of_again() -> None:
    """Without a purchase the as-of date stays, and with it the last week."""
    told = sample()
    assert told.as_of is not None
    series = [("Tickets", week, 40 if week == 0 else 5, False) for week in range(-60, 1)]
    (first,), _ = weekly._flows(series, told, State("2020-01-01", "", {}))
    again, _ = weekly._flows(series, told, State(told.as_of, "", {}))
    assert first.is_news
    assert [(flow.count, flow.is_news) for flow in again] == [(40, False)]
