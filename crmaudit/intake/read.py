"""Reading one export: what it is by its bytes, unpacked where it is packed, and each of its tables as proven text."""

from __future__ import annotations

from pathlib import Path

import duckdb

from crmaudit.intake import columns_by_blanks, unpack
from crmaudit.intake.decode import as_utf8, content
from crmaudit.intake.delimited import read_delimited
from crmaudit.intake.discover import SUFFIXES, TEXT_SUFFIXES, has_a_table
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.structured import read_json
from crmaudit.intake.workbook import read_sheets


def read_packed(
    path: Path, root: Path, con: duckdb.DuckDBPyConnection, *, workdir: Path
) -> tuple[list[RawTable], list[Unreadable]]:
    """The tables of one file of the folder, or of each file packed in it, and what of it cannot be read.

    Arguments as for `read`. A file in an archive is called by both: `exports.zip/deals.csv`.
    """
    name = _shown(path, root)
    tables: list[RawTable] = []
    unread: list[Unreadable] = []
    try:
        packing = unpack.packing(path)
        if packing is None:
            tables += _read(path, name, con, workdir)
        elif packing == "gzip":
            tables += _read(unpack.unpack_gzip(path, name, workdir), name, con, workdir)
        else:
            found, room = unpack.exports_in(path, name, SUFFIXES | TEXT_SUFFIXES)
            for member in found:
                inside = f"{name}/{member}"
                try:
                    copy = unpack.unpack_member(path, member, inside, workdir, room=room)
                    room -= copy.stat().st_size
                    if copy.suffix.lower() in TEXT_SUFFIXES and not has_a_table(copy):
                        continue
                    tables += _read(copy, inside, con, workdir)
                except Unreadable as error:
                    unread.append(error)
    except Unreadable as error:
        unread.append(error)
    except OSError as error:
        unread.append(Unreadable(name, f"cannot be read: {error.strerror}.", "Check the file and its permissions."))
    return tables, unread


def read(path: Path, root: Path, con: duckdb.DuckDBPyConnection, *, workdir: Path) -> list[RawTable]:
    """The tables of one file that is not packed: one, or one for each visible sheet.

    Args:
        path: the file.
        root: the exports folder; paths are shown relative to it.
        con: the connection the relations are to be read on.
        workdir: an existing folder for copies; the relations read from it, so it must outlive them.

    Raises:
        Unreadable: the file yields no table at all.
    """
    return _read(path, _shown(path, root), con, workdir)


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _read(path: Path, name: str, con: duckdb.DuckDBPyConnection, workdir: Path) -> list[RawTable]:
    kind = content(path, name)
    try:
        if kind in ("workbook", "parquet"):
            return read_sheets(path, name, kind, con, workdir)
        text = as_utf8(path, name, workdir)
        if kind == "json":
            return [read_json(text, name, workdir)]
        if path.suffix.lower() in columns_by_blanks.SUFFIXES and columns_by_blanks.starts_with_columns(text):
            return [columns_by_blanks.read_columns(text, name, workdir)]
        return [read_delimited(text, name, con, workdir)]
    except OSError as error:
        raise Unreadable(name, f"cannot be read: {error.strerror}.", "Check the file and its permissions.") from error
