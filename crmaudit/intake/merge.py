"""Several exports of one entity become one table: duplicates merged by key, overlapping exports counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from crmaudit.database import create_loaded
from crmaudit.intake.keys import is_unique
from crmaudit.intake.mapping import PARTY
from crmaudit.intake.sql import literal, quoted
from crmaudit.intake.typed import UPDATED, Excluded
from crmaudit.schema import TABLES

OLDER = "a newer row has the same {key}"
REPEATED = "the same row is in an overlapping export"
ORIGIN = ("system", "source_id")


@dataclass(frozen=True)
class Part:
    """One source's typed table, and where it stands among the others."""

    name: str
    source_id: int
    system: str
    columns: tuple[str, ...]
    until: str | None
    """Last fact of the export; the later export is the newer one."""
    path: str
    has_updated: bool
    has_unique_key: bool


@dataclass(frozen=True)
class Merged:
    """What merging left out, and said, by source."""

    excluded: dict[int, list[Excluded]]
    notes: dict[int, list[str]]


def merge(con: duckdb.DuckDBPyConnection, entity: str, parts: Sequence[Part], amount: str | None) -> Merged:
    """Make `loaded.<entity>` from its parts, which are used up. Without parts the table is empty.

    Rows of one key within a system: the newest stays (its own date of change, else the export's last fact, else the
    file name, else the later row). Where one file has a key twice for different customers, and no other table refers
    to that key, these are two records under one id and both stay. Rows without a key: identical rows of one file
    stay; of several files the one with most of them counts.
    """
    target = f"loaded.{entity}"
    is_plain = len(parts) == 1 and (parts[0].has_unique_key or TABLES[entity].key not in parts[0].columns)
    if not is_plain:
        _write_origin(con, parts)
    if len(parts) == 1:
        con.execute(f"alter table {parts[0].name} rename to {quoted(entity)}")
    elif parts:
        union = " union all by name ".join(f"select * from {p.name}" for p in parts)
        con.execute(f"create table {target} as {union}")
        for part in parts:
            con.execute(f"drop table {part.name}")
    merged = Merged({p.source_id: [] for p in parts}, {p.source_id: [] for p in parts})
    if parts and not is_plain:
        _by_key(con, entity, parts, amount, merged)
        _without_key(con, entity, parts, amount, merged.excluded)
    if any(p.has_updated for p in parts):
        con.execute(f"alter table {target} drop column {UPDATED}")
    _complete(con, entity, {c for p in parts for c in p.columns}, _origin(parts[0]) if is_plain else ORIGIN)
    return merged


def _origin(part: Part) -> tuple[str, ...]:
    """The system and number of a source as SQL."""
    return f"{literal(part.system)}::varchar as system", f"{part.source_id}::integer as source_id"


def _write_origin(con: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> None:
    """Marks every row with its source; the rows of a source that nothing is merged with need no marks."""
    for part in parts:
        con.execute(f"alter table {part.name} add column system varchar default {literal(part.system)}")
        con.execute(f"alter table {part.name} add column source_id integer default {part.source_id}")


def _by_key(
    con: duckdb.DuckDBPyConnection, entity: str, parts: Sequence[Part], amount: str | None, merged: Merged
) -> None:
    key = TABLES[entity].key
    if key is None or not any(key in p.columns for p in parts):
        return
    target = f"loaded.{entity}"
    if is_unique(con, target, key, one_system=len({p.system for p in parts}) == 1):
        return
    present = {c for p in parts for c in p.columns}
    party = [c for c in (*PARTY, "subscription_id") if c in present and c != key]
    whose = f"concat_ws(chr(31), {', '.join(f'coalesce({c}, chr(30))' for c in party)})" if party else "''"
    twins = f"count(distinct {whose}) > 1 and {'false' if _is_referred_to(entity) else 'true'}"
    con.execute(
        f"create or replace temp table shared_keys as select system, {key} as k, bool_or(twins) as twins from ("
        f"select system, {key}, source_id, {twins} as twins, count(*) as n from {target} "
        f"where {key} is not null group by all) group by all having sum(n) > 1"
    )
    rank = " ".join(
        f"when {p.source_id} then {i}"
        for i, p in enumerate(sorted(parts, key=lambda p: (p.until or "", p.path, p.source_id)))
    )
    newest = f"{UPDATED} desc nulls last, " if any(p.has_updated for p in parts) else ""
    con.execute(
        f"create or replace temp table older as select r from (select t.rowid as r, row_number() over ("
        f"partition by t.system, t.{key}, case when twins then {whose} end "
        f"order by {newest}case source_id {rank} end desc, t.rowid desc) as place "
        f"from {target} t join shared_keys s on s.system = t.system and s.k = t.{key}) where place > 1"
    )
    for source_id, keys in con.execute(
        f"select source_id, count(distinct {key}) from {target} t join shared_keys s on s.system = t.system "
        f"and s.k = t.{key} where twins group by all order by all"
    ).fetchall():
        merged.notes[source_id].append(f"{keys} {key} values are on records of different customers: both are kept")
    _drop(con, entity, amount, OLDER.format(key=key), merged.excluded)


def _without_key(
    con: duckdb.DuckDBPyConnection,
    entity: str,
    parts: Sequence[Part],
    amount: str | None,
    excluded: dict[int, list[Excluded]],
) -> None:
    systems = [p.system for p in parts]
    if len(set(systems)) == len(systems):
        return
    key = TABLES[entity].key
    columns = sorted({c for p in parts for c in p.columns})
    keyless = f"where {key} is null" if key in columns else ""
    same = ", ".join(["system", *map(quoted, columns)])
    rank = " ".join(f"when {p.source_id} then {i}" for i, p in enumerate(parts))
    con.execute(
        f"create or replace temp table older as select r from (select r, row_number() over (partition by {same}, copy "
        f"order by case source_id {rank} end) as place from (select rowid as r, *, row_number() over "
        f"(partition by source_id, {same} order by rowid) as copy from loaded.{entity} {keyless})) where place > 1"
    )
    _drop(con, entity, amount, REPEATED, excluded)


def _drop(
    con: duckdb.DuckDBPyConnection, entity: str, amount: str | None, reason: str, excluded: dict[int, list[Excluded]]
) -> None:
    money = f"sum({amount})" if amount else "null"
    rows = con.execute(
        f"select source_id, count(*), {money} from loaded.{entity} "
        "where rowid in (select r from older) group by all order by all"
    ).fetchall()
    for source_id, count, total in rows:
        excluded[source_id].append(Excluded(reason, count, None if total is None else Decimal(total)))
    if rows:
        con.execute(f"delete from loaded.{entity} where rowid in (select r from older)")
    con.execute("drop table older")


def _complete(con: duckdb.DuckDBPyConnection, entity: str, present: set[str], origin: Sequence[str]) -> None:
    """What is the same in all rows, by a view: stored, it would take the room of values."""
    if not present:
        create_loaded(con, [entity])
        return
    rows = f"loaded.rows_of_{entity}"
    con.execute(f"alter table loaded.{entity} rename to rows_of_{entity}")
    columns = [
        quoted(c.name) if c.name in present else f"null::{c.sql_type} as {c.name}" for c in TABLES[entity].columns
    ]
    con.execute(f"create view loaded.{entity} as select {', '.join([*columns, *origin])} from {rows}")


def _is_referred_to(entity: str) -> bool:
    return any(c.refers_to == entity for table in TABLES.values() for c in table.columns if table.name != entity)
