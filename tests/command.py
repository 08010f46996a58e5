"""The command as its users call it: in this process where only the answer matters, in another where a process does."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from crmaudit import cli

ROOT = Path(__file__).resolve().parents[1]
EXPORTS = ROOT / "examples" / "exports"

INVOICES = """invoice_id,customer_name,issue_date,net_amount,currency,status
I1,Acme Ltd,2026-01-05,100.00,EUR,paid
I2,Acme Ltd,2026-03-05,150.00,EUR,paid
I3,Beta GmbH,2026-02-05,70.00,EUR,paid
"""
"""The smallest exports that answer anything."""


OWN = """-- /// audit
-- title    = "Invoices"
-- question = "How many invoices are there?"
-- why      = "To count."
-- fix      = "Export the invoices."
-- headline = "{invoice_count} invoices."
-- [metrics]
-- invoice_count = { unit = "n" }
-- ///
-- /// table by_customer
select account_name, count(*) as invoice_count
from invoices
group by account_name
order by account_name
-- /// metrics
select sum(invoice_count)::bigint as invoice_count from by_customer
"""
"""The smallest audit of a user's own."""


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code, its data and its talk."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """All that was said, in one line."""
        return " ".join(f"{self.out} {self.err}".split())


def crmaudit(*arguments: object) -> Ran:
    """Runs the command in this process. An exception that leaves it fails the test: nobody may see a traceback."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int | None)
    return Ran(code or 0, out.getvalue(), err.getvalue())


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Starts the command in a process of its own that takes Ctrl-C, whatever ours was started with."""
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from crmaudit import cli; cli.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen[str], seconds: float = 120) -> Ran:
    """Waits for a started command."""
    out, err = process.communicate(timeout=seconds)
    return Ran(process.returncode, out, err)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its name."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def own(folder: Path, text: str = OWN, name: str = "know/invoice_count.sql") -> Path:
    """A folder with one audit of a user's."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder
