"""Runs a command as its own process and measures it: wall time and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KIB = 1024
DARWIN_COUNTS_BYTES = sys.platform == "darwin"


class RunError(Exception):
    """A measured command failed; the message has its last lines."""


@dataclass(frozen=True)
class Run:
    """One process: wall seconds, the largest resident set of it or any process it waited for, and its stdout."""

    seconds: float
    peak_bytes: int
    output: str


def run(command: list[str]) -> Run:
    """Measures `command`, run from the root of the checkout; RunError where it exits with anything but 0.

    The peak is that of the largest single process, not a sum over processes. A child's figure starts at what its
    parent had in memory, so whoever calls this should be small: no numpy, no DuckDB.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode != 0:
            tail = "\n".join(err.read().splitlines()[-5:])
            raise RunError(f"{' '.join(command)} exited with {process.returncode}\n{tail}")
        return Run(seconds, usage.ru_maxrss * (1 if DARWIN_COUNTS_BYTES else KIB), out.read())


def python(*arguments: str) -> Run:
    """Measures this interpreter with `arguments`."""
    return run([sys.executable, *arguments])


def analyze(exports: Path) -> Run:
    """Measures one `crmaudit analyze` of a folder of exports into a folder of its own."""
    with tempfile.TemporaryDirectory() as out:
        return python("-m", "crmaudit.cli", "analyze", str(exports), "--out", out)


def median_seconds(runs: list[Run]) -> float:
    return statistics.median(one.seconds for one in runs)
