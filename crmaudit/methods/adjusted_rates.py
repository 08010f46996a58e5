"""Each unit's rate had all had the same mix of cases, pooled as far as the units are alike: who does better, and where.

The profiling of providers: some are handed the easy cases. In a logistic regression the mix (kinds of case) stands
with weak priors, so that it is adjusted for and not shrunk away, and a unit's own effect is drawn from a normal
distribution whose spread is learnt and integrated over, so that few cases move nobody far. A unit's adjusted rate is
that over everybody's mix (direct standardisation). Tests are those of the score: wins beyond those to be expected of
such cases, given that the mix was learnt from the same data. Cases that come in clusters, such as several of one
customer, count as as many as they are worth independent ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse
from scipy.special import expit

from crmaudit.methods import Estimate, design_effect
from crmaudit.methods.columns import Z95, Floats, Ints, complete, counts
from crmaudit.methods.count_tests import mid_p

PAPERS = (
    "Normand, S.-L. T., Glickman, M. E. & Gatsonis, C. A. (1997). Statistical methods for profiling providers of "
    "medical care. JASA 92, 803-814.",
    "Breslow, N. E. & Clayton, D. G. (1993). Approximate inference in generalized linear mixed models. JASA 88, 9-25.",
    "Gelman, A. (2006). Prior distributions for variance parameters in hierarchical models. Bayesian Analysis 1, "
    "515-534.",
    "Gelman, A., Jakulin, A., Pittau, M. G. & Su, Y.-S. (2008). A weakly informative default prior distribution for "
    "logistic and other regression models. Annals of Applied Statistics 2, 1360-1383.",
    "Lane, P. W. & Nelder, J. A. (1982). Analysis of covariance and standardization as instances of prediction. "
    "Biometrics 38, 613-621.",
    *design_effect.PAPERS,
)

MIX_SD = 2.5
"""Prior standard deviation of a level of the mix, in log-odds: wide, and still finite where a level never wins."""

SPREADS = np.geomspace(0.02, 2.5, 25)
"""Standard deviations of the units, in log-odds, that are integrated over; half-normal with scale 1 beforehand."""

MOST_LEVELS = 200
"""Of a trait; the rarer ones stand together. What each costs grows with the square of their number, and more."""

MIX_POINTS = 500

ADJUSTED: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("trials", "successes"), pl.Int64),
    **dict.fromkeys(("rate_pct", "expected_pct", "adjusted_pct", "low_pct", "high_pct", "base_pct", "p"), pl.Float64),
}
CROSSED: dict[str, type[pl.DataType]] = {
    "trait": pl.String,
    "level": pl.String,
    **dict.fromkeys(("trials", "successes"), pl.Int64),
    **dict.fromkeys(("rate_pct", "expected_pct", "p"), pl.Float64),
}


@dataclass(frozen=True)
class Cases:
    """Rows of `trials` alike cases with their `successes`: the levels of their mix (one-hot, first an intercept) and
    their `unit`, of `units`."""

    successes: Floats
    trials: Floats
    mix: sparse.csr_matrix
    unit: Ints
    units: int

    def by_unit(self, values: Floats) -> Floats:
        return np.bincount(self.unit, values, minlength=self.units).astype(np.float64)


@dataclass(frozen=True)
class Fit:
    """The mode: effects of the mix and of the units, and the curvature there, units being independent given the mix.

    `own` is the information on each unit alone, `slopes` (mix by unit) what the mix must move by for a step of a unit,
    `schur` the information on the mix when the units are free. `log_marginal` is Laplace's, up to a constant.
    """

    effects: Floats
    own_effects: Floats
    own: Floats
    slopes: Floats
    schur: Floats
    weights: Floats
    fitted: Floats
    log_marginal: float

    def variance_of(self, mix: Floats) -> Floats:
        """The variance of a unit's log-odds at so much of each level of the mix."""
        gap = mix[:, None] - self.slopes
        found: Floats = 1 / self.own + (gap * np.linalg.solve(self.schur, gap)).sum(axis=0)
        return found


def fit(cases: Cases, spread: float) -> Fit:
    """The posterior mode and Laplace's approximation there, for units of that standard deviation."""
    penalty = np.full(cases.mix.shape[1], MIX_SD**-2)
    penalty[0] = 1e-6
    own_penalty = spread**-2
    effects, own = np.zeros(cases.mix.shape[1]), np.zeros(cases.units)
    rate = np.clip(cases.successes.sum() / cases.trials.sum(), 1e-3, 1 - 1e-3)
    effects[0] = np.log(rate / (1 - rate))

    def height(effects: Floats, own: Floats) -> float:
        line = cases.mix @ effects + own[cases.unit]
        likelihood = cases.successes @ line - cases.trials @ np.logaddexp(0, line)
        return float(likelihood - (penalty @ effects**2 + own_penalty * (own @ own)) / 2)

    here = height(effects, own)
    for _ in range(100):
        fitted = expit(cases.mix @ effects + own[cases.unit])
        weights = cases.trials * fitted * (1 - fitted)
        gap = cases.successes - cases.trials * fitted
        down, own_down = cases.mix.T @ gap - penalty * effects, cases.by_unit(gap) - own_penalty * own
        information, cross, own_information = _information(cases, weights, penalty, own_penalty)
        slopes = cross / own_information
        schur = information - slopes @ cross.T
        step = np.linalg.solve(schur, down - slopes @ own_down)
        own_step = own_down / own_information - slopes.T @ step
        size, there = 1.0, height(effects + step, own + own_step)
        while there < here - 1e-10 * abs(here) and size > 1e-6:
            size /= 2
            there = height(effects + size * step, own + size * own_step)
        effects, own, gained, here = effects + size * step, own + size * own_step, there - here, there
        if abs(gained) < 1e-9 * (1 + abs(here)):
            break
    log_marginal = here - cases.units * np.log(spread)
    log_marginal -= (np.linalg.slogdet(schur)[1] + np.log(own_information).sum()) / 2
    return Fit(effects, own, own_information, slopes, schur, weights, fitted, float(log_marginal))


def _information(cases: Cases, weights: Floats, penalty: Floats, own_penalty: float) -> tuple[Floats, Floats, Floats]:
    weighted = cases.mix.multiply(weights[:, None]).tocsr()
    information = (cases.mix.T @ weighted).toarray() + np.diag(penalty)
    cross = (weighted.T @ _one_hot(cases.unit, cases.units)).toarray()
    return information, cross, cases.by_unit(weights) + own_penalty


def _one_hot(codes: Ints, levels: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), levels))


@dataclass(frozen=True)
class Pooled:
    """Each unit's log-odds over everybody's mix: `mean` and standard deviation `sd` of the posterior, the `spread` of
    the units, and the effects of the mix."""

    mean: Floats
    sd: Floats
    own_mean: Floats
    effects: Floats
    spread: float


def pool(cases: Cases) -> Pooled:
    """The units' effects, their spread integrated over rather than fixed at its maximum, which is often none at all."""
    fits = [fit(cases, float(spread)) for spread in SPREADS]
    # Each node of the geometric grid stands for a stretch as long as itself.
    logs = np.array([f.log_marginal for f in fits]) - SPREADS**2 / 2 + np.log(SPREADS)
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    mix = np.asarray(cases.trials @ cases.mix).ravel() / cases.trials.sum()
    means = np.array([mix @ f.effects + f.own_effects for f in fits])
    squares = np.array([f.variance_of(mix) for f in fits]) + means**2
    mean = chance @ means
    return Pooled(
        mean,
        np.sqrt(np.maximum(chance @ squares - mean**2, 0)),
        chance @ np.array([f.own_effects for f in fits]),
        chance @ np.array([f.effects for f in fits]),
        float(chance @ SPREADS),
    )


def standardised(cases: Cases, pooled: Pooled) -> tuple[Floats, Floats, Floats]:
    """Each unit's rate (0 to 1) over everybody's mix, with its 95 % interval."""
    line = cases.mix @ pooled.effects
    order = np.argsort(line, kind="stable")
    place = np.minimum((np.cumsum(cases.trials[order]) - cases.trials[order] / 2) / cases.trials.sum(), 1 - 1e-9)
    _, bin_of = np.unique((place * MIX_POINTS).astype(np.int64), return_inverse=True)
    weight = np.bincount(bin_of, cases.trials[order]).astype(np.float64)
    middle = np.bincount(bin_of, cases.trials[order] * line[order]) / weight
    weight = weight / weight.sum()
    ends = (pooled.own_mean, pooled.own_mean - Z95 * pooled.sd, pooled.own_mean + Z95 * pooled.sd)
    value, low, high = (expit(middle[None, :] + end[:, None]) @ weight for end in ends)
    return value, low, high


def unit_tests(cases: Cases) -> tuple[Floats, Floats]:
    """Per unit the rate to be expected of its mix, and the two-sided p that it does as all do with such cases."""
    nobody = Cases(cases.successes, cases.trials, cases.mix, np.zeros(len(cases.unit), dtype=np.int64), 1)
    alike = fit(nobody, 1e-3)
    expected = cases.by_unit(cases.trials * alike.fitted)
    weighted = cases.mix.multiply(alike.weights[:, None]).tocsr()
    cross = (weighted.T @ _one_hot(cases.unit, cases.units)).toarray()
    penalty = np.full(cases.mix.shape[1], MIX_SD**-2)
    penalty[0] = 1e-6
    information = (cases.mix.T @ weighted).toarray() + np.diag(penalty)
    variance = cases.by_unit(alike.weights) - (cross * np.linalg.solve(information, cross)).sum(axis=0)
    trials = cases.by_unit(cases.trials)
    rows = zip(cases.by_unit(cases.successes), expected, variance, trials, strict=True)
    return expected / trials, np.array([mid_p(*row) for row in rows], dtype=np.float64)


def cell_tests(cases: Cases, cell: Ints, effects: Floats) -> tuple[Floats, Floats]:
    """Per cell (cases of one unit; -1 is none) the rate to be expected of the unit and the mix, and p that no more is
    at play; `effects` are design effects that the cases do not have in them yet, one for each cell.

    The units stand with the weak priors of the mix: a test of what a unit does with some cases must not lean on what
    the others do.
    """
    cells = len(effects)
    free = fit(cases, MIX_SD)
    inside = cell >= 0
    at, unit_of = cell[inside], np.zeros(cells, dtype=np.int64)
    unit_of[at] = cases.unit[inside]

    def by_cell(values: Floats) -> Floats:
        return np.bincount(at, values[inside], minlength=cells).astype(np.float64)

    weight = by_cell(free.weights)
    cross = (cases.mix[inside].multiply(free.weights[inside][:, None]).T @ _one_hot(at, cells)).toarray()
    own = weight / free.own[unit_of]
    gap = cross - free.slopes[:, unit_of] * weight
    variance = weight - weight * own - (gap * np.linalg.solve(free.schur, gap)).sum(axis=0)
    expected = by_cell(cases.trials * free.fitted)
    trials = by_cell(cases.trials)
    rows = zip(*(values / effects for values in (by_cell(cases.successes), expected, variance, trials)), strict=True)
    return expected / trials, np.array([mid_p(*row) for row in rows], dtype=np.float64)


@dataclass(frozen=True)
class Clusters:
    """Parts of the cases by cluster: the row of `Cases` that each is of, its cluster and trials; and how far two
    trials of one cluster go together within a unit."""

    row: Ints
    cluster: Ints
    trials: Floats
    correlation: float

    def effects(self, group: Ints, groups: int) -> Floats:
        """The design effect of each group of cases; `group` is that of each row, -1 none."""
        return design_effect.effects(group[self.row], groups, self.cluster, self.trials, self.correlation)


def clusters(cases: Cases, row: Ints, cluster: Ints, successes: Floats, trials: Floats) -> Clusters:
    """The clusters with their correlation, of what is left when the mix and the units are known."""
    rate = fit(cases, MIX_SD).fitted[row] if (cluster != design_effect.NOBODY).any() else np.full(len(row), 0.5)
    found = design_effect.correlation(cases.unit[row], cluster, successes, trials, rate)
    return Clusters(row, cluster, trials, found)


def estimate(
    table: pl.DataFrame,
    *,
    successes: str,
    trials: str,
    unit: str,
    mix: Sequence[str],
    crossed: Sequence[str] = (),
    cluster: str | None = None,
    least_trials: int = 10,
) -> Estimate:
    """Tables `adjusted`, per unit, and `crossed`, per unit and level of each trait in `crossed`.

    Each row is so many `trials` with `successes`, all of one `unit` and of one level of each trait in `mix`; a null
    level is one of its own, with all but the 200 commonest, and rows without unit or trials are left out. Trials of one
    `cluster` go together, and intervals and tests know it; those of a null cluster stand alone.

    adjusted: `<unit> trials successes rate_pct expected_pct` (had anybody had the unit's cases), `adjusted_pct low_pct
    high_pct` (had the unit had everybody's cases), `base_pct` (all together), and `p` that the unit does as all do
    with such cases; null with a single unit.
    crossed: `<unit> trait level trials successes rate_pct expected_pct p`, of cells with `least_trials`, where the unit
    has others as well: what is to be expected knows the unit's own effect and the level's.
    """
    for name in (unit, *mix, *([cluster] if cluster else [])):
        if name not in table.columns:
            raise ValueError(f"the table has no column {name!r}")
    rows = complete(table, successes, trials).filter(pl.col(unit).is_not_null() & (pl.col(trials) > 0))
    if rows.is_empty():
        return Estimate(tables=_tables(unit, [], []), withheld="There is nobody to compare.")
    if (counts(rows, successes) > counts(rows, trials)).any():
        raise ValueError(f"column {successes!r} exceeds {trials!r}")
    for trait in mix:
        rows = _with_few_levels(rows, trait, trials)
    kinds = rows.group_by(unit, *mix).agg(pl.col(successes).sum(), pl.col(trials).sum())
    kinds = kinds.sort(unit, *mix, nulls_last=True).with_row_index("row of kinds")
    won, n = counts(kinds, successes), counts(kinds, trials)
    names, code = _codes(kinds, unit)
    levels = {trait: _codes(kinds, trait) for trait in mix}
    columns = [
        _one_hot(np.zeros(kinds.height, dtype=np.int64), 1),
        *(_one_hot(c, len(known)) for known, c in levels.values() if len(known) > 1),
    ]
    cases = Cases(won, n, sparse.hstack(columns, format="csr"), code, len(names))
    row = rows.join(kinds, on=[unit, *mix], how="left", nulls_equal=True, maintain_order="left")
    together = clusters(
        cases,
        np.asarray(row.get_column("row of kinds").to_numpy(), dtype=np.int64),
        _clusters(rows, cluster),
        counts(rows, successes),
        counts(rows, trials),
    )
    effects = together.effects(code, len(names))
    worth = Cases(won / effects[code], n / effects[code], cases.mix, code, len(names))
    pooled = pool(worth)
    value, low, high = standardised(cases, pooled)
    expected, p = unit_tests(worth)
    count, hits = cases.by_unit(n), cases.by_unit(won)
    base = 100 * won.sum() / n.sum()
    adjusted = [
        (names[u], count[u], hits[u], 100 * hits[u] / count[u], 100 * expected[u], *edges, base, p[u])
        for u, edges in enumerate(zip(100 * value, 100 * low, 100 * high, strict=True))
    ]
    cells = [
        (names[u], trait, *found)
        for trait in crossed
        for u, *found in _crossed(cases, worth, *levels[trait], together, least_trials)
    ]
    parameters = {"spread_log_odds": pooled.spread, "base_pct": base, "units": len(names)}
    if cluster:
        parameters["correlation_in_cluster"] = together.correlation
    return Estimate(tables=_tables(unit, adjusted, cells), parameters=parameters)


def _clusters(rows: pl.DataFrame, cluster: str | None) -> Ints:
    """The number of each row's cluster, that of nobody where there is none."""
    if cluster is None:
        return np.full(rows.height, design_effect.NOBODY, dtype=np.int64)
    _, place = _codes(rows, cluster)
    return np.where(rows.get_column(cluster).is_null().to_numpy(), design_effect.NOBODY, place)


def _with_few_levels(rows: pl.DataFrame, trait: str, trials: str) -> pl.DataFrame:
    """The rows with null in the place of levels that are not among the commonest."""
    known = rows.select(level=trait, trials=trials).drop_nulls("level")
    sizes = known.group_by("level").agg(pl.col("trials").sum())
    if sizes.height <= MOST_LEVELS:
        return rows
    kept = sizes.sort("trials", "level", descending=[True, False]).get_column("level").head(MOST_LEVELS)
    return rows.with_columns(pl.when(pl.col(trait).is_in(kept.implode())).then(pl.col(trait)))


def _codes(rows: pl.DataFrame, name: str) -> tuple[list[object], Ints]:
    """The distinct values of a column in order, nulls last, and each row's place among them."""
    known = rows.select(pl.col(name).unique().sort(nulls_last=True)).with_row_index("place")
    places = rows.select(name).join(known, on=name, how="left", nulls_equal=True, maintain_order="left")
    return known.get_column(name).to_list(), np.asarray(places.get_column("place").to_numpy(), dtype=np.int64)


def _crossed(
    cases: Cases, worth: Cases, known: list[object], level: Ints, together: Clusters, least: int
) -> list[tuple[int, object, float, float, float, float, float]]:
    """Unit, level, trials, successes, rate, expected rate and p of each cell that can be told from its unit's rest."""
    key = cases.unit * len(known) + level
    found, cell = np.unique(key, return_inverse=True)
    trials = np.bincount(cell, cases.trials)
    unit = found // len(known)
    kept = (
        (trials >= least)
        & (trials < cases.by_unit(cases.trials)[unit])
        & np.array([known[c % len(known)] is not None for c in found])
    )
    if not kept.any():
        return []
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    more = together.effects(cell, len(found)) / together.effects(cases.unit, cases.units)[unit]
    expected, p = cell_tests(worth, number[cell], more[kept])
    won = np.bincount(cell, cases.successes)[kept]
    return [
        (int(unit[c]), known[c_level], t, w, 100 * w / t, 100 * e, chance)
        for c, c_level, t, w, e, chance in zip(
            np.flatnonzero(kept), (found % len(known))[kept], trials[kept], won, expected, p, strict=True
        )
    ]


def _tables(
    unit: str, adjusted: Sequence[tuple[object, ...]], crossed: Sequence[tuple[object, ...]]
) -> dict[str, pl.DataFrame]:
    labels: dict[str, type[pl.DataType]] = {unit: pl.String}
    return {
        "adjusted": _frame(adjusted, labels | ADJUSTED),
        "crossed": _frame(crossed, labels | CROSSED),
    }


def _frame(rows: Sequence[tuple[object, ...]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    whole = {name: pl.Float64 if kind == pl.Int64 else kind for name, kind in schema.items()}
    return pl.DataFrame(rows, schema=whole, orient="row").select(
        pl.col(name).fill_nan(None).cast(kind) if kind in (pl.Int64, pl.Float64) else pl.col(name)
        for name, kind in schema.items()
    )
