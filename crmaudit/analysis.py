"""From canonical rows to the report object: parties, models, audits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from crmaudit import __version__, identity, report
from crmaudit.audits import Audit, read_audits, read_models
from crmaudit.database import Database, create_loaded
from crmaudit.resources import folder
from crmaudit.run import Runner
from crmaudit.schema import TABLES
from crmaudit.settings import Settings

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Findings:
    """What is known before any audit runs: the sources and what is wrong with them."""

    sources: tuple[report.Source, ...] = ()
    findings: tuple[report.Finding, ...] = ()


def audits_of(queries: Iterable[Path] = ()) -> tuple[Audit, ...]:
    """Our audits and those of the user's folders."""
    return read_audits([folder("queries"), *queries])


def analyze_loaded(
    db: Database,
    settings: Settings,
    today: dt.date,
    audits: tuple[Audit, ...],
    known: Findings,
    progress: Progress,
) -> report.Report:
    """The report over the tables of schema `loaded`, which this completes by empty ones."""
    create_loaded(db.con, TABLES)
    filled = _filled(db)
    currency = settings.currency or _usual_currency(db)
    grain = settings.customers.grain or _grain(filled)
    _write_settings(db, settings, today, currency, grain)
    _write_rates(db, settings)
    progress("Who is who across the systems")
    identity.resolve(db.con)
    _write_coverage(db)
    runner = Runner(db, read_models(folder("queries") / "model"), filled, currency)
    built = runner.build_models(progress)
    results, comparisons = runner.run(audits, built, progress)
    checks = tuple(r for r in results if r.chapter == "data")
    answers = tuple(r for r in results if r.chapter != "data")
    window = db.con.execute("select as_of_on, start_on, end_on from periods where period = 'current'").fetchall()[0]
    findings = (*known.findings, *(f for r in checks for f in r.findings))
    return report.Report(
        crmaudit=__version__,
        as_of=window[0].isoformat(),
        window={"start": (window[1] + dt.timedelta(days=1)).isoformat(), "end": window[2].isoformat()},
        currency=currency,
        grain=grain,
        setting=db.scalar("select setting from setting"),
        comparisons=comparisons,
        sources=known.sources,
        audits=answers,
        checks=checks,
        findings=findings,
        summary=_summary(answers),
    )


def _filled(db: Database) -> frozenset[str]:
    """Canonical columns that at least one row fills, as `table.column`."""
    filled = set()
    for table in TABLES.values():
        names = [c.name for c in table.columns]
        counts = db.con.execute(f"select {', '.join(f'count({n})' for n in names)} from loaded.{table.name}").fetchall()[0]
        filled |= {f"{table.name}.{n}" for n, count in zip(names, counts, strict=True) if count}
    return frozenset(filled)


def _usual_currency(db: Database) -> str:
    """The currency of most rows that bear money, the first by name of equals; empty where none is named."""
    parts = " union all ".join(
        f"select upper(currency) as currency, count(*) as n from loaded.{name} where currency is not null group by all"
        for name in ("invoices", "payments", "opportunities", "subscriptions")
    )
    found = db.scalar(f"select currency from ({parts}) group by currency order by sum(n) desc, currency limit 1")
    return found or ""


def _grain(filled: frozenset[str]) -> str:
    """Accounts where any export knows companies, else persons."""
    naming = ("account_id", "account_name")
    money = ("invoices", "payments", "subscriptions", "opportunities")
    by_account = {"accounts.account_id", "accounts.name"} | {f"{table}.{c}" for table in money for c in naming}
    return "account" if filled & by_account else "person"


def _write_settings(db: Database, settings: Settings, today: dt.date, currency: str, grain: str) -> None:
    first, last = settings.window_range or (None, None)
    kind = "range" if settings.window_range else "months" if settings.window_months else "all"
    db.con.execute(
        "create or replace table settings as select ?::date as today_on, ?::date as as_of_requested_on, "
        "? as window_kind, ?::integer as window_months, ?::date as window_from_on, ?::date as window_until_on, "
        "? as currency, ? as grain, ?::double as a_limit_pct, ?::double as b_limit_pct, ?::boolean as history_is_complete",
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
    for currency, rate in sorted(settings.rates.items()):
        db.con.execute("delete from loaded.exchange_rates where upper(currency) = ?", [currency.upper()])
        db.con.execute("insert into loaded.exchange_rates (currency, rate) values (?, ?)", [currency.upper(), rate])


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
                f"from loaded.{table.name} cross join settings"
            )
    db.con.execute(f"create or replace table coverage as {' union all '.join(parts)}")


def _summary(results: Iterable[report.Result]) -> dict[str, object]:
    results = tuple(results)
    counts: dict[str, object] = {
        status: sum(r.status == status for r in results)
        for status in ("answered", "partial", "unanswerable", "failed")
    }
    counts["findings_by_level"] = {
        level: sum(f.level == level for r in results for f in r.findings) for level in report.LEVELS
    }
    return counts
