"""A bad file of each kind says which file, what place and the way out, and the rest of the folder is audited."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tests.command import INVOICES, crmaudit
from tests.conftest import Audited

HEADER = b"invoice_id,customer_name,issue_date,net_amount,currency,status\n"


def invoice(number: str, day: str = "2026-01-05", amount: str = "10.50") -> bytes:
    return f"{number},Acme Ltd,{day},{amount},EUR,paid\n".encode()


def good(letter: str, count: int = 3) -> bytes:
    """A header and as many good records."""
    return HEADER + b"".join(invoice(f"{letter}{n}", f"2026-01-{n + 12}") for n in range(1, count + 1))


def packed(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def workbook(*, hidden: bool) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        cover, data = book.add_worksheet("Cover"), book.add_worksheet("Data")
        data.write_row(0, 0, ["invoice_id", "amount"])
        if hidden:
            data.hide()
        cover.write(0, 0, " ")
    return file.getvalue()


UNREADABLE: dict[str, tuple[bytes, str, str]] = {
    "nothing.csv": (b"", "is empty: 0 bytes", "Export it again."),
    "blank.csv": (b"\n \n\t\n", "nothing but white space", "Export it again."),
    "rows_of_nothing.csv": (b",,,\n,,,\n", "nothing but empty rows", "Export it again."),
    "login.csv": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page", "Export it again."),
    "markup.csv": (b'<?xml version="1.0"?><invoices/>', "is XML", "Export the data as CSV."),
    "fault.csv": (b'{"error": "rate limited"}', "rate limited", "Export"),
    "cut.json": (b'[{"id": 1, "name": "a"}, {"id": 2, "na', "JSON", "Export it again"),
    "program.csv": (b"\x7fELF" + bytes(range(256)) * 8, "binary data", "Export the data as CSV."),
    "picture.csv": (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "a picture", "Export the data as CSV."),
    "report.csv": (b"%PDF-1.7 ...", "a PDF document", "Export the data as CSV."),
    "base.csv": (b"SQLite format 3\0" + b"\0" * 90, "an SQLite database", "Export its tables as CSV."),
    "packed.csv": (b"7z\xbc\xaf\x27\x1c" + b"\0" * 40, "7-Zip", "Unpack it"),
    "broken.xlsx": (b"PK\x03\x04 broken", "cannot be read as a workbook", "Save the data as CSV"),
    "not_a_book.xlsx": (b"id,name\n1,a\n", "no xlsx file", "Export it again."),
    "hidden.xlsx": (workbook(hidden=True), "hidden sheets skipped: Data", ""),
    "broken.parquet": (
        b"PAR1 broken PAR1",
        "cannot be read as a Parquet file: Invalid Input Error: Footer length error in file 'broken.parquet'",
        "Save the data as CSV",
    ),
    "broken.csv.gz": (gzip.compress(good("G", 500))[:-40], "damaged gzip, or cut", "Fetch it again."),
    "cut.zip": (packed("in.csv", good("Y"))[:-30], "a ZIP archive without exports, or damaged", "Unpack it"),
    "wide.csv": ("\ufeffa,b\n1,x\n".encode("utf-16-le") + b"\0\xd8a\0\n\0", "is not valid utf-16", "as UTF-8."),
}
"""File -> content, what is wrong with it, the way out."""

SET_APART: dict[str, tuple[bytes, int, str, str]] = {
    "short.csv": (good("A") + b"A4,Acme Ltd,2026-01-05\n", 5, "", "3 values where the header has 6"),
    "long.csv": (good("B") + b"B4,Acme Ltd,2026-01-05,10.50,EUR,paid,x,y\n", 5, "", "8 values where the header has 6"),
    "open_quote.csv": (good("C") + b'C4,"Acme Ltd,2026-01-05,10.50,EUR,paid\n' + invoice("C5"), 5, "", "not closed"),
    "nul.csv": (good("D") + b"D4,Ac\0me,2026-01-05,10.50,EUR,paid\n", 5, "", "NUL"),
    "bytes.csv": (good("E") + b"E4,\xff\xfe,2026-01-05,10.50,EUR,paid\n" + "E5,Müß,2026-01-05,1,EUR,paid\n".encode(), 5, "", "not UTF-8"),
    "torn.csv": (good("F") + b"F4,Acme\rLtd,2026-01-05,10.50,EUR,paid\n", 5, "", "a carriage return inside the record"),
    "no_day.csv": (good("H") + invoice("H4", "2026-02-30"), 5, "issue_date", "not a date"),
    "short_year.csv": (good("I") + invoice("I4", "05-01-26"), 5, "issue_date", "two-digit year"),
    "either_order.csv": (HEADER + invoice("J1", "03/04/2025") + invoice("J2", "05/06/2025"), 2, "issue_date", "day and month cannot be told apart"),
    "no_number.csv": (good("K", 9) + invoice("K10", amount="ten"), 11, "net_amount", "not a number"),
    "either_mark.csv": (HEADER + invoice("L1", amount="1.234") + invoice("L2", amount="2.345"), 2, "net_amount", "thousands and decimals cannot be told apart"),
    "two_tables.csv": (good("O", 15) + b"\nteam,head,since,sales,land,state\nNorth,Ann,2026-01-01,3.50,DE,x\n", 18, "", "another table"),
    "broken.ndjson": (b'{"invoice_id":"P1","customer_name":"Acme Ltd","issue_date":"2026-01-05","net_amount":"1.50"}\n{"invoice_id":"P2",\n', 2, "", "JSON"),
}  # fmt: skip
"""File -> content, the line and the column of what is set apart, and the reason."""

NO_RECORD: dict[str, tuple[bytes, str]] = {
    "header_again.csv": (good("M") + HEADER + invoice("M4"), "the header again"),
    "total.csv": (good("N") + b"Total,,,31.50,,\n", "a total, not a record"),
    "report.by.csv": (
        b"Invoices by customer,,,,,\nOurs Ltd,,,,,\n\n" + good("Q") + b"Acme Ltd,,,,,\n" + invoice("Q4"),
        "a heading between records, not a record",
    ),
    "stamped.csv": (
        b"Invoices by day,,,,,\nOurs Ltd,,,,,\n\n" + good("R") + b"\n\nMonday 5 January 2026 10:12 - Accrual basis\n",
        "a line of the report, not a record",
    ),
}
"""File -> content, and why one line is left out with which nothing is lost."""

LEFT: dict[str, tuple[bytes, str]] = {
    "shapes.csv": (b"colour,shape\nred,round\nblue,square\n", "No table fits"),
    "things.csv": (b"id,title,status,created,closed\n1,a,open,2026-01-01,\n2,b,closed,2026-01-02,2026-01-03\n", '[files."things.csv"] entity = '),
    "header_only.csv": (HEADER, ""),
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What the audit of the folder said."""

    findings: dict[str, str]
    sources: dict[str, Any]
    rejects: list[dict[str, str]]
    customers: int


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One folder with a file of each kind beside a good one."""
    place = tmp_path_factory.mktemp("bad")
    exports = place / "exports"
    exports.mkdir()
    (exports / "invoices.csv").write_text(INVOICES)
    bad = {name: case[0] for cases in (UNREADABLE, SET_APART, NO_RECORD, LEFT) for name, case in cases.items()}
    for name, content in bad.items():
        (exports / name).write_bytes(content)
    ran = crmaudit("analyze", exports, "--out", place / "audit", "--as-of", "2026-06-30")
    assert ran.code == 0, ran.said
    report = json.loads((place / "audit" / "audit.json").read_text())
    with (place / "audit" / "rejects.csv").open(newline="") as file:
        rejects = list(csv.DictReader(file))
    findings: dict[str, str] = {}
    for finding in report["findings"]:
        name = finding["text"].split(" ")[0].rstrip(":")
        findings[name] = findings.get(name, "") + f"{finding['level']}: {finding['text']}"
    metrics = next(a for a in report["audits"] if a["id"] == "abc_ranking")["metrics"]
    return Told(findings, {s["path"]: s for s in report["sources"]}, rejects, metrics["a_customers"]["value"])


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_a_finding_with_the_way_out(told: Told, name: str) -> None:
    _, problem, way_out = UNREADABLE[name]
    said = next(text for path, text in told.findings.items() if path.startswith(name))
    assert said.startswith("act: ")
    assert problem in said
    assert way_out in said
    assert said.endswith(".")


@pytest.mark.parametrize("name", SET_APART)
def test_what_does_not_fit_is_listed_with_line_column_and_reason(told: Told, name: str) -> None:
    _, line, column, reason = SET_APART[name]
    mine = [r for r in told.rejects if r["file"] == name]
    assert any((r["line"], r["column"]) == (str(line), column) and reason in r["reason"] for r in mine), mine
    source = told.sources[name]
    assert source["rows_rejected"] >= 1
    assert source["rows_read"] == source["rows_loaded"] + source["rows_rejected"] + source["rows_excluded"]
    assert told.findings[name].startswith("act: ")
    assert "rejects.csv says why" in told.findings[name]


@pytest.mark.parametrize("name", NO_RECORD)
def test_a_line_with_which_nothing_is_lost_is_excluded_with_its_reason(told: Told, name: str) -> None:
    source = told.sources[name]
    assert (source["rows_rejected"], source["rows_excluded"]) == (0, 1)
    assert source["rows_read"] == source["rows_loaded"] + 1
    assert [(e["reason"], e["rows"]) for e in source["exclusions"]] == [(NO_RECORD[name][1], 1)]
    assert [r["reason"] for r in told.rejects if r["file"] == name] == [NO_RECORD[name][1]]
    assert name not in told.findings


@pytest.mark.parametrize("name", ["either_order.csv", "either_mark.csv"])
def test_what_has_two_readings_says_that_the_settings_can_tell(told: Told, name: str) -> None:
    assert any("the settings can say" in note for note in told.sources[name]["notes"])
    setting = {"either_order.csv": 'date_order = "dmy" # or "mdy"', "either_mark.csv": 'decimal = "," # or "."'}[name]
    said = told.findings[name].partition("cannot be told apart. Say in crmaudit.toml, under ")[2]
    assert said == f'[files."{name}"]: {setting}.'
    assert list(tomllib.loads(said.replace("]: ", "]\n"))["files"]) == [name]


def test_a_folder_of_nothing_but_two_readings_says_how_to_tell(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "either.csv").write_bytes(SET_APART["either_order.csv"][0])
    ran = crmaudit("analyze", tmp_path / "exports", "--out", tmp_path / "audit")
    assert ran.code == 2
    assert "either.csv: 2 values of 'issue_date' are set aside" in ran.said
    assert '[files."either.csv"]: date_order = "dmy" # or "mdy"' in ran.said


@pytest.mark.parametrize("name", LEFT)
def test_what_is_left_out_says_why(told: Told, name: str) -> None:
    source = told.sources[name]
    assert source["rows_loaded"] == 0
    assert all(LEFT[name][1] in e["reason"] for e in source["exclusions"])
    assert source["exclusions"] or any("no record" in note for note in source["notes"])


def test_a_file_that_may_be_two_things_is_a_question_at_the_top(told: Told) -> None:
    said = told.findings["things.csv"]
    assert said.startswith("act: things.csv: 2 rows were left out. It could be tickets (")
    assert 'crmaudit.toml: [files."things.csv"] entity = "tickets".' in said


def test_a_file_that_is_nothing_we_know_is_told_at_the_top(small: Audited, tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    shutil.copytree(small.exports, exports)
    (exports / "colours.csv").write_text("colour,shape\nred,round\nblue,flat\n", encoding="utf-8")
    (exports / "shapes.csv").write_text("shape,corners\nround,0\n", encoding="utf-8")
    (exports / "crmaudit.toml").write_text('[files."shapes.csv"]\nignore = true\n', encoding="utf-8")
    assert crmaudit("analyze", exports, "--out", tmp_path / "audit", "--quiet").code == 0
    told = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    said = [f"{f['level']}: {f['text']}" for f in told["findings"] if "Not recognised" in f["text"]]
    assert [text.partition(" `")[0] for text in said] == ["watch: Not recognised, and not used: colours.csv, 2 rows."]


def test_the_rest_of_the_folder_is_audited(told: Told) -> None:
    assert told.sources["invoices.csv"]["rows_loaded"] == 3
    assert told.customers >= 1
    assert told.sources["short.csv"]["rows_loaded"] == 3


@pytest.mark.parametrize("command", ["analyze", "inspect"])
def test_an_unreadable_file_is_ignored_where_the_settings_say_so(tmp_path: Path, command: str) -> None:
    exports = tmp_path / "exports"
    (exports / "old").mkdir(parents=True)
    (exports / "invoices.csv").write_text(INVOICES)
    (exports / "old" / "login.csv").write_bytes(UNREADABLE["login.csv"][0])
    (exports / "picture.csv").write_bytes(UNREADABLE["picture.csv"][0])
    settings = tmp_path / "crmaudit.toml"
    settings.write_text(
        '[files."login.csv"]\nignore = true\n[files."picture.csv"]\nentity = "invoices"\n'
        '[files."picture.csv#Sheet1"]\nentity = "invoices"\n'
    )
    out = ("--out", tmp_path / "audit", "--as-of", "2026-06-30") if command == "analyze" else ()
    ran = crmaudit(command, exports, "--config", settings, *out)
    assert ran.code == 0, ran.said
    said = (tmp_path / "audit" / "report.md").read_text() if out else ran.out
    assert "picture" in said
    assert "login" not in said
