"""BG/NBD, MBG/NBD, Pareto/NBD and NBD against their papers, `lifetimes`, integration and simulation."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from crmaudit.methods import purchase_process
from crmaudit.methods.beta_geometric import BG_NBD, MBG_NBD
from crmaudit.methods.pareto_nbd import NBD, PARETO_NBD
from crmaudit.methods.purchase_process import Array, Fit, Histories, PurchaseModel, fit
from tests.methods.histories import cdnow, cdnow_until, one, simulate

FADER_HARDIE_LEE = Fit(BG_NBD, np.array([0.2425945, 4.4136019, 0.7929199, 2.4258881]), 0.0)
FADER_HARDIE = Fit(PARETO_NBD, np.array([0.55315, 10.57633, 0.60625, 11.67150]), 0.0)
MODELS: list[PurchaseModel] = [BG_NBD, MBG_NBD, PARETO_NBD, NBD]
LEAVING: list[PurchaseModel] = [BG_NBD, MBG_NBD, PARETO_NBD]


def names(model: PurchaseModel) -> str:
    return model.name


# What the papers print


@pytest.mark.parametrize(
    ("model", "values", "log_likelihood", "tolerance"),
    [
        pytest.param(BG_NBD, [0.2425945, 4.4136019, 0.7929199, 2.4258881], -9582.429, 1e-4, id="fader_hardie_lee_2005"),
        pytest.param(PARETO_NBD, [0.55315, 10.57633, 0.60625, 11.67150], -9594.976, 1e-3, id="fader_hardie_2005"),
        pytest.param(NBD, [0.385, 12.072], -9763.66, 1e-3, id="ehrenberg_1959_recomputed"),
        pytest.param(MBG_NBD, [0.525, 6.183, 0.891, 1.614], -9582.133, 1e-3, id="batislam_2007_recomputed"),
    ],
)
def test_cdnow_parameters_and_log_likelihood(
    model: PurchaseModel, values: list[float], log_likelihood: float, tolerance: float
) -> None:
    found = fit(model, cdnow())
    assert found.fault is None
    assert found.values == pytest.approx(values, rel=tolerance)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=0.01)


@pytest.mark.parametrize(("model", "active"), [(BG_NBD, 1917), (MBG_NBD, 1058), (PARETO_NBD, 1052)])
def test_cdnow_expected_active_customers(model: PurchaseModel, active: int) -> None:
    histories = cdnow()
    assert round(float(fit(model, histories).p_alive(histories).sum())) == active


def test_fader_hardie_lee_2005_to_the_day() -> None:
    """The likelihoods as printed, which the two-decimal file shifts a little."""
    rows = cdnow_until(date(1997, 9, 30), 39)
    x, last, age = (rows[c].cast(pl.Float64).to_numpy() for c in ("frequency", "recency", "age"))
    histories = Histories(x, last, age, np.ones(x.size))
    assert fit(BG_NBD, histories).log_likelihood == pytest.approx(-9582.429, abs=5e-4)
    assert fit(PARETO_NBD, histories).log_likelihood == pytest.approx(-9594.976, abs=5e-4)


def test_fader_hardie_lee_2005_conditional_expectation() -> None:
    customer = one(2, 30.43, 38.86)
    assert FADER_HARDIE_LEE.expected_purchases(customer, 39)[0] == pytest.approx(1.226, abs=5e-4)


def test_fader_hardie_lee_2005_nobody_buys() -> None:
    new = np.zeros(1)
    rounded = np.array([0.243, 4.414, 0.793, 2.426])
    assert BG_NBD.p_none_if_alive(rounded, new, new, 39)[0] == pytest.approx(0.5737864, rel=1e-6)
    assert BG_NBD.p_none_if_alive(FADER_HARDIE_LEE.values, new, new, 39)[0] == pytest.approx(0.574307, rel=1e-5)


@pytest.mark.parametrize(("found", "expected"), [(FADER_HARDIE_LEE, 1.444004), (FADER_HARDIE, 1.473434)])
def test_btyd_purchases_of_a_new_customer_in_52_weeks(found: Fit, expected: float) -> None:
    assert found.model.purchases_if_alive(found.values, np.zeros(1), np.zeros(1), 52)[0] == pytest.approx(
        expected, rel=1e-4
    )


@pytest.mark.parametrize(
    ("found", "purchases", "p_alive"), [(FADER_HARDIE_LEE, 25.757, 0.96885), (FADER_HARDIE, 25.456, 0.99787)]
)
def test_btyd_customer_1516(found: Fit, purchases: float, p_alive: float) -> None:
    customer = one(26, 30.85714, 31)
    assert found.expected_purchases(customer, 52)[0] == pytest.approx(purchases, rel=1e-4)
    assert found.p_alive(customer)[0] == pytest.approx(p_alive, rel=1e-4)


@pytest.mark.parametrize(
    ("found", "purchases", "p_alive", "tolerance"),
    [
        (
            FADER_HARDIE_LEE,
            [0.3474606, 0.04283391, 0.004158973, 0.0003583685],
            [0.03812, 0.003194, 0.0002350, 0.0000163],
            1e-4,
        ),
        # Printed for a fit that is not: at the published parameters `lifetimes` has 0.7058936 too.
        (
            FADER_HARDIE,
            [0.7062289, 0.1442396, 0.02250658, 0.00309267],
            [0.08039, 0.01114, 0.001315, 0.0001453],
            1.2e-3,
        ),
    ],
)
def test_btyd_the_increasing_frequency_paradox(
    found: Fit, purchases: list[float], p_alive: list[float], tolerance: float
) -> None:
    x = np.array([10.0, 15.0, 20.0, 25.0])
    silent = Histories(x, np.full(4, 20.0), np.full(4, 39.0), np.ones(4))
    assert found.expected_purchases(silent, 52) == pytest.approx(purchases, rel=tolerance)
    assert found.p_alive(silent) == pytest.approx(p_alive, rel=2e-3)


def test_bg_nbd_takes_all_who_bought_once_for_alive_and_mbg_nbd_does_not() -> None:
    silent = one(0, 0, 500)
    assert FADER_HARDIE_LEE.p_alive(silent)[0] == 1
    assert Fit(MBG_NBD, np.array([0.525, 6.183, 0.891, 1.614]), 0.0).p_alive(silent)[0] < 0.2


# Laws

few = settings(max_examples=40, deadline=None)
positive = st.floats(0.05, 20)
parameters = st.tuples(positive, positive, positive, positive).map(np.array)
history = st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(0.5, 150), st.integers(1, 1000)).map(
    lambda h: (h[0], h[1] * h[2] if h[0] else 0.0, h[2], h[3])
)
bases = st.lists(history, min_size=1, max_size=12).map(
    lambda rows: Histories(*(np.array(v, dtype=np.float64) for v in zip(*rows, strict=True)))
)


@pytest.mark.parametrize("model", LEAVING, ids=names)
@few
@given(values=parameters, histories=bases)
def test_probabilities_are_probabilities(model: PurchaseModel, values: Array, histories: Histories) -> None:
    found = Fit(model, values, 0.0)
    for p in (found.p_alive(histories), found.p_active(histories, 52), found.p_leaves(histories, 52)):
        assert (p >= -1e-12).all()
        assert (p <= 1 + 1e-12).all()
    assert (found.expected_purchases(histories, 52) >= 0).all()
    # One purchase or more is the least that the expectation can hold.
    assert (found.expected_purchases(histories, 52) >= found.p_active(histories, 52) * (1 - 1e-9)).all()


@pytest.mark.parametrize("model", LEAVING, ids=names)
@few
@given(
    values=parameters, x=st.integers(1, 60), age=st.floats(1, 150), shares=st.tuples(st.floats(0, 1), st.floats(0, 1))
)
def test_more_recent_never_lowers_p_alive(
    model: PurchaseModel, values: Array, x: int, age: float, shares: tuple[float, float]
) -> None:
    recency = age * np.sort(np.array(shares))
    pair = Histories(np.full(2, float(x)), recency, np.full(2, age), np.ones(2))
    earlier, later = model.p_alive(values, pair)
    assert later >= earlier - 1e-12


@pytest.mark.parametrize("model", LEAVING, ids=names)
@few
@given(values=parameters, histories=bases, factor=st.floats(0.1, 10))
def test_scaling_the_clock_changes_no_probability(
    model: PurchaseModel, values: Array, histories: Histories, factor: float
) -> None:
    here = Fit(model, values, 0.0)
    there = Fit(model, np.where(model.is_time, values * factor, values), 0.0)
    scaled = histories.rescaled(factor)
    assert there.p_alive(scaled) == pytest.approx(here.p_alive(histories), rel=1e-7, abs=1e-12)
    assert there.expected_purchases(scaled, 52 * factor) == pytest.approx(
        here.expected_purchases(histories, 52), rel=1e-7, abs=1e-12
    )


@pytest.mark.parametrize("model", LEAVING, ids=names)
def test_scaling_the_clock_scales_the_fit(model: PurchaseModel) -> None:
    base = simulate(np.linspace(5, 100, 3000), np.random.default_rng(2)).histories
    weeks, days = fit(model, base), fit(model, base.rescaled(7.0))
    assert days.values == pytest.approx(np.where(model.is_time, weeks.values * 7, weeks.values), rel=1e-6)
    assert days.p_alive(base.rescaled(7.0)) == pytest.approx(weeks.p_alive(base), abs=1e-6)
    # A density per day instead of per week, once for each purchase.
    assert days.log_likelihood == pytest.approx(weeks.log_likelihood - np.log(7) * base.frequency.sum(), rel=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=names)
@few
@given(values=parameters, histories=bases)
def test_slopes_are_those_of_the_log_likelihood(model: PurchaseModel, values: Array, histories: Histories) -> None:
    values = values[: len(model.parameter_names)]
    slopes = model.log_likelihood(values, histories)[1]
    for i, value in enumerate(values):
        step = np.zeros_like(values)
        step[i] = 1e-5 * value
        up, down = (model.log_likelihood(values + s, histories)[0] for s in (step, -step))
        size = np.abs(slopes).max() + histories.customers @ (1 + histories.frequency)
        assert (up - down) / (2 * step[i]) == pytest.approx(slopes[i], abs=1e-5 * size)


# Independent ways to the same numbers


@pytest.mark.parametrize(("alpha", "beta"), [(2.0, 30.0), (30.0, 2.0), (5.0, 5.0)])
@pytest.mark.parametrize(("x", "last", "age"), [(0, 0, 40), (3, 10, 40), (60, 35, 40), (60, 40, 40)])
def test_pareto_nbd_is_the_integral_over_the_moment_of_leaving(
    alpha: float, beta: float, x: int, last: float, age: float
) -> None:
    r, s, ahead = 0.6, 0.9, 26.0
    values = np.array([r, alpha, s, beta])

    def silent(u: float) -> float:
        return float((alpha + last) ** (r + x) / (alpha + u) ** (r + x) * beta**s / (beta + u) ** s)

    gone = scipy.integrate.quad(lambda u: silent(u) * s / (beta + u), last, age, epsabs=0, epsrel=1e-11)[0]
    alive = silent(age) / (silent(age) + gone)
    assert PARETO_NBD.p_alive(values, one(x, last, age))[0] == pytest.approx(alive, rel=1e-8)

    left_first = scipy.integrate.quad(lambda u: silent(u) * s / (beta + u), age, age + ahead, epsabs=0)[0]
    none = (silent(age + ahead) + left_first) / silent(age)
    found = PARETO_NBD.p_none_if_alive(values, np.array([float(x)]), np.array([float(age)]), ahead)[0]
    assert found == pytest.approx(none, rel=1e-8)


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD], ids=names)
@pytest.mark.parametrize("a", [0.5, 1.0, 2.5])
def test_beta_geometric_futures_are_integrals_over_the_chance_of_leaving(model: PurchaseModel, a: float) -> None:
    """Given p and the posterior rate, a customer survives t with E[exp(-lambda p t)] and buys at E[lambda exp()]."""
    r, alpha, b, x, age, ahead = 0.7, 6.0, 2.2, 4.0, 30.0, 52.0
    values = np.array([r, alpha, a, b])
    survived = b + x + (1 if model is MBG_NBD else 0)

    def mean_over_p(function: object) -> float:
        assert callable(function)
        density = np.exp(-scipy.special.betaln(a, survived))
        return float(
            scipy.integrate.quad(
                lambda p: function(p) * density * (1 - p) ** (survived - 1), 0, 1, weight="alg", wvar=(a - 1, 0)
            )[0]
        )

    def stays(p: float) -> float:
        return float(((alpha + age) / (alpha + age + p * ahead)) ** (r + x))

    def purchases(p: float) -> float:
        if p == 0:
            return (r + x) * ahead / (alpha + age)
        return float(-np.expm1(-(r + x) * np.log1p(p * ahead / (alpha + age))) / p)

    at = (values, np.array([x]), np.array([age]), ahead)
    assert model.p_stays_if_alive(*at)[0] == pytest.approx(mean_over_p(stays), rel=1e-7)
    assert model.purchases_if_alive(*at)[0] == pytest.approx(mean_over_p(purchases), rel=1e-7)


@pytest.mark.parametrize("model", LEAVING, ids=names)
def test_fits_find_the_truth_and_predict_what_comes(model: PurchaseModel) -> None:
    truth = np.array([0.8, 8.0, 0.9, 2.5]) if model is not PARETO_NBD else np.array([0.8, 8.0, 0.9, 40.0])
    base = simulate(
        np.linspace(10, 150, 10_000),
        np.random.default_rng(11),
        leaving=model.name,
        first=truth[2],
        second=truth[3],
    )
    found = fit(model, base.histories)
    assert found.log_likelihood >= model.log_likelihood(truth, base.histories)[0]
    assert found.values == pytest.approx(truth, rel=0.35)
    alive = base.left_after > base.age
    assert found.p_alive(base.histories).sum() == pytest.approx(alive.sum(), rel=0.03)
    assert found.expected_purchases(base.histories, 52).sum() == pytest.approx(base.future.sum(), rel=0.06)
    assert found.p_active(base.histories, 52).sum() == pytest.approx((base.future > 0).sum(), rel=0.03)
    leaves = alive & (base.left_after <= base.age + 52)
    assert (found.p_alive(base.histories) * found.p_leaves(base.histories, 52)).sum() == pytest.approx(
        leaves.sum(), rel=0.05
    )


def test_hundreds_of_purchases_overflow_nothing() -> None:
    busy = Histories(np.array([900.0, 5000.0]), np.array([150.0, 20.0]), np.array([156.0, 156.0]), np.ones(2))
    for found in (FADER_HARDIE_LEE, FADER_HARDIE):
        assert np.isfinite(found.expected_purchases(busy, 156)).all()
        assert np.isfinite(found.model.log_likelihood(found.values, busy)[0])
        # Six weeks of silence after six purchases a week, for three years, are leaving.
        assert (found.p_alive(busy) < 1e-6).all()


def test_a_thin_sample_first_leads_to_the_same_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    base = simulate(np.linspace(3, 150, 3000), np.random.default_rng(5)).histories
    direct = fit(MBG_NBD, base).values
    monkeypatch.setattr(purchase_process, "THIN", 300)
    assert base.thinned(300).n == 300
    assert fit(MBG_NBD, base).values == pytest.approx(direct, rel=1e-4)
