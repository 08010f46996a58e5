"""Whether the 95 % interval of a method holds what it names, in one sample of which that is known."""

from __future__ import annotations

from functools import cache
from unittest import mock

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats
from scipy.special import expit, logit

from crmaudit.methods import (
    adjusted_rates,
    changed_ratios,
    discrimination,
    lagged_association,
    log_odds,
    matched_differences,
    rates,
    regularity,
    rhythm,
    risk_sets,
    spend_change,
    survival,
    trend,
    typical,
    weekly_counts,
)


def rate(seed: int) -> bool:
    """Wilson's, of a rate of 30 % in 80."""
    won = int(np.random.default_rng(seed).binomial(80, 0.3))
    found = rates.estimate(pl.DataFrame({"won": [won], "deals": [80]}), successes="won", trials="deals").columns
    assert found is not None
    return bool(found["low_pct"][0] <= 30 <= found["high_pct"][0])


def shrunk_rate(seed: int) -> bool:
    """Of one of forty groups, drawn at random, whose rates differ."""
    rng = np.random.default_rng(seed)
    truth, trials = rng.beta(6, 14, 40), rng.integers(5, 60, 40)
    table = pl.DataFrame({"won": rng.binomial(trials, truth), "deals": trials})
    found = rates.estimate(table, successes="won", trials="deals", shrink=True).columns
    assert found is not None
    one = int(rng.integers(40))
    return bool(found["shrunk_low_pct"][one] <= 100 * truth[one] <= found["shrunk_high_pct"][one])


def _watched(seed: int) -> pl.DataFrame:
    """150 who leave at 1 % a day, watched for 20 to 250 days."""
    rng = np.random.default_rng(seed)
    leaves, watched = rng.exponential(100, 150), rng.uniform(20, 250, 150)
    return pl.DataFrame({"days": np.minimum(leaves, watched), "left": leaves <= watched})


def survival_at_a_day(seed: int) -> bool:
    found = survival.estimate(_watched(seed), duration="days", event="left", horizons=[60.0]).tables["summary"]
    return bool(found["at_60_low"][0] <= 100 * np.exp(-0.6) <= found["at_60_high"][0])


def survival_median(seed: int) -> bool:
    found = survival.estimate(_watched(seed), duration="days", event="left").tables["summary"].row(0, named=True)
    # An end that is not reached is open.
    high = found["median_high_days"]
    return bool(found["median_low_days"] <= 100 * np.log(2) and (high is None or high >= 100 * np.log(2)))


def median(seed: int) -> bool:
    values = np.random.default_rng(seed).lognormal(3, 1, 61)
    found = typical.estimate(pl.DataFrame({"hours": values}), value="hours").tables["typical"]
    return bool(found["median_low"][0] <= np.exp(3) <= found["median_high"][0])


def area_under_the_curve(seed: int) -> bool:
    rng = np.random.default_rng(seed)
    won = np.arange(120) < 40
    table = pl.DataFrame({"score": rng.normal(size=120) + won, "won": won})
    found = discrimination.estimate(table, score="score", outcome="won").tables["auc"]
    return bool(found["auc_low"][0] <= stats.norm.cdf(1 / np.sqrt(2)) <= found["auc_high"][0])


def adjusted_rate(seed: int) -> bool:
    """Of one of ten colleagues with fifty deals each, who differ."""
    rng = np.random.default_rng(seed)
    truth = expit(rng.normal(-0.8, 0.5, 10))
    table = pl.DataFrame({"who": [f"u{i}" for i in range(10)], "won": rng.binomial(50, truth), "deals": 50})
    found = adjusted_rates.estimate(table, successes="won", trials="deals", unit="who", mix=[]).tables["adjusted"]
    one = int(rng.integers(10))
    return bool(found["low_pct"][one] <= 100 * truth[one] <= found["high_pct"][one])


def shift_of_medians(seed: int) -> bool:
    """Of forty and sixty hours, the second lot eight hours longer throughout."""
    rng = np.random.default_rng(seed)
    hours = np.r_[rng.gamma(2, 12, 40), rng.gamma(2, 12, 60) + 8]
    table = pl.DataFrame({"hours": hours, "half": ["before"] * 40 + ["after"] * 60})
    found = typical.estimate(table, value="hours", group="half", change=["before", "after"]).tables["change"]
    return bool(found["shift_low"][0] <= 8 <= found["shift_high"][0])


def survival_seen_late(seed: int) -> bool:
    """Of 400 who leave at 1 % a day, half of them watched only from a day of theirs on: those gone by then are unseen."""
    rng = np.random.default_rng(seed)
    leaves, watched = rng.exponential(100, 400), rng.uniform(60, 300, 400)
    from_day = np.where(rng.random(400) < 0.5, rng.uniform(0, 120, 400), 0.0)
    watched += from_day
    seen = leaves > from_day
    table = pl.DataFrame(
        {"days": np.minimum(leaves, watched), "left": leaves <= watched, "from": from_day}
    ).filter(seen)  # fmt: skip
    found = survival.estimate(table, duration="days", event="left", entry="from", horizons=[60.0]).tables["summary"]
    return bool(found["at_60_low"][0] <= 100 * np.exp(-0.6) <= found["at_60_high"][0])


def risk_of_a_group(seed: int) -> bool:
    """Whether the log-rank test keeps twenty of 150 who leave as all do: the 5 % it may be wrong in are an interval's."""
    table = _watched(seed)
    days, kind = table["days"].to_numpy(), table["left"].cast(pl.Int64).to_numpy()
    whole = risk_sets.Spells(np.zeros(150), days, kind, np.ones(150))
    return risk_sets.log_rank(whole[np.arange(20)], risk_sets.risk_sets(whole)).p > 0.05


def trend_of_a_rate(seed: int) -> bool:
    """Five points a period, in eighty of each of five."""
    won = np.random.default_rng(seed).binomial(80, np.array([0.2, 0.25, 0.3, 0.35, 0.4]))
    table = pl.DataFrame({"period": range(5), "won": won, "deals": 80})
    found = trend.estimate(table, period="period", successes="won", trials="deals").tables["trends"]
    return bool(found["trend_low"][0] <= 5 <= found["trend_high"][0])


def _restless(seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Events of eight periods that rise, some periods good and some bad; and how large periods of any size are."""
    rng = np.random.default_rng(seed)
    size = rng.choice([0.3, 1.0, 3.0, 6.0], 8)
    return rng.poisson(np.stack([np.ones(8), size]) * (30 + 2 * np.arange(8)) * rng.gamma(20, 1 / 20, (2, 8))), size


def trend_of_a_count(seed: int) -> bool:
    """Two more a period."""
    table = pl.DataFrame({"period": range(8), "n": _restless(seed)[0][0]})
    found = trend.estimate(table, period="period", successes="n").tables["trends"]
    return bool(found["trend_low"][0] <= 2 <= found["trend_high"][0])


def trend_of_a_count_per_exposure(seed: int) -> bool:
    """Two more per unit, in periods of which the largest may be twenty times the smallest."""
    events, size = _restless(seed)
    table = pl.DataFrame({"period": range(8), "n": events[1], "size": size})
    found = trend.estimate(table, period="period", successes="n", exposure="size").tables["trends"]
    return bool(found["trend_low"][0] <= 2 <= found["trend_high"][0])


def next_gap(seed: int) -> bool:
    """Whether a customer watched up to a purchase buys again before a silence that 95 % of such gaps stay below."""
    rng = np.random.default_rng(seed)
    age, rate = rng.uniform(100, 1000, 400), rng.gamma(1.2, 1 / 80.0, 400)
    frequency = rng.poisson(rate * age)
    # Of x purchases at random the last is the largest of x uniform moments.
    recency = np.where(frequency > 0, age * rng.random(400) ** (1 / np.maximum(frequency, 1)), 0.0)
    frequency[0] = rng.integers(0, 6)
    recency[0] = age[0] = rng.gamma(frequency[0], 1 / rate[0]) if frequency[0] else 0.0
    table = pl.DataFrame({"frequency": frequency, "recency_days": recency, "age_days": age})
    found = rhythm.estimate(table, customers=None, overdue=0.95).columns
    assert found is not None
    return bool(rng.exponential(1 / rate[0]) <= found["overdue_after_days"].fill_null(np.inf)[0])


def steadiness(seed: int) -> bool:
    """The shape, 2, of the gaps of 300 customers whose rates differ, seen for three years."""
    rng = np.random.default_rng(seed)
    gaps = rng.gamma(2, 1, (2, 300)) / rng.gamma(0.8, 1 / 8, 300)
    table = pl.DataFrame({"first": gaps[0], "second": gaps[1]}).filter(pl.col("first") + pl.col("second") < 156)
    found = regularity.estimate(table, first="first", second="second").tables["regularity"]
    return bool(found["low"][0] <= 2 <= found["high"][0])


def change_of_spend(seed: int) -> bool:
    """Whether the truth lies between the 2.5 % and 97.5 % points of one customer's change, of 400 who differ."""
    rng = np.random.default_rng(seed)
    change, rate = np.exp(0.4 * rng.standard_normal(400)), rng.gamma(2, 2, 400)
    mean = np.repeat(rate[:, None], 8, axis=1)
    mean[:, 4:] *= change[:, None]
    purchases = rng.poisson(mean)
    spend = 60 * rng.gamma(4 * np.maximum(purchases, 1), 1 / 4) * (purchases > 0)
    quarters = [f"q{i}" for i in range(8)]
    table = pl.DataFrame({name: spend[:, i] for i, name in enumerate(quarters)}).with_columns(
        purchases=purchases.sum(axis=1)
    )
    one = int(rng.choice(np.flatnonzero(purchases.sum(axis=1) > 0)))
    truth = float(change[one]) - 1
    found = spend_change.estimate(table, quarters=quarters, purchases="purchases", threshold=abs(truth)).columns
    assert found is not None
    return bool(0.025 <= found["p_up" if truth > 0 else "p_down"][one] <= 0.975)


def factor_of_change(seed: int) -> bool:
    """By which forty customers' gaps grew, each of whose rates is its own and whose means rest on one gap or many."""
    rng = np.random.default_rng(seed)
    rate, gaps = rng.gamma(2.5, 1, 40), 1 + rng.poisson(4, (2, 40))
    now, before = rng.gamma(gaps) / gaps / rate * np.array([[1.6], [1.0]])
    table = pl.DataFrame({"now": now, "before": before, "weight": 1 / (1 / gaps).sum(axis=0), "segment": "one"})
    found = changed_ratios.estimate(table, now="now", before="before", weight="weight", group="segment")
    row = found.tables["changes"].row(0, named=True)
    return bool(row["ratio_low"] <= 1.6 <= row["ratio_high"])


def use_of_a_word(seed: int) -> bool:
    """The log-odds of one word of 200 between two groups, each of which leans as far from the others as the prior says."""
    rng = np.random.default_rng(seed)
    corpus = rng.dirichlet(np.full(200, 0.5))
    shares = rng.dirichlet(log_odds.PRIOR_USES * corpus + 1e-9, 2)
    uses = np.stack([rng.multinomial(n, share) for n, share in zip((800, 2400), shares, strict=True)])
    word = int(rng.choice(200, p=np.where(uses[0] > 0, corpus, 0.0) / corpus[uses[0] > 0].sum()))
    table = pl.DataFrame({"side": ["a"] * 200 + ["b"] * 200, "word": [*range(200)] * 2, "users": uses.ravel()})
    used = table.filter(pl.col("users") > 0)
    found = log_odds.estimate(used, group="side", word="word", users="users").columns
    assert found is not None
    row = found.filter((used["side"] == "a") & (used["word"] == word)).row(0, named=True)
    return bool(row["low"] <= logit(shares[0, word]) - logit(shares[1, word]) <= row["high"])


def matched_difference(seed: int) -> bool:
    """Fifteen points between sixty cases and their three controls each, who are drawn from forty customers."""
    rng = np.random.default_rng(seed)
    sets, is_case = np.repeat(np.arange(60), 4), np.tile([True, False, False, False], 60)
    who = np.where(is_case, 1000 + sets, rng.integers(0, 40, 240))
    table = pl.DataFrame(
        {
            "set": sets,
            "who": who,
            "case": is_case,
            "came": rng.random(240) < np.where(is_case, 0.35, 0.2),
            "kind": "good",
        }
    )
    found = matched_differences.estimate(
        table,
        matched_set="set",
        subject="who",
        is_case="case",
        outcome="came",
        group="kind",
        first="good",
        second="bad",
    ).tables["differences"]
    return bool(found["low_points"][0] <= 15 <= found["high_points"][0])


def _after_exposures(seed: int, customers: int, draws: int) -> pl.DataFrame:
    """What is found by lag where events are twice as many three weeks after an exposure."""
    rng = np.random.default_rng(seed)
    exposed = rng.random((customers, 60)) < 0.15
    rate = np.full((customers, 60), 0.15)
    rate[:, 3:] *= np.where(exposed[:, :-3], 2.0, 1.0)
    table = pl.DataFrame(
        {
            "who": np.repeat(np.arange(customers), 60),
            "week": np.tile(np.arange(60), customers),
            "month": np.tile(np.arange(60) // 4, customers),
            "exposed": exposed.ravel(),
            "events": rng.poisson(rate).ravel(),
            "at_risk": True,
        }
    )
    with mock.patch.object(lagged_association, "DRAWS", draws):
        return lagged_association.estimate(
            table, subject="who", step="week", calendar="month", exposed="exposed", events="events", at_risk="at_risk"
        ).tables["by_lag"]


@cache
def _ratios_by_lag() -> tuple[float, ...]:
    """those of 8,000 such customers: after a series' end its beginning follows, so that 2 is not quite reached, and
    other weeks with an exposure have fewer of them three weeks before."""
    return tuple(_after_exposures(1, 8_000, 1)["rate_ratio"])


def rate_ratio_by_lag(seed: int) -> bool:
    """Whether the intervals of all eight lags hold, in a hundred customers."""
    found = _after_exposures(seed, 100, 499)
    truth = np.array(_ratios_by_lag())
    return bool(((found["low"].to_numpy() <= truth) & (truth <= found["high"].to_numpy())).all())


def count_of_a_week(seed: int) -> bool:
    """Of restless weeks about a level of thirty."""
    counts = np.random.default_rng(seed).negative_binomial(10, 0.25, 105)
    table = pl.DataFrame({"flow": "one", "week": range(105), "count": counts})
    found = weekly_counts.estimate(table).tables["weeks"].row(0, named=True)
    return bool(found["low"] <= found["count"] <= found["high"])


QUICK = {
    "a rate (Wilson)": rate,
    "a shrunk rate": shrunk_rate,
    "survival at a day": survival_at_a_day,
    "survival at a day, seen late": survival_seen_late,
    "median survival": survival_median,
    "no difference in a group's risk (log-rank)": risk_of_a_group,
    "a median": median,
    "a shift of medians": shift_of_medians,
    "area under the curve": area_under_the_curve,
    "the trend of a rate": trend_of_a_rate,
    "the trend of a count": trend_of_a_count,
    "the trend of a count, in periods of any size": trend_of_a_count_per_exposure,
    "a customer's next gap": next_gap,
    "how steadily customers buy": steadiness,
    "a factor of change": factor_of_change,
    "the use of a word (log-odds)": use_of_a_word,
    "a difference from matched controls": matched_difference,
    "a week's count": count_of_a_week,
}
SLOW = {
    "an adjusted rate": adjusted_rate,
    "a customer's change of spend": change_of_spend,
    "rate ratios of all lags": rate_ratio_by_lag,
}
METHODS = {**QUICK, **SLOW}
"""Competing risks and rate ratios are drawn in the tests of their methods, ten thousand times."""
