"""How far the parameters of a fit may be off, and how far that moves what is computed from them: the delta method.

Parameters are positive and looked at by their logarithms. The inverse of the second derivatives of the log-likelihood
at its top is their covariance (Cox & Hinkley 1974, "Theoretical Statistics", 9.2); its principal axes are directions in
which they are off independently of one another.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

STEP = 1e-4
# A derivative is taken over at most this change of a parameter's logarithm, however uncertain the parameter is.
LONGEST = 0.25
# Flatter than this beside the steepest axis, the likelihood does not change: nor does what the parameters tell.
FLAT = 1e-9


def directions(slopes: Callable[[Array], Array], values: Array) -> Array | None:
    """One standard error of the log parameters along each independent direction: one row per direction.

    `slopes` gives the derivatives of the log-likelihood by the parameters, `values` is its top. None where it is none:
    the likelihood curves upwards somewhere.
    """
    logs = np.log(values)
    curve = np.empty((values.size, values.size))
    for i in range(values.size):
        step = np.zeros_like(logs)
        step[i] = STEP
        above, below = np.exp(logs + step), np.exp(logs - step)
        curve[i] = (slopes(above) * above - slopes(below) * below) / (2 * STEP)
    if not np.isfinite(curve).all():
        return None
    steepness, axes = np.linalg.eigh(-(curve + curve.T) / 2)
    flat = FLAT * steepness[-1]
    if steepness[-1] <= 0 or steepness[0] < -flat:
        return None
    kept = steepness > flat
    found: Array = (axes[:, kept] / np.sqrt(steepness[kept])).T
    # The sign of an axis is arbitrary, and the same input is to give the same figures.
    signs: Array = np.sign(found[np.arange(found.shape[0]), np.abs(found).argmax(axis=1)])
    return np.asarray(found * signs[:, None], dtype=np.float64)


def moves(function: Callable[[Array], Array], values: Array, along: Array) -> list[Array]:
    """By how much one standard error along each direction moves what `function` makes of the parameters."""
    found = []
    for direction in along:
        share = min(1.0, LONGEST / float(np.abs(direction).max()))
        step = np.exp(share * direction)
        found.append((function(values * step) - function(values / step)) / (2 * share))
    return found
