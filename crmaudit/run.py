"""Audit -> Result: tables, methods, false-discovery control over all, then metrics, findings and charts."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb
import polars as pl

from crmaudit import answers, report
from crmaudit.audit_header import Block, GivenTable, MethodCall, PartialRule, words_of
from crmaudit.audits import Audit, Model, depends, is_query, makers_of
from crmaudit.database import Database, identifier
from crmaudit.methods import Estimate, false_discovery
from crmaudit.needs import ANYTHING, NOTHING, REPORTED, Lack, Shapes, Wants, in_words, lacking, models_behind, told
from crmaudit.sentences import figures, figures_of, fill, headline
from crmaudit.side_by_side import side_by_side

Progress = Callable[[str], None]

FAULTS = (
    duckdb.Error, pl.exceptions.PolarsError, ArithmeticError, ValueError, TypeError, KeyError, IndexError
)  # fmt: skip
"""What may go wrong in one audit without ending the others; a full disk or memory ends the run."""


@dataclass
class Working:
    """An audit on its way to a result."""

    audit: Audit
    wants: Wants = NOTHING
    methods: list[report.Method] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    missing: tuple[Lack, ...] = ()
    failure: str | None = None
    tables: set[str] = field(default_factory=set)
    """What has been stored in the audit's schema."""


@dataclass(frozen=True)
class Built:
    """The models of a run: what each one's method found, and which came out empty and why."""

    columns: Mapping[str, Mapping[str, str]]
    methods: Mapping[str, tuple[report.Method, ...]]
    withheld: Mapping[str, str]
    missing: Mapping[str, tuple[Lack, ...]]
    failed: Mapping[str, str]
    """What went wrong in models that were left empty: a fault of ours in each audit that reads one."""
    shapes: Shapes


class Runner:
    """Runs models and audits on a database whose canonical views exist."""

    def __init__(self, db: Database, models: Iterable[Model], filled: frozenset[str], currency: str) -> None:
        self.db = db
        self.models = {m.name: m for m in models}
        self.filled = filled
        self.currency = currency

    def build_models(self, progress: Progress) -> Built:
        """Materialises every model, each as soon as those it reads are there; one that fails is left empty."""
        failed: dict[str, str] = {}

        def build(db: Database, name: str) -> tuple[tuple[report.Method, ...], str | None]:
            model = self.models[name]
            progress(model.title)
            failed.pop(name, None)
            try:
                return self._build(db, model, model.sql)
            except (duckdb.OutOfMemoryException, duckdb.IOException):
                raise
            except FAULTS as error:
                if name in REPORTED:
                    raise
                failed[name] = f"{model.title}: {type(error).__name__}: {error}"
                return self._build(db, model, f"select * from ({model.sql}) limit 0")

        built = side_by_side(self.db, depends(self.models.values()), build)
        names = (*makers_of(self.models.values()), "settings", "coverage")
        columns = {name: self.db.columns(name) for name in names}
        shapes = Shapes(columns)
        return Built(
            columns,
            methods={name: methods for name, (methods, _) in built.items() if methods},
            withheld={name: withheld for name, (_, withheld) in built.items() if withheld},
            missing=self._missing_of_models(shapes),
            failed=failed,
            shapes=shapes,
        )

    def _build(self, db: Database, model: Model, sql: str) -> tuple[tuple[report.Method, ...], str | None]:
        """The model's table and those its methods give; what the methods found, and why one withholds its answer."""
        db.con.execute(f"create or replace table {model.name} as {sql}")
        estimates = [(call, self._apply(db, call, model.name, None)) for call in model.methods]
        withheld = [estimate.withheld for _, estimate in estimates if estimate.withheld]
        return tuple(_told(call, estimate) for call, estimate in estimates), withheld[-1] if withheld else None

    def run(self, audits: Iterable[Audit], built: Built, progress: Progress) -> tuple[tuple[report.Result, ...], int]:
        """Every audit's result, in the order given, and the number of tests that took part in the control."""
        work = {audit.id: Working(audit) for audit in audits}
        apart: dict[str, tuple[str, ...]] = dict.fromkeys(work, ())

        def estimate(db: Database, name: str) -> None:
            audit = work[name].audit
            progress(audit.title)
            work[name] = Working(audit)
            self._estimate(db, work[name], built)

        side_by_side(self.db, apart, estimate)
        comparisons = self._control(list(work.values()))
        results = side_by_side(self.db, apart, lambda db, name: self._result(db, work[name]))
        return tuple(results.values()), comparisons

    def _missing_of_models(self, shapes: Shapes) -> dict[str, tuple[Lack, ...]]:
        """For each empty model, the columns that would have filled it."""
        missing: dict[str, tuple[Lack, ...]] = {}
        for model in self.models.values():
            if _has_rows(self.db, model.name):
                continue
            block = Block(f"{model.name}_shape", model.sql, 1)
            wants = shapes.wants([block])
            own = lacking(wants, model.needs, self.filled)
            behind = (name for name in sorted(wants.models) if name in missing)
            missing[model.name] = tuple(dict.fromkeys((*own, *(lack for name in behind for lack in missing[name]))))
        return missing

    def _wants(self, audit: Audit, built: Built) -> Wants:
        mentioned = built.shapes.mentioned(audit.tables)
        if mentioned is None or self._lacks(audit, mentioned, built):
            return built.shapes.wants(audit.tables)
        return mentioned

    def _lacks(self, audit: Audit, wants: Wants, built: Built) -> bool:
        """Whether something that the audit cannot do without is missing."""
        needed = frozenset() if ANYTHING in audit.needs.optional else wants.models - audit.needs.optional
        return bool(lacking(wants, audit.needs, self.filled) or needed & built.missing.keys())

    def _estimate(self, db: Database, item: Working, built: Built) -> None:
        """The audit's tables and what its methods add; a fault of ours is kept and stops nothing else."""
        audit = item.audit
        item.wants = self._wants(audit, built)
        behind = models_behind(item.wants.models | words_of(audit.metrics.sql), self.models)
        faults = [built.failed[name] for name in sorted(behind & built.failed.keys())]
        if faults:
            item.failure = "; ".join(faults)
            return
        if self._lacks(audit, item.wants, built):
            needed = sorted(item.wants.models - audit.needs.optional)
            empty = [lack for name in needed for lack in built.missing.get(name, ())]
            item.missing = tuple(dict.fromkeys((*lacking(item.wants, audit.needs, self.filled), *empty))) or ((),)
            return
        read = item.wants.models | words_of(audit.metrics.sql)
        makers = makers_of(self.models.values())
        read_models = {makers[table] for table in read if table in makers}
        for name in sorted(models_behind(item.wants.models, self.models)):
            item.methods.extend(built.methods.get(name, ()))
            if name in built.withheld and name in read_models and name not in built.missing:
                item.withheld.append(built.withheld[name])
        db.con.execute(f"create schema if not exists {identifier(audit.id)}")
        try:
            with db.inside(audit.id):
                for block in (b for b in audit.tables if not b.wants_q):
                    _create(db, item, block)
                    for call in audit.methods:
                        if call.table == block.name:
                            estimate = self._apply(db, call, call.table, item)
                            item.methods.append(_told(call, estimate))
                            # Nothing to estimate is nothing withheld: without contracts there is no contracts' holdout.
                            if estimate.withheld and _has_rows(db, call.table):
                                item.withheld.append(estimate.withheld)
        except (duckdb.OutOfMemoryException, duckdb.IOException):
            raise
        except FAULTS as error:
            item.failure = f"{type(error).__name__}: {error}"

    def _apply(self, db: Database, call: MethodCall, table: str, item: Working | None) -> Estimate:
        """Runs a method over a table of an audit or a model, widens it by its columns and stores its further tables."""
        module = importlib.import_module(f"crmaudit.methods.{call.name}")
        arguments = {
            name: db.scalar(value) if isinstance(value, str) and is_query(value) else value
            for name, value in call.arguments.items()
        }
        # Models have no order of their own; an audit's table is in the order its SELECT gives it.
        frame = db.frame(f"from {table}{' order by all' if item is None else ''}")
        estimate: Estimate = module.estimate(frame, **arguments)
        if frame.is_empty():
            # A method that was asked nothing withholds nothing.
            estimate = replace(estimate, withheld=None)
        absent = [c for c in call.adds if estimate.columns is None or c not in estimate.columns.columns]
        if estimate.columns is not None or absent:
            added = [] if estimate.columns is None else estimate.columns.get_columns()
            nulls = [pl.lit(None, pl.Float64).alias(name) for name in absent]
            _keep(db, item, table, frame.with_columns(*added, *nulls))
        made = dict(estimate.tables)
        if not call.is_tested:
            made = {name: frame.drop(c for c in frame.columns if _is_p(c)) for name, frame in made.items()}
        for name, facts in (("parameters", estimate.parameters), ("holdout", estimate.holdout or {})):
            if name in call.gives:
                scalars = {k: v for k, v in facts.items() if isinstance(v, str | int | float)}
                made[name] = pl.DataFrame([scalars or {"": 0}])
        for own_name in {**call.gives, **made}:
            place = call.gives.get(own_name, GivenTable(own_name))
            table_made = made.get(own_name, pl.DataFrame())
            lacking = [pl.lit(None, pl.Float64).alias(c) for c in place.columns if c not in table_made.columns]
            _keep(db, item, place.name, table_made.with_columns(*lacking))
        return estimate

    def _control(self, work: list[Working]) -> int:
        """False-discovery control over every p-value of the run: each `*_p` column gets its `*_q`."""
        tested = self.db.con.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where column_name = 'p' or ends_with(column_name, '_p') order by schema_name, table_name, column_index"
        ).fetchall()
        frames: dict[str, pl.DataFrame] = {}
        places: dict[str, list[tuple[str, str, pl.DataFrame]]] = {}
        for item in (i for i in work if not (i.missing or i.failure)):
            for table, column in ((t, c) for schema, t, c in tested if schema == item.audit.id and t in item.tables):
                name = f"{identifier(item.audit.id)}.{table}"
                if name not in frames:
                    frames[name] = self.db.frame(f"from {name}")
                places.setdefault(item.audit.id, []).append((name, column, frames[name]))
        families = {
            audit: [p for _, column, frame in columns for p in frame[column].to_list()]
            for audit, columns in places.items()
        }
        adjusted = false_discovery.control(families)
        for audit, columns in places.items():
            values = list(adjusted[audit])
            widened: dict[str, pl.DataFrame] = {}
            for table, column, frame in columns:
                own, values = values[: len(frame)], values[len(frame) :]
                name = "q" if column == "p" else f"{column.removesuffix('_p')}_q"
                base = widened.get(table, frame)
                widened[table] = base.with_columns(pl.Series(name, own, dtype=pl.Float64))
            for table, frame in widened.items():
                self.db.store(table, frame)
        return sum(p is not None and not math.isnan(p) for values in families.values() for p in values)

    def _result(self, db: Database, item: Working) -> report.Result:
        """Metrics, findings, tables and charts of an audit whose tests are under control."""
        audit = item.audit
        if item.missing:
            return self._unanswerable(item)
        if item.failure is None:
            try:
                with db.inside(audit.id):
                    return self._answer(db, item)
            except (duckdb.OutOfMemoryException, duckdb.IOException):
                raise
            except FAULTS as error:
                item.failure = f"{type(error).__name__}: {error}"
        return replace(
            answers.unanswered(audit),
            status="failed",
            reason=f"{answers.culprit(audit)}: {item.failure}",
            methods=tuple(item.methods),
        )

    def _unanswerable(self, item: Working) -> report.Result:
        missing = told(lack for lack in item.missing if lack)
        reason = in_words(missing) if missing else "No row of these exports bears on the question."
        return replace(answers.unanswered(item.audit), reason=reason, missing=missing)

    def _answer(self, db: Database, item: Working) -> report.Result:
        audit = item.audit
        for block in (*(b for b in audit.tables if b.wants_q), audit.metrics):
            _create(db, item, block)
        metrics = answers.metrics(db, audit)
        partial = _holding(db, audit.partials)
        # Without a row of metrics there is no figure to tell a reason by.
        tellable = [p for p in partial if metrics or not figures_of(p.reason)]
        reasons = [*item.withheld, *(fill(p.reason, figures(metrics), self.currency) for p in tellable)]
        biases = [p.bias for p in partial if p.bias]
        has_value = any(m.value is not None for m in metrics.values())
        status: report.Status = "unanswerable" if not has_value else "partial" if reasons else "answered"
        if not has_value and not reasons:
            reasons = ["No row of these exports bears on the question."]
        findings = tuple(answers.findings(db, audit, self.currency)) if has_value else ()
        tables = tuple(answers.table(db, audit, name) for name in _shown(item)) if has_value else ()
        return replace(
            answers.unanswered(audit),
            status=status,
            reason=" ".join(dict.fromkeys(reasons)) or None,
            bias=" ".join(dict.fromkeys(biases)) or None,
            headline=headline(audit.headlines, metrics, self.currency) if has_value else "",
            metrics=metrics if has_value else {},
            findings=findings,
            tables=tables,
            charts=tuple(answers.charts(audit, [t.name for t in tables if t.rows_total])),
            methods=tuple(item.methods),
        )


def _shown(item: Working) -> list[str]:
    """Tables in the order of the file, then what methods added."""
    written = [b.name for b in item.audit.tables]
    extra = sorted(item.tables - {*written, "metrics"})
    return [t for t in (*written, *extra) if t in item.tables and t not in item.audit.hidden]


def _keep(db: Database, item: Working | None, table: str, frame: pl.DataFrame) -> None:
    """Stores a table of an audit or of a model."""
    if not frame.columns:
        return
    db.store(table, frame)
    if item is not None:
        item.tables.add(table)


def _create(db: Database, item: Working, block: Block) -> None:
    db.con.execute(f"create or replace table {block.name} as {block.sql}")
    item.tables.add(block.name)


def _holding(db: Database, partials: Sequence[PartialRule]) -> list[PartialRule]:
    """Those whose condition holds."""
    if not partials:
        return []
    flags = db.con.execute(f"select {', '.join(f'coalesce(({p.when}), false)' for p in partials)}").fetchall()[0]
    return [partial for partial, holds in zip(partials, flags, strict=True) if holds]


def _has_rows(db: Database, table: str) -> bool:
    return bool(db.scalar(f"select count(*) from (select 1 from {table} limit 1)"))


def _is_p(column: str) -> bool:
    return column == "p" or column.endswith("_p")


def _told(call: MethodCall, estimate: Estimate) -> report.Method:
    module = importlib.import_module(f"crmaudit.methods.{call.name}")
    return report.Method(
        name=call.name,
        papers=tuple(module.PAPERS),
        parameters=dict(estimate.parameters),
        log_likelihood=estimate.log_likelihood,
        candidates=tuple(estimate.candidates),
        holdout=estimate.holdout,
    )
