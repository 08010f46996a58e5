"""The example company's exports in other dresses: the same records as other programs and countries would write them."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import xlsxwriter

from tests.command import EXPORTS

Rows = list[dict[str, str]]
Value = Callable[[str], str]
"""How a day (`2026-01-31` or `2026-01-31 09:15`) or an amount (`1234.50`) is written."""

AMOUNTS = frozenset({"net_amount", "tax_amount", "total_amount", "amount", "list_price", "unit_cost"})
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


GERMAN_FILES = {
    "billing_invoices": "rechnungen", "billing_products": "produkte", "crm_accounts": "firmen",
    "crm_contacts": "kontakte", "crm_leads": "interessenten", "crm_opportunities": "verkaufschancen",
    "crm_users": "mitarbeiter", "support_tickets": "anfragen",
}  # fmt: skip
GERMAN = {
    "invoice_number": "Rechnungsnummer", "customer_id": "Kundennummer", "customer_name": "Kundenname",
    "billing_email": "Rechnungs-E-Mail", "external_id": "Externe Nummer", "type": "Art", "product": "Produkt",
    "issue_date": "Rechnungsdatum", "due_date": "Fälligkeitsdatum", "paid_date": "Zahlungsdatum",
    "net_amount": "Nettobetrag", "tax_amount": "Steuerbetrag", "total_amount": "Gesamtbetrag",
    "currency": "Währung", "status": "Status", "product_id": "Produktnummer", "product_name": "Produktname",
    "family": "Produktgruppe", "list_price": "Listenpreis", "unit_cost": "Stückkosten", "account_id": "Firmennummer",
    "account_name": "Firmenname", "website": "Webseite", "phone": "Telefon", "segment": "Segment",
    "industry": "Branche", "region": "Region", "lead_source": "Herkunft", "owner_id": "Zuständig",
    "created_date": "Erstellt am", "customer_since": "Kunde seit", "contact_id": "Kontaktnummer",
    "first_name": "Vorname", "last_name": "Nachname", "email": "E-Mail", "job_title": "Position", "role": "Rolle",
    "preferred_channel": "Bevorzugter Kanal", "lead_id": "Leadnummer", "company": "Firma",
    "qualified_date": "Qualifiziert am", "converted_date": "Konvertiert am",
    "disqualified_date": "Disqualifiziert am", "opportunity_id": "Chancennummer",
    "opportunity_name": "Bezeichnung", "stage": "Phase", "amount": "Betrag", "competitor": "Wettbewerber",
    "loss_reason": "Verlustgrund", "close_date": "Abschlussdatum", "expected_close_date": "Erwarteter Abschluss",
    "user_id": "Mitarbeiternummer", "name": "Name", "team": "Team", "active": "Aktiv", "ticket_id": "Ticketnummer",
    "requester_email": "E-Mail des Anfragenden", "organization": "Organisation", "subject": "Betreff",
    "category": "Kategorie", "priority": "Priorität", "created_at": "Eröffnet am",
    "first_response_at": "Erste Antwort am", "resolved_at": "Gelöst am", "satisfaction_score": "Zufriedenheit",
}  # fmt: skip
GERMAN_WORDS = {
    ("rechnungen", "Status"): {
        "Paid": "Bezahlt", "Open": "Offen", "Overdue": "Überfällig", "Void": "Storniert", "Draft": "Entwurf",
        "Failed": "Fehlgeschlagen",
    },
    ("rechnungen", "Art"): {"Invoice": "Rechnung", "Credit note": "Gutschrift"},
    ("anfragen", "Status"): {"Closed": "Geschlossen", "Pending": "Wartend"},
    ("interessenten", "Status"): {
        "Converted": "Konvertiert", "Disqualified": "Disqualifiziert", "Qualified": "Qualifiziert",
        "Working": "In Bearbeitung",
    },
    ("mitarbeiter", "Aktiv"): {"true": "ja", "false": "nein"},
}  # fmt: skip


@cache
def exports() -> Mapping[str, Rows]:
    """The exports as they are, by the stem of the file's name."""
    found = {}
    for path in sorted(EXPORTS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


def is_day(column: str) -> bool:
    return column.endswith(("_date", "_at", "_since"))


def changed(rows: Rows, day: Value = str, amount: Value = str) -> Rows:
    def one(column: str, value: str) -> str:
        if value and is_day(column):
            return day(value)
        return amount(value) if value and column in AMOUNTS else value

    return [{column: one(column, value) for column, value in row.items()} for row in rows]


def text(rows: Rows, delimiter: str = ",", newline: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return file.getvalue()


def dotted(day: str) -> str:
    return dt.datetime.fromisoformat(day).strftime("%d.%m.%Y %H:%M" if " " in day else "%d.%m.%Y")


def slashed(day: str) -> str:
    moment = dt.datetime.fromisoformat(day)
    return f"{moment.month}/{moment.day}/{moment.year}" + (f" {moment:%I:%M %p}" if " " in day else "")


def named(day: str) -> str:
    moment = dt.datetime.fromisoformat(day)
    return f"{MONTHS[moment.month - 1]} {moment.day}, {moment.year}" + (f" {moment:%H:%M}" if " " in day else "")


def thousands(amount: str) -> str:
    """1234.5 -> 1,234.5 with as many decimals as there are."""
    whole, point, decimals = amount.removeprefix("-").partition(".")
    return ("-" if amount.startswith("-") else "") + f"{int(whole):,}{point}{decimals}"


def comma(amount: str) -> str:
    """1234.5 -> 1.234,5"""
    return thousands(amount).translate({ord(","): ".", ord("."): ","})


def tabs(folder: Path) -> None:
    for name, rows in exports().items():
        (folder / f"{name}.tsv").write_text(text(rows, "\t"), encoding="utf-8", newline="")


def german_excel(folder: Path) -> None:
    """Semicolons, decimal commas, day first, Windows-1252, lines that end in CR LF."""
    for name, rows in exports().items():
        dressed = text(changed(rows, dotted, comma), ";", "\r\n")
        (folder / f"{name}.csv").write_bytes(dressed.encode("cp1252"))


def pipes(folder: Path) -> None:
    for name, rows in exports().items():
        (folder / f"{name}.psv").write_text(text(rows, "|"), encoding="utf-8-sig", newline="")


def wide(folder: Path) -> None:
    """What Excel calls Unicode text: UTF-16 with tabs."""
    for name, rows in exports().items():
        (folder / f"{name}.csv").write_bytes(text(rows, "\t", "\r\n").encode("utf-16"))


def workbooks(folder: Path) -> None:
    """Days as Excel keeps them, amounts as numbers."""
    for name, rows in exports().items():
        book = xlsxwriter.Workbook(folder / f"{name}.xlsx")
        day, minute = (book.add_format({"num_format": f}) for f in ("dd/mm/yyyy", "dd/mm/yyyy hh:mm"))
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, list(rows[0]))
        for at, row in enumerate(rows, 1):
            for place, (column, value) in enumerate(row.items()):
                if value and is_day(column):
                    sheet.write_datetime(at, place, dt.datetime.fromisoformat(value), minute if " " in value else day)
                elif value and column in AMOUNTS:
                    sheet.write_number(at, place, float(value))
                elif value:
                    sheet.write_string(at, place, value)
        book.close()


def one_workbook(folder: Path) -> None:
    """A sheet for each export, all cells text."""
    book = xlsxwriter.Workbook(folder / "everything.xlsx", {"constant_memory": True})
    for name, rows in exports().items():
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, list(rows[0]))
        for at, row in enumerate(rows, 1):
            for place, value in enumerate(row.values()):
                sheet.write_string(at, place, value)
    book.close()


def typed(row: Mapping[str, str]) -> dict[str, str | float | None]:
    """The record as a program would hold it: numbers as numbers, nothing as null."""
    return {c: None if not v else float(v) if c in AMOUNTS else v for c, v in row.items()}


def lines_of_json(folder: Path) -> None:
    for name, rows in exports().items():
        lines = "".join(json.dumps(typed(row), ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.ndjson").write_text(lines, encoding="utf-8")


def arrays_of_json(folder: Path) -> None:
    """Under a key, indented, without the keys that have no value."""
    for name, rows in exports().items():
        records = [{c: v for c, v in typed(row).items() if v is not None} for row in rows]
        (folder / f"{name}.json").write_text(json.dumps({"records": records}, indent=1), encoding="utf-8")


def american(folder: Path) -> None:
    """Month first, twelve hours, commas between thousands."""
    for name, rows in exports().items():
        (folder / f"{name}.csv").write_text(text(changed(rows, slashed, thousands)), encoding="utf-8", newline="")


def month_names(folder: Path) -> None:
    for name, rows in exports().items():
        (folder / f"{name}.csv").write_text(text(changed(rows, named)), encoding="utf-8", newline="")


def gzipped(folder: Path) -> None:
    for name, rows in exports().items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text(rows).encode()))


def zipped(folder: Path) -> None:
    with zipfile.ZipFile(folder / "exports.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in exports().items():
            archive.writestr(f"company/{name}.csv", text(rows))
        archive.writestr("company/README.txt", "All exports of the company.\n")


def quoted(folder: Path) -> None:
    for name, rows in exports().items():
        dressed = text(rows, ",", "\r\n", csv.QUOTE_ALL)
        (folder / f"{name}.csv").write_text(dressed, encoding="utf-8", newline="")


def german(folder: Path) -> None:
    """Columns, files and words of state in German, as well as days and amounts."""
    for name, rows in exports().items():
        own = GERMAN_FILES.get(name, name)
        dressed = [
            {GERMAN.get(c, c): GERMAN_WORDS.get((own, GERMAN.get(c, c)), {}).get(v, v) for c, v in row.items()}
            for row in changed(rows, dotted, comma)
        ]
        (folder / f"{own}.csv").write_bytes(text(dressed, ";", "\r\n").encode("cp1252"))


DRESSES: Mapping[str, Callable[[Path], None]] = {
    "german_excel": german_excel,
    "workbooks": workbooks,
    "german": german,
    "tabs": tabs,
    "pipes": pipes,
    "wide": wide,
    "one_workbook": one_workbook,
    "lines_of_json": lines_of_json,
    "arrays_of_json": arrays_of_json,
    "american": american,
    "month_names": month_names,
    "gzipped": gzipped,
    "zipped": zipped,
    "quoted": quoted,
}
"""Those of every day first."""
EVERY_DAY = 1
