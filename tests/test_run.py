"""What a run does with a model of ours that fails."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from crmaudit.analysis import Known, analyze_loaded
from crmaudit.audit_header import Block
from crmaudit.audits import read_models
from crmaudit.catalogue import audits_of
from crmaudit.database import Database, create_loaded
from crmaudit.needs import Shapes, models_read
from crmaudit.resources import folder
from crmaudit.settings import Settings


def test_a_model_that_fails_fails_the_audits_that_read_it_and_no_other(tmp_path: Path) -> None:
    audits = tuple(audit for audit in audits_of() if audit.id in ("abc_ranking", "vote_timeline"))
    models = [
        replace(model, sql=f"select *, cast(kind as integer) as number from ({model.sql})")
        if model.name == "votes"
        else model
        for model in models_read(audits, read_models(folder("queries") / "model"))
    ]
    with duckdb.connect() as con:
        create_loaded(con, ["invoices"])
        con.execute(
            "insert into loaded.invoices (invoice_id, account_id, amount, issued_on, system, source_id) "
            "values ('1', 'a', 10, '2025-12-01', 'generic', 1), ('2', 'b', 20, '2025-12-31', 'generic', 1)"
        )
        day = dt.date(2026, 1, 1)
        told = analyze_loaded(Database(con, tmp_path), Settings(), day, audits, Known(), lambda _: None, models)
    ranking, timeline = told.audits
    assert ranking.status == "partial"
    assert timeline.status == "failed"
    assert "What each customer did" in str(timeline.reason)
    assert told.summary["failed"] == 1


@pytest.mark.parametrize(
    ("sql", "is_told"),
    [
        ("select * from invoices", False),
        ("select i.* from invoices i", False),
        ("select amount * 2, count(*) from invoices group by all", True),
    ],
)
def test_words_do_not_tell_the_columns_of_a_star(sql: str, is_told: bool) -> None:
    shapes = Shapes({})
    assert (shapes.mentioned([Block("rows", sql, 1)]) is not None) == is_told
    shapes.close()
