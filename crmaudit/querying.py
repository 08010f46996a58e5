"""SQL of a user's over an audit's database: read-only, no file, no network, no change of settings.

It runs in a process of its own, since neither DuckDB's memory limit nor its interrupt stops every query: the system
ends the process that takes too much memory or too long.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TextIO

import duckdb

LARGEST_ON_TERMINAL = 1_000
DEADLINE = 60.0
"""Seconds that a query may take."""
MEMORY = 4 << 30
"""Bytes that its process may take; DuckDB is told a quarter of it and spills the rest to disk."""
_REFUSED = 2


def open_locked(database: Path, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection to an audit's database that can do nothing but read it."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,
    }
    if spill is not None:
        config |= {"temp_directory": str(spill), "memory_limit": f"{MEMORY // 4 >> 20}MiB"}
    con = duckdb.connect(str(database), read_only=True, config=config)
    con.execute("set enable_progress_bar = false")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return con


def run(sql: str, audit: Path, out: TextIO, *, as_csv: bool, deadline: float = DEADLINE) -> None:
    """Prints the rows of one SELECT; UsageError with DuckDB's own words where it cannot be run."""
    from crmaudit.errors import UsageError  # noqa: PLC0415

    database = audit / "audit.duckdb"
    if not database.is_file():
        raise UsageError(f"{audit} holds no audit.duckdb; run `crmaudit analyze EXPORTS --out {audit}` first")
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "answer.csv"
        try:
            done = subprocess.run(  # noqa: S603 -- our own program; paths are arguments, the SQL is its input
                [sys.executable, "-P", "-m", "crmaudit.querying", str(database.resolve()), str(file)],
                env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1]), "PYTHONIOENCODING": "utf-8"},
                input=sql.encode("utf-8", errors="replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=deadline,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"the query took longer than {deadline:g} seconds; --deadline gives it more") from error
        if done.returncode == _REFUSED:
            raise UsageError(done.stderr.decode("utf-8", errors="replace").strip())
        if done.returncode:
            raise UsageError(f"the query was ended: it takes more than {MEMORY >> 30} GiB of memory")
        with file.open(encoding="utf-8", newline="") as rows:
            if as_csv:
                shutil.copyfileobj(rows, out)
            else:
                _print_table(rows, out)


def _print_table(lines: TextIO, out: TextIO) -> None:
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from crmaudit.text import clean  # noqa: PLC0415

    csv.field_size_limit(sys.maxsize)
    rows = csv.reader(lines)
    table = Table(box=box.SIMPLE)
    for name in next(rows, []):
        table.add_column(Text(clean(name)))
    count = 0
    for count, row in enumerate(rows, 1):
        if count <= LARGEST_ON_TERMINAL:
            table.add_row(*(Text(clean(value)) for value in row))
    # Without a terminal there is no width to keep to, and columns squeezed to dots help nobody.
    console = Console(file=out, markup=False, highlight=False, width=None if out.isatty() else 10_000)
    console.print(table)
    if count > LARGEST_ON_TERMINAL:
        console.print(f"{count:,} rows; the first {LARGEST_ON_TERMINAL:,} are shown. All of them: --csv")


def answer(sql: str, database: Path, file: Path) -> None:
    """The child's part: writes the rows as CSV, a header first; duckdb.Error or ValueError where it will not.

    What lies in the file's folder may be read, since DuckDB spills there.
    """
    con = open_locked(database, file.parent)
    try:
        statements = con.extract_statements(sql)
        if [s.type for s in statements] not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
            raise ValueError("a query is one SELECT, and nothing else")
        con.execute(statements[0])
        with file.open("w", encoding="utf-8", errors="replace", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(column[0] for column in con.description or ())
            while rows := con.fetchmany(10_000):
                writer.writerows(rows)
    finally:
        con.close()


def _limit_memory() -> None:
    try:
        import resource  # noqa: PLC0415
    except ImportError:  # Windows has no such limits; the deadline remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _child(database: str, file: str) -> int:
    _limit_memory()
    try:
        answer(sys.stdin.buffer.read().decode("utf-8"), Path(database), Path(file))
    except duckdb.OutOfMemoryException:
        return 1
    except (duckdb.Error, ValueError) as error:
        sys.stderr.write(str(error))
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_child(*sys.argv[1:]))
