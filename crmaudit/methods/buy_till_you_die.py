"""Who is probably still a customer, and what will they buy: BG/NBD, MBG/NBD and Pareto/NBD, compared.

The three are fitted to all customers as they are now, and again as they were before a holdout period, where what came
is known. Their likelihoods, gradients and expectations are our own and see every distinct history once; of a large base
a sample takes part in the fits. `lifetimes`, which the tests hold them against, takes 1.3 s to import, and on a million
customers 1.5 s for a beta-geometric and 30 s for a Pareto/NBD in each period, where these take 0.1 and 0.6 s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crmaudit.methods import Estimate
from crmaudit.methods.beta_geometric import BG_NBD, MBG_NBD
from crmaudit.methods.holdout import Ranking, calibration, naive_rule, shown_worse
from crmaudit.methods.pareto_nbd import NBD, PARETO_NBD
from crmaudit.methods.purchase_process import Array, Fit, Histories, Indices, fit, typical
from crmaudit.methods.uncertainty import directions, moves

PAPERS = (
    "Fader, Hardie & Lee 2005, Counting Your Customers the Easy Way, Marketing Science 24(2)",
    "Batislam, Denizel & Filiztekin 2007, Empirical Validation and Comparison of Models for Customer Base Analysis, "
    "International Journal of Research in Marketing 24(3)",
    "Schmittlein, Morrison & Colombo 1987, Counting Your Customers, Management Science 33(1)",
)

COLUMN = {"MBG/NBD": "p_alive_mbg_nbd", "BG/NBD": "p_alive_bg_nbd", "Pareto/NBD": "p_alive_pareto_nbd"}

PARAMETERS = 4
WEEKS_A_YEAR = 365.25 / 7

FEWEST_REPEATERS = 50
# Every k-th customer in the order of the histories, so that at least as many take part in a fit: the parameters of a
# million differ from theirs by less than their standard errors, and the search takes a fraction of the time.
ENOUGH = 100_000
# Likelihoods closer than this do not tell two models apart, nor leaving from mere slowness.
SAME_LIKELIHOOD = 2.0
# Nor do total errors in the holdout that are within a point of each other.
SAME_ERROR_POINTS = 1.0


@dataclass(frozen=True)
class _Period:
    """One period's rows: where they are in the table (in an order of their own), and what happened later."""

    rows: Indices
    histories: Histories
    typical: NDArray[np.bool_]
    future: Array


@dataclass(frozen=True)
class Judged:
    """A candidate on the holdout; None where it cannot be judged."""

    now: Fit
    before: Fit | None = None
    predicted: float | None = None
    error_pct: float | None = None
    auc: float | None = None


def estimate(
    table: pl.DataFrame,
    *,
    period: str = "period",
    frequency: str = "frequency",
    recency: str = "recency_weeks",
    age: str = "age_weeks",
    customers: str = "customers",
    future_purchases: str = "future_purchases",
    holdout_weeks: float | str = 52.0,
    horizons_weeks: Sequence[float] = (52.0,),
    discount: float = 0.1,
    floored_to: float = 0.0,
) -> Estimate:
    """Probability of still being a customer and expected purchases, per distinct history.

    `table` has one row per distinct history and period. `period` is `current`, or `holdout` for histories as known at
    the start of the holdout, with `future_purchases` per customer within it (NULL in `current`; without holdout rows
    nothing is judged). `frequency` counts repeat purchase days; `recency` and `age` are weeks since the first purchase,
    best floored to whole weeks, which keeps the rows few; `floored_to` says to how many, and the middle between is then
    taken (on a base that leaves as the Pareto/NBD says, floors make its beta a fifth too small). `holdout_weeks` is the
    holdout's length, or the column that has it.

    Columns: `p_alive` and `p_alive_<model>`; `expected_purchases_<n>w` and `p_leaves_<n>w` (that one who is a customer
    now leaves within n weeks) per horizon; `p_none`, that nothing is bought within the longest of them; of the
    purchases in it, discounted at `discount` a year, `worth_mean`, `worth_squares` and `worth_pairs` (see `Ahead`), and
    `worth_move_1` to `_4`, by how much one standard error of the parameters, along independent directions, moves the
    mean (null where the errors cannot be told); `expected_holdout_purchases` and `p_active_holdout` in holdout rows.
    Tables: `candidates`; `calibration` where a holdout was judged; `outliers` where customers were left out of the fit
    (they are estimated all the same).

    `auc` is that of at least one purchase in the holdout, customers ranked by their expected purchases; `auc_recency`
    ranks them by the time since their last purchase.

    The model: of those within two units of log-likelihood of the best the one with the smaller error of total purchases
    in the holdout; where these are within a point of each other, the MBG/NBD.

    Withheld: fewer than 50 repeat customers; impossible histories; purchases that are explained as well without anybody
    leaving; parameters at their bounds in every model; or a paired bootstrap in the holdout that shows the model to
    rank customers worse than the rule "bought in the last x weeks" does, with the x that does best there.
    """
    names = (frequency, recency, age, customers)
    numbers = table.select(pl.col(c).cast(pl.Float64) for c in (*names, future_purchases))
    current = _period(table, numbers, period, "current", floored_to / 2)
    if reason := _unusable(current.histories):
        return Estimate(withheld=reason)
    usual = current.histories.where(current.typical).distinct()
    now = usual.thinned(ENOUGH)
    nobody_leaves = fit(NBD, now)
    fits = _fits(now, nobody_leaves)
    parameters: dict[str, Any] = {
        "customers": int(current.histories.n),
        "repeat_customers": current.histories.repeat_customers,
        "histories": current.rows.size,
        "outlier_customers": int(current.histories.n - usual.n),
        "fitted_customers": int(now.n),
        "nbd_log_likelihood": nobody_leaves.log_likelihood,
    }
    tables = {} if current.typical.all() else {"outliers": _outliers(current, floored_to / 2)}

    holdout = _period(table, numbers, period, "holdout", floored_to / 2)
    weeks = _weeks(table, holdout_weeks, holdout.rows)
    if reason := _degenerate(fits, nobody_leaves):
        candidates = tuple(_describe(Judged(one), current.histories) for one in fits)
        return Estimate(tables=tables, parameters=parameters, candidates=candidates, withheld=reason)

    not_judged = _not_judged(holdout)
    judged = [Judged(one) if not_judged else _judge(one, holdout, weeks) for one in fits]
    described = [_describe(one, current.histories) for one in judged]
    chosen = choose(judged)
    for one, description in zip(judged, described, strict=True):
        description["chosen"] = one is chosen
    tables["candidates"] = pl.DataFrame(
        [_flat(description) for description in described], schema_overrides={"fault": pl.String}
    )
    parameters |= {"model": chosen.now.model.name, **chosen.now.parameters}
    result, worse = _holdout(chosen, holdout, weeks, not_judged)
    if chosen.before is not None:
        tables["calibration"] = calibration(
            chosen.before.expected_purchases(holdout.histories, weeks),
            chosen.before.p_active(holdout.histories, weeks),
            holdout.future,
            holdout.histories.customers,
        )
    return Estimate(
        columns=None
        if worse
        else _columns(
            table.height,
            judged,
            chosen,
            current=current,
            holdout=holdout,
            weeks=weeks,
            horizons=horizons_weeks,
        ).hstack(_worth(table.height, chosen.now, current, now, max(horizons_weeks), discount)),
        tables=tables,
        parameters=parameters,
        log_likelihood=chosen.now.log_likelihood,
        candidates=tuple(described),
        holdout=result,
        withheld=worse,
    )


def _period(table: pl.DataFrame, numbers: pl.DataFrame, column: str, name: str, later: float) -> _Period:
    """One period's rows in an order of their own, so that shuffling changes nothing; times were cut by `later`."""
    rows = np.flatnonzero((table[column] == name).fill_null(value=False).to_numpy())
    values = [numbers[:, i].to_numpy()[rows] for i in range(5)]
    order = np.lexsort(values[::-1])
    frequency, recency, age, customers, future = (v[order] for v in values)
    histories = Histories(frequency, np.where(frequency > 0, recency + later, recency), age + later, customers)
    return _Period(rows[order], histories, typical(histories), future)


def _unusable(histories: Histories) -> str | None:
    x, last, age, customers = histories.frequency, histories.recency, histories.age, histories.customers
    good = (x >= 0) & (last >= 0) & (age >= last) & (customers > 0) & ~((x == 0) & (last > 0))
    good &= np.isfinite(x) & np.isfinite(age) & np.isfinite(customers)
    if not good.all():
        return f"{int((~good).sum())} purchase histories are impossible: a missing, negative or contradictory number."
    if (again := histories.repeat_customers) < FEWEST_REPEATERS:
        followed = f"{histories.n:.0f} customers whose purchases were followed"
        return f"Only {again} of {followed} bought again; fewer than {FEWEST_REPEATERS} tell nothing."
    return None


def _fits(histories: Histories, nobody_leaves: Fit) -> list[Fit]:
    """The candidates. Where the first two see nobody leave, the third is spared a long search for its bounds."""
    fits = [fit(MBG_NBD, histories), fit(BG_NBD, histories)]
    return [*fits, fit(PARETO_NBD, histories)] if _someone_leaves(fits, nobody_leaves) else fits


def _someone_leaves(fits: Sequence[Fit], nobody_leaves: Fit) -> bool:
    return max(one.log_likelihood for one in fits) - nobody_leaves.log_likelihood >= SAME_LIKELIHOOD


def _degenerate(fits: Sequence[Fit], nobody_leaves: Fit) -> str | None:
    if not _someone_leaves(fits, nobody_leaves):
        return "The purchases are explained as well without anybody leaving, so nobody can be told to have left."
    if all(one.fault for one in fits):
        faults = "; ".join(f"{one.model.name}: {one.fault}" for one in fits)
        return f"No model of leaving fits these purchases ({faults})."
    return None


def _outliers(current: _Period, later: float) -> pl.DataFrame:
    left_out = current.histories.where(~current.typical)
    return pl.DataFrame(
        {
            "frequency": left_out.frequency,
            "recency_weeks": left_out.recency - later,
            "age_weeks": left_out.age - later,
            "customers": left_out.customers,
        }
    ).sort("frequency", descending=True, maintain_order=True)


def _weeks(table: pl.DataFrame, holdout_weeks: float | str, rows: Indices) -> float:
    if not isinstance(holdout_weeks, str):
        return float(holdout_weeks)
    lengths = table[holdout_weeks].cast(pl.Float64)[rows].unique()
    if lengths.len() > 1:
        raise ValueError(f"{holdout_weeks} must have one value in all holdout rows, not {lengths.len()}")
    return float(lengths[0]) if lengths.len() else 0.0


def _not_judged(holdout: _Period) -> str | None:
    if not holdout.rows.size:
        return "There is no holdout period."
    if reason := _unusable(holdout.histories):
        return reason
    if not np.isfinite(holdout.future).all():
        return "Purchases within the holdout period are not known for all."
    return None


def _judge(now: Fit, holdout: _Period, weeks: float) -> Judged:
    usual = holdout.histories.where(holdout.typical).distinct()
    before = fit(now.model, usual.thinned(ENOUGH), None if now.fault else now.values)
    if before.fault:
        return Judged(now)
    customers = holdout.histories.customers
    expected = before.expected_purchases(holdout.histories, weeks)
    predicted = float(customers @ expected)
    actual = float(customers @ holdout.future)
    return Judged(
        now,
        before,
        predicted,
        100 * (predicted - actual) / actual if actual else None,
        Ranking(expected).auc(customers, holdout.future > 0),
    )


def choose(judged: Sequence[Judged]) -> Judged:
    """Of the sound models close in likelihood the one closest in the holdout; of those close in both the MBG/NBD.

    The BG/NBD is not preferred since it takes all who bought once for alive. At least one must be sound.
    """
    sound = [one for one in judged if not one.now.fault]
    best = max(one.now.log_likelihood for one in sound)
    close = [one for one in sound if best - one.now.log_likelihood <= SAME_LIKELIHOOD]
    errors = [abs(one.error_pct) for one in close if one.error_pct is not None]
    if errors:
        reach = min(errors) + SAME_ERROR_POINTS
        close = [one for one in close if one.error_pct is not None and abs(one.error_pct) <= reach]
    preferred = [one for one in close if one.now.model is MBG_NBD]
    return preferred[0] if preferred else max(close, key=lambda one: one.now.log_likelihood)


def _holdout(
    chosen: Judged, holdout: _Period, weeks: float, not_judged: str | None
) -> tuple[Mapping[str, Any], str | None]:
    """How the chosen model did, and the reason to withhold it, if any."""
    if chosen.before is None:
        return {
            "weeks": weeks,
            "not_judged": not_judged or "The model does not fit the histories before the holdout.",
        }, None
    customers, happened = holdout.histories.customers, holdout.future > 0
    silence = holdout.histories.age - holdout.histories.recency
    limit, rule = naive_rule(silence, customers, happened)
    result = {
        "weeks": weeks,
        "customers": int(holdout.histories.n),
        "predicted": chosen.predicted,
        "actual": float(customers @ holdout.future),
        "error_pct": chosen.error_pct,
        "auc": chosen.auc,
        "auc_recency": Ranking(-silence).auc(customers, happened),
        "auc_naive": Ranking(rule).auc(customers, happened),
        "naive_rule": f"bought in the last {limit:g} weeks",
    }
    if shown_worse(chosen.before.expected_purchases(holdout.histories, weeks), rule, customers, happened):
        return result, f"In the holdout the model ranks customers worse than the rule: {result['naive_rule']}."
    return result, None


def _describe(one: Judged, histories: Histories) -> dict[str, Any]:
    return {
        "model": one.now.model.name,
        "parameters": dict(one.now.parameters),
        "log_likelihood": one.now.log_likelihood,
        "expected_active_customers": float(histories.customers @ one.now.p_alive(histories)),
        "holdout_predicted": one.predicted,
        "holdout_error_pct": one.error_pct,
        "auc": one.auc,
        "fault": one.now.fault,
        "chosen": False,
    }


def _flat(description: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as columns of their own, those of other models null."""
    parameters = {name: description["parameters"].get(name) for name in ("r", "alpha", "a", "b", "s", "beta")}
    rest = {key: value for key, value in description.items() if key not in {"model", "parameters"}}
    return {"model": description["model"], **parameters, **rest}


def _columns(
    height: int,
    judged: Sequence[Judged],
    chosen: Judged,
    *,
    current: _Period,
    holdout: _Period,
    weeks: float,
    horizons: Sequence[float],
) -> pl.DataFrame:
    """One row per row of the table; null where a period has no sound fit."""
    names = ["p_alive"]
    for horizon in horizons:
        names += [f"expected_purchases_{horizon:g}w", f"p_leaves_{horizon:g}w"]
    names += ["expected_holdout_purchases", "p_active_holdout", *COLUMN.values()]
    found = {name: np.full(height, np.nan) for name in names}
    for period, model in ((current, chosen.now), (holdout, chosen.before)):
        if model is None:
            continue
        found["p_alive"][period.rows] = model.p_alive(period.histories)
        for horizon in horizons:
            purchases = model.expected_purchases(period.histories, horizon)
            found[f"expected_purchases_{horizon:g}w"][period.rows] = purchases
            found[f"p_leaves_{horizon:g}w"][period.rows] = model.p_leaves(period.histories, horizon)
        if period is holdout:
            found["expected_holdout_purchases"][period.rows] = model.expected_purchases(period.histories, weeks)
            found["p_active_holdout"][period.rows] = model.p_active(period.histories, weeks)
    for one in judged:
        for period, model in ((current, one.now), (holdout, one.before)):
            if model is not None and model.fault is None:
                found[COLUMN[one.now.model.name]][period.rows] = model.p_alive(period.histories)
    return pl.DataFrame(found).with_columns(pl.all().fill_nan(None))


def _worth(
    height: int, chosen: Fit, current: _Period, fitted: Histories, horizon: float, discount: float
) -> pl.DataFrame:
    """What is to come of each current history, for its worth and the spread of that; null in other rows."""
    histories, per_week = current.histories, log(1 + discount) / WEEKS_A_YEAR
    ahead = chosen.discounted_purchases(histories, horizon, per_week)
    along = directions(lambda at: chosen.model.log_likelihood(at, fitted)[1], chosen.values)

    def mean(at: Array) -> Array:
        return replace(chosen, values=at).discounted_purchases(histories, horizon, per_week).mean

    found = {
        "p_none": 1 - chosen.p_active(histories, horizon),
        "worth_mean": ahead.mean,
        "worth_squares": ahead.squares,
        "worth_pairs": ahead.pairs,
    }
    shifts = [] if along is None else moves(mean, chosen.values, along)
    unknown = np.full(current.rows.size, np.nan if along is None else 0.0)
    found |= {f"worth_move_{i + 1}": shifts[i] if i < len(shifts) else unknown for i in range(PARAMETERS)}
    columns = np.full((height, len(found)), np.nan)
    columns[current.rows] = np.column_stack(list(found.values()))
    return pl.DataFrame(columns, schema=list(found)).fill_nan(None)
