"""What a run sets aside for people to look at: rejects.csv and review.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from crmaudit import redact

if TYPE_CHECKING:
    import duckdb


def write(con: duckdb.DuckDBPyConnection, fresh: Path, *, is_redacted: bool) -> None:
    """Writes both lists into the folder; redacted, a value that could not be read is told of without it."""
    value = f"case when value is not null then '{redact.GONE}' end" if is_redacted else "value"
    rejects = con.execute(
        f'select path, sheet, line, "column", {value}, reason from loaded.rejects order by path, sheet, line, "column"'
    ).fetchall()
    _write_csv(fresh / "rejects.csv", ("file", "sheet", "line", "column", "value", "reason"), rejects)
    columns = ("record", "name", "other_record", "other_name", "score", "evidence")
    doubtful = con.execute(
        f"select {', '.join(columns)} from doubtful_pairs order by score desc, record, other_record"
    ).fetchall()
    _write_csv(fresh / "review.csv", columns, doubtful)


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
