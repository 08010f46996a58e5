"""An independent implementation agrees, on data without ties, which the two treat differently."""

import warnings

import numpy as np
import polars as pl
import pytest

from crmaudit.methods import competing_risks, survival
from crmaudit.methods.risk_sets import EVENT, Spells, risk_sets

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from lifelines import AalenJohansenFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test


def spells(late: bool) -> Spells:
    rng = np.random.default_rng(5)
    times, kinds = rng.exponential(40, 400), rng.integers(0, 3, 400)
    entry = rng.uniform(0, 20, 400) * (rng.random(400) < 0.4) * late
    kept = times > entry
    return Spells(entry[kept], times[kept], kinds[kept], np.ones(kept.sum()))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("late", [False, True])
def test_kaplan_meier_with_interval_and_median(late: bool) -> None:
    given = spells(late)
    theirs = KaplanMeierFitter().fit(given.exit, given.kind == EVENT, entry=given.entry if late else None)
    ours = survival.kaplan_meier(risk_sets(Spells(given.entry, given.exit, (given.kind == EVENT) * EVENT, given.n)))
    inside = ours.surviving > 0
    times = ours.times[inside]
    assert ours.surviving[inside] == pytest.approx(theirs.survival_function_at_times(times).to_numpy(), abs=1e-9)
    bounds = theirs.confidence_interval_survival_function_.loc[times].to_numpy()
    assert ours.low[inside] == pytest.approx(bounds[:, 0], abs=1e-6)
    assert ours.high[inside] == pytest.approx(bounds[:, 1], abs=1e-6)
    assert survival.quantile(ours, 0.5)[0] == theirs.median_survival_time_


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("late", [False, True])
def test_aalen_johansen(late: bool) -> None:
    given = spells(late)
    theirs = AalenJohansenFitter(calculate_variance=not late).fit(
        given.exit, given.kind, 1, entry=given.entry if late else None
    )
    ours = competing_risks.aalen_johansen(risk_sets(given))
    assert ours.incidence == pytest.approx(theirs.cumulative_density_.loc[ours.times].to_numpy()[:, 0])
    if not late:
        early = ours.remaining > 0.05
        assert ours.variance[early] == pytest.approx(np.ravel(theirs.variance_.loc[ours.times[early]]), rel=0.05)


def test_log_rank_of_large_groups() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.exponential(30, 300), rng.exponential(36, 300)
    theirs = logrank_test(first, second)
    table = pl.DataFrame({"weeks": np.concatenate([first, second]), "over": [True] * 600, "g": [0] * 300 + [1] * 300})
    found = survival.estimate(table, duration="weeks", event="over", group="g").tables["summary"]
    assert found["group_chi2"][0] == pytest.approx(theirs.test_statistic)
    assert found["group_p"][0] == pytest.approx(theirs.p_value)
