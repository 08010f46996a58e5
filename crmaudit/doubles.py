"""Records that one system holds twice, by the rules of identity: e-mail, name, similar name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from crmaudit.resemblance import LINK_SCORE, WORTH_A_LOOK

if TYPE_CHECKING:
    import duckdb

Key = tuple[str, str, str]
"""Entity, system and id of a record."""
Double = tuple[Key, Key, str, float, str]
"""A record, the first such record of its system, and rule, score and evidence that say so."""


def find_doubles(con: duckdb.DuckDBPyConnection, steps: Mapping[str, str]) -> None:
    """Table `doubles`: each record beyond the first, with the first; `possible_doubles`: pairs to look at.

    Expects the tables of `loaded`, `settings` and `apart`. Exact rules make groups; a similar name joins one group to
    an older one, never by way of a third.
    """
    rows = con.execute(
        "select entity, system, first_id, record_id, rule, score, evidence "
        f"from ({steps['doubles']}) order by score desc, entity, system, first_id, record_id"
    ).fetchall()
    exact = [((e, s, record), (e, s, first), rule, float(score), why) for e, s, first, record, rule, score, why in rows]
    first_of = _firsts(exact)
    similar, possible = _by_similar_names(con, first_of)
    moved = {record: first for record, first, *_ in similar}
    told = {double[1]: double for double in reversed(exact)}
    told |= {double[0]: double for double in (*reversed(similar), *reversed(exact))}
    doubles = []
    for record in sorted({*moved, *first_of}):
        first = first_of.get(record, record)
        last = moved.get(first, first)
        if last != record:
            doubles.append((record, last, *told[record][2:]))
    _store(con, "doubles", doubles)
    _store(con, "possible_doubles", possible)


def _firsts(exact: Iterable[Double]) -> dict[Key, Key]:
    """Records of exact rules -> the first of their group, which is nobody's second where there is such a one."""
    group_of: dict[Key, set[Key]] = {}
    exact = tuple(exact)
    for record, first, *_ in exact:
        one, other = group_of.get(first, {first}), group_of.get(record, {record})
        if one is not other:
            large, small = (one, other) if len(one) >= len(other) else (other, one)
            large |= small
            group_of |= dict.fromkeys((*small, first, record), large)
    seconds = {record for record, *_ in exact}
    return {record: min(group - seconds or group) for record, group in group_of.items()}


def _by_similar_names(con: duckdb.DuckDBPyConnection, first_of: Mapping[Key, Key]) -> tuple[list[Double], list[Double]]:
    """Accounts whose names resemble one of their system's: sure ones, and those that somebody should look at."""
    rows = con.execute(
        "select system, account_id, min(name), min(parent_id) from loaded.accounts cross join settings "
        "where grain = 'account' and account_id is not null and name is not null "
        "group by system, account_id order by system, min(created_on) nulls last, account_id"
    ).fetchall()
    kept_apart = set(con.execute("select record, other_record from apart").fetchall())
    joined: list[Double] = []
    possible: list[Double] = []
    for system in sorted({row[0] for row in rows}):
        one, other = _of_system([row[1:] for row in rows if row[0] == system], system, first_of, kept_apart)
        joined.extend(one)
        possible.extend(other)
    return joined, possible


def _of_system(
    accounts: list[tuple[Any, ...]], system: str, first_of: Mapping[Key, Key], kept_apart: set[tuple[str, str]]
) -> tuple[list[Double], list[Double]]:
    """Accounts are (id, name, parent's id), the oldest first."""
    import polars as pl  # noqa: PLC0415

    from crmaudit.names import decide, similar  # noqa: PLC0415

    found = similar([name for _, name, _ in accounts])
    keys: list[Key] = [("account", system, account_id) for account_id, *_ in accounts]
    place = {key: number for number, key in enumerate(keys)}
    pairs: dict[tuple[int, int], tuple[float, bool, str]] = {}
    for older, younger, similarity, is_sure in found.iter_rows():
        first, second = (place[first_of.get(keys[n], keys[n])] for n in (older, younger))
        (id_a, name_a, parent_a), (id_b, name_b, parent_b) = accounts[older], accounts[younger]
        names = (f"account {system} {id_a}", f"account {system} {id_b}")
        if first == second or names in kept_apart or id_a == parent_b or id_b == parent_a:
            continue
        new = (similarity, is_sure, f"{name_b} / {name_a}")
        at = (max(first, second), min(first, second))
        pairs[at] = max(pairs.get(at, new), new, key=lambda pair: (pair[1], pair[0]))
    table = pl.DataFrame(
        [(*at, *pair) for at, pair in sorted(pairs.items())],
        schema={
            "left": pl.UInt32,
            "right": pl.UInt32,
            "similarity": pl.Float64,
            "is_sure": pl.Boolean,
            "why": pl.String,
        },
        orient="row",
    ).with_columns(apart=pl.lit(None, pl.String))
    moved: set[int] = set()
    joined: list[Double] = []
    possible: list[Double] = []
    for left, right, similarity, is_sure, why, _, is_joined in decide(table).iter_rows():
        double: Double = (keys[left], keys[right], "similar name", round(LINK_SCORE * similarity, 4), why)
        if is_joined and right not in moved:
            moved.add(left)
            joined.append(double)
        elif is_sure or similarity >= WORTH_A_LOOK:
            possible.append(double)
    return joined, [double for double in possible if double[0] not in {keys[n] for n in moved}]


def _store(con: duckdb.DuckDBPyConnection, table: str, doubles: Iterable[Double]) -> None:
    con.execute(
        f"create or replace table {table} (entity varchar, system varchar, record_id varchar, first_id varchar, "
        "rule varchar, score double, evidence varchar)"
    )
    rows = [(*record, first[2], rule, score, why) for record, first, rule, score, why in doubles]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute(f"insert into {table} select {', '.join(['unnest(?)'] * len(columns))}", columns)
