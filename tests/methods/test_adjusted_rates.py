"""Adjusted rates against a paper's numbers, an integration by brute force, Fisher's test, and their laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy import sparse, stats
from scipy.special import expit

from crmaudit.methods import adjusted_rates
from crmaudit.methods.adjusted_rates import Cases, fit
from crmaudit.methods.count_tests import mid_p

GERMINATED = (10, 23, 23, 26, 17, 5, 53, 55, 32, 46, 10, 8, 10, 8, 23, 0, 3, 22, 15, 32, 3)
SOWN = (39, 62, 81, 51, 39, 6, 74, 72, 51, 79, 13, 16, 30, 28, 45, 4, 12, 41, 30, 51, 7)
KINDS = ("75 bean",) * 5 + ("75 cucumber",) * 6 + ("73 bean",) * 5 + ("73 cucumber",) * 5
"""Crowder's 21 plates of seeds, as in Breslow & Clayton 1993, section 6.1."""


def of(rows: list[tuple[Any, ...]], **more: Any) -> dict[str, pl.DataFrame]:
    table = pl.DataFrame(rows, schema=["owner", "segment", "won", "deals"], orient="row")
    arguments = {"mix": ["segment"], "crossed": ["segment"], **more}
    return dict(adjusted_rates.estimate(table, successes="won", trials="deals", unit="owner", **arguments).tables)


def test_seeds_of_breslow_and_clayton() -> None:
    """Their penalised quasi-likelihood gives 0.313 for the spread of the plates and, for the kinds of seed against the
    first, 1.339 for cucumber, 0.077 for the other seed, and -0.825 beyond both."""
    levels = list(dict.fromkeys(KINDS))
    mix = np.array([[1.0, *(kind == level for level in levels)] for kind in KINDS])
    won, sown = np.array(GERMINATED, dtype=np.float64), np.array(SOWN, dtype=np.float64)
    cases = Cases(won, sown, sparse.csr_matrix(mix), np.arange(21), 21)
    spreads = np.arange(0.05, 0.8, 0.005)
    best = float(spreads[int(np.argmax([fit(cases, s).log_marginal for s in spreads]))])
    assert best == pytest.approx(0.313, abs=0.01)
    _, bean, cucumber, other, both = fit(cases, best).effects
    assert cucumber - bean == pytest.approx(1.339, abs=0.02)
    assert other - bean == pytest.approx(0.077, abs=0.02)
    assert both - cucumber - other + bean == pytest.approx(-0.825, abs=0.02)


def test_pooling_agrees_with_brute_force() -> None:
    """One kind of case: the posterior of each unit by sums over a grid of spread, centre and effect, no Laplace."""
    won, n = np.array([30, 18, 12, 20, 9]), np.array([60, 60, 50, 40, 40])
    found = of([(f"u{i}", "all", int(w), int(t)) for i, (w, t) in enumerate(zip(won, n, strict=True))])["adjusted"]
    effect, centre = np.linspace(-3, 3, 601), np.linspace(-2.5, 1.5, 201)
    weight, total = np.zeros(5), 0.0
    for spread in np.arange(0.02, 2.5, 0.02):
        prior = stats.norm.pdf(effect, 0, spread)
        line = centre[:, None] + effect[None, :]
        likelihood = [
            np.exp(w * line - t * np.logaddexp(0, line) - (w * np.log(w / t) + (t - w) * np.log(1 - w / t)))
            for w, t in zip(won, n, strict=True)
        ]
        inner = np.array([(one * prior).sum(axis=1) for one in likelihood])
        moments = np.array([(one * prior * line).sum(axis=1) for one in likelihood])
        whole = inner.prod(axis=0)
        chance = np.exp(-(spread**2) / 2)
        weight += chance * (moments / inner * whole).sum(axis=1)
        total += chance * whole.sum()
    assert found["adjusted_pct"].to_list() == pytest.approx(list(100 * expit(weight / total)), abs=0.6)


def test_without_a_mix_the_test_of_a_unit_is_fishers() -> None:
    found = of([("a", "all", 9, 12), ("b", "all", 5, 20)])["adjusted"]
    law = stats.hypergeom(32, 14, 12)
    mid = 2 * (law.sf(9) + law.pmf(9) / 2)
    assert found["p"].to_list() == pytest.approx([mid, mid], rel=1e-3)
    assert mid_p(2, 3.0, 0.0, 10) != mid_p(2, 3.0, 0.0, 10)


@pytest.mark.parametrize("seed", [1, 2])
def test_those_who_differ_by_their_cases_alone_are_told_from_those_who_do_not(seed: int) -> None:
    """Over draws in which nobody differs but the cases do, p below 0.05 comes in about 5 % of the tests, of units as of
    cells, and raw rates would mislead nearly always."""
    draws = np.random.default_rng(seed)
    units, cells, raw = [], [], []
    for _ in range(60):
        segment = np.concatenate(
            [draws.choice(3, 80, p=p) for p in ([0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.3, 0.4, 0.3])]
        )
        owner = np.repeat(["a", "b", "c"], 80)
        won = draws.random(240) < np.array([0.15, 0.3, 0.6])[segment]
        frame = pl.DataFrame({"owner": owner, "segment": segment.astype(str), "won": won, "deals": 1})
        rows = frame.group_by("owner", "segment").agg(pl.col("won").sum(), pl.col("deals").sum()).rows()
        found = of(rows)
        units += found["adjusted"]["p"].to_list()
        cells += found["crossed"]["p"].to_list()
        tall = {row[0]: row for row in found["adjusted"].rows()}
        raw.append(stats.fisher_exact([[tall[u][2], tall[u][1] - tall[u][2]] for u in ("a", "b")])[1])
    assert np.mean(np.array(units) < 0.05) < 0.09
    assert np.mean(np.array(cells) < 0.05) < 0.08
    assert np.mean(np.array(raw) < 0.05) > 0.9


def test_intervals_cover() -> None:
    draws = np.random.default_rng(7)
    covered = []
    for _ in range(80):
        effect = draws.normal(0, 0.5, 10)
        won = draws.binomial(50, expit(-0.8 + effect))
        found = of([(f"u{i}", "all", int(w), 50) for i, w in enumerate(won)])["adjusted"]
        truth = 100 * expit(-0.8 + effect)
        covered += list((found["low_pct"].to_numpy() <= truth) & (truth <= found["high_pct"].to_numpy()))
    assert 0.92 < np.mean(covered) < 0.98


cells = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", None]), st.integers(0, 9), st.integers(0, 9)),
    min_size=2,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(given_rows=cells, seed=st.integers(0, 999))
def test_laws(given_rows: list[tuple[str, str | None, int, int]], seed: int) -> None:
    """Rates are rates, intervals hold them, pooled rates are nearer to each other than raw ones could be, and neither
    the order of rows nor their being split changes anything."""
    rows = [(owner, segment, won, won + lost) for owner, segment, won, lost in given_rows]
    found = of(rows, least_trials=3)
    split = [part for o, s, w, n in rows for part in ((o, s, w, w), (o, s, 0, n - w))]
    again = of([split[i] for i in np.random.default_rng(seed).permutation(len(split))], least_trials=3)
    for name, table in found.items():
        assert_frame_equal(table, again[name], rel_tol=1e-5, abs_tol=1e-6)
    adjusted = found["adjusted"]
    for column in ("rate_pct", "expected_pct", "adjusted_pct", "low_pct", "high_pct"):
        assert adjusted[column].is_between(-1e-6, 100 + 1e-6).all()
    assert (adjusted["low_pct"] <= adjusted["adjusted_pct"]).all()
    assert (adjusted["adjusted_pct"] <= adjusted["high_pct"]).all()
    for table in found.values():
        assert table["p"].drop_nulls().is_between(0, 1).all()
    # What everybody was expected to win is what all won, but for the pull of the weak priors.
    expected = (adjusted["expected_pct"] * adjusted["trials"]).sum()
    assert expected == pytest.approx(100 * adjusted["successes"].sum(), abs=1.0)


def test_one_unit_is_compared_with_nobody_and_none_with_none() -> None:
    alone = of([("a", "x", 3, 10), ("a", "y", 2, 10)])
    assert alone["adjusted"]["p"].to_list() == [None]
    none = adjusted_rates.estimate(
        pl.DataFrame(schema={"owner": pl.String, "won": pl.Int64, "deals": pl.Int64}),
        successes="won", trials="deals", unit="owner", mix=[],
    )  # fmt: skip
    assert none.withheld == "There is nobody to compare."


def test_of_very_many_kinds_of_case_the_rarer_stand_together() -> None:
    """A column of free text has thousands: the time that its levels take grows with their number, squared and more."""
    many = adjusted_rates.MOST_LEVELS + 50
    rows = [(owner, f"kind {i:03}", 5 + i % 5, 20 if i % 2 else 19) for owner in "ab" for i in range(many)]
    crossed = of(rows)["crossed"]
    levels = crossed.get_column("level").unique().sort().to_list()
    assert levels == sorted([f"kind {i:03}" for i in range(1, many, 2)] + [f"kind {i:03}" for i in range(0, 150, 2)])
    for name in ("size", "trials", "level"):
        table = pl.DataFrame({name: ["x", "y"], "deals": [2, 3]})
        assert_frame_equal(adjusted_rates._with_few_levels(table, name, "deals"), table)


def test_what_is_no_count_is_refused() -> None:
    with pytest.raises(ValueError, match="exceeds"):
        of([("a", "x", 3, 2), ("b", "x", 1, 2)])
    with pytest.raises(ValueError, match="no column 'origin'"):
        of([("a", "x", 1, 2)], mix=["origin"])
