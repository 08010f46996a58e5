"""The broken and hostile files, and the real exports, that are kept beside the checkout."""

from __future__ import annotations

import csv
import json
import time
from typing import Any

import pytest

from crmaudit.intake import workbook
from crmaudit.intake.cast import Caster, prove_casts
from crmaudit.intake.discover import survey
from crmaudit.intake.mapping import ColumnMapping, MappedColumn
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.intake.synonyms import vocabulary
from tests.intake.reading import Desk, lines_of_rejects, shared


def pitfall(desk: Desk, name: str) -> RawTable:
    (table,) = desk.tables(shared("corpora", "pitfalls", name))
    return table


@pytest.mark.parametrize(
    ("name", "read", "rejected"),
    [
        ("late_types.csv", 22532, []),
        ("trunc_number.csv", 1000, []),
        ("trunc_row.csv", 1000, [1001]),
        ("trunc_quote.csv", 1001, [1002]),
        ("trunc_nul.csv", 100001, [100002]),
        ("header_only.csv", 0, []),
        ("one_bad_byte.csv", 3, [3]),
        ("late_bad_byte.csv", 30001, [30002]),
        ("nul_bidi.csv", 3, [4]),
        ("rejects_5000.csv", 50000, []),
        ("shifted_trailing_delim.csv", 3, [3]),
        ("preamble_3lines.csv", 2, []),
        ("hash_rows.csv", 4, []),
    ],
)
def test_pitfalls_lose_nothing(desk: Desk, name: str, read: int, rejected: list[int]) -> None:
    table = pitfall(desk, name)
    assert table.rows_read == read
    assert lines_of_rejects(table) == rejected


def test_pitfalls_past_the_sample_stay_as_written(desk: Desk) -> None:
    rows = desk.rows(pitfall(desk, "late_types.csv"))
    assert rows[-4:] == [
        ["900001", "2026-01-02", "12.75"],
        ["900002", "2026-01-02", "1_000"],
        ["0900003", "2026-01-02", "7"],
        ["900004", "2026-01-02 23:59:00", "5"],
    ]


def test_pitfall_of_a_file_that_grows_wider(desk: Desk) -> None:
    table = pitfall(desk, "width_grows.csv")
    assert table.rows_read == 4000
    assert len(table.rejects) == 3000
    assert {r.reason for r in table.rejects} == {"3 values where the header has 2"}


@pytest.mark.parametrize(
    ("name", "columns", "first"),
    [
        ("bom.csv", ("id", "name"), ["1", "x"]),
        ("latin1.csv", ("id", "name"), ["1", "Müller"]),
        ("cp1252.csv", ("id", "name"), ["1", "Müller €"]),
        ("utf16.csv", ("id", "name"), ["1", "Müller"]),
        ("decimal_comma.csv", ("id", "amt"), ["2", "1.234,50"]),
        ("date_ambiguous.csv", ("d",), ["03/04/2026"]),
        ("drift_cols_b.csv", ("id", "gross", "net"), ["2", "24", "20"]),
        ("drift_case.csv", ("ID", "Name", "Amount "), ["5", "eve", "50"]),
        ("dup_headers.csv", ("id", "Id (2)", "ID (3)", "column 4", "name", "name (2)"), list("123456")),
        ("export[1].csv", ("a", "b"), ["1", "right"]),
        ("hash_note.csv", ("id", "note"), ["#1", "first"]),
        (
            "error_cells_xlsx.xlsx",
            ("amt", "pct", "curr", "date1904", "err", "f"),
            ["0.1", "0.1", "0.1", "46000", "", "0.2"],
        ),
        ("hidden_first_sheet.xlsx", ("id", "id (2)", "column 3", "amount"), ["1", "2", "3", "4"]),
    ],
)
def test_pitfalls_of_text_are_delivered_as_written(
    desk: Desk, name: str, columns: tuple[str, ...], first: list[str]
) -> None:
    table = pitfall(desk, name)
    assert table.columns == columns
    assert desk.rows(table)[0] == first


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("trunc_number.csv", "the file may be cut"),
        ("error_cells_xlsx.xlsx", "5 cells show errors"),
        ("error_cells_xlsx.xlsx", "Excel day numbers"),
        ("hidden_first_sheet.xlsx", "hidden sheets skipped: hidden"),
        ("latin1.csv", "not UTF-8"),
    ],
)
def test_pitfalls_are_noted(desk: Desk, name: str, note: str) -> None:
    assert any(note in found for found in pitfall(desk, name).notes)


@pytest.mark.parametrize(
    ("name", "problem"), [("empty0.csv", "0 bytes"), ("login_page.csv", "web page"), ("error_json.csv", "rate limited")]
)
def test_pitfalls_that_are_no_exports(desk: Desk, name: str, problem: str) -> None:
    with pytest.raises(Unreadable, match=problem):
        pitfall(desk, name)


def test_pitfall_of_late_types_in_a_sheet(desk: Desk) -> None:
    rows = desk.rows(pitfall(desk, "late_types_xlsx.xlsx"))
    assert rows[-2][:5] == ["INV-9", "1.234,50", "01234", "31/12/2026", "yes"]
    assert rows[-2][5] == "12345678901234567890"


def test_csv_spectrum_cell_for_cell(desk: Desk) -> None:
    files = sorted(shared("corpora", "csv-spectrum", "csvs").glob("*.csv"))
    assert len(files) == 12
    for path in files:
        (table,) = desk.tables(path)
        truth: Any = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_text("utf-8"))
        wanted = truth if isinstance(truth, list) else [truth]
        found = [dict(zip(table.columns, row, strict=True)) for row in desk.rows(table)]
        if path.stem == "location_coordinates":
            # Its JSON masks the telephone number.
            wanted[0]["Contact Phone Number"] = "2095257564"
        if b"\r\n" not in path.read_bytes():
            # Its ends of line were changed on the way here.
            wanted = [{key: value.replace("\r\n", "\n") for key, value in record.items()} for record in wanted]
        assert found == wanted, path.name


def test_bombs_are_refused_or_read_in_time(desk: Desk) -> None:
    refused: set[str] = set()
    names: set[str] = set()
    for path in sorted(shared("corpora", "xlsx-bombs").glob("*.xlsx")):
        began = time.monotonic()
        try:
            desk.tables(path)
        except Unreadable as error:
            refused.add(error.path)
        names.add(path.name)
        assert time.monotonic() - began < workbook.DEADLINE + 5
    assert names - refused == {"deep_nest.xlsx", "far_row.xlsx", "ok.xlsx"}


def test_real_exports_are_read_whole(desk: Desk) -> None:
    found = survey(shared("data"))
    assert {item.reason for item in found.skipped} == {"no kind of file that holds exports", "text without columns"}
    assert all(item.path.name in ("SOURCE.txt", "README.md") for item in found.skipped)
    rows: dict[str, int] = {}
    for path in found.exports:
        (table,) = desk.tables(path)
        assert not table.rejects, path.name
        rows[path.name] = table.rows_read
    assert len(rows) > 150
    assert rows["sales_pipeline.csv"] == 8800
    assert rows["ravenstack_feature_usage.csv"] == 25000
    assert rows["CDNOW_master.txt"] == 69659
    assert rows["CDNOW_sample.txt"] == 6919
    assert rows["xero_invoice_data.csv"] == 601


def test_payloads_come_through(desk: Desk) -> None:
    path = shared("corpora", "payloads.jsonl")
    (table,) = desk.tables(path)
    wanted = [json.loads(line)["payload"] for line in path.read_text("utf-8").splitlines() if line.strip()]
    found = [row[1] for row in desk.rows(table)]
    assert table.rows_read == len(wanted)
    assert found == [payload for payload in wanted if "\0" not in payload]


ENCODINGS = {"latin1.csv": "latin-1", "cp1252.csv": "cp1252", "utf16.csv": "utf-16"}
NO_TABLE = {"empty0.csv", "login_page.csv", "error_json.csv"}


def test_every_pitfall_of_text_value_for_value(desk: Desk) -> None:
    """Against the standard library's reader, told encoding and header: what is not its record is on a rejected line."""
    cases = json.loads(shared("corpora", "pitfalls", "cases.json").read_text("utf-8"))
    names = [case["file"] for case in cases]
    assert len(names) == 39
    texts = [name for name in names if name.endswith(".csv") and name not in NO_TABLE]
    assert len(texts) == 33
    differing = []
    for name in texts:
        table = pitfall(desk, name)
        content = shared("corpora", "pitfalls", name).read_bytes()
        text = content.decode(ENCODINGS.get(name, "utf-8-sig"), errors="surrogateescape")
        rejected = set(lines_of_rejects(table))
        lines = text.split("\n")[1:]
        kept = [line for n, line in enumerate(lines, 2) if line.strip("\r") and n not in rejected]
        wanted = list(csv.reader(kept, delimiter=";" if ";" in text.split("\n")[0] else ",", strict=True))
        if desk.rows(table) != wanted:
            differing.append((name, desk.rows(table)[-2:], wanted[-2:]))
    assert differing == []


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("date_dmy.csv", {"2026-04-13", "2026-06-05"}),
        ("date_mdy.csv", {"2026-04-13", "2026-05-06"}),
        ("date_ambiguous.csv", set()),
        ("date_yy.csv", set()),
    ],
)
def test_pitfalls_of_dates_are_proved_or_set_aside(desk: Desk, name: str, read: set[str]) -> None:
    table = pitfall(desk, name)
    column = table.columns[0]
    mapping = ColumnMapping("invoices", (MappedColumn(column, "issued_on", "said"),), {})
    caster = Caster("UTC", vocabulary())
    (cast,) = prove_casts(desk.con, mapping, table.relation, caster)
    prepared = caster.prepared(cast)
    inner = ", ".join(["*", *(f"{sql} as {name}" for name, sql in prepared.items())])
    found = desk.con.execute(f"select {caster.value(cast)} from (select {inner} from {table.relation})").fetchall()
    assert len(found) > 0
    assert {f"{day:%Y-%m-%d}" for (day,) in found if day is not None} == read
