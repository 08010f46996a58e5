"""What not knowing costs: a range made of the audit's own figures, with its formula, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmaudit import text
from crmaudit.gap.guidance import CostRule
from crmaudit.report import Metric, Report

Figures = Mapping[str, Metric]
"""`audit.metric` -> the metric."""


@dataclass(frozen=True)
class Cost:
    """Money of a year in the report currency, from `low` to `high`; None where the exports do not price it."""

    low: float | None
    high: float | None
    said: str
    formula: str
    means: str = ""


def figures_of(report: Report) -> dict[str, Metric]:
    """Every metric of the report by its address, `audit.metric`."""
    return {f"{result.id}.{name}": metric for result in report.audits for name, metric in result.metrics.items()}


def price(rule: CostRule | None, figures: Figures, currency: str, titles: Mapping[str, str]) -> Cost:
    """The range: amount x share that is not known x rate, from the least rate to the greatest; from 0 without rates.

    `titles` are those of the questions, by id: what is not known is named by them.
    """
    if rule is None:
        return _unpriced("Not put in money: no figure of these exports gives it a price.")
    wanted = [rule.amount, *(a for a in (rule.unknown, rule.known) if a), *rule.rates]
    known = {address: value for address in wanted if (value := _number(figures.get(address))) is not None}
    rates = [rate for address in rule.rates for rate in _range(figures.get(address))]
    lacking = [a for a in wanted if a not in known and (a not in rule.rates or not rates)]
    if lacking:
        names = " and ".join(sorted({_named(address, titles) for address in lacking}))
        return _unpriced(f"Not put in money: that takes {names}, which these exports do not tell.")
    share = known[rule.unknown] if rule.unknown else 100 - known[rule.known] if rule.known else 100.0
    amount = abs(known[rule.amount])
    concerned = amount * share / 100
    low, high = (concerned * min(rates) / 100, concerned * max(rates) / 100) if rates else (0.0, concerned)
    parts = [text.value(amount, "money", currency)]
    parts += [text.value(share, "pct")] if share != 100 else []
    parts += [_span(min(rates), max(rates), "pct", "") if rates else text.interval(0, 100, "pct")]
    # Of a range that rests on rates nobody reads the cents.
    span = _span(round(low), round(high), "money", currency)
    said = span if rates else f"up to {text.value(high, 'money', currency)}"
    product = " \u00d7 ".join(parts)
    return Cost(low, high, f"{said} a year", f"{product} = {said}", rule.means)


def _named(address: str, titles: Mapping[str, str]) -> str:
    audit, _, metric = address.partition(".")
    return f"\u201c{text.name(metric)}\u201d of \u201c{titles.get(audit) or text.name(audit)}\u201d"


def _unpriced(why: str) -> Cost:
    return Cost(None, None, "", why)


def _number(metric: Metric | None) -> float | None:
    value = None if metric is None else metric.value
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _range(metric: Metric | None) -> tuple[float, ...]:
    """The ends of a rate's interval, else the rate itself, else nothing."""
    value = _number(metric)
    if metric is None or value is None:
        return ()
    return (value,) if metric.low is None or metric.high is None else (metric.low, metric.high)


def _span(low: float, high: float, unit: str, currency: str) -> str:
    first, last = text.value(low, unit, currency), text.value(high, unit, currency)
    return last if first == last else text.interval(low, high, unit, currency)
