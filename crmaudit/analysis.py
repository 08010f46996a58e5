"""The main job: a folder of exports becomes a report object and its audit folder."""

from __future__ import annotations

import datetime as dt
import importlib
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import duckdb

from crmaudit import (
    __version__,
    clock,
    identity,
    lists,
    losses,
    plot,
    redact,
    renderings,
    repeated_sales,
    report,
    workspace,
)
from crmaudit.audits import Audit, Model, read_models
from crmaudit.catalogue import audits_of
from crmaudit.database import Database, create_loaded, filled_counts, make_writable
from crmaudit.errors import InputError, UsageError
from crmaudit.intake.discover import Found, survey
from crmaudit.intake.load import load
from crmaudit.intake.overrides import without_unread
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.read import read_packed
from crmaudit.renderings import Format
from crmaudit.resources import folder
from crmaudit.reviewed import FILE_NAME as VERDICTS
from crmaudit.reviewed import Verdict
from crmaudit.reviewed import read as read_reviewed
from crmaudit.run import Runner
from crmaudit.schema import TABLES
from crmaudit.settings import Settings

Progress = Callable[[str], None]
Grain = Literal["account", "person"]

KEPT_FOR_BLOCKS = "1GB"
"""Memory whose blocks go round inside the process: handing each back costs up to a tenth of a large base's time. More
than the machine has would abort the process."""
KEPT_BY_THE_ALLOCATOR = "1TB"
"""Freed memory of a thread that is not given back at once: more than any run has, so never."""


@dataclass(frozen=True)
class Limits:
    """What a run may take of the machine; more threads than it has are of no use."""

    memory: str = "1200MB"
    """Of the database; what does not fit spills to disk. With the methods' share a large base stays within 2 GiB."""
    threads: int | None = None


@dataclass(frozen=True)
class Known:
    """What is known before any audit runs: the sources and what is wrong with them."""

    sources: tuple[report.Source, ...] = ()
    findings: tuple[report.Finding, ...] = ()


def analyze(
    exports: Path,
    out: Path,
    settings: Settings,
    *,
    queries: Iterable[Path] = (),
    reviewed: Path | None = None,
    limits: Limits = Limits(),
    today: dt.date | None = None,
    formats: Iterable[Format] = (),
    progress: Progress = lambda _: None,
    also: Callable[[report.Report, Path], object] = lambda *_: None,
    redaction_key: bytes | None = None,
) -> report.Report:
    """Audits the exports and writes the audit folder, whole or not at all.

    `reviewed` is a links.csv, `formats` what is wanted beside HTML and Markdown; `also` writes further files into the
    folder before it counts as whole; `redaction_key` makes pseudonyms of people and companies. InputError where nothing
    can be read; the other errors of `errors` name the option or file at fault.
    """
    if exports.resolve().is_relative_to(out.resolve()):
        raise UsageError(f"{exports} lies in {out}, which the audit is to replace; choose another folder with --out")
    if redaction_key is not None and (out / "weekly").exists():
        raise UsageError(f"{out} keeps the letters of the weekly mail, with names; choose another folder with --out")
    threading.Thread(target=_import_ahead, daemon=True).start()
    queries = tuple(queries)
    audits = audits_of(queries)
    verdicts = read_reviewed(reviewed) if reviewed is not None else ()
    found = _survey(exports)
    today = today or clock.now(settings.timezone).date()
    with workspace.replacing(out) as fresh:
        scratch = fresh / "scratch"
        scratch.mkdir()
        con = _connect(fresh / "audit.duckdb", scratch, limits)
        try:
            known = _take_in(con, exports, found, scratch, settings, today, progress)
            known = replace(known, findings=(*known.findings, *_replacements(audits)))
            lock(con, scratch)
            result = analyze_loaded(
                Database(con, scratch), settings, today, audits, known, progress,
                reviewed=verdicts, redaction_key=redaction_key,
            )  # fmt: skip
            lists.write(con, fresh, is_redacted=redaction_key is not None)
            if redaction_key is not None:
                redact.copy_database(con, scratch / "copy.duckdb")
            con.execute("checkpoint")
        except duckdb.OutOfMemoryException as error:
            raise UsageError(f"{limits.memory} is too little memory; give more with --memory: {error}") from error
        except duckdb.IOException as error:
            raise UsageError(f"{out} cannot be written: {error}") from error
        finally:
            con.close()
        if redaction_key is not None:
            (scratch / "copy.duckdb").replace(fresh / "audit.duckdb")
        shutil.rmtree(scratch)
        progress("Writing the report")
        also(result, fresh)
        renderings.write(result, fresh, formats, {audit.id: audit.selects for audit in audits})
    return result


def _import_ahead() -> None:
    """What methods import and the first chart starts takes over a second, in which the database has work to do."""
    importlib.import_module("scipy.optimize")
    plot.warm_up()


def _replacements(audits: Iterable[Audit]) -> Iterable[report.Finding]:
    """Says which of our questions a user's file answers instead."""
    ours = {audit.id: audit.path for audit in audits_of()}
    for audit in audits:
        if audit.path != ours.get(audit.id, audit.path):
            text = f"{audit.id} is answered by {audit.path}, which replaces the question of that name."
            yield report.Finding(f"queries/info/{audit.id}", "info", text)


def _connect(path: Path, scratch: Path, limits: Limits) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | bool | int | float | list[str]] = {
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
        "python_enable_replacements": False,
        "memory_limit": limits.memory,
        "block_allocator_memory": KEPT_FOR_BLOCKS,
        "allocator_flush_threshold": KEPT_BY_THE_ALLOCATOR,
        "allocator_bulk_deallocation_flush_threshold": KEPT_BY_THE_ALLOCATOR,
    }
    if limits.threads:
        config["threads"] = limits.threads
    try:
        con = duckdb.connect(str(path), config=config)
    except (duckdb.InvalidInputException, duckdb.ParserException, duckdb.CatalogException) as error:
        raise UsageError(f"--memory {limits.memory!r} or --threads {limits.threads!r} does not fit: {error}") from error
    # Written once and read many times: compressing doubles the time of a large base for a third of its size.
    con.execute("set force_compression = 'uncompressed'")
    con.execute("set enable_progress_bar = false")
    return con


def lock(con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """From here on SQL of users may run: it reaches no file but the run's own scratch folder, and no network."""
    con.execute("set allowed_directories = [?]", [str(scratch)])
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")


def _survey(exports: Path) -> Found:
    found = survey(exports)
    if not found.exports:
        raise InputError(
            f"{exports} holds no exports: put CSV, TSV, XLSX, JSON or Parquet files there, "
            "one for each kind of record your CRM, billing and support desk export."
        )
    return found


def _take_in(
    con: duckdb.DuckDBPyConnection,
    exports: Path,
    found: Found,
    scratch: Path,
    settings: Settings,
    today: dt.date,
    progress: Progress,
) -> Known:
    """Reads and loads every export; what could not be read is told and stops nothing else."""
    raws, unread = read_all(con, exports, found, scratch, progress)
    if not raws:
        raise InputError("None of the files can be read:\n" + "\n".join(str(e) for e in unread))
    overrides, unread = without_unread(settings.files, unread, raws)
    loaded = load(con, raws, today=today, overrides=overrides, timezone=settings.timezone)
    if not loaded.entities:
        raise InputError(
            f"No file in {exports} was recognised as customers, deals, invoices, tickets or the like. "
            f"Run `crmaudit inspect {exports}` to see why, and `crmaudit init {exports}` to say what each file is."
        )
    sources = tuple(s.source for s in loaded.sources)
    if not any(source.rows_loaded for source in sources):
        told = "".join(f"\n{s.path}: {s.rows_read:,} rows, {s.rows_rejected:,} of them rejected" for s in sources)
        told += "".join(f"\n{finding.text}" for finding in losses.two_readings(loaded.sources))
        raise InputError(f"{exports} holds no row that can be used, only headers or rows that do not fit them:{told}")
    findings = (
        *losses.of_files(sources, unread),
        *losses.questions(loaded.sources),
        *losses.unknown(loaded.sources),
        *losses.two_readings(loaded.sources),
        *losses.of_values(loaded.sources),
        *losses.gross(con, loaded.sources),
    )
    return Known((*sources, *(losses.unread_source(e) for e in unread)), findings)


def read_all(
    con: duckdb.DuckDBPyConnection, exports: Path, found: Found, scratch: Path, progress: Progress
) -> tuple[list[RawTable], list[Unreadable]]:
    """Every table of every export, and the files that hold none that can be read."""
    root = exports if exports.is_dir() else exports.parent
    raws: list[RawTable] = []
    unread: list[Unreadable] = []
    for path in found.exports:
        progress(f"Reading {path.relative_to(root)}")
        tables, failed = read_packed(path, root, con, workdir=scratch)
        raws.extend(tables)
        unread.extend(failed)
    return raws, unread


def analyze_loaded(
    db: Database,
    settings: Settings,
    today: dt.date,
    audits: tuple[Audit, ...],
    known: Known,
    progress: Progress,
    models: Iterable[Model] | None = None,
    reviewed: Sequence[Verdict] = (),
    redaction_key: bytes | None = None,
) -> report.Report:
    """The report over the tables of schema `loaded`, which this completes by empty ones.

    All models are built, for analysts to go on from, unless only some are asked for; `needs.models_read` says which
    the audits cannot do without.
    """
    create_loaded(db.con, TABLES)
    filled = _filled(db)
    currency = settings.currency or _usual_currency(db)
    grain = settings.customers.grain or _grain(filled)
    _write_settings(db, settings, today, currency, grain)
    _write_rates(db, settings)
    _apply_stages(db, settings)
    progress("Who is who across the systems")
    identity.resolve(db.con, reviewed)
    if redaction_key is not None:
        known = Known(*redact.hide(db.con, redaction_key, known.sources, known.findings))
    _write_coverage(db)
    runner = Runner(db, read_models(folder("queries") / "model") if models is None else models, filled, currency)
    built = runner.build_models(progress)
    results, comparisons = runner.run(audits, built, progress)
    checks = tuple(r for r in results if r.chapter == "data")
    answers = tuple(r for r in results if r.chapter != "data")
    window = db.con.execute("select as_of_on, start_on, end_on from periods where period = 'current'").fetchall()[0]
    repeated = repeated_sales.findings(db.con)
    apart = losses.currencies(db.con)
    findings = (*known.findings, *repeated, *apart, *_unknown_verdicts(db), *(f for r in checks for f in r.findings))
    return report.Report(
        crmaudit=__version__,
        as_of=window[0].isoformat(),
        window={"start": (window[1] + dt.timedelta(days=1)).isoformat(), "end": window[2].isoformat()},
        currency=currency,
        grain=grain,
        setting=db.scalar("select setting from setting"),
        comparisons=comparisons,
        sources=losses.kept_apart(db.con, repeated_sales.accounted(db.con, known.sources)),
        audits=answers,
        checks=checks,
        findings=findings,
        summary=_summary(answers),
    )


def _unknown_verdicts(db: Database) -> Iterable[report.Finding]:
    """Verdicts on records that are gone, or whose names somebody has changed."""
    lines = db.scalar("select string_agg(line::varchar, ', ' order by line) from reviewed_links where not is_known")
    if lines:
        text = f"{VERDICTS} names records that these exports do not have, in line {lines}."
        yield report.Finding("sources/watch/links", "watch", text)


def _filled(db: Database) -> frozenset[str]:
    """Canonical columns that at least one row fills, as `table.column`."""
    return frozenset(
        f"{table.name}.{name}" for table in TABLES.values() for name, n in filled_counts(db.con, table)[1].items() if n
    )


def _usual_currency(db: Database) -> str:
    """The currency of most rows that bear money, the first by name of equals; empty where none is named."""
    parts = " union all ".join(
        f"select upper(currency) as currency, count(*) as n from loaded.{name} where currency is not null group by all"
        for name in ("invoices", "payments", "opportunities", "subscriptions")
    )
    found = db.scalar(f"select currency from ({parts}) group by currency order by sum(n) desc, currency limit 1")
    return found or ""


def _grain(filled: frozenset[str]) -> Grain:
    """Accounts where any export knows companies, else persons."""
    naming = ("account_id", "account_name")
    money = ("invoices", "payments", "subscriptions", "opportunities")
    by_account = {"accounts.account_id", "accounts.name"} | {f"{table}.{c}" for table in money for c in naming}
    return "account" if filled & by_account else "person"


def _write_settings(db: Database, settings: Settings, today: dt.date, currency: str, grain: Grain) -> None:
    first, last = settings.window_range or (None, None)
    kind = "range" if settings.window_range else "months" if settings.window_months else "all"
    db.con.execute(
        "create or replace table settings as select ?::date as today_on, ?::date as as_of_requested_on, "
        "? as window_kind, ?::integer as window_months, ?::date as window_from_on, ?::date as window_until_on, "
        "? as currency, ? as grain, ?::double as a_limit_pct, ?::double as b_limit_pct, "
        "?::boolean as history_is_complete",
        [
            today,
            settings.as_of,
            kind,
            settings.window_months,
            first,
            last,
            currency,
            grain,
            settings.classes.a,
            settings.classes.b,
            settings.customers.history_is_complete,
        ],
    )


def _write_rates(db: Database, settings: Settings) -> None:
    """Rates of the configuration overrule those of the exports."""
    if settings.rates:
        make_writable(db.con, "exchange_rates")
    for currency, rate in sorted(settings.rates.items()):
        db.con.execute("delete from loaded.exchange_rates where upper(currency) = ?", [currency.upper()])
        db.con.execute("insert into loaded.exchange_rates (currency, rate) values (?, ?)", [currency.upper(), rate])


def _apply_stages(db: Database, settings: Settings) -> None:
    """Stage names whose meaning the configuration gives."""
    if settings.stages:
        make_writable(db.con, "opportunities")
    for stage, outcome in sorted(settings.stages.items()):
        db.con.execute("update loaded.opportunities set outcome = ? where lower(stage) = lower(?)", [outcome, stage])


def _write_coverage(db: Database) -> None:
    """Per entity the rows and the first and last dated fact that is not in the future."""
    parts = []
    for table in TABLES.values():
        if table.facts:
            column = table.facts[0].name
            day = f"cast({column} as date)"
            parts.append(
                f"select '{table.name}' as entity, count(*) as row_count, "
                f"min({day}) filter (where {day} <= today_on) as observed_from_on, "
                f"max({day}) filter (where {day} <= today_on) as observed_until_on, "
                f"count(*) filter (where {day} > today_on) as future_count "
                f"from {table.name} cross join settings"
            )
    db.con.execute(f"create or replace table coverage as {' union all '.join(parts)}")


def _summary(results: Iterable[report.Result]) -> dict[str, object]:
    results = tuple(results)
    counts: dict[str, object] = {
        status: sum(r.status == status for r in results) for status in ("answered", "partial", "unanswerable", "failed")
    }
    counts["findings_by_level"] = {
        level: sum(f.level == level for r in results for f in r.findings) for level in report.LEVELS
    }
    return counts
