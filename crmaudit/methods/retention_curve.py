"""How long subscribers stay: shifted-beta-geometric.

At each renewal a subscriber leaves with a probability of their own, beta distributed (alpha, beta) over the base. Those
likely to leave go first, so the renewal rate of who is left rises with tenure though nobody changes.
"""

from __future__ import annotations

from math import log

import numpy as np
import polars as pl
import scipy

from crmaudit.methods import Estimate
from crmaudit.methods.purchase_process import Array
from crmaudit.methods.uncertainty import directions, moves

PAPERS = (
    "Fader & Hardie 2007, How to Project Customer Retention, Journal of Interactive Marketing 21(1)",
    "Fader & Hardie 2010, Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity, "
    "Marketing Science 29(1)",
)

FEWEST_LOST = 20
BOUNDS = (1e-4, 1e6)
# Beyond this sum of alpha and beta all leave at one rate, and the two are known by their ratio alone.
ONE_RATE = 1e4
TAIL = 0.025


def estimate(
    table: pl.DataFrame,
    *,
    tenure: str = "tenure",
    at_risk: str = "at_risk",
    lost: str = "lost",
    fit_until: int | None = None,
    project: int = 12,
    discount: float = 0.1,
) -> Estimate:
    """The survival curve by tenure, observed and projected, and what a subscriber of each tenure still has ahead.

    `table` has one row per tenure, or per cohort and tenure (cohorts are pooled): `at_risk` subscribers came to their
    `tenure`-th renewal (1, 2, ...) and `lost` of them left there. Cohorts cut short, and ones observed from a later
    tenure on, need no care: only who was at risk counts. `fit_until` fits on tenures up to it and judges on the later.

    Columns: `renewal_rate` and `survival` as fitted, per row. Table `curve`: tenure 0 to the longest plus `project`,
    with `expected_residual_renewals` (discounted at `discount` per period) of a subscriber about to come to the next
    renewal; and of the periods that one of that tenure stays within the next `project`, discounted alike, `ahead_mean`,
    `ahead_square` (the expected square), `ahead_low` and `ahead_high` (2.5 % and 97.5 % points), and `ahead_move_1`
    and `_2`, by how much one standard error of the parameters, along independent directions, moves the mean (null where
    the errors cannot be told). Candidates: the shifted-beta-geometric and a geometric with one rate for all.

    Withheld: fewer than 20 lost, fewer than two tenures, everybody lost, or counts that are impossible.
    """
    rows = table.select(
        tenure=pl.col(tenure).cast(pl.Float64),
        at_risk=pl.col(at_risk).cast(pl.Float64),
        lost=pl.col(lost).cast(pl.Float64),
    )
    impossible = rows.filter(
        ~((pl.col("tenure") >= 1) & (pl.col("lost") >= 0) & (pl.col("lost") <= pl.col("at_risk"))).fill_null(
            value=False
        )
        | (pl.col("tenure") % 1 != 0)
    ).height
    if impossible:
        return Estimate(withheld=f"{impossible} rows are impossible: more lost than at risk, or no whole tenure.")
    pooled = rows.group_by("tenure").sum().filter(pl.col("at_risk") > 0).sort("tenure")
    seen = pooled if fit_until is None else pooled.filter(pl.col("tenure") <= fit_until)
    t, n, gone = (seen[c].to_numpy() for c in ("tenure", "at_risk", "lost"))
    if gone.sum() < FEWEST_LOST or t.size < 2 or gone.sum() == n.sum():
        return Estimate(
            withheld=f"{int(gone.sum())} lost over {t.size} renewals do not make a curve: at least {FEWEST_LOST} lost "
            "over two renewals, and some who stay, are wanted."
        )
    values, value = fit(t, n, gone)
    alpha, beta = (float(v) for v in values)
    along = directions(lambda at: _slopes(at, t, n, gone), values)
    rate = gone.sum() / n.sum()
    geometric = float(gone.sum() * log(rate) + (n.sum() - gone.sum()) * log(1 - rate))
    tenures = rows["tenure"].to_numpy()
    return Estimate(
        columns=pl.DataFrame({"renewal_rate": renewal_rate(values, tenures), "survival": survival(values, tenures)}),
        tables={"curve": _curve(values, along, pooled, project, discount)},
        parameters={
            "alpha": alpha,
            "beta": beta,
            "at_risk": int(n[0]),
            "lost": int(gone.sum()),
            "fitted_until": int(t.max()),
            "discount": discount,
            "is_one_rate": alpha + beta > ONE_RATE,
        },
        log_likelihood=value,
        candidates=(
            {"model": "shifted-beta-geometric", "parameters": {"alpha": alpha, "beta": beta}, "log_likelihood": value},
            {"model": "geometric", "parameters": {"rate": float(rate)}, "log_likelihood": geometric},
        ),
        holdout=_holdout(values, pooled, fit_until),
    )


def renewal_rate(values: Array, tenure: Array) -> Array:
    """The share of those who come to their n-th renewal that renew."""
    alpha, beta = values
    rate: Array = (beta + tenure - 1) / (alpha + beta + tenure - 1)
    return rate


def survival(values: Array, tenure: Array) -> Array:
    """The share of a cohort still there after its n-th renewal; 1 at 0."""
    alpha, beta = values
    share: Array = np.exp(scipy.special.betaln(alpha, beta + tenure) - scipy.special.betaln(alpha, beta))
    return share


def residual_renewals(values: Array, renewals: Array, discount: float) -> Array:
    """Discounted expected residual lifetime of a subscriber who has renewed n - 1 times, just before the n-th renewal.

    In periods, the one that the coming renewal pays for included at full worth; `discount` per period must be above 0.
    Fader & Hardie 2010, equation 8.
    """
    alpha, beta = values
    ahead = scipy.special.hyp2f1(1.0, beta + renewals, alpha + beta + renewals, 1 / (1 + discount))
    residual: Array = renewal_rate(values, renewals) * ahead
    return residual


def fit(tenure: Array, at_risk: Array, lost: Array) -> tuple[Array, float]:
    """The (alpha, beta) of greatest likelihood and its log: each renewal is a draw of `lost` from `at_risk`."""

    def objective(logs: Array) -> tuple[float, Array]:
        alpha, beta = np.exp(logs)
        stay, both = beta + tenure - 1, alpha + beta + tenure - 1
        value = lost @ np.log(alpha / both) + (at_risk - lost) @ np.log(stay / both)
        slopes = _slopes(np.exp(logs), tenure, at_risk, lost)
        return -float(value) / scale, -slopes * np.exp(logs) / scale

    scale = float(at_risk[0])
    found = scipy.optimize.minimize(
        objective,
        np.zeros(2),
        jac=True,
        method="L-BFGS-B",
        bounds=[(log(BOUNDS[0]), log(BOUNDS[1]))] * 2,
        options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-8},
    )
    return np.exp(found.x), -float(found.fun) * scale


def _slopes(values: Array, tenure: Array, at_risk: Array, lost: Array) -> Array:
    """The derivatives of the log-likelihood."""
    alpha, beta = values
    stay, both = beta + tenure - 1, alpha + beta + tenure - 1
    return np.array([lost.sum() / alpha - at_risk @ (1 / both), (at_risk - lost) @ (1 / stay) - at_risk @ (1 / both)])


def _ahead(values: Array, tenure: Array, project: int, discount: float) -> dict[str, Array]:
    """Periods stayed of the next `project`, discounted: who leaves within one leaves at the middle of it."""
    force = log(1 + discount)
    later = np.arange(project + 1, dtype=np.float64)
    worth = -np.expm1(-force * later) / force
    middle = -np.expm1(-force * (later[:-1] + 0.5)) / force
    still = survival(values, tenure[:, None] + later) / survival(values, tenure)[:, None]
    leaves = still[:, :-1] - still[:, 1:]
    last = np.maximum((still >= 1 - TAIL).sum(axis=1) - 1, 0)
    first = np.minimum((still > TAIL).sum(axis=1), project)
    return {
        "ahead_mean": leaves @ middle + still[:, -1] * worth[-1],
        "ahead_square": leaves @ middle**2 + still[:, -1] * worth[-1] ** 2,
        "ahead_low": worth[last],
        "ahead_high": worth[first],
    }


def _curve(values: Array, along: Array | None, pooled: pl.DataFrame, project: int, discount: float) -> pl.DataFrame:
    tenure = np.arange(int(pooled["tenure"].to_numpy().max()) + project + 1, dtype=np.float64)
    ahead = _ahead(values, tenure, project, discount)
    shifts = (
        [] if along is None else moves(lambda at: _ahead(at, tenure, project, discount)["ahead_mean"], values, along)
    )
    unknown = np.full(tenure.size, np.nan if along is None else 0.0)
    ahead |= {f"ahead_move_{i + 1}": shifts[i] if i < len(shifts) else unknown for i in range(values.size)}
    fitted = pl.DataFrame(
        {
            "tenure": tenure,
            "survival": survival(values, tenure),
            "expected_residual_renewals": residual_renewals(values, tenure + 1, discount),
            **ahead,
        }
    ).with_columns(pl.col("ahead_move_1", "ahead_move_2").fill_nan(None))
    observed = pooled.with_columns(observed_renewal_rate=1 - pl.col("lost") / pl.col("at_risk"))
    # The product is an observed survival only as far as every renewal before was observed.
    unbroken = (pl.col("tenure") == 0) | (pl.col("at_risk").is_null().cum_sum() == 1)
    return (
        fitted.join(observed, on="tenure", how="left")
        .sort("tenure")
        .select(
            pl.col("tenure", "at_risk", "lost").cast(pl.Int64),
            "observed_renewal_rate",
            pl.Series("renewal_rate", renewal_rate(values, tenure)).set(pl.Series(tenure == 0), None),
            pl.when(unbroken)
            .then(pl.col("observed_renewal_rate").fill_null(1.0).cum_prod())
            .alias("observed_survival"),
            "survival",
            "expected_residual_renewals",
            *ahead,
        )
    )


def _holdout(values: Array, pooled: pl.DataFrame, fit_until: int | None) -> dict[str, float | int] | None:
    """Losses predicted and seen at the renewals after those fitted."""
    later = pooled if fit_until is None else pooled.filter(pl.col("tenure") > fit_until)
    if fit_until is None or later.is_empty():
        return None
    at_risk, actual = later["at_risk"].to_numpy(), float(later["lost"].to_numpy().sum())
    predicted = float(at_risk @ (1 - renewal_rate(values, later["tenure"].to_numpy())))
    result: dict[str, float | int] = {"renewals": later.height, "predicted": predicted, "actual": actual}
    if actual:
        result["error_pct"] = 100 * (predicted - actual) / actual
    return result
