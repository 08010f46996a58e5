"""What people read is what `audit.json` says: every rendering is parsed and its numbers are held against the report."""

from __future__ import annotations

import html as entities
import math
import re
import shutil
import subprocess
from itertools import takewhile
from pathlib import Path

import pytest

from crmaudit import render, text, view
from crmaudit.outputs import pdf
from crmaudit.report import Report, Result, Table, Value
from tests.conftest import Audited
from tests.report_sample import sample

PLACES = {"money": 2, "pct": 1, "points": 1, "days": 1, "hours": 1, "n": 1, "p": 3}
"""Decimals that a unit shows; a ratio shows three significant digits."""
NUMBER = re.compile(r"[-+]?[\d,]+(?:\.\d+)?")


def number(written: str) -> float:
    """The number that a reader sees in a cell."""
    found = NUMBER.search(written.replace(text.MINUS, "-"))
    assert found, f"no number in {written!r}"
    return float(found[0].replace(",", ""))


def agrees(written: str, value: Value, unit: str) -> bool:
    """Whether what is written is the value, as exactly as its unit is shown."""
    written = written.replace(text.NO_BREAK, " ").strip()
    if isinstance(value, bool):
        return written == ("yes" if value else "no")
    if value is None or value == "":
        return written == text.NOTHING
    if isinstance(value, str):
        return written == text.clean(value) or written == text.shorten(value, 240)
    if written.startswith("<"):
        return 0 <= value < number(written)
    if unit == "ratio":
        decimals = len(written.partition(".")[2].rstrip("%"))
        return abs(number(written) - value) <= 0.5000001 * 10.0**-decimals
    return abs(number(written) - value) <= 0.5000001 * 10.0 ** -PLACES.get(unit, 6)


def cells(markup: str) -> list[list[str]]:
    """The cells of each row of a table of HTML."""
    body = markup.split("<tbody>", 1)[1].split("</tbody>", 1)[0]
    return [
        [entities.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)]
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)
    ]


def wrong(shown: list[list[str]], table: Table) -> list[tuple[str, str, Value]]:
    """The cells that say something else than the report."""
    return [
        (column.name, written, value)
        for cells_, row in zip(shown, table.rows, strict=False)
        for written, value, column in zip(cells_, row, table.columns, strict=True)
        if not agrees(written, value, column.unit)
    ]


def answered(report: Report) -> list[Result]:
    return [audit for audit in report.audits if audit.status in ("answered", "partial")]


def wrong_cards(markup: str, audit: Result) -> list[tuple[str, str, Value]]:
    values = [entities.unescape(v) for v in re.findall(r'<dd class="value">(.*?)</dd>', markup)]
    assert len(values) == len(audit.metrics)
    off = []
    for written, (name, metric) in zip(values, audit.metrics.items(), strict=True):
        # A figure that stands alone shows money from 10,000 on without cents.
        whole = metric.unit == "money" and isinstance(metric.value, int | float) and abs(metric.value) >= 10_000
        if not (abs(number(written) - metric.value) <= 0.5 if whole else agrees(written, metric.value, metric.unit)):  # type: ignore[operator]
            off.append((name, written, metric.value))
    return off


def check_html(report: Report) -> None:
    page = render.html(report)
    for audit in answered(report):
        anchor = audit.id.replace("_", "-")
        article = re.search(rf'<article id="{anchor}" .*?</article>', page, re.S)
        assert article, audit.id
        assert wrong_cards(article[0], audit) == []
        for i, table in enumerate(audit.tables, 1):
            grid = article[0].split(f'<table id="{anchor}-table-{i}-rows"', 1)[1].split("</table>", 1)[0]
            assert wrong(cells(grid), table) == [], (audit.id, table.name)
        for finding in audit.findings:
            assert text.clean(finding.text) in entities.unescape(article[0])


def check_markdown(report: Report) -> None:
    lines = entities.unescape(render.markdown(report)).splitlines()
    for audit in answered(report):
        for table in audit.tables:
            address = f"`{audit.id}.{table.name}`)"
            at = next(i for i, line in enumerate(lines) if line.endswith(address))
            rows = list(takewhile(lambda line: line.startswith("| "), lines[at + 4 : at + 14]))
            shown = [line[2:-2].split(" | ") for line in rows if line.count(" | ") == len(table.columns) - 1]
            assert wrong(shown, table) == [], (audit.id, table.name)
            assert len(rows) == min(10, len(table.rows))


def check_paper(report: Report) -> None:
    page = render.paper_page(view.page(report, pictures=False))
    for audit in answered(report):
        article = page.split(f'<article id="{audit.id.replace("_", "-")}"', 1)[1].split("</article>", 1)[0]
        grids = article.split("<table")[1:]
        figures, tables = (grids[0], grids[1:]) if audit.metrics else ("", grids)
        for row, metric in zip(cells(figures) if figures else [], audit.metrics.values(), strict=True):
            if metric.unit != "money":
                assert agrees(row[1], metric.value, metric.unit), (audit.id, row)
        strips = iter(map(cells, tables))
        for table in (table for table in audit.tables if table.rows):
            count = max(1, math.ceil((len(table.columns) - 1) / (render.PRINTED_COLUMNS - 1)))
            parts = [next(strips) for _ in range(count)]
            assert all(len(row) <= render.PRINTED_COLUMNS for part in parts for row in part), (audit.id, table.name)
            firsts = [[row[0] for row in part] for part in parts]
            assert firsts == firsts[:1] * count, (audit.id, table.name)
            rows = [
                [*row, *(cell for more in others for cell in more[1:])] for row, *others in zip(*parts, strict=True)
            ]
            assert wrong(rows, table) == [], (audit.id, table.name)
        assert next(strips, None) is None, audit.id


CHECKS = {"html": check_html, "markdown": check_markdown, "paper": check_paper}


@pytest.mark.parametrize("kind", CHECKS)
def test_every_number_of_the_sample_is_that_of_the_report(kind: str) -> None:
    CHECKS[kind](sample())


@pytest.mark.parametrize("kind", CHECKS)
def test_every_number_of_the_example_is_that_of_the_report(kind: str, example: Audited) -> None:
    CHECKS[kind](example.report)


def test_a_number_that_is_off_is_seen() -> None:
    table = answered(sample())[0].tables[0]
    row = [text.cell(value, column.unit) for value, column in zip(table.rows[3], table.columns, strict=True)]
    shown = [[text.cell(v, c.unit) for v, c in zip(r, table.columns, strict=True)] for r in table.rows[:3]]
    assert wrong([*shown, row], table) == []
    at = next(i for i, column in enumerate(table.columns) if column.unit == "n")
    row[at] = text.cell(float(number(row[at])) + 1, "n")
    assert [name for name, _, _ in wrong([*shown, row], table)] == [table.columns[at].name]


def test_long_tables_leave_the_page_below_two_megabytes() -> None:
    """Sixty audits, each with three tables as long and wide as a report holds, of signs that take five in HTML."""
    first = answered(sample())[0]
    widest = first.tables[0]
    wide = [tuple("&" * 3_000 if isinstance(value, str) else value for value in row) for row in widest.rows]
    table = Table(widest.name, widest.title, widest.columns, tuple(wide), 1_000_000)
    tables = tuple(Table(f"t{i}", "T", table.columns, table.rows, table.rows_total) for i in range(3))
    audits = tuple(Result(**{**vars(first), "id": f"audit_{i}", "tables": tables, "charts": ()}) for i in range(60))
    page = render.html(Report(**{**vars(sample()), "audits": audits}))
    assert len(page.encode()) < 1_300_000
    assert page.count("Texts that end in \u2026 are whole there") == 180
    assert "of 1,000,000" in entities.unescape(page).replace(text.NO_BREAK, " ")


@pytest.mark.full
def test_the_pdf_says_what_the_report_says(tmp_path: Path) -> None:
    pytest.importorskip("weasyprint", reason="the extra [pdf] is not installed")
    if not shutil.which("pdftotext"):
        pytest.skip("no pdftotext on this machine")
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf.pdf(render.paper_page(view.page(sample()))))
    read = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True).stdout.decode()
    words = re.sub(r"\s+", "", read)
    missing = [
        name
        for audit in answered(sample())
        for name, metric in audit.metrics.items()
        if re.sub(r"\s+", "", text.value(metric.value, metric.unit, "EUR")) not in words
    ]
    assert missing == []
