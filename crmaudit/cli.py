"""The commands: parse, call one function, print. No logic, and nothing heavy imported before it is needed."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from crmaudit import __version__
from crmaudit.errors import FailedError, UsageError
from crmaudit.mishaps import ends_told, mishaps_told


class Commands(TyperGroup):
    """The commands, whose end by a signal or a closed pipe is told here, before typer makes something else of it."""

    def invoke(self, ctx: Any) -> Any:
        with ends_told():
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result


app = typer.Typer(
    name="crmaudit",
    cls=Commands,
    help="Audits a customer base from the exports of its CRM, billing and support desk.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Exports = Annotated[Path, typer.Argument(help="Folder with the exports (or one file).")]
Config = Annotated[Path | None, typer.Option(help="Settings; by default crmaudit.toml among the exports or here.")]
Queries = Annotated[list[Path] | None, typer.Option(help="Folder with audits of your own; may be repeated.")]
Redact = Annotated[bool, typer.Option("--redact", help="Pseudonyms for people and companies, in every output.")]
RedactKey = Annotated[
    Path | None, typer.Option(help="File with the key of the pseudonyms, mode 0600; else CRMAUDIT_REDACT_KEY.")
]
Audit = Annotated[Path, typer.Option("--audit", help="The audit folder that `analyze` wrote.")]


def _show_version(value: bool) -> None:  # typer calls it so
    if value:
        print(f"crmaudit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # handled by its callback
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def analyze(
    exports: Exports,
    out: Annotated[Path, typer.Option(help="Where the audit folder goes.")] = Path("audit"),
    config: Config = None,
    as_of: Annotated[
        str | None, typer.Option(help="Day to look from, such as 2026-06-30; else the last purchase.")
    ] = None,
    window: Annotated[str | None, typer.Option(help="12m (default), all, or 2025-01-01..2025-12-31.")] = None,
    currency: Annotated[str | None, typer.Option(help="Report currency, such as EUR.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Time zone of days, such as Europe/Berlin; else UTC.")] = None,
    queries: Queries = None,
    memory: Annotated[
        str | None,
        typer.Option(help="Memory for the database, such as 4GB; 1200MB unless told. The rest spills to disk."),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for the database.", min=1)] = None,
    redact: Redact = False,
    redact_key: RedactKey = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="Write this too: xlsx, pdf, or png (charts beside report.md); may be repeated."),
    ] = None,
    fail_on: Annotated[str | None, typer.Option(help="Exit with 1 where a finding has this level: act, watch.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless it fails.")] = False,
) -> None:
    """Audit the exports: write report.html, report.md, audit.json and audit.duckdb."""
    if fail_on not in (None, "act", "watch"):
        raise UsageError(f"--fail-on takes act or watch, not {fail_on!r}")
    from crmaudit import analysis, assertions, render, renderings, reviewed  # noqa: PLC0415
    from crmaudit.catalogue import figure_names  # noqa: PLC0415
    from crmaudit.settings import check_figures, find  # noqa: PLC0415
    from crmaudit.terminal import console, progress  # noqa: PLC0415

    settings = _settings(exports, config, as_of=as_of, window=window, currency=currency, timezone=timezone)
    check_figures(settings, config or find(exports), figure_names(queries or ()))
    with progress(quiet=quiet) as tell:
        report = analysis.analyze(
            exports,
            out,
            settings,
            queries=queries or (),
            reviewed=reviewed.find(exports, config or find(exports)),
            limits=analysis.Limits(threads=threads) if memory is None else analysis.Limits(memory, threads),
            formats=renderings.known(formats or ()),
            progress=tell,
            redaction_key=_redaction_key(redact, redact_key),
        )
    if not quiet:
        talk = console(stderr=True)
        render.terminal(report, talk)
        talk.print(
            f"\nRead {out / 'report.html'} in a browser; explain a figure with `crmaudit explain ID`.", markup=False
        )
    verdicts = assertions.judge(settings.assertions, report)
    for verdict in verdicts:
        if not quiet or not verdict.held:
            print(verdict.said, file=sys.stderr)
    if any(not verdict.held and verdict.assertion.severity == "fail" for verdict in verdicts):
        raise typer.Exit(1)
    if fail_on and any(f.level in ("act", fail_on) for a in report.audits for f in a.findings):
        raise typer.Exit(1)
    if report.failed:
        raise FailedError(report.failed)


@app.command()
def inspect(exports: Exports, config: Config = None) -> None:
    """Show what each file is taken for, how each column maps and why. Writes nothing."""
    from crmaudit import inspection  # noqa: PLC0415

    print(inspection.inspect(exports, _settings(exports, config)), end="")


@app.command()
def init(
    exports: Exports,
    config: Annotated[Path | None, typer.Option(help="File to write; else crmaudit.toml among the exports.")] = None,
) -> None:
    """Write a crmaudit.toml with the mapping that was found, to edit."""
    from crmaudit import inspection  # noqa: PLC0415

    print(f"Wrote {inspection.init(exports, config)}; edit it, then run `crmaudit analyze {exports}`.")


@app.command()
def gap(
    exports: Annotated[Path | None, typer.Argument(help="Folder with the exports (or one file).")] = None,
    client: Annotated[str | None, typer.Option(help="Whose customers they are; the title of the report.")] = None,
    logo: Annotated[Path | None, typer.Option(help="PNG, JPEG or plain SVG, at most 512 KB.")] = None,
    accent: Annotated[str | None, typer.Option(help="Colour of headings, such as #14546e.")] = None,
    prepared_by: Annotated[str, typer.Option(help="Your name, or your company's.")] = "",
    out: Annotated[Path, typer.Option(help="Where the audit folder goes, with the gap report in it.")] = Path("audit"),
    earlier: Annotated[Path | None, typer.Option(help="The client's earlier audit folder: what has improved?")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write gap.pdf too; wants the extra [pdf].")] = False,
    rank_people: Annotated[bool, typer.Option("--rank-people", help="Show answers that rank colleagues.")] = False,
    templates: Annotated[Path | None, typer.Option(help="Folder with templates and words that win over ours.")] = None,
    init_templates: Annotated[Path | None, typer.Option(help="Copy our templates there, to start from.")] = None,
    redact: Redact = False,
    redact_key: RedactKey = None,
    config: Config = None,
    as_of: Annotated[str | None, typer.Option(help="Day to look from, such as 2026-06-30.")] = None,
    window: Annotated[str | None, typer.Option(help="12m (default), all, or 2025-01-01..2025-12-31.")] = None,
    currency: Annotated[str | None, typer.Option(help="Report currency, such as EUR.")] = None,
    queries: Queries = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless it fails.")] = False,
) -> None:
    """The client gap report: what the exports cannot answer, what that costs, and what to mend first."""
    from crmaudit.gap import brand, build, write  # noqa: PLC0415

    if init_templates is not None:
        print("".join(f"{path}\n" for path in write.init(init_templates)), end="")
        return
    picture, colour = brand.logo(logo) if logo else "", brand.accent(accent)
    if exports is None or not client:
        wanted = [*(["the folder with the exports"] if exports is None else []), *([] if client else ["--client NAME"])]
        raise UsageError(f"gap wants {' and '.join(wanted)}")
    from crmaudit import analysis, reviewed  # noqa: PLC0415
    from crmaudit.settings import find  # noqa: PLC0415
    from crmaudit.terminal import progress  # noqa: PLC0415

    whose = build.Client(client, prepared_by, picture, colour, rank_people)
    plan = write.Plan(whose, write.folders(templates), write.read_earlier(earlier) if earlier else None, pdf=pdf)
    settings = _settings(exports, config, as_of=as_of, window=window, currency=currency)
    with progress(quiet=quiet) as tell:
        analysis.analyze(
            exports, out, settings, queries=queries or (), reviewed=reviewed.find(exports, config or find(exports)),
            progress=tell, also=plan.write, redaction_key=_redaction_key(redact, redact_key),
        )  # fmt: skip
    if not quiet:
        print(out / ("gap.pdf" if pdf else "gap.html"))


@app.command()
def customer(
    words: Annotated[str, typer.Argument(metavar="NAME-OR-ID", help="A name, a part of one, an id or an address.")],
    audit: Audit = Path("audit"),
    as_: Annotated[str, typer.Option("--format", help="text, html or md.")] = "text",
) -> None:
    """One customer on one page: who they are, how they stand and why, what to do."""
    if as_ not in ("text", "html", "md"):
        raise UsageError(f"--format takes text, html or md, not {as_!r}")
    from crmaudit.customer import write  # noqa: PLC0415
    from crmaudit.terminal import console  # noqa: PLC0415

    page = write.page(words, audit)
    if as_ == "text":
        write.terminal(page, console())
    else:
        print(write.html(page) if as_ == "html" else write.markdown(page), end="")


@app.command()
def doctor(
    out: Annotated[Path, typer.Option(help="The audit folder that is to be written.")] = Path("audit"),
    smtp: Annotated[str | None, typer.Option(help="Mail server to greet, HOST or HOST:PORT; sends nothing.")] = None,
) -> None:
    """Check what a run may need of this machine, and say how to mend what is not there. 1 if an audit cannot run."""
    from crmaudit import doctor as examination  # noqa: PLC0415
    from crmaudit.text import clean  # noqa: PLC0415

    is_fit = True
    for check in examination.examine(out, smtp):
        is_fit = is_fit and (check.is_well or not check.is_needed)
        mark = "ok" if check.is_well else "bad" if check.is_needed else "lacks"
        print(f"{mark:<6}{check.name}: {clean(check.said)}" + ("" if check.is_well else f"\n      {check.mend}"))
    if not is_fit:
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder to make.")] = Path("crmaudit-demo"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing unless it fails.")] = False,
) -> None:
    """Write the exports of an example company and audit them, for a first look without data."""
    from crmaudit import demo as example  # noqa: PLC0415

    analyze(example.exports(folder), folder / "audit", quiet=quiet)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    queries: Queries = None,
) -> None:
    """List the questions, with their ids."""
    from crmaudit import catalogue  # noqa: PLC0415

    print(catalogue.as_json(queries or ()) if as_json else catalogue.as_text(queries or ()), end="")


@app.command()
def explain(
    audit_id: Annotated[str, typer.Argument(metavar="ID", help="An id that `crmaudit list` shows.")],
    queries: Queries = None,
) -> None:
    """Print an audit's question, definitions, method, papers and SQL."""
    from crmaudit import catalogue  # noqa: PLC0415

    print(catalogue.explain(audit_id, queries or ()), end="")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT over the tables of the audit.")],
    audit: Audit = Path("audit"),
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    deadline: Annotated[float, typer.Option(help="Seconds that the query may take.", min=1)] = 60,
) -> None:
    """Run SQL over an audit's database; it can read nothing else and write nothing."""
    from crmaudit import querying  # noqa: PLC0415

    querying.run(sql, audit, sys.stdout, as_csv=as_csv, deadline=deadline)


@app.command()
def weekly(
    exports: Exports,
    to: Annotated[list[str], typer.Option(help="Who gets the mail; may be repeated.")],
    out: Annotated[Path, typer.Option(help="The audit folder, which also keeps what was sent.")] = Path("audit"),
    config: Config = None,
    as_of: Annotated[str | None, typer.Option(help="Day to look from; else the last purchase.")] = None,
    queries: Queries = None,
    per_owner: Annotated[bool, typer.Option("--per-owner", help="Write to each colleague about their own.")] = False,
    attach: Annotated[bool, typer.Option("--attach", help="Attach report.html.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write the mails as .eml and send nothing.")] = False,
    in_doubt: Annotated[
        str | None, typer.Option(help="repeat or drop: what becomes of mails that may not have arrived.")
    ] = None,
) -> None:
    """Mail what has changed since the last mail; made for cron, says nothing unless it fails."""
    if in_doubt not in (None, "repeat", "drop"):
        raise UsageError(f"--in-doubt takes repeat or drop, not {in_doubt!r}")
    from crmaudit import clock, reviewed  # noqa: PLC0415
    from crmaudit import weekly as weekly_run  # noqa: PLC0415
    from crmaudit.settings import find  # noqa: PLC0415
    from crmaudit.terminal import progress  # noqa: PLC0415

    settings = _settings(exports, config, as_of=as_of)
    with progress(quiet=False) as tell:
        job = weekly_run.Job(
            exports,
            out,
            settings,
            clock.now(settings.timezone),
            queries=tuple(queries or ()),
            reviewed=reviewed.find(exports, config or find(exports)),
            progress=tell,
        )
        order = weekly_run.Order(tuple(to), per_owner, attach, dry_run, in_doubt or "")
        paths = weekly_run.run(job, order)
    for path in paths:
        print(path)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The earlier audit folder, or its audit.json.")],
    new: Annotated[Path, typer.Argument(help="The later one.")] = Path("audit"),
) -> None:
    """Show what differs between two audits: figures, findings, answers."""
    from crmaudit import history, render  # noqa: PLC0415
    from crmaudit.terminal import console  # noqa: PLC0415

    before, now = history.open_report(old), history.open_report(new)
    render.difference(history.difference(before, now), now.currency, console())


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="Folder with audits: <chapter>/<id>.sql.")]) -> None:
    """Check a folder of audits of your own."""
    from crmaudit import catalogue  # noqa: PLC0415

    print(catalogue.check(folder), end="")


def _redaction_key(is_wanted: bool, path: Path | None) -> bytes | None:
    if not is_wanted:
        return None
    from crmaudit.redact import read_key  # noqa: PLC0415

    return read_key(path)


def _settings(exports: Path, config: Path | None, *, as_of: str | None = None, **flags: Any) -> Any:
    from crmaudit import settings  # noqa: PLC0415

    day = None
    if as_of is not None:
        try:
            day = dt.date.fromisoformat(as_of)
        except ValueError as error:
            raise UsageError(f"--as-of takes a day such as 2026-06-30, not {as_of!r}") from error
    if config is not None and not config.is_file():
        raise UsageError(f"{config}: no such file")
    return settings.read(config or settings.find(exports), {"as_of": day, **flags})


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of the `crmaudit` command; always ends in SystemExit."""
    # Its threads spin while they wait, on the cores that the database is at work on.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a character shows its number, and the command goes on.
            stream.reconfigure(errors="backslashreplace")
    with mishaps_told():
        app(arguments, prog_name="crmaudit")


if __name__ == "__main__":
    main()
