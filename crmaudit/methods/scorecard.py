"""One score out of several components: weights fitted to an outcome on earlier days, tested on later ones.

Without outcomes enough the components weigh alike, and the score is not validated: no area, no probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from crmaudit.methods import Estimate, clustered_auc, discrimination, ridge_logistic
from crmaudit.methods.columns import Z95, Floats, Ints, Schema, numbers

PAPERS = (
    *ridge_logistic.PAPERS,
    *clustered_auc.PAPERS,
    "Peduzzi, P., Concato, J., Kemper, E., Holford, T. R. & Feinstein, A. R. (1996). A simulation study of the number "
    "of events per variable in logistic regression analysis. Journal of Clinical Epidemiology 49, 1373-1379.",
    "Dawes, R. M. (1979). The robust beauty of improper linear models in decision making. American Psychologist 34, "
    "571-582.",
)

LEAST_EVENTS = 20
"""Outcomes of either kind that fitting and testing need."""
EVENTS_PER_WEIGHT = 10
LEAST_KNOWN = 0.05
"""Share of the rows of each role in which a component must be known to weigh."""
FARTHEST = 3.0
"""Standard deviations at which a component is cut, so that one wild value does not make the score."""

WEIGHTS: Schema = {
    "component": pl.String, "kind": pl.String, "is_used": pl.Boolean,
    **dict.fromkeys(("weight", "low", "high", "known_now_pct", "auc_alone", "alone_low", "alone_high"), pl.Float64),
}  # fmt: skip
AUC: Schema = {
    **dict.fromkeys(("n", "positives"), pl.Int64),
    **dict.fromkeys(("auc", "auc_low", "auc_high", "auc_p"), pl.Float64),
    "best_component": pl.String,
    **dict.fromkeys(("best_auc", "difference", "difference_low", "difference_high", "difference_p"), pl.Float64),
}


@dataclass(frozen=True)
class Rows:
    """The table as arrays: components rows x columns, NaN where unknown."""

    components: Floats
    role: NDArray[np.str_]
    came: Floats
    cluster: Ints
    stratum: NDArray[np.bool_]

    def of(self, role: str) -> Rows:
        r = self.role == role
        return Rows(self.components[r], self.role[r], self.came[r], self.cluster[r], self.stratum[r])

    @property
    def outcomes(self) -> int:
        """The rarer of those for whom it came and those for whom not."""
        came = float(np.nansum(self.came))
        return int(min(came, len(self.came) - came))


@dataclass(frozen=True)
class Card:
    """index = (sum of weight x component - middle) / spread, components standardised; p = expit(intercept - sum)."""

    used: NDArray[np.bool_]
    weight: Floats
    error: Floats
    """Standard error of each weight; NaN where nothing was fitted."""
    centre: Floats
    scale: Floats
    middle: float
    spread: float
    intercepts: tuple[float, float]
    """For the stratum false and true; NaN where nothing was fitted."""
    basis: str
    penalty: float = float("nan")

    def standardised(self, components: Floats) -> Floats:
        """Rows x components: in standard deviations, cut, and 0 where unknown."""
        with np.errstate(invalid="ignore", divide="ignore"):
            z = ((components - self.centre) / self.scale).clip(-FARTHEST, FARTHEST)
        return np.where(np.isfinite(z) & self.used, z, 0.0)

    def raw(self, components: Floats) -> Floats:
        found: Floats = self.standardised(components) @ self.weight
        return found


def estimate(
    table: pl.DataFrame,
    *,
    role: str,
    outcome: str,
    cluster: str,
    stratum: str,
    components: Sequence[str],
    kinds: Sequence[str],
    healthy: Sequence[int],
) -> Estimate:
    """Tables `weights`, `formula`, `auc` and `calibration`.

    `role` is `fit`, `test` (the outcome is known in both) or `now`; `cluster` numbers the individuals; each `stratum`,
    true or false, has its own intercept. `kinds` says where each component is from, `healthy` is 1 where more of it
    is good and -1 where it is bad, which counts only while weights are not fitted by component. With less than ten
    outcomes per component, one weight is fitted for each kind, the mean of its components so oriented; with less than
    that for each kind, none.
    formula: one row, `<component>_weight`, `_centre`, `_scale`, and `middle spread intercept_false intercept_true` as
    in `Card`. auc: on the rows to test, beside that of the component that told best on the rows to fit.
    """
    rows = _read(table, role, outcome, cluster, stratum, components)
    places = {name: i for i, name in enumerate(dict.fromkeys(kinds))}
    kind = np.array([places[name] for name in kinds])
    signs = np.array(healthy, dtype=np.float64)
    fit, test, now = rows.of("fit"), rows.of("test"), rows.of("now")
    used = np.array([all(_is_telling(part.components[:, i]) for part in (fit, test, now)) for i in range(len(kinds))])
    card = None
    if min(fit.outcomes, test.outcomes) >= LEAST_EVENTS and used.any():
        card = _fitted(fit, used, kind, signs)
    is_validated = card is not None
    if card is None:
        card = _equal(now, signs)
    alone = _judged(fit, test, card, components) if is_validated else None
    known = [
        100 * float(np.isfinite(now.components[:, i]).mean()) if len(now.role) else np.nan for i in range(len(kinds))
    ]
    weights = {
        "component": list(components), "kind": list(kinds), "is_used": card.used.tolist(),
        "weight": card.weight / card.spread,
        "low": (card.weight - Z95 * card.error) / card.spread,
        "high": (card.weight + Z95 * card.error) / card.spread,
        "known_now_pct": known,
        **(alone.columns if alone else {}),
    }  # fmt: skip
    tables = {
        "weights": _frame(weights, WEIGHTS),
        "formula": _formula(card, components),
        "auc": _frame(alone.summary, AUC) if alone else pl.DataFrame(schema=AUC),
        "calibration": _calibration(test, card) if is_validated else pl.DataFrame(schema=discrimination.CALIBRATION),
    }
    facts = {
        "basis": card.basis, "fit_rows": len(fit.role), "fit_events": int(np.nansum(fit.came)),
        "test_rows": len(test.role), "test_events": int(np.nansum(test.came)), "penalty": card.penalty,
    }  # fmt: skip
    return Estimate(tables=tables, parameters=facts)


def _read(table: pl.DataFrame, role: str, outcome: str, cluster: str, stratum: str, components: Sequence[str]) -> Rows:
    came = numbers(table, outcome)
    roles = np.array(table.get_column(role).to_list(), dtype=np.str_)
    judged = np.isin(roles, ("fit", "test"))
    if not np.isin(came[judged], (0.0, 1.0)).all():
        raise ValueError(f"column {outcome!r} holds something else than true and false")
    values = np.column_stack([numbers(table, name) for name in components])
    return Rows(values, roles, came, numbers(table, cluster).astype(np.int64), numbers(table, stratum) == 1)


def _is_telling(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return len(known) >= max(2.0, LEAST_KNOWN * len(values)) and float(np.ptp(known)) > 0


def _scaled(reference: Floats, used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of what is known of each used component; 0 and 1 of the others."""
    centre, scale = np.zeros(len(used)), np.ones(len(used))
    for i in np.flatnonzero(used):
        known = reference[np.isfinite(reference[:, i]), i]
        centre[i], scale[i] = known.mean(), known.std()
    return centre, scale


def _fitted(fit: Rows, used: NDArray[np.bool_], kind: Ints, signs: Floats) -> Card | None:
    """The card of the finest grain that the outcomes bear; None where they bear none."""
    columns = np.flatnonzero(used)
    by_component = np.eye(len(used))[:, columns]
    families = np.unique(kind[columns])
    by_kind = np.column_stack([np.where((kind == k) & used, signs, 0.0) / (used & (kind == k)).sum() for k in families])
    for basis, spread_out in (("component", by_component), ("kind", by_kind)):
        if fit.outcomes >= EVENTS_PER_WEIGHT * spread_out.shape[1]:
            return _regressed(fit, used, spread_out, basis)
    return None


def _regressed(fit: Rows, used: NDArray[np.bool_], spread_out: Floats, basis: str) -> Card:
    """`spread_out` (components x weights) says what of each component goes into a weight's column."""
    none = np.zeros(len(used))
    centre, scale = _scaled(fit.components, used)
    card = Card(used, none, none, centre, scale, 0.0, 1.0, (0.0, 0.0), basis)
    z = card.standardised(fit.components) @ spread_out
    came = fit.came == 1
    is_split = all(
        min((came & part).sum(), (~came & part).sum()) >= LEAST_EVENTS for part in (fit.stratum, ~fit.stratum)
    )
    heads = np.column_stack([~fit.stratum, fit.stratum]) if is_split else np.ones((len(came), 1))
    found = ridge_logistic.fit(np.column_stack([heads, z]), came, fit.cluster, heads.shape[1])
    weight = -spread_out @ found.coefficients[heads.shape[1] :]
    covariance = spread_out @ found.covariance[heads.shape[1] :, heads.shape[1] :] @ spread_out.T
    raw = card.standardised(fit.components) @ weight
    first, last = float(found.coefficients[0]), float(found.coefficients[heads.shape[1] - 1])
    error = np.sqrt(np.diag(covariance).clip(0))
    return Card(used, weight, error, centre, scale, *_middle(raw), (first, last), basis, found.penalty)


def _equal(now: Rows, signs: Floats) -> Card:
    used = np.array([_is_telling(now.components[:, i]) for i in range(len(signs))])
    centre, scale = _scaled(now.components, used)
    weight = np.where(used, signs / max(int(used.sum()), 1), 0.0)
    unknown = np.full(len(signs), np.nan)
    card = Card(used, weight, unknown, centre, scale, 0.0, 1.0, (np.nan, np.nan), "equal")
    raw = card.raw(now.components)
    return Card(used, weight, unknown, centre, scale, *_middle(raw), (np.nan, np.nan), "equal")


def _middle(raw: Floats) -> tuple[float, float]:
    """Mean and standard deviation of the raw score; 0 and 1 where all are alike."""
    if len(raw) == 0 or float(np.ptp(raw)) == 0:
        return (float(raw[0]) if len(raw) else 0.0), 1.0
    return float(raw.mean()), float(raw.std())


@dataclass(frozen=True)
class Judged:
    columns: dict[str, Floats]
    summary: dict[str, list[float | int | str | None]]


def _judged(fit: Rows, test: Rows, card: Card, components: Sequence[str]) -> Judged:
    """The score on the rows to test, beside each component alone in the direction it had on the rows to fit."""
    before, after = card.standardised(fit.components), card.standardised(test.components)
    earlier = clustered_auc.areas(before, fit.came == 1, fit.cluster).areas
    sign = np.where(earlier >= 0.5, 1.0, -1.0)
    found = clustered_auc.areas(
        np.column_stack([after * sign, -card.raw(test.components)]), test.came == 1, test.cluster
    )
    intervals = np.array([found.interval(i) for i in range(len(sign))])
    best = int(np.where(card.used, np.abs(earlier - 0.5), -1.0).argmax())
    difference, low, high, p = found.difference(len(sign), best)
    own_low, own_high = found.interval(len(sign))
    summary: dict[str, list[float | int | str | None]] = {
        "n": [len(test.role)], "positives": [int(test.came.sum())], "auc": [float(found.areas[-1])],
        "auc_low": [own_low], "auc_high": [own_high], "auc_p": [found.p(len(sign))],
        "best_component": [components[best]], "best_auc": [float(found.areas[best])],
        "difference": [difference], "difference_low": [low], "difference_high": [high],
        "difference_p": [p],
    }  # fmt: skip
    hide = np.where(card.used, 1.0, np.nan)
    columns = {
        "auc_alone": found.areas[:-1] * hide, "alone_low": intervals[:, 0] * hide, "alone_high": intervals[:, 1] * hide,
    }  # fmt: skip
    return Judged(columns, summary)


def _calibration(test: Rows, card: Card) -> pl.DataFrame:
    intercept = np.where(test.stratum, card.intercepts[1], card.intercepts[0])
    p = 1 / (1 + np.exp(card.raw(test.components) - intercept))
    return _frame(discrimination.calibration(p, test.came, np.ones(len(p))), discrimination.CALIBRATION)


def _formula(card: Card, components: Sequence[str]) -> pl.DataFrame:
    row: dict[str, float] = {}
    for i, name in enumerate(components):
        row |= {f"{name}_weight": card.weight[i], f"{name}_centre": card.centre[i], f"{name}_scale": card.scale[i]}
    row |= {"middle": card.middle, "spread": card.spread}
    row |= {"intercept_false": card.intercepts[0], "intercept_true": card.intercepts[1]}
    return pl.DataFrame({name: pl.Series([value], dtype=pl.Float64).fill_nan(None) for name, value in row.items()})


def _frame(columns: Mapping[str, Any], schema: Schema) -> pl.DataFrame:
    """These columns in this order, null where there are none or NaN."""
    height = len(next(iter(columns.values())))
    found = pl.DataFrame({name: columns.get(name, [None] * height) for name in schema}, strict=False)
    return found.with_columns(cs.float().fill_nan(None)).select(
        pl.col(name).cast(kind) for name, kind in schema.items()
    )
