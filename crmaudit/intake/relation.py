"""SQL over a proven text, with nothing left for DuckDB to guess."""

from __future__ import annotations

import tempfile
from pathlib import Path

FIRST_LINE = b"records"
"""What our own copies begin with, to be skipped: DuckDB takes the first end of line it meets for that of the text."""

_LONGEST_LINE = 1 << 23


def new_file(folder: Path, prefix: str) -> Path:
    """An empty file of a new name."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=prefix, suffix=".csv", delete=False) as file:
        return Path(file.name)


def quoted(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal_path(path: Path) -> str:
    """A path as SQL; characters that stand for others in DuckDB's file patterns stand for themselves."""
    return quoted("".join(f"[{c}]" if c in "[]*?" else c for c in path.resolve().as_posix()))


def csv_relation(
    path: Path, columns: tuple[str, ...], *, delimiter: bytes, quote: bytes, skip: int = 1, multiline: bool = True
) -> str:
    """SQL for FROM that reads a proven text as it is, each column as VARCHAR.

    Args:
        path: a UTF-8 text of which every record is as wide as `columns`.
        columns: their names, unique whatever their case.
        delimiter: one byte.
        quote: one byte, doubled inside values; none where the text quotes nothing.
        skip: lines before the first record.
        multiline: some value holds an end of line; DuckDB then reads on one thread.
    """
    types = ", ".join(f"{quoted(column)}: 'VARCHAR'" for column in columns)
    sign = quoted(quote.decode())
    options = (
        f"auto_detect=false, header=false, skip={skip}, columns={{{types}}}, delim={quoted(delimiter.decode())}, "
        f"quote={sign}, escape={sign}, comment='', strict_mode=true, null_padding=false, compression='none', "
        f"max_line_size={_LONGEST_LINE}, hive_partitioning=false, filename=false"
    )
    return f"read_csv({literal_path(path)}, {options}{', parallel=false' if multiline else ''})"
