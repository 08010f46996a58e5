"""The gap report from the report object: the scorecard, the gaps and their price, the plan, whom and what to ask."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crmaudit import text
from crmaudit.gap import wants
from crmaudit.gap.found import Found, owners, steps_of, tables_that_came, work
from crmaudit.gap.found import gaps as gaps_of
from crmaudit.gap.guidance import Guidance
from crmaudit.gap.page import Chapter, Gap, GapPage, Progress, Question, SourceLine, Stage, Step, Stratum
from crmaudit.gap.plan import Slot, Task, done_by, last_task, schedule
from crmaudit.gap.requests import requests
from crmaudit.report import CHAPTERS, Report, Result, Source, lacks
from crmaudit.view import STATUS_NAMES

STAGES = ((30, "In the first 30 days"), (60, "Days 31 to 60"), (90, "Days 61 to 90"), (0, "After day 90"))
"""The days of the plan; 0 for all that is later."""
UNRANKED = "Rankings of people are left out of this report."


@dataclass(frozen=True)
class Client:
    """Whose report it is, and whose name and look it bears."""

    name: str
    prepared_by: str = ""
    logo: str = ""
    accent: str = ""
    ranks_people: bool = False


def page(
    report: Report,
    guidance: Guidance,
    client: Client,
    interviews: Sequence[Stratum] = (),
    progress: Progress | None = None,
) -> GapPage:
    """The whole report in words. Gaps stand by when they can be closed, then by cost, then as in the catalogue."""
    found = gaps_of(report, guidance)
    slots = schedule([one.open for one in found], guidance.efforts, guidance.plan.days_a_month)
    days = {one.gap.id: done_by(one.open, slots) for one in found}
    found.sort(key=lambda one: (days[one.gap.id], -one.open.cost))
    numbers = {one.gap.id: str(i) for i, one in enumerate(found, 1)}
    gaps = tuple(replace(one.gap, number=numbers[one.gap.id], days=days[one.gap.id]) for one in found)
    counts = {status: sum(result.status == status for result in report.audits) for status in STATUS_NAMES}
    wanted: dict[str, list[str]] = {}
    for one in found:
        for address in one.wanted:
            wanted.setdefault(address, []).append(one.gap.title)
    steps = steps_of(found, tables_that_came(report))
    plan = tuple(_stages(found, gaps, slots, steps, guidance))
    return GapPage(
        client=text.clean(client.name),
        prepared_by=text.clean(client.prepared_by),
        logo=client.logo,
        accent=client.accent,
        facts=_facts(report),
        verdict=tuple(_verdict(report, counts, gaps, found)),
        capacity=_capacity(slots, guidance),
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


def _verdict(report: Report, counts: dict[str, int], gaps: Sequence[Gap], found: Sequence[Found]) -> Iterable[str]:
    none = counts["unanswerable"]
    yield (
        f"Of {text.count(len(report.audits), 'question')} about its customers the company can answer "
        f"{text.number(counts['answered'])} in full and {text.number(counts['partial'])} in part; "
        f"{text.number(none) if none else 'none'} cannot be answered from its exports."
    )
    if gaps:
        last = STAGES[-2][0]
        closed = [(sum(gap.days <= day for gap in gaps), day) for day, _ in STAGES[:-1]]
        later = sum(gap.days > last for gap in gaps)
        (soon, day), *more = closed
        *first, final = (f"{text.number(n)} by day {by}" for n, by in more)
        rest = f"; {text.number(later)} {'takes' if later == 1 else 'take'} longer" if later else ""
        begun = f"{text.number(soon)} can be closed by day {day}"
        yield f"Of {text.count(len(gaps), 'gap')}, {', '.join((begun, *first))} and {final}{rest}."
    dearest = max(found, key=lambda one: one.open.cost, default=None)
    if dearest is not None and dearest.open.cost > 0:
        yield (
            f"Of those that the figures price, the dearest is number {found.index(dearest) + 1}, "
            f"{dearest.gap.title}: {dearest.gap.cost}. Costs overlap and are never added up."
        )


def _capacity(slots: Sequence[Slot], guidance: Guidance) -> str:
    """How much work the plan is, and how much of it fits into a month."""
    days = sum(guidance.efforts[slot.task.effort].work for slot in slots)
    return f"{work(days)[:1].upper()}{work(days)[1:]} of work in all, at {work(guidance.plan.days_a_month)} a month"


def _stages(
    found: Sequence[Found], gaps: Sequence[Gap], slots: Sequence[Slot], said: Mapping[Task, str], guidance: Guidance
) -> Iterable[Stage]:
    """What is begun in each month, and the gaps that are closed by its end."""
    who = owners(found)
    closing = {one.gap.id: last_task(one.open, slots) for one in found}
    numbers = {gap.id: gap.number for gap in gaps}

    def step(slot: Slot) -> Step:
        waiting = [one for one in found if slot.task in one.open.tasks]
        closed = [one for one in waiting if closing[one.gap.id] == slot.task]
        return Step(
            what=said[slot.task],
            owner=who[slot.task],
            effort=work(guidance.efforts[slot.task.effort].work),
            done=str(slot.done),
            closes=tuple(numbers[one.gap.id] for one in closed),
            feeds=tuple(numbers[one.gap.id] for one in waiting if one not in closed),
            cost=_dearest(closed),
        )

    begin = 0
    for day, title in STAGES:
        end = day or math.inf
        steps = tuple(step(slot) for slot in slots if begin <= slot.begins < end)
        closed = tuple(gap for gap in gaps if begin < gap.days <= end)
        if steps or closed:
            yield Stage(day, title, steps, closed)
        begin = day


def _dearest(closed: Sequence[Found]) -> str:
    one = max(closed, key=lambda found: found.open.cost, default=None)
    return one.gap.cost if one else ""


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


def _chapters(
    report: Report, guidance: Guidance, numbers: Mapping[str, str], *, ranks_people: bool
) -> Iterable[Chapter]:
    came = tables_that_came(report)
    for name in dict.fromkeys([*CHAPTERS, *(result.chapter for result in report.audits)]):
        inside = [result for result in report.audits if result.chapter == name]
        if inside:
            hidden = {r.id for r in inside if guidance.question(r.id).ranks_people and not ranks_people}
            yield Chapter(
                title=CHAPTERS.get(name) or text.name(name),
                answered=sum(result.status == "answered" for result in inside),
                partial=sum(result.status == "partial" for result in inside),
                unanswerable=sum(result.status == "unanswerable" for result in inside),
                questions=tuple(_question(r, came, numbers, is_hidden=r.id in hidden) for r in inside),
            )


def _question(result: Result, came: frozenset[str], numbers: Mapping[str, str], *, is_hidden: bool) -> Question:
    answer = result.headline if result.status in ("answered", "partial") else result.reason or ""
    if result.missing:
        answer = wants.why_none(lacks(result.missing), came)
    return Question(
        id=text.clean(result.id),
        title=text.clean(result.title),
        question=text.clean(result.question),
        status=result.status,
        status_name=STATUS_NAMES[result.status],
        answer=UNRANKED if is_hidden and result.headline else text.clean(answer),
        gap=numbers.get(text.clean(result.id), ""),
    )
