from __future__ import annotations

import warnings
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import optimize, stats

from crmaudit.methods import rate_ratios
from crmaudit.methods.rate_ratios import Strata, score_p

Row = tuple[object, bool, int, float]


def table(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=["stratum", "is_exposed", "losses", "days"], orient="row")


def one(data: pl.DataFrame, **more: Any) -> dict[str, Any]:
    found = rate_ratios.estimate(data, events="losses", time="days", exposed="is_exposed", strata=["stratum"], **more)
    return found.tables["ratios"].row(0, named=True)


BRITISH_DOCTORS = [
    ("35-44", True, 32, 52_407.0), ("35-44", False, 2, 18_790.0),
    ("45-54", True, 104, 43_248.0), ("45-54", False, 12, 10_673.0),
    ("55-64", True, 206, 28_612.0), ("55-64", False, 28, 5_710.0),
    ("65-74", True, 186, 12_663.0), ("65-74", False, 28, 2_585.0),
    ("75-84", True, 102, 5_317.0), ("75-84", False, 31, 1_462.0),
]  # fmt: skip
"""Coronary deaths of smokers and others over person-years by age: Doll & Hill 1966, as in Breslow & Day and Rothman."""


def test_british_doctors_of_doll_and_hill() -> None:
    """Rothman & Greenland give 1.42 and 1.15 to 1.77 or so; crude, without the ages, it would be 1.72."""
    found = one(table(BRITISH_DOCTORS))
    assert found["rate_ratio"] == pytest.approx(1.425, abs=0.001)
    assert (found["low"], found["high"]) == pytest.approx((1.15, 1.76), abs=0.01)
    assert (found["events"], found["exposed_events"]) == (731, 630)
    crude = one(table(("all", *row[1:]) for row in BRITISH_DOCTORS))
    assert crude["rate_ratio"] == pytest.approx((630 / 142_247) / (101 / 39_220))


def test_two_strata_by_hand() -> None:
    # a t / (s + t): 6*200/300 + 4*100/150 = 6.6667; b s / (s + t): 4*100/300 + 3*50/150 = 2.3333.
    # variance: 10*100*200/300^2 + 7*50*100/150^2 = 2.2222 + 1.5556.
    found = one(table([(1, True, 6, 100), (1, False, 4, 200), (2, True, 4, 50), (2, False, 3, 100)]))
    assert found["rate_ratio"] == pytest.approx(20 / 7)
    half = 1.959964 * np.sqrt((20 / 9 + 14 / 9) / (20 / 3 * 7 / 3))
    assert (found["low"], found["high"]) == pytest.approx((20 / 7 * np.exp(-half), 20 / 7 * np.exp(half)), rel=1e-6)
    assert found["expected_events"] == pytest.approx(17 / 3)


def test_one_stratum_is_tested_by_the_exact_binomial_with_mid_p() -> None:
    a, b, s, t = 9, 4, 100.0, 150.0
    law = stats.binom(a + b, s / (s + t))
    upper = law.sf(a) + law.pmf(a) / 2
    found = score_p(strata([a], [b], [s], [t]))
    assert found == pytest.approx(2 * upper)
    assert score_p(strata([b], [a], [t], [s])) == pytest.approx(found)


def test_a_sum_of_unlike_binomials_by_going_through_all_outcomes() -> None:
    exposed, other, chance = [2, 1, 1], [1, 2, 0], [0.3, 0.5, 0.1]
    law = np.ones(1)
    for a, b, share in zip(exposed, other, chance, strict=True):
        law = np.convolve(law, stats.binom.pmf(np.arange(a + b + 1), a + b, share))
    lower, upper = law[:4].sum() + law[4] / 2, law[5:].sum() + law[4] / 2
    found = score_p(strata(exposed, other, chance, [1 - share for share in chance]))
    assert found == pytest.approx(2 * min(lower, upper))


@pytest.mark.parametrize("exposed", [40, 80, 200])
def test_a_p_is_never_below_nothing(exposed: int) -> None:
    """What is left of 1 after a sum of many terms may round to less than 0."""
    shares = np.linspace(0.001, 0.2, exposed)
    found = score_p(strata(np.ones(exposed), np.zeros(exposed), shares, 1 - shares))
    assert 0 < found < 1e-12


def test_large_counts_are_tested_by_the_score_and_meet_the_exact_test() -> None:
    rng = np.random.default_rng(4)
    s, t = rng.uniform(1, 3, 60), rng.uniform(3, 9, 60)
    a, b = rng.poisson(20.5 * s), rng.poisson(20 * t)
    many = strata(a, b, s, t)
    assert many.variance > rate_ratios.EXACT_VARIANCE
    below, here = rate_ratios._tail(many, int(a.sum()))
    assert score_p(many) == pytest.approx(2 * min(below + here / 2, 1 - below - here / 2), rel=0.05)


def strata(*columns: object) -> Strata:
    return Strata(*(np.array(column, dtype=np.float64) for column in columns))


# --- Laws.


def test_order_splitting_and_unit_of_time_change_nothing() -> None:
    whole = table(BRITISH_DOCTORS)
    split = pl.concat(
        [
            whole.with_columns(losses=pl.col("losses") // 3, days=pl.col("days") * 0.25),
            whole.with_columns(losses=pl.col("losses") - pl.col("losses") // 3, days=pl.col("days") * 0.75),
        ]
    )
    expected = one(whole)
    for same in (whole.reverse(), split.sample(fraction=1.0, shuffle=True, seed=1)):
        assert one(same) == pytest.approx(expected)
    months = one(whole.with_columns(days=pl.col("days") / 30.4375))
    for name in ("rate_ratio", "low", "high", "p"):
        assert months[name] == pytest.approx(expected[name])


def test_exchanging_exposed_and_unexposed_turns_the_ratio_over() -> None:
    there, back = one(table(BRITISH_DOCTORS)), one(table((s, not e, x, d) for s, e, x, d in BRITISH_DOCTORS))
    assert back["rate_ratio"] == pytest.approx(1 / there["rate_ratio"])
    assert (back["low"], back["high"]) == pytest.approx((1 / there["high"], 1 / there["low"]))
    assert back["p"] == pytest.approx(there["p"])


def test_strata_that_compare_nothing_count_for_nothing() -> None:
    idle = [("x", True, 5, 100.0), ("y", False, 50, 900.0), ("z", True, 0, 9.0), ("z", False, 0, 9.0)]
    assert one(table([*BRITISH_DOCTORS, *idle])) == one(table(BRITISH_DOCTORS))


def test_null_is_a_stratum_of_its_own_and_groups_are_apart() -> None:
    rows = [(None, *row[1:]) if row[0] == "35-44" else row for row in BRITISH_DOCTORS]
    data = pl.concat([table(BRITISH_DOCTORS).with_columns(g=pl.lit("a")), table(rows).with_columns(g=pl.lit("b"))])
    found = rate_ratios.estimate(
        data, events="losses", time="days", exposed="is_exposed", strata=["stratum"], group="g"
    ).tables["ratios"]
    assert found["g"].to_list() == ["a", "b"]
    assert found["rate_ratio"][0] == pytest.approx(found["rate_ratio"][1])


# --- Too little, and nonsense.


def test_fewer_than_ten_events_tell_nothing() -> None:
    nine = one(table([(1, True, 6, 100), (1, False, 3, 200)]))
    assert {nine[name] for name in ("rate_ratio", "low", "high", "p")} == {None}
    assert nine["events"] == 9
    ten = one(table([(1, True, 6, 100), (1, False, 4, 200)]))
    assert None not in (ten["rate_ratio"], ten["low"], ten["high"], ten["p"])


def test_few_exposed_events_withhold_the_ratio_but_not_the_test() -> None:
    rows = table([(1, True, 9, 100), (1, False, 40, 900)])
    kept, withheld = one(rows), one(rows, least_exposed_events=10)
    assert withheld["p"] == kept["p"] is not None
    assert (withheld["rate_ratio"], withheld["low"], withheld["high"]) == (None, None, None)
    assert one(rows, least_exposed_events=9) == kept


def test_all_events_on_one_side_have_a_test_but_no_ratio() -> None:
    found = one(table([(1, True, 0, 100), (1, False, 12, 200)]))
    assert (found["rate_ratio"], found["low"], found["high"]) == (None, None, None)
    assert found["p"] == pytest.approx((2 / 3) ** 12)


def test_nobody() -> None:
    empty = table(BRITISH_DOCTORS).clear()
    assert rate_ratios.estimate(empty, events="losses", time="days", exposed="is_exposed").tables["ratios"].is_empty()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(1, True, -1, 10.0)], "counts"),
        ([(1, True, 1, -10.0)], "negative"),
        ([(1, True, 1, 0.0)], "without time"),
        ([(1, False, 1, 0.0)], "without time"),
    ],
)
def test_what_cannot_be_is_refused(rows: list[Row], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        one(table(rows))


def test_absent_strata_and_flags_that_are_none_are_refused() -> None:
    data = table(BRITISH_DOCTORS)
    with pytest.raises(ValueError, match="'colour'"):
        rate_ratios.estimate(data, events="losses", time="days", exposed="is_exposed", strata=["colour"])
    with pytest.raises(ValueError, match="no flag"):
        rate_ratios.estimate(data, events="losses", time="days", exposed="losses")


# --- Simulated customers: leave at a hazard of their own kind, open tickets at random, and a ticket may do harm.

DAYS = 90.0


class Base:
    """Customers of two kinds over 1,000 days: when each left or was last seen, and the tickets of each until then."""

    def __init__(self, n: int, effect: float, seed: int, *, kinds: int = 2, tickets_a_day: float = 1 / 300) -> None:
        rng = np.random.default_rng(seed)
        hazard = 1 / 900
        self.kind = rng.integers(0, kinds, n)
        # The one kind leaves thrice as often, and opens tickets thrice as often: crude, every ticket looks harmful.
        factor = np.where(self.kind == 1, 3.0, 1.0)
        self.spells: list[tuple[int, float, float, bool, bool]] = []
        self.ever, self.time, self.left = np.zeros(n, dtype=bool), np.zeros(n), np.zeros(n, dtype=bool)
        for i in range(n):
            opened = np.cumsum(rng.exponential(1 / (tickets_a_day * factor[i]), 60))
            turns = np.unique(np.concatenate([[0.0, 1000.0], opened, opened + DAYS]))
            left_to_go = rng.exponential() / (hazard * factor[i])
            for start, end in pairwise(turns):
                if start >= 1000:
                    break
                is_on = bool(((opened <= start) & (start < opened + DAYS)).any())
                spent = (end - start) * (effect if is_on else 1.0)
                stop = start + left_to_go / (effect if is_on else 1.0)
                is_lost = spent > left_to_go
                self.spells.append((i, start, stop if is_lost else end, is_on, is_lost))
                self.time[i], self.left[i] = (stop if is_lost else end), is_lost
                if is_lost:
                    break
                left_to_go -= spent
            self.ever[i] = opened[0] < self.time[i]

    def time_at_risk(self) -> pl.DataFrame:
        rows = [(int(self.kind[i]), is_on, int(is_lost), end - start) for i, start, end, is_on, is_lost in self.spells]
        return table(rows)

    def ever_against_never(self) -> pl.DataFrame:
        everybody = zip(self.kind, self.ever, self.left, self.time, strict=True)
        return table((int(k), bool(e), int(x), float(d)) for k, e, x, d in everybody)


def test_ever_against_never_makes_a_harmless_ticket_look_like_a_cure() -> None:
    harmless = Base(8000, 1.0, seed=8, kinds=1, tickets_a_day=1 / 900)
    immortal, switched = one(harmless.ever_against_never()), one(harmless.time_at_risk())
    assert immortal["rate_ratio"] == pytest.approx(0.37, abs=0.02)
    assert immortal["high"] < 0.5
    assert switched["rate_ratio"] == pytest.approx(1.00, abs=0.08)
    assert switched["low"] < 1 < switched["high"]


def test_the_strata_take_away_what_the_kind_of_customer_explains() -> None:
    harmless = Base(3000, 1.0, seed=9).time_at_risk()
    crude = one(harmless.with_columns(stratum=pl.lit(0)))
    assert crude["low"] > 1.2
    assert one(harmless)["rate_ratio"] == pytest.approx(1.0, abs=0.12)


def test_cox_with_a_time_varying_ticket_agrees() -> None:
    base = Base(800, 2.5, seed=10)
    rows = [(i, start, stop, float(on), event, int(base.kind[i])) for i, start, stop, on, event in base.spells]
    with warnings.catch_warnings():
        # What the oracle and its pandas warn of is not ours.
        warnings.simplefilter("ignore")
        pandas, lifelines = pytest.importorskip("pandas"), pytest.importorskip("lifelines")
        cox = lifelines.CoxTimeVaryingFitter()
        frame = pandas.DataFrame(rows, columns=["id", "start", "stop", "on", "event", "kind"])
        cox.fit(frame, id_col="id", event_col="event", start_col="start", stop_col="stop", strata=["kind"])
    found = one(base.time_at_risk())
    log_ratio, error = float(cox.params_["on"]), float(cox.standard_errors_["on"])
    assert np.log(found["rate_ratio"]) == pytest.approx(log_ratio, abs=0.25 * error)
    assert np.log(found["high"] / found["low"]) / (2 * 1.96) == pytest.approx(error, rel=0.08)


def test_a_poisson_regression_with_a_level_for_each_stratum_agrees() -> None:
    """Maximum likelihood by conditioning: given its events, a stratum's exposed ones are binomial."""
    found = one(table(BRITISH_DOCTORS))
    a, b, s, t = (
        np.array([row[place] for row in BRITISH_DOCTORS if row[1] is exposed], dtype=np.float64)
        for place in (2, 3)
        for exposed in (True, False)
    )

    def slope(log_ratio: float) -> float:
        return float((a - (a + b) * np.exp(log_ratio) * s / (np.exp(log_ratio) * s + t)).sum())

    best = optimize.brentq(slope, -5, 5)
    share = np.exp(best) * s / (np.exp(best) * s + t)
    error = 1 / np.sqrt(((a + b) * share * (1 - share)).sum())
    assert np.log(found["rate_ratio"]) == pytest.approx(best, abs=0.3 * error)
    assert np.log(found["high"] / found["low"]) / (2 * 1.96) == pytest.approx(error, rel=0.05)


def draws(n: int, effect: float, seed: int, events: float) -> pl.DataFrame:
    """What is found in n bases of 24 thin strata with so many events in all, the ratio being `effect`."""
    rng = np.random.default_rng(seed)
    s, t = rng.uniform(1, 5, 24), rng.uniform(5, 40, 24)
    level = rng.gamma(2.0, 1.0, 24)
    level *= events / (level * (effect * s + t)).sum()
    parts = [
        pl.DataFrame(
            {
                "base": np.repeat(np.arange(n), 24),
                "stratum": np.tile(np.arange(24), n),
                "is_exposed": np.full(24 * n, fill_value=is_on),
                "losses": rng.poisson(np.tile(level * (effect if is_on else 1.0) * time, n)),
                "days": np.tile(time, n),
            }
        )
        for is_on, time in ((True, s), (False, t))
    ]
    return rate_ratios.estimate(
        pl.concat(parts), events="losses", time="days", exposed="is_exposed", strata=["stratum"], group="base"
    ).tables["ratios"]


@pytest.mark.parametrize("events", [25.0, 120.0, 20_000.0])
def test_p_is_uniform_where_nothing_is(events: float) -> None:
    check_uniform(events, 500)


@pytest.mark.full
@pytest.mark.parametrize("events", [15.0, 25.0, 120.0, 1500.0, 20_000.0])
def test_p_is_uniform_where_nothing_is_in_many_draws(events: float) -> None:
    check_uniform(events, 10_000)


def check_uniform(events: float, n: int) -> None:
    p = draws(n, 1.0, 17, events)["p"].drop_nulls().to_numpy()
    for level in (0.01, 0.05, 0.2, 0.5):
        # A mid-p of few counts is a little uneven: a fifth more than promised is let pass, beyond what chance adds.
        assert (p < level).mean() < 1.2 * level + 3 * np.sqrt(level * (1 - level) / n)
    assert (p < 0.05).mean() > 0.03 - 3 * np.sqrt(0.03 * 0.97 / n)


@pytest.mark.parametrize(("effect", "events"), [(1.0, 60.0), (3.0, 60.0), (3.0, 600.0)])
def test_the_interval_covers(effect: float, events: float) -> None:
    check_coverage(effect, events, 400)


@pytest.mark.full
@pytest.mark.parametrize(("effect", "events"), [(1.0, 60.0), (3.0, 60.0), (3.0, 600.0), (0.5, 200.0), (4.0, 3000.0)])
def test_the_interval_covers_in_many_draws(effect: float, events: float) -> None:
    check_coverage(effect, events, 10_000)


def check_coverage(effect: float, events: float, n: int) -> None:
    found = draws(n, effect, 23, events)
    covered = ((found["low"] < effect) & (effect < found["high"])).fill_null(value=False).mean()
    assert 0.935 - 3 * np.sqrt(0.05 * 0.95 / n) < covered < 0.965 + 3 * np.sqrt(0.05 * 0.95 / n)
