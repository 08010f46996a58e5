"""The page that the templates print: the report in words, with nothing left to compute."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from markupsafe import Markup

from crmaudit import text
from crmaudit.report import Level


@dataclass(frozen=True)
class Card:
    """A metric: label, value, and a line on what it rests on."""

    label: str
    value: str
    interval: str = ""
    n: str = ""
    note: str = ""
    better: str = ""
    change: str = ""
    tone: str = ""
    """`better` or `worse`, where the report says which way is better; `within chance` where its interval spans 0."""
    audit: str = ""
    trend: Markup = field(default_factory=Markup)
    """A line through the figure's earlier dates, where there are three."""
    trend_from: str = ""
    """What the figure was at the first of these dates."""


@dataclass(frozen=True)
class Line:
    """A finding with what it concerns."""

    level: Level
    level_name: str
    text: str
    customers: str
    stake: str
    audit: str
    audit_title: str
    table: str
    """The anchor of the table that lists the customers, or nothing."""


@dataclass(frozen=True)
class Group:
    """The findings of one level."""

    level: Level
    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Head:
    """A column's heading, and whether it holds numbers."""

    label: str
    number: bool


@dataclass(frozen=True)
class TableView:
    """A table with its cells in words; `shape` is a class for each column of numbers (`n2 n3`)."""

    anchor: str
    title: str
    label: str
    """The title with that of its question, which no other table has."""
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    address: str
    shape: str
    short: bool
    is_cut: bool = False
    """Whether a cell has more to say than fits here."""

    @property
    def extent(self) -> str:
        """How many of its rows are here, in words."""
        return self.extent_of(len(self.rows))

    def extent_of(self, most: int) -> str:
        """The same where only the first `most` of them are printed."""
        printed = min(most, len(self.rows))
        rows = text.count(self.total, "row")
        return f"the first {text.number(printed)} of {rows}" if self.total > printed else rows

    def strips(self, broad: int) -> tuple[TableView, ...]:
        """The table in strips of at most `broad` columns, each with the first one before it, as paper holds them."""
        rest = range(1, len(self.heads))
        cuts = [(0, *rest[at : at + broad - 1]) for at in range(0, len(rest), broad - 1)] or [(0,)]
        numbers = {int(name[1:]) - 1 for name in self.shape.split()}
        return tuple(
            replace(
                self,
                heads=tuple(self.heads[i] for i in cut),
                rows=tuple(tuple(row[i] for i in cut) for row in self.rows),
                shape=" ".join(f"n{place + 1}" for place, i in enumerate(cut) if i in numbers),
            )
            for cut in cuts
        )


@dataclass(frozen=True)
class Figure:
    """A chart and the table behind it; `svg` is our own mark-up, `problem` why there is none."""

    name: str
    """A name for a file: letters, digits and hyphens."""
    svg: Markup
    caption: str
    description: str
    problem: str
    note: str
    table: TableView | None
    elsewhere: str
    """The anchor of the table where an earlier figure shows it already."""


@dataclass(frozen=True)
class MethodView:
    """How an estimate was made; `facts` are parameters and checks by name, `candidates` the models compared."""

    name: str
    papers: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    candidate_heads: tuple[str, ...]
    candidates: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Exhibit:
    """One audit."""

    id: str
    anchor: str
    title: str
    headline: str
    question: str
    why: str
    fix: str
    status: str
    status_name: str
    reason: str
    bias: str
    cards: tuple[Card, ...]
    findings: tuple[Line, ...]
    figures: tuple[Figure, ...]
    tables: tuple[TableView, ...]
    """Those that no figure shows."""
    every_table: tuple[TableView, ...]
    methods: tuple[MethodView, ...]
    missing: tuple[str, ...]
    """Each thing that is missing: a column, or several of which one is enough, and where they are usually found."""
    command: str
    """The command that explains the audit, where its id is a plain word."""


@dataclass(frozen=True)
class Chapter:
    """The audits of one chapter, those without an answer apart."""

    anchor: str
    title: str
    exhibits: tuple[Exhibit, ...]
    unanswered: tuple[Exhibit, ...]


@dataclass(frozen=True)
class Definitions:
    """A figure of an audit, first as it is told there, then under the other definitions that experts use."""

    audit: str
    title: str
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Export:
    """A thing to export, and the questions that it would help to answer."""

    where: str
    columns: tuple[str, ...]
    questions: tuple[Exhibit, ...]


@dataclass(frozen=True)
class SourceView:
    """One export and its accounting: read = loaded + rejected + excluded."""

    name: str
    system: str
    entity: str
    read: str
    loaded: str
    rejected: str
    excluded: str
    balance: str
    adds_up: bool
    observed: str
    exclusions: tuple[str, ...]
    unconverted: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    unmapped: tuple[str, ...]
    unused: str
    """How many columns were not used, or nothing."""
    evidence: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """The whole report."""

    title: str
    facts: tuple[tuple[str, str], ...]
    story: tuple[str, ...]
    """The state of the base in sentences."""
    verdict: str
    """How much there is to act on, and how much could be answered."""
    groups: tuple[Group, ...]
    data: tuple[Line, ...]
    base: tuple[Card, ...]
    chapters: tuple[Chapter, ...]
    definitions: tuple[Definitions, ...]
    exports: tuple[Export, ...]
    unanswered: tuple[Exhibit, ...]
    failed: tuple[Exhibit, ...]
    sources: tuple[SourceView, ...]
    comparisons: str
    version: str
