"""The purchase models against `lifetimes` 0.11.3: the same likelihoods, fits and predictions."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import numpy as np
import pytest

from crmaudit.methods.beta_geometric import BG_NBD, MBG_NBD
from crmaudit.methods.pareto_nbd import PARETO_NBD
from crmaudit.methods.purchase_process import Fit, Histories, PurchaseModel, fit
from tests.methods.histories import simulate

FITTER = {"BG/NBD": "BetaGeoFitter", "MBG/NBD": "ModifiedBetaGeoFitter", "Pareto/NBD": "ParetoNBDFitter"}
MODELS: list[PurchaseModel] = [BG_NBD, MBG_NBD, PARETO_NBD]


def names(model: PurchaseModel) -> str:
    return model.name


def oracle(model: PurchaseModel) -> Any:
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import lifetimes  # noqa: PLC0415

        return getattr(lifetimes, FITTER[model.name])()


@pytest.fixture(scope="module")
def histories() -> Histories:
    base = simulate(np.linspace(10, 100, 1500), np.random.default_rng(7))
    rows = np.unique(np.floor([base.frequency, base.recency, base.age]), axis=1, return_counts=True)
    frequency, recency, age = rows[0]
    return Histories(frequency, recency, age, rows[1].astype(np.float64))


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_log_likelihood_at_any_parameters(model: PurchaseModel, histories: Histories) -> None:
    fitter = oracle(model)
    for values in ([0.3, 4.0, 0.8, 2.5], [2.0, 30.0, 1.5, 9.0]):
        given = np.array(values) if model is PARETO_NBD else np.log(values)
        weights = histories.customers
        theirs = fitter._negative_log_likelihood(
            given, histories.frequency, histories.recency, histories.age, weights, 0.0
        )
        # One stores a mean over the customers, the other a sum in units of the mean weight.
        scale = weights.mean() if model is PARETO_NBD else weights.sum()
        assert model.log_likelihood(np.array(values), histories)[0] == pytest.approx(-theirs * scale, rel=1e-9)


@pytest.mark.parametrize("model", [BG_NBD, MBG_NBD], ids=names)
def test_fit(model: PurchaseModel, histories: Histories) -> None:
    fitter = oracle(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter.fit(histories.frequency, histories.recency, histories.age, weights=histories.customers)
    ours = fit(model, histories)
    theirs = fitter.params_.to_numpy()
    assert ours.log_likelihood >= model.log_likelihood(theirs, histories)[0] - 1e-6
    assert ours.values == pytest.approx(theirs, rel=5e-3)


@pytest.mark.parametrize("model", MODELS, ids=names)
def test_predictions(model: PurchaseModel, histories: Histories) -> None:
    import pandas as pd  # noqa: PLC0415

    values = np.array([0.5, 8.0, 0.7, 3.0])
    fitter, ours = oracle(model), Fit(model, values, 0.0)
    fitter.params_ = pd.Series(values, index=model.parameter_names)
    seen = (histories.frequency, histories.recency, histories.age)
    assert ours.p_alive(histories) == pytest.approx(fitter.conditional_probability_alive(*seen), rel=1e-8)
    theirs = fitter.conditional_expected_number_of_purchases_up_to_time(52, *seen)
    assert ours.expected_purchases(histories, 52) == pytest.approx(theirs, rel=1e-7)
