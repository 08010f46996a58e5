import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmaudit.methods import discrimination

Cases = list[tuple[int, bool]]
cases = st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=4, max_size=40).filter(
    lambda rows: 2 <= sum(won for _, won in rows) <= len(rows) - 2
)


def measured(score: np.ndarray, won: np.ndarray) -> discrimination.Auc:
    return discrimination.auc(score.astype(np.float64), won.astype(np.float64), 1.0 - won)


@settings(max_examples=40, deadline=None)
@given(rows=cases)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows: Cases) -> None:
    score, won = np.array([s for s, _ in rows]), np.array([w for _, w in rows])
    pairs = score[won][:, None] - score[~won]
    found = measured(score, won)
    assert found.auc == pytest.approx(((pairs > 0) + (pairs == 0) / 2).mean())
    assert 0 <= found.low <= found.auc + 1e-12
    assert found.auc <= found.high + 1e-12
    assert found.high <= 1
    assert measured(-score, won).auc == pytest.approx(1 - found.auc)


def test_delong_variance_word_for_word() -> None:
    rng = np.random.default_rng(1)
    score, won = rng.integers(0, 12, 80), rng.random(80) < 0.4
    up, down = score[won], score[~won]
    psi = (up[:, None] > down) + (up[:, None] == down) / 2
    expected = psi.mean(axis=1).var(ddof=1) / len(up) + psi.mean(axis=0).var(ddof=1) / len(down)
    assert measured(score, won).variance == pytest.approx(expected)


def test_p_is_mann_whitney() -> None:
    rng = np.random.default_rng(2)
    score, won = rng.normal(size=300), rng.random(300) < 0.3
    theirs = stats.mannwhitneyu(score[won], score[~won], use_continuity=False, method="asymptotic")
    assert measured(score, won).p == pytest.approx(theirs.pvalue)
    small = measured(score[:12], np.arange(12) < 5)
    assert small.p == pytest.approx(stats.mannwhitneyu(score[:5], score[5:12], method="exact").pvalue)


def test_a_perfect_score_keeps_an_interval_with_width() -> None:
    found = measured(np.arange(20), np.arange(20) >= 10)
    assert (found.auc, found.high) == (1, 1)
    assert 0.6 < found.low < 0.95
    turned = measured(-np.arange(20), np.arange(20) >= 10)
    assert (turned.auc, turned.low, turned.high) == pytest.approx((0, 0, 1 - found.low))


def test_the_interval_covers() -> None:
    rng = np.random.default_rng(3)
    truth = float(stats.norm.cdf(1 / np.sqrt(2)))
    held = 0
    for _ in range(500):
        won = np.arange(90) < 30
        found = measured(rng.normal(size=90) + won, won)
        held += found.low <= truth <= found.high
    assert 0.92 < held / 500 < 0.98


def test_two_scores_of_the_same_cases() -> None:
    rng = np.random.default_rng(4)
    won = rng.random(600) < 0.3
    good = rng.normal(size=600) + 1.2 * won
    table = pl.DataFrame({"good": good, "worse": good + rng.normal(size=600), "won": won})
    found = discrimination.estimate(table, score="good", outcome="won", other="worse").tables["auc"].row(0, named=True)
    assert found["difference"] == pytest.approx(found["other_auc"] - found["auc"])
    assert found["difference_high"] < 0
    assert found["difference_p"] < 0.001
    same = discrimination.estimate(table, score="good", outcome="won", other="good").tables["auc"].row(0, named=True)
    assert (same["difference"], same["difference_p"]) == (0, None)


def test_a_paired_difference_has_the_level_it_promises() -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(400):
        won = np.arange(120) < 40
        truth = rng.normal(size=120) + won
        first, second = (measured(truth + rng.normal(size=120), won) for _ in range(2))
        alarms += discrimination.compare(first, second, won.astype(np.float64), (~won).astype(np.float64))[3] <= 0.05
    assert 0.025 < alarms / 400 < 0.08


def test_lift_of_the_top_decile() -> None:
    score, won = np.arange(100.0), (np.arange(100) >= 95).astype(float)
    lift, low, high = discrimination.lift(score, won, np.ones(100))
    assert lift == pytest.approx(10)
    assert low < 10 <= high + 1e-9
    assert discrimination.lift(-score, won, np.ones(100))[0] == 0


def test_ties_at_the_cut_count_by_the_fraction_that_fits() -> None:
    assert discrimination.lift(np.zeros(50), np.arange(50.0) < 7, np.ones(50))[0] == pytest.approx(1)  # type: ignore[arg-type]
    # 4 sure ones on top, then 8 alike of which 6 fit, with 4 wins among them.
    score = np.array([9.0] * 4 + [5.0] * 8 + [1.0] * 88)
    won = np.array([1.0] * 4 + [1.0] * 4 + [0.0] * 92)
    assert discrimination.lift(score, won, np.ones(100))[0] == pytest.approx((4 + 3) / 8 / 0.1)


def test_calibration_by_decile() -> None:
    rng = np.random.default_rng(6)
    probability = rng.random(5000)
    table = pl.DataFrame({"p": probability, "won": rng.random(5000) < probability})
    found = discrimination.estimate(table, score="p", outcome="won").tables["calibration"]
    assert found["decile"].to_list() == list(range(1, 11))
    assert found["n"].to_list() == [500] * 10
    assert found["positives"].sum() == table["won"].sum()
    held = found["low_pct"].le(100 * found["score_mean"]) & found["high_pct"].ge(100 * found["score_mean"])
    assert held.sum() >= 8
    assert (found["score_highest"].head(9).to_numpy() <= found["score_lowest"].tail(9).to_numpy()).all()


def test_equal_scores_stay_in_one_decile() -> None:
    table = pl.DataFrame({"s": [1] * 60 + [2] * 40, "won": [True, False] * 50})
    found = discrimination.estimate(table, score="s", outcome="won").tables["calibration"]
    assert found.select("n", "score_lowest", "score_highest").rows() == [(60, 1, 1), (40, 2, 2)]


def test_groups_are_measured_apart_and_a_one_sided_one_is_null() -> None:
    table = pl.DataFrame({"s": [1, 2, 3, 4, 1, 2, 3], "won": [0, 0, 1, 1, 1, 1, 1], "year": [2023] * 4 + [2024] * 3})
    found = discrimination.estimate(table, score="s", outcome="won", group="year")
    assert found.withheld is None
    assert found.tables["auc"].select("year", "n", "positives", "auc").rows() == [(2023, 4, 2, 1), (2024, 3, 3, None)]
    alone = discrimination.estimate(table.filter(year=2024), score="s", outcome="won")
    assert alone.withheld == "There are not two cases of either outcome."
    assert alone.tables["auc"]["lift_top_decile"].to_list() == [None]


def test_nothing_to_measure() -> None:
    empty = pl.DataFrame(schema={"s": pl.Float64, "won": pl.Boolean})
    found = discrimination.estimate(empty, score="s", outcome="won")
    assert found.withheld is not None
    assert found.tables["auc"].height == found.tables["calibration"].height == 0
    with pytest.raises(ValueError, match="two positives"):
        measured(np.arange(3), np.arange(3) < 1)


def test_an_outcome_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="true and false"):
        discrimination.estimate(pl.DataFrame({"s": [1], "won": [3]}), score="s", outcome="won")
