"""Whether a table's key is one."""

from __future__ import annotations

from itertools import takewhile

import duckdb

from crmaudit.intake.sql import one_row

NUMBERS_A_ROW = 32
"""Of running numbers a bit is set for each: up to so many times as many bits as rows are cheaper than a hash table."""

LONGEST_NUMBER = 15
WIDEST = 1_000_000_000
"""DuckDB sets no more bits than that."""


def is_unique(con: duckdb.DuckDBPyConnection, table: str, key: str, *, one_system: bool) -> bool:
    """Whether no two rows, of one system, have the same key."""
    if one_system and _is_numbered(con, table, key):
        return True
    identity = f"hash({key})" if one_system else f"hash(system, {key})"
    rows, keys = one_row(
        con, f"select count({key}), count(distinct {identity}) filter ({key} is not null) from {table}"
    )
    return bool(rows == keys)


def _is_numbered(con: duckdb.DuckDBPyConnection, table: str, key: str) -> bool:
    """Whether the keys are one text with different numbers after it, as INV-0001, INV-0002."""
    rows, first, last = one_row(con, f"select count({key}), min({key}), max({key}) from {table}")
    # What the first and the last in order begin with, all between them do.
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(str(first), str(last), strict=False))))
    least, most = str(first)[same:], str(last)[same:]
    if not (least.isdecimal() and most.isdecimal() and max(len(least), len(most)) <= LONGEST_NUMBER):
        return False
    low, high = int(least), int(most)
    if not low <= high < low + min(NUMBERS_A_ROW * rows, WIDEST):
        return False
    number = f"try_cast(substr({key}, {same + 1}) as bigint)"
    numbers = f"select {number} as n from {table}"
    query = f"select bit_count(bitstring_agg(n, {low}, {high})) from ({numbers}) where n between {low} and {high}"
    return bool(one_row(con, query)[0] == rows)
