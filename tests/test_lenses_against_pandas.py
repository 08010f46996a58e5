"""The lenses of the customer-base audit recomputed with plain pandas on a drawn base, and what adds up to the cent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import permutations
from math import prod
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmaudit.analysis import Known, analyze_loaded
from crmaudit.audits import read_models
from crmaudit.catalogue import audits_of
from crmaudit.database import Database, create_loaded
from crmaudit.needs import models_read
from crmaudit.resources import folder
from crmaudit.settings import Settings

LENSES = ("customer_concentration", "period_change", "cohort_evolution", "cohort_comparison", "base_health",
          "customer_value_trend")  # fmt: skip
END = dt.date(2025, 12, 31)
START, BEFORE = dt.date(2024, 12, 31), dt.date(2023, 12, 31)
FIRST = dt.date(2022, 1, 1)
AUDITS = tuple(a for a in audits_of() if a.id in LENSES)
MODELS = models_read(AUDITS, read_models(folder("queries") / "model"))

Invoice = tuple[str, dt.date, int]
"""Customer, day, cents."""


def run(con: duckdb.DuckDBPyConnection, scratch: Path, invoices: list[Invoice], refunds: list[Invoice],
        since: Mapping[str, dt.date]) -> None:  # fmt: skip
    create_loaded(con, ["invoices", "refunds", "accounts"])
    rows = [(f"i{n}", who, day, cents / 100, "generic", "1") for n, (who, day, cents) in enumerate(invoices)]
    con.executemany("insert into loaded.invoices (invoice_id, account_id, issued_on, net_amount, system, source_id) values (?, ?, ?, ?, ?, ?)", rows)  # fmt: skip
    given_back = [(who, day, cents / 100, "generic", "1") for who, day, cents in refunds]
    if given_back:
        con.executemany("insert into loaded.refunds (account_id, refunded_on, amount, system, source_id) values (?, ?, ?, ?, ?)", given_back)  # fmt: skip
    if since:
        con.executemany("insert into loaded.accounts (account_id, name, customer_since_on, system, source_id) values (?, ?, ?, 'generic', '1')", [(who, who, day) for who, day in since.items()])  # fmt: skip
    report = analyze_loaded(
        Database(con, scratch), Settings(as_of=END), dt.date(2026, 1, 31), AUDITS, Known(), lambda _: None, MODELS
    )
    assert {r.id: r.reason for r in report.audits if r.status == "failed"} == {}


def drawn() -> tuple[list[Invoice], list[Invoice], dict[str, dt.date]]:
    rng = np.random.default_rng(7)
    invoices, refunds, since = [("c000", FIRST, 12345)], [], {}
    for number in range(400):
        who = f"c{number:03d}"
        day, rate = FIRST + dt.timedelta(days=int(rng.integers(0, 1450))), rng.gamma(1.0, 90) + 8
        if rng.random() < 0.1:
            since[who] = day + dt.timedelta(days=int(rng.choice([-900, 0, 20, 31, 32, 90])))
        level = rng.lognormal(8, 1)
        while day <= dt.date(2026, 1, 20):
            invoices.append((who, day, int(level * rng.gamma(2, 0.5)) + 1))
            if rng.random() < 0.08:
                refunds.append((who, day + dt.timedelta(days=int(rng.integers(0, 60))), int(level / 3) + 1))
            if rng.random() < 0.12:
                break
            day += dt.timedelta(days=int(rng.exponential(rate)))
    return invoices, refunds, since


class Base:
    """The drawn base as the audits see it, and as pandas does."""

    def __init__(self, con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self.con = con
        invoices, refunds, since = drawn()
        run(con, scratch, invoices, refunds, since)
        names = dict(con.execute("select customer, party_id from parties").fetchall())
        sold = pd.DataFrame(invoices, columns=["who", "day", "cents"])
        self.sales = sold[sold.day <= END].groupby(["who", "day"], as_index=False).cents.sum()
        back = pd.DataFrame(refunds, columns=["who", "day", "cents"]).assign(cents=lambda f: -f.cents)
        self.refunds = back[(back.day <= END) & back.who.isin(self.sales.who)]
        for frame in (self.sales, self.refunds):
            frame.insert(0, "party_id", frame.who.map(names))
        firsts = self.sales.groupby("party_id").day.min()
        known = {names[who]: day for who, day in since.items() if who in names}
        self.first = firsts
        self.began = pd.Series({p: self._began(day, known.get(p)) for p, day in firsts.items()}, dtype=object)
        self.watched = {p for p, day in self.began.items() if day is not None and day >= FIRST}

    @staticmethod
    def _began(first: dt.date, since: dt.date | None) -> dt.date | None:
        if since is not None and since < FIRST:
            return since
        is_told = since is not None and since <= first + dt.timedelta(days=31)
        return first if is_told or first >= dt.date(2023, 1, 1) else None

    def table(self, name: str) -> pd.DataFrame:
        cursor = self.con.execute(f"select * from {name}")
        return pd.DataFrame(cursor.fetchall(), columns=[c[0] for c in cursor.description])

    def metrics(self, audit: str) -> dict[str, Any]:
        return dict(self.table(f"{audit}.metrics").iloc[0])

    def window(self, after: dt.date, until: dt.date) -> pd.DataFrame:
        """Per customer: revenue in cents, net of refunds, and purchase days."""
        parts = [f[(f.day > after) & (f.day <= until)].groupby("party_id").cents.agg(["sum", "size"])
                 for f in (self.sales, self.refunds)]  # fmt: skip
        both = parts[0].join(parts[1], how="outer", lsuffix="_s", rsuffix="_r").fillna(0)
        return pd.DataFrame({"cents": both.sum_s + both.sum_r, "n": both.size_s})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with duckdb.connect(config={"threads": 1}) as con:
        yield Base(con, tmp_path_factory.mktemp("lenses"))


def age(began: dt.date, day: dt.date) -> int:
    """Whole months, counted up one by one: the n-th begins on the same day of a month, or after a month without it."""
    months = (day.year - began.year) * 12 + day.month - began.month
    return months - 1 if day.day < began.day else months


def money(values: Any) -> list[float]:
    return [round(float(v) * 100) for v in values]


def test_tenths_lorenz_and_gini(base: Base) -> None:
    now = base.window(START, END)
    now = now[now.n > 0].reset_index().sort_values(["cents", "party_id"], ascending=[False, True], ignore_index=True)
    cuts = [np.flatnonzero(np.arange(len(now)) * 10 // len(now) == k) for k in range(10)]
    told = base.table("customer_concentration.deciles_by_customers")
    assert told.customers.tolist() == [len(c) for c in cuts]
    assert money(told.revenue_amount) == [now.cents[c].sum() for c in cuts]
    assert told.frequency.tolist() == pytest.approx([now.n[c].mean() for c in cuts])
    assert [float(v) for v in told.order_value_amount] == pytest.approx([now.cents[c].sum() / now.n[c].sum() / 100 for c in cuts], abs=0.0051)  # fmt: skip
    before = now.cents.cumsum() - now.cents
    place = (before * 10 // now.cents.sum()).clip(0, 9).astype(int) + 1
    told = base.table("customer_concentration.deciles_by_revenue")
    assert dict(zip(told.decile, told.customers, strict=True)) == place.value_counts().to_dict()
    assert dict(zip(told.decile, money(told.revenue_amount), strict=True)) == now.cents.groupby(place).sum().to_dict()
    spent = np.sort(np.maximum(now.cents.to_numpy(), 0))
    gini = np.abs(spent[:, None] - spent[None, :]).mean() / spent.mean() / 2
    metrics = base.metrics("customer_concentration")
    assert metrics["gini"] == pytest.approx(gini)
    assert metrics["top_decile_revenue_pct"] == pytest.approx(100 * now.cents[cuts[0]].sum() / now.cents.sum())
    assert metrics["one_time_buyers_pct"] == pytest.approx(100 * (now.n == 1).mean())
    assert metrics["below_mean_pct"] == pytest.approx(100 * (now.cents < now.cents.mean()).mean())
    assert float(metrics["revenue_per_customer_median"]) == pytest.approx(now.cents.median() / 100, abs=0.0051)
    assert metrics["half_of_revenue_customers"] == int((now.cents.cumsum() < now.cents.sum() / 2).sum()) + 1
    curve = base.table("customer_concentration.lorenz_curve")
    upto = np.concatenate([[0], spent.cumsum()]) / spent.sum()
    at = (curve.customers_pct * len(now) / 100).round().astype(int)
    assert curve.revenue_pct.tolist() == pytest.approx((100 * upto[at]).tolist())


def shapley(before: list[float], after: list[float]) -> list[float]:
    orders = list(permutations(range(len(before))))
    parts = [0.0] * len(before)
    for order in orders:
        values = list(before)
        for i in order:
            old = prod(values)
            values[i] = after[i]
            parts[i] += (prod(values) - old) / len(orders)
    return parts


def test_change_between_the_windows(base: Base) -> None:
    joined = (
        base.window(START, END).join(base.window(BEFORE, START), how="outer", lsuffix="_now", rsuffix="_was").fillna(0)
    )

    def move(row: Any) -> str:
        if row.n_now and row.n_was:
            return "retained"
        if row.n_was:
            return "lapsed"
        if not row.n_now:
            return "other"
        began = base.began[row.name]
        return "reactivated" if base.first[row.name] <= BEFORE or (began is not None and began <= BEFORE) else "new"

    joined["move"] = joined.apply(move, axis=1)
    joined = joined[(joined.move != "other") | (joined.cents_now != 0) | (joined.cents_was != 0)]
    told = base.table("period_change.by_move")
    change = joined.cents_now - joined.cents_was
    assert dict(zip(told.move, told.customers, strict=True)) == joined.move.value_counts().to_dict()
    assert dict(zip(told.move, money(told.change_amount), strict=True)) == change.groupby(joined.move).sum().to_dict()
    metrics = base.metrics("period_change")
    assert round(float(metrics["revenue_change"]) * 100) == change.sum()
    for of_whom, part in (("all who bought", joined), ("retained", joined[joined.move == "retained"])):
        figures = []
        for side in ("was", "now"):
            buyers, cents, days = (part[f"n_{side}"] > 0).sum(), part[f"cents_{side}"].sum(), part[f"n_{side}"].sum()
            figures.append([float(buyers), days / buyers, cents / days / 100])
        drivers = base.table(f"period_change.drivers where of_whom = '{of_whom}'")
        assert [float(v) for v in drivers.change_amount] == pytest.approx(shapley(*figures), abs=0.011)
        assert drivers.before_figure.tolist() == pytest.approx(figures[0])
        assert drivers.now_figure.tolist() == pytest.approx(figures[1])
    direction = np.sign(change[joined.move == "retained"]).map({1.0: "up", -1.0: "down", 0.0: "same"})
    told = base.table("period_change.up_and_down")
    assert dict(zip(told.direction, told.customers, strict=True)) == direction.value_counts().to_dict()
    bridge = base.table("period_change.bridge")
    assert sum(money(bridge[~bridge.is_total].amount)) == change.sum()


def test_moves_between_tenths(base: Base) -> None:
    told = base.table("period_change.changes")
    now = told[told.now_purchases > 0].sort_values(["now_amount", "party_id"], ascending=[False, True])
    cuts = np.arange(len(now)) * 10 // len(now)
    floors = [now.now_amount[cuts == k].min() for k in range(9)]

    def tenth(amount: Any, purchases: int) -> str:
        return "none" if not purchases else str(next((k + 1 for k, floor in enumerate(floors) if amount >= floor), 10))

    pairs = [
        (tenth(r.before_amount, r.before_purchases), tenth(r.now_amount, r.now_purchases)) for r in told.itertuples()
    ]
    counted = pd.Series(pairs).value_counts()
    moves = base.table("period_change.decile_moves")
    assert len(moves) == 120
    assert {(r.decile_before, r.decile_now): r.customers for r in moves.itertuples() if r.customers} == {
        pair: n for pair, n in counted.items() if pair != ("none", "none")
    }
    metrics = base.metrics("period_change")
    both = [(int(a), int(b)) for a, b in pairs if "none" not in (a, b)]
    assert metrics["moved_to_better_decile"] == sum(b < a for a, b in both)
    assert metrics["moved_to_worse_decile"] == sum(b > a for a, b in both)


def aged(base: Base) -> tuple[pd.DataFrame, pd.DataFrame]:
    frames = []
    for frame in (base.sales, base.refunds):
        own = frame[frame.party_id.isin(base.watched)].copy()
        own["age"] = [age(base.began[p], day) for p, day in zip(own.party_id, own.day, strict=True)]
        own["cohort_on"] = [base.began[p].replace(day=1) for p in own.party_id]
        frames.append(own)
    return frames[0], frames[1]


def watched_months(cohort: dt.date) -> int:
    last = (cohort + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    return max(0, age(last, END + dt.timedelta(days=1)))


def test_cohorts_by_age(base: Base) -> None:
    sales, refunds = aged(base)
    sizes = pd.Series([base.began[p].replace(day=1) for p in base.watched]).value_counts()
    told = base.table("cohort_evolution.by_month_of_age")
    active = sales.groupby(["cohort_on", "age"]).party_id.nunique()
    cents = pd.concat([sales, refunds]).groupby(["cohort_on", "age"]).cents.sum()
    grid = [(c.date(), a) for c in pd.date_range(min(sizes.index), max(sizes.index), freq="MS") for a in range(watched_months(c.date()))]  # fmt: skip
    assert list(zip(told.cohort_on, told.age, strict=True)) == grid
    assert told.customers.tolist() == [sizes.get(c, 0) for c, _ in grid]
    assert told.active.tolist() == [active.get(key, 0) for key in grid]
    assert money(told.revenue_amount) == [cents.get(key, 0) for key in grid]
    by_quarter = sales.assign(quarter=sales.age // 3).groupby(["cohort_on", "quarter"]).party_id.agg(set)
    told = base.table("cohort_evolution.by_quarter_of_age")
    for row in told.itertuples():
        buyers = by_quarter.get((row.cohort_on, row.quarter), set())
        before = by_quarter.get((row.cohort_on, row.quarter - 1), set())
        assert (row.active, row.bought_again) == (len(buyers), len(buyers & before))
    old = {c for c in sizes.index if watched_months(c) >= 15}
    inside = sales[sales.cohort_on.isin(old)]
    metrics = base.metrics("cohort_evolution")
    share = inside[inside.age.between(12, 14)].party_id.nunique() / sizes[list(old)].sum()
    assert metrics["cohort_active_after_12m_pct"] == pytest.approx(100 * share)
    both = pd.concat([sales, refunds])
    both = both[both.cohort_on.isin(old)]
    kept = both[both.age.between(12, 14)].cents.sum() / both[both.age.between(0, 2)].cents.sum()
    assert metrics["cohort_revenue_retention_12m_pct"] == pytest.approx(100 * kept)
    oldest = {c for c in sizes.index if watched_months(c) >= 24}
    share = (
        sales[sales.cohort_on.isin(oldest) & sales.age.between(12, 23)].party_id.nunique() / sizes[list(oldest)].sum()
    )
    assert metrics["active_in_second_year_pct"] == pytest.approx(100 * share)
    assert (metrics["cohort_customers"], metrics["earlier_or_unknown"]) == (len(base.watched), len(base.began) - len(base.watched))  # fmt: skip


def test_waits_for_the_nth_purchase(base: Base) -> None:
    waits: dict[tuple[int, int, bool], int] = {}
    for party, days in base.sales[base.sales.party_id.isin(base.watched)].sort_values("day").groupby("party_id").day:
        own = days.tolist()
        assert party in base.watched
        for n in range(2, 6):
            bought = len(own) >= n
            key = (n, ((own[n - 1] if bought else END) - own[0]).days, bought)
            waits[key] = waits.get(key, 0) + 1
    told = base.table("(select * replace (customers::integer as customers) from cohort_evolution.waits)")
    told = told.groupby(["purchase", "days", "is_bought"], as_index=False).customers.sum()
    assert {(r.purchase, r.days, r.is_bought): r.customers for r in told.itertuples()} == waits
    # Kaplan-Meier, step by step.
    second = sorted((d, not b, n) for (k, d, b), n in waits.items() if k == 2)
    at_risk, surviving, curve = sum(n for *_, n in second), 1.0, []
    for day, is_censored, n in second:
        if not is_censored:
            surviving *= 1 - n / at_risk
        curve.append((day, at_risk, surviving))
        at_risk -= n
    metrics = base.metrics("cohort_evolution")
    followed = sorted(((END - base.first[p]).days for p in base.watched), reverse=True)[29]
    assert metrics["watched_days"] == followed
    told = [s for day, _, s in curve if day <= followed][-1]
    assert metrics["never_second_purchase_pct"] == pytest.approx(100 * told, abs=0.5)
    medians = [day for day, _, s in curve if s <= 0.5]
    assert metrics["second_purchase_median"] == (medians[0] if medians else None)


def test_first_year_of_cohorts(base: Base) -> None:
    sales, refunds = aged(base)
    both = pd.concat([sales, refunds])
    sizes = pd.Series([base.began[p].replace(day=1) for p in base.watched]).value_counts()
    last = max(c for c in sizes.index if watched_months(c) >= 12)
    metrics = base.metrics("cohort_comparison")
    for back, name in enumerate(("latest", "previous")):
        cohorts = [c for c in sizes.index if back == (12 * (last.year - c.year) + last.month - c.month) // 12 and watched_months(c) >= 12]  # fmt: skip
        inside = both[both.cohort_on.isin(cohorts) & both.age.between(0, 11)]
        value = inside.cents.sum() / sizes[cohorts].sum() / 100
        assert float(metrics[f"first_year_value_{name}"]) == pytest.approx(value, abs=0.0051)
        assert metrics[f"{name}_customers"] == sizes[cohorts].sum()
        median = inside.groupby("party_id").cents.sum().median() / 100
        assert float(metrics[f"first_year_median_{name}"]) == pytest.approx(median, abs=0.0051)
        own = sales[sales.cohort_on.isin(cohorts) & (sales.age <= 11)].groupby("party_id").size()
        assert metrics[f"second_purchase_{name}_pct"] == pytest.approx(100 * (own >= 2).sum() / sizes[cohorts].sum())


def test_health_of_the_base(base: Base) -> None:
    def cohort(party: int) -> str:
        began = base.began[party]
        return "earlier or unknown" if began is None else str(began.year)

    both = pd.concat([base.sales, base.refunds])
    both["cohort"] = both.party_id.map(cohort)
    both["quarter_on"] = [dt.date(d.year, 3 * ((d.month - 1) // 3) + 1, 1) for d in both.day]
    told = base.table("base_health.revenue_by_cohort")
    assert dict(zip(zip(told.cohort, told.quarter_on, strict=True), money(told.revenue_amount), strict=True)) == both.groupby(["cohort", "quarter_on"]).cents.sum().to_dict()  # fmt: skip
    assert sum(money(told.revenue_amount)) == both.cents.sum()
    sales = base.sales.assign(cohort=base.sales.party_id.map(cohort), year=[d.year for d in base.sales.day])
    buyers = sales.groupby(["cohort", "year"]).party_id.agg(set)
    for row in base.table("base_health.repeat_buying where active > 0").itertuples():
        year = row.year_ending_on.year
        before = buyers.get((row.cohort, year - 1), set())
        assert (row.active, row.bought_again) == (len(buyers[row.cohort, year]), len(buyers[row.cohort, year] & before))
    now, was = (base.window(*ends) for ends in ((START, END), (BEFORE, START)))
    metrics = base.metrics("base_health")
    active, before = set(now[now.n > 0].index), set(was[was.n > 0].index)
    assert (metrics["active_customers"], metrics["active_customers_before"]) == (len(active), len(before))
    assert metrics["repeat_buying_rate_pct"] == pytest.approx(100 * len(active & before) / len(before))
    since = pd.Series({p: base.first[p] if d is None else d for p, d in base.began.items()})
    older = now.cents[[p for p in now.index if since[p] <= BEFORE]].sum()
    assert metrics["revenue_from_cohorts_older_than_2y_pct"] == pytest.approx(100 * older / now.cents.sum())


def test_quarters_of_each_customer(base: Base) -> None:
    told = base.table("customer_value_trend.spend_quarters").set_index("party_id")
    both = pd.concat([base.sales, base.refunds])
    both = both[(both.day > BEFORE) & (both.day <= END)]
    both["quarter"] = [8 - 4 * (d.year - 2024) - (d.month - 1) // 3 for d in both.day]
    cents = both.groupby(["party_id", "quarter"]).cents.sum()
    days = base.sales[base.sales.day > BEFORE].groupby("party_id").size()
    since = {p: base.first[p] if d is None else d for p, d in base.began.items()}
    assert set(told.index) == {p for p in days.index if since[p] <= BEFORE}
    assert told.purchases.to_dict() == days[told.index].to_dict()
    for party, row in told.iterrows():
        assert money(row[f"quarter_{k}"] for k in range(1, 9)) == [cents.get((party, k), 0) for k in range(1, 9)]
    metrics = base.metrics("customer_value_trend")
    assert metrics["too_short"] == len(days) - len(told)
    assert metrics["up"] + metrics["flat"] + metrics["down"] == len(told)


INVOICES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.dates(FIRST, END), st.integers(0, 10**9)), min_size=1, max_size=25
)


@settings(max_examples=15, deadline=None)
@given(INVOICES, INVOICES)
def test_parts_add_up_to_the_cent(
    tmp_path_factory: pytest.TempPathFactory, sold: list[Invoice], back: list[Invoice]
) -> None:
    with duckdb.connect(config={"threads": 1}) as con:
        run(con, tmp_path_factory.mktemp("parts"), [("z", FIRST, 100), *sold], back, {})
        (change, *parts), = con.execute("select revenue_change, new_amount, reactivated_amount, lapsed_amount, retained_amount, other_amount from period_change.metrics").fetchall() or [(0, 0)]  # fmt: skip
        assert change == sum(parts)
        drivers = con.execute("select of_whom, sum(change_amount) from period_change.drivers group by 1").fetchall()
        assert all(total == change for of_whom, total in drivers if of_whom == "all who bought")
        bridge = con.execute("select sum(amount) filter (where not is_total), max(amount) filter (where place = 9) - max(amount) filter (where place = 1) from period_change.bridge").fetchall()[0]  # fmt: skip
        assert (bridge[0] or 0) == (bridge[1] or 0) == change
        tenths = [con.execute(f"select sum(revenue_amount) from customer_concentration.{name}").fetchall()[0][0] for name in ("deciles_by_customers", "by_number_of_purchases")]  # fmt: skip
        assert tenths[0] == tenths[1]
        cohorts, all_ = con.execute("select (select sum(revenue_amount) from base_health.revenue_by_cohort), (select sum(revenue) from customers where period = 'current') + coalesce((select sum(a.amount) from adjustments a join customers c on c.period = 'current' and c.party_id = a.party_id), 0)").fetchall()[0]  # fmt: skip
        assert cohorts == all_
