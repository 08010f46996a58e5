"""Turns a workbook or a Parquet file into text. Run as a program of its own, since hostile files take any amount of
memory or abort the process: `python sheets_to_text.py KIND SOURCE FOLDER`, which leaves `tables.json` in the folder.

It imports nothing of the package, and limits its own memory.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY = 1 << 30
_OUTPUT = 1 << 32
_ERROR_CELL = re.compile(rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+\d+)"')
_SHEET = re.compile(r'<sheet\b[^>]*?\bname="([^"]*)"[^>]*?\br:id="([^"]*)"')
_RELATION = re.compile(r"<Relationship\b[^>]*>")
_SHOWN = 5


def limit_memory() -> None:
    """Holds this process to 1 GiB of address space and 4 GiB a file, where the system can."""
    try:
        import resource  # noqa: PLC0415 -- absent on Windows
    except ImportError:  # Windows has no such limits; the deadline remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_OUTPUT, _OUTPUT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def workbook(source: Path, folder: Path) -> dict[str, Any]:
    """One text for each visible sheet that holds anything: a record a row, from row 1 of the sheet."""
    import fastexcel  # noqa: PLC0415 -- only under the limit

    book = fastexcel.read_excel(source)
    tables, hidden, failed = [], [], []
    for number, name in enumerate(book.sheet_names):
        try:
            sheet = book.load_sheet(number, header_row=None, skip_rows=0, dtypes="string")
        except fastexcel.FastExcelError as error:
            failed.append([name, str(error).splitlines()[0]])
            continue
        if sheet.visible != "visible":
            hidden.append(name)
        elif sheet.width and sheet.height:
            target = folder / f"{number}.csv"
            sheet.to_polars().write_csv(target, include_header=False)
            tables.append({"sheet": name, "file": target.name, "notes": []})
    if zipfile.is_zipfile(source):
        _note_what_text_hides(source, tables)
    return {"tables": tables, "hidden": hidden, "failed": failed}


def _note_what_text_hides(source: Path, tables: list[dict[str, Any]]) -> None:
    """Cells that show an error come out empty, and days may be counted from 1904: both are in the XML only."""
    with zipfile.ZipFile(source) as archive:
        names = set(archive.namelist())
        if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
            return
        book = _beginning(archive, "xl/workbook.xml")
        relations = _beginning(archive, "xl/_rels/workbook.xml.rels")
        targets = {}
        for relation in _RELATION.findall(relations):
            found = dict(re.findall(r'\b(Id|Target)="([^"]*)"', relation))
            targets[found.get("Id")] = found.get("Target", "")
        parts = {name: targets.get(key, "") for name, key in _SHEET.findall(book)}
        from_1904 = re.search(r'\bdate1904="(?:1|true)"', book) is not None
        for table in tables:
            target = parts.get(_escaped(table["sheet"]), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            errors = list(_error_cells(archive, part)) if part in names else []
            if errors:
                listed = ", ".join(errors[:_SHOWN]) + (", ..." if len(errors) > _SHOWN else "")
                count = (
                    "1 cell shows an error and is" if len(errors) == 1 else f"{len(errors)} cells show errors and are"
                )
                table["notes"].append(f"{count} read as empty: {listed}")
            if from_1904:
                table["notes"].append("this workbook counts its days from 1904")


def _escaped(name: str) -> str:
    return name.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _beginning(archive: zipfile.ZipFile, part: str) -> str:
    with archive.open(part) as stream:
        return stream.read(1 << 20).decode("utf-8", errors="replace")


def _error_cells(archive: zipfile.ZipFile, part: str) -> Iterator[str]:
    with archive.open(part) as stream:
        rest = b""
        while chunk := stream.read(1 << 20):
            text = rest + chunk
            cut = text.rfind(b"<")
            for cell in _ERROR_CELL.findall(text, 0, max(cut, 0)):
                yield cell.decode()
            rest = text[cut:] if cut >= 0 and len(text) - cut < 1 << 20 else b""


def parquet(source: Path, folder: Path) -> dict[str, Any]:
    """One text with the columns of the file, each value as DuckDB writes it."""
    import duckdb  # noqa: PLC0415 -- only under the limit

    con = duckdb.connect(config={"threads": 1, "memory_limit": "512MB", "autoinstall_known_extensions": False})
    escaped = "".join(f"[{c}]" if c in "[]*?" else c for c in source.as_posix()).replace("'", "''")
    relation = f"read_parquet('{escaped}', hive_partitioning=false, filename=false)"
    described = con.execute(f"describe select * from {relation}").fetchall()
    columns = [str(row[0]) for row in described]
    target = folder / "0.csv"
    texts = ", ".join(_as_text(str(row[0]), str(row[1])) for row in described)
    path = target.as_posix().replace("'", "''")
    con.execute(f"copy (select {texts} from {relation}) to '{path}' (format csv, header false, force_quote *)")
    return {
        "tables": [{"sheet": None, "file": target.name, "notes": [], "columns": columns}],
        "hidden": [],
        "failed": [],
    }


def _as_text(column: str, sql_type: str) -> str:
    name = '"' + column.replace('"', '""') + '"'
    if sql_type.startswith(("STRUCT", "MAP")) or sql_type.endswith("]"):
        return f"to_json({name})::varchar as {name}"
    if sql_type == "BLOB":
        # Old writers leave text unmarked, so that it comes as bytes.
        return f"try_cast(decode({name}) as varchar) as {name}"
    return f"{name}::varchar as {name}"


def main(arguments: list[str]) -> int:
    """0 and the tables, or 1 and the error."""
    kind, source, folder = arguments[0], Path(arguments[1]), Path(arguments[2])
    limit_memory()
    try:
        found = workbook(source, folder) if kind == "workbook" else parquet(source, folder)
    except MemoryError:
        found = {"error": "it takes more than 1 GiB of memory"}
    except BaseException as error:  # noqa: BLE001 -- a panic of the reader is no Exception; the caller reports it
        found = {"error": next(iter(str(error).splitlines()), type(error).__name__)[:300]}
    (folder / "tables.json").write_text(json.dumps(found), encoding="utf-8")
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
