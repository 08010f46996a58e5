"""What there is to be told of each customer as of a run: `queries/news/*.sql`, one kind of news each.

    -- /// news
    -- place    = 1                    where its section stands in the mail
    -- title    = "Gone silent"        what its section is called
    -- subject  = "lead|leads"         the same in a subject line, after a number: of one, and of several
    -- text     = ["...", "..."]       a sentence for each row: the first whose figures are all known
    -- stake    = "{amount} ..."    what the amount is, where the sentence does not say it
    -- says     = ["at_risk"]       kinds that need not be told of a customer beside this one
    -- cleared  = "Bought again."      what it means that a row is gone; not told where absent
    -- entities = [["invoices"]]       of each group one must have come in, or nothing is known this time
    -- reads    = ["audit.table"]      tables of audits, which are there only when these had an answer
    -- moves    = true                 that `mark`, a day or a stage as text, has grown is news as well
    -- ///
    -- /// table news
    select record, party_id, is_entered, level, amount, ... order by ...

A row that is not `is_entered` is in the band between coming in and going out: it keeps who is in, and brings nobody in.
`record` is null where the customer is the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crmaudit import report
from crmaudit.audit_header import Header, split
from crmaudit.audits import unit_of
from crmaudit.database import Database
from crmaudit.errors import AuditFileError
from crmaudit.resources import folder
from crmaudit.sentences import figures_of, fill

OWN = ("record", "party_id", "is_entered", "level", "mark")
"""Columns that are no figures of a sentence."""


@dataclass(frozen=True)
class Kind:
    """One kind of news, as its file says it."""

    id: str
    place: int
    title: str
    subject: str
    texts: tuple[str, ...]
    stake: str
    says: frozenset[str]
    cleared: str
    entities: tuple[tuple[str, ...], ...]
    reads: tuple[str, ...]
    moves: bool
    sql: str


@dataclass(frozen=True)
class Entry:
    """One row of a kind: what holds of a customer or a record now."""

    key: str
    kind: str
    is_entered: bool
    level: report.Level
    text: str
    party: str = ""
    customer: str = ""
    customer_class: str = ""
    p_active: float | None = None
    owner: str = ""
    owner_email: str = ""
    amount: float | None = None
    mark: str = ""


@dataclass(frozen=True)
class Observed:
    """All that holds as of a run, and which kinds its exports cannot tell."""

    as_of: str
    entries: Mapping[str, Entry]
    unknown: frozenset[str]


def read_kinds() -> tuple[Kind, ...]:
    """Every kind in the order of its place; AuditFileError where a file breaks the rules."""
    kinds = [_read_kind(path) for path in sorted((folder("queries") / "news").glob("*.sql"))]
    return tuple(sorted(kinds, key=lambda kind: (kind.place, kind.id)))


def _read_kind(path: Path) -> Kind:
    header, blocks = split(path, "news")
    if [block.name for block in blocks] != ["news"]:
        raise AuditFileError(f"{path}: a kind of news is one SELECT under `-- /// table news`")
    text = Header(path, header)
    kind = Kind(
        id=path.stem,
        place=int(text.data.pop("place", 99)),
        title=text.string("title"),
        subject=text.string("subject"),
        texts=text.one_or_more("text"),
        stake=text.string("stake") if "stake" in text.data else "",
        says=frozenset(text.strings("says")),
        cleared=text.string("cleared") if "cleared" in text.data else "",
        entities=tuple(tuple(group) for group in text.data.pop("entities", ())),
        reads=tuple(text.strings("reads")),
        moves=bool(text.data.pop("moves", False)),
        sql=blocks[0].sql,
    )
    text.must_be_used_up()
    return kind


def observe(db: Database, kinds: Iterable[Kind], told: report.Report, known: Collection[str] = ()) -> Observed:
    """The entries of an audit's database, and the findings of its report by their keys.

    Of the band, which may hold half a base, only those that the last mail knew by their key.
    """
    people = (folder("queries") / "weekly" / "people.sql").read_text(encoding="utf-8")
    came = {row[0] for row in db.con.execute("select entity from coverage where row_count > 0").fetchall()}
    tables = {
        f"{row[0]}.{row[1]}" for row in db.con.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    }
    entries: dict[str, Entry] = {}
    unknown: set[str] = set()
    for kind in kinds:
        if all(came.intersection(group) for group in kind.entities) and tables.issuperset(kind.reads):
            entries |= {entry.key: entry for entry in _entries(db, kind, people, told.currency, known)}
        else:
            unknown.add(kind.id)
    entries |= {entry.key: entry for entry in _findings(told)}
    unknown |= {f"audit:{result.id}" for result in told.audits if result.status in ("unanswerable", "failed")}
    return Observed(told.as_of or "", entries, frozenset(unknown))


def _entries(db: Database, kind: Kind, people: str, currency: str, known: Collection[str]) -> Iterable[Entry]:
    types = db.columns(f"({kind.sql})")
    names = ("party", "customer", "class", "p_active", "owner", "owner_email")
    done = db.con.execute(
        f"select n.*, {', '.join(f'w.{name}' for name in names)} from ({kind.sql}) n "
        f"left join ({people}) w on w.party_id = n.party_id"
    )
    for row in iter(done.fetchone, None):
        own: dict[str, Any] = dict(zip(types, row, strict=False))
        who: dict[str, Any] = dict(zip(names, row[len(types) :], strict=True))
        key = f"{kind.id}/{own['record'] or who['party']}"
        if not (own["is_entered"] or kind.moves or key in known):
            continue
        values = {
            name: (report.rounded(own[name]), unit_of(name, kind_of))
            for name, kind_of in types.items()
            if name not in OWN
        }
        amount = report.rounded(own["amount"])
        yield Entry(
            key=key,
            kind=kind.id,
            is_entered=bool(own["is_entered"]),
            level=own["level"],
            text=_sentence(kind.texts, values, currency),
            party=who["party"] or "",
            customer=who["customer"] or "",
            customer_class=who["class"] or "",
            p_active=report.rounded(who["p_active"]),
            owner=who["owner"] or "",
            owner_email=who["owner_email"] or "",
            amount=amount if isinstance(amount, int | float) else None,
            mark=own.get("mark") or "",
        )


def _sentence(texts: Iterable[str], values: Mapping[str, tuple[Any, str]], currency: str) -> str:
    texts = tuple(texts)
    known = (text for text in texts if all(values[name][0] is not None for name in figures_of(text)))
    return fill(next(known, texts[-1]), values, currency)


def _findings(told: report.Report) -> Iterable[Entry]:
    """Findings to act on or to watch; those about the data stand apart."""
    for finding in told.findings:
        if finding.level in ("act", "watch"):
            yield Entry(f"data/{finding.key}", "data", True, finding.level, finding.text)
    for result in told.audits:
        seen: Counter[str] = Counter()
        for finding in result.findings:
            # Two rules of one level over one table share a key.
            seen[finding.key] += 1
            number = f"#{seen[finding.key]}" if seen[finding.key] > 1 else ""
            if finding.level in ("act", "watch"):
                yield Entry(f"finding/{finding.key}{number}", f"audit:{result.id}", True, finding.level, finding.text,
                            amount=finding.value_at_stake)  # fmt: skip
