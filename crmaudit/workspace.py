"""The folder that a run writes: made beside, then swapped in whole, so that a failed run leaves the earlier audit."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from crmaudit.errors import LockedError, UsageError

MARKER = "audit.json"
"""The file by which an audit folder is known."""


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A fresh private folder that takes the place of `out` when the block ends well, and vanishes when it does not.

    UsageError where `out` holds something that is no audit; LockedError where another run writes there.
    """
    out = out.absolute()
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out wants a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise UsageError(f"{out} holds other things than an audit; choose another folder with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _locked(out), _private_files():
            _sweep(out)
            fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
            try:
                yield fresh
                _swap(fresh, out)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except PermissionError as error:
        raise UsageError(f"{error.filename or out} cannot be written; choose another folder with --out") from error


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    lock = FileLock(out.parent / f".{out.name}.lock", blocking=False, mode=0o600)
    try:
        with lock:
            yield
    except Timeout as error:
        raise LockedError(f"another run is writing {out}; wait for it, or choose another folder with --out") from error


@contextmanager
def _private_files() -> Iterator[None]:
    """Exports are confidential: what is written is readable by its owner alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _sweep(out: Path) -> None:
    """Clears what a killed run left behind; the lock says that nobody is at work."""
    kept = out.parent / f".{out.name}-before"
    if kept.is_dir() and not out.exists():
        kept.rename(out)
    for leftover in out.parent.glob(f".{out.name}-*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)


def _swap(fresh: Path, out: Path) -> None:
    before = out.parent / f".{out.name}-before"
    if out.exists():
        out.rename(before)
    fresh.rename(out)
    shutil.rmtree(before, ignore_errors=True)
