"""Whether a table's key is one."""

from __future__ import annotations

import duckdb

from crmaudit.intake.sql import one_row


def is_unique(con: duckdb.DuckDBPyConnection, table: str, key: str, *, one_system: bool) -> bool:
    """Whether no two rows, of one system, have the same key."""
    identity = f"hash({key})" if one_system else f"hash(system, {key})"
    rows, keys = one_row(
        con, f"select count({key}), count(distinct {identity}) filter ({key} is not null) from {table}"
    )
    return bool(rows == keys)
