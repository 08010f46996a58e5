"""A workbook as its XML says, read without the library that wrote it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
Cell = str | float | bool


@dataclass(frozen=True)
class Sheet:
    """The cells of one sheet by their reference, which rows stay in sight, and the range with filters."""

    cells: dict[str, Cell]
    frozen_rows: int
    filtered: str

    def row(self, number: int) -> dict[str, Cell]:
        """Column letter -> value."""
        return {ref.rstrip("0123456789"): value for ref, value in self.cells.items() if ref.endswith(str(number))
                and ref[len(ref.rstrip("0123456789")):] == str(number)}  # fmt: skip


def read(path: Path) -> dict[str, Sheet]:
    """Sheets by name."""
    with zipfile.ZipFile(path) as archive:
        book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 -- we wrote it
        names = [sheet.get("name", "") for sheet in book.iter(f"{_MAIN}sheet")]
        return {
            name: _sheet(ET.fromstring(archive.read(f"xl/worksheets/sheet{i}.xml")))  # noqa: S314
            for i, name in enumerate(names, 1)
        }


def _sheet(root: ET.Element) -> Sheet:
    pane, area = root.find(f".//{_MAIN}pane"), root.find(f"{_MAIN}autoFilter")
    return Sheet(
        cells={cell.get("r", ""): _value(cell) for cell in root.iter(f"{_MAIN}c") if len(cell)},
        frozen_rows=0 if pane is None else int(pane.get("ySplit", "0")),
        filtered="" if area is None else area.get("ref", ""),
    )


def _value(cell: ET.Element) -> Cell:
    words = "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
    number = cell.find(f"{_MAIN}v")
    if cell.get("t") == "inlineStr" or number is None:
        return words
    return number.text == "1" if cell.get("t") == "b" else float(number.text or "nan")


def parts(path: Path) -> dict[str, str]:
    """Every part of the file by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
