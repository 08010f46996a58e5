"""How an audit that has run is told: its metrics, findings, tables and charts, read from its own tables."""

from __future__ import annotations

from collections.abc import Iterable

from crmaudit import report
from crmaudit.audits import Audit, label, unit_of
from crmaudit.database import Database
from crmaudit.resources import folder
from crmaudit.sentences import fill

ROWS_SHOWN = 200
ROWS_DRAWN = 1_300
"""Rows of a table that a chart draws: a picture of the first ones alone would mislead."""


def culprit(audit: Audit) -> str:
    if audit.path.is_relative_to(folder("queries")):
        return "crmaudit failed on this question, which is a fault of ours"
    return f"{audit.path} cannot be run"


def unanswered(audit: Audit) -> report.Result:
    """The audit's own words, as yet without an answer."""
    return report.Result(
        id=audit.id,
        chapter=audit.chapter,
        title=audit.title,
        question=audit.question,
        status="unanswerable",
        why=audit.why,
        fix=audit.fix,
    )


def metrics(db: Database, audit: Audit) -> dict[str, report.Metric]:
    types, rows = db.rows("from metrics")
    if not rows:
        return {}
    values = dict(zip(types, rows[0], strict=True))
    parts = {f"{n}_{s}" for n in types for s in ("low", "high", "n") if f"{n}_{s}" in types}
    metrics = {}
    for name, kind in types.items():
        if name in parts:
            continue
        rule = audit.metric_rules.get(name)
        n = values.get(f"{name}_n")
        metrics[name] = report.Metric(
            value=report.rounded(values[name]),
            unit=unit(audit, name, kind),
            n=None if n is None else int(n),
            low=report.rounded(values.get(f"{name}_low")),
            high=report.rounded(values.get(f"{name}_high")),
            better=rule.better if rule else None,
            note=rule.note if rule else None,
            label=(rule.label if rule else None) or label(name),
        )
    return metrics


def findings(db: Database, audit: Audit, currency: str) -> Iterable[report.Finding]:
    for rule in audit.findings:
        source = f"(select * from {rule.table})"
        wanted = f"{rule.customers or 'null'} as _customers, cast({rule.value or 'null'} as double) as _value"
        columns, rows = db.rows(
            f"select {wanted}, * from {source} where {rule.when} "
            f"order by _value desc nulls last, _customers desc nulls last, columns(*) limit {rule.most}"
        )
        for customers, value, *row in rows:
            values = {
                name: (report.rounded(cell), unit(audit, name, kind))
                for (name, kind), cell in zip(list(columns.items())[2:], row, strict=True)
            }
            first = rule.table.split()[0]
            key = fill(rule.key, values, currency) if rule.key else first
            yield report.Finding(
                key=f"{audit.id}/{rule.level}/{key}",
                level=rule.level,
                text=fill(rule.text, values, currency),
                customers=None if customers is None else int(customers),
                table=rule.lists or (None if first == "metrics" else first),
                value_at_stake=None if value is None else round(value, 2),
            )


def table(db: Database, audit: Audit, name: str) -> report.Table:
    most = ROWS_DRAWN if any(chart.table == name for chart in audit.charts) else ROWS_SHOWN
    types, rows = db.rows(f"from {name} limit {most}")
    total = len(rows) if len(rows) < most else db.scalar(f"select count(*) from {name}")
    return report.Table(
        name=name,
        title=label(name),
        columns=tuple(report.TableColumn(c, unit(audit, c, kind), label(c)) for c, kind in types.items()),
        rows=tuple(tuple(report.rounded(v) for v in row) for row in rows),
        rows_total=total,
    )


def charts(audit: Audit, filled: Iterable[str]) -> Iterable[report.Chart]:
    """The charts of those tables that have rows."""
    for chart in audit.charts:
        if chart.table in filled:
            yield report.Chart(chart.kind, chart.table, chart.roles, chart.caption, chart.description)


def unit(audit: Audit, name: str, sql_type: str) -> str:
    rule = audit.metric_rules.get(name)
    return audit.units.get(name) or (rule.unit if rule else unit_of(name, sql_type))
