"""What the tests of reading share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from crmaudit.intake.raw import RawTable
from crmaudit.intake.read import read


def shared(*parts: str) -> Path:
    """A folder of data that is kept beside the checkout; the test is skipped where it is absent."""
    root = Path(os.environ.get("CRMAUDIT_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
    folder = root.joinpath(*parts)
    if not folder.exists():
        pytest.skip(f"no shared data at {folder}")
    return folder


@dataclass(frozen=True)
class Desk:
    """A folder of exports, a connection and a place for copies."""

    exports: Path
    workdir: Path
    con: duckdb.DuckDBPyConnection

    def tables(self, path: Path) -> list[RawTable]:
        """The tables of a file, each with as many records as it says."""
        root = self.exports if path.is_relative_to(self.exports) else path.parent
        tables = read(path, root, self.con, workdir=self.workdir)
        for table in tables:
            assert table.rows_read == len(self.rows(table)) + len(table.rejects)
        return tables

    def table(self, content: bytes, name: str = "export.csv") -> RawTable:
        """The one table of a file of that content."""
        path = self.exports / name
        path.write_bytes(content)
        (table,) = self.tables(path)
        return table

    def rows(self, table: RawTable) -> list[list[str]]:
        """All cells, NULL as ''."""
        found = self.con.execute(f"select * from {table.relation}").fetchall()
        assert all(value is None or isinstance(value, str) for row in found for value in row)
        assert all(len(row) == len(table.columns) for row in found)
        return [[value or "" for value in row] for row in found]

    def names(self, table: RawTable) -> tuple[str, ...]:
        """The names of the relation's columns."""
        return tuple(row[0] for row in self.con.execute(f"describe select * from {table.relation}").fetchall())


def lines_of_rejects(table: RawTable) -> list[int]:
    return [reject.line for reject in table.rejects]
