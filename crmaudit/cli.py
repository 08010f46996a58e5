"""The commands: parse, call one function, print. No logic, and nothing heavy imported before it is needed."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from crmaudit import __version__
from crmaudit.errors import CrmauditError, UsageError


class Commands(TyperGroup):
    """The commands, whose end by a signal or a closed pipe is told here, before typer makes something else of it."""

    def invoke(self, ctx: Any) -> Any:
        with _ends_told():
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
        typer.Option(help="Memory for the database, such as 4GB; 1700MB unless told. The rest spills to disk."),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for the database.", min=1)] = None,
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
    from crmaudit import analysis, render, renderings, reviewed  # noqa: PLC0415
    from crmaudit.settings import find  # noqa: PLC0415
    from crmaudit.terminal import console, progress  # noqa: PLC0415

    settings = _settings(exports, config, as_of=as_of, window=window, currency=currency, timezone=timezone)
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
        )
    if not quiet:
        talk = console(stderr=True)
        render.terminal(report, talk)
        talk.print(
            f"\nRead {out / 'report.html'} in a browser; explain a figure with `crmaudit explain ID`.", markup=False
        )
    if fail_on and any(f.level in ("act", fail_on) for a in report.audits for f in a.findings):
        raise typer.Exit(1)


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
def check(folder: Annotated[Path, typer.Argument(help="Folder with audits: <chapter>/<id>.sql.")]) -> None:
    """Check a folder of audits of your own."""
    from crmaudit import catalogue  # noqa: PLC0415

    print(catalogue.check(folder), end="")


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


@contextmanager
def _ends_told() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _say_and_exit("interrupted; an earlier audit is as it was", 130)
    except BrokenPipeError:
        # Who reads us has read enough. What is still buffered goes nowhere, so that the exit does not fail on it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@contextmanager
def _mishaps_told() -> Iterator[None]:
    """Every mishap is one message on stderr and an exit code, never a traceback."""
    try:
        yield
    except CrmauditError as error:
        _say_and_exit(str(error), error.exit_code)
    except OSError as error:
        _say_and_exit(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""), 2)
    except MemoryError:
        _say_and_exit("out of memory; --memory makes the database spill to disk sooner", 2)
    except Exception as error:
        if os.environ.get("CRMAUDIT_TRACEBACK"):
            raise
        fault = f"{type(error).__name__}: {error}"
        _say_and_exit(f"a fault of ours: {fault}\nWith CRMAUDIT_TRACEBACK=1 it says where; please report it.", 70)


def _say_and_exit(message: str, code: int) -> NoReturn:
    from crmaudit.text import clean  # noqa: PLC0415

    for line in f"crmaudit: {message}".splitlines():
        # The caret below a fault of SQL stands where it stands.
        print(" " * (len(line) - len(line.lstrip(" "))) + clean(line), file=sys.stderr)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of the `crmaudit` command; always ends in SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a character shows its number, and the command goes on.
            stream.reconfigure(errors="backslashreplace")
    with _mishaps_told():
        app(arguments, prog_name="crmaudit")


if __name__ == "__main__":
    main()
