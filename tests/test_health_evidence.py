"""Health as of an earlier day knows nothing that was not on record then: which tickets were open is told by days."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import polars as pl
import pytest

from crmaudit.analysis import Known, analyze_loaded
from crmaudit.audits import read_models
from crmaudit.catalogue import audits_of
from crmaudit.database import Database, create_loaded
from crmaudit.needs import models_read
from crmaudit.resources import folder
from crmaudit.settings import Settings

AUDITS = tuple(audit for audit in audits_of() if audit.id == "health_score")
MODELS = models_read(AUDITS, read_models(folder("queries") / "model"))
AS_OF = dt.date(2025, 12, 31)


def open_tickets(scratch: Path, undated: int, hours: float | None = None) -> list[tuple[int, float | None]]:
    """Days ago and open tickets of a customer whose ticket of 1 October is solved nobody knows when, or after so many
    hours, beside a ticket of the others for each twentieth, all with their days but `undated`."""
    tickets = pl.DataFrame(
        {
            "account_id": ["a", *("b" for _ in range(19))],
            "opened_at": ["2025-10-01 20:00", *("2025-01-01 00:00" for _ in range(19))],
            "resolved_at": [None, *(None if n < undated else "2025-10-02 00:00" for n in range(19))],
            "resolution_hours": [hours, *(None for _ in range(19))],
        },
        schema_overrides={"resolution_hours": pl.Float64},
    ).with_columns(pl.col("opened_at", "resolved_at").str.to_datetime("%Y-%m-%d %H:%M"), status=pl.lit("solved"))
    late = pl.DataFrame({"account_id": ["z"], "opened_at": [dt.date(2025, 12, 30)], "status": ["open"]})
    contracts = pl.DataFrame({"account_id": ["a", "b", "z"], "started_on": [dt.date(2024, 1, 1)] * 3, "mrr": [1.0] * 3})
    with duckdb.connect(config={"threads": 1}) as con:
        create_loaded(con, ["tickets", "subscriptions"])
        db = Database(con, scratch)
        for name, frame in (("tickets", tickets), ("tickets", late), ("subscriptions", contracts)):
            key = {"tickets": "ticket_id", "subscriptions": "subscription_id"}[name]
            numbered = frame.with_columns((pl.col("account_id") + pl.int_range(pl.len()).cast(pl.String)).alias(key))
            db.store("given", numbered.with_columns(system=pl.lit("generic"), source_id=pl.lit("1")))
            con.execute(f"insert into loaded.{name} by name from given")
        con.execute("drop table given")
        analyze_loaded(db, Settings(as_of=AS_OF), AS_OF, AUDITS, Known(), lambda _: None, MODELS)
        con.execute(
            "select h.days_ago, h.tickets_open from health_components h join parties p on p.party_id = h.party_id "
            "where p.account_id = 'a' and h.days_ago <= 90 order by h.days_ago"
        )
        return con.fetchall()


@pytest.mark.parametrize(
    ("undated", "hours", "told"),
    [
        (0, None, [(0, 0.0), (30, 0.0), (90, 0.0)]),
        (1, None, [(0, 0.0), (30, None), (90, None)]),
        (0, 27.9, [(0, 0.0), (30, 0.0), (90, 0.0)]),
        (0, 28.0, [(0, 0.0), (30, 0.0), (90, 1.0)]),
    ],
)
def test_what_was_open_is_told_only_where_ends_have_days(
    undated: int, hours: float | None, told: list[tuple[int, float | None]], tmp_path: Path
) -> None:
    assert open_tickets(tmp_path, undated, hours) == told
