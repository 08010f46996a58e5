"""What a file is: which system it came from and which canonical table its rows belong to, with the evidence."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import duckdb

from crmaudit.errors import SettingsError
from crmaudit.intake.mapping import PARTY, ColumnMapping, Links, from_known, is_specific, propose
from crmaudit.intake.overrides import apply_override, override_for
from crmaudit.intake.profile import Profile, profile
from crmaudit.intake.raw import RawTable
from crmaudit.intake.sql import one_row, quoted
from crmaudit.intake.stamps import load_stamps
from crmaudit.intake.synonyms import (
    KnownExport,
    Vocabulary,
    english,
    fits,
    known_exports,
    plain,
    unused_exports,
    vocabulary,
)
from crmaudit.schema import TABLES

GENERIC = "generic"
ACCEPTED = 0.5
"""A file whose best table scores less is told as not recognised."""
_MOST = 0.6
"""Share of a file's columns that must be known where neither its name nor an id says what it is."""
_WHO = {"accounts", "contacts"}
"""Whether customers are companies or people, their list is one of customers: the better fit does no harm."""
_FRACTION = re.compile(r"[.,](?!0$)\d")
"""A whole number with one nought after the mark is how some programs write a column that has gaps."""
_NAMED = ("accounts", "contacts", "products", "users")
CLOSE = 0.05
"""A file that another table fits within this of the best is a question, and not used until somebody answers it."""


@dataclass(frozen=True)
class Candidate:
    """A table a file might be, and how well it fits (0 to 1)."""

    entity: str
    score: float


@dataclass(frozen=True)
class Recognition:
    """What one file or sheet is taken for."""

    profile: Profile
    system: str
    entity: str | None
    """None where it is nothing we know; `reason` then says why."""
    score: float
    evidence: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    """The tables it might be, best first; more than one where it is ambiguous, and then `entity` is None."""
    mapping: ColumnMapping | None
    reason: str | None = None
    overridden: bool = False

    @property
    def table(self) -> RawTable:
        return self.profile.table

    @property
    def is_ambiguous(self) -> bool:
        """Whether it is left out because several tables fit it as well."""
        rivals = [c for c in self.candidates if c.score >= ACCEPTED]
        return self.entity is None and len(rivals) > 1 and not self.overridden


def recognise(
    con: duckdb.DuckDBPyConnection, tables: Sequence[RawTable], *, overrides: Mapping[str, Any] | None = None
) -> tuple[Recognition, ...]:
    """What each table is, judged by its header, its first rows, and the other tables of the folder.

    `overrides` is the `[files]` table of the settings: file name (or path, or `path#sheet`) -> its settings.
    In the order of `tables`. Raises SettingsError where an override cannot be obeyed.
    """
    words = vocabulary()
    overrides = overrides or {}
    _check_overrides(overrides, tables)
    profiles = [profile(con, table, words) for table in tables]
    stamps = [_proven_stamps(con, p) for p in profiles]
    said = [override_for(overrides, table) for table in tables]
    first = [_recognise(p, words, Links(stamps=s), o) for p, s, o in zip(profiles, stamps, said, strict=True)]
    masters = [r for r in first if r.entity in ("accounts", "contacts")]
    people = [r for r in first if r.entity == "users"]
    found = []
    for alone, seen, stamp, override in zip(first, profiles, stamps, said, strict=True):
        links = _links(con, seen, masters, words)
        ours, beside = _our_people(con, seen, masters, people, words)
        found.append(_recognise(seen, words, Links(links, ours, beside, stamp), override) if links else alone)
    return tuple(found)


def _recognise(seen: Profile, words: Vocabulary, links: Links, override: Mapping[str, Any] | None) -> Recognition:
    found = _by_header(seen, words, links) or _unused(seen) or _by_names(seen, words, links)
    if override is None:
        return found
    return _overridden(found, seen, words, links, override)


def _by_header(seen: Profile, words: Vocabulary, links: Links) -> Recognition | None:
    header = {c.plain for c in seen.columns.values()}
    fitting = [known for known in known_exports() if _has(header, known.requires, known.excludes)]
    fitting = [known for known in fitting if _is_signed(known, header) and not _has_fractions(known, seen)]
    if not fitting:
        return None
    known = max(fitting, key=lambda k: (len(k.requires), _coverage(k, header), k.file))
    score = 0.9 + 0.1 * _coverage(known, header)
    evidence = (f"the header of a {known.system} export ({known.file}): {', '.join(known.requires)}",)
    mapping = from_known(known, seen, words, links)
    return Recognition(
        seen, known.system, known.entity, round(score, 2), evidence,
        (Candidate(known.entity, round(score, 2)),), mapping,
    )  # fmt: skip


def _unused(seen: Profile) -> Recognition | None:
    header = {c.plain for c in seen.columns.values()}
    for known in unused_exports():
        whole = not known.columns or header == {plain(n) for n in known.columns}
        if whole and _has(header, known.requires, known.excludes):
            return Recognition(seen, known.system, None, 0.0, (), (), None, known.reason)
    return None


def _has(header: set[str], requires: Sequence[str], excludes: Sequence[str]) -> bool:
    return all(plain(n) in header for n in requires) and not any(plain(n) in header for n in excludes)


def _is_signed(known: KnownExport, header: set[str]) -> bool:
    return not known.signs or any(plain(n) in header for n in known.signs)


def _has_fractions(known: KnownExport, seen: Profile) -> bool:
    """Whether amounts that an export has in the smallest unit have parts of it: then the file is not that export."""
    minor = {plain(n) for n, column in known.columns.items() if column in known.minor_units}
    return any(_FRACTION.search(v) for c in seen.columns.values() if c.plain in minor for v in c.distinct)


def _coverage(known: KnownExport, header: set[str]) -> float:
    return sum(plain(n) in header for n in known.columns) / len(known.columns)


def _by_names(seen: Profile, words: Vocabulary, links: Links) -> Recognition:
    judged = sorted(
        (_judge(entity, seen, words, links) for entity in words.tables), key=lambda j: (-j.score, j.mapping.entity)
    )
    fitting = [j for j in judged if not j.missing]
    best = fitting[0] if fitting else None
    if best is None or best.score < ACCEPTED:
        reason = _why_nothing(seen, words, judged)
        return Recognition(seen, GENERIC, None, best.score if best else 0.0, (), _candidates(fitting), None, reason)
    close = _candidates([j for j in fitting if j.score >= ACCEPTED and j.points >= best.points - CLOSE])
    if len(close) > 1 and not {c.entity for c in close} <= _WHO:
        return Recognition(seen, GENERIC, None, best.score, best.evidence, close, None, _question(seen, close))
    return Recognition(seen, GENERIC, best.mapping.entity, best.score, best.evidence, close, best.mapping)


def _question(seen: Profile, close: Sequence[Candidate]) -> str:
    tables = " or ".join(f"{c.entity} ({c.score:.2f})" for c in close)
    return (
        f'It could be {tables}; say which in crmaudit.toml: [files."{seen.table.path}"] entity = "{close[0].entity}".'
    )


@dataclass(frozen=True)
class _Judged:
    score: float
    mapping: ColumnMapping
    missing: tuple[str, ...]
    evidence: tuple[str, ...]
    points: float
    """The score before it was cut to 1: of two that fit well the one that more speaks for."""


def _judge(entity: str, seen: Profile, words: Vocabulary, links: Links) -> _Judged:
    names = words.tables[entity]
    mapping = propose(entity, seen, words, links)
    filled = {m.column for m in mapping.columns if seen.rows == 0 or seen.columns[m.source].values}
    filled |= {"customer"} & {"customer" for c in PARTY if c in filled}
    missing = [" or ".join(group) for group in names.needs if not filled & set(group)]
    naming = [m for m in mapping.columns if m.column in (TABLES[entity].key, "name", "email", "last_name")]
    if entity in _NAMED and naming and max(len(seen.columns[m.source].values) for m in naming) < seen.rows / 2:
        missing.append("a name or an id in most rows")
    header = {c.plain for c in seen.columns.values()}
    own_key = names.columns.get(TABLES[entity].key or "", ())
    missing += [f"no column {name!r}" for name in names.alien if name in header]
    for concept in names.absent:
        alien = next((n for n in _telling_names(concept, words) if n in header and n not in own_key), None)
        if alien:
            missing.append(f"no column {alien!r}")
    score, evidence = 0.35, []
    key = next((m for m in mapping.columns if m.column == TABLES[entity].key), None)
    if key and seen.columns[key.source].values:
        column = seen.columns[key.source]
        if len(column.distinct) >= 0.99 * column.rows:
            score += 0.25 if is_specific(entity, key) else 0.1
            evidence.append(f"{key.source} identifies its rows")
    word = next((w for w in names.files if f" {w} " in seen.file_words), None)
    if word:
        score += 0.2
        evidence.append(f"the file's name says {word!r}")
    signs = [c for c in names.signs if mapping.has(c)]
    score += min(0.05 * len(signs), 0.1)
    share = len(mapping.columns) / max(len(seen.columns), 1)
    score += 0.2 * share
    if not (key and is_specific(entity, key)):
        score -= 0.15 * _is_keyed_by_another(entity, seen, words)
        if not word and share < _MOST:
            missing.append("a telling file name, an id of its own, or more columns that we know")
    evidence.append(f"{len(mapping.columns)} of {len(seen.columns)} columns are columns of {entity}")
    if signs:
        evidence.append(f"telling columns: {', '.join(filter(None, map(mapping.source_of, signs)))}")
    return _Judged(round(max(min(score, 1.0), 0.0), 2), mapping, tuple(missing), tuple(evidence), score)


def _telling_names(concept: str, words: Vocabulary) -> tuple[str, ...]:
    if concept == "customer":
        return tuple(n for names in words.party.values() for n in names if n.endswith(" id"))
    return tuple(n for t in words.tables.values() for n in t.columns.get(concept, ())[:2])


def _is_keyed_by_another(entity: str, seen: Profile, words: Vocabulary) -> bool:
    for other, names in words.tables.items():
        key = TABLES[other].key
        if other == entity or key is None:
            continue
        first = names.columns[key][0]
        if any(c.plain == first and c.is_unique for c in seen.columns.values()):
            return True
    return False


def _candidates(judged: Sequence[_Judged]) -> tuple[Candidate, ...]:
    return tuple(Candidate(j.mapping.entity, j.score) for j in judged[:3])


def _why_nothing(seen: Profile, words: Vocabulary, judged: Sequence[_Judged]) -> str:
    columns = list(seen.columns.values())
    measures = [c.name for c in columns if any(fits(c.plain, n) for n in words.summary)]
    numbered = [c.name for c in columns if c.plain.isdigit()]
    by_customer = next((c.name for c in columns if c.is_unique and _is_party(c.plain, words)), None)
    if seen.rows == 0:
        return "It has a header and no rows."
    if seen.rows == 1 and len(measures) >= 2:
        return f"A summary in one row ({', '.join(measures[:3])} ...), not records."
    if len(numbered) >= 3:
        return f"A matrix (columns {numbered[0]} to {numbered[-1]}), not records."
    if by_customer and measures:
        return (
            f"A summary by {by_customer} ({', '.join(measures[:3])} ...), not records: no row has its own date and id."
        )
    nearest = judged[0]
    needs = "; ".join(nearest.missing) or "more columns that we know"
    text = f"No table fits: the nearest is {nearest.mapping.entity}, which would need {needs}."
    return f"Measures ({', '.join(measures[:3])}), not records. {text}" if measures else text


def _is_party(name: str, words: Vocabulary) -> bool:
    return name == "id" or any(name in words.party[c] for c in ("customer", "account_id", "contact_id"))


def _links(
    con: duckdb.DuckDBPyConnection, seen: Profile, masters: Sequence[Recognition], words: Vocabulary
) -> dict[str, tuple[str, str]]:
    """What each column that names "the customer" links to, as the accounts and contacts of the folder show."""
    links = {}
    for column in seen.columns.values():
        if column.plain not in words.party["customer"]:
            continue
        found = _joined(con, column.distinct, masters)
        same = next((m for m in masters if _key_name(m) == column.plain), None)
        only = {m.entity for m in masters}
        if found:
            links[column.name] = found
        elif same is not None:
            kind = _party_column(same)
            links[column.name] = (kind, f"named like the key of {same.table.path}, though none of its values are there")
        elif column.values and sum(" " in v for v in column.values) > len(column.values) / 2:
            links[column.name] = ("account_name", "its values are names, not ids")
        elif only == {"accounts"}:
            links[column.name] = ("account_id", "customers are companies in this folder")
        else:
            links[column.name] = ("contact_id", "names the customer; no export says that these are companies")
    return links


def _our_people(
    con: duckdb.DuckDBPyConnection,
    seen: Profile,
    masters: Sequence[Recognition],
    people: Sequence[Recognition],
    words: Vocabulary,
) -> tuple[dict[str, str], frozenset[str]]:
    """The columns of users that are our colleagues by their export, and those that may be, beside the customer's."""
    ours: dict[str, str] = {}
    beside = set()
    naming = {n for c in ("account_id", "contact_id", "account_name", "customer") for n in words.party[c]}
    for column in seen.columns.values():
        if column.plain not in words.party["people"] or _joined(con, column.distinct, masters):
            continue
        known = _joined(con, column.distinct, people)
        if known:
            ours[column.name] = known[1]
        elif any(other.plain in naming and other is not column for other in seen.columns.values()):
            beside.add(column.name)
    return ours, frozenset(beside)


def _joined(
    con: duckdb.DuckDBPyConnection, values: frozenset[str], masters: Sequence[Recognition]
) -> tuple[str, str] | None:
    best: tuple[int, str, str] | None = None
    for master in masters:
        if master.mapping is None or not values:
            continue
        key, name = TABLES[master.mapping.entity].key, "name"
        for column, target in ((key, _party_column(master)), (name, "account_name")):
            source = master.mapping.source_of(column or "")
            if source is None or (target == "account_name" and master.entity != "accounts"):
                continue
            text = f"trim({quoted(source)})"
            query = f"select count(distinct {text}) from {master.table.relation} where {text} in (select unnest(?))"
            count = one_row(con, query, [sorted(values)])[0]
            if count and (best is None or count > best[0]):
                best = (
                    count,
                    target,
                    f"{count} of its {len(values)} sampled values are {source} of {master.table.path}",
                )
    return (best[1], best[2]) if best else None


def _party_column(master: Recognition) -> str:
    return {"accounts": "account_id", "contacts": "contact_id"}.get(master.entity or "", "user_id")


def _key_name(master: Recognition) -> str | None:
    source = master.mapping.source_of(TABLES[master.mapping.entity].key or "") if master.mapping else None
    return english(source) if source else None


def _proven_stamps(con: duckdb.DuckDBPyConnection, seen: Profile) -> dict[str, str]:
    """Load stamps that the first rows suggest and the whole column confirms."""
    proven = {}
    for name, why in load_stamps(seen).items():
        written = f"try_cast({quoted(name)} as timestamp)"
        span = f"select date_diff('second', min({written}), max({written})) from {seen.table.relation}"
        seconds = one_row(con, span)[0]
        if seconds is not None and seconds <= 86_400:
            proven[name] = why
    return proven


def _overridden(
    found: Recognition, seen: Profile, words: Vocabulary, links: Links, override: Mapping[str, Any]
) -> Recognition:
    entity = override.get("entity", found.entity)
    if override.get("ignore"):
        return replace(found, entity=None, mapping=None, reason="The settings say to ignore it.", overridden=True)
    if entity is None:
        return found
    mapping = found.mapping if found.mapping and found.entity == entity else propose(entity, seen, words, links)
    return replace(
        found,
        entity=entity,
        system=override.get("system", found.system),
        mapping=apply_override(mapping, seen, override),
        evidence=("the settings say so", *found.evidence) if "entity" in override else found.evidence,
        score=1.0 if "entity" in override else found.score,
        candidates=(Candidate(entity, 1.0),),
        reason=None,
        overridden=True,
    )


def _check_overrides(overrides: Mapping[str, Any], tables: Sequence[RawTable]) -> None:
    names = {n for t in tables for n in (t.path, PurePosixPath(t.path).name, f"{t.path}#{t.sheet}")}
    for key in overrides:
        if key not in names:
            near = difflib.get_close_matches(key, sorted(names), 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SettingsError(f'[files."{key}"]: there is no such file among the exports.{hint}')
