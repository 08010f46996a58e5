"""What is done when: of all that is open, the work that answers most for its length first, and no more than fits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crmaudit.gap.guidance import Effort

MONTH = 30
"""Days; what is done is promised for the end of one."""


@dataclass(frozen=True)
class Task:
    """A piece of work: an export to get, fields to add to one, or a rule of one gap's own. Gaps may share it."""

    key: str
    effort: str
    """The name of an effort of gap.toml."""


@dataclass(frozen=True)
class OpenGap:
    """What closes a gap, which other gaps it feeds, and what it costs to leave it open (less than 0: not known)."""

    id: str
    tasks: tuple[Task, ...]
    feeds: tuple[str, ...] = ()
    cost: float = -1.0


@dataclass(frozen=True)
class Slot:
    """When a task is begun and done, in days from today."""

    task: Task
    begins: int
    done: int


def schedule(gaps: Sequence[OpenGap], efforts: Mapping[str, Effort], days_a_month: float) -> tuple[Slot, ...]:
    """The tasks of all gaps in the order in which they are begun, each once.

    Next is always the gap with the most open gaps that its remaining work answers or feeds, per working day; of equals
    the dearest, then the one that takes longer to show, then the first. A month has `days_a_month` working days; a task
    that does not fit into what is left of one is begun in the next.
    """
    open_ = {gap.id: gap for gap in gaps}
    slots: dict[Task, Slot] = {}
    clock = _Clock(days_a_month)
    while waiting := [gap for gap in open_.values() if not slots.keys() >= set(gap.tasks)]:
        best = max(waiting, key=lambda gap: _rank(gap, waiting, slots, efforts))
        left = [task for task in best.tasks if task not in slots]
        for task in sorted(left, key=lambda task: -sum(task in gap.tasks for gap in waiting)):
            slots[task] = clock.take(task, efforts[task.effort])
    return tuple(slots.values())


def _rank(
    gap: OpenGap, waiting: Sequence[OpenGap], done: Iterable[Task], efforts: Mapping[str, Effort]
) -> tuple[float, float, int]:
    left = set(gap.tasks) - set(done)
    helped = {other.id for other in waiting if left & set(other.tasks) or other.id in gap.feeds}
    work = sum(efforts[task.effort].work for task in left)
    return len(helped) / work, gap.cost, max(efforts[task.effort].days for task in left)


class _Clock:
    """Months with so many working days each."""

    def __init__(self, days_a_month: float) -> None:
        self.days_a_month = days_a_month
        self.month = 0
        self.left = days_a_month

    def take(self, task: Task, effort: Effort) -> Slot:
        if self.left < min(effort.work, self.days_a_month):
            self._turn()
        begins = MONTH * self.month
        self.left -= effort.work
        worked = self.month + 1
        while self.left < 0:
            self._turn(self.left)
            worked = self.month + 1
        shows = begins + MONTH * math.ceil(effort.days / MONTH)
        return Slot(task, begins, max(shows, MONTH * worked))

    def _turn(self, owed: float = 0.0) -> None:
        self.month += 1
        self.left = self.days_a_month + owed


def done_by(gap: OpenGap, slots: Iterable[Slot]) -> int:
    """The day by which all of a gap's tasks are done."""
    return max(slot.done for slot in slots if slot.task in gap.tasks)


def last_task(gap: OpenGap, slots: Sequence[Slot]) -> Task:
    """The task that closes the gap: of its own the one that is done last, of several the one begun last."""
    return max((slot for slot in slots if slot.task in gap.tasks), key=lambda slot: (slot.done, slots.index(slot))).task
