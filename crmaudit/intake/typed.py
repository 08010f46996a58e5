"""One file becomes one typed table: in one pass where its first rows tell of all the others, in two where not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from crmaudit.intake import forms
from crmaudit.intake.cast import Caster, ColumnCast, prove_casts, quick_casts
from crmaudit.intake.keys import is_unique
from crmaudit.intake.mapping import ColumnMapping
from crmaudit.intake.profile import Profile
from crmaudit.intake.raw import VALUE_LENGTH, Question, RawTable
from crmaudit.intake.rules import FURTHER_LINE, derived_value, excluded_row, in_units, mark_further_lines
from crmaudit.intake.sql import listed, literal, number, one_row, quoted
from crmaudit.intake.states import derived_states, state_value
from crmaudit.schema import TABLES

REJECTS = "loaded.rejects"
UPDATED = "_updated"

MAIN_AMOUNTS = ("amount", "net_amount", "mrr")
MAIN_DATES = ("closed_on", "ended_on")
"""Besides a table's first fact: an end that cannot be read must not leave a contract or a deal open."""
LASTING = ("accounts", "contacts", "products", "users")
"""Who and what there is: known without the day on which somebody wrote it down."""


@dataclass(frozen=True)
class Excluded:
    """Rows left out for one reason, and the money they carry."""

    reason: str
    rows: int
    amount: Decimal | None


@dataclass(frozen=True)
class Typed:
    """One file's rows as a typed table: mapped canonical columns, `system`, `source_id`, `_updated` where known."""

    name: str
    columns: tuple[str, ...]
    rows: int
    rows_rejected: int
    excluded: tuple[Excluded, ...]
    money_read: Decimal | None
    notes: tuple[str, ...]
    has_unique_key: bool
    """False also where nobody looked."""
    unread: tuple[tuple[str, int], ...]
    """(source column, values that could not be read), of records that are kept without them."""
    questions: tuple[Question, ...]


def main_amount(entity: str, mapping: ColumnMapping) -> str | None:
    """The column whose sum is the file's money."""
    columns = {c.name: c.kind for c in TABLES[entity].columns}
    return next((a for a in MAIN_AMOUNTS if columns.get(a) == "money" and mapping.source_of(a)), None)


def decisive(entity: str, mapping: ColumnMapping) -> frozenset[str]:
    """The columns without which a record is nothing: when one cannot be cast, the whole record is rejected.

    A deal is won or lost whatever the day on which it was opened. Without its value it would be a purchase of nothing.
    """
    table = TABLES[entity]
    if entity in LASTING:
        return frozenset(filter(None, [table.key]))
    if entity == "opportunities":
        return frozenset(filter(None, [table.key, main_amount(entity, mapping), *MAIN_DATES]))
    amount = main_amount(entity, mapping)
    first = next((c.name for c in table.facts if mapping.source_of(c.name)), None)
    ends = [c for c in MAIN_DATES if any(column.name == c for column in table.columns)]
    return frozenset(c for c in (table.key, amount, first, *ends) if c is not None)


def _create_in_order(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Creates a table whose row ids are in the order of the file.

    On several threads DuckDB 2.0 now and then puts a stretch of rows elsewhere, whatever `preserve_insertion_order`
    says; a rejected value would then be told on the wrong line, and an older row could pass for the newer.
    """
    threads = number(con, "select current_setting('threads')")
    con.execute("set threads = 1")
    try:
        con.execute(statement)
    finally:
        con.execute(f"set threads = {threads}")


def typed_table(
    con: duckdb.DuckDBPyConnection,
    seen: Profile,
    mapping: ColumnMapping,
    *,
    name: str,
    source_id: int,
    caster: Caster,
) -> Typed:
    """Make the table `name` from the raw one that was profiled; what could not be cast goes to `loaded.rejects`.

    Reads the relation once when every row has the forms that its first thousand show, three times otherwise.
    """
    build = _Build(seen.table, mapping, name=name, source_id=source_id, caster=caster)
    build.find_currency(seen)
    casts = quick_casts(mapping, seen)
    clean = has_unique_key = False
    if casts is not None:
        build.find_plain_words(con, seen, casts)
        con.execute(build.create(casts, keep_raw=False))
        clean = _is_clean(con, build, casts)
        has_unique_key = clean and build.has_unique_key(con)
        # Their order tells nothing where no row is rejected and none replaces another.
        if clean and not has_unique_key:
            con.execute(f"drop table {name}")
            _create_in_order(con, build.create(casts, keep_raw=False))
    if casts is None or not clean:
        build.plain_words = {}
        casts = prove_casts(con, mapping, seen.table.relation, caster)
        con.execute(f"drop table if exists {name}")
        _create_in_order(con, build.create(casts, keep_raw=True))
    lines = mark_further_lines(con, name, mapping, build.amount, rejected=None if clean else _rejected(build, casts))
    rejected, unread, money = _settle(con, build, casts, kept_raw=not clean)
    notes = [f"{column}: {cells} values could not be read and count as absent" for column, cells in unread]
    excluded = _exclude(con, build)
    return Typed(
        name=name,
        columns=tuple(build.canonical()),
        rows=number(con, f"select count(*) from {name}"),
        rows_rejected=rejected,
        excluded=excluded,
        money_read=money,
        notes=(*(n for c in casts for n in c.notes), *notes, *lines),
        has_unique_key=has_unique_key,
        unread=unread,
        questions=tuple(c.question for c in casts if c.question),
    )


class _Build:
    """The SQL of one file's typed table."""

    def __init__(self, raw: RawTable, mapping: ColumnMapping, *, name: str, source_id: int, caster: Caster) -> None:
        self.raw, self.mapping, self.name = raw, mapping, name
        self.source_id, self.caster = source_id, caster
        self.entity = mapping.entity
        self.amount = main_amount(self.entity, mapping)
        self.currency_source: str | None = None
        """The amount column, where its amounts carry their currency and no other column names it."""

        self.plain_words: dict[str, tuple[str, ...]] = {}
        """Columns of states and currencies whose sampled words are the canonical ones already -> these words."""

    def state(self, column: str, text: str) -> str | None:
        """The SQL expression of a state column; None where the column holds no states."""
        return state_value(self.entity, column, text, self.mapping, self.caster.words)

    def has_unique_key(self, con: duckdb.DuckDBPyConnection) -> bool:
        """Whether the table has no key, or no two rows of one."""
        key = TABLES[self.entity].key
        return key not in self.canonical() or is_unique(con, self.name, key, one_system=True)

    def find_plain_words(self, con: duckdb.DuckDBPyConnection, seen: Profile, casts: Sequence[ColumnCast]) -> None:
        """Translating words costs a fifth of the whole load: not done where there is nothing to translate."""
        for cast in casts:
            column, words = cast.column.name, tuple(sorted(seen.columns[cast.mapped.source].distinct))
            if not (words and self.caster.takes_as_found(cast) and self._is_of_words(column)):
                continue
            if not self.words_that_change(con, column, "select unnest($words::varchar[]) as t", {"words": words}):
                self.plain_words[column] = words

    def _is_of_words(self, column: str) -> bool:
        return column == "currency" or self.state(column, "t") is not None

    def words_that_change(
        self, con: duckdb.DuckDBPyConnection, column: str, texts: str, values: Mapping[str, object] | None = None
    ) -> int:
        """How many of the texts `t` are not the canonical words of a column of states or currencies."""
        said = f"select t, {forms.meaningful('t', self.caster.words.nothing)} as said from ({texts})"
        changed = self._word(column, "said")
        return int(one_row(con, f"select count(*) from ({said}) where ({changed}) is distinct from t", values)[0])

    def _word(self, column: str, text: str) -> str:
        return self.state(column, text) or (f"upper({text})" if column == "currency" else text)

    def find_currency(self, seen: Profile) -> None:
        has = any(c.name == "currency" for c in TABLES[self.entity].columns)
        source = self.mapping.source_of(self.amount) if self.amount else None
        if has and source and not self.mapping.has("currency"):
            marks = "".join(self.caster.words.currencies)
            if any(re.search(rf"\b[A-Z]{{3}}\b|[{re.escape(marks)}]", v) for v in seen.columns[source].values):
                self.currency_source = source

    def canonical(self) -> list[str]:
        """The canonical columns that the table has."""
        names = {m.column for m in self.mapping.columns} | set(self.mapping.constants)
        names |= set(derived_states(self.entity, self.mapping, self.caster.words)) | set(self._from_name())
        names |= {d.column for d in self.mapping.derived}
        if self.mapping.tells_net:
            names.add("net_amount")
        if "closed_on" in names and self.splits_close_date():
            names.add("expected_close_on")
        if self.currency_source:
            names.add("currency")
        return [c.name for c in TABLES[self.entity].columns if c.name in names]

    def create(self, casts: Sequence[ColumnCast], *, keep_raw: bool) -> str:
        """CREATE TABLE AS, in steps: texts, digits, values, checked values, then what follows from them.

        Each step reads the columns of the one before, so that nothing is computed twice. `_raw_<i>` keeps the text of
        a cell that could not be cast, where asked; `_excluded` says why a known export leaves the row out.
        """
        caster = self.caster
        steps = [self.raw.relation]
        for make in (caster.prepared, caster.digits):
            more = [f"{e} as {name}" for c in casts for name, e in make(c).items()]
            if more:
                steps.append(f"(select *, {', '.join(more)} from {steps[-1]})")
        plain = self.plain_words
        values = [
            f"{quoted(c.mapped.source) if c.column.name in plain else caster.value(c)} as {_inner(c)}" for c in casts
        ]
        steps.append(f"(select *, {', '.join(values)} from {steps[-1]})")
        checked = [f"{caster.checked(c, _inner(c))} as {_checked(c)}" for c in casts]
        steps.append(f"(select *, {', '.join(checked)} from {steps[-1]})")
        outer = [f"{value} as {quoted(column)}" for column, value in self._values(casts).items()]
        if self.mapping.updated:
            outer.append(f"try_cast({forms.tidy(quoted(self.mapping.updated))} as timestamp) as {UPDATED}")
        if self.mapping.exclude_rows or self.mapping.one_row_per:
            outer.append(f"{excluded_row(self.mapping)} as _excluded")
        if keep_raw:
            outer += [
                f"case when {caster.is_bad(c, _checked(c))} then {quoted(c.mapped.source)} end as {quoted(f'_raw_{i}')}"
                for i, c in enumerate(casts)
                if c.is_cast
            ]
        return f"create table {self.name} as select {', '.join(outer)} from {steps[-1]}"

    def _values(self, casts: Sequence[ColumnCast]) -> dict[str, str]:
        values = {}
        for cast in casts:
            column = cast.column.name
            values[column] = _checked(cast) if column in self.plain_words else self._word(column, _checked(cast))
        by_column = {c.column.name: _checked(c) for c in casts}
        for column, source in derived_states(self.entity, self.mapping, self.caster.words).items():
            values[column] = str(self.state(column, by_column[source]))
        for rule in self.mapping.derived:
            values[rule.column] = derived_value(rule, values.get(rule.column))
        for column in self.mapping.minor_units:
            if column in values and "currency" in values:
                values[column] = in_units(values[column], values["currency"], self.caster.words)
        if self.mapping.tells_net:
            values["net_amount"] = f"(({values['amount']}) - ({values['tax_amount']}))::decimal(18, 4)"
        if self.splits_close_date() and "closed_on" in values:
            closed, outcome = values["closed_on"], values["outcome"]
            values["closed_on"] = f"case when ({outcome}) in ('won', 'lost') then {closed} end"
            values["expected_close_on"] = f"case when ({outcome}) in ('won', 'lost') then null else {closed} end"
        for column, source in self._from_name().items():
            values[column] = by_column[source]
        if self.currency_source:
            values["currency"] = _currency(quoted(self.currency_source), self.caster)
        for column, value in self.mapping.constants.items():
            values[column] = f"{literal(value)}::{TABLES[self.entity].column(column).sql_type}"
        return {c.name: values[c.name] for c in TABLES[self.entity].columns if c.name in values}

    def splits_close_date(self) -> bool:
        """A close date is the expected day while the deal is open."""
        has_outcome = self.mapping.has("outcome") or self.mapping.has("stage")
        return self.entity == "opportunities" and has_outcome and not self.mapping.has("expected_close_on")

    def _from_name(self) -> dict[str, str]:
        """The key of accounts, products and our people who have none: their name, by which others link to them."""
        key = TABLES[self.entity].key
        if self.entity not in ("accounts", "products", "users") or key is None:
            return {}
        return {key: "name"} if not self.mapping.has(key) and self.mapping.source_of("name") else {}


def _is_clean(con: duckdb.DuckDBPyConnection, build: _Build, casts: Sequence[ColumnCast]) -> bool:
    """Whether the quick pass read every text that says something, and every state is in the canonical words.

    A column without a NULL is. One with NULLs is when as many of its texts say something as it has values.
    """
    columns = [c for c in casts if c.is_cast]
    counts = [f"count({quoted(c.column.name)})" for c in columns]
    counts = [
        f"{n} + count(expected_close_on)" if "closed_on" in n and build.splits_close_date() else n for n in counts
    ]
    rows, *filled = one_row(con, f"select {', '.join(['count(*)', *counts])} from {build.name}")
    doubtful = [(c, n) for c, n in zip(columns, filled, strict=True) if n < rows]
    if doubtful:
        said = [f"count(*) filter ({build.caster.says_something(c)})" for c, _ in doubtful]
        if one_row(con, f"select {', '.join(said)} from {build.raw.relation}") != tuple(n for _, n in doubtful):
            return False
    return not any(
        build.words_that_change(
            con, column, f"select distinct {column} as t from {build.name} where {column} not in {listed(words)}"
        )
        for column, words in sorted(build.plain_words.items())
    )


def _rejected(build: _Build, casts: Sequence[ColumnCast]) -> str | None:
    """The SQL expression of whether a row has a decisive value that could not be cast; None where no column is one."""
    main = decisive(build.entity, build.mapping)
    bad = [f"_raw_{i} is not null" for i, c in enumerate(casts) if c.is_cast and c.column.name in main]
    return f"({' or '.join(bad)})" if bad else None


def _settle(
    con: duckdb.DuckDBPyConnection, build: _Build, casts: Sequence[ColumnCast], *, kept_raw: bool
) -> tuple[int, tuple[tuple[str, int], ...], Decimal | None]:
    """Write rejects, take rejected records out, drop helper columns. Returns records rejected, `unread`, money read."""
    money = _money(con, build)
    unread: list[tuple[str, int]] = []
    rejected = 0
    if kept_raw:
        main = decisive(build.entity, build.mapping)
        raws = [(i, c) for i, c in enumerate(casts) if c.is_cast]
        for i, cast in raws:
            _write_rejects(con, build, cast, f"_raw_{i}", fatal=cast.column.name in main)
        fatal = _rejected(build, casts)
        if fatal:
            rejected = number(con, f"select count(*) from {build.name} where {fatal}")
        for i, cast in raws:
            if cast.column.name not in main:
                keep = f"and not {fatal}" if fatal else ""
                cells = number(con, f"select count(*) from {build.name} where _raw_{i} is not null {keep}")
                if cells:
                    unread.append((cast.mapped.source, cells))
        if rejected:
            con.execute(f"delete from {build.name} where {fatal}")
        for i, _ in raws:
            con.execute(f"alter table {build.name} drop column _raw_{i}")
    return rejected, tuple(unread), money


def _write_rejects(con: duckdb.DuckDBPyConnection, build: _Build, cast: ColumnCast, raw: str, *, fatal: bool) -> None:
    what = "" if fatal else " (the record is kept without it)"
    con.execute(
        f"insert into {REJECTS} select {build.source_id}, {literal(build.raw.path)}, "
        f"{literal(build.raw.sheet) if build.raw.sheet else 'null'}, rowid + {build.raw.first_line}, "
        f"{literal(cast.mapped.source)}, left({raw}, {VALUE_LENGTH}), "
        f"{build.caster.reason(cast, raw)} || {literal(what)} from {build.name} where {raw} is not null"
    )


def _exclude(con: duckdb.DuckDBPyConnection, build: _Build) -> tuple[Excluded, ...]:
    if not (build.mapping.exclude_rows or build.mapping.one_row_per):
        return ()
    further = literal(FURTHER_LINE)
    amount = f"sum({build.amount}) filter (_excluded <> {further})" if build.amount else "null"
    found = con.execute(
        f"select _excluded, count(*), {amount} from {build.name} where _excluded is not null group by all order by all"
    ).fetchall()
    if found:
        con.execute(f"delete from {build.name} where _excluded is not null")
    con.execute(f"alter table {build.name} drop column _excluded")
    return tuple(Excluded(*row) for row in found)


def _money(con: duckdb.DuckDBPyConnection, build: _Build) -> Decimal | None:
    """The sum of the main amount; a total that further lines of a record repeat is read once."""
    if build.amount is None:
        return None
    once = f"where _excluded is distinct from {literal(FURTHER_LINE)}" if build.mapping.one_row_per else ""
    return Decimal(one_row(con, f"select coalesce(sum({build.amount}), 0) from {build.name} {once}")[0])


def _currency(x: str, caster: Caster) -> str:
    code = f"upper(regexp_extract({x}, '(?:^|[^A-Za-z])([A-Z]{{3}})(?:[^A-Za-z]|$)', 1))"
    arms = [f"when contains({x}, {literal(s)}) then {literal(c)}" for s, c in caster.words.currencies.items()]
    return f"case when {code} <> '' then {code} {' '.join(arms)} end"


def _inner(cast: ColumnCast) -> str:
    return quoted(f"value {cast.column.name}")


def _checked(cast: ColumnCast) -> str:
    return quoted(f"checked {cast.column.name}")
