"""Exports that come packed: a gzip file is one export, a ZIP archive as many as it holds."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Protocol

from crmaudit.intake.raw import Unreadable

SUFFIXES = frozenset({".gz", ".zip"})
_WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"})
_SMALL = 1 << 28
_RATIO = 200
"""Text packs to a tenth, an export of next to nothing to a hundredth; what swells further is made to fill the disk."""
_MOST_MEMBERS = 1000
_CHUNK = 1 << 20
_AGAIN = "Pack it again, or put the unpacked files there."


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def packing(path: Path) -> str | None:
    """`gzip` or `zip` by the file's first bytes; None for all else, workbooks among them, which are ZIP files too."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return None  # reading it will fail again, and say why
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    suffix = path.suffix.lower()
    # An archive may hold a workbook as it is, whose own beginning then shows in the archive's.
    is_workbook = suffix in _WORKBOOKS or (suffix != ".zip" and b"[Content_Types].xml" in head)
    return "zip" if head.startswith(b"PK\x03\x04") and not is_workbook else None


def members(path: Path) -> list[str]:
    """The names of the files in a ZIP archive that are not hidden, in their order; none where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sorted(info.filename for info in archive.infolist() if not info.is_dir() and _is_shown(info))
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return []


def unpack_gzip(path: Path, name: str, workdir: Path) -> Path:
    """The one file, unpacked; Unreadable where it is damaged, cut or swells beyond reason."""
    try:
        with gzip.open(path) as source:
            return _copied(source, name, PurePosixPath(name).with_suffix("").suffix, workdir, _allowed(path))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(name, f"is damaged gzip, or cut ({error}).", "Fetch it again.") from error


def unpack_member(path: Path, member: str, name: str, workdir: Path, *, room: int) -> Path:
    """One file of a ZIP archive, unpacked to at most `room` bytes; Unreadable where that fails."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(member) as source:
            return _copied(source, name, PurePosixPath(member).suffix, workdir, room)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise Unreadable(name, f"cannot be unpacked ({error}).", _AGAIN) from error
    except RuntimeError as error:
        raise Unreadable(name, "is locked with a password.", "Unpack it and put the files there.") from error


def exports_in(path: Path, name: str, suffixes: frozenset[str]) -> tuple[list[str], int]:
    """The files of an archive with one of the endings, and the bytes they may come to; Unreadable where that fails."""
    found = [member for member in members(path) if PurePosixPath(member).suffix.lower() in suffixes]
    if not found:
        raise Unreadable(name, "is a ZIP archive without exports, or damaged.", "Unpack it and run again.")
    if len(found) > _MOST_MEMBERS:
        raise Unreadable(name, f"holds more than {_MOST_MEMBERS} files.", _AGAIN)
    return found, _allowed(path)


def _is_shown(info: zipfile.ZipInfo) -> bool:
    parts = [part for part in PurePosixPath(info.filename).parts if part != ".."]
    return not any(part.startswith((".", "~$", "__")) for part in parts)


def _allowed(path: Path) -> int:
    return max(_SMALL, _RATIO * path.stat().st_size)


def _copied(source: _Stream, name: str, suffix: str, workdir: Path, room: int) -> Path:
    folder = Path(tempfile.mkdtemp(dir=workdir, prefix="unpacked-"))
    # The name within an archive may lead anywhere; only its ending is taken over.
    copy = folder / f"unpacked{suffix if suffix[1:].isalnum() else ''}"
    left = room
    with copy.open("wb") as target:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            target.write(chunk)
    if left < 0:
        shutil.rmtree(folder)
        raise Unreadable(name, f"unpacks to more than {room >> 20} MiB.", "Unpack it and look at what it holds.")
    return copy
