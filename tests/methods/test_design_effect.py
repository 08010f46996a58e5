"""Design effects against their formulas and their laws; adjusted rates of clustered cases over many draws."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.special import expit

from crmaudit.methods import adjusted_rates
from crmaudit.methods.design_effect import correlation, effects

RUNS = [pytest.param(25, id="slice"), pytest.param(200, id="whole", marks=pytest.mark.full)]


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_correlation_is_that_of_the_analysis_of_variance() -> None:
    """Four clusters in two groups, by hand: residuals of rate one half are 1 and -1."""
    group, cluster = ints(0, 0, 1, 1), ints(0, 1, 2, 3)
    won, n = np.array([4.0, 1, 3, 0]), np.array([4.0, 4, 3, 3])
    # Cluster sums 4 -2 3 -3; between 16/4 + 4/4 - 4/8 and 9/3 + 9/3 - 0; within 14 - 11.
    between, within, usual = (4 + 1 - 0.5 + 6) / 2, (14 - 11) / 10, (14 - 32 / 8 - 18 / 6) / 2
    found = correlation(group, cluster, won, n, np.full(4, 0.5))
    assert found == pytest.approx((between - within) / (between + (usual - 1) * within))


def test_design_effect_is_kishs() -> None:
    found = effects(ints(0, 0, 0, 1, -1), 2, ints(0, 0, 1, 0, 5), np.array([2.0, 2, 4, 5, 100]), 0.25)
    assert found.tolist() == [1 + 3 * 0.25, 1 + 4 * 0.25]


@pytest.mark.parametrize("cluster", [ints(-1, -1, -1, -1), ints(0, 1, 2, 3)])
def test_trials_that_stand_alone_are_worth_themselves(cluster: np.ndarray) -> None:
    group, n = ints(0, 0, 1, 1), np.ones(4)
    assert correlation(group, cluster, np.array([1.0, 0, 1, 0]), n, np.full(4, 0.4)) == 0
    assert effects(group, 2, cluster, n, 0.5).tolist() == [1, 1]


def test_those_of_nobody_are_as_many_clusters() -> None:
    """Three trials of no cluster are what three clusters of one are."""
    n = np.array([3.0, 4, 4])
    together = correlation(ints(0, 0, 0), ints(-1, 0, 1), np.array([1.0, 4, 1]), n, np.full(3, 0.3))
    apart = correlation(
        ints(0, 0, 0, 0, 0),
        ints(7, 8, 9, 0, 1),
        np.array([1.0, 0, 0, 4, 1]),
        np.array([1.0, 1, 1, 4, 4]),
        np.full(5, 0.3),
    )
    assert together == pytest.approx(apart)
    assert effects(ints(0, 0, 0), 1, ints(-1, 0, 1), n, 0.1) == pytest.approx(1 + (35 / 11 - 1) * 0.1)


rows = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-1, 3), st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=15
)


@settings(max_examples=60, deadline=None)
@given(given_rows=rows, rate=st.floats(0, 1))
def test_laws(given_rows: list[tuple[int, int, int, int]], rate: float) -> None:
    """A correlation lies between 0 and 1, an effect between 1 and the trials; how rows are split changes neither."""

    def of(parts: list[tuple[int, int, int, int]]) -> tuple[float, list[float]]:
        group, cluster, won, lost = (np.array(column, dtype=np.int64) for column in zip(*parts, strict=True))
        found = correlation(group, cluster, won.astype(float), (won + lost).astype(float), np.full(len(won), rate))
        return found, effects(group, 3, cluster, (won + lost).astype(float), found).tolist()

    found, worth = of(given_rows)
    split = [part for g, c, won, lost in given_rows for part in ((g, c, won, 0), (g, c, 0, lost))]
    again, worth_again = of(split[::-1])
    assert 0 <= found <= 1
    assert again == pytest.approx(found, abs=1e-9)
    assert worth_again == pytest.approx(worth)
    for g in range(3):
        assert 1 <= worth[g] <= max(1, sum(won + lost for of_g, _, won, lost in given_rows if of_g == g))


def deals(draws: np.random.Generator, customers: int, each: int, alike: float) -> tuple[pl.DataFrame, np.ndarray]:
    """Ten owners of so many customers with so many deals, and the owners' true rates; `alike` is the correlation of
    two deals of one customer."""
    rate = expit(-0.6 + draws.normal(0, 0.4, 10))
    strength = 1 / alike - 1 if alike else np.inf
    parts = []
    for owner, p in enumerate(rate):
        own = draws.beta(p * strength, (1 - p) * strength, customers) if alike else np.full(customers, p)
        won = draws.binomial(each, own)
        names = {"owner": f"o{owner}", "customer": [f"c{owner}-{k}" for k in range(customers)]}
        parts.append(pl.DataFrame({**names, "won": won, "deals": each}))
    return pl.concat(parts), 100 * rate


def of(table: pl.DataFrame, cluster: str | None) -> pl.DataFrame:
    found = adjusted_rates.estimate(
        table, successes="won", trials="deals", unit="owner", mix=[], crossed=[], cluster=cluster
    )
    return found.tables["adjusted"]


@pytest.mark.parametrize("runs", RUNS)
def test_intervals_cover_where_few_customers_bring_many_deals(runs: int) -> None:
    """At 95 %, where those that take the deals for independent ones hold the truth in hardly two of three."""
    draws = np.random.default_rng(71)
    covered: list[bool] = []
    naive: list[bool] = []
    alarms: list[bool] = []
    naive_alarms: list[bool] = []
    for _ in range(runs):
        table, truth = deals(draws, customers=8, each=15, alike=0.25)
        for cluster, held in (("customer", covered), (None, naive)):
            found = of(table, cluster)
            held += list((found["low_pct"].to_numpy() <= truth) & (truth <= found["high_pct"].to_numpy()))
        nobody = pl.DataFrame({"won": draws.binomial(15, draws.beta(1.2, 1.8, 80)), "deals": 15}).with_columns(
            table.get_column("owner"), table.get_column("customer")
        )
        alarms += list(of(nobody, "customer")["p"].to_numpy() < 0.05)
        naive_alarms += list(of(nobody, None)["p"].to_numpy() < 0.05)
    print(
        f"{100 * np.mean(covered):.1f} % of the intervals hold the truth, {100 * np.mean(naive):.1f} % of the naive; "
        f"p < 0.05 for {100 * np.mean(alarms):.1f} % of equals, naively {100 * np.mean(naive_alarms):.1f} %"
    )
    assert 0.92 <= np.mean(covered) <= 0.985
    assert np.mean(naive) < 0.80
    assert np.mean(alarms) < 0.085
    assert np.mean(naive_alarms) > 0.15


def test_intervals_stay_as_they_were_where_deals_are_independent() -> None:
    draws = np.random.default_rng(72)
    wider = []
    for _ in range(10):
        table, _ = deals(draws, customers=30, each=4, alike=0.0)
        clustered, naive = of(table, "customer"), of(table, None)
        wider += list(
            (clustered["high_pct"] - clustered["low_pct"]).to_numpy()
            / (naive["high_pct"] - naive["low_pct"]).to_numpy()
        )
    assert 0.97 < np.mean(wider) < 1.04
    one_each = table.with_columns(pl.int_range(pl.len()).alias("customer"), deals=pl.lit(1), won=pl.col("won") > 1)
    one_each = one_each.with_columns(pl.col("won").cast(pl.Int64))
    assert_frame_equal(of(one_each, "customer"), of(one_each, None))
