"""Deals decided over two years, audited: three lost deals make no worst competitor, one who starts to win is named."""

from __future__ import annotations

import datetime as dt
import tempfile
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from crmaudit import report
from crmaudit.analysis import Known, analyze_loaded
from crmaudit.audits import Audit, Model, read_models
from crmaudit.catalogue import audits_of
from crmaudit.database import Database, create_loaded
from crmaudit.needs import models_read
from crmaudit.resources import folder
from crmaudit.settings import Settings
from examples.company import RISING, RISING_ODDS

AUDIT = "win_loss_by_competitor"
AS_OF = dt.date(2026, 6, 30)
DAYS = 730
OTHERS = ("Initech", "Umbrella", "Stark")
NEW = "Newcomer"
DEALS_A_YEAR = 400
WON = (0.3, 0.5)
"""Bases win between one and the other share of their deals, against each competitor alike."""


@cache
def _read() -> tuple[Audit, tuple[Model, ...]]:
    audit = next(audit for audit in audits_of() if audit.id == AUDIT)
    return audit, models_read((audit,), read_models(folder("queries") / "model"))


def _audited(deals: pl.DataFrame) -> report.Result:
    """What the audit alone says of deals: `competitor`, `won`, `days_ago`."""
    audit, models = _read()
    table = deals.with_row_index("number").select(
        pl.lit("generic").alias("system"),
        pl.lit("1").alias("source_id"),
        pl.format("d{}", "number").alias("opportunity_id"),
        pl.format("a{}", "number").alias("account_id"),
        pl.when("won").then(pl.lit("won")).otherwise(pl.lit("lost")).alias("outcome"),
        "competitor",
        (pl.lit(AS_OF) - pl.duration(days="days_ago")).cast(pl.Date).alias("closed_on"),
        pl.lit(1000).alias("amount"),
    )
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect(config={"threads": 1}) as con:
        db = Database(con, Path(scratch))
        create_loaded(con, ["opportunities"])
        db.store("drawn", table)
        con.execute("insert into loaded.opportunities by name select * from drawn")
        told = analyze_loaded(db, Settings(as_of=AS_OF), AS_OF, (audit,), Known(), lambda _: None, models)
    return told.audits[0]


def _named(found: report.Result, *levels: str) -> set[str]:
    """Of whom the findings of these levels speak."""
    texts = [finding.text for finding in found.findings if finding.level in levels]
    return {name for name in (*OTHERS, RISING, NEW) if any(name in text for text in texts)}


def _deals(rng: np.random.Generator, *, rises: bool) -> pl.DataFrame:
    """Deals of two years, each competitor met in a quarter of them.

    Where one rises, our odds against him fall in the last three quarters, as they do in the example company.
    """
    number = int(rng.poisson(DEALS_A_YEAR * DAYS / 365))
    days_ago = rng.integers(0, DAYS, number)
    competitor = rng.choice([*OTHERS, RISING], number)
    left = np.array([*reversed(RISING_ODDS), 1.0])[np.minimum(days_ago // 91, 3)]
    rate = rng.uniform(*WON)
    odds = rate / (1 - rate) * np.where((competitor == RISING) & rises, left, 1.0)
    return pl.DataFrame({"competitor": competitor, "won": rng.random(number) < odds / (1 + odds), "days_ago": days_ago})


def three_lost_deals_make_a_worst(seed: int) -> tuple[bool, bool]:
    """Whether a newcomer to whom the only three deals were lost is called the worst, and whether noise has a name."""
    rng = np.random.default_rng(seed)
    new = pl.DataFrame({"competitor": [NEW] * 3, "won": [False] * 3, "days_ago": rng.integers(0, 90, 3)})
    found = _audited(pl.concat([_deals(rng, rises=False), new]))
    named = _named(found, "act", "watch")
    return NEW in named or found.metrics["worst_win_rate_competitor"].value == NEW, bool(named)


def names_who_starts_to_win(seed: int) -> tuple[bool, float]:
    """Whether the one who has begun to win is named, and the share of others among all who are."""
    found = _audited(_deals(np.random.default_rng(seed), rises=True))
    named = _named(found, "act", "watch")
    return RISING in _named(found, "act"), len(named - {RISING}) / max(len(named), 1)
