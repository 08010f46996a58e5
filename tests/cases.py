"""Worked cases in Markdown: what the exports hold, and what the audit must then say of them.

A page `tests/audits/<audit id>.md` begins with `# <audit id>` and a paragraph; each `## ...` is one case:

    Settings: as_of = 2025-12-31, window = "all"
    Given `invoices`
    | account_id | issued_on | net_amount |
    |---|---|---|
    | a{1..20} | 2025-01-10 | 700 |
    Then `metrics`
    | a_customers |
    |---|
    | 20 |

An empty cell is NULL, as are columns that are not named. `a{1..20}` makes twenty rows; the same braces elsewhere in the
row take the same number. `Settings` are those of crmaudit.toml, and `today` (the 31 January 2026 unless said). After
`Then` stands a table of the audit or `metrics`: all its rows, in order, and the columns named; or `status`
(status, reason, bias, headline), `findings` (level, text, customers, value_at_stake; all of them, in order) or
`missing` (table, column). Numbers agree to 1e-4 of their size, sentences where they contain what is written.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import sqlglot

from crmaudit import charts, report
from crmaudit.analysis import Known, analyze_loaded
from crmaudit.audits import Audit, Model
from crmaudit.database import Database, create_loaded, quoted
from crmaudit.settings import Settings

TODAY = dt.date(2026, 1, 31)
SENTENCES = ("reason", "bias", "headline", "text")

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Block:
    """`Given` or `Then`, the table named, its columns and its rows of texts."""

    word: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Case:
    title: str
    settings: Mapping[str, Any]
    blocks: tuple[Block, ...]

    def of(self, word: str) -> Iterator[Block]:
        return (block for block in self.blocks if block.word == word)


@dataclass(frozen=True)
class Page:
    audit: str
    text: str
    """What is said before the first case."""
    cases: tuple[Case, ...]


def read_page(path: Path) -> Page:
    """The page's cases; ValueError names the file and what is wrong with it."""
    head, *sections = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    title, _, text = head.partition("\n")
    try:
        return Page(title.removeprefix("# ").strip(), text.strip(), tuple(_case(section) for section in sections))
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _case(section: str) -> Case:
    title, _, body = section.partition("\n")
    settings: dict[str, Any] = {}
    blocks: list[Block] = []
    lines = body.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("Settings: "):
            settings = tomllib.loads(f"all = {{{line.removeprefix('Settings: ')}}}")["all"]
        elif found := re.fullmatch(r"(Given|Then) `(\w+)`.*", line):
            blocks.append(_block(found[1], found[2], lines[number + 1 :]))
        elif line.startswith("|") and not lines[number - 1].startswith(("|", "Given `", "Then `")):
            raise ValueError(f"{title}: the table {line!r} follows neither Given nor Then")
    if not any(block.word == "Then" for block in blocks):
        raise ValueError(f"{title}: nothing is expected")
    return Case(title.strip(), settings, tuple(blocks))


def _block(word: str, name: str, lines: list[str]) -> Block:
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")] if line.strip() != "||" else [""])
    if len(rows) < 2 or set("".join(rows[1])) - set("-: "):
        raise ValueError(f"{word} `{name}` wants a table: a line of names, a line of dashes, rows")
    columns = tuple(rows[0])
    for row in rows[2:]:
        if len(row) != len(columns):
            raise ValueError(f"{word} `{name}`: {row} has {len(row)} cells, not {len(columns)}")
    texts = (dict(zip(columns, row, strict=True)) for row in rows[2:])
    return Block(word, name, columns, tuple(one for row in texts for one in _expanded(row)))


def _expanded(row: Mapping[str, str]) -> Iterator[Row]:
    spans = {found for cell in row.values() for found in re.findall(r"\{(\d+)\.\.(\d+)\}", cell)}
    if len(spans) > 1:
        raise ValueError(f"{dict(row)} runs over two ranges")
    for first, last in spans or {("0", "0")}:
        for number in range(int(first), int(last) + 1):
            text = str(number).zfill(len(first))
            yield {name: cell.replace(f"{{{first}..{last}}}", text) or None for name, cell in row.items()}


def faults(case: Case, audit: Audit, models: tuple[Model, ...], scratch: Path) -> list[str]:
    """Runs the case on a database of its own and tells where the audit says something else."""
    settings = dict(case.settings)
    today = settings.pop("today", TODAY)
    with duckdb.connect(config={"threads": 1}) as con:
        create_loaded(con, [block.name for block in case.of("Given")])
        for block in case.of("Given"):
            con.execute(_insertion(block))
        db = Database(con, scratch)
        told = analyze_loaded(db, Settings(**settings), today, (audit,), Known(), lambda _: None, models)
        result = (*told.audits, *told.checks)[0]
        if result.status == "failed":
            return [str(result.reason)]
        found: list[str] = []
        if result.metrics:
            found.extend(_chart_faults(audit, db))
        for block in case.of("Then"):
            found.extend(f"{block.name}: {fault}" for fault in _differences(block, _actual(block, result, audit, db)))
    return found


def is_ordered(sql: str) -> bool:
    return sqlglot.parse_one(sql, read="duckdb").args.get("order") is not None


def _insertion(block: Block) -> str:
    own = {} if "system" in block.columns else {"system": "generic"}
    columns = (*block.columns, *own, "source_id")
    rows = ({**row, **own, "source_id": "1"} for row in block.rows)
    values = (", ".join("null" if v is None else f"'{quoted(v)}'" for v in row.values()) for row in rows)
    return f"insert into loaded.{block.name} ({', '.join(columns)}) values {', '.join(f'({v})' for v in values)}"


def _chart_faults(audit: Audit, db: Database) -> Iterator[str]:
    for chart in audit.charts:
        try:
            charts.check(chart.kind, chart.roles, list(db.columns(f'"{audit.id}".{chart.table}')))
        except (ValueError, duckdb.CatalogException) as error:
            yield f"chart of {chart.table}: {error}"


def _actual(block: Block, result: report.Result, audit: Audit, db: Database) -> list[tuple[Any, ...]]:
    if block.name == "missing":
        return [tuple(getattr(m, name) for name in block.columns) for m in result.missing]
    if block.name == "findings":
        return [tuple(getattr(finding, name) for name in block.columns) for finding in result.findings]
    if block.name == "status":
        return [tuple(getattr(result, name) for name in block.columns)]
    if not result.metrics:
        raise AssertionError(f"there is no table {block.name}: {result.status}, {result.reason}")
    of_no_order = any(table.name == block.name and not is_ordered(table.sql) for table in audit.tables)
    rows = f'from "{result.id}".{block.name}{" order by all" if of_no_order else ""}'
    return db.con.execute(f"select {', '.join(block.columns)} from ({rows})").fetchall()


def _differences(block: Block, actual: list[tuple[Any, ...]]) -> Iterator[str]:
    if len(actual) != len(block.rows):
        yield f"{len(actual)} rows instead of {len(block.rows)}: {actual}"
        return
    for number, (row, values) in enumerate(zip(block.rows, actual, strict=True), 1):
        for name, value in zip(block.columns, values, strict=True):
            if not _agrees(row[name], value, is_sentence=name in SENTENCES):
                yield f"row {number}: {name} is {value!r} instead of {row[name]!r}"


def _agrees(expected: str | None, value: object, *, is_sentence: bool) -> bool:
    if expected is None or value is None:
        return expected is None and value is None
    if isinstance(value, bool):
        return expected == str(value).lower()
    if isinstance(value, int | float | Decimal):
        return math.isclose(float(expected), float(value), rel_tol=1e-4, abs_tol=1e-9)
    text = str(value).replace("\u00a0", " ")
    return expected in text if is_sentence else expected == text
