"""The few things that are done to a DuckDB connection and are not SQL of an audit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmaudit.schema import TABLES, Table

if TYPE_CHECKING:
    import duckdb
    import polars as pl


@dataclass
class Database:
    """A connection of one run and the folder for its temporary files."""

    con: duckdb.DuckDBPyConnection
    scratch: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def beside(self) -> Database:
        """Another connection to the same tables, for another thread; which schema it is in is its own."""
        return Database(self.con.cursor(), self.scratch, self._numbers)

    def columns(self, table: str) -> dict[str, str]:
        """Column -> SQL type of a table or view, in order."""
        return {row[0]: row[1] for row in self.con.execute(f"describe {table}").fetchall()}

    def rows(self, query: str) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        """A query's columns with their SQL types, and its rows."""
        rows = self.con.execute(query).fetchall()
        return {name: str(kind) for name, kind, *_ in self.con.description or ()}, rows

    def scalar(self, query: str) -> Any:
        """The first value of the first row; None where there is no row."""
        rows = self.con.execute(query).fetchall()
        return rows[0][0] if rows else None

    @contextmanager
    def inside(self, schema: str) -> Iterator[None]:
        """In here bare names are tables of this schema, where it has such, else those of the models."""
        name = self.scalar("select current_database()")
        self.con.execute(f"use {identifier(name)}.{identifier(schema)}")
        try:
            yield
        finally:
            self.con.execute(f"use {identifier(name)}.main")

    def frame(self, query: str) -> pl.DataFrame:
        """A query's rows, in its order, as a Polars frame; whole numbers of any width as 64 bits.

        By way of a Parquet file: DuckDB's Arrow export leaks at exit, with a page of warnings on stderr.
        """
        import polars as pl  # noqa: PLC0415  # 180 ms that `--help` need not pay

        path = self._next_file()
        self.con.execute(f"copy ({query}) to '{quoted(path)}' (format parquet, compression uncompressed)")
        frame = pl.read_parquet(path, memory_map=False)
        path.unlink()
        return frame

    def store(self, table: str, frame: pl.DataFrame) -> None:
        """Replaces the table by the frame's rows, by way of a Parquet file: DuckDB reads no Polars without Arrow."""
        path = self._next_file()
        frame.write_parquet(path, compression="uncompressed")
        self.con.execute(f"create or replace table {table} as from read_parquet('{quoted(path)}')")
        path.unlink()

    def _next_file(self) -> Path:
        return self.scratch / f"frame_{next(self._numbers)}.parquet"


def quoted(value: object) -> str:
    """A text inside single quotes of SQL."""
    return str(value).replace("'", "''")


def identifier(name: str) -> str:
    """A name inside double quotes of SQL."""
    return '"' + name.replace('"', '""') + '"'


def attach_loaded(con: duckdb.DuckDBPyConnection) -> None:
    """A place in memory, spilling to disk, for rows on their way in: `loaded.<entity>`.

    They are written to the audit's database once, when each knows its party.
    """
    con.execute("attach if not exists ':memory:' as loaded")


def create_loaded(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Empty canonical tables in `loaded`, for entities that no source has."""
    attach_loaded(con)
    statements = []
    for name in tables:
        columns = [f"{c.name} {c.sql_type}" for c in TABLES[name].columns]
        body = ", ".join([*columns, "system varchar", "source_id integer"])
        statements.append(f"create table if not exists loaded.{name} ({body})")
    con.execute("; ".join(statements))


def drop_loaded(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Drops a table of `loaded`, or the view that completes one and what it is a view of."""
    if _is_view(con, table):
        con.execute(f"drop view loaded.{table}; drop table loaded.rows_of_{table}")
    else:
        con.execute(f"drop table loaded.{table}")


def make_writable(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Makes a table of `loaded` one with all its columns, so that rows can be changed."""
    if _is_view(con, table):
        con.execute(f"create table loaded.whole as from loaded.{table}")
        drop_loaded(con, table)
        con.execute(f"alter table loaded.whole rename to {table}")


def _is_view(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    query = "select 1 from duckdb_views() where database_name = 'loaded' and view_name = ?"
    return bool(con.execute(query, [table]).fetchall())


def filled_counts(con: duckdb.DuckDBPyConnection, table: Table) -> tuple[int, dict[str, int]]:
    """The rows of a table of `loaded`, and how many of them fill each canonical column."""
    names = [c.name for c in table.columns]
    if not con.execute(f"select 1 from loaded.{table.name} limit 1").fetchall():
        return 0, dict.fromkeys(names, 0)
    each = ", ".join(f"count({n})" for n in names)
    counts = con.execute(f"select count(*), {each} from loaded.{table.name}").fetchall()[0]
    return counts[0], dict(zip(names, counts[1:], strict=True))


def scanned_columns(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, set[str]]:
    """Tables that a SELECT reads -> the columns of each that it cannot do without, as DuckDB binds them."""
    import json  # noqa: PLC0415

    plan = con.execute(f"explain (format json) {query}").fetchall()[0][1]
    found: dict[str, set[str]] = {}

    def visit(node: dict[str, Any]) -> None:
        info = node.get("extra_info") or {}
        if isinstance(info, dict) and "Table" in info:
            name = str(info["Table"]).removeprefix("memory.").removeprefix("main.")
            columns = info.get("Projections", [])
            # A scan that only counts rows projects one column without a name.
            found.setdefault(name, set()).update({columns} - {""} if isinstance(columns, str) else columns)
        for child in node.get("children", []):
            visit(child)

    for node in json.loads(plan):
        visit(node)
    return found


def selected_columns(sql: str) -> tuple[str, ...]:
    """The names that a SELECT gives its columns, as far as it gives them any; it is parsed, and not run."""
    import json  # noqa: PLC0415

    import duckdb  # noqa: PLC0415

    con = duckdb.connect()
    try:
        (tree,) = con.execute("select json_serialize_sql(?)", [sql]).fetchall()[0]
    finally:
        con.close()
    chosen = json.loads(tree)["statements"][0]["node"].get("select_list", ())
    return tuple(filter(None, (column.get("alias") or column.get("column_names", [""])[-1] for column in chosen)))
