"""Raw tables become the canonical tables `loaded.<entity>`, with every row and every amount accounted for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from crmaudit.database import attach_loaded
from crmaudit.intake.cast import Caster
from crmaudit.intake.complete import complete
from crmaudit.intake.lines import keep_lines_of_loaded_invoices, lines_of_invoices
from crmaudit.intake.merge import Part, merge
from crmaudit.intake.raw import Question, RawTable
from crmaudit.intake.recognise import Recognition, recognise
from crmaudit.intake.sql import one_row, quoted
from crmaudit.intake.synonyms import vocabulary
from crmaudit.intake.typed import REJECTS, Excluded, Typed, main_amount, typed_table
from crmaudit.report import Exclusion, Source
from crmaudit.schema import TABLES

Progress = Callable[[str, int, int], None]
"""Called with what is done now, how many steps are done and how many there are."""

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass(frozen=True)
class LoadedSource:
    """One file or sheet: its line in the report, and its money to the last decimal."""

    source_id: int
    source: Source
    recognition: Recognition
    money_read: Decimal | None
    """Sum of the main amount over all records that could be read; None where the entity has no amount."""
    money_loaded: Decimal | None
    """The same over the rows in `loaded.<entity>`; money read = loaded + excluded + on rejected records."""
    unread: tuple[tuple[str, int], ...] = ()
    """(source column, values that could not be read), of records that are kept without them."""
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """What loading made: tables `loaded.<entity>` for every entity, `loaded.rejects`, and this account of it."""

    sources: tuple[LoadedSource, ...]

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities that have a source."""
        return tuple(sorted({s.source.entity for s in self.sources if s.source.entity}))


@dataclass(frozen=True)
class _Step:
    source_id: int
    recognition: Recognition
    typed: Typed
    lines: Typed | None
    """The same rows as lines of invoices."""
    observed: tuple[str | None, str | None]
    future: tuple[str, ...]


def load(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[RawTable],
    *,
    today: dt.date,
    overrides: Mapping[str, Any] | None = None,
    timezone: str = "UTC",
    progress: Progress | None = None,
) -> Loaded:
    """Recognise, cast and merge the tables into schema `loaded` of `con`.

    Every canonical table exists afterwards, with all its columns and `system`, `source_id`; `loaded.rejects`
    (source_id, path, sheet, line, column, value, reason) holds each record and value that could not be read. Sources
    are numbered from 1 by path and sheet, whatever their order in `tables`. Facts later than `today` are kept and
    told. Raises SettingsError where `overrides` (the `[files]` of the settings) cannot be obeyed.
    """
    tell = progress or (lambda *_: None)
    ordered = sorted(tables, key=lambda t: (t.path, t.sheet or ""))
    attach_loaded(con)
    con.execute(
        f"create table {REJECTS} (source_id integer, path varchar, sheet varchar, line bigint, "
        '"column" varchar, value varchar, reason varchar)'
    )
    found = recognise(con, ordered, overrides=overrides)
    steps: dict[int, _Step] = {}
    for source_id, recognition in enumerate(found, 1):
        tell(f"loading {recognition.table.path}", source_id - 1, len(found))
        _reader_rejects(con, source_id, recognition.table)
        if recognition.mapping is not None and recognition.mapping.completion is None:
            steps[source_id] = _load_one(con, source_id, recognition, today=today, timezone=timezone)
    tell("merging", len(found), len(found))
    excluded, notes = _merge_all(con, steps)
    completed = {i: _complete_others(con, i, r) for i, r in enumerate(found, 1) if r.mapping and r.mapping.completion}
    links = _unlinked(con, steps)
    sources = []
    for source_id, recognition in enumerate(found, 1):
        step = steps.get(source_id)
        if source_id in completed:
            sources.append(completed[source_id])
            continue
        if step is None:
            sources.append(LoadedSource(source_id, _unused(recognition), recognition, None, None))
            continue
        sources.append(_account(con, step, excluded[source_id], (*notes[source_id], *links.get(source_id, ()))))
    return Loaded(tuple(sources))


def _load_one(
    con: duckdb.DuckDBPyConnection, source_id: int, found: Recognition, *, today: dt.date, timezone: str
) -> _Step:
    if found.mapping is None:
        raise ValueError(f"{found.table.path} has no mapping")
    workbook = found.table.path.lower().removesuffix(".gz").endswith(_WORKBOOKS)
    caster = Caster(timezone, vocabulary(), workbook, found.table.is_plain)
    typed = typed_table(
        con, found.profile, found.mapping,
        name=f"loaded._{source_id}", source_id=source_id, caster=caster,
    )  # fmt: skip
    lines = None
    if found.mapping.lines:
        lines = lines_of_invoices(con, found, name=f"loaded._{source_id}_lines", source_id=source_id, caster=caster)
    observed, future = _observed(con, typed, found.mapping.entity, today)
    return _Step(source_id, found, typed, lines, observed, future)


def _complete_others(con: duckdb.DuckDBPyConnection, source_id: int, found: Recognition) -> LoadedSource:
    """Fills columns of the records that a file completes; its rows are accounted for like others."""
    raw, mapping = found.table, found.mapping
    if mapping is None:
        raise ValueError(f"{raw.path} has no mapping")
    used, excluded = complete(con, raw, mapping, system=found.system, words=vocabulary())
    excluded = (*excluded, *_no_records(raw))
    source = Source(
        path=raw.path, sheet=raw.sheet, system=found.system, entity=found.entity,
        rows_read=raw.rows_read, rows_loaded=used, rows_rejected=sum(r.is_record for r in raw.rejects),
        rows_excluded=sum(e.rows for e in excluded),
        exclusions=tuple(Exclusion(e.reason, e.rows, None) for e in excluded),
        columns={m.source: f"{mapping.entity}.{m.column}" for m in mapping.columns},
        unmapped=tuple(mapping.unmapped), score=found.score, evidence=found.evidence, notes=raw.notes,
    )  # fmt: skip
    return LoadedSource(source_id, source, found, None, None)


def _observed(
    con: duckdb.DuckDBPyConnection, typed: Typed, entity: str, today: dt.date
) -> tuple[tuple[str | None, str | None], tuple[str, ...]]:
    facts = [c.name for c in TABLES[entity].facts if c.name in typed.columns]
    if not facts:
        return (None, None), ()
    cap = f"date '{today.isoformat()}'"
    columns = []
    for fact in facts:
        day = f"{fact}::date"
        columns += [f"{what}({day}) filter ({day} <= {cap})" for what in ("min", "max")]
        columns.append(f"count(*) filter ({day} > {cap})")
    row = one_row(con, f"select {', '.join(columns)} from {typed.name}")
    first = min((d for d in row[0::3] if d is not None), default=None)
    last = max((d for d in row[1::3] if d is not None), default=None)
    future = tuple(
        f"{n} rows have {fact} after {today.isoformat()}" for fact, n in zip(facts, row[2::3], strict=True) if n
    )
    return (first.isoformat() if first else None, last.isoformat() if last else None), future


def _merge_all(
    con: duckdb.DuckDBPyConnection, steps: Mapping[int, _Step]
) -> tuple[dict[int, list[Excluded]], dict[int, list[str]]]:
    excluded = {i: list(step.typed.excluded) for i, step in steps.items()}
    notes: dict[int, list[str]] = {i: [] for i in steps}
    for entity in TABLES:
        mine = [s for s in steps.values() if s.recognition.entity == entity]
        parts = [
            Part(
                s.typed.name, s.source_id, s.recognition.system, s.typed.columns, s.observed[1],
                s.recognition.table.path, bool(s.recognition.mapping and s.recognition.mapping.updated),
                s.typed.has_unique_key,
            )
            for s in mine
        ]  # fmt: skip
        if entity == "invoice_lines":
            parts += [_lines_part(con, s, s.lines) for s in steps.values() if s.lines]
        amounts = [a for s in mine if s.recognition.mapping and (a := main_amount(entity, s.recognition.mapping))]
        merged = merge(con, entity, parts, amounts[0] if amounts else None)
        for source_id, left_out in merged.excluded.items():
            if steps[source_id].recognition.entity != entity:
                continue
            excluded[source_id] += left_out
            notes[source_id] += merged.notes[source_id]
    return excluded, notes


def _lines_part(con: duckdb.DuckDBPyConnection, step: _Step, lines: Typed) -> Part:
    found = step.recognition
    keep_lines_of_loaded_invoices(con, lines.name, found.system, step.source_id)
    return Part(
        lines.name, step.source_id, found.system, lines.columns, step.observed[1], found.table.path, False, False
    )


def _unlinked(con: duckdb.DuckDBPyConnection, steps: Mapping[int, _Step]) -> dict[int, list[str]]:
    """Columns of ids none of whose sampled values are in the table they refer to: ids of another id space."""
    notes: dict[int, list[str]] = {}
    for source_id, step in steps.items():
        seen, mapping = step.recognition.profile, step.recognition.mapping
        if mapping is None:
            continue
        for mapped in mapping.columns:
            target = TABLES[mapping.entity].column(mapped.column).refers_to
            values = sorted(seen.columns[mapped.source].distinct)
            if target is None or target == mapping.entity or not values:
                continue
            keys = [TABLES[target].key] + (["name"] if target == "users" else [])
            among = " or ".join(f"{k} in (select unnest($ids))" for k in keys)
            query = f"select count(*), count(*) filter ({among}) from loaded.{target}"
            rows, joined = one_row(con, query, {"ids": values})
            if rows and not joined:
                notes.setdefault(source_id, []).append(
                    f"{mapped.source}: none of {len(values)} sampled ids is among the {rows} {target} loaded; "
                    "they are of another id space"
                )
    return notes


def _account(
    con: duckdb.DuckDBPyConnection, step: _Step, excluded: Sequence[Excluded], notes: Sequence[str]
) -> LoadedSource:
    found, raw, mapping = step.recognition, step.recognition.table, step.recognition.mapping
    if mapping is None:
        raise ValueError(f"{raw.path} has no mapping")
    amount = main_amount(mapping.entity, mapping)
    total = f"sum({quoted(amount)})" if amount else "null"
    rows, money = one_row(
        con, f"select count(*), {total} from loaded.{mapping.entity} where source_id = {step.source_id}"
    )
    of_relation = step.typed.rows + step.typed.rows_rejected + sum(e.rows for e in step.typed.excluded)
    footers = _no_records(raw)
    excluded = (*excluded, *footers)
    exact = () if raw.lines_exact else ("Records span lines: the lines of rejected values are counted in records.",)
    source = Source(
        path=raw.path,
        sheet=raw.sheet,
        system=found.system,
        entity=found.entity,
        rows_read=raw.rows_read,
        rows_loaded=rows,
        rows_rejected=raw.rows_read - of_relation + step.typed.rows_rejected - sum(e.rows for e in footers),
        rows_excluded=sum(e.rows for e in excluded),
        exclusions=tuple(Exclusion(e.reason, e.rows, None if e.amount is None else float(e.amount)) for e in excluded),
        observed_from=step.observed[0],
        observed_until=step.observed[1],
        columns={m.source: f"{mapping.entity}.{m.column}" for m in mapping.columns},
        unmapped=tuple(mapping.unmapped),
        score=found.score,
        evidence=found.evidence,
        notes=(*raw.notes, *step.typed.notes, *step.future, *_stamps(found), *_rivals(found), *notes, *exact),
    )
    loaded = Decimal(money) if money is not None else (Decimal(0) if amount else None)
    typed = step.typed
    return LoadedSource(step.source_id, source, found, typed.money_read, loaded, typed.unread, typed.questions)


def _no_records(raw: RawTable) -> tuple[Excluded, ...]:
    return tuple(Excluded(reason, lines, None) for reason, lines in raw.no_records.items())


def _stamps(found: Recognition) -> tuple[str, ...]:
    if found.mapping is None:
        return ()
    mapped = ((m.source, m.reason) for m in found.mapping.columns)
    return tuple(f"{name}: {why}" for name, why in (*mapped, *found.mapping.unmapped.items()) if "load stamp" in why)


def _rivals(found: Recognition) -> tuple[str, ...]:
    others = [c for c in found.candidates if c.entity != found.entity]
    return tuple(f"could also be {c.entity} ({c.score:.2f}): the settings can say so" for c in others)


def _unused(found: Recognition) -> Source:
    raw = found.table
    reason = found.reason or "not recognised"
    rejected = sum(r.is_record for r in raw.rejects)
    left = raw.rows_read - rejected
    return Source(
        path=raw.path, sheet=raw.sheet, system=found.system, entity=None,
        rows_read=raw.rows_read, rows_loaded=0, rows_rejected=rejected, rows_excluded=left,
        exclusions=(Exclusion(f"not used: {reason}", left),) if left else (),
        unmapped=raw.columns, score=found.score, evidence=found.evidence, notes=raw.notes,
    )  # fmt: skip


def _reader_rejects(con: duckdb.DuckDBPyConnection, source_id: int, raw: RawTable) -> None:
    if raw.rejects:
        rows = raw.rejects
        con.execute(
            f"insert into {REJECTS} select $id, $path, $sheet, unnest($lines::bigint[]), unnest($columns::varchar[]), "
            "unnest($values::varchar[]), unnest($reasons::varchar[])",
            {
                "id": source_id, "path": raw.path, "sheet": raw.sheet, "lines": [r.line for r in rows],
                "columns": [r.column for r in rows], "values": [r.value for r in rows],
                "reasons": [r.reason for r in rows],
            },
        )  # fmt: skip
