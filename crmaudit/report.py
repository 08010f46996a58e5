"""The report object: everything a person sees is a rendering of it, and `audit.json` is its only serial form.

Values are JSON values: dates are ISO strings, sums of money are numbers to the cent, estimates numbers of six
significant digits, absent is null. The same input gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

SCHEMA_VERSION = 1

Status = Literal["answered", "partial", "unanswerable", "failed"]
Level = Literal["act", "watch", "good", "info"]
Value = str | int | float | bool | None

LEVELS: tuple[Level, ...] = ("act", "watch", "good", "info")
CHAPTERS: dict[str, str] = {
    "data": "Can you trust the data?",
    "know": "Do you know your customers?",
    "win": "How do you win them?",
    "value": "What are they worth?",
    "engage": "Do you talk with them?",
    "serve": "How well do you serve them?",
    "keep": "Are you keeping them?",
}


@dataclass(frozen=True)
class Metric:
    """A headline figure: its value, unit, the n it rests on and, for an estimate, its 95 % interval."""

    value: Value
    unit: str
    """`pct` (0 to 100), `points`, `days`, `hours`, `money`, `n`, `ratio`, `text` or `date`."""
    n: int | None = None
    low: float | None = None
    high: float | None = None
    better: Literal["up", "down"] | None = None
    note: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Finding:
    """One sentence about the base that somebody may act on; `key` stays the same from run to run."""

    key: str
    level: Level
    text: str
    customers: int | None = None
    """How many customers it concerns."""
    table: str | None = None
    """The audit's table that lists them."""
    value_at_stake: float | None = None
    """Money in the report currency; values of several findings overlap and are never added up."""


@dataclass(frozen=True)
class TableColumn:
    name: str
    unit: str
    """As for metrics; also `id`, `bool`, `p`."""
    label: str


@dataclass(frozen=True)
class Table:
    """A table for the analyst: the first 200 rows here, 1,300 where a chart draws them; all are in `audit.duckdb`."""

    name: str
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Value, ...], ...]
    rows_total: int


@dataclass(frozen=True)
class Chart:
    """A picture to be drawn from a table's columns: `kind` names a function of `charts`, `roles` its columns."""

    kind: str
    table: str
    roles: Mapping[str, str]
    caption: str
    """The action title: what the picture shows, in a sentence."""
    description: str = ""
    """The same for those who cannot see it."""


@dataclass(frozen=True)
class Missing:
    """A column the audit wants and no export fills, and where it is usually found."""

    table: str
    column: str
    usually_in: str
    instead: tuple[str, ...] = ()
    """Other `table.column` of which any one would do as well; they are missing too."""

    @property
    def address(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class Method:
    """How an estimate was made, so that a statistician can make it again."""

    name: str
    papers: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    log_likelihood: float | None = None
    candidates: tuple[Mapping[str, Any], ...] = ()
    holdout: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Result:
    """One audit's answer, or why there is none."""

    id: str
    chapter: str
    title: str
    question: str
    status: Status
    why: str = ""
    fix: str = ""
    reason: str | None = None
    bias: str | None = None
    headline: str = ""
    """The answer in one sentence."""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    missing: tuple[Missing, ...] = ()
    methods: tuple[Method, ...] = ()


def lacks(missing: Iterable[Missing]) -> tuple[tuple[str, ...], ...]:
    """What is missing as groups of `table.column` of which one is enough, each group once."""
    groups: dict[frozenset[str], tuple[str, ...]] = {}
    for one in missing:
        group = (one.address, *one.instead)
        groups.setdefault(frozenset(group), group)
    return tuple(groups.values())


@dataclass(frozen=True)
class Exclusion:
    reason: str
    rows: int
    amount: float | None = None


@dataclass(frozen=True)
class Source:
    """One exported file or sheet, and what became of each of its rows."""

    path: str
    sheet: str | None
    system: str
    entity: str | None
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_excluded: int
    exclusions: tuple[Exclusion, ...] = ()
    observed_from: str | None = None
    observed_until: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Source column -> `table.column`."""
    unmapped: tuple[str, ...] = ()
    score: float = 0.0
    evidence: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What a careful reader of this file would want to know: a missing last newline, dates set aside, a load stamp."""
    unconverted: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Report:
    """The whole audit."""

    crmaudit: str
    as_of: str | None
    window: Mapping[str, str | None]
    currency: str
    grain: Literal["account", "person"]
    setting: Literal["contractual", "non-contractual", "hybrid", "unknown"]
    comparisons: int
    sources: tuple[Source, ...]
    audits: tuple[Result, ...]
    summary: Mapping[str, Any]
    checks: tuple[Result, ...] = ()
    """What is to be known of the data before any answer is believed; like audits, but not among the questions."""
    findings: tuple[Finding, ...] = ()
    """Findings about the data themselves: files that lost rows, dates in the future, keys that do not join."""
    schema_version: int = SCHEMA_VERSION

    @property
    def failed(self) -> tuple[str, ...]:
        """Ids of the questions that failed."""
        return tuple(result.id for result in self.audits if result.status == "failed")


def rounded(value: Any) -> Any:
    """A JSON value: floats at six significant digits, decimals as numbers, dates as ISO strings, NaN as null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        return _tidy(float(value), money=True)
    if isinstance(value, float):
        return _tidy(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if hasattr(value, "item"):
        return rounded(value.item())
    raise TypeError(f"no place in audit.json for a {type(value).__name__}")


def _tidy(value: float, *, money: bool = False) -> float | int | None:
    if not math.isfinite(value):
        return None
    value = round(value, 2) if money else float(f"{value:.6g}")
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def to_json(report: Report) -> str:
    """The bytes of `audit.json`: keys in the order of the types above, one space of indent, a last newline."""
    data = asdict(report)
    for result in (*data["audits"], *data["checks"]):
        result["methods"] = rounded(result["methods"])
    for source in data["sources"]:
        source["score"] = rounded(source["score"])
    # All else was rounded on entry; once more would cost a sum of millions its last digits.
    return json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def from_json(text: str) -> Report:
    """The report again; ValueError where the text was written by another major schema."""
    data = json.loads(text)
    if data.get("schema_version") != SCHEMA_VERSION:
        raise ValueError(f"audit.json of schema {data.get('schema_version')}; this version reads {SCHEMA_VERSION}")
    return Report(
        **{
            **data,
            "sources": tuple(_source(s) for s in data["sources"]),
            "audits": tuple(_result(a) for a in data["audits"]),
            "checks": tuple(_result(a) for a in data["checks"]),
            "findings": tuple(Finding(**f) for f in data["findings"]),
        }
    )


def _source(data: dict[str, Any]) -> Source:
    return Source(
        **{
            **data,
            "exclusions": tuple(Exclusion(**e) for e in data["exclusions"]),
            **{name: tuple(data[name]) for name in ("unmapped", "evidence", "notes", "unconverted")},
        }
    )


def _result(data: dict[str, Any]) -> Result:
    return Result(
        **{
            **data,
            "metrics": {name: Metric(**m) for name, m in data["metrics"].items()},
            "findings": tuple(Finding(**f) for f in data["findings"]),
            "tables": tuple(
                Table(
                    **{
                        **t,
                        "columns": tuple(TableColumn(**c) for c in t["columns"]),
                        "rows": tuple(tuple(r) for r in t["rows"]),
                    }
                )
                for t in data["tables"]
            ),
            "charts": tuple(Chart(**c) for c in data["charts"]),
            "missing": tuple(Missing(**{**m, "instead": tuple(m.get("instead", ()))}) for m in data["missing"]),
            "methods": tuple(
                Method(**{**m, "papers": tuple(m["papers"]), "candidates": tuple(m["candidates"])})
                for m in data["methods"]
            ),
        }
    )
