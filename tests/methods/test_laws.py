"""What every method obeys: the order of rows is irrelevant, and so is whether n rows are one row that says n."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmaudit.methods import Estimate, competing_risks, discrimination, rates, survival, trend, typical

Method = Callable[[pl.DataFrame], Estimate]

row = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["a", "b", None]),
        "value": st.integers(0, 30),
        "entry": st.integers(0, 5),
        "yes": st.booleans(),
        "outcome": st.sampled_from(["event", "competing", "censored"]),
        "period": st.integers(0, 5),
        "n": st.integers(1, 4),
    }
)
rows = st.lists(row, min_size=1, max_size=30)
SCHEMA = {
    "kind": pl.String,
    "value": pl.Int64,
    "entry": pl.Int64,
    "yes": pl.Boolean,
    "outcome": pl.String,
    "period": pl.Int64,
    "n": pl.Int64,
}

METHODS: dict[str, Method] = {
    "survival": lambda t: survival.estimate(t, duration="end", event="yes", entry="entry", n="n", group="kind"),
    "competing_risks": lambda t: competing_risks.estimate(
        t, exit="end", outcome="outcome", entry="entry", n="n", group="kind", horizons=(10,), half_of=20
    ),
    "typical": lambda t: typical.estimate(t, value="value", n="n", group="kind", change=["a", "b"]),
    "discrimination": lambda t: discrimination.estimate(
        t, score="value", outcome="yes", n="n", other="period", group="kind"
    ),
    "trend": lambda t: trend.estimate(t, period="period", successes="won", trials="n", group="kind"),
    "trend of counts": lambda t: trend.estimate(t, period="period", successes="n", group="kind"),
}


def table_of(given_rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(given_rows, schema=SCHEMA).with_columns(
        end=pl.col("entry") + pl.col("value"), won=pl.col("n") * pl.col("yes")
    )


def same(one: Estimate, other: Estimate) -> None:
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        assert_frame_equal(table, other.tables[name], rel_tol=1e-7, abs_tol=1e-7)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=12, deadline=None)
@given(given_rows=rows, seed=st.integers(0, 999))
def test_the_order_of_rows_is_irrelevant(name: str, given_rows: list[dict[str, object]], seed: int) -> None:
    table = table_of(given_rows)
    same(METHODS[name](table), METHODS[name](table.sample(fraction=1, shuffle=True, seed=seed)))


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=12, deadline=None)
@given(given_rows=rows)
def test_a_row_that_says_five_is_five_rows(name: str, given_rows: list[dict[str, object]]) -> None:
    table = table_of(given_rows)
    one_each = table[np.repeat(np.arange(table.height), table["n"].to_numpy())].with_columns(n=1, won=pl.col("yes") + 0)
    found, again = METHODS[name](table), METHODS[name](one_each.with_columns(pl.col("n").cast(pl.Int64)))
    same(found, again)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=12, deadline=None)
@given(given_rows=rows)
def test_shares_and_chances_stay_in_their_bounds(name: str, given_rows: list[dict[str, object]]) -> None:
    for table in METHODS[name](table_of(given_rows)).tables.values():
        for column in table.columns:
            top = 100 if column.endswith("_pct") and "change" not in column else 1
            if column == "p" or (column.endswith(("_p", "_pct")) and "change" not in column):
                values = table[column].drop_nulls()
                assert ((values >= -1e-9) & (values <= top + 1e-9)).all()
        if {"low_pct", "high_pct"} <= set(table.columns):
            middle = next(c for c in table.columns if c in {"surviving_pct", "incidence_pct", "observed_pct"})
            assert (table["low_pct"] <= table[middle] + 1e-9).all()
            assert (table[middle] <= table["high_pct"] + 1e-9).all()


@settings(max_examples=12, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=9), seed=st.integers(0, 999)
)
def test_rates_follow_their_rows(pairs: list[tuple[int, int]], seed: int) -> None:
    table = pl.DataFrame({"won": [w for w, _ in pairs], "deals": [w + lost for w, lost in pairs]})
    places = np.random.default_rng(seed).permutation(len(pairs))
    found, again = (
        rates.estimate(t, successes="won", trials="deals", shrink=True, compare=True).columns
        for t in (table, table[places])
    )
    assert found is not None
    assert again is not None
    assert_frame_equal(found[places], again, rel_tol=1e-9)
