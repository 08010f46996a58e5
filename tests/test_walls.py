"""The walls of the house: who may import what, who may speak, and how long a file may be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT

PACKAGE = ROOT / "crmaudit"
MODULES = sorted(PACKAGE.rglob("*.py"))
METHODS = sorted((PACKAGE / "methods").glob("*.py"))
TOUCH_DUCKDB = {
    "identity",
    "run",
    "database",
    "analysis",
    "needs",
    "bindings",
    "querying",
    "inspection",
    "side_by_side",
}
LONG = {
    "crmaudit/schema.py",
    "examples/company.py",
    "queries/keep/journey_end.sql",
    "queries/keep/next_actions.sql",
    "queries/keep/outcome_distributions.sql",
    "tests/report_sample.py",
}
"""Tables of data, and questions of many parts."""

LARGEST = 400
TEXT = {".py", ".sql", ".toml", ".md", ".txt", ".j2", ".css", ".csv", ".json", ".lock", ".cfg", ".yml", ".yaml", ""}


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, at its head or within."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_typing_only(path: Path, name: str) -> bool:
    """Whether the module is imported for type checkers alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return any(isinstance(child, ast.Import) and child.names[0].name == name for child in node.body)
    return False


def ours(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", METHODS, ids=ours)
def test_methods_know_nothing_of_us(path: Path) -> None:
    allowed = {"numpy", "polars", "scipy", *sys.stdlib_module_names}
    for name in imported(path):
        assert name.split(".")[0] in allowed or name.startswith("crmaudit.methods"), f"{name} in a method"


def test_few_modules_touch_the_database() -> None:
    touching = {
        ours(path)
        for path in MODULES
        if any(name.split(".")[0] == "duckdb" for name in imported(path)) and not is_typing_only(path, "duckdb")
    }
    allowed = {f"crmaudit/{name}.py" for name in TOUCH_DUCKDB}
    assert {name for name in touching if not name.startswith("crmaudit/intake/")} <= allowed


def test_only_the_commands_speak_and_know_the_time() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        if ours(path) not in {"crmaudit/cli.py", "crmaudit/mishaps.py"}:
            assert "print" not in calls, f"{path} prints"
        if ours(path) != "crmaudit/clock.py":
            clocks = {"time.time", "dt.date.today", "dt.datetime.now", "datetime.now", "date.today"}
            assert not clocks & set(calls), f"{path} reads the clock"


def test_nothing_imports_the_commands() -> None:
    for path in MODULES:
        assert "crmaudit.cli" not in {".".join(name.split(".")[:2]) for name in imported(path)}, path


def tracked() -> list[Path]:
    """The files of the repository; those of the folder where it is no checkout."""
    found = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode == 0:
        return [ROOT / name for name in found.stdout.splitlines() if (ROOT / name).is_file()]
    return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a folder of somebody's machine", r"(?<![\w.])/(?:home|root|Users|work|workspace|mnt)/\w|[A-Z]:\\Users\\"),
        ("a package registry", r"https?://[\w.:-]*(?:pypi|pythonhosted|artifactory|nexus|/simple/)|--index-url|find-links"),
        ("a key", r"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|ghp_\w{36}"),
    ],
)  # fmt: skip
def test_nothing_of_one_machine_is_in_the_repository(what: str, pattern: str) -> None:
    found = [
        f"{ours(path)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        if path.suffix in TEXT and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not found, f"{what}:\n" + "\n".join(found[:10])


def test_files_are_short() -> None:
    long = {
        ours(path): lines
        for path in tracked()
        if path.suffix in {".py", ".sql", ".j2", ".css"}
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > LARGEST
    }
    assert set(long) <= LONG, long
