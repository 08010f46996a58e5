from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from crmaudit.methods import trend
from crmaudit.methods.permutation import score_test
from crmaudit.methods.trend import Chance


def table(successes: list[int], trials: list[int] | None = None, **more: list[object]) -> pl.DataFrame:
    columns: dict[str, object] = {"quarter": list(range(len(successes))), "won": successes, **more}
    return pl.DataFrame(columns if trials is None else columns | {"deals": trials})


def one(data: pl.DataFrame, chance: Chance | None = None) -> dict[str, Any]:
    trials = "deals" if "deals" in data.columns else None
    exposure = "weight" if "weight" in data.columns else None
    found = trend.estimate(data, period="quarter", successes="won", trials=trials, exposure=exposure, chance=chance)
    return found.tables["trends"].row(0, named=True)


def test_a_straight_line_is_found_in_points_per_period() -> None:
    found = one(table([10, 20, 30, 40], [100, 100, 100, 100]))
    assert found["trend"] == pytest.approx(10)
    assert found["trend_low"] < 10 < found["trend_high"]
    assert found["p"] < 1e-5
    assert (found["periods"], found["successes"], found["trials"]) == (4, 100, 400)


def test_cochran_armitage_statistic_of_agresti() -> None:
    """Alcohol and malformations, Categorical Data Analysis, table 3.7: z^2 6.57, p 0.010, exact (one-sided) 0.0168."""
    scores, present, absent = [0, 1, 3, 8, 14], [48, 38, 5, 1, 1], [17066, 14464, 788, 126, 37]
    data = pl.DataFrame(
        {"quarter": scores, "won": present, "deals": [a + b for a, b in zip(present, absent, strict=True)]}
    )
    columns = [data[name].cast(pl.Float64).to_numpy() for name in ("quarter", "won", "deals")]
    test = score_test(*columns, exact_work=10**9)
    assert test.deviation**2 / test.variance == pytest.approx(6.57, abs=0.01)
    # A sum so far below its mean does not exist, so that both sides are one.
    assert test.p == pytest.approx(0.0168, abs=0.0005)
    assert one(data)["p"] == pytest.approx(0.0104, abs=0.0001)


def test_poisson_counts_agree_with_the_exact_binomial_in_two_effective_periods() -> None:
    # The middle period has no weight to speak of, so what is left is one binomial.
    found = one(table([2, 0, 11], weight=[1.0, 1e-9, 1.0]), "independent")
    assert found["p"] == pytest.approx(stats.binomtest(2, 13).pvalue, rel=1e-4)
    assert found["trials"] is None


def test_counts_per_exposure() -> None:
    flat = one(table([10, 20, 30, 40], weight=[1.0, 2.0, 3.0, 4.0]), "independent")
    assert flat["trend"] == pytest.approx(0, abs=1e-9)
    assert flat["p"] == pytest.approx(1)
    rising = one(table([10, 20, 30, 40]), "independent")
    assert rising["trend"] == pytest.approx(10)
    assert rising["p"] < 1e-4


def noise(groups: int, periods: int, size: int, seed: int, wobble: float = 0.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    n = rng.integers(max(1, size // 2), 2 * size, (groups, periods))
    rate = rng.beta(0.3 / wobble, 0.7 / wobble, n.shape) if wobble else np.full(n.shape, 0.3)
    return pl.DataFrame(
        {
            "competitor": np.repeat(np.arange(groups), periods),
            "quarter": np.tile(np.arange(periods), groups),
            "won": rng.binomial(n, rate).ravel(),
            "deals": n.ravel(),
        }
    )


def p_values(data: pl.DataFrame, chance: Chance) -> np.ndarray:
    found = trend.estimate(
        data, period="quarter", successes="won", trials="deals", group="competitor", chance=chance
    ).tables["trends"]
    return found["p"].drop_nulls().to_numpy()


def test_p_is_uniform_where_nothing_changes() -> None:
    p = p_values(noise(1500, 8, 40, seed=1), "independent")
    assert stats.kstest(p, "uniform").pvalue > 0.001
    assert (p <= 0.05).mean() < 0.065


@pytest.mark.parametrize("size", [1, 4])
def test_small_numbers_raise_no_more_alarms_than_promised(size: int) -> None:
    p = p_values(noise(1000, 6, size, seed=2), "independent")
    for level in (0.01, 0.05, 0.1):
        assert (p <= level).mean() <= level + 3 * np.sqrt(level / len(p))


def test_good_and_bad_periods_fool_the_independent_test_and_not_the_other() -> None:
    data = noise(250, 8, 40, seed=3, wobble=0.05)
    assert (p_values(data, "independent") <= 0.05).mean() > 0.15
    assert (p_values(data, "periods") <= 0.05).mean() < 0.09


def test_by_periods_a_clear_trend_is_still_found() -> None:
    found = one(table([5, 9, 16, 18, 25, 30, 33, 41], [60] * 8), "periods")
    assert found["p"] < 0.001
    assert found["trend_low"] > 0


def test_five_periods_can_reach_significance_by_order_and_four_cannot() -> None:
    assert one(table([1, 5, 9, 13, 17], [20] * 5), "periods")["p"] == pytest.approx(2 / 120)
    assert one(table([1, 7, 13, 19], [20] * 4), "periods")["p"] == pytest.approx(2 / 24)


def test_counts_are_judged_by_the_order_of_periods_unless_told_otherwise() -> None:
    assert trend.estimate(table([1, 2, 3]), period="quarter", successes="won").parameters == {"chance": "periods"}


def test_the_interval_covers_the_true_slope() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        won = rng.binomial(80, np.array([0.2, 0.25, 0.3, 0.35, 0.4])).tolist()
        found = one(table(won, [80] * 5))
        held += found["trend_low"] <= 5 <= found["trend_high"]
    assert 0.91 < held / 300 < 0.985


def test_too_few_periods_or_nothing_to_compare_gives_null() -> None:
    assert one(table([1, 9], [10, 10]))["p"] is None
    assert one(table([1, 0, 9], [10, 0, 10]))["trend"] is None
    still = one(table([0, 0, 0], [10, 10, 10]))
    assert still["trend"] == 0
    assert still["p"] is None
    assert one(table([0, 0, 0]))["p"] is None


def test_rows_of_one_period_are_added_up_and_nulls_left_out() -> None:
    data = pl.DataFrame({"quarter": [0, 0, 1, 2, None], "won": [1, 2, 5, 7, 9], "deals": [5, 5, 10, 10, 10]})
    assert one(data) == one(table([3, 5, 7], [10, 10, 10]))


def test_no_rows_no_trends() -> None:
    data = table([1], [2]).with_columns(g=pl.lit("x")).head(0)
    found = trend.estimate(data, period="quarter", successes="won", trials="deals", group="g").tables["trends"]
    assert found.columns == ["g", *trend.COLUMNS]
    assert found.height == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds"):
        one(table([5, 1, 1], [4, 4, 4]))
    with pytest.raises(ValueError, match="without exposure"):
        one(table([5, 1, 1], weight=[0.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match="negative"):
        one(table([5, 1, 1], weight=[-1.0, 1.0, 1.0]))
    with pytest.raises(ValueError, match="chance"):
        trend.estimate(table([1, 2, 3]), period="quarter", successes="won", chance="binomial")  # type: ignore[arg-type]


def test_two_rows_of_a_period_are_no_second_exposure() -> None:
    split = pl.DataFrame({"quarter": [0, 0, 1, 2], "won": [1, 2, 4, 5]})
    assert one(split, "independent") == one(table([3, 4, 5]), "independent")


@pytest.mark.parametrize("sizes", [[4, 6, 10, 40, 100, 300], [300, 10, 10, 10, 10, 300]])
def test_periods_of_very_different_size_fool_nobody(sizes: list[int]) -> None:
    rng = np.random.default_rng(5)
    n = np.tile(sizes, (400, 1))
    data = pl.DataFrame(
        {
            "competitor": np.repeat(np.arange(400), 6),
            "quarter": np.tile(np.arange(6), 400),
            "won": rng.binomial(n, rng.beta(6, 14, n.shape)).ravel(),
            "deals": n.ravel(),
        }
    )
    assert (p_values(data, "periods") <= 0.05).mean() < 0.085
