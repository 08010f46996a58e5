"""Is this week's count beyond what its own past lets expect?

Counts come at a level that moves slowly: given the past, the level is gamma distributed with shape a and rate b, and
from week to week its memory is discounted by w, so that old weeks weigh less (Harvey & Fernandes):

    a' = w a + y,   b' = w b + 1,   y ~ negative binomial with mean a / b and variance (a / b)(1 + 1 / (w b))

w is the one that makes the past weeks likeliest, each predicted from those before it. A week with a campaign or an
outage is more or less than Poisson about its level; the variance is widened by the mean square of the past weeks' own
errors, as quasi-likelihood does, and never narrowed. A past week far beyond its own prediction is drawn in to three
standard deviations first, so that one freak week does not make news of the usual ones after it (Gelper, Fried &
Croux); a level that has truly moved is followed within a few weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln
from scipy.stats import nbinom

from crmaudit.methods import Estimate

PAPERS = (
    "Harvey, A. C. & Fernandes, C. (1989). Time series models for count or qualitative observations. "
    "Journal of Business & Economic Statistics 7, 407-417.",
    "Wedderburn, R. W. M. (1974). Quasi-likelihood functions, generalized linear models, and the Gauss-Newton method. "
    "Biometrika 61, 439-447.",
    "Gelper, S., Fried, R. & Croux, C. (2010). Robust forecasting with exponential and Holt-Winters smoothing. "
    "Journal of Forecasting 29, 285-300.",
    "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, "
    "65-70.",
)

LEAST_WEEKS = 26
"""Fewer weeks tell neither the discount nor the spread."""

LEAST_EVENTS = 10
SLOWEST = 1.0
FASTEST = 0.5
"""A level that forgets half of what it knew within a week is no level."""

DISCOUNT_OF_CLEANING = 0.8
"""Some five weeks tell what the next is compared with before it is drawn in."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """What is known of the level before the next week: shape, rate, discount, and how much wider weeks are spread."""

    a: float
    b: float
    discount: float
    spread: float

    @property
    def mean(self) -> float:
        return self.a / self.b

    @property
    def variance(self) -> float:
        return self.spread * self.mean * (1 + 1 / self.b)


def estimate(
    table: pl.DataFrame, *, group: str = "flow", week: str = "week", count: str = "count", entered: int = 1
) -> Estimate:
    """Table `weeks`: per group and each of its last `entered` weeks `count expected low high p is_news`.

    `table` has one row per group and week, without gaps, `week` rising by one. Each entered week is predicted from all
    weeks before it; `low` and `high` hold 95 % of such weeks, `p` is two-sided, and `is_news` what survives Holm's
    procedure at 5 % over all groups and entered weeks: of the mails about a base in which nothing changes, at most one
    in twenty reports a count. Groups with fewer than 26 weeks or 10 events before are left out.
    """
    rows: list[dict[str, object]] = []
    for name in table[group].unique().sort().to_list():
        part = table.filter(pl.col(group) == name).sort(week)
        weeks, counts = part[week].to_numpy(), part[count].cast(pl.Float64).to_numpy()
        if len(weeks) and (np.diff(weeks) != 1).any():
            raise ValueError(f"weeks of {name!r} are missing or there twice")
        for i in range(max(len(counts) - entered, 0), len(counts)):
            past = counts[:i]
            if len(past) >= LEAST_WEEKS and past.sum() >= LEAST_EVENTS:
                judged = _judged(level(past), counts[i])
                rows.append({group: name, week: int(weeks[i]), count: int(counts[i]), **judged})
    schema = pl.Schema({group: table.schema[group], week: pl.Int64(), count: pl.Int64(), "expected": pl.Float64(),
                        "low": pl.Int64(), "high": pl.Int64(), "p": pl.Float64()})  # fmt: skip
    found = pl.DataFrame(rows, schema=schema)
    is_news = pl.Series(holm(found["p"].to_numpy()), dtype=pl.Boolean)
    return Estimate(tables={"weeks": found.with_columns(is_news=is_news)})


def level(counts: Floats) -> Level:
    """The level after these weeks, at the discount of greatest likelihood."""
    first = int(np.argmax(counts > 0))
    # A level of zero makes every later event impossible: what is known begins with the first event.
    counts = _cleaned(counts[first:])
    best = minimize_scalar(lambda w: -_likelihood(counts, w), bounds=(FASTEST, SLOWEST), method="bounded")
    discount = max((float(best.x), SLOWEST), key=lambda w: _likelihood(counts, w))
    a, b = _filtered(counts, discount)
    mean, rate = a[:-1] / b[:-1], b[:-1]
    # The first predictions rest on a few weeks: their errors say more of that than of the spread.
    settled = slice(min(8, len(mean) // 2), None)
    errors = (counts[1:] - mean) ** 2 / (mean * (1 + 1 / rate))
    return Level(float(a[-1]), float(b[-1]), discount, max(1.0, float(errors[settled].mean())))


def _cleaned(counts: Floats) -> Floats:
    """The weeks, each within three standard deviations of what those before it let expect."""
    a, b = _filtered(counts, DISCOUNT_OF_CLEANING)
    mean = a[:-1] / b[:-1]
    errors = (counts[1:] - mean) ** 2 / (mean * (1 + 1 / b[:-1]))
    # By the median, which freak weeks do not move; 0.455 is that of a squared normal.
    spread = max(1.0, float(np.median(errors)) / 0.455) if len(errors) else 1.0
    cleaned = counts.copy()
    shape = rate = 0.0
    for i, y in enumerate(counts):
        if i:
            reach = 3 * np.sqrt(spread * shape / rate * (1 + 1 / rate))
            cleaned[i] = min(max(y, shape / rate - reach, 0.0), shape / rate + reach)
        shape = DISCOUNT_OF_CLEANING * (shape + cleaned[i])
        rate = DISCOUNT_OF_CLEANING * (rate + 1)
    return cleaned


def _filtered(counts: Floats, discount: float) -> tuple[Floats, Floats]:
    """Shape and rate before each week after the first, and before the week to come."""
    a, b = np.empty(len(counts)), np.empty(len(counts))
    shape = rate = 0.0
    for i, y in enumerate(counts):
        shape, rate = discount * (shape + y), discount * (rate + 1)
        a[i], b[i] = shape, rate
    return a, b


def _likelihood(counts: Floats, discount: float) -> float:
    """The log-likelihood of every week but the first, each given those before it."""
    a, b = _filtered(counts, discount)
    y, a, b = counts[1:], a[:-1], b[:-1]
    terms = gammaln(a + y) - gammaln(y + 1) - gammaln(a) + a * np.log(b) - (a + y) * np.log1p(b)
    return float(terms.sum())


def _judged(known: Level, count: float) -> dict[str, float]:
    mean, variance = known.mean, known.variance
    chance = nbinom(mean**2 / (variance - mean), mean / variance)
    tail = min(float(chance.cdf(count)), float(chance.sf(count - 1)))
    return {
        "expected": mean,
        "low": int(chance.ppf(0.025)),
        "high": int(chance.ppf(0.975)),
        "p": min(1.0, 2 * tail),
    }


def holm(p: Floats, share: float = 0.05) -> list[bool]:
    """Which hypotheses are rejected so that any false rejection has at most this probability."""
    order = np.argsort(p, kind="stable")
    rejected = [False] * len(p)
    for place, i in enumerate(order):
        if p[i] > share / (len(p) - place):
            break
        rejected[i] = True
    return rejected
