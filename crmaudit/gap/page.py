"""The context of the gap report's templates: everything in words, in its order, with nothing left to compute.

The fields are a contract with those who write templates of their own; docs/gap-templates.md lists them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceLine:
    """An export that was read."""

    name: str
    system: str
    entity: str
    rows: str
    """Rows that were loaded."""
    lost: str
    """Rows that were rejected, or nothing."""
    observed: str


@dataclass(frozen=True)
class Question:
    """A line of the scorecard."""

    id: str
    title: str
    question: str
    status: str
    """`answered`, `partial`, `unanswerable` or `failed`."""
    status_name: str
    answer: str
    """The answer in a sentence, else why there is none."""
    gap: str
    """The number of its gap, or nothing."""


@dataclass(frozen=True)
class Chapter:
    """A chapter of the scorecard."""

    title: str
    answered: int
    partial: int
    unanswerable: int
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Gap:
    """Something that keeps a question from being answered well."""

    number: str
    id: str
    title: str
    question: str
    kind: str
    """`unanswerable`, `partial` or `thin`: answered, on records too incomplete to rely on."""
    kind_name: str
    missing: tuple[str, ...]
    why: str
    """What hangs on the question."""
    steps: tuple[str, ...]
    """The exports and fields to get first, or none."""
    remedy: str
    """What keeps the gap closed."""
    cost: str
    """A range of money, or nothing where the exports do not price it."""
    cost_formula: str
    """The figures the range is made of, or why there is none."""
    cost_means: str
    effort: str
    owner: str
    days: int
    """By when it can be closed: a multiple of 30."""
    baseline: str
    target: str
    check: str
    """How to see that it is closed."""
    assertion: str
    """The same as a line for `[assert]` in crmaudit.toml, where a figure tells it."""


@dataclass(frozen=True)
class Step:
    """A piece of work of the plan."""

    what: str
    owner: str
    effort: str
    done: str
    """The day, counted from today."""
    closes: tuple[str, ...]
    """The numbers of the gaps that it closes."""
    feeds: tuple[str, ...]
    """The numbers of those that wait for something else besides."""
    cost: str
    """Of the dearest gap that it closes, or nothing."""


@dataclass(frozen=True)
class Stage:
    """A month of the plan: what is begun in it, the most useful first, and the gaps that are closed by its end."""

    days: int
    """30, 60 or 90, or 0 for what comes later."""
    title: str
    steps: tuple[Step, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Field:
    """A column to ask for: as the system calls it where that is known, and what it is."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Export:
    """An export to ask for."""

    title: str
    menu: str
    """The path through the system's menus, or nothing where it is not known."""
    is_new: bool
    """Nothing of this kind came; else the export came without these fields."""
    fields: tuple[Field, ...]
    questions: tuple[str, ...]
    """The titles of the questions that it helps to answer."""


@dataclass(frozen=True)
class Request:
    """The data-request sheet of one system."""

    system: str
    exports: tuple[Export, ...]


@dataclass(frozen=True)
class Interviewee:
    """A customer to talk to."""

    customer: str
    customer_class: str
    contact: str
    since: str
    last_purchase: str
    revenue: str
    owner: str
    """The colleague who looks after them, and had better not be the one who asks."""


@dataclass(frozen=True)
class Stratum:
    """One kind of customer to talk to, and what to ask them."""

    title: str
    why: str
    drawn: str
    """How many were drawn of how many."""
    questions: tuple[str, ...]
    people: tuple[Interviewee, ...]


@dataclass(frozen=True)
class Move:
    """A question or a figure that has changed since the earlier audit."""

    title: str
    before: str
    now: str
    tone: str
    """`better`, `worse`, or nothing where no direction is the good one."""


@dataclass(frozen=True)
class Progress:
    """What has changed since the same client's earlier audit."""

    as_of: str
    verdict: str
    questions: tuple[Move, ...]
    figures: tuple[Move, ...]


@dataclass(frozen=True)
class GapPage:
    """The whole gap report."""

    client: str
    prepared_by: str
    logo: str
    """A data URI, or nothing."""
    accent: str
    """A colour as #rrggbb, dark enough for text on white."""
    facts: tuple[tuple[str, str], ...]
    verdict: tuple[str, ...]
    """The report in a few sentences."""
    answered: int
    partial: int
    unanswerable: int
    failed: int
    sources: tuple[SourceLine, ...]
    limitations: tuple[str, ...]
    chapters: tuple[Chapter, ...]
    gaps: tuple[Gap, ...]
    plan: tuple[Stage, ...]
    capacity: str
    """How much work the plan is, and how much of it a month holds."""
    requests: tuple[Request, ...]
    interviews: tuple[Stratum, ...]
    progress: Progress | None
    ranks_people: bool
    version: str
