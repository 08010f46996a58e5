"""Assertions on figures, for cron and pipelines: `[assert]` in crmaudit.toml, judged when the audit has run."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from crmaudit import text
from crmaudit.report import Metric, Report

Severity = Literal["warn", "fail"]

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq, "!=": operator.ne
}  # fmt: skip

_RULE = re.compile(r"(<=|>=|==|!=|<|>)\s*([+-]?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Assertion:
    """A figure and what it must be."""

    figure: str
    """`audit.metric`."""
    severity: Severity
    sign: str
    bound: float

    @property
    def rule(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True)
class Verdict:
    """An assertion after the run. One that cannot be judged has not held."""

    assertion: Assertion
    held: bool
    said: str
    """One line."""


def parse(figure: str, severity: Severity, rule: str) -> Assertion:
    """`<= 3` for a figure; ValueError where the rule is none."""
    found = _RULE.fullmatch(rule.strip())
    if found is None:
        raise ValueError(f'an assertion is a sign and a number, such as "<= 3", not {rule!r}')
    return Assertion(figure, severity, found[1], float(found[2]))


def judge(assertions: Iterable[Assertion], report: Report) -> tuple[Verdict, ...]:
    """Each assertion's verdict, in the order given."""
    return tuple(_verdict(assertion, report) for assertion in assertions)


def _verdict(assertion: Assertion, report: Report) -> Verdict:
    audit, _, name = assertion.figure.partition(".")
    result = next((result for result in report.audits if result.id == audit), None)
    metric = result.metrics.get(name) if result else None
    value = metric.value if metric else None
    if metric is None or isinstance(value, bool) or not isinstance(value, int | float):
        reason = (result.reason if result else None) or "the audit has no number of that name"
        return Verdict(
            assertion, False, f"{assertion.severity}  {assertion.figure} cannot be told: {text.clean(reason)}"
        )
    held = OPERATORS[assertion.sign](value, assertion.bound)
    said = f"{'ok' if held else assertion.severity}  {assertion.figure} is {_figure(metric, report.currency)}"
    return Verdict(assertion, held, f"{said}, asserted {assertion.rule}")


def _figure(metric: Metric, currency: str) -> str:
    return text.value(metric.value, metric.unit, currency).replace(text.NO_BREAK, " ")
