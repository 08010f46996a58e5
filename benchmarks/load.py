"""`python -m benchmarks.load FOLDER`: seconds of reading, proving, casting and writing the exports there, by step.

The steps of `analyze` up to the tables in the database file, as they are: what is not timed is who is who, which
stands between casting and writing. Prints JSON, in seconds: read (with every record's width proved), cast (recognised,
typed, merged, accounted for) and write.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import duckdb

from crmaudit import analysis, identity
from crmaudit.database import Database, create_loaded
from crmaudit.intake.discover import survey
from crmaudit.intake.load import load
from crmaudit.schema import TABLES, Table
from crmaudit.settings import Settings


def measure(exports: Path) -> dict[str, float]:
    """Seconds of each step."""
    writing = 0.0
    write = identity._write  # the step has no other name

    def timed(con: duckdb.DuckDBPyConnection, table: Table) -> None:
        nonlocal writing
        start = time.perf_counter()
        write(con, table)
        writing += time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        con = analysis._connect(scratch / "audit.duckdb", scratch, analysis.Limits())
        start = time.perf_counter()
        raws, _ = analysis.read_all(con, exports, survey(exports), scratch, lambda _: None)
        read = time.perf_counter()
        today = dt.date(2026, 12, 31)
        load(con, raws, today=today)
        cast = time.perf_counter()
        create_loaded(con, TABLES)
        analysis._write_settings(Database(con, scratch), Settings(), today, "EUR", "person")
        with patch.object(identity, "_write", timed):
            identity.resolve(con)
        con.close()
    return {"read": read - start, "cast": cast - read, "write": writing}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
