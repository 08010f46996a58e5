"""Logistic regression with a ridge penalty, which Akaike's criterion chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from crmaudit.methods.columns import Floats

PAPERS = (
    "le Cessie, S. & van Houwelingen, J. C. (1992). Ridge estimators in logistic regression. Applied Statistics 41, "
    "191-201.",
    "Liang, K.-Y. & Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models. Biometrika 73, "
    "13-22.",
)

PENALTIES = np.geomspace(0.1, 10_000.0, 16)
MOST_STEPS = 100
SMALL = 1e-9


@dataclass(frozen=True)
class Fit:
    """Coefficients and their cluster-robust covariance; the first `free` of them are not penalised."""

    coefficients: Floats
    covariance: Floats
    penalty: float
    log_likelihood: float
    aic: float


def fit(x: Floats, came: NDArray[np.bool_], cluster: NDArray[np.int64], free: int) -> Fit:
    """The fit with the least AIC, -2 log-likelihood + 2 effective degrees of freedom, over a fixed grid of penalties.

    `x` is rows x columns, the first `free` of them intercepts; rows of one cluster may hang together. ValueError where
    no penalty makes the steps converge.
    """
    tried = [found for penalty in PENALTIES if (found := _one(x, came, cluster, free, float(penalty))) is not None]
    if not tried:
        raise ValueError("the logistic regression does not converge")
    return min(tried, key=lambda found: found.aic)


def _one(x: Floats, came: NDArray[np.bool_], cluster: NDArray[np.int64], free: int, penalty: float) -> Fit | None:
    y = came.astype(np.float64)
    ridge = np.diag(np.r_[np.zeros(free), np.full(x.shape[1] - free, penalty)])
    beta = np.zeros(x.shape[1])
    value = _penalised(x, y, beta, ridge)
    for _ in range(MOST_STEPS):
        p = expit(x @ beta)
        information = (x * (p * (1 - p))[:, None]).T @ x
        step = np.linalg.lstsq(information + ridge, x.T @ (y - p) - ridge @ beta, rcond=None)[0]
        # Halving the step keeps Newton from overshooting where few events stand against many rows.
        while (after := _penalised(x, y, beta + step, ridge)) < value - SMALL and np.abs(step).max() > SMALL:
            step = step / 2
        beta, value = beta + step, after
        if np.abs(step).max() < SMALL:
            break
    else:
        return None
    p = expit(x @ beta)
    information = (x * (p * (1 - p))[:, None]).T @ x
    inverse = np.linalg.pinv(information + ridge)
    _, who = np.unique(cluster, return_inverse=True)
    scores = np.zeros((int(who.max()) + 1, x.shape[1]))
    np.add.at(scores, who, x * (y - p)[:, None])
    likelihood = float(-np.logaddexp(0, np.where(came, -1, 1) * (x @ beta)).sum())
    freedom = float(np.trace(information @ inverse))
    return Fit(beta, inverse @ (scores.T @ scores) @ inverse, penalty, likelihood, -2 * likelihood + 2 * freedom)


def _penalised(x: Floats, y: Floats, beta: Floats, ridge: Floats) -> float:
    line = x @ beta
    return float(y @ line - np.logaddexp(0, line).sum() - beta @ ridge @ beta / 2)
