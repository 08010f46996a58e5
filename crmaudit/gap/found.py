"""The gaps of an audit: what keeps a question from being answered well, what it costs, and the work that closes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from crmaudit import text
from crmaudit.gap import costs, wants
from crmaudit.gap.guidance import Guidance, QuestionGuidance
from crmaudit.gap.page import Gap
from crmaudit.gap.plan import OpenGap, Task
from crmaudit.report import Metric, Report, Result, lacks

HABIT = "habit"
"""The effort of keeping records better, where nothing says otherwise."""
KIND_NAMES = {"unanswerable": "Not answerable", "partial": "Answered in part", "thin": "Answered on thin records"}


@dataclass(frozen=True)
class Found:
    """A gap before it has its day and number, with what the plan wants to know of it."""

    gap: Gap
    open: OpenGap
    wanted: tuple[str, ...]
    """`table.column` to ask for."""
    steps: Mapping[Task, str] = field(default_factory=dict)
    """What each task is, in words."""


def tables_that_came(report: Report) -> frozenset[str]:
    return frozenset(address.partition(".")[0] for source in report.sources for address in source.columns.values())


def wanted_by(result: Result, rule: QuestionGuidance, came: Iterable[str]) -> tuple[str, ...]:
    """What the answer lacks, then what it rests on besides and nobody exported; of alternatives one is asked for."""
    lacking = [_chosen(lack, rule.asks) for lack in lacks(result.missing)]
    present = set(came)
    asked = dict.fromkeys((*lacking, *(address for address in rule.asks if address not in present)))
    return tuple(address for address in asked if address in wants.MEANINGS)


def _chosen(lack: Sequence[str], asks: Sequence[str]) -> str:
    """Of columns of which one is enough the one that the answer mostly rests on, else the first."""
    return next((address for address in asks if address in lack), lack[0])


def gaps(report: Report, guidance: Guidance) -> list[Found]:
    """Every gap, in the order of the catalogue; what failed is our fault, and no gap."""
    figures = costs.figures_of(report)
    titles = {result.id: text.clean(result.title) for result in report.audits}
    came = [address for source in report.sources for address in source.columns.values()]
    tables = tables_that_came(report)
    found = []
    for result in report.audits:
        rule = guidance.question(result.id)
        figure = result.metrics.get(rule.figure or "")
        short = figure if _is_short(figure, rule) else None
        kind = result.status if result.status in ("unanswerable", "partial") else "thin" if short else ""
        if kind and result.status != "failed":
            wanted = () if kind == "thin" else wanted_by(result, rule, came)
            steps = _steps(result, rule, wanted, tables, guidance)
            cost = costs.price(rule.cost, figures, report.currency, titles)
            gap = Gap(
                number="",
                id=text.clean(result.id),
                title=text.clean(result.title),
                question=text.clean(result.question),
                kind=kind,
                kind_name=KIND_NAMES[kind],
                missing=tuple(_missing(result, kind, wanted, tables, short, rule)),
                why=text.clean(result.why),
                steps=tuple(step for task, step in steps.items() if not task.key.startswith("rule ")),
                remedy=text.clean(result.fix),
                cost=cost.said,
                cost_formula=cost.formula,
                cost_means=text.clean(cost.means),
                effort=_effort(steps, guidance),
                owner=text.clean(rule.owner or guidance.owners.get(result.chapter, "Management")),
                days=0,
                baseline=_baseline(kind, figure, rule),
                target=_target(kind, figure, rule),
                **_check(result, kind, figure, rule),
            )
            cost_known = cost.high if cost.high is not None else -1.0
            found.append(Found(gap, OpenGap(gap.id, tuple(steps), rule.feeds, cost_known), wanted, steps))
    return found


def steps_of(found: Sequence[Found], tables: frozenset[str]) -> dict[Task, str]:
    """Every task in words; one that several gaps wait for has the fields of all of them."""
    said = {task: step for one in reversed(found) for task, step in one.steps.items()}
    for table, columns in wants.by_table(dict.fromkeys(address for one in found for address in one.wanted)).items():
        said |= {task: wants.step(table, columns, tables) for task in said if task.key == table}
    return said


def owners(found: Sequence[Found]) -> dict[Task, str]:
    """Who sees to each task: whoever owns most of the gaps that wait for it, of equals the first."""
    voices: dict[Task, Counter[str]] = {}
    for one in found:
        for task in one.open.tasks:
            voices.setdefault(task, Counter())[one.gap.owner] += 1
    return {task: voice.most_common(1)[0][0] for task, voice in voices.items()}


def _steps(
    result: Result, rule: QuestionGuidance, wanted: Sequence[str], tables: frozenset[str], guidance: Guidance
) -> dict[Task, str]:
    """The exports and fields of the gap, and its own rule where none is wanted or the rule takes longer to show."""
    asked = {address.partition(".")[0] for address in rule.asks}
    foreseen = [address for address in wanted if address.partition(".")[0] in asked]
    steps = {
        Task(table, guidance.effort_of(table, is_new=table not in tables)): wants.step(table, columns, tables)
        for table, columns in wants.by_table(foreseen or wanted).items()
    }
    longest = max((guidance.efforts[task.effort].days for task in steps), default=0)
    own = rule.effort or ("" if steps else HABIT)
    if own and guidance.efforts[own].days > longest:
        steps[Task(f"rule {result.fix}", own)] = text.clean(f"{result.title}: {result.fix}")
    return steps


def _effort(steps: Iterable[Task], guidance: Guidance) -> str:
    tasks = tuple(steps)
    says = dict.fromkeys(text.clean(guidance.efforts[task.effort].says) for task in tasks)
    return f"{work(sum(guidance.efforts[task.effort].work for task in tasks))} of work: {'; '.join(says)}"


def work(days: float) -> str:
    """Working days in words: half a day, 1 day, 2.5 days."""
    return "half a day" if days == 0.5 else f"{days:g}{text.NO_BREAK}{'day' if days == 1 else 'days'}"


def _is_short(figure: Metric | None, rule: QuestionGuidance) -> bool:
    value = figure.value if figure else None
    if figure is None or rule.target is None or isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value > rule.target if figure.better == "down" else value < rule.target


def _missing(
    result: Result,
    kind: str,
    wanted: Sequence[str],
    tables: frozenset[str],
    figure: Metric | None,
    rule: QuestionGuidance,
) -> Iterable[str]:
    if kind != "thin" and result.reason and not result.missing:
        yield text.clean(result.reason)
    if figure is not None:
        yield f"{_label(figure, rule)}: {_short_of(figure, rule)}, where {_aim(figure, rule)} is wanted."
        if figure.note:
            yield text.clean(f"{figure.note[:1].upper()}{figure.note[1:]}.")
    yield from wants.lines(wanted, rule.asks, tables)
    for lack in lacks(result.missing):
        if len(lack) > 1:
            chosen = _chosen(lack, rule.asks)
            yield wants.instead(chosen, [address for address in lack if address != chosen])


def _baseline(kind: str, figure: Metric | None, rule: QuestionGuidance) -> str:
    said = {"unanswerable": "no answer", "partial": "answered in part", "thin": ""}[kind]
    value = _short_of(figure, rule) if figure is not None and figure.value is not None else ""
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


def _short_of(figure: Metric, rule: QuestionGuidance) -> str:
    """The figure, which may look like its target when it is rounded and is not there yet."""
    value, target = _value(figure), text.value(rule.target, figure.unit)
    return f"just {'over' if figure.better == 'down' else 'under'} {value}" if value == target else value


def _aim(figure: Metric, rule: QuestionGuidance) -> str:
    return f"{'at most' if figure.better == 'down' else 'at least'} {text.value(rule.target, figure.unit)}"
