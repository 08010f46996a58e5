import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from crmaudit.methods import ridge_logistic
from crmaudit.methods.columns import Floats

TEMPERATURE = [66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58]
DAMAGE = [0, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1]


def test_dalal_fowlkes_hoadley_1989_the_o_rings_of_challenger() -> None:
    """Intercept 15.0429, slope -0.2322, log-likelihood -10.158 (residual deviance 20.315)."""
    x = np.column_stack([np.ones(23), TEMPERATURE])
    found = ridge_logistic.fit(x, np.array(DAMAGE) == 1, np.arange(23), free=2)
    assert found.coefficients == pytest.approx([15.0429, -0.2322], rel=1e-3)
    assert -2 * found.log_likelihood == pytest.approx(20.315, abs=0.001)
    assert found.aic == pytest.approx(24.315, abs=0.001)


def drawn(rng: np.random.Generator, n: int, beta: Floats) -> tuple[Floats, Floats]:
    z = rng.normal(size=(n, len(beta)))
    came = rng.random(n) < 1 / (1 + np.exp(1.5 - z @ beta))
    return np.column_stack([np.ones(n), z]), came.astype(np.float64)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), strength=st.floats(0, 2))
def test_the_penalised_likelihood_has_its_maximum_there(seed: int, strength: float) -> None:
    """scipy's general minimiser comes to the same coefficients under the penalty that was chosen."""
    rng = np.random.default_rng(seed)
    x, came = drawn(rng, 150, np.array([strength, 0.0, -strength / 2]))
    found = ridge_logistic.fit(x, came == 1, np.arange(150), free=1)

    def against(beta: Floats) -> float:
        line = x @ beta
        return float(np.logaddexp(0, line).sum() - came @ line + found.penalty * (beta[1:] @ beta[1:]) / 2)

    theirs = optimize.minimize(against, np.zeros(4), method="BFGS", options={"gtol": 1e-7})
    assert found.coefficients == pytest.approx(theirs.x, abs=2e-4)


def test_noise_is_shrunk_and_what_matters_is_not() -> None:
    rng = np.random.default_rng(1)
    x, came = drawn(rng, 800, np.array([1.0, 0.0, 0.0]))
    telling = ridge_logistic.fit(x, came == 1, np.arange(800), free=1)
    assert telling.coefficients[1] == pytest.approx(1.0, abs=0.3)
    penalties = []
    for _ in range(20):
        x, came = drawn(rng, 800, np.zeros(3))
        penalties.append(ridge_logistic.fit(x, came == 1, np.arange(800), free=1).penalty)
    assert np.median(penalties) > 20 * telling.penalty


def test_rows_written_twice_make_no_narrower_intervals() -> None:
    rng = np.random.default_rng(2)
    x, came = drawn(rng, 300, np.array([0.8]))
    once = ridge_logistic.fit(x, came == 1, np.arange(300), free=2)
    twice = ridge_logistic.fit(np.vstack([x, x]), np.r_[came, came] == 1, np.r_[np.arange(300), np.arange(300)], free=2)
    assert twice.coefficients == pytest.approx(once.coefficients, rel=1e-6)
    assert twice.covariance == pytest.approx(once.covariance, rel=1e-6)


def test_robust_intervals_cover() -> None:
    """Each person is seen on four days with one hidden trait: intervals that take the rows for independent are too short."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        who = np.repeat(np.arange(150), 4)
        z, trait = rng.normal(size=150)[who], rng.normal(size=150)[who]
        came = rng.random(600) < 1 / (1 + np.exp(-0.0 * z - trait))
        found = ridge_logistic.fit(np.column_stack([np.ones(600), z]), came, who, free=2)
        held += abs(found.coefficients[1]) <= 1.96 * np.sqrt(found.covariance[1, 1])
    assert 0.91 <= held / 200 <= 0.985


def test_a_component_that_tells_all_still_has_a_finite_weight() -> None:
    z = np.r_[np.full(30, -1.0), np.full(30, 1.0)]
    found = ridge_logistic.fit(np.column_stack([np.ones(60), z]), z > 0, np.arange(60), free=1)
    assert 1 < found.coefficients[1] < 20
