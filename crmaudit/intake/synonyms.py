"""What `sources/*.toml` say: names of columns, words in cells, and the exports known by their header."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from crmaudit.errors import SettingsError
from crmaudit.schema import TABLES

SOURCES = Path(__file__).resolve().parents[1] / "sources"
VOCABULARIES = ("generic.toml", "languages.toml", "words.toml", "unused.toml", "menus.toml")
"""The files of the folder that describe no single export."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_WORD = re.compile(r"[^\W_]+")


@cache
def plain(name: str) -> str:
    """A column's name to compare by: "Deal_Stage", "dealStage" and "*Deal Stage" are all "deal stage"."""
    return " ".join(_WORD.findall(_CAMEL.sub(" ", name))).lower()


def english(name: str) -> str:
    """A column's plain name, in English where languages.toml knows it: "Fälligkeitsdatum" is "due date"."""
    found, columns = plain(name), _languages()[0]
    # Macs write accents as signs of their own, and "MwSt." is one word, which dealStage is not.
    composed = unicodedata.normalize("NFC", name)
    return columns.get(plain(composed)) or columns.get(plain(composed.lower()), found)


def english_file_words(name: str) -> str:
    """The words of a file's name with their English ones after them, a space on both sides."""
    words = f" {plain(name)} "
    return words + "".join(f"{theirs} " for own, theirs in _languages()[1].items() if f" {own} " in words)


@cache
def _languages() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Names of columns and of files in every spelling -> the English name."""
    columns: dict[str, str] = {}
    files: dict[str, str] = {}
    for language in _toml(SOURCES / "languages.toml").values():
        for part, found in (("columns", columns), ("files", files)):
            for name, texts in language[part].items():
                for text in texts:
                    for spelling in _spellings(text):
                        found.setdefault(spelling, name)
    return columns, files


def _spellings(text: str) -> set[str]:
    """With accents, without them, and the way people write umlauts who lack them."""
    written_out = text.translate(_UMLAUTS)
    return {plain(text), *(plain(_ACCENTS.sub("", unicodedata.normalize("NFKD", t))) for t in (text, written_out))}


@dataclass(frozen=True)
class TableNames:
    """How one canonical table is told from its columns' names; see generic.toml."""

    words: tuple[str, ...]
    files: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    absent: tuple[str, ...]
    signs: tuple[str, ...]
    alien: tuple[str, ...]
    """Names of columns that such a table never has, though no canonical column is meant."""
    columns: Mapping[str, tuple[str, ...]]
    """Canonical column -> names for it, the best first."""

    @cached_property
    def by_name(self) -> Mapping[str, Mapping[str, int]]:
        """Name without `*` -> the columns it may stand for, each with the name's place in its list."""
        found: dict[str, dict[str, int]] = {}
        for column, texts in self.columns.items():
            for place, text in enumerate(texts):
                if "*" not in text:
                    found.setdefault(text, {}).setdefault(column, place)
        return found

    @cached_property
    def patterns(self) -> tuple[tuple[str, str, int], ...]:
        """Names with `*`: the name, its column, its place."""
        return tuple((t, c, i) for c, texts in self.columns.items() for i, t in enumerate(texts) if "*" in t)

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """The table's own words that may stand before a column's name, the longest first."""
        return tuple(w + " " for w in sorted(self.words, key=len, reverse=True))


@dataclass(frozen=True)
class States:
    """Words of one state column: canonical word -> texts; `whole` texts or single words (`part`) are compared."""

    column: str
    whole: Mapping[str, tuple[str, ...]]
    part: Mapping[str, tuple[str, ...]]
    derived_from: str | None = None
    strict: bool = False
    otherwise: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """Everything generic: names of columns and words in cells."""

    tables: Mapping[str, TableNames]
    party: Mapping[str, tuple[str, ...]]
    updated: tuple[str, ...]
    summary: tuple[str, ...]
    nothing: tuple[str, ...]
    true: tuple[str, ...]
    false: tuple[str, ...]
    months: Mapping[str, int]
    currencies: Mapping[str, str]
    minor_units: Mapping[int, tuple[str, ...]]
    """Decimals of a currency -> the codes that have them; the others have two."""
    states: Mapping[str, States]
    """`table.column` -> its words."""


@dataclass(frozen=True)
class RowFilter:
    """Rows of an export that are not what the table holds; `values` compared in lower case, "*" is any text."""

    column: str
    values: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Derived:
    """A canonical column that other source columns tell: the first case whose columns all have one of their texts."""

    column: str
    cases: tuple[tuple[Mapping[str, tuple[str, ...]], str], ...]
    """(source column -> texts in lower case, value)."""


@dataclass(frozen=True)
class UnusedExport:
    """A table of a vendor that no canonical table has a place for, and why; see unused.toml."""

    system: str
    requires: tuple[str, ...]
    reason: str
    excludes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """The whole header, where nothing less tells the table."""


@dataclass(frozen=True)
class Product:
    """A product that exports come from: its name as its maker writes it, and where its exports are found."""

    system: str
    name: str
    menus: Mapping[str, str]
    """Canonical table -> path through the menus."""
    documented: Mapping[str, str] = field(default_factory=dict)
    """Canonical table -> the vendor's page that has that path."""


@dataclass(frozen=True)
class KnownExport:
    """One export known by its header: the contents of one toml file."""

    file: str
    system: str
    entity: str
    requires: tuple[str, ...]
    excludes: tuple[str, ...]
    columns: Mapping[str, str]
    """Source column -> canonical column."""
    signs: tuple[str, ...] = ()
    """Columns that nobody else has: where there are any, one of them must be in the header."""
    constants: Mapping[str, str] = field(default_factory=dict)
    factors: Mapping[str, str] = field(default_factory=dict)
    """Canonical column -> what its values are multiplied with, as text ("0.01" for cents)."""
    minor_units: tuple[str, ...] = ()
    """Canonical columns whose amounts are in the smallest unit of their currency: cents, but whole yen."""
    amount_is_gross: bool = False
    """The amount of an invoice holds its tax: net is what `tax_amount` leaves of it."""
    exclude_rows: tuple[RowFilter, ...] = ()
    one_row_per: str | None = None
    """Canonical column whose rows are lines of one record, where an export has a row per line: the first one counts."""
    derived: tuple[Derived, ...] = ()
    rewrite: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Source column of ids or text -> (pattern, replacement), applied in turn."""
    unused: Mapping[str, str] = field(default_factory=dict)
    """Source column -> why it fills nothing, though its name looks as if it did."""
    strict: bool = False
    """Columns that the file does not name are not mapped by their names."""
    states: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Canonical column -> canonical word -> whole texts, before those of words.toml."""
    updated: str | None = None
    date_order: str | None = None
    decimal: str | None = None
    traps: tuple[str, ...] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    """Source column -> column of invoice_lines, where the rows of a list of invoices are their lines."""
    line_price: bool = False
    """The amount of a line is the price of one unit."""
    line_discount: str | None = None
    """Source column of a discount: a line on which it says something has no amount that is known."""
    completes: Mapping[str, str] = field(default_factory=dict)
    """Source column -> the canonical column that holds its values, where rows are no records but complete others."""
    first: tuple[str, tuple[str, ...]] | None = None
    """(source column, its texts): of several rows that complete one record, those to be taken."""


@cache
def vocabulary() -> Vocabulary:
    """The generic names and words, checked against the schema."""
    names = _toml(SOURCES / "generic.toml")
    words = _toml(SOURCES / "words.toml")
    party = {column: tuple(texts) for column, texts in names["party"].items()}
    tables = {}
    for table, spec in names["tables"].items():
        columns = {c: tuple(n) for c, n in spec["columns"].items()}
        known = {c.name for c in TABLES[table].columns}
        shared = {c: n for c, n in party.items() if c in known and c not in columns}
        _check_columns(table, columns, "generic.toml")
        tables[table] = TableNames(
            words=tuple(spec["words"]),
            files=tuple(spec["files"]),
            needs=tuple(tuple(group) for group in spec["needs"]),
            absent=tuple(spec.get("absent", ())),
            signs=tuple(spec.get("signs", ())),
            alien=tuple(spec.get("alien", ())),
            columns={**columns, **shared},
        )
    return Vocabulary(
        tables=tables,
        party=party,
        updated=tuple(names["updated"]["names"]),
        summary=tuple(names["summary"]["names"]),
        nothing=tuple(words["nothing"]),
        true=tuple(words["bool"]["true"]),
        false=tuple(words["bool"]["false"]),
        months={name: int(number) for number, texts in words["months"].items() for name in texts},
        currencies=dict(words["currencies"]),
        minor_units={int(digits): tuple(codes) for digits, codes in words["minor_units"].items()},
        states={column: _states(column, spec) for column, spec in words["states"].items()},
    )


@cache
def known_exports(folder: Path = SOURCES) -> tuple[KnownExport, ...]:
    """Every known export of the folder, by file name."""
    return tuple(_known(path) for path in sorted(folder.glob("*.toml")) if path.name not in VOCABULARIES)


@cache
def unused_exports() -> tuple[UnusedExport, ...]:
    """Tables of known vendors that are none of ours."""
    return tuple(
        UnusedExport(
            e["system"], tuple(e.get("requires", ())), e["reason"], tuple(e.get("excludes", ())),
            tuple(e.get("columns", ())),
        )
        for e in _toml(SOURCES / "unused.toml")["exports"]
    )  # fmt: skip


@cache
def products() -> Mapping[str, Product]:
    """What menus.toml knows of each product, by system."""
    found = {}
    for system, entries in _toml(SOURCES / "menus.toml").items():
        menus = {table: path for table, path in entries.items() if table not in ("name", "documented")}
        wrong = sorted(set(menus) - set(TABLES))
        if wrong:
            raise SettingsError(f"menus.toml: {system} has {', '.join(wrong)}, which is no table")
        pages = entries.get("documented", {})
        found[system] = Product(
            system, entries["name"], menus, dict.fromkeys(menus, pages) if isinstance(pages, str) else pages
        )
    return found


def fits(name: str, pattern: str) -> bool:
    """Whether a plain name is the pattern, which may hold `*` for any words."""
    return fnmatchcase(name, pattern) if "*" in pattern else name == pattern


def _known(path: Path) -> KnownExport:
    data = _toml(path)
    try:
        entity, columns = data["entity"], data["columns"]
        wrong = set(data) - set(KnownExport.__dataclass_fields__) - {"exclude_rows"}
        if wrong or entity not in TABLES:
            raise SettingsError(f"{path.name}: {', '.join(sorted(wrong)) or entity} is not known here")
        _check_columns(entity, columns.values(), path.name)
        _check_columns(entity, data.get("constants", {}), path.name)
        _check_columns(entity, data.get("factors", {}), path.name)
        _check_columns(entity, data.get("minor_units", ()), path.name)
        _check_columns(entity, [d["column"] for d in data.get("derived", ())], path.name)
        _check_columns(entity, [data["one_row_per"]] if "one_row_per" in data else [], path.name)
        _check_columns(entity, data.get("completes", {}).values(), path.name)
        _check_columns("invoice_lines", data.get("lines", {}).values(), path.name)
        return KnownExport(
            file=path.name,
            system=data["system"],
            entity=entity,
            requires=tuple(data["requires"]),
            excludes=tuple(data.get("excludes", ())),
            columns=columns,
            signs=tuple(data.get("signs", ())),
            constants=data.get("constants", {}),
            factors={column: str(factor) for column, factor in data.get("factors", {}).items()},
            exclude_rows=tuple(
                RowFilter(f["column"], tuple(v.lower() for v in f["values"]), f["reason"])
                for f in data.get("exclude_rows", ())
            ),
            minor_units=tuple(data.get("minor_units", ())),
            amount_is_gross=data.get("amount_is_gross", False),
            one_row_per=data.get("one_row_per"),
            derived=tuple(
                Derived(d["column"], tuple((_texts(case["when"]), case["is"]) for case in d["cases"]))
                for d in data.get("derived", ())
            ),
            rewrite={c: tuple((a, b) for a, b in pairs) for c, pairs in data.get("rewrite", {}).items()},
            unused=data.get("unused", {}),
            strict=data.get("strict", False),
            states={c: {k: tuple(v) for k, v in texts.items()} for c, texts in data.get("states", {}).items()},
            updated=data.get("updated"),
            date_order=data.get("date_order"),
            decimal=data.get("decimal"),
            traps=tuple(data.get("traps", ())),
            lines=data.get("lines", {}),
            line_price=data.get("line_price", False),
            line_discount=data.get("line_discount"),
            completes=data.get("completes", {}),
            first=next(((c, tuple(v)) for c, v in data.get("first", {}).items()), None),
        )
    except KeyError as missing:
        raise SettingsError(f"{path.name}: {missing} is missing") from missing


def _texts(when: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {column: tuple(text.lower() for text in texts) for column, texts in when.items()}


def _states(column: str, spec: Mapping[str, Any]) -> States:
    return States(
        column=column,
        whole={state: tuple(texts) for state, texts in spec.get("whole", {}).items()},
        part={state: tuple(texts) for state, texts in spec.get("part", {}).items()},
        derived_from=spec.get("from"),
        strict=spec.get("strict", False),
        otherwise=spec.get("otherwise"),
    )


def _check_columns(table: str, columns: Iterable[str], file: str) -> None:
    known = {c.name for c in TABLES[table].columns}
    wrong = sorted(set(columns) - known)
    if wrong:
        raise SettingsError(f"{file}: {table} has no column {', '.join(wrong)}")


def _toml(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)
