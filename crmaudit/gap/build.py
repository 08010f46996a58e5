"""The gap report from the report object: the scorecard, the gaps and their price, the plan, whom and what to ask."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from crmaudit import text
from crmaudit.gap import costs
from crmaudit.gap.guidance import Guidance, QuestionGuidance
from crmaudit.gap.page import Chapter, Gap, GapPage, Progress, Question, SourceLine, Stage, Stratum
from crmaudit.gap.requests import requests
from crmaudit.report import CHAPTERS, Metric, Report, Result, Source
from crmaudit.schema import TABLES
from crmaudit.view import STATUS_NAMES

KIND_NAMES = {"unanswerable": "Not answerable", "partial": "Answered in part", "thin": "Answered on thin records"}
STAGES = ((30, "In the first 30 days"), (60, "By day 60"), (90, "By day 90"))
_MEANINGS = {f"{table.name}.{column.name}": column.meaning for table in TABLES.values() for column in table.columns}
UNRANKED = "Rankings of people are left out of this report."


@dataclass(frozen=True)
class Client:
    """Whose report it is, and whose name and look it bears."""

    name: str
    prepared_by: str = ""
    logo: str = ""
    accent: str = ""
    ranks_people: bool = False


@dataclass(frozen=True)
class _Found:
    """A gap before it has its number: what ranks it beside what is said of it."""

    gap: Gap
    cost: float
    place: int
    wanted: tuple[str, ...]
    """`table.column` to ask for."""


def page(
    report: Report,
    guidance: Guidance,
    client: Client,
    interviews: Sequence[Stratum] = (),
    progress: Progress | None = None,
) -> GapPage:
    """The whole report in words. Gaps stand by when they can be closed, then by cost, then as in the catalogue."""
    found = _ranked(report, guidance)
    gaps = tuple(replace(one.gap, number=str(i)) for i, one in enumerate(found, 1))
    numbers = {gap.id: gap.number for gap in gaps}
    counts = {status: sum(result.status == status for result in report.audits) for status in STATUS_NAMES}
    wanted: dict[str, list[str]] = {}
    for one in found:
        for address in one.wanted:
            wanted.setdefault(address, []).append(one.gap.title)
    plan = tuple(
        Stage(days, title, inside)
        for days, title in STAGES
        if (inside := tuple(gap for gap in gaps if gap.days == days))
    )
    return GapPage(
        client=text.clean(client.name),
        prepared_by=text.clean(client.prepared_by),
        logo=client.logo,
        accent=client.accent,
        facts=_facts(report),
        verdict=tuple(_verdict(report, counts, plan, found)),
        **counts,
        sources=tuple(map(_source, report.sources)),
        limitations=tuple(dict.fromkeys(_limitations(report))),
        chapters=tuple(_chapters(report, guidance, numbers, ranks_people=client.ranks_people)),
        gaps=gaps,
        plan=plan,
        requests=requests(report, wanted),
        interviews=tuple(interviews),
        progress=progress,
        ranks_people=client.ranks_people,
        version=text.clean(report.crmaudit),
    )


def _facts(report: Report) -> tuple[tuple[str, str], ...]:
    start, end = report.window.get("start"), report.window.get("end")
    return (
        ("As of", text.value(report.as_of, "date")),
        ("Period", f"{text.value(start, 'date')} to {text.value(end, 'date')}"),
        ("Currency", text.clean(report.currency) or "not named"),
        ("Customers are", {"account": "accounts", "person": "persons"}[report.grain]),
        ("Exports", text.number(len(report.sources))),
    )


def _verdict(report: Report, counts: dict[str, int], plan: Sequence[Stage], found: Sequence[_Found]) -> Iterable[str]:
    yield (
        f"Of {text.count(len(report.audits), 'question')} about its customers the company can answer "
        f"{text.number(counts['answered'])} in full and {text.number(counts['partial'])} in part; "
        f"{text.number(counts['unanswerable'])} cannot be answered from its exports."
    )
    if plan:
        parts = [f"{text.number(len(stage.gaps))} {stage.title[:1].lower()}{stage.title[1:]}" for stage in plan]
        yield f"{text.count(len(found), 'gap')} can be closed: {', '.join(parts)}."
    dearest = max(found, key=lambda one: one.cost, default=None)
    if dearest is not None and dearest.cost > 0:
        yield (
            f"Of those that the figures price, the dearest is number {found.index(dearest) + 1}, "
            f"{dearest.gap.title}: {dearest.gap.cost}. Costs overlap and are never added up."
        )


def _source(source: Source) -> SourceLine:
    seen = source.observed_from, source.observed_until
    return SourceLine(
        name=text.clean(source.path) + (f" [{text.clean(source.sheet)}]" if source.sheet else ""),
        system=text.clean(source.system),
        entity=text.name(source.entity or "not recognised"),
        rows=text.number(source.rows_loaded),
        lost=text.number(source.rows_rejected) if source.rows_rejected else "",
        observed=" to ".join(text.value(day, "date") for day in seen) if all(seen) else "",
    )


def _limitations(report: Report) -> Iterable[str]:
    """What a reader must know before any answer is believed: faults of the data, then which way answers are off."""
    for finding in report.findings:
        yield text.clean(finding.text)
    for source in report.sources:
        for exclusion in source.exclusions:
            yield text.clean(f"{source.path}: {text.count(exclusion.rows, 'row')} left out: {exclusion.reason}.")
        for note in source.notes:
            yield text.clean(f"{source.path}: {note}")
    for result in report.audits:
        if result.status == "partial" and result.bias:
            yield text.clean(f"{result.title}: {result.bias}")
        if result.status == "failed":
            yield text.clean(f"{result.title}: could not be computed, through no fault of the exports.")


def _chapters(report: Report, guidance: Guidance, numbers: dict[str, str], *, ranks_people: bool) -> Iterable[Chapter]:
    for name in dict.fromkeys([*CHAPTERS, *(result.chapter for result in report.audits)]):
        inside = [result for result in report.audits if result.chapter == name]
        if inside:
            hidden = {r.id for r in inside if guidance.question(r.id).ranks_people and not ranks_people}
            yield Chapter(
                title=CHAPTERS.get(name) or text.name(name),
                answered=sum(result.status == "answered" for result in inside),
                partial=sum(result.status == "partial" for result in inside),
                unanswerable=sum(result.status == "unanswerable" for result in inside),
                questions=tuple(_question(r, numbers, is_hidden=r.id in hidden) for r in inside),
            )


def _question(result: Result, numbers: dict[str, str], *, is_hidden: bool) -> Question:
    answer = result.headline if result.status in ("answered", "partial") else result.reason or ""
    return Question(
        id=text.clean(result.id),
        title=text.clean(result.title),
        question=text.clean(result.question),
        status=result.status,
        status_name=STATUS_NAMES[result.status],
        answer=UNRANKED if is_hidden and result.headline else text.clean(answer),
        gap=numbers.get(text.clean(result.id), ""),
    )


def _ranked(report: Report, guidance: Guidance) -> list[_Found]:
    figures = costs.figures_of(report)
    came = {address for source in report.sources for address in source.columns.values()}
    found = [
        one
        for place, result in enumerate(report.audits)
        if (one := _gap(result, place, guidance, figures, came, report.currency)) is not None
    ]
    return sorted(found, key=lambda one: (one.gap.days, -one.cost, one.place))


def _gap(
    result: Result, place: int, guidance: Guidance, figures: costs.Figures, came: set[str], currency: str
) -> _Found | None:
    """The gap of a question, if it has one: no answer, half an answer, or an answer on records that are too thin."""
    rule = guidance.question(result.id)
    figure = result.metrics.get(rule.figure or "")
    is_short = _is_short(figure, rule)
    kind = result.status if result.status in ("unanswerable", "partial") else "thin" if is_short else ""
    if not kind or result.status == "failed":
        return None
    lacking = [f"{missing.table}.{missing.column}" for missing in result.missing]
    asked = dict.fromkeys((*lacking, *(a for a in rule.asks if a not in came and kind != "thin")))
    wanted = tuple(address for address in asked if address in _MEANINGS)
    effort = guidance.efforts[_effort(kind, rule, wanted, came, guidance)]
    cost = costs.price(rule.cost, figures, currency)
    gap = Gap(
        number="",
        id=text.clean(result.id),
        title=text.clean(result.title),
        question=text.clean(result.question),
        kind=kind,
        kind_name=KIND_NAMES[kind],
        missing=tuple(_missing(result, kind, wanted, figure if is_short else None, rule)),
        why=text.clean(result.why),
        remedy=text.clean(result.fix),
        cost=cost.said,
        cost_formula=cost.formula,
        cost_means=text.clean(cost.means),
        effort=text.clean(effort.says),
        owner=text.clean(rule.owner or guidance.owners.get(result.chapter, "Management")),
        days=next((days for days, _ in STAGES if effort.days <= days), STAGES[-1][0]),
        baseline=_baseline(kind, figure),
        target=_target(kind, figure, rule),
        **_check(result, kind, figure, rule),
    )
    return _Found(gap, cost.high if cost.high is not None else -1.0, place, wanted)


def _is_short(figure: Metric | None, rule: QuestionGuidance) -> bool:
    value = figure.value if figure else None
    if figure is None or rule.target is None or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value > rule.target if figure.better == "down" else value < rule.target


def _effort(kind: str, rule: QuestionGuidance, wanted: Sequence[str], came: set[str], guidance: Guidance) -> str:
    """An export where no record of the kind came, a field where it came without, a habit where it is not filled."""
    if rule.effort:
        return rule.effort
    tables = {address.partition(".")[0] for address in came}
    new = any(address.partition(".")[0] not in tables for address in wanted)
    kinds = ("habit",) if kind == "thin" else ("export", "field") if new else ("field", "export")
    return next((name for name in kinds if name in guidance.efforts), next(iter(guidance.efforts)))


def _missing(
    result: Result, kind: str, wanted: Sequence[str], figure: Metric | None, rule: QuestionGuidance
) -> Iterable[str]:
    if kind != "thin" and result.reason:
        yield text.clean(result.reason)
    if figure is not None:
        yield f"{_label(figure, rule)}: {_value(figure)}, where {_aim(figure, rule)} is wanted."
        if figure.note:
            yield text.clean(f"{figure.note[:1].upper()}{figure.note[1:]}.")
    for address in wanted:
        table, _, column = address.partition(".")
        yield f"{text.name(table)}: {_MEANINGS[address]} ({column})."


def _baseline(kind: str, figure: Metric | None) -> str:
    said = {"unanswerable": "no answer", "partial": "answered in part", "thin": ""}[kind]
    value = _value(figure) if figure is not None and figure.value is not None else ""
    return ", ".join(part for part in (said, value) if part)


def _target(kind: str, figure: Metric | None, rule: QuestionGuidance) -> str:
    aim = _aim(figure, rule) if figure is not None and rule.target is not None else ""
    return ", ".join(part for part in ("" if kind == "thin" else "answered in full", aim) if part)


def _check(result: Result, kind: str, figure: Metric | None, rule: QuestionGuidance) -> dict[str, str]:
    audited = "Audit the next exports: "
    if figure is None or rule.target is None:
        return {"check": f"{audited}the question is answered in full.", "assertion": ""}
    sign = "<=" if figure.better == "down" else ">="
    also = "" if kind == "thin" else "the question is answered in full, and "
    return {
        "check": f"{audited}{also}the figure \u201c{_label(figure, rule)}\u201d is {_aim(figure, rule)}.",
        "assertion": f'{result.id}.{rule.figure} = "{sign} {rule.target:g}"',
    }


def _label(figure: Metric, rule: QuestionGuidance) -> str:
    return text.clean(figure.label) or text.name(rule.figure or "")


def _value(figure: Metric) -> str:
    return text.value(figure.value, figure.unit)


def _aim(figure: Metric, rule: QuestionGuidance) -> str:
    return f"{'at most' if figure.better == 'down' else 'at least'} {text.value(rule.target, figure.unit)}"
