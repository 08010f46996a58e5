"""The plan: what answers most comes first, no month holds more work than there is time for, and nothing is promised early."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from crmaudit.gap.guidance import Effort
from crmaudit.gap.plan import MONTH, OpenGap, Slot, Task, done_by, last_task, schedule

EFFORTS = {
    "export": Effort(says="", work=1, days=30),
    "habit": Effort(says="", work=1, days=90),
    "project": Effort(says="", work=10, days=90),
}
TICKETS, CALLS, RULE = Task("tickets", "export"), Task("activities", "export"), Task("rule", "habit")


def order(*gaps: OpenGap, days: float = 10) -> list[str]:
    return [slot.task.key for slot in schedule(gaps, EFFORTS, days)]


def test_what_answers_most_for_a_days_work_comes_first() -> None:
    one = OpenGap("one", (CALLS,))
    many = [OpenGap(f"of many {i}", (TICKETS,)) for i in range(3)]
    assert order(one, *many) == ["tickets", "activities"]


def test_a_gap_that_feeds_others_goes_before_one_that_feeds_none() -> None:
    plain, feeding = OpenGap("plain", (CALLS,)), OpenGap("feeding", (TICKETS,), feeds=("plain", "not open"))
    assert order(plain, feeding) == ["tickets", "activities"]
    assert order(plain, OpenGap("feeding", (TICKETS,), feeds=("not open",))) == ["activities", "tickets"]


def test_of_equals_the_dearest_comes_first_then_what_takes_longest_to_show() -> None:
    cheap, dear = OpenGap("cheap", (CALLS,), cost=1), OpenGap("dear", (TICKETS,), cost=2)
    slow = OpenGap("slow", (RULE,), cost=1)
    assert order(cheap, slow, dear) == ["tickets", "rule", "activities"]


def test_of_a_gaps_work_that_which_others_wait_for_comes_first() -> None:
    others = [OpenGap(key, (Task(f"rule {key}", "habit"),)) for key in "abcde"]
    both = OpenGap("both", (CALLS, TICKETS), feeds=tuple("abcde"))
    assert order(both, OpenGap("tickets too", (TICKETS,), cost=-2), *others)[:2] == ["tickets", "activities"]


def test_a_gap_is_closed_when_its_last_piece_of_work_is_done() -> None:
    gap = OpenGap("both", (RULE, CALLS))
    slots = schedule([gap], EFFORTS, 10)
    assert (done_by(gap, slots), last_task(gap, slots)) == (90, RULE)


def test_what_does_not_fit_into_a_month_waits_for_the_next() -> None:
    gaps = [OpenGap(str(i), (Task(str(i), "export"),)) for i in range(5)]
    assert [(slot.begins, slot.done) for slot in schedule(gaps, EFFORTS, 2)] == [
        (0, 30),
        (0, 30),
        (30, 60),
        (30, 60),
        (60, 90),
    ]


def test_a_project_longer_than_a_month_is_done_when_its_days_are_worked() -> None:
    project, after = OpenGap("project", (Task("project", "project"),), cost=1), OpenGap("after", (RULE,))
    slots = {slot.task.key: slot for slot in schedule([project, after], EFFORTS, 2.5)}
    assert (slots["rule"].begins, slots["rule"].done) == (0, 90)
    assert (slots["project"].begins, slots["project"].done) == (30, 150)


@given(st.integers(0, 2**32), st.floats(0.5, 20))
def test_laws_of_the_plan(seed: int, days: float) -> None:
    chance = random.Random(seed)  # noqa: S311 -- a seed for a test
    tasks = [Task(str(i), chance.choice(list(EFFORTS))) for i in range(12)]
    gaps = [OpenGap(str(i), tuple(chance.sample(tasks, chance.randint(1, 4)))) for i in range(15)]
    slots = schedule(gaps, EFFORTS, days)
    assert {slot.task for slot in slots} == {task for gap in gaps for task in gap.tasks}
    assert len({slot.task for slot in slots}) == len(slots)
    assert [slot.begins for slot in slots] == sorted(slot.begins for slot in slots)
    for slot in slots:
        assert slot.done - slot.begins >= EFFORTS[slot.task.effort].days
    for end in range(MONTH, MONTH * 40, MONTH):
        assert _work([slot for slot in slots if slot.begins < end], end) <= days * end / MONTH + 1e-9
    assert schedule(gaps, EFFORTS, days) == slots


def _work(slots: list[Slot], end: int) -> float:
    """Working days that must lie before a day: of what is done by then, all."""
    return sum(EFFORTS[slot.task.effort].work for slot in slots if slot.done <= end)
