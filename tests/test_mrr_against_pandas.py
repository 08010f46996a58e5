"""The tables of recurring revenue against plain pandas, and the sums that must hold whatever the subscriptions."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crmaudit.analysis import Known, analyze_loaded
from crmaudit.audits import read_models
from crmaudit.catalogue import audits_of
from crmaudit.database import Database, create_loaded
from crmaudit.needs import models_read
from crmaudit.resources import folder
from crmaudit.settings import Settings

AUDIT = next(audit for audit in audits_of() if audit.id == "recurring_revenue")
MODELS = models_read((AUDIT,), read_models(folder("queries") / "model"))
AS_OF = dt.date(2025, 12, 15)
YEAR_AGO = dt.date(2024, 12, 15)
SIX_DIGITS = 1e-5
"""The report rounds ratios to six digits."""
KINDS = ("new", "expansion", "contraction", "churned", "reactivation")


@dataclass(frozen=True)
class Plan:
    """A paid subscription: whose, how much a month in cents, from which day, until which."""

    customer: int
    cents: int
    started_on: dt.date
    ended_on: dt.date | None


def audited(plans: Sequence[Plan], scratch: Path) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """The audit's movements of customers, its months and its metrics."""
    with duckdb.connect(config={"threads": 1}) as con:
        create_loaded(con, ["subscriptions"])
        con.executemany(
            "insert into loaded.subscriptions (system, source_id, subscription_id, account_id, mrr, started_on, "
            "ended_on) values ('generic', '1', ?, ?, ?, ?, ?)",
            [
                (f"s{i}", f"c{p.customer}", Decimal(p.cents) / 100, p.started_on, p.ended_on)
                for i, p in enumerate(plans)
            ],
        )
        told = analyze_loaded(
            Database(con, scratch), Settings(as_of=AS_OF), AS_OF, (AUDIT,), Known(), lambda _: None, MODELS
        )
        (result,) = told.audits
        assert result.status == "partial", result.reason
        steps = con.execute(
            "select p.customer, m.until_on, m.movement, cast(100 * m.change_amount as bigint) "
            'from "recurring_revenue".customer_months m join parties p using (party_id)'
        ).fetchall()
        cursor = con.execute('select * from "recurring_revenue".by_month order by until_on')
        months = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
        metrics = {name: metric.value for name, metric in result.metrics.items()}
        return pd.DataFrame(steps, columns=["customer", "until_on", "movement", "cents"]), months, metrics


def ends() -> list[dt.date]:
    """Every end of a month from 2022 on, the day twelve months ago, and the as-of date."""
    months = [day.date() for day in pd.date_range("2022-01-01", AS_OF, freq="ME")]
    return sorted({*months, YEAR_AGO, AS_OF})


def balances(plans: Sequence[Plan]) -> pd.DataFrame:
    """Cents of each customer (columns) running on each of those days (rows): who began by then and has not ended."""
    days = ends()
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(days))
    for plan in plans:
        for i, day in enumerate(days):
            if plan.started_on <= day and (plan.ended_on is None or plan.ended_on > day):
                found[f"c{plan.customer}"][i] += plan.cents
    return pd.DataFrame(found, index=pd.Index(days))


def expected(grid: pd.DataFrame) -> list[tuple[str, dt.date, str, int]]:
    steps = []
    for customer in grid.columns:
        before, ever = 0, False
        for day, now in grid[customer].items():
            if now != before:
                if before == 0:
                    kind = "reactivation" if ever else "new"
                elif now == 0:
                    kind = "churned"
                else:
                    kind = "expansion" if now > before else "contraction"
                steps.append((customer, day, kind, int(now - before)))
            before, ever = now, ever or now > 0
    return sorted(steps)


def generated(seed: int, customers: int) -> list[Plan]:
    draw = random.Random(seed)  # noqa: S311
    plans = []
    for customer in range(customers):
        for _ in range(draw.randint(1, 4)):
            start = dt.date(2022, 1, 1) + dt.timedelta(days=draw.randint(0, 1440))
            end = start + dt.timedelta(days=draw.randint(0, 700)) if draw.random() < 0.6 else None
            plans.append(Plan(customer, draw.randint(100, 90_000), start, end))
    return plans


@pytest.mark.parametrize("seed", [1, 2])
def test_movements_agree_with_pandas(seed: int, tmp_path: Path) -> None:
    plans = generated(seed, 400)
    steps, _, metrics = audited(plans, tmp_path)
    grid = balances(plans)
    assert sorted(steps.itertuples(index=False, name=None)) == expected(grid)
    assert set(steps["movement"]) == set(KINDS)
    then, now = grid.loc[YEAR_AGO], grid.loc[AS_OF]
    base = then > 0
    assert metrics["mrr"] == pytest.approx(now.sum() / 100, rel=1e-12)
    assert metrics["nrr_pct"] == pytest.approx(100 * now[base].sum() / then[base].sum(), rel=SIX_DIGITS)
    smaller = pd.concat([then[base], now[base]], axis=1).min(axis=1)
    assert metrics["grr_pct"] == pytest.approx(100 * smaller.sum() / then[base].sum(), rel=SIX_DIGITS)
    last = steps[steps["until_on"] > YEAR_AGO].groupby("movement")["cents"].sum()
    won = last["new"] + last["expansion"] + last["reactivation"]
    assert metrics["quick_ratio"] == pytest.approx(-won / (last["contraction"] + last["churned"]), rel=SIX_DIGITS)


DAYS = st.dates(dt.date(2022, 1, 1), dt.date(2026, 3, 1))
PLANS = st.lists(
    st.builds(
        Plan,
        st.integers(0, 4),
        st.integers(1, 10**9),
        DAYS,
        st.none() | DAYS,
    ).filter(lambda p: p.ended_on is None or p.ended_on >= p.started_on),
    min_size=1,
    max_size=12,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=PLANS)
def test_movements_add_up_to_the_cent(plans: list[Plan], tmp_path: Path) -> None:
    one = Plan(9, 1000, dt.date(2024, 1, 1), None)
    steps, months, metrics = audited([one, *plans], tmp_path)
    assert sorted(steps.itertuples(index=False, name=None)) == expected(balances([one, *plans]))
    previous = Decimal(0)
    for month in months.to_dict("records"):
        moved = sum(Decimal(month[f"{kind}_amount"]) for kind in KINDS)
        assert month["opening_amount"] == previous
        assert month["opening_amount"] + moved == month["closing_amount"]
        previous = month["closing_amount"]
    total = sum(p.cents for p in (one, *plans) if p.started_on <= AS_OF and (p.ended_on is None or p.ended_on > AS_OF))
    assert previous == Decimal(total) / 100
    assert metrics["grr_pct"] <= min(100, metrics["nrr_pct"]) + 1e-9
