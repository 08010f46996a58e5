"""The files of an audit folder that people read, each a rendering of the one report."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, cast, get_args

from crmaudit import history, render, view, workspace
from crmaudit.database import identifier
from crmaudit.errors import UsageError
from crmaudit.page import Page
from crmaudit.querying import open_locked
from crmaudit.report import Report, rounded, to_json

Format = Literal["xlsx", "pdf", "png"]
"""What is written beside `report.html` and `report.md` where it is asked for."""


def known(names: Iterable[str]) -> tuple[Format, ...]:
    """The formats of these names; UsageError where one is none of ours, or wants what is not installed."""
    formats = []
    for name in names:
        if name not in get_args(Format):
            raise UsageError(f"--format takes {', '.join(get_args(Format))}, not {name!r}")
        formats.append(cast("Format", name))
    if "pdf" in formats and importlib.util.find_spec("weasyprint") is None:
        from crmaudit.outputs.pdf import INSTALL  # noqa: PLC0415  # an extra

        raise UsageError(f"{INSTALL}; the other formats need nothing more")
    return tuple(formats)


def write(
    report: Report, folder: Path, formats: Iterable[Format] = (), queries: Mapping[str, str] | None = None
) -> None:
    """Writes the files into the folder that holds `audit.duckdb` already; `audit.json` last, the mark of a whole one.

    `queries` has the SQL of audits by their id. UsageError where a format wants what is not installed.
    """
    formats = set(formats)
    page = view.page(report, trends=history.trends(history.remember(folder, report)))
    if "pdf" in formats:
        from crmaudit.outputs import pdf  # noqa: PLC0415  # an extra

        (folder / "report.pdf").write_bytes(pdf.pdf(render.paper_page(page)))
    _write(folder / "report.html", render.html_page(page, queries))
    _write(folder / "report.md", render.markdown_page(page, pictures="png" in formats))
    if "png" in formats:
        _write_pictures(page, folder / "charts")
    if "xlsx" in formats:
        _write_workbook(report, folder)
    _write(folder / workspace.MARKER, to_json(report))


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")


def _write_pictures(page: Page, folder: Path) -> None:
    from crmaudit.outputs.png import png  # noqa: PLC0415  # only where asked

    folder.mkdir()
    for chapter in page.chapters:
        for exhibit in chapter.exhibits:
            for figure in exhibit.figures:
                if figure.svg:
                    (folder / f"{figure.name}.png").write_bytes(png(figure.svg))


def _write_workbook(report: Report, folder: Path) -> None:
    from crmaudit.outputs import xlsx  # noqa: PLC0415  # only where asked

    con = open_locked(folder / "audit.duckdb")
    try:

        def rows(audit: str, table: str, most: int) -> list[list[Any]]:
            found = con.execute(f"from {identifier(audit)}.{identifier(table)} limit {int(most)}").fetchall()
            return [[rounded(value) for value in row] for row in found]

        xlsx.write(report, rows, folder / "audit.xlsx")
    finally:
        con.close()
