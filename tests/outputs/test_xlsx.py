from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crmaudit import text
from crmaudit.outputs import xlsx
from crmaudit.report import Report, Table, TableColumn
from tests.hostile import HANDFUL, corpus
from tests.outputs.workbook import Cell, Sheet, parts, read
from tests.report_sample import sample, with_words

HEADER = 3


def write(report: Report, path: Path) -> dict[str, Sheet]:
    """The workbook of a report whose tables hold no more rows than it shows."""

    def rows(audit: str, table: str, most: int) -> Sequence[Sequence[Any]]:
        return next(t.rows for a in report.audits if a.id == audit for t in a.tables if t.name == table)[:most]

    xlsx.write(report, rows, path)
    return read(path)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sheet]:
    return write(sample(), tmp_path_factory.mktemp("book") / "audit.xlsx")


def _written(value: object, unit: str) -> Cell | None:
    """What a cell holds: numbers and truths as they are, days as Excel counts them, words cleaned."""
    if isinstance(value, str) and unit == "date":
        return float((dt.date.fromisoformat(value) - dt.date(1899, 12, 30)).days)
    if isinstance(value, bool) or value is None:
        return value
    return float(value) if isinstance(value, int | float) else text.clean(str(value)) or None


def test_every_table_has_a_sheet_named_after_its_audit(book: dict[str, Sheet]) -> None:
    assert list(book)[:4] == ["Contents", "Findings", "Figures", "Sources"]
    tables = [(a.id, t) for a in sample().audits for t in a.tables]
    assert len(book) == 4 + len(tables)
    assert {audit for audit, _ in tables} <= set(book)
    assert "identity_resolution 2" not in book or "identity_resolution" in book


def test_each_cell_is_the_value_of_the_report(book: dict[str, Sheet]) -> None:
    tables = [t for a in sample().audits for t in a.tables]
    for table, sheet in zip(tables, list(book.values())[4:], strict=True):
        for at, row in enumerate(table.rows, HEADER + 1):
            expected = [_written(v, c.unit) for v, c in zip(row, table.columns, strict=True)]
            found = sheet.row(at)
            letters = [chr(ord("A") + i) for i in range(len(row))]
            assert [found.get(letter) for letter in letters] == expected, (table.name, at)


def test_figures_and_findings_are_those_of_the_report(book: dict[str, Sheet]) -> None:
    metrics = [(a.id, name, m) for a in sample().audits for name, m in a.metrics.items()]
    for at, (audit, name, metric) in enumerate(metrics, HEADER + 1):
        row = book["Figures"].row(at)
        assert (row["A"], row["B"]) == (audit, name)
        assert row.get("D") == _written(metric.value, "text")
        assert (row.get("F"), row.get("G"), row.get("H")) == (metric.low, metric.high, metric.n)
    found = [f for a in sample().audits for f in a.findings]
    for at, finding in enumerate([*sample().findings, *found], HEADER + 1):
        row = book["Findings"].row(at)
        assert (row["C"], row["D"]) == (finding.level, finding.text)
        assert (row.get("E"), row.get("F")) == (finding.customers, finding.value_at_stake)


def test_headers_stay_in_sight_with_units_and_filters(book: dict[str, Sheet]) -> None:
    for name, sheet in book.items():
        assert sheet.frozen_rows == HEADER, name
        assert sheet.filtered.startswith(f"A{HEADER}:"), name
    assert "At stake (EUR)" in book["Findings"].row(HEADER).values()


def test_long_tables_are_cut_and_say_so(tmp_path: Path) -> None:
    table = Table("many", "Many", (TableColumn("n", "n", "n"),), tuple((i,) for i in range(6_000)), 12_345)
    audit = replace(sample().audits[0], tables=(table,), charts=())
    book = write(replace(sample(), audits=(audit,)), tmp_path / "audit.xlsx")
    sheet = book["identity_resolution"]
    assert sheet.filtered == f"A{HEADER}:A{HEADER + xlsx.MOST_ROWS}"
    assert "the first 5,000 of 12,345" in str(sheet.cells["A2"]).replace(text.NO_BREAK, " ")
    assert f"A{HEADER + xlsx.MOST_ROWS}" in sheet.cells
    assert f"A{HEADER + xlsx.MOST_ROWS + 1}" not in sheet.cells


def test_numbers_that_excel_would_change_stay_text(tmp_path: Path) -> None:
    table = Table("odd", "Odd", (TableColumn("n", "n", "n"),), ((12345678901234567,), (1.5,), (True,)), 3)
    audit = replace(sample().audits[0], tables=(table,), charts=())
    cells = write(replace(sample(), audits=(audit,)), tmp_path / "audit.xlsx")["identity_resolution"].cells
    assert [cells[f"A{HEADER + i}"] for i in (1, 2, 3)] == ["12345678901234567", 1.5, True]


def test_names_of_sheets_are_excels_and_none_twice(tmp_path: Path) -> None:
    table = sample().audits[0].tables[0]
    ids = ["a" * 40, "a" * 40 + "b", "figures", "x/y:[z]"]
    audits = tuple(replace(sample().audits[0], id=one, tables=(table, table), charts=()) for one in ids)
    names = list(write(replace(sample(), audits=audits), tmp_path / "audit.xlsx"))
    assert len({name.lower() for name in names}) == len(names) == 4 + 8
    assert not [name for name in names if len(name) > 31 or re.search(r"[\[\]:*?/\\]", name)]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write(sample(), tmp_path / f"{name}.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def _rotated(payloads: Sequence[str], start: int) -> Report:
    given: dict[str, str] = {}

    def change(said: str) -> str:
        given.setdefault(said, payloads[(start + len(given)) % len(payloads)])
        return given[said]

    return with_words(sample(), change)


def _harmless(path: Path, report: Report) -> None:
    write(report, path)
    for name, part in parts(path).items():
        assert not re.search(r"<(?:\w+:)?f[ >]|hyperlink|externalLink|ddeLink|oleLink|macro|TargetMode", part), name
        assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", part), name


def test_words_become_neither_formulas_nor_links(tmp_path: Path) -> None:
    formulas = ("=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "http://example.com", "mailto:a@b.c",
                "internal:Sheet1!A1", "external:c:\\x.xlsx", "{=1}", "file:///etc/passwd", "_x000D_")  # fmt: skip
    words = (*formulas, *HANDFUL)
    for start in range(0, len(words), 9):
        _harmless(tmp_path / "audit.xlsx", _rotated(words, start))


def test_a_payload_is_read_back_as_it_was(tmp_path: Path) -> None:
    words = ("=1+1", "http://example.com", "<b>&amp;</b>", "_x0041_", "a" * 40_000)
    table = Table("said", "Said", (TableColumn("w", "text", "Words"),), tuple((w,) for w in words), len(words))
    audit = replace(sample().audits[0], tables=(table,), charts=())
    cells = write(replace(sample(), audits=(audit,)), tmp_path / "audit.xlsx")["identity_resolution"].cells
    read_back = [cells[f"A{HEADER + 1 + i}"] for i in range(len(words))]
    assert read_back[:3] == list(words[:3])
    assert read_back[4] == "a" * 32_767


def _corpus(tmp_path: Path, every: int) -> None:
    payloads = corpus(every)
    if not payloads:
        pytest.skip("the corpus of payloads is not beside the checkout")
    columns = (TableColumn("w", "text", "Words"), TableColumn("i", "id", "Id"))
    table = Table("said", "Said", columns, tuple((w, w) for w in payloads[: xlsx.MOST_ROWS]), len(payloads))
    for start in range(0, len(payloads), xlsx.MOST_ROWS):
        rows = tuple((w, w) for w in payloads[start : start + xlsx.MOST_ROWS])
        audit = replace(sample().audits[0], tables=(replace(table, rows=rows),), charts=())
        _harmless(tmp_path / "audit.xlsx", replace(sample(), audits=(audit,)))
    _harmless(tmp_path / "audit.xlsx", _rotated(payloads, 0))


def test_words_of_the_corpus_become_neither_formulas_nor_links(tmp_path: Path) -> None:
    _corpus(tmp_path, 10)


@pytest.mark.full
def test_all_words_of_the_corpus_become_neither_formulas_nor_links(tmp_path: Path) -> None:
    _corpus(tmp_path, 1)
