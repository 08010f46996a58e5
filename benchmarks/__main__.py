"""`python -m benchmarks [PART ...] [--data FOLDER] [--audit FOLDER]`: prints a table of figures against their goals."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.analyze import ROOT, Run, RunError, analyze, median_seconds, python

GIB = 1024**3
EXAMPLE = ROOT / "examples" / "exports"
EXAMPLE_RUNS, HELP_RUNS = 3, 15

LOAD_GOAL_SCANS = 6.0
ANALYZE_GOAL_SCANS = 20.0
MEMORY_GOAL_GIB = 2.0
COMPANY_GOAL_SCANS = 40.0
COMPANY_MEMORY_GOAL_GIB = 4.0
NAIVE_GOAL_TIMES = 4.0
EXAMPLE_GOAL_SECONDS = 3.0
HELP_GOAL_MS = 150.0
PRECISION_GOAL = 0.995
RECALL_GOAL = 0.95
IDENTITY_GOAL_SECONDS = 60.0
POLLUTION_GOAL_PCT = 97.0
FUZZ_GOAL_FILES = 5000
PAINT_GOALS_MS = {"the example": 300.0, "a large base": 1000.0}


@dataclass(frozen=True)
class Figure:
    """One line of the table; `met` is None where there is no goal."""

    name: str
    value: str
    goal: str = ""
    met: bool | None = None

    def line(self) -> str:
        verdict = {True: "met", False: "NOT MET", None: ""}[self.met]
        return f"{self.name:<44}{self.value:>14}  {self.goal:<10}  {verdict}".rstrip()


@dataclass
class Bench:
    """Measures part by part; ratios come from what has been measured before."""

    data: Path
    audit: Path | None = None
    """A finished audit of a large base; where there is none, the base is audited for its report."""
    scan_seconds: float | None = None
    analyze_seconds: float | None = None
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: str, goal: str = "", met: bool | None = None) -> None:
        self.figures.append(Figure(name, value, goal, met))

    def scan(self) -> None:
        self.scan_seconds = float(python("-m", "benchmarks.base", "scan", str(self.data)).output)
        self.add("one scan by DuckDB, the unit", f"{self.scan_seconds:.2f} s")

    def load(self) -> None:
        measured = python("-m", "benchmarks.load", str(self.data))
        steps = json.loads(measured.output)
        self.add("read, proved, cast and written", f"{sum(steps.values()):.1f} s")
        if self.scan_seconds is not None:
            ratio = sum(steps.values()) / self.scan_seconds
            self.add("  in scans", f"{ratio:.1f}", f"<= {LOAD_GOAL_SCANS:g}", ratio <= LOAD_GOAL_SCANS)
        self.add("  of which " + ", ".join(steps), ", ".join(f"{seconds:.1f}" for seconds in steps.values()))

    def analyze(self) -> None:
        measured = analyze(self.data)
        self.analyze_seconds = measured.seconds
        self.add("analyze, 8 million invoices", f"{measured.seconds:.1f} s")
        if self.scan_seconds is not None:
            ratio = measured.seconds / self.scan_seconds
            self.add("  in scans", f"{ratio:.1f}", f"<= {ANALYZE_GOAL_SCANS:g}", ratio <= ANALYZE_GOAL_SCANS)
        self.add_peak(measured, MEMORY_GOAL_GIB)

    def company(self) -> None:
        folder = str(self.data.with_name(f"{self.data.name}_company"))
        python("-m", "benchmarks.company", "make", folder)
        unit = float(python("-m", "benchmarks.company", "scan", folder).output)
        measured = analyze(Path(folder))
        ratio = measured.seconds / unit
        self.add("one scan of the large company's four files", f"{unit:.2f} s")
        self.add("analyze, the large company", f"{measured.seconds:.1f} s")
        self.add("  in scans", f"{ratio:.1f}", f"<= {COMPANY_GOAL_SCANS:g}", ratio <= COMPANY_GOAL_SCANS)
        self.add_peak(measured, COMPANY_MEMORY_GOAL_GIB)

    def naive(self) -> None:
        with tempfile.TemporaryDirectory() as out:
            measured = python("-m", "benchmarks.naive", str(self.data), str(Path(out) / "customers.csv"))
        self.add("pandas and lifetimes, the same file", f"{measured.seconds:.1f} s")
        if self.analyze_seconds is not None:
            ratio = measured.seconds / self.analyze_seconds
            self.add("  in analyses", f"{ratio:.1f}", f">= {NAIVE_GOAL_TIMES:g}", ratio >= NAIVE_GOAL_TIMES)
        self.add_peak(measured, None)

    def example(self) -> None:
        seconds = median_seconds([analyze(EXAMPLE) for _ in range(EXAMPLE_RUNS)])
        goal = EXAMPLE_GOAL_SECONDS
        self.add("analyze, the example company", f"{seconds:.2f} s", f"< {goal:g} s", seconds < goal)

    def help(self) -> None:
        seconds = median_seconds([python("-m", "crmaudit.cli", "--help") for _ in range(HELP_RUNS)])
        milliseconds = seconds * 1000
        self.add("crmaudit --help", f"{milliseconds:.0f} ms", f"< {HELP_GOAL_MS:g} ms", milliseconds < HELP_GOAL_MS)

    def identity(self) -> None:
        measured = python("-m", "benchmarks.identity", "test")
        told = json.loads(measured.output)
        precision, recall = told["right"] / told["links"], told["right"] / told["wanted"]
        goal = IDENTITY_GOAL_SECONDS
        self.add(
            "identity, precision of the links",
            f"{precision:.4f}",
            f">= {PRECISION_GOAL:g}",
            precision >= PRECISION_GOAL,
        )
        self.add("identity, recall", f"{recall:.4f}", f">= {RECALL_GOAL:g}", recall >= RECALL_GOAL)
        seconds = told["seconds"]
        self.add("  100,000 accounts x 100,000 billing names", f"{seconds:.1f} s", f"< {goal:g} s", seconds < goal)
        self.add_peak(measured, None)

    def pollution(self) -> None:
        told = json.loads(python("-m", "benchmarks.pollution").output)
        goal = POLLUTION_GOAL_PCT
        self.add(f"records of {told['files']:,} polluted files", f"{told['records']:,}")
        self.add("  loaded, cell for cell", f"{told['loaded_pct']:.2f} %", f">= {goal:g} %", told["loaded_pct"] >= goal)
        self.add("  counted, with line and reason", f"{told['counted']:,}")
        self.add("  without their end, the file said to be cut", f"{told['flagged']:,}")
        self.add("  wrong without a word", f"{told['wrong']:,}", "0", told["wrong"] == 0)
        self.add("  lost without a word", f"{told['lost']:,}", "0", told["lost"] == 0)

    def fuzz(self) -> None:
        told = json.loads(python("-m", "benchmarks.fuzz").output)
        files, goal = told["files"], FUZZ_GOAL_FILES
        self.add("mutated exports, none crashed, all rows told", f"{files:,}", f">= {goal:,}", files >= goal)
        self.add("  read, the others refused with a reason", f"{told['read']:,}")
        self.add("  rows loaded of them", f"{told['rows']:,}")

    def paint(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            example, large = Path(scratch) / "example", self.audit or Path(scratch) / "large"
            python("-m", "crmaudit.cli", "analyze", str(EXAMPLE), "--out", str(example))
            if self.audit is None:
                python("-m", "crmaudit.cli", "analyze", str(self.data), "--out", str(large))
            for (whose, goal), audit in zip(PAINT_GOALS_MS.items(), (example, large), strict=True):
                page = audit / "report.html"
                told = json.loads(python("-m", "benchmarks.paint", str(page)).output)["first_paint_ms"]
                self.add(f"first paint, the report of {whose}", f"{told:.0f} ms", f"< {goal:g} ms", told < goal)
                self.add("  size", f"{page.stat().st_size / 1e6:.2f} MB", "< 2 MB", page.stat().st_size < 2e6)

    def add_peak(self, measured: Run, goal: float | None) -> None:
        peak = measured.peak_bytes / GIB
        if goal is None:
            self.add("  peak memory", f"{peak:.2f} GiB")
        else:
            self.add("  peak memory", f"{peak:.2f} GiB", f"<= {goal:g} GiB", peak <= goal)


PARTS: dict[str, Callable[[Bench], None]] = {
    "scan": Bench.scan,
    "load": Bench.load,
    "analyze": Bench.analyze,
    "naive": Bench.naive,
    "company": Bench.company,
    "example": Bench.example,
    "help": Bench.help,
    "identity": Bench.identity,
    "pollution": Bench.pollution,
    "fuzz": Bench.fuzz,
    "paint": Bench.paint,
}
"""In the order in which they are measured: ratios need the scan first, then the analysis."""

ON_THE_BASE = {"scan", "load", "analyze", "naive"}


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 when everything ran, whether or not its goal was met; 1 when something failed to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--data", type=Path, default=ROOT / "benchmarks" / "data", metavar="FOLDER")
    parser.add_argument("--audit", type=Path, metavar="FOLDER", help="a finished audit of a large base, for paint")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    chosen = [part for part in PARTS if part in options.parts or not options.parts]

    bench = Bench(options.data.resolve(), options.audit.resolve() if options.audit else None)
    failed = False
    try:
        on_the_base = ON_THE_BASE | (set() if bench.audit else {"paint"})
        if on_the_base & set(chosen):
            python("-m", "benchmarks.base", "make", str(bench.data))
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    for part in chosen:
        try:
            PARTS[part](bench)
        except RunError as error:
            failed = True
            bench.add(part, "failed")
            print(error, file=sys.stderr)
    for figure in bench.figures:
        print(figure.line())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
