"""Reading one export: what it is by its bytes, and each of its tables as proven text."""

from __future__ import annotations

from pathlib import Path

import duckdb

from crmaudit.intake import columns_by_blanks
from crmaudit.intake.decode import as_utf8, content
from crmaudit.intake.delimited import read_delimited
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.structured import read_json
from crmaudit.intake.workbook import read_sheets


def read(path: Path, root: Path, con: duckdb.DuckDBPyConnection, *, workdir: Path) -> list[RawTable]:
    """The tables of one file: one, or one for each visible sheet.

    Args:
        path: the file.
        root: the exports folder; paths are shown relative to it.
        con: the connection the relations are to be read on.
        workdir: an existing folder for copies; the relations read from it, so it must outlive them.

    Raises:
        Unreadable: the file yields no table at all.
    """
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
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
