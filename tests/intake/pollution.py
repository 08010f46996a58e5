"""What becomes of the records of polluted files: loaded as they were, counted with line and reason, wrong, or lost."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from crmaudit.intake.load import load
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.read import read
from crmaudit.intake.typed import REJECTS
from tests.intake.pollute import Polluted, Row


@dataclass
class Tally:
    """Records by what became of them."""

    loaded: int = 0
    counted: int = 0
    flagged: int = 0
    """Loaded without their end, of a file that is said to be cut."""
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    refused: int = 0
    """Records of files that were refused whole, aloud; they are among the counted."""
    files: int = 0

    @property
    def records(self) -> int:
        return self.loaded + self.counted + self.flagged + len(self.lost)

    @property
    def share(self) -> float:
        return self.loaded / max(self.records, 1)


def judge(file: Polluted, con: duckdb.DuckDBPyConnection, folder: Path, tally: Tally) -> None:
    """Reads one file and adds its records to the tally."""
    path = folder / "invoices.csv"
    path.write_bytes(file.content)
    tally.files += 1
    work = folder / "work"
    work.mkdir()
    try:
        (table,) = read(path, folder, con, workdir=work)
        found = con.execute(f"select * from {table.relation}").fetchall()
        _compare(file, table, [tuple(value or "" for value in row) for row in found], tally)
    except Unreadable:
        tally.counted += len(file.rows)
        tally.refused += len(file.rows)
        return
    finally:
        shutil.rmtree(work)


def _told_when_cast(table: RawTable) -> set[int]:
    """Lines of the values that do not fit their column, such as a name where a day should be: told when they are cast."""
    with duckdb.connect() as con:
        load(con, [table], today=dt.date(2026, 7, 1))
        return {line for (line,) in con.execute(f"select line from {REJECTS}").fetchall()}


def _compare(file: Polluted, table: RawTable, found: list[Row], tally: Tally) -> None:
    """Each record that was delivered must be a true one, cell for cell under its header, and come once."""
    assert table.rows_read == len(found) + len(table.rejects), file.name
    used = [i for i, name in enumerate(table.columns) if not name.startswith("column ") or any(row[i] for row in found)]
    columns = tuple(table.columns[i] for i in used)
    wanted = (file.header or columns)[: len(columns)]
    left = {row[: len(columns)]: line for row, line in file.rows.items() if not any(row[len(columns) :])}
    ended = next((note for note in table.notes if "may be cut" in note), None)
    rejected = {reject.line for reject in table.rejects if reject.reason}
    strange: list[tuple[int, Row]] = []
    for number, cells in enumerate(found):
        row = tuple(cells[i] for i in used)
        if columns == wanted and left.pop(row, None) is not None:
            tally.loaded += 1
        else:
            strange.append((table.first_line + number, row))
    rest = {**left, **{row: line for row, line in file.rows.items() if any(row[len(columns) :])}}
    told = _told_when_cast(table) if strange else set()
    said = []
    for line, row in strange:
        if file.is_cut and ended and row == tuple(found[-1][i] for i in used):
            tally.flagged += 1
            rest = {r: n for r, n in rest.items() if n != max(rest.values())}
        elif line in told:
            said.append(row)
        else:
            tally.wrong.append(f"{file.name}: under {columns}: line {line}: {row}")
    for row, line in rest.items():
        if line in rejected or any(len(set(row) & set(other)) >= 3 for other in said):
            tally.counted += 1
        else:
            tally.lost.append(
                f"{file.name}: line {line}: {row}; rejects {[(r.line, r.reason) for r in table.rejects][:4]}"
            )


def judged(files: Iterable[Polluted]) -> Tally:
    """The tally of all the files."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="crmaudit-") as place, duckdb.connect() as con:
        for file in files:
            judge(file, con, Path(place), tally)
    return tally


def ways(told: Iterable[str]) -> Counter[str]:
    """How often each way of pollution is told of, to look for what they have in common."""
    return Counter(re.split(r": | at ", text)[1] for text in told)
