"""The questions as a list, and one of them explained: definition, method, papers and SQL."""

from __future__ import annotations

import importlib
import json
import textwrap
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from crmaudit.audit_header import words_of
from crmaudit.audits import Audit, Model, makers_of, must_not_hide, read_audits, read_models, unit_of
from crmaudit.database import selected_columns
from crmaudit.errors import AuditFileError, UsageError
from crmaudit.report import CHAPTERS
from crmaudit.resources import folder
from crmaudit.schema import TABLES

DATA = "data"
"""The chapter of checks, which are no questions of the catalogue."""

RUN_TABLES = ("settings", "coverage", "links", "party_numbers", "sources")
"""Tables of a run that are neither canonical nor models."""


def audits_of(queries: Iterable[Path] = ()) -> tuple[Audit, ...]:
    """Our audits and those of the user's folders, which replace ours of the same id.

    UsageError where there is no such folder; AuditFileError where it holds no audit or one that breaks the rules.
    """
    queries = tuple(queries)
    for place in queries:
        own_audits(place)
    audits = read_audits([folder("queries"), *queries])
    must_not_hide(audits, names_taken())
    return audits


def names_taken() -> frozenset[str]:
    """Names that a table of an audit cannot have: those of canonical tables, models, and what else a run makes."""
    return frozenset({*TABLES, *makers_of(read_models(folder("queries") / "model")), *RUN_TABLES})


def own_audits(place: Path) -> tuple[Audit, ...]:
    """The audits of a user's folder, each of them SQL that DuckDB can parse; errors as in `audits_of`."""
    if not place.is_dir():
        raise UsageError(f"{place}: no such folder")
    chapters = ", ".join(CHAPTERS)
    for path in sorted((*place.glob("*.sql"), *place.glob("*/*.sql"))):
        if path.parent == place or path.parent.name not in CHAPTERS:
            raise AuditFileError(f"{path}: an audit lies in a folder named after its chapter: {chapters}")
    audits = read_audits([place])
    must_not_hide(audits, names_taken())
    if not audits:
        raise AuditFileError(f"{place} holds no audit: they lie in folders named {chapters}")
    from crmaudit.needs import check_syntax  # noqa: PLC0415  # `list` of ours need not pay for DuckDB

    for audit in audits:
        check_syntax(audit)
    return audits


def questions(queries: Iterable[Path] = ()) -> tuple[Audit, ...]:
    """Every audit that answers a question about customers."""
    return tuple(a for a in audits_of(queries) if a.chapter != DATA)


def figure_names(queries: Iterable[Path] = ()) -> dict[str, frozenset[str]]:
    """The words of each question's metrics, among which are the names of all its figures."""
    return {audit.id: words_of(audit.metrics.sql) | frozenset(audit.metric_rules) for audit in questions(queries)}


def as_text(queries: Iterable[Path] = ()) -> str:
    """A heading a chapter, a line a question."""
    audits = questions(queries)
    wide = max(len(a.id) for a in audits)
    lines = []
    for chapter, question in CHAPTERS.items():
        own = [a for a in audits if a.chapter == chapter]
        if own:
            lines += ["", f"{chapter}: {question}", *(f"  {a.id:<{wide}}  {a.question}" for a in own)]
    return "\n".join(lines[1:]) + "\n"


def as_json(queries: Iterable[Path] = ()) -> str:
    """The same for programs, with the metrics and their units."""
    data = [
        {
            "id": a.id,
            "chapter": a.chapter,
            "title": a.title,
            "question": a.question,
            "metrics": {name: rule.unit for name, rule in a.metric_rules.items()},
            "methods": [m.name for m in a.methods],
        }
        for a in questions(queries)
    ]
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def explain(audit_id: str, queries: Iterable[Path] = ()) -> str:
    """All that makes one audit's figures; UsageError names the nearest id where there is none of that name."""
    audits = {a.id: a for a in audits_of(queries)}
    if audit_id not in audits:
        near = get_close_matches(audit_id, audits, n=1)
        hint = f"did you mean {near[0]}?" if near else "`crmaudit list` shows them"
        raise UsageError(f"there is no audit {audit_id!r}; {hint}")
    audit = audits[audit_id]
    models = {m.name: m for m in read_models(folder("queries") / "model")}
    used = _models_of(audit, models)
    methods = dict.fromkeys((*(m.name for m in audit.methods), *(c.name for m in used for c in m.methods)))
    definitions = [_figure(name, audit) for name in figures_of(audit)]
    parts = [
        f"{audit.title} ({audit.chapter}/{audit.id})",
        textwrap.fill(audit.question, 100),
        "Why it matters\n" + textwrap.indent(textwrap.fill(audit.why, 98), "  "),
        "To answer it better\n" + textwrap.indent(textwrap.fill(audit.fix, 98), "  "),
    ]
    if definitions:
        parts.append("Figures\n" + "\n".join(definitions))
    if methods:
        parts.append("Methods\n" + "\n".join(_method(name) for name in methods))
    if used:
        parts.append("Models it reads\n" + "\n".join(f"  {m.name}: {m.title} ({m.path.name})" for m in used))
    return "\n\n".join(parts) + f"\n\nSQL ({audit.path.name})\n\n" + audit.sql.rstrip() + "\n"


def check(queries: Path) -> str:
    """Says what a folder of a user's audits holds; AuditFileError names the first rule that a file breaks."""
    audits = own_audits(queries)
    from crmaudit.bindings import bind  # noqa: PLC0415

    bind(audits)
    return "".join(f"ok  {a.chapter}/{a.id}  {a.question}\n" for a in audits)


def figures_of(audit: Audit) -> tuple[str, ...]:
    """The names of an audit's figures in their order, without the ends and the n of intervals."""
    names = list(dict.fromkeys((*selected_columns(audit.metrics.sql), *audit.metric_rules)))
    parts = {f"{name}_{end}" for name in names for end in ("low", "high", "n")}
    return tuple(name for name in names if name not in parts)


def _figure(name: str, audit: Audit) -> str:
    rule = audit.metric_rules.get(name)
    unit = rule.unit if rule else audit.units.get(name) or _told_by_name(name)
    return f"  {name}" + (f" ({unit})" if unit else "") + (f": {rule.note}" if rule and rule.note else "")


def _told_by_name(name: str) -> str:
    """The unit, where the name alone tells it."""
    unit = unit_of(name, "")
    return "" if unit == "ratio" else unit


def _models_of(audit: Audit, models: dict[str, Model]) -> list[Model]:
    makers = makers_of(models.values())
    words = frozenset().union(*(words_of(b.sql) for b in (*audit.tables, audit.metrics)))
    return [models[name] for name in sorted({makers[w] for w in words if w in makers})]


def _method(name: str) -> str:
    module = importlib.import_module(f"crmaudit.methods.{name}")
    summary = (module.__doc__ or "").strip().splitlines()[0]
    papers = "\n".join(textwrap.fill(p, 96, initial_indent="    - ", subsequent_indent="      ") for p in module.PAPERS)
    return f"  {name}: {summary}\n{papers}"
