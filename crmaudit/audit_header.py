"""The file format of audits and models: a TOML header in SQL comments, then named SELECTs.

What a header may say is here as types; a key that none of them has is an error that names the file and the line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from crmaudit.errors import AuditFileError
from crmaudit.report import Level
from crmaudit.schema import TABLES

MARK = re.compile(r"^-- /// ?(?P<what>.*?)\s*$")
NAME = re.compile(r"[a-z][a-z0-9_]*")
METHODS = tuple(
    path.stem
    for path in sorted((Path(__file__).parent / "methods").glob("*.py"))
    if re.search(r"^def estimate\(", path.read_text(encoding="utf-8"), re.MULTILINE)
)
"""The methods that a header may name."""
_COLUMNS = frozenset(f"{table}.{column.name}" for table, one in TABLES.items() for column in one.columns)


@dataclass(frozen=True)
class GivenTable:
    """A method's table as the audit names it: `curve = "won_by_day"`, or `"won_by_day(day, incidence_pct)"`."""

    name: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class MethodCall:
    """A statistical method applied to one table; every other key of its header is a keyword argument."""

    name: str
    table: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    is_tested: bool = True
    """False: its p-values test nothing that anybody concludes from, and stay out of the false-discovery control."""
    adds: tuple[str, ...] = ()
    """Columns that later SQL reads: null where the method withholds its answer."""
    gives: Mapping[str, GivenTable] = field(default_factory=dict)
    """Tables that the method makes, under other names or with columns that must be there even if it withholds them."""


@dataclass(frozen=True)
class MetricRule:
    """How a metric of the metrics block is to be read."""

    unit: str
    better: Literal["up", "down"] | None = None
    note: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class FindingRule:
    """One finding for each row for which `when` holds; `customers` and `value` are SQL over that row.

    `table` is what stands after FROM: a table of the audit, or several joined.
    """

    level: Level
    when: str
    text: str
    table: str = "metrics"
    key: str = ""
    customers: str | None = None
    value: str | None = None
    lists: str | None = None
    most: int = 5


@dataclass(frozen=True)
class PartialRule:
    """The audit answers on less than the data it wants where `when`, SQL over models and coverage, holds."""

    when: str
    reason: str
    bias: str | None = None


@dataclass(frozen=True)
class ChartRule:
    kind: str
    table: str
    caption: str
    roles: Mapping[str, str]
    description: str = ""
    where: str | None = None


@dataclass(frozen=True)
class Block:
    """One SELECT of the file: a named table, or the metrics."""

    name: str
    sql: str
    line: int

    @property
    def wants_q(self) -> bool:
        """Whether it reads a q-value, which is there only when every audit's tests are known."""
        return any(word == "q" or word.endswith("_q") for word in words_of(self.sql))


@dataclass(frozen=True)
class Needs:
    """What may be absent: `optional` columns, and groups of which any one is enough (`table.column`)."""

    optional: frozenset[str] = frozenset()
    any_of: tuple[tuple[str, ...], ...] = ()


class Header:
    """The TOML header, read key by key so that a misspelt one is an error and not silence."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            # The header's first line is the file's second.
            place = f"{path}:{int(line[1]) + 1}" if line else str(path)
            raise AuditFileError(f"{place}: the header is no TOML: {error}") from error
        self.lines = text.splitlines()

    def place(self, name: str) -> str:
        """The file and the line where a key or a table of the header begins; the first line where it does not."""
        key = re.compile(rf"\s*\[*\s*\"?{re.escape(name)}\b")
        return f"{self.path}:{next((i for i, line in enumerate(self.lines, 2) if key.match(line)), 1)}"

    def string(self, name: str) -> str:
        value = self.data.pop(name, None)
        if not isinstance(value, str) or not value.strip():
            raise AuditFileError(f"{self.place(name)}: the header lacks `{name}`, a text")
        return value.strip()

    def one_or_more(self, name: str) -> tuple[str, ...]:
        value = self.data.get(name)
        if isinstance(value, list) and value and all(isinstance(v, str) and v.strip() for v in value):
            return tuple(self.data.pop(name))
        return (self.string(name),)

    def strings(self, name: str) -> list[str]:
        return self._strings(name, self.data.pop(name, []))

    def _strings(self, name: str, value: object) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise AuditFileError(f"{self.place(name)}: `{name}` is a list of texts")
        return value

    def table(self, name: str) -> dict[str, Any]:
        value = self.data.pop(name, {})
        if not isinstance(value, dict):
            raise AuditFileError(f"{self.place(name)}: `{name}` is a table, [{name}]")
        return value

    def tables(self, name: str, kind: type) -> dict[str, dict[str, Any]]:
        found = self.table(name)
        for own, rule in found.items():
            self._check(own, rule, kind, own)
        return found

    def needs(self) -> Needs:
        groups = self.data.pop("any_of", [])
        if not isinstance(groups, list):
            raise AuditFileError(f"{self.place('any_of')}: `any_of` is a list of lists of columns")
        any_of = tuple(tuple(self._strings("any_of", group)) for group in groups)
        for column in (column for group in any_of for column in group):
            if column not in _COLUMNS:
                raise AuditFileError(
                    f"{self.place('any_of')}: `any_of` names columns of the exports, such as invoices.net_amount; "
                    f"{column!r} is none"
                )
        return Needs(frozenset(self.strings("optional")), any_of)

    def methods(self) -> tuple[MethodCall, ...]:
        calls = self.data.pop("method", [])
        if isinstance(calls, dict):
            calls = [calls]
        for call in calls:
            if not isinstance(call, dict) or "name" not in call or "table" not in call:
                raise AuditFileError(f"{self.place('method')}: a method wants `name` and `table`")
            if call["name"] not in METHODS:
                raise AuditFileError(
                    f"{self.place('method')}: no method is called {call['name']!r}; there are {', '.join(METHODS)}"
                )
        return tuple(
            MethodCall(
                c["name"],
                c["table"],
                {k: v for k, v in c.items() if k not in ("name", "table", "is_tested", "adds", "gives")},
                c.get("is_tested", True),
                tuple(c.get("adds", ())),
                {own: self._given(given) for own, given in c.get("gives", {}).items()},
            )
            for c in calls
        )

    def _given(self, text: str) -> GivenTable:
        name, _, columns = text.removesuffix(")").partition("(")
        if not NAME.fullmatch(name.strip()):
            raise AuditFileError(f"{self.path}: {text!r} names no table")
        return GivenTable(name.strip(), tuple(c.strip() for c in columns.split(",") if c.strip()))

    def rules(self, name: str, kind: type) -> list[dict[str, Any]]:
        rules = self.data.pop(name, [])
        if not isinstance(rules, list):
            raise AuditFileError(f"{self.place(name)}: `{name}` is repeated, [[{name}]]")
        for rule in rules:
            self._check(name, rule, kind)
            if "level" in rule and rule["level"] not in get_args(Level):
                raise AuditFileError(f"{self.place(name)}: a finding's level is one of {', '.join(get_args(Level))}")
        return rules

    def _check(self, name: str, rule: object, kind: type, line: str = "") -> None:
        """Every key of the rule is one that its kind knows, and none that it wants is missing."""
        if not isinstance(rule, dict):
            raise AuditFileError(f"{self.place(name)}: `{name}` is a table with keys of its own")
        known = {f.name: f for f in fields(kind)}
        if unknown := sorted(set(rule) - set(known)):
            raise AuditFileError(f"{self.place(line or unknown[0])}: `{name}` knows no {', '.join(unknown)}")
        wanted = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
        if lacking := [n for n in wanted if n not in rule]:
            raise AuditFileError(f"{self.place(name)}: `{name}` wants {', '.join(lacking)}")

    def charts(self) -> Iterable[ChartRule]:
        plain = ("kind", "table", "caption", "description", "where")
        charts = self.data.pop("chart", [])
        if not isinstance(charts, list):
            raise AuditFileError(f"{self.place('chart')}: `chart` is repeated, [[chart]]")
        for chart in charts:
            for name in ("kind", "table", "caption"):
                if name not in chart:
                    raise AuditFileError(f"{self.place('chart')}: a chart wants `{name}`")
            roles = {k: str(v) for k, v in chart.items() if k not in plain}
            yield ChartRule(roles=roles, **{k: v for k, v in chart.items() if k in plain})

    def must_be_used_up(self) -> None:
        if self.data:
            unknown = sorted(self.data)
            raise AuditFileError(f"{self.place(unknown[0])}: the header has unknown keys: {', '.join(unknown)}")


def split(path: Path, kind: str) -> tuple[str, list[Block]]:
    """The header's TOML and the blocks after it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise AuditFileError(f"{path}: is no UTF-8 text: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise AuditFileError(f"{path}: cannot be read: {error.strerror}") from error
    if not lines or lines[0].strip() != f"-- /// {kind}":
        raise AuditFileError(f"{path}:1: the first line must be `-- /// {kind}`")
    try:
        end = next(i for i, line in enumerate(lines[1:], 1) if line.strip() == "-- ///")
    except StopIteration:
        raise AuditFileError(f"{path}: the header has no closing `-- ///`") from None
    header = []
    for number, line in enumerate(lines[1:end], 2):
        if not line.startswith("--"):
            raise AuditFileError(f"{path}:{number}: a header line must begin with `--`")
        header.append(line[3:] if line.startswith("-- ") else line[2:])
    return "\n".join(header), _blocks(path, lines, end + 1, kind)


def _blocks(path: Path, lines: list[str], start: int, kind: str) -> list[Block]:
    blocks: list[Block] = []
    name = path.stem if kind == "model" else ""
    body: list[str] = []
    begin = start

    def close() -> None:
        sql = "\n".join(body).strip().rstrip(";")
        blank = next((i for i, line in enumerate(body) if line.strip()), 0)
        if name:
            blocks.append(Block(name, sql, begin + blank + 1))
        elif sql:
            raise AuditFileError(f"{path}:{begin + 1}: SQL before the first `-- /// table NAME`")

    for number in range(start, len(lines)):
        mark = MARK.match(lines[number])
        if mark is None:
            body.append(lines[number])
            continue
        close()
        words = mark["what"].split()
        if words != ["metrics"] and not (len(words) == 2 and words[0] == "table" and NAME.fullmatch(words[1])):
            raise AuditFileError(f"{path}:{number + 1}: a block begins with `-- /// table NAME` or `-- /// metrics`")
        name, body, begin = words[-1], [], number + 1
    close()
    names: set[str] = set()
    for block in blocks:
        if not block.sql:
            raise AuditFileError(f"{path}:{block.line}: block {block.name} is empty")
        if block.name in names:
            raise AuditFileError(f"{path}:{block.line}: there is a block {block.name} already")
        names.add(block.name)
    return blocks


def words_of(sql: str) -> frozenset[str]:
    """Every identifier-like word of the SQL outside comments and strings, in lower case."""
    bare = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", " ", sql, flags=re.DOTALL)
    return frozenset(word.lower() for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", bare))
