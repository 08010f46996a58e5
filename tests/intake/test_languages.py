"""Exports of no known system in German, French, Spanish and Portuguese: recognised and loaded as English ones are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from crmaudit.intake.load import Loaded, load
from crmaudit.intake.read import read
from crmaudit.intake.synonyms import english, english_file_words, known_exports, plain, unused_exports, vocabulary

FIRMS = [("A1", "Acme Ltd", "a.example"), ("A2", "Ébène SA", "b.example"), ("A3", "Öl & Co", "c.example")]

ENGLISH: Mapping[str, str] = {
    "accounts.csv": "account id,account name,website,industry,country,created date\n"
    "A1,Acme Ltd,a.example,Steel,X,2025-01-03\nA2,Ébène SA,b.example,Wood,Y,2025-02-14\nA3,Öl & Co,c.example,Oil,Z,2025-03-28\n",
    "contacts.csv": "contact id,account id,first name,last name,email,phone,status,created date\n"
    "C1,A1,Ann,Lee,ann@a.example,1234567,active,2025-01-04\nC2,A2,Bob,Ray,bob@b.example,,bounced,2025-02-15\n"
    "C3,A3,Cy,Fox,cy@c.example,7654321,left,2025-03-29\n",
    "leads.csv": "lead id,company,email,lead source,status,created date,qualified date\n"
    "L1,Acme Ltd,ann@a.example,Fair,converted,2025-01-02,2025-01-20\nL2,Ébène SA,bob@b.example,Web,qualified,2025-02-03,2025-02-25\n"
    "L3,New Co,zed@n.example,Web,disqualified,2025-03-01,\n",
    "deals.csv": "opportunity id,account id,opportunity name,stage,amount,currency,created date,close date\n"
    "O1,A1,Big one,won,12345.5,EUR,2025-01-21,2025-03-05\nO2,A2,Small one,lost,900,EUR,2025-02-26,2025-04-13\n"
    "O3,A3,Third,open,1200.25,EUR,2025-05-01,\n",
    "invoices.csv": "invoice number,customer id,invoice date,due date,net amount,tax amount,total amount,currency,status\n"
    "R1,A1,2025-03-06,2025-04-05,12345.5,2345.65,14691.15,EUR,paid\nR2,A2,2025-08-25,2025-09-24,1000,190,1190,EUR,open\n"
    "R3,A3,2025-12-31,2026-01-30,10.5,2,12.5,EUR,void\n",
}
"""What every folder says."""


@dataclass(frozen=True)
class Language:
    """How a country writes the English folder: names of files, names of columns, words of state, months."""

    files: tuple[str, ...]
    columns: Mapping[str, str]
    words: Mapping[str, str]
    months: tuple[str, ...]
    dated: str


LANGUAGES = {
    "de": Language(
        ("Firmen", "Kontakte", "Interessenten", "Verkaufschancen 2025", "Rechnungen"),
        {
            "account id": "Firmennummer", "account name": "Firmenname", "website": "Webseite", "industry": "Branche",
            "country": "Land", "created date": "Angelegt am", "contact id": "Kontakt-Nr.", "first name": "Vorname",
            "last name": "Nachname", "email": "E-Mail-Adresse", "phone": "Telefonnummer", "status": "Status",
            "lead id": "Interessentennummer", "company": "Unternehmen", "lead source": "Herkunft",
            "qualified date": "Qualifiziert am", "opportunity id": "Chancennummer", "opportunity name": "Bezeichnung",
            "stage": "Verkaufsphase", "amount": "Auftragswert", "currency": "Währung", "close date": "Abschlussdatum",
            "invoice number": "Rechnungs-Nr.", "customer id": "Kundennummer", "invoice date": "Rechnungsdatum",
            "due date": "Faelligkeitsdatum", "net amount": "Nettobetrag", "tax amount": "MwSt.",
            "total amount": "Bruttobetrag",
        },
        {
            "active": "Aktiv", "bounced": "Unzustellbar", "left": "Ausgeschieden", "converted": "Konvertiert",
            "qualified": "Qualifiziert", "disqualified": "Disqualifiziert", "won": "Gewonnen", "lost": "Verloren",
            "open": "Offen", "paid": "Bezahlt", "void": "Storniert",
        },
        ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
         "Dezember"),
        "{day}. {month} {year}",
    ),
    "fr": Language(
        ("Sociétés", "Contacts", "Pistes", "Opportunités", "Factures"),
        {
            "account id": "ID société", "account name": "Raison sociale", "website": "Site web",
            "industry": "Secteur d'activité", "country": "Pays", "created date": "Date de création",
            "contact id": "ID contact", "first name": "Prénom", "last name": "Nom de famille", "email": "Courriel",
            "phone": "Téléphone", "status": "Statut", "lead id": "ID prospect", "company": "Société",
            "lead source": "Origine", "qualified date": "Qualifié le", "opportunity id": "ID opportunité",
            "opportunity name": "Nom de l'opportunité", "stage": "Étape", "amount": "Montant", "currency": "Devise",
            "close date": "Date de clôture", "invoice number": "N° de facture", "customer id": "Code client",
            "invoice date": "Date de facture", "due date": "Échéance", "net amount": "Montant HT", "tax amount": "TVA",
            "total amount": "Montant TTC",
        },
        {
            "active": "Actif", "bounced": "Non distribuable", "left": "Parti", "converted": "Converti",
            "qualified": "Qualifié", "disqualified": "Disqualifié", "won": "Gagnée", "lost": "Perdue",
            "open": "Ouverte", "paid": "Payée", "void": "Annulée",
        },
        ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
         "décembre"),
        "{day} {month} {year}",
    ),
    "es": Language(
        ("Empresas", "Contactos", "Prospectos", "Oportunidades", "Facturas"),
        {
            "account id": "ID empresa", "account name": "Razón social", "website": "Sitio web",
            "industry": "Industria", "country": "País", "created date": "Fecha de creación",
            "contact id": "ID contacto", "first name": "Nombre de pila", "last name": "Apellidos",
            "email": "Correo electrónico", "phone": "Teléfono", "status": "Estado", "lead id": "ID prospecto",
            "company": "Empresa", "lead source": "Origen", "qualified date": "Fecha de calificación",
            "opportunity id": "ID oportunidad", "opportunity name": "Nombre de la oportunidad", "stage": "Etapa",
            "amount": "Importe", "currency": "Moneda", "close date": "Fecha de cierre",
            "invoice number": "Nº factura", "customer id": "Código de cliente", "invoice date": "Fecha de factura",
            "due date": "Fecha de vencimiento", "net amount": "Base imponible", "tax amount": "IVA",
            "total amount": "Importe total",
        },
        {
            "active": "Activo", "bounced": "Rebotado", "left": "Ya no trabaja", "converted": "Convertido",
            "qualified": "Calificado", "disqualified": "Descartado", "won": "Ganada", "lost": "Perdida",
            "open": "Abierta", "paid": "Pagada", "void": "Anulada",
        },
        ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
         "noviembre", "diciembre"),
        "{day} de {month} de {year}",
    ),
    "pt": Language(
        ("Empresas", "Contatos", "Prospectos", "Oportunidades", "Faturas"),
        {
            "account id": "ID da empresa", "account name": "Razão social", "website": "Página web",
            "industry": "Setor", "country": "País", "created date": "Data de criação",
            "contact id": "Código do contato", "first name": "Primeiro nome", "last name": "Sobrenome",
            "email": "Endereço de e-mail", "phone": "Telefone", "status": "Situação", "lead id": "ID do lead",
            "company": "Empresa", "lead source": "Origem", "qualified date": "Qualificado em",
            "opportunity id": "ID da oportunidade", "opportunity name": "Nome da oportunidade", "stage": "Estágio",
            "amount": "Valor", "currency": "Moeda", "close date": "Data de fechamento",
            "invoice number": "Número da fatura", "customer id": "Código do cliente", "invoice date": "Data de emissão",
            "due date": "Vencimento", "net amount": "Valor líquido", "tax amount": "Imposto",
            "total amount": "Valor total",
        },
        {
            "active": "Ativo", "bounced": "Devolvido", "left": "Saiu da empresa", "converted": "Convertido",
            "qualified": "Qualificado", "disqualified": "Desqualificado", "won": "Ganha", "lost": "Perdida",
            "open": "Em aberto", "paid": "Paga", "void": "Cancelada",
        },
        ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
         "novembro", "dezembro"),
        "{day} de {month} de {year}",
    ),
}  # fmt: skip


def translated(folder: Path, language: Language) -> None:
    """The English folder as that country writes it: semicolons, decimal commas, months by their names, cp1252."""

    def cell(column: str, text: str) -> str:
        if column.endswith("date") and text:
            day = dt.date.fromisoformat(text)
            return language.dated.format(day=day.day, month=language.months[day.month - 1], year=day.year)
        if column.endswith("amount"):
            return text.replace(".", ",")
        return language.words.get(text, text)

    for file, content in zip(language.files, ENGLISH.values(), strict=True):
        header, *rows = (line.split(",") for line in content.splitlines())
        lines = [[language.columns[name] for name in header]]
        lines += [[cell(*pair) for pair in zip(header, row, strict=True)] for row in rows]
        text = "".join(";".join(line) + "\r\n" for line in lines)
        (folder / f"{file}.csv").write_bytes(text.encode("cp1252"))


@dataclass(frozen=True)
class Taken:
    """What became of a folder."""

    loaded: Loaded
    con: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.con.execute(query).fetchall()


def taken(folder: Path, con: duckdb.DuckDBPyConnection) -> Taken:
    (folder / "work").mkdir()
    raws = [t for p in sorted(folder.glob("*.csv")) for t in read(p, folder, con, workdir=folder / "work")]
    return Taken(load(con, raws, today=dt.date(2026, 7, 1)), con)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


def as_english(tmp_path: Path) -> dict[str, list[tuple[object, ...]]]:
    folder = tmp_path / "english"
    folder.mkdir()
    for name, content in ENGLISH.items():
        (folder / name).write_text(content, encoding="utf-8")
    with duckdb.connect() as con:
        return tables_of(taken(folder, con))


def tables_of(found: Taken) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that is filled, without what says where it came from."""
    tables = {}
    for entity in found.loaded.entities:
        tables[entity] = found.rows(f"select * exclude (source_id) from loaded.{entity} order by all")
    return tables


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_folder_in_another_language_is_the_english_one(
    code: str, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    wanted = as_english(tmp_path)
    assert sorted(wanted) == ["accounts", "contacts", "invoices", "leads", "opportunities"]
    folder = tmp_path / code
    folder.mkdir()
    translated(folder, LANGUAGES[code])
    found = taken(folder, con)
    for source in found.loaded.sources:
        assert (source.source.rows_read, source.source.rows_loaded) == (3, 3), source.source.path
        assert not source.source.unmapped, source.source.path
    said = LANGUAGES[code].words
    stages = {said[w]: w for w in ("won", "lost", "open")}
    got = tables_of(found)
    # A stage keeps its own name; what it means is the outcome.
    got["opportunities"] = [tuple(stages.get(str(v), v) for v in row) for row in got["opportunities"]]
    assert got == wanted


@pytest.mark.parametrize("code", LANGUAGES)
def test_states_become_ours(code: str, tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    translated(tmp_path, LANGUAGES[code])
    found = taken(tmp_path, con)
    assert found.rows("select status from loaded.leads order by lead_id") == [
        ("converted",),
        ("qualified",),
        ("disqualified",),
    ]
    assert found.rows("select status from loaded.contacts order by contact_id") == [
        ("active",),
        ("bounced",),
        ("left",),
    ]
    assert found.rows("select outcome from loaded.opportunities order by opportunity_id") == [
        ("won",),
        ("lost",),
        ("open",),
    ]
    assert found.rows("select status from loaded.invoices order by invoice_id") == [("paid",), ("open",), ("void",)]


def test_names_are_known_with_accents_and_without() -> None:
    for name in (
        "Fälligkeitsdatum",
        "Faelligkeitsdatum",
        "FALLIGKEITSDATUM",
        "Échéance",
        "echeance",
        "Vencimiento",
        "Fa\u0308lligkeitsdatum",
    ):
        assert english(name) == "due date"
    assert [english(name) for name in ("Deal_Stage", "dealStage", "MwSt.")] == [
        "deal stage",
        "deal stage",
        "tax amount",
    ]
    assert english_file_words("Ausgangsrechnungen 2025") == " ausgangsrechnungen 2025 invoices "


def test_no_foreign_name_is_one_of_ours() -> None:
    """A name that is English already, or a column of a known export, must not change its meaning."""
    words = vocabulary()
    ours = {n for t in words.tables.values() for names in t.columns.values() for n in names}
    ours |= {n for names in words.party.values() for n in names} | set(words.updated)
    of_vendors = {plain(n) for k in known_exports() for n in (*k.columns, *k.requires, *k.excludes)}
    of_vendors |= {plain(n) for k in unused_exports() for n in (*k.requires, *k.columns, *k.excludes)}
    same = {"telephone": "phone"}
    assert {n: english(n) for n in ours | of_vendors if english(n) != n and "*" not in n} == same


@pytest.mark.parametrize("code", LANGUAGES)
def test_all_months_are_known(code: str) -> None:
    months = vocabulary().months
    assert [months[name.lower()] for name in LANGUAGES[code].months] == list(range(1, 13))
