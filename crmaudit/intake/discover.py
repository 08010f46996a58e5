"""Which files of an exports folder are exports."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from crmaudit.errors import InputError
from crmaudit.intake import unpack
from crmaudit.intake.columns_by_blanks import has_columns
from crmaudit.intake.dialect import NO_DELIMITER, newline_of, propose
from crmaudit.reviewed import is_reviewed

SUFFIXES = frozenset(
    {".csv", ".tsv", ".tab", ".psv", ".json", ".ndjson", ".jsonl", ".parquet", ".pq", ".xlsx", ".xlsm", ".xlsb"}
    | {".xls", ".ods"}
)
"""Endings of files that are taken for exports as they are."""
TEXT_SUFFIXES = frozenset({".txt", ".dat", ".prn", ".asc", ".lst", ".out"})
"""Endings of files that are exports when their lines have columns, and prose otherwise."""
_PACKED = frozenset({".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tgz"})
_OURS = frozenset(
    {"audit.json", "report.html", "report.md", "rejects.csv", "review.csv", "audit.duckdb", "report.xlsx"}
)
_SAMPLE = 1 << 16


@dataclass(frozen=True)
class Skipped:
    """A file or folder that was left out, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """What a folder holds, each list in order of the paths."""

    exports: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def survey(folder: Path) -> Found:
    """The exports under a folder and what was left out of them. A single file may be given as well.

    Raises:
        InputError: the folder does not exist or cannot be read.
    """
    if folder.is_file():
        return Found((folder,), ())
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder. Name the folder that holds the exports.")
    exports: list[Path] = []
    skipped: list[Skipped] = []

    def refused(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise InputError(f"{folder}: cannot be read ({error.strerror}). Check its permissions.") from error
        skipped.append(Skipped(Path(error.filename), f"cannot be read: {error.strerror}"))

    for parent, folders, files in os.walk(folder, onerror=refused):
        here = Path(parent)
        if "audit.json" in files and here != folder:
            skipped.append(Skipped(here, "an earlier audit"))
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(files):
            path = here / name
            reason = _reason_to_skip(path)
            if reason is None:
                exports.append(path)
            else:
                skipped.append(Skipped(path, reason))
    return Found(
        tuple(sorted(exports, key=lambda path: path.relative_to(folder).as_posix())),
        tuple(sorted(skipped, key=lambda item: item.path.relative_to(folder).as_posix())),
    )


def discover(folder: Path) -> list[Path]:
    """The exports under a folder, in order of their paths; `survey` says what was left out as well.

    Raises:
        InputError: the folder does not exist or cannot be read.
    """
    return list(survey(folder).exports)


def _reason_to_skip(path: Path) -> str | None:
    if path.name.startswith((".", "~$")):
        return "hidden"
    if path.name in _OURS and (path.parent / "audit.json").exists():
        return "written by crmaudit"
    if is_reviewed(path):
        return "verdicts on links, which the run obeys"
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return _reason_by_kind(path) if is_file else "no regular file"


def _reason_by_kind(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or (suffix in TEXT_SUFFIXES and has_a_table(path)):
        return None
    if suffix in unpack.SUFFIXES:
        return _reason_by_what_is_packed(path, suffix)
    if suffix in _PACKED:
        return "compressed: unpack it to have it read"
    if suffix in TEXT_SUFFIXES:
        return "text without columns"
    return "no kind of file that holds exports" if suffix else "a file without an ending"


def _reason_by_what_is_packed(path: Path, suffix: str) -> str | None:
    if suffix == ".gz":
        within = PurePosixPath(path.name).with_suffix("").suffix.lower()
        is_export = within in SUFFIXES | TEXT_SUFFIXES or not within
        return None if is_export else "compressed: unpack it to have it read"
    found = unpack.members(path)
    # A damaged archive is for reading to refuse aloud.
    is_export = not found or any(PurePosixPath(member).suffix.lower() in SUFFIXES | TEXT_SUFFIXES for member in found)
    return None if is_export else "an archive without exports"


def has_a_table(path: Path) -> bool:
    """Whether the lines of a text have columns, or might have."""
    try:
        with path.open("rb") as file:
            sample = file.read(_SAMPLE)
    except OSError:
        return True  # reading it will fail again, and say why
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        sample = sample[: len(sample) // 2 * 2].decode("utf-16", errors="replace").encode()
    if len(sample) >= _SAMPLE // 2:
        newline = newline_of(sample)
        sample = sample[: sample.rfind(newline) + len(newline)] or sample
    if not sample.strip():
        return True
    if has_columns(sample):
        return True
    start = 3 if sample.startswith(b"\xef\xbb\xbf") else 0
    try:
        dialect = propose(sample, start, lambda _: True)
    except ValueError:
        return True  # reading it will say that it is empty
    if dialect.delimiter == NO_DELIMITER:
        return False
    # In prose a comma now and then looks like a delimiter; in a table the lines agree.
    lines = [line for line in sample[dialect.data_offset :].splitlines() if line.strip()]
    fit = sum(1 for line in lines if line.count(dialect.delimiter) == dialect.width - 1)
    return fit * 10 >= 8 * len(lines) if b'"' not in sample else fit * 2 >= len(lines)
