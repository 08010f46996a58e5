"""Raw tables for tests, as the reader of files would hand them over."""

from __future__ import annotations

import csv
import datetime as dt
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb
import pytest

from crmaudit.intake.load import Loaded, load
from crmaudit.intake.raw import RawTable
from crmaudit.intake.sql import quoted


def raw_table(
    con: duckdb.DuckDBPyConnection, path: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> RawTable:
    """A raw table of text; the first record is on line 2, as in a CSV file with a header."""
    name = f"raw_{len(con.execute('show tables').fetchall())}"
    con.execute(f"create temp table {name} ({', '.join(f'{quoted(c)} varchar' for c in columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        if len(rows) < 500:
            con.executemany(f"insert into {name} values ({marks})", [list(r) for r in rows])
        else:
            turned = {f"c{i}": [r[i] for r in rows] for i in range(len(columns))}
            unnested = ", ".join(f"unnest($c{i}::varchar[])" for i in range(len(columns)))
            con.execute(f"insert into {name} select {unnested}", turned)
    return RawTable(path, None, tuple(columns), name, len(rows), (), 2, True, ())


def raw_file(con: duckdb.DuckDBPyConnection, path: Path) -> RawTable:
    """A clean file read in the simplest way: commas, or white space in `.txt`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [line.split() for line in file] if path.suffix == ".txt" else list(csv.reader(file))
    header = [name or f"column {i + 1}" for i, name in enumerate(rows[0])]
    unique = [name if name not in header[:i] else f"{name} ({i})" for i, name in enumerate(header)]
    wide = [(row + [""] * len(unique))[: len(unique)] for row in rows[1:]]
    return raw_table(con, path.name, unique, wide)


def shared_folder(name: str) -> Path:
    """A folder of the real exports beside the checkout; the test is skipped where they are absent."""
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("CRMAUDIT_SHARED", beside)) / "data" / name
    if not folder.is_dir():
        pytest.skip(f"the real exports are not beside the checkout: no folder {folder.name}")
    return folder


@cache
def real_load(name: str, today: dt.date) -> tuple[duckdb.DuckDBPyConnection, Loaded]:
    """A folder of the real exports, loaded once for all tests that look at it."""
    con = duckdb.connect()
    return con, load(con, raw_folder(con, shared_folder(name)), today=today)


def raw_folder(con: duckdb.DuckDBPyConnection, folder: Path) -> list[RawTable]:
    """Every export of a folder."""
    paths = sorted(p for p in folder.iterdir() if p.suffix in (".csv", ".txt") and p.name != "SOURCE.txt")
    return [raw_file(con, path) for path in paths]
