"""Does one series of events run ahead of another, within the same subject: rate ratios by lag, one test over all.

Conditional on the subject, so that who has more of both is no evidence (the self-controlled case series), and on the
calendar, so that neither are weeks in which everybody has more of both. At each lag the rate of events in weeks with
an exposure so many weeks before stands against the subject's other weeks.

Weeks of one subject are not independent, so that the test turns each subject's exposures around its own time by chance,
all lags together, and asks how often the largest deviation of any lag is as large (circular shifts, which leave every
series as lumpy as it was). Each deviation is divided by what the subjects' own differences tell of its error: turning
alone takes the turns of one short and lumpy series for more different than they are, and finds too much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import brentq

from crmaudit.methods import Estimate
from crmaudit.methods.columns import Floats, Ints, complete, groups, numbers

PAPERS = (
    "Farrington, C. P. (1995). Relative incidence estimation from case series for vaccine safety evaluation. "
    "Biometrics 51, 228-235.",
    "Whitaker, H. J., Farrington, C. P., Spiessens, B. & Musonda, P. (2006). Tutorial in biostatistics: the "
    "self-controlled case series method. Statistics in Medicine 25, 1768-1797.",
    "Westfall, P. H. & Young, S. S. (1993). Resampling-Based Multiple Testing. Wiley.",
    "Chung, E. & Romano, J. P. (2013). Exact and asymptotically robust permutation tests. Annals of Statistics 41, "
    "484-507.",
)

DRAWS = 1999

FARTHEST, STEPS = 10.0, 201
"""Log rate ratios are looked for so far from none, in so many steps to either side."""

LEAST_SUBJECTS = 20
LEAST_EXPOSED_EVENTS = 10

BEST = {
    **dict.fromkeys(("subjects", "events", "lag"), pl.Int64),
    **dict.fromkeys(("rate_ratio", "low", "high", "p"), pl.Float64),
}
BY_LAG = {
    **dict.fromkeys(("lag", "exposed_events"), pl.Int64),
    **dict.fromkeys(("expected_events", "rate_ratio", "low", "high", "chance"), pl.Float64),
}


@dataclass(frozen=True)
class Series:
    """All subjects' steps one after the other: `exposed` (0 or 1), `events` while at risk, and the `share` of the
    subject's events that the calendar alone would put there. Subject i has `length[i]` steps from `start[i]` on."""

    exposed: Floats
    events: Floats
    share: Floats
    start: Ints
    length: Ints

    def turned(self, values: Floats) -> Floats:
        """Per subject and step k: the sum of `values` over the steps k after an exposure, turning round at the end."""
        found = np.empty(len(values))
        for n in np.unique(self.length):
            steps = self.start[self.length == n][:, None] + np.arange(n)
            both = np.fft.rfft(values[steps]) * np.conj(np.fft.rfft(self.exposed[steps]))
            found[steps] = np.fft.irfft(both, n=int(n))
        return found

    def by_subject(self, values: Floats) -> Floats:
        return np.add.reduceat(values, self.start)

    def at(self, values: Floats, shift: Ints, lags: Ints) -> Floats:
        """The turned values of each subject (rows) at each lag (columns), its exposures shifted by so many steps."""
        place = (shift[:, None] + lags[None, :]) % self.length[:, None]
        return values[self.start[:, None] + place]


@dataclass(frozen=True)
class Found:
    """Per lag: events after an exposure and to be expected there, rate ratio with its interval, and the chance that any
    lag deviates as much where nothing is associated."""

    exposed_events: Floats
    expected_events: Floats
    rate_ratio: Floats
    low: Floats
    high: Floats
    chance: Floats


def associate(series: Series, lags: Ints, draws: int, seed: int = 0) -> Found:
    """Rate ratios by lag; intervals hold for all lags together, so that the largest may be looked at."""
    total = series.by_subject(series.events)
    expected = np.repeat(total, series.length) * series.share
    deviation = series.turned(series.events - expected)
    observed = _studentised(series.at(deviation, np.zeros_like(series.length), lags))
    chooser = np.random.default_rng(seed)
    largest = np.array(
        [
            np.abs(_studentised(series.at(deviation, chooser.integers(0, series.length), lags))).max()
            for _ in range(draws)
        ]
    )
    chance = np.array([(1 + (largest >= size).sum()) / (draws + 1) for size in np.abs(observed) - 1e-12])
    width = float(np.quantile(largest, 0.95))
    nobody = np.zeros_like(series.length)
    exposed_share = series.at(series.turned(series.share), nobody, lags).clip(0, 1)
    exposed_events = np.round(series.at(series.turned(series.events), nobody, lags))
    ratios = [_ratio(exposed_events[:, k], exposed_share[:, k], total, width) for k in range(len(lags))]
    value, low, high = np.array(ratios).T
    expected_events = (total[:, None] * exposed_share).sum(axis=0)
    return Found(exposed_events.sum(axis=0), expected_events, value, low, high, chance)


def _studentised(deviations: Floats) -> Floats:
    error = np.sqrt((deviations**2).sum(axis=0))
    found: Floats = np.divide(deviations.sum(axis=0), error, out=np.zeros(deviations.shape[1]), where=error > 1e-9)
    return found


def _ratio(hits: Floats, share: Floats, total: Floats, width: float) -> tuple[float, float, float]:
    """The conditional maximum likelihood estimate, and between which ratios the deviation stays within the width.

    The test turned around, so that an interval leaves 1 out where the test does; the normal approximation of the
    estimate holds less than it says where subjects are few. An end is NaN where no ratio is too far.
    """

    def parts(log_ratio: Floats) -> Floats:
        up = share[:, None] * np.exp(log_ratio)
        deviations: Floats = hits[:, None] - total[:, None] * up / (up + 1 - share[:, None])
        return deviations

    def gap(log_ratio: float) -> float:
        return float(parts(np.array([log_ratio])).sum())

    def beyond(log_ratio: float) -> float:
        return float(np.abs(_studentised(parts(np.array([log_ratio])))[0]) - width)

    if gap(-FARTHEST) <= 0 or gap(FARTHEST) >= 0:
        return float("nan"), float("nan"), float("nan")
    log_ratio = float(brentq(gap, -FARTHEST, FARTHEST))
    ends = []
    for side in (-1, 1):
        steps = np.linspace(log_ratio, side * FARTHEST, STEPS)
        too_far = np.flatnonzero(np.abs(_studentised(parts(steps))) > width)
        k = int(too_far[0]) if len(too_far) else 0
        ends.append(float(brentq(beyond, steps[k - 1], steps[k])) if k else float("nan"))
    return float(np.exp(log_ratio)), float(np.exp(ends[0])), float(np.exp(ends[1]))


def estimate(
    table: pl.DataFrame,
    *,
    subject: str,
    step: str,
    calendar: str,
    exposed: str,
    events: str,
    at_risk: str,
    group: str | None = None,
    lags: int = 8,
) -> Estimate:
    """Tables `best` and `by_lag`, per group.

    Each row is one step (a week) of one subject: its number in `step`, without gaps, the `calendar` period it lies in,
    whether the subject was `exposed`, `events`, and whether events of that step count (`at_risk`). Lags of 1 to `lags`
    steps are looked at.

    by_lag: `lag exposed_events expected_events rate_ratio low high chance`; the 95 % intervals hold for all lags.
    best: `subjects events`, and of the lag that deviates most `lag rate_ratio low high` and `p`, which counts that it
    was chosen. Null with fewer than 20 subjects who have both, or 10 events after an exposure at every lag.
    """
    rows = complete(table, step, exposed, events, at_risk)
    found = groups(rows, group)
    bests, curves = [], []
    for r in found.rows:
        series = _series(rows[r], subject, step, calendar, exposed, events, at_risk)
        best = {"subjects": float(len(series.length)), "events": float(series.events.sum())}
        if len(series.length) >= LEAST_SUBJECTS:
            steps = np.arange(1, lags + 1)
            by_lag = associate(series, steps, DRAWS)
            if by_lag.exposed_events.max() >= LEAST_EXPOSED_EVENTS:
                curves.append({"lag": steps.astype(np.float64), **vars(by_lag)})
                k = int(np.argmin(by_lag.chance + 1e-9 * -np.abs(np.log(np.nan_to_num(by_lag.rate_ratio, nan=1.0)))))
                best |= {"lag": float(k + 1), "p": float(by_lag.chance[k])}
                best |= {name: float(getattr(by_lag, name)[k]) for name in ("rate_ratio", "low", "high")}
                bests.append(best)
                continue
        bests.append(best)
        curves.append({name: np.empty(0) for name in BY_LAG})
    columns = {name: [best.get(name, float("nan")) for best in bests] for name in BEST}
    return Estimate(
        tables={"best": found.frame(columns, BEST), "by_lag": found.long_frame(curves, BY_LAG)},
        parameters={"draws": DRAWS, "lags": lags},
    )


def _series(
    rows: pl.DataFrame, subject: str, step: str, calendar: str, exposed: str, events: str, at_risk: str
) -> Series:
    """The subjects who have both exposures and events that count; ValueError where a step is missing or double."""
    counted = pl.col(events) * pl.col(at_risk).cast(pl.Int64)
    risk = pl.col(at_risk).cast(pl.Float64)
    # A calendar period in which nobody is at risk has no rate, and no events either.
    rate = (counted.sum() / risk.sum()).over(calendar).fill_nan(0) * risk
    frame = (
        rows.sort(subject, step)
        .with_columns(
            pl.col(exposed).cast(pl.Float64).alias("exposed now"), counted.cast(pl.Float64).alias("events now")
        )
        .filter((pl.col("exposed now").sum().over(subject) > 0) & (pl.col("events now").sum().over(subject) > 0))
        .with_columns(rate.alias("rate now"))
        .with_columns((pl.col("rate now") / pl.col("rate now").sum().over(subject)).alias("share now"))
    )
    codes = frame.get_column(subject).rank("dense").to_numpy()
    _, start, length = np.unique(codes, return_index=True, return_counts=True)
    if (np.diff(numbers(frame, step))[np.setdiff1d(np.arange(frame.height - 1), start - 1)] != 1).any():
        raise ValueError(f"column {step!r} has gaps within a subject")
    on, happened, by_chance = (numbers(frame, name) for name in ("exposed now", "events now", "share now"))
    return Series(on, happened, by_chance, start.astype(np.int64), length.astype(np.int64))
