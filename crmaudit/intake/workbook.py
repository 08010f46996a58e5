"""Workbooks and Parquet files, parsed in a process of their own with 1 GiB of memory and 20 seconds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import duckdb

from crmaudit.intake import sheets_to_text
from crmaudit.intake.decode import Utf8
from crmaudit.intake.delimited import read_delimited
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.relation import identifier

DEADLINE = 20.0
"""Seconds a file may take."""
_DATED = re.compile(
    r"date|when|time|datum|fecha|\bdata\b|\bday\b|(?:_|\b)(?:on|at)$|created|closed|signed|since|until|start|end", re.I
)


def read_sheets(
    path: Path, name: str, kind: Literal["workbook", "parquet"], con: duckdb.DuckDBPyConnection, workdir: Path
) -> list[RawTable]:
    """The visible sheets of a workbook, or the one table of a Parquet file.

    Raises:
        Unreadable: the file is broken, takes too much memory or time, or holds nothing.
    """
    folder = Path(tempfile.mkdtemp(dir=workdir, prefix="sheets-"))
    found = _in_a_process(path, name, kind, folder)
    notes = []
    if found["hidden"]:
        notes.append(f"hidden sheets skipped: {', '.join(found['hidden'])}")
    notes.extend(f"sheet {sheet!r} cannot be read ({problem})" for sheet, problem in found["failed"])
    tables = []
    for table in found["tables"]:
        source = folder / table["file"]
        if not source.stat().st_size and "columns" not in table:
            continue
        try:
            raw = read_delimited(
                Utf8(source, 0, valid=True),
                name,
                con,
                workdir,
                sheet=table["sheet"],
                delimiter=b",",
                header=tuple(table["columns"]) if "columns" in table else None,
                line_per_record=True,
            )
        except Unreadable as error:
            notes.append(f"sheet {table['sheet']!r} {error.problem}")
            continue
        numbered = _serial_dates(con, raw) if kind == "workbook" else []
        tables.append(replace(raw, notes=(*raw.notes, *table["notes"], *numbered, *notes)))
    if not tables:
        rest = f" ({'; '.join(notes)})" if notes else ""
        raise Unreadable(name, f"holds no visible sheet with anything on it{rest}.", "Export the data again.")
    return tables


def _in_a_process(path: Path, name: str, kind: str, folder: Path) -> dict[str, Any]:
    program = [sys.executable, "-P", str(Path(sheets_to_text.__file__).resolve()), kind]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    way_out = "Save the data as CSV and run again."
    try:
        done = subprocess.run(  # noqa: S603 -- our own program; paths are arguments, no shell
            [*program, str(path.resolve()), str(folder.resolve())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(name, f"took longer than {DEADLINE:.0f} seconds to read.", way_out) from error
    report = folder / "tables.json"
    if not report.exists():
        problem = f"made its reader fail (status {done.returncode}): it takes more than 1 GiB of memory, or is damaged."
        raise Unreadable(name, problem, way_out)
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    if "error" in found:
        label = "a Parquet file" if kind == "parquet" else "a workbook"
        # Where the file lies on this machine is nobody's business.
        fault = found["error"].replace(str(path), path.name).rstrip(".")
        raise Unreadable(name, f"cannot be read as {label}: {fault}.", way_out)
    return found


def _serial_dates(con: duckdb.DuckDBPyConnection, table: RawTable) -> list[str]:
    """Notes on columns that are called dates and hold numbers such as 45292, as Excel keeps its days."""
    dated = [column for column in table.columns if _DATED.search(column)]
    if not dated:
        return []
    serial = r"^(?:[2-6]\d{4})(?:\.\d+)?$"
    counts = ", ".join(f"count(*) filter (regexp_matches({identifier(c)}, '{serial}'))" for c in dated)
    found = con.execute(f"select {counts} from {table.relation}").fetchone() or ()
    return [
        f"{count} value{'' if count == 1 else 's'} of {column!r} may be Excel day numbers (45292 is 2024-01-01)"
        for column, count in zip(dated, found, strict=True)
        if count
    ]
