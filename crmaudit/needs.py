"""What an audit needs of the data, derived from its SQL, and what of that is missing."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from crmaudit.audit_header import Block, Needs, words_of
from crmaudit.audits import Audit, Model, is_query, makers_of
from crmaudit.database import scanned_columns
from crmaudit.errors import AuditFileError
from crmaudit.report import Missing, lacks
from crmaudit.schema import PROVENANCE, TABLES

ANYTHING = "*"

_STAR = re.compile(r"(?:\bselect\s+(?:distinct\s+)?|[.,]\s*)\*", re.IGNORECASE)
"""All columns of a table, by no name."""

REPORTED = ("periods", "setting")
"""Models that the head of every report tells of."""


@dataclass(frozen=True)
class Wants:
    """Canonical columns (`table.column`) and models that a file reads."""

    columns: frozenset[str]
    models: frozenset[str]


NOTHING = Wants(frozenset(), frozenset())


class Shapes:
    """Empty copies of the tables that SQL may read, in a database of its own, to bind queries against.

    A table is made when a query first names it: an audit reads a handful of some fifty. Threads may share it.
    """

    def __init__(self, model_columns: Mapping[str, Mapping[str, str]]) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        self.con.execute("set disabled_optimizers = 'statistics_propagation,filter_pushdown,join_order'")
        self.models = frozenset(model_columns)
        self._columns = {
            table.name: {"party_id": "INTEGER"} | {c.name: c.sql_type for c in (*table.columns, *PROVENANCE)}
            for table in TABLES.values()
        } | dict(model_columns)
        self._made: set[str] = set()
        self._making = threading.Lock()

    def close(self) -> None:
        self.con.close()

    def mentioned(self, blocks: Iterable[Block]) -> Wants | None:
        """All that the blocks may read, by their words alone: where nothing of it is missing, nothing is.

        Every column of a table that a block names counts whose name it names anywhere. Binding tells exactly and takes
        ten times as long. None where only binding tells: of a star, or where DuckDB wants the tables it joins.
        """
        columns: set[str] = set()
        models: set[str] = set()
        con = self.con.cursor()
        for block in blocks:
            if _STAR.search(block.sql):
                return None
            try:
                tables = con.get_table_names(block.sql)
            except duckdb.BinderException:
                return None
            words = words_of(block.sql)
            models |= tables & self.models
            columns |= {f"{t}.{c.name}" for t in tables & TABLES.keys() for c in TABLES[t].columns if c.name in words}
        con.close()
        return Wants(frozenset(columns), frozenset(models))

    def wants(self, blocks: Iterable[Block]) -> Wants:
        """Canonical columns and models that the blocks read; earlier blocks may be read by later ones.

        A block that reads what a method adds cannot be bound without running it; its models are then told from its
        words alone.
        """
        columns: set[str] = set()
        models: set[str] = set()
        con = self.con.cursor()
        for block in blocks:
            self._make(words_of(block.sql))
            try:
                read = scanned_columns(con, block.sql)
                con.execute(f"create temp table {block.name} as {block.sql}")
            except duckdb.BinderException:
                read = {name: set() for name in words_of(block.sql) & self.models}
            except duckdb.CatalogException:
                read = {name: set() for name in words_of(block.sql) & self.models}
            for table, names in read.items():
                if table in TABLES:
                    columns |= {f"{table}.{name}" for name in names if name not in ("party_id", "system", "source_id")}
                elif table in self.models:
                    models.add(table)
        con.close()
        return Wants(frozenset(columns), frozenset(models))

    def _make(self, words: Iterable[str]) -> None:
        with self._making:
            for name in sorted(set(words) & self._columns.keys() - self._made):
                body = ", ".join(f'"{column}" {kind}' for column, kind in self._columns[name].items())
                self.con.execute(f"create table {name} ({body})")
                self._made.add(name)


def check_syntax(audit: Audit) -> None:
    """AuditFileError, with the line, where a block of the audit, or SQL of its header, is not one SELECT."""
    for block in (*audit.tables, audit.metrics, *_header_sql(audit)):
        try:
            kinds = [statement.type for statement in duckdb.extract_statements(block.sql)]
        except duckdb.ParserException as error:
            within = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
            line = block.line + int(within[1]) - 1 if within else block.line
            raise AuditFileError(f"{audit.path}:{line}: {error}") from error
        if kinds != [duckdb.StatementType.SELECT]:
            raise AuditFileError(f"{audit.path}:{block.line}: block {block.name} must be one SELECT")


def _header_sql(audit: Audit) -> Iterable[Block]:
    """The SQL of the header as it will be run, each as a block of line 1."""
    for finding in audit.findings:
        wanted = f"{finding.customers or 'null'}, {finding.value or 'null'}"
        yield Block("finding", f"select {wanted} from (select * from {finding.table}) where {finding.when}", 1)
    for partial in audit.partials:
        yield Block("partial", f"select coalesce(({partial.when}), false)", 1)
    for call in audit.methods:
        for value in call.arguments.values():
            if isinstance(value, str) and is_query(value):
                yield Block("method", value, 1)


Lack = tuple[str, ...]
"""Columns that nobody filled, of which one would be enough."""


def lacking(wants: Wants, needs: Needs, filled: frozenset[str]) -> tuple[Lack, ...]:
    """Required columns that nobody filled: neither optional nor one of a group of which another is there.

    `optional = ["*"]` makes all of them optional but those of groups.
    """
    grouped = {column for group in needs.any_of for column in group}
    alone = [c for c in sorted(wants.columns) if c not in filled and c not in needs.optional and c not in grouped]
    if ANYTHING in needs.optional:
        alone = []
    return (*((column,) for column in alone), *(group for group in needs.any_of if not filled & set(group)))


def told(lacks: Iterable[Lack]) -> tuple[Missing, ...]:
    """Each missing column once, with the export it is usually found in and what would do in its place.

    A group is no choice where one of its columns is wanted in any case.
    """
    groups = tuple(dict.fromkeys(lacks))
    missing: dict[str, Missing] = {}
    for group in groups:
        if not any(set(other) < set(group) for other in groups):
            for name in group:
                table, _, column = name.partition(".")
                instead = tuple(other for other in group if other != name)
                missing.setdefault(name, Missing(table, column, TABLES[table].found_in, instead))
    return tuple(missing.values())


def in_words(missing: Sequence[Missing]) -> str:
    """Why there is no answer, by the names of the columns."""
    alone = [one.address for one in missing if not one.instead]
    groups = [group for group in lacks(missing) if len(group) > 1]
    parts = [f"no {', '.join(alone)}"] if alone else []
    parts += [f"none of {', '.join(group)}, of which one is enough" for group in groups]
    places = "; ".join(sorted({one.usually_in for one in missing}))
    return f"The exports have {', and '.join(parts)}; usually found in {places}."


def models_behind(names: Iterable[str], models: Mapping[str, Model]) -> frozenset[str]:
    """The models that make the named tables, and all that they are made of."""
    makers = makers_of(models.values())
    found: set[str] = set()
    waiting = [makers[name] for name in names if name in makers]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(makers[word] for word in words_of(models[name].sql) if word in makers)
    return frozenset(found)


def models_read(audits: Iterable[Audit], models: Iterable[Model]) -> tuple[Model, ...]:
    """The models that the audits read, and all that those are made of, in the order given: enough for their answers."""
    known = {model.name: model for model in models}
    words: set[str] = set()
    for audit in audits:
        arguments = (str(value) for call in audit.methods for value in call.arguments.values())
        rules = (*(f"{f.table} {f.when}" for f in audit.findings), *(p.when for p in audit.partials))
        for sql in (*(b.sql for b in (*audit.tables, audit.metrics)), *arguments, *rules):
            words |= words_of(sql)
    behind = models_behind((*words, *REPORTED), known)
    return tuple(model for name, model in known.items() if name in behind)
