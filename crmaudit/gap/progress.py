"""What has become better since the same client's earlier audit, and what worse."""

from __future__ import annotations

from crmaudit import text
from crmaudit.gap.guidance import Guidance
from crmaudit.gap.page import Move, Progress
from crmaudit.report import Metric, Report, Result, Status
from crmaudit.view import STATUS_NAMES

_BETTER_LAST: tuple[Status, ...] = ("failed", "unanswerable", "partial", "answered")


def since(earlier: Report, now: Report, guidance: Guidance) -> Progress:
    """Questions whose status has changed, and the figures of completeness that have moved, the largest moves first."""
    before = {result.id: result for result in earlier.audits}
    pairs = [(before[result.id], result) for result in now.audits if result.id in before]
    questions = [_status_move(old, new) for old, new in pairs if old.status != new.status]
    figures = [move for old, new in pairs if (move := _figure_move(old, new, guidance)) is not None]
    figures.sort(key=lambda pair: -pair[0])
    return Progress(
        as_of=text.value(earlier.as_of, "date"),
        verdict=_verdict(questions, [move for _, move in figures]),
        questions=tuple(sorted(questions, key=lambda move: move.tone)),
        figures=tuple(move for _, move in figures),
    )


def _verdict(questions: list[Move], figures: list[Move]) -> str:
    def told(moves: list[Move], one: str) -> str:
        better, worse = (sum(move.tone == tone for move in moves) for tone in ("better", "worse"))
        return f"{text.count(better, one)} better, {text.number(worse)} worse"

    if not questions and not figures:
        return "No question has changed its status, and no record has become more complete or less."
    return f"Answers: {told(questions, 'question')}. Completeness of the records: {told(figures, 'figure')}."


def _status_move(old: Result, new: Result) -> Move:
    better = _BETTER_LAST.index(new.status) > _BETTER_LAST.index(old.status)
    return Move(
        text.clean(new.title), STATUS_NAMES[old.status], STATUS_NAMES[new.status], "better" if better else "worse"
    )


def _figure_move(old: Result, new: Result, guidance: Guidance) -> tuple[float, Move] | None:
    """The change of the figure by which the question's records are judged, with its size for the order."""
    name = guidance.question(new.id).figure or ""
    was, is_ = old.metrics.get(name), new.metrics.get(name)
    if was is None or is_ is None or was.unit != is_.unit:
        return None
    first, last = _number(was), _number(is_)
    written = text.value(was.value, was.unit), text.value(is_.value, is_.unit)
    if first is None or last is None or written[0] == written[1]:
        return None
    tone = "" if is_.better is None else "better" if (last > first) == (is_.better == "up") else "worse"
    size = abs(last - first) / max(abs(first), abs(last))
    title = f"{text.clean(new.title)}: {text.clean(is_.label) or text.name(name)}"
    return size, Move(title, *written, tone)


def _number(metric: Metric) -> float | None:
    value = metric.value
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
