"""Up, flat or down: published beta-binomial numbers, moderated dispersions, laws, and bases in which nobody changes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crmaudit.methods import Estimate, spend_change
from crmaudit.methods.columns import Floats

QUARTERS = [f"q{n}" for n in range(1, 9)]


def estimate(spend: Floats, purchases: Floats) -> Estimate:
    table = pl.DataFrame({name: spend[:, i] for i, name in enumerate(QUARTERS)} | {"purchases": purchases})
    return spend_change.estimate(table, quarters=QUARTERS, purchases="purchases")


def base(kind: str, ratio: Floats, seed: int = 1) -> tuple[Floats, Floats]:
    """Spend (customers x 8 quarters) and purchases of customers whose later year's mean is `ratio` of the earlier."""
    rng = np.random.default_rng(seed)
    size = len(ratio)
    rate, level = rng.gamma(0.8, 3, size), rng.lognormal(4, 1, size)
    spend, purchases = np.zeros((size, 8)), np.zeros(size)
    for quarter in range(8):
        mean = rate * np.array([0.7, 1.0, 0.9, 1.4])[quarter % 4] * (ratio if quarter >= 4 else 1)
        if kind == "regular":
            spend[:, quarter] = 3 * level * (ratio if quarter >= 4 else 1) * (1 + 0.05 * rng.standard_normal(size))
            purchases += 3
            continue
        count = rng.poisson(mean) if kind == "poisson" else rng.negative_binomial(1, 1 / (1 + mean))
        spend[:, quarter] = np.where(count > 0, level * rng.gamma(2 * np.maximum(count, 1), 0.5), 0)
        purchases += count
    kept = purchases > 0
    return spend[kept], purchases[kept]


def test_beta_binomial_of_geissler() -> None:
    """Boys among the first 12 of 13 children, Saxony: alpha 34.09558, beta 31.5715, log-likelihood -12492.9."""
    boys = np.arange(13.0)
    families = np.array([3, 24, 104, 286, 670, 1033, 1343, 1112, 829, 478, 181, 45, 7], dtype=np.float64)
    prior, likelihood = spend_change.fit_shares(boys, 12 - boys, families)
    assert (prior.later, prior.earlier) == pytest.approx((34.09558, 31.5715), rel=1e-3)
    coefficients = float(np.log([float(stats.binom(12, 0.5).pmf(k)) * 2**12 for k in boys]) @ families)
    assert likelihood + coefficients == pytest.approx(-12492.9, abs=0.05)


@pytest.mark.parametrize(("typical", "freedom"), [(1.5, 8.0), (0.4, 3.0)])
def test_prior_of_dispersions_is_found_again(typical: float, freedom: float) -> None:
    """Smyth 2004: 1 / dispersion ~ chi2(d0) / (d0 s0); own estimates ~ dispersion chi2(6) / 6."""
    rng = np.random.default_rng(2)
    true = typical * freedom / rng.chisquare(freedom, 40_000)
    found = spend_change.fit_dispersion(true * rng.chisquare(6, 40_000) / 6, 6)
    assert found == pytest.approx((typical, freedom), rel=0.06)


def test_equal_dispersions_have_no_spread() -> None:
    rng = np.random.default_rng(3)
    typical, freedom = spend_change.fit_dispersion(2 * rng.chisquare(6, 20_000) / 6, 6)
    assert typical == pytest.approx(2, rel=0.02)
    assert freedom > 100


@pytest.mark.parametrize(("kind", "most"), [("poisson", 1.0), ("bursty", 3.0), ("regular", 1.0)])
def test_base_without_a_trend_is_flat(kind: str, most: float) -> None:
    """Shares flagged, up or down, over three bases: 0, 1.8 and 0 % where customers buy at random, in bursts, regularly."""
    flagged = []
    for seed in (1, 2, 3):
        found = estimate(*base(kind, np.ones(3000), seed)).columns
        assert found is not None
        flagged.append(float((np.maximum(found["p_up"].to_numpy(), found["p_down"].to_numpy()) >= 0.8).mean()))
    assert 100 * np.mean(flagged) < most


@pytest.mark.parametrize("kind", ["poisson", "regular"])
def test_probabilities_keep_their_promise(kind: str) -> None:
    ratio = np.exp(0.5 * np.random.default_rng(4).standard_normal(6000))
    spend, purchases = base("regular" if kind == "regular" else "poisson", ratio)
    rng = np.random.default_rng(1)
    if kind == "poisson":
        rate = rng.gamma(0.8, 3, len(ratio))
        spend, purchases, ratio = _poisson_kept(rng, rate, ratio)
    found = estimate(spend, purchases).columns
    assert found is not None
    for column, truth in (("p_up", ratio > 1.2), ("p_down", ratio < 0.8)):
        p = found[column].to_numpy()
        assert truth[p >= 0.8].mean() >= 0.8
        assert p.mean() == pytest.approx(truth.mean(), abs=0.06)


def _poisson_kept(rng: np.random.Generator, rate: Floats, ratio: Floats) -> tuple[Floats, Floats, Floats]:
    mean = np.repeat(rate[:, None], 8, axis=1)
    mean[:, 4:] *= ratio[:, None]
    counts = rng.poisson(mean).astype(np.float64)
    kept = counts.sum(axis=1) > 0
    return 50 * counts[kept], counts[kept].sum(axis=1), ratio[kept]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 1000))
def test_currency_and_order_change_nothing(seed: int, unit: float) -> None:
    spend, purchases = base("poisson", np.ones(60), seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(spend))
    first, second = estimate(spend, purchases).columns, estimate(spend[order] * unit, purchases[order]).columns
    assert first is not None
    assert second is not None
    for name in ("p_up", "p_down"):
        p = first[name].to_numpy()
        assert ((p >= 0) & (p <= 1)).all()
        # Where nobody changes the likelihood of how much they do is flat, and the search ends where it ends.
        assert second[name].to_numpy() == pytest.approx(p[order], abs=0.02)
    assert (first["p_up"] + first["p_down"] <= 1 + 1e-12).all()


def test_more_spend_in_the_later_year_never_lowers_the_chance_of_up() -> None:
    spend, purchases = base("poisson", np.ones(200))
    rising = np.concatenate(
        [spend, *(np.full((1, 8), 10.0) * np.array([1.0] * 4 + [k] * 4) for k in (0, 0.5, 1, 2, 4))]
    )
    found = estimate(rising, np.concatenate([purchases, np.full(5, 16.0)])).columns
    assert found is not None
    up = found["p_up"].to_numpy()[-5:]
    assert (np.diff(up) > 0).all()


def test_what_cannot_be_told() -> None:
    spend, purchases = base("poisson", np.ones(200))
    spend[0], spend[1, 0] = 0, -5
    found = estimate(spend, purchases).columns
    assert found is not None
    assert found["p_up"][0] is None
    assert found["p_up"].null_count() == 1
    few = estimate(spend[1:10], purchases[1:10])
    assert few.columns is None
    assert few.withheld is not None
    with pytest.raises(ValueError, match="eight quarters"):
        spend_change.estimate(pl.DataFrame({"a": [1.0]}), quarters=["a"], purchases="a")


def test_share_flagged_if_nobody_changed_is_told() -> None:
    told = estimate(*base("poisson", np.exp(0.5 * np.random.default_rng(5).standard_normal(3000)))).parameters
    assert 0 < told["flagged_if_stable_pct"] < 10


def test_those_who_left_do_not_make_the_others_fall() -> None:
    """A quarter leaves between the years: they are down, the others stay flat."""
    rng = np.random.default_rng(6)
    spend = np.full((2000, 8), 100.0) * rng.lognormal(0, 0.1, (2000, 8))
    spend[:500, 4:] = 0
    found = estimate(spend, np.full(2000, 24.0))
    assert found.columns is not None
    assert found.parameters["prior_left"] == pytest.approx(0.25, abs=0.01)
    down = found.columns["p_down"].to_numpy() >= 0.8
    assert down[:500].all()
    assert down[500:].mean() < 0.01
