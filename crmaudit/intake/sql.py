"""Small helpers to put SQL together and to ask for a single row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def listed(texts: Iterable[str]) -> str:
    """A SQL list in brackets, for IN."""
    return "(" + ", ".join(literal(t) for t in texts) + ")"


def one_row(con: duckdb.DuckDBPyConnection, query: str, values: Any = None) -> tuple[Any, ...]:
    """The only row of a query, read to its end: a result left half read would block the connection."""
    rows = con.execute(query, values).fetchall()
    if len(rows) != 1:
        raise ValueError(f"{len(rows)} rows where one was asked for: {query}")
    return tuple(rows[0])


def number(con: duckdb.DuckDBPyConnection, query: str) -> int:
    """The only value of a query, a count."""
    return int(one_row(con, query)[0])
