import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmaudit.methods import rates

Pairs = list[tuple[int, int]]
pairs = st.lists(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=12
)


def table(rows: Pairs) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"won": pl.Int64, "deals": pl.Int64}, orient="row")


def columns(rows: Pairs, *, shrink: bool = False, compare: bool = False) -> pl.DataFrame:
    found = rates.estimate(table(rows), successes="won", trials="deals", shrink=shrink, compare=compare).columns
    assert found is not None
    return found


def test_wilson_intervals_of_golden() -> None:
    found = columns([(81, 263), (0, 20)])
    assert found.row(0) == pytest.approx((100 * 81 / 263, 25.53, 36.62), abs=0.005)
    assert found.row(1) == pytest.approx((0, 0, 16.11), abs=0.005)
    assert found["low_pct"][1] == 0


def test_efron_and_morris_batters() -> None:
    hits = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
    mean = float(hits.mean()) / 45
    shrunk, factor = rates.james_stein(hits / 45, mean * (1 - mean) / 45)
    assert mean == pytest.approx(0.2654, abs=5e-5)
    assert factor == pytest.approx(0.2117, abs=1e-4)
    assert shrunk[[0, -1]] == pytest.approx([0.294, 0.242], abs=5e-4)


def test_james_stein_needs_four_values_and_survives_equal_ones() -> None:
    with pytest.raises(ValueError, match="four"):
        rates.james_stein(np.array([1.0, 2.0, 3.0]), 1.0)
    shrunk, factor = rates.james_stein(np.full(5, 0.3), 0.01)
    assert factor == 0
    assert shrunk == pytest.approx(np.full(5, 0.3))


def test_wilson_agrees_with_scipy() -> None:
    for won, deals in ((0, 1), (1, 1), (3, 7), (200, 1000)):
        theirs = stats.binomtest(won, deals).proportion_ci(method="wilson")
        low, high = rates.wilson(np.array([float(won)]), np.array([float(deals)]))
        assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(rows=pairs)
def test_fisher_agrees_with_scipy(rows: Pairs) -> None:
    won, deals = (np.array(part, dtype=np.float64) for part in zip(*rows, strict=True))
    for (x, n), p in zip(rows, rates.against_rest(won, deals), strict=True):
        rest = deals.sum() - n
        if n == 0 or rest == 0:
            assert np.isnan(p)
        else:
            others = int(won.sum() - x)
            theirs = stats.fisher_exact([[x, n - x], [others, int(rest) - others]]).pvalue
            assert p == pytest.approx(theirs, rel=1e-6)


def test_fisher_on_large_tables_is_chi_squared() -> None:
    p = rates.fisher(30_500, 100_000, 30_000, 100_000)
    theirs = stats.chi2_contingency([[30_500, 69_500], [30_000, 70_000]], correction=False).pvalue
    assert p == pytest.approx(theirs, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(rows=pairs)
def test_rates_lie_within_their_intervals_and_shrunk_ones_within_0_and_100(rows: Pairs) -> None:
    found = columns(rows, shrink=True, compare=True)
    assert found.height == len(rows)
    for row, (_, deals) in zip(found.iter_rows(named=True), rows, strict=True):
        if deals == 0:
            assert set(row.values()) == {None}
            continue
        assert 0 <= row["low_pct"] <= row["rate_pct"] + 1e-9
        assert row["rate_pct"] <= row["high_pct"] + 1e-9
        assert row["high_pct"] <= 100
        assert 0 <= row["shrunk_low_pct"] <= row["shrunk_high_pct"] <= 100
        assert row["differs_p"] is None or 0 <= row["differs_p"] <= 1


def test_three_deals_do_not_top_a_table() -> None:
    found = columns([(3, 3), (120, 300), (45, 150), (30, 100), (20, 80)], shrink=True)
    assert found["rate_pct"].arg_max() == 0
    assert found["shrunk_pct"][0] < 60
    assert (
        found["shrunk_high_pct"][0] - found["shrunk_low_pct"][0]
        > found["shrunk_high_pct"][1] - found["shrunk_low_pct"][1]
    )


def test_rows_alike_are_pooled_and_rows_unlike_are_left_alone() -> None:
    alike = columns([(30, 100)] * 20, shrink=True)
    assert alike["shrunk_pct"].to_list() == pytest.approx([30] * 20, abs=0.2)
    assert (alike["shrunk_high_pct"] - alike["shrunk_low_pct"]).max() < 9  # type: ignore[operator]
    unlike = columns([(100, 1000), (500, 1000), (900, 1000), (300, 1000)], shrink=True)
    assert unlike["shrunk_pct"].to_list() == pytest.approx([10, 50, 90, 30], abs=0.5)


def test_shrinkage_agrees_with_numerical_integration() -> None:
    x, n = np.array([2.0, 9.0, 4.0]), np.array([10.0, 12.0, 30.0])
    roots, means = (np.arange(400) + 0.5) / 400, (np.arange(400) + 0.5) / 400
    root, mean = np.meshgrid(roots, means)
    size = 1 / root**2 - 1
    likelihood = np.ones_like(root)
    for won, deals in zip(x, n, strict=True):
        likelihood *= stats.betabinom.pmf(won, deals, mean * size, (1 - mean) * size)
    weight = likelihood / likelihood.sum()
    expected = [float((weight * (mean * size + won) / (size + deals)).sum()) for won, deals in zip(x, n, strict=True)]
    assert rates.shrink_rates(x, n).mean == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("rows", [12, 60])
def test_shrunk_intervals_cover_the_true_rates(rows: int) -> None:
    rng = np.random.default_rng(7)
    held = total = naive = shrunk = 0.0
    for _ in range(60):
        truth = rng.beta(8, 24, rows)
        n = rng.geometric(0.04, rows).astype(np.float64)
        x = rng.binomial(n.astype(np.int64), truth).astype(np.float64)
        found = rates.shrink_rates(x, n)
        held += float(((found.low <= truth) & (truth <= found.high)).sum())
        total += rows
        naive += float(((x / n - truth) ** 2).sum())
        shrunk += float(((found.mean - truth) ** 2).sum())
    assert 0.91 < held / total < 0.98
    assert shrunk < naive / 2


def test_a_single_row_is_not_shrunk_and_has_nothing_to_differ_from() -> None:
    found = columns([(3, 10)], shrink=True, compare=True)
    assert found["shrunk_pct"][0] == found["rate_pct"][0]
    assert found["shrunk_high_pct"][0] == found["high_pct"][0]
    assert found["differs_p"][0] is None


def test_columns_keep_the_order_of_the_table_and_null_where_nothing_is_known() -> None:
    found = rates.estimate(
        pl.DataFrame({"won": [None, 5, 1, 2], "deals": [3, 10, None, 4]}), successes="won", trials="deals"
    ).columns
    assert found is not None
    assert found["rate_pct"].to_list() == [None, 50, None, 50]


def test_an_empty_table_gives_empty_columns() -> None:
    assert columns([], shrink=True, compare=True).height == 0


@pytest.mark.parametrize(("won", "deals", "message"), [(5, 4, "exceeds"), (-1, 4, "counts"), (0.5, 4, "counts")])
def test_what_is_no_rate_is_refused(won: float, deals: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rates.estimate(pl.DataFrame({"won": [won], "deals": [deals]}), successes="won", trials="deals")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="'deals'"):
        rates.estimate(pl.DataFrame({"won": [1]}), successes="won", trials="deals")


@settings(max_examples=40, deadline=None)
@given(first=pairs, second=pairs)
def test_each_family_is_compared_within_itself(first: Pairs, second: Pairs) -> None:
    both = table(first + second).with_columns(pl.Series("side", ["a"] * len(first) + ["b"] * len(second)))
    found = rates.estimate(both, successes="won", trials="deals", compare=True, family="side").columns
    assert found is not None
    apart = pl.concat([columns(first, compare=True), columns(second, compare=True)])
    assert found.equals(apart)


@settings(max_examples=30, deadline=None)
@given(now=pairs, earlier=pairs)
def test_change_against_a_row_s_own_past_agrees_with_scipy(now: Pairs, earlier: Pairs) -> None:
    both = list(zip(now, earlier, strict=False))
    rows = [(*a, *b) for a, b in both if a[1]]
    frame = pl.DataFrame(rows, schema=["slow", "all", "slow_before", "all_before"], orient="row")
    if frame.is_empty():
        return
    found = rates.estimate(frame, successes="slow", trials="all", before=["slow_before", "all_before"]).columns
    assert found is not None
    for (x, n, y, m), p in zip(rows, found["changed_p"].to_list(), strict=True):
        if m == 0:
            assert p is None
        else:
            assert p == pytest.approx(stats.fisher_exact([[x, n - x], [y, m - y]]).pvalue, abs=1e-9)


def test_past_with_more_successes_than_trials_is_refused() -> None:
    frame = pl.DataFrame({"slow": [1], "all": [2], "slow_before": [3], "all_before": [2]})
    with pytest.raises(ValueError, match="'slow_before' exceeds 'all_before'"):
        rates.estimate(frame, successes="slow", trials="all", before=["slow_before", "all_before"])


@settings(max_examples=60, deadline=None)
@given(trials=st.integers(1, 60), share=st.floats(0, 1), known=st.floats(0, 100))
def test_a_known_rate_is_tested_by_the_binomial_law(trials: int, share: float, known: float) -> None:
    won = round(share * trials)
    table = pl.DataFrame({"won": [won, won], "deals": [trials, trials], "usual_pct": [known, None]})
    found = rates.estimate(table, successes="won", trials="deals", known_pct="usual_pct").columns
    assert found is not None
    law = stats.binom(trials, known / 100)
    assert found["beyond_p"].to_list() == [
        pytest.approx(min(1.0, 2 * min(law.cdf(won), law.sf(won - 1))), abs=1e-9),
        None,
    ]
