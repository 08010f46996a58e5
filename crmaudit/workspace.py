"""The folder that a run writes: made beside, then swapped in whole, so that a failed run leaves the earlier audit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from crmaudit.durable import sync, sync_all
from crmaudit.errors import LockedError, UsageError

MARKER = "audit.json"
"""The file by which an audit folder is known."""

KEPT = ("history.json", "weekly")
"""What outlives a run: earlier figures, and what was mailed. The next run finds them in its fresh folder."""

OURS = (
    "audit.*",
    "report.*",
    "gap.*",
    "rejects.csv",
    "review.csv",
    "charts",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    *KEPT,
)
"""What an audit folder holds; anything else in it is somebody's, and is not to be replaced."""


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A fresh private folder that takes the place of `out` when the block ends well, and vanishes when it does not.

    UsageError where `out` holds something that is no audit or cannot be written; LockedError where another run writes
    there. Beside `out` stays an empty `.NAME.lock`: to remove it would let two runs hold a lock of that name.
    """
    with holding(out) as place:
        out, fresh = place, _beside(place, "new")
        with _writable(out):
            fresh.mkdir(mode=0o700)
            _keep(out, fresh)
        try:
            yield fresh
            with _writable(out):
                _swap(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def holding(out: Path) -> Iterator[Path]:
    """Nobody else writes in `out`, which is whole again if a run was killed; errors as in `replacing`, which may follow
    within: what a run keeps is read, changed and replaced by one hand."""
    out = out.resolve()
    _refuse_what_is_no_audit(out)
    with _locked(out), _private_files():
        _sweep(out)
        yield out


def _keep(out: Path, fresh: Path) -> None:
    for name in KEPT:
        kept = out / name
        if kept.is_dir():
            shutil.copytree(kept, fresh / name)
            # The letters in it are on the disk, and the copy is to take their place.
            sync_all(fresh / name)
        elif kept.exists():
            shutil.copy2(kept, fresh / name)
            sync(fresh / name)


def _refuse_what_is_no_audit(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out wants a folder")
    if not out.is_dir():
        return
    with _writable(out):
        names = sorted(path.name for path in out.iterdir())
    others = [name for name in names if not any(fnmatch(name, pattern) for pattern in OURS)]
    if others or (names and MARKER not in names):
        found = f" ({', '.join(others[:3])}{', ...' if len(others) > 3 else ''})" if others else ""
        raise UsageError(f"{out} holds other things than an audit{found}; choose another folder with --out")


@contextmanager
def _writable(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = error.filename or out
        raise UsageError(f"{place} cannot be written ({error.strerror}); choose another folder with --out") from error


def _beside(out: Path, kind: Literal["new", "before", "lock"]) -> Path:
    return out.parent / f".{out.name}.{kind}"


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    with _writable(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_beside(out, "lock"), blocking=False, mode=0o600, is_singleton=True)
        # A refused lock is an OSError too, and is told apart within.
        _acquire(lock, out)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, out: Path) -> None:
    try:
        lock.acquire()
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
    kept = _beside(out, "before")
    if kept.is_dir() and not out.exists():
        kept.rename(out)
    for leftover in (kept, _beside(out, "new")):
        shutil.rmtree(leftover, ignore_errors=True)


def _swap(fresh: Path, out: Path) -> None:
    before = _beside(out, "before")
    if out.exists():
        out.rename(before)
    try:
        fresh.rename(out)
    except OSError:
        if before.exists():
            before.rename(out)
        raise
    # Only when the new folder's name is on the disk may the old one go.
    sync(out)
    sync(out.parent)
    shutil.rmtree(before, ignore_errors=True)
