"""The data-request sheets: which export of which system, where in its menus, with which fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crmaudit.gap.page import Export, Field, Request
from crmaudit.gap.wants import field_name
from crmaudit.intake.synonyms import KnownExport, Product, known_exports, products
from crmaudit.report import Report
from crmaudit.schema import TABLES, Table

_PLACES = {
    "Your CRM": ("accounts", "contacts", "leads", "opportunities", "stage_changes", "activities", "users"),
    "Your mailing tool": ("campaign_touches", "consents"),
    "Your billing system": (
        *("products", "invoices", "invoice_lines", "payments", "refunds", "subscriptions", "subscription_changes"),
        *("churn_events", "exchange_rates"),
    ),
    "Your support desk": ("tickets", "survey_responses"),
    "Your product's log": ("usage",),
    "Your accounts": ("spend",),
}
"""Whom to ask where the exports do not say which system keeps such records."""

_LINKS = ("account_id", "contact_id", "email", "account_name")
"""Of these at least one tells whose row it is."""


def requests(report: Report, wanted: Mapping[str, Iterable[str]]) -> tuple[Request, ...]:
    """The sheets for the wanted `table.column`, each with the titles of the questions that want it."""
    tables: dict[str, dict[str, list[str]]] = {}
    for address, titles in wanted.items():
        table, _, column = address.partition(".")
        tables.setdefault(table, {}).setdefault(column, []).extend(titles)
    sheets: dict[str, list[tuple[int, Export]]] = {}
    for name, columns in tables.items():
        system = _system(report, name)
        export = _export(report, TABLES[name], columns, products().get(system), _known(system, name))
        place = products()[system].name if system in products() else _place(name)
        sheets.setdefault(place, []).append((list(TABLES).index(name), export))
    return tuple(
        Request(place, tuple(export for _, export in sorted(found, key=lambda pair: pair[0])))
        for place, found in sorted(sheets.items(), key=lambda item: min(position for position, _ in item[1]))
    )


def _place(table: str) -> str:
    return next((place for place, names in _PLACES.items() if table in names), "Your systems")


def _system(report: Report, table: str) -> str:
    """The system that exported such records, else the first that could; empty where none is known."""
    came = [source.system for source in report.sources if source.entity == table]
    could = [
        source.system
        for source in report.sources
        if source.system in products() and (table in products()[source.system].menus or _known(source.system, table))
    ]
    return next((system for system in (*came, *could) if system in products()), "")


def _known(system: str, table: str) -> tuple[KnownExport, ...]:
    return tuple(known for known in known_exports() if known.system == system and known.entity == table)


def _export(
    report: Report,
    table: Table,
    columns: Mapping[str, list[str]],
    product: Product | None,
    known: tuple[KnownExport, ...],
) -> Export:
    is_new = all(source.entity != table.name for source in report.sources)
    names = [*columns, *(_basics(table) if is_new else ())]
    titles = dict.fromkeys(title for found in columns.values() for title in found)
    return Export(
        title=table.found_in[:1].upper() + table.found_in[1:],
        menu=_menu(product, table.name) if product else "",
        is_new=is_new,
        fields=tuple(_field(table, name, known) for name in dict.fromkeys(names)),
        questions=tuple(titles),
    )


def _menu(product: Product, table: str) -> str:
    """The path to an export, told as usual where no page of the vendor has it."""
    path = product.menus.get(table, "")
    return path if table in product.documented or not path else f"usually {path}"


def _basics(table: Table) -> list[str]:
    """What an export must have to be of use at all: its key, whose row it is, and when it happened."""
    present = {column.name for column in table.columns}
    links = [name for name in _LINKS if name in present][:2] or [c.name for c in table.columns if c.refers_to]
    return [name for name in (table.key, *links, *(column.name for column in table.facts[:1])) if name]


def _field(table: Table, column: str, known: tuple[KnownExport, ...]) -> Field:
    theirs = (source for export in known for source, ours in export.columns.items() if ours == column)
    told = table.column(column)
    return Field(next(theirs, field_name(told)), told.meaning)
