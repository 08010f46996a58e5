"""Read and check audit and model files: a TOML header in SQL comments, then named SELECTs.

    -- /// audit            or: -- /// model
    -- title = "..."
    -- ///
    -- /// table by_owner
    select ...
    -- /// metrics
    select ...

An audit's id is its file's name, its chapter the folder's; a model is one SELECT, materialised as a table of its
file's name. What a file needs of the data is derived from its SQL when it runs, never declared twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from crmaudit.audit_header import (
    NAME,
    Block,
    ChartRule,
    FindingRule,
    Header,
    MethodCall,
    MetricRule,
    Needs,
    PartialRule,
    split,
    words_of,
)
from crmaudit.errors import AuditFileError
from crmaudit.report import CHAPTERS
from crmaudit.text import title as in_words


@dataclass(frozen=True)
class Model:
    """A building block: one SELECT over canonical tables and other models, and perhaps a method."""

    name: str
    path: Path
    sql: str
    title: str
    needs: Needs
    methods: tuple[MethodCall, ...]


@dataclass(frozen=True)
class Audit:
    """A question, the rows that answer it, and how the answer is told."""

    id: str
    chapter: str
    path: Path
    title: str
    question: str
    why: str
    fix: str
    headlines: tuple[str, ...]
    """The answer in one sentence; the first whose figures are all known is told."""
    needs: Needs
    tables: tuple[Block, ...]
    metrics: Block
    metric_rules: Mapping[str, MetricRule]
    methods: tuple[MethodCall, ...]
    findings: tuple[FindingRule, ...]
    partials: tuple[PartialRule, ...]
    charts: tuple[ChartRule, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    """Units of columns whose name and type do not tell."""
    hidden: frozenset[str] = frozenset()
    """Tables that are steps towards others and not shown in the report."""

    @property
    def sql(self) -> str:
        """The file's text, as `crmaudit explain` prints it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def selects(self) -> str:
        """The file's SELECTs, each below the comment that names it: the text without the header."""
        return self.sql.partition("\n-- ///\n")[2].strip()


def read_models(folder: Path) -> tuple[Model, ...]:
    """Every model of the folder in order of dependency; AuditFileError where they go in a circle."""
    models = [_read_model(path) for path in sorted(folder.glob("*.sql"))]
    return tuple(_in_order(models))


def read_audits(folders: Iterable[Path]) -> tuple[Audit, ...]:
    """Every audit of `<folder>/<chapter>/<id>.sql`, in the order of chapters; a later folder replaces the same id."""
    found: dict[str, Audit] = {}
    for folder in folders:
        for chapter in CHAPTERS:
            for path in sorted((folder / chapter).glob("*.sql")):
                audit = read_audit(path)
                found[audit.id] = audit
    order = list(CHAPTERS)
    return tuple(sorted(found.values(), key=lambda a: (order.index(a.chapter), a.id)))


PLACES = frozenset({"audit", "information_schema", "loaded", "main", "pg_catalog", "stored", "system", "temp"})
"""Catalogs and schemas of a run, which no audit's tables may be mistaken for."""


def read_audit(path: Path) -> Audit:
    """One audit file; AuditFileError names the file, the line and the rule it breaks."""
    header, blocks = split(path, "audit")
    if not NAME.fullmatch(path.stem):
        raise AuditFileError(f"{path}: an audit's id, its file's name, is small letters, digits and underscores")
    if path.stem in PLACES:
        raise AuditFileError(f"{path}: `{path.stem}` is a place in the database; call the audit otherwise")
    if path.parent.name not in CHAPTERS:
        raise AuditFileError(f"{path}: an audit lies in a folder named after its chapter: {', '.join(CHAPTERS)}")
    metrics = [b for b in blocks if b.name == "metrics"]
    if len(metrics) != 1:
        raise AuditFileError(f"{path}: an audit has one `-- /// metrics` block, this has {len(metrics)}")
    text = Header(path, header)
    audit = Audit(
        id=path.stem,
        chapter=path.parent.name,
        path=path,
        title=text.string("title"),
        question=text.string("question"),
        why=text.string("why"),
        fix=text.string("fix"),
        headlines=text.one_or_more("headline"),
        needs=text.needs(),
        tables=tuple(b for b in blocks if b.name != "metrics"),
        metrics=metrics[0],
        metric_rules={k: MetricRule(**v) for k, v in text.tables("metrics", MetricRule).items()},
        methods=text.methods(),
        findings=tuple(FindingRule(**f) for f in text.rules("finding", FindingRule)),
        partials=tuple(PartialRule(**p) for p in text.rules("partial", PartialRule)),
        charts=tuple(text.charts()),
        units=text.table("units"),
        hidden=frozenset(text.strings("hidden")),
    )
    text.must_be_used_up()
    return audit


def _read_model(path: Path) -> Model:
    header, blocks = split(path, "model")
    if len(blocks) != 1:
        raise AuditFileError(f"{path}: a model is one SELECT, this has {len(blocks)}")
    text = Header(path, header)
    model = Model(
        name=path.stem,
        path=path,
        sql=blocks[0].sql,
        title=text.string("title"),
        needs=text.needs(),
        methods=text.methods(),
    )
    text.must_be_used_up()
    return model


def _in_order(models: list[Model]) -> Iterable[Model]:
    named = {m.name: m for m in models}
    try:
        order = list(TopologicalSorter(depends(models)).static_order())
    except CycleError as error:
        raise AuditFileError(f"models depend on each other in a circle: {', '.join(error.args[1])}") from error
    return [named[name] for name in order]


def depends(models: Iterable[Model]) -> dict[str, list[str]]:
    """Model -> the models whose tables it reads, of those given."""
    models = tuple(models)
    makers = makers_of(models)
    return {
        m.name: sorted({makers[w] for w in words_of(f"{m.sql} {' '.join(_scalars(m))}") if w in makers} - {m.name})
        for m in models
    }


def makers_of(models: Iterable[Model]) -> dict[str, str]:
    """Table -> the model that makes it: its own, and those its methods give."""
    return {
        table: model.name
        for model in models
        for table in (model.name, *(given.name for call in model.methods for given in call.gives.values()))
    }


def _scalars(model: Model) -> list[str]:
    return [v for m in model.methods for v in m.arguments.values() if isinstance(v, str) and is_query(v)]


def must_not_hide(audits: Iterable[Audit], taken: Iterable[str]) -> None:
    """AuditFileError where a table of an audit has the name of one that it could read, and would hide it."""
    names = frozenset(taken)
    for audit in audits:
        lines = {block.name: block.line for block in audit.tables}
        given = (table.name for call in audit.methods for table in call.gives.values())
        for name in (*lines, *given):
            if name in names:
                raise AuditFileError(
                    f"{audit.path}:{lines.get(name, 1)}: `{name}` is a table that audits read; call this one otherwise"
                )


def is_query(value: str) -> bool:
    """A method's argument that is computed by SQL rather than meant as it stands."""
    return value.lstrip().lower().startswith("select ")


def label(name: str) -> str:
    """A column's name as people read it: `win_rate_pct` is "Win rate"."""
    stem = name
    for suffix in ("pct", "on", "at", "amount", "count"):
        stem = stem.removesuffix(f"_{suffix}")
    for prefix in ("is_", "has_"):
        stem = stem.removeprefix(prefix)
    return in_words(stem) or name


def unit_of(name: str, sql_type: str) -> str:
    """The unit of a column from its suffix, else from its type."""
    if sql_type == "BOOLEAN":
        return "bool"
    if sql_type == "DATE" or sql_type.startswith("TIMESTAMP"):
        return "date"
    if sql_type.startswith("VARCHAR"):
        return "id" if name.endswith("_id") else "text"
    of, _, last = name.rpartition("_")
    if last in ("p", "q"):
        return "p"
    if last in ("pct", "points", "days", "hours"):
        return last
    if of and last in ("low", "high"):
        return unit_of(of, sql_type)
    if sql_type.startswith("DECIMAL") or last == "amount":
        return "money"
    return "n" if "INT" in sql_type else "ratio"
