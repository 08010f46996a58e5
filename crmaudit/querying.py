"""SQL of a user's over an audit's database: read-only, no file, no network, no change of settings."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TextIO

import duckdb

from crmaudit.errors import UsageError
from crmaudit.text import clean

LARGEST_ON_TERMINAL = 1_000


def open_locked(database: Path) -> duckdb.DuckDBPyConnection:
    """A connection to an audit's database that can do nothing but read it."""
    con = duckdb.connect(
        str(database),
        read_only=True,
        config={"autoinstall_known_extensions": False, "python_enable_replacements": False},
    )
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def run(sql: str, audit: Path, out: TextIO, *, as_csv: bool) -> None:
    """Prints the rows of one SELECT; UsageError with DuckDB's own words where it cannot be run."""
    database = audit / "audit.duckdb"
    if not database.is_file():
        raise UsageError(f"{audit} holds no audit.duckdb; run `crmaudit analyze EXPORTS --out {audit}` first")
    con = open_locked(database)
    try:
        con.execute(sql)
        names = [column[0] for column in con.description or ()]
        rows = con.fetchall()
    except duckdb.Error as error:
        raise UsageError(str(error)) from error
    finally:
        con.close()
    if as_csv:
        writer = csv.writer(out)
        writer.writerow(names)
        writer.writerows(rows)
        return
    _print_table(names, rows, out)


def _print_table(names: list[str], rows: list[tuple[object, ...]], out: TextIO) -> None:
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE)
    for name in names:
        table.add_column(Text(clean(name)))
    for row in rows[:LARGEST_ON_TERMINAL]:
        table.add_row(*(Text("" if value is None else clean(str(value))) for value in row))
    console = Console(file=out, markup=False, highlight=False)
    console.print(table)
    if len(rows) > LARGEST_ON_TERMINAL:
        console.print(f"{len(rows):,} rows; the first {LARGEST_ON_TERMINAL:,} are shown. All of them: --csv")
