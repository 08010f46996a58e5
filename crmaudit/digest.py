"""The weekly mail in words: what a template prints, with nothing left to compute or to choose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from crmaudit import text
from crmaudit.changes import Changes, Kept, rank
from crmaudit.news import Entry, Kind
from crmaudit.report import LEVELS
from crmaudit.sentences import fill

FIRST = 5
MOST = 8
"""Lines of a section; the rest is counted."""
MOST_CLEARED = 4
MOST_OF_THE_FIRST_MAIL = 3
"""How things stand is a long story, and none of it is news."""


@dataclass(frozen=True)
class Flow:
    """How many of something the week brought, and how many it was to be expected to bring."""

    name: str
    count: int
    expected: float
    low: int
    high: int
    is_news: bool


@dataclass(frozen=True)
class Item:
    """One customer, or one thing, and what is to be told of it."""

    level: str
    tag: str
    customer: str
    facts: str
    text: str
    also: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """Items under a heading; `more` says how many are not shown."""

    title: str
    items: tuple[Item, ...]
    more: str


@dataclass(frozen=True)
class FlowLine:
    """A flow in words."""

    name: str
    count: str
    usual: str
    verdict: str


@dataclass(frozen=True)
class Digest:
    """The whole mail."""

    subject: str
    title: str
    intro: str
    owner: str
    first: tuple[Item, ...]
    sections: tuple[Section, ...]
    findings: tuple[str, ...]
    more_findings: str
    flows: tuple[FlowLine, ...]
    picture: str
    """What the picture shows; empty: there is none."""
    data: tuple[str, ...]
    cleared: tuple[Section, ...]
    undone: tuple[Section, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Week:
    """What a mail is about: the ISO week of the run, as `2026-W27`, and the words that are not of single customers."""

    name: str
    as_of: str
    currency: str
    flows: tuple[Flow, ...]
    data: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def number(self) -> str:
        return f"Week {int(self.name[-2:])}"


def of_owner(changes: Changes, owner: str) -> Changes:
    """What concerns one colleague's customers."""

    def own(entry: Entry) -> bool:
        return entry.owner == owner

    return replace(
        changes,
        new=tuple(filter(own, changes.new)),
        cleared=tuple(filter(own, changes.cleared)),
        undone=tuple(one for one in changes.undone if own(one.entry)),
        snoozed=0,
    )


def digest(changes: Changes, week: Week, kinds: Collection[Kind], *, owner: str = "", picture: str = "") -> Digest:
    """The mail. With `owner`, who is one colleague, it holds only customers: `changes` are theirs already."""
    by_id = {kind.id: kind for kind in kinds}
    told = [entry for entry in changes.new if entry.kind in by_id]
    faults = [entry for entry in changes.new if entry.kind == "data"]
    groups = list(_by_customer(told, by_id))
    items = [_item(group, by_id, week) for group in groups]
    alarms = [Item("act", "Data", "", "", text.clean(entry.text), ()) for entry in faults if entry.level == "act"]
    turns = [Item("watch", "The week", "", "", _turn(flow), ()) for flow in week.flows if flow.is_news and not owner]
    ranked = sorted([*alarms, *turns, *items], key=lambda item: LEVELS.index(item.level))
    first = tuple(ranked[:FIRST])
    shown = {id(item) for item in first}
    rest = [item for item in items if id(item) not in shown]
    most = MOST if changes.since else MOST_OF_THE_FIRST_MAIL
    findings = [text.clean(entry.text) for entry in changes.new if entry.key.startswith("finding/")]
    return Digest(
        subject=_subject(changes, week, by_id, Counter(group[0].kind for group in groups), owner),
        title=f"{week.number}: your customers" if owner else f"{week.number}: the customer base",
        intro=_intro(changes, week),
        owner=text.clean(owner),
        first=first,
        sections=tuple(_sections(rest, by_id.values(), most)),
        findings=() if owner else tuple(findings[:most]),
        more_findings="" if owner else _more(len(findings) - most),
        flows=() if owner else tuple(map(_flow_line, week.flows)),
        picture=picture,
        data=() if owner else (*(text.clean(e.text) for e in faults if e.level != "act"), *week.data),
        cleared=tuple(_lists(changes.cleared, by_id.values(), _cleared)),
        undone=tuple(_undone(changes.undone, by_id.values())),
        notes=week.notes if owner else (*week.notes, *_snoozed(changes)),
    )


def _by_customer(entries: Iterable[Entry], kinds: Mapping[str, Kind]) -> Iterable[list[Entry]]:
    """Each customer once, with the gravest first; groups in the order of their gravest."""
    groups: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: (*rank(entry)[:2], kinds[entry.kind].place, entry.key)):
        groups.setdefault(entry.party or entry.key, []).append(entry)
    return groups.values()


def _item(group: Sequence[Entry], kinds: Mapping[str, Kind], week: Week) -> Item:
    entry = group[0]
    kind = kinds[entry.kind]
    stake = fill(kind.stake, {"amount": (entry.amount, "money")}, week.currency) if kind.stake and entry.amount else ""
    facts = (f"class {entry.customer_class}" if entry.customer_class else "", stake, text.clean(entry.owner))
    said = frozenset[str]().union(*(kinds[one.kind].says for one in group))
    also = (f"{kinds[other.kind].title}: {text.clean(other.text)}" for other in group[1:] if other.kind not in said)
    return Item(
        level=entry.level,
        tag=kind.title,
        customer=text.clean(entry.customer),
        facts=", ".join(fact for fact in facts if fact),
        text=text.clean(entry.text),
        also=tuple(also),
    )


def _sections(items: Sequence[Item], kinds: Iterable[Kind], most: int) -> Iterable[Section]:
    for kind in kinds:
        own = [item for item in items if item.tag == kind.title]
        if own:
            yield Section(kind.title, tuple(own[:most]), _more(len(own) - most))


def _more(count: int) -> str:
    return f"and {text.number(count)} more in the report" if count > 0 else ""


def _lists(entries: Sequence[Entry], kinds: Iterable[Kind], told: Callable[[Entry, Kind], Item]) -> Iterable[Section]:
    for kind in kinds:
        own = [entry for entry in entries if entry.kind == kind.id]
        if own:
            yield Section(
                kind.title, tuple(told(entry, kind) for entry in own[:MOST_CLEARED]), _more(len(own) - MOST_CLEARED)
            )


def _cleared(entry: Entry, kind: Kind) -> Item:
    return Item("good", kind.title, text.clean(entry.customer), "", text.clean(kind.cleared), ())


def _undone(kept: Sequence[Kept], kinds: Iterable[Kind]) -> Iterable[Section]:
    """What was told and still holds: how many of each kind, and the gravest three."""
    for kind in kinds:
        own = [one for one in kept if one.entry.kind == kind.id]
        if own:
            items = tuple(
                Item(one.entry.level, kind.title, text.clean(one.entry.customer), text.clean(one.entry.owner),
                     f"{text.clean(one.entry.text)} Told as of {one.told_on}.", ())
                for one in own[:3]
            )  # fmt: skip
            yield Section(f"{kind.title}: {text.number(len(own))}", items, _more(len(own) - 3))


def _turn(flow: Flow) -> str:
    size = "fewer" if flow.count < flow.expected else "more"
    return (
        f"{flow.name}: {text.number(flow.count)} in the week, {size} than chance explains; "
        f"{text.number(flow.low)} to {text.number(flow.high)} were to be expected."
    )


def _flow_line(flow: Flow) -> FlowLine:
    verdict = "as usual"
    if flow.is_news:
        verdict = "fewer than chance explains" if flow.count < flow.expected else "more than chance explains"
    return FlowLine(flow.name, text.number(flow.count), f"{text.number(flow.low)} to {text.number(flow.high)}", verdict)


def _subject(changes: Changes, week: Week, kinds: Mapping[str, Kind], customers: Mapping[str, int], owner: str) -> str:
    """Numbers and words of ours only: nothing that an export says may reach a header.

    `customers` are those of each kind, each counted where the mail tells of them first, so that body and subject agree.
    """
    parts = []
    for kind in kinds.values():
        if count := customers.get(kind.id, 0):
            one, _, several = kind.subject.partition("|")
            parts.append(f"{text.number(count)} {one if count == 1 or not several else several}")
    if not owner:
        turned = sum(flow.is_news for flow in week.flows)
        findings = sum(entry.key.startswith("finding/") for entry in changes.new)
        faults = sum(entry.kind == "data" for entry in changes.new)
        for count, one, many in (
            (turned, "unusual number", "unusual numbers"),
            (findings, "new finding", "new findings"),
            (faults, "data fault", "data faults"),
        ):
            if count:
                parts.append(f"{count} {one if count == 1 else many}")
    said = ", ".join(parts) or ("the data are those of the last mail" if changes.is_unchanged else "nothing new")
    return f"{week.number}: {said}" if changes.since else f"{week.number}, the first mail: {said}"


def _intro(changes: Changes, week: Week) -> str:
    if changes.since is None:
        return (
            f"This is the first mail: how things stand as of {week.as_of}. "
            "From the next one on you read what has changed since."
        )
    if changes.is_unchanged:
        return f"The data are those of the last mail, as of {week.as_of}: nothing can be new."
    if not changes.new:
        return f"Nothing is new as of {week.as_of}, since the last mail as of {changes.since}."
    return f"What has changed as of {week.as_of}, since the last mail as of {changes.since}."


def _snoozed(changes: Changes) -> tuple[str, ...]:
    return (f"{text.count(changes.snoozed, 'thing')} about snoozed customers not told.",) if changes.snoozed else ()
