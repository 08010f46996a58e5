"""Source columns onto canonical columns: by name, checked against the values, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from crmaudit.intake.profile import ColumnProfile, Profile
from crmaudit.intake.synonyms import Derived, KnownExport, RowFilter, TableNames, Vocabulary, english, fits, plain
from crmaudit.schema import TABLES, Column

_PARTY_IDS = ("account_id", "contact_id")
PARTY = ("account_id", "contact_id", "account_name", "email")

WHAT_IS_SOLD = ("product", "product_id", "quantity")
"""A line of an invoice has one of these."""

_OUR_WORK = ("activities", "opportunities", "leads", "stage_changes")
"""Tables whose rows colleagues make."""

ENOUGH = 0.8
"""Share of a column's sampled values that must look like what its name promises."""

_UNITS: Mapping[str, Mapping[str, Fraction]] = {
    "hours": {
        "minutes": Fraction(1, 60), "minute": Fraction(1, 60), "mins": Fraction(1, 60), "min": Fraction(1, 60),
        "seconds": Fraction(1, 3600), "secs": Fraction(1, 3600), "sec": Fraction(1, 3600), "days": Fraction(24),
    },
    "minutes": {
        "hours": Fraction(60), "hrs": Fraction(60), "seconds": Fraction(1, 60), "secs": Fraction(1, 60),
        "sec": Fraction(1, 60),
    },
}  # fmt: skip
"""Unit of the canonical column (its suffix) -> unit in the source's name -> factor."""


@dataclass(frozen=True)
class MappedColumn:
    """One source column and the canonical column it fills."""

    source: str
    column: str
    reason: str
    factor: Fraction = Fraction(1)
    """What each value is multiplied with: 1/60 where minutes become hours, 1/100 where cents become units."""
    rewrite: tuple[tuple[str, str], ...] = ()
    """(pattern, replacement) applied in turn to a text before it is read."""


@dataclass(frozen=True)
class Completion:
    """How rows that are no records find the records that they complete."""

    source: str
    """The source column whose values"""
    column: str
    """this canonical column of the records has."""
    first: tuple[str, tuple[str, ...]] | None = None
    """(source column, its texts): of several rows of one record, those to be taken."""


@dataclass(frozen=True)
class Lines:
    """How the rows of a list of invoices are their lines."""

    mapping: ColumnMapping
    """Onto invoice_lines."""
    is_price: bool
    """The amount is the price of one unit."""
    discount: str | None
    """The source column of a discount, which the amount does not know of."""


@dataclass(frozen=True)
class ColumnMapping:
    """How the rows of one file become rows of one canonical table."""

    entity: str
    columns: tuple[MappedColumn, ...]
    unmapped: Mapping[str, str]
    """Source column -> why it is not used."""
    constants: Mapping[str, str] = field(default_factory=dict)
    exclude_rows: tuple[RowFilter, ...] = ()
    minor_units: tuple[str, ...] = ()
    """Canonical columns in the smallest unit of their currency; their factor is that of two decimals."""
    amount_is_gross: bool = False
    """The amount of an invoice holds its tax."""
    one_row_per: str | None = None
    """Canonical column whose rows are lines of one record."""
    derived: tuple[Derived, ...] = ()
    states: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    updated: str | None = None
    """The source column that says when a row was last changed."""
    date_order: str | None = None
    """"dmy" or "mdy" where somebody has said so."""
    decimal: str | None = None
    """"." or "," where somebody has said so."""
    lines: Lines | None = None
    """The same rows as lines of invoices."""
    completion: Completion | None = None
    """Set where the rows complete records of the entity and are none."""

    def source_of(self, column: str) -> str | None:
        """The source column that fills a canonical one."""
        return next((m.source for m in self.columns if m.column == column), None)

    @property
    def tells_net(self) -> bool:
        """Whether net is the amount without its tax. Refunds hold tax too: they are taken off the whole amount."""
        both = self.has("amount") and self.has("tax_amount") and not self.has("net_amount")
        return self.amount_is_gross and both and not self.has("refunded_amount")

    def has(self, column: str) -> bool:
        """Whether a canonical column (or `customer`, any of those that say whose row it is) is filled."""
        if column == "customer":
            return any(self.has(c) for c in PARTY)
        told = column in self.constants or any(d.column == column for d in self.derived)
        return told or self.source_of(column) is not None


@dataclass(frozen=True)
class Links:
    """What the columns that name "the customer" hold, as the other files of the folder show."""

    by_name: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Source column -> (canonical party column, why)."""
    ours: Mapping[str, str] = field(default_factory=dict)
    """Source column of users that are those of our users export -> why."""
    beside: frozenset[str] = frozenset()
    """Source columns of users beside a column that names the customer: our colleagues where rows are their work."""
    stamps: Mapping[str, str] = field(default_factory=dict)
    """Source column that is a load stamp -> why."""


@dataclass(frozen=True)
class _Offer:
    quality: float
    source: str
    column: str
    reason: str


def propose(entity: str, profile: Profile, words: Vocabulary, links: Links) -> ColumnMapping:
    """The best mapping of a file onto one canonical table, whether or not it is one."""
    names = words.tables[entity]
    offers: list[_Offer] = []
    refused: dict[str, str] = {}
    for source in profile.columns.values():
        if source.name in links.stamps:
            refused[source.name] = links.stamps[source.name]
            if "loaded_at" in names.columns:
                offers.append(_Offer(0.5, source.name, "loaded_at", links.stamps[source.name]))
            continue
        found, why_not = _offers(entity, source, names, words, links)
        offers += found
        if why_not and not found:
            refused[source.name] = why_not
    taken: dict[str, _Offer] = {}
    used: set[str] = set()
    order = {name: i for i, name in enumerate(profile.columns)}
    for offer in sorted(offers, key=lambda o: (-o.quality, order[o.source], o.column)):
        if offer.source not in used and offer.column not in taken:
            taken[offer.column] = offer
            used.add(offer.source)
    updated = next((c.name for n in words.updated for c in profile.columns.values() if fits(c.plain, n)), None)
    updated = None if updated in used or updated in links.stamps else updated
    if updated is not None:
        refused[updated] = "says when the row was last changed: decides which of two rows of a key is newer"
    columns = tuple(
        MappedColumn(offer.source, offer.column, offer.reason, _factor(offer.column, offer.source))
        for offer in sorted(taken.values(), key=lambda o: order[o.source])
    )
    unmapped = {name: _why_unused(name, refused, offers, taken, entity) for name in profile.columns if name not in used}
    return ColumnMapping(entity, columns, unmapped, updated=updated)


def from_known(known: KnownExport, profile: Profile, words: Vocabulary, links: Links) -> ColumnMapping:
    """The mapping that a known export prescribes, with columns it does not mention mapped by their names."""
    by_plain = {c.plain: c.name for c in profile.columns.values()}
    columns: list[MappedColumn] = []
    for name, column in _filled_first(known, by_plain, profile):
        source = by_plain.get(plain(name))
        if source is None or any(m.column == column or m.source == source for m in columns):
            continue
        factor = Fraction(known.factors.get(column, "1/100" if column in known.minor_units else "1"))
        factor = factor if column in known.factors else factor * _factor(column, source)
        reason = f"{known.file}: {name} is {known.entity}.{column}"
        columns.append(MappedColumn(source, column, reason, factor, known.rewrite.get(name, ())))
    updated = by_plain.get(plain(known.updated)) if known.updated else None
    lines, completion = _lines(known, by_plain), _completion(known, by_plain)
    derived = tuple(d for d in (_with_sources(d, by_plain) for d in known.derived) if d.cases)
    why = {by_plain[plain(n)]: reason for n, reason in known.unused.items() if plain(n) in by_plain}
    why |= {m.source: f"{m.reason}, a line of the invoice" for m in (lines.mapping.columns if lines else ())}
    if completion:
        why[completion.source] = f"finds the {known.entity} by their {completion.column}"
    spoken_for = {m.source for m in columns} | {updated} | {by_plain.get(plain(n)) for n in known.columns} | set(why)
    filled = {m.column for m in columns} | set(known.constants) | {d.column for d in derived}
    generic = propose(known.entity, profile, words, links)
    if not known.strict:
        columns += [m for m in generic.columns if m.source not in spoken_for and m.column not in filled]
    used = {m.source for m in columns}
    order = list(profile.columns)
    return ColumnMapping(
        entity=known.entity,
        columns=tuple(sorted(columns, key=lambda m: order.index(m.source))),
        unmapped={
            n: why.get(n) or generic.unmapped.get(n, f"{known.file} does not use it")
            for n in profile.columns
            if n not in used
        },
        constants=known.constants,
        minor_units=known.minor_units,
        amount_is_gross=known.amount_is_gross,
        one_row_per=known.one_row_per,
        derived=derived,
        exclude_rows=tuple(
            RowFilter(by_plain[plain(f.column)], f.values, f.reason)
            for f in known.exclude_rows
            if plain(f.column) in by_plain
        ),
        states=known.states,
        updated=updated,
        date_order=known.date_order,
        decimal=known.decimal,
        lines=lines,
        completion=completion,
    )


def _lines(known: KnownExport, by_plain: Mapping[str, str]) -> Lines | None:
    columns = tuple(
        MappedColumn(by_plain[plain(name)], column, f"{known.file}: {name} is invoice_lines.{column}")
        for name, column in known.lines.items()
        if plain(name) in by_plain
    )
    mapping = ColumnMapping("invoice_lines", columns, {}, date_order=known.date_order, decimal=known.decimal)
    discount = by_plain.get(plain(known.line_discount)) if known.line_discount else None
    is_told = any(mapping.has(column) for column in WHAT_IS_SOLD)
    return Lines(mapping, known.line_price, discount) if is_told else None


def _completion(known: KnownExport, by_plain: Mapping[str, str]) -> Completion | None:
    found = [(by_plain[plain(name)], column) for name, column in known.completes.items() if plain(name) in by_plain]
    if not found:
        return None
    first = known.first and (by_plain.get(plain(known.first[0])), known.first[1])
    return Completion(*found[0], (first[0], first[1]) if first and first[0] else None)


def _filled_first(known: KnownExport, by_plain: Mapping[str, str], profile: Profile) -> list[tuple[str, str]]:
    """The known columns in their order, those that the sample leaves empty after all others."""

    def is_empty(name: str) -> bool:
        source = by_plain.get(plain(name))
        return source is not None and profile.columns[source].is_empty

    return sorted(known.columns.items(), key=lambda pair: is_empty(pair[0]))


def _with_sources(derived: Derived, by_plain: Mapping[str, str]) -> Derived:
    """The rule with the file's own column names, without the cases whose columns the file lacks."""
    cases = tuple(
        ({by_plain[plain(n)]: texts for n, texts in when.items()}, value)
        for when, value in derived.cases
        if all(plain(n) in by_plain for n in when)
    )
    return Derived(derived.column, cases)


def is_specific(entity: str, mapped: MappedColumn) -> bool:
    """Whether a key column's name says which table it is the key of ("ticket id", not "id")."""
    return mapped.column == TABLES[entity].key and english(mapped.source) not in ("id", "record id", "num")


def _offers(
    entity: str, source: ColumnProfile, names: TableNames, words: Vocabulary, links: Links
) -> tuple[list[_Offer], str | None]:
    offers: list[_Offer] = []
    why_not = None
    link = links.by_name.get(source.name)
    ours = _our_people(entity, source, names, links)
    key = TABLES[entity].key
    if ours is not None:
        offers.append(ours)
    elif (
        link
        and all(c in names.columns for c in ("account_id", "contact_id"))
        and key not in ("account_id", "contact_id")
    ):
        offers.append(_Offer(1.0, source.name, link[0], link[1]))
    for column, (quality, text) in _named(source.plain, names).items():
        problem = _unlike(source, TABLES[entity].column(column), words)
        if problem:
            why_not = f"its name fits {entity}.{column}, but {problem}"
            continue
        offers.append(_Offer(quality, source.name, column, _reason(source, column, text)))
    if not offers and "email" in names.columns and source.emails >= ENOUGH:
        offers.append(_Offer(0.5, source.name, "email", f"{source.emails:.0%} of its values are e-mail addresses"))
    return offers, why_not


def _our_people(entity: str, source: ColumnProfile, names: TableNames, links: Links) -> _Offer | None:
    """A column of users that are our colleagues, and so no customers; None where it is not known to be one."""
    owner = next((c for c in ("owner_id", "agent_id") if c in names.columns), None)
    why = links.ours.get(source.name)
    if why is None and source.name in links.beside and entity in _OUR_WORK:
        why = "another column names the customer: these are our people"
    # A column that is called the owner's goes before it.
    return _Offer(0.95, source.name, owner, why) if owner and why else None


def _named(name: str, names: TableNames) -> dict[str, tuple[float, str]]:
    """The columns a name may stand for: how well (to 1) and by which of their names."""
    prefix = next((p for p in names.prefixes if name.startswith(p)), None)
    shorter = name[len(prefix) :] if prefix else None
    found: dict[str, tuple[float, str]] = {}
    for candidate, quality in ((name, 1.0), (_without_currency(name), 0.9), (shorter, 0.8)):
        if candidate is None:
            continue
        offers = [(column, candidate, place, quality) for column, place in names.by_name.get(candidate, {}).items()]
        offers += [(c, text, place, quality - 0.3) for text, c, place in names.patterns if fits(candidate, text)]
        for column, text, place, worth in offers:
            found[column] = max(found.get(column, (0.0, "")), (worth - 0.01 * place, text))
    return found


def _without_currency(name: str) -> str | None:
    head, _, tail = name.rpartition(" ")
    return head if head and tail in ("usd", "eur", "gbp", "chf", "cad", "aud", "inr") else None


def _unlike(source: ColumnProfile, column: Column, words: Vocabulary) -> str | None:
    """What speaks against the column in its values; None where nothing does."""
    if source.is_empty:
        return None
    share = {"money": source.numbers, "number": source.numbers, "bool": source.booleans}.get(column.kind)
    if column.kind in ("date", "time"):
        share = source.dates
    if share is not None and share < ENOUGH:
        what = {"bool": "yes or no", "date": "dates", "time": "dates"}.get(column.kind, "numbers")
        return f"only {share:.0%} of its values are {what}"
    for key, states in words.states.items():
        if states.strict and key.partition(".")[2] == column.name and _only_in(key, column):
            known = {t for texts in states.whole.values() for t in texts}
            strange = sorted(v for v in source.distinct if v.lower() not in known)
            if strange and column.name == "kind":
                return f"{strange[0]!r} is no such kind"
    return None


def _only_in(key: str, column: Column) -> bool:
    return any(c is column for c in TABLES[key.partition(".")[0]].columns)


def _reason(source: ColumnProfile, column: str, text: str) -> str:
    if source.is_empty:
        return f"named like {text!r}; empty in the first rows"
    if column == "annual_revenue":
        return f"named like {text!r}: the company's turnover or a contract value, never counted as revenue"
    return f"named like {text!r}"


def _factor(column: str, source: str) -> Fraction:
    unit = column.rpartition("_")[2]
    return next((f for w, f in _UNITS.get(unit, {}).items() if w in plain(source).split()), Fraction(1))


def _why_unused(name: str, refused: dict[str, str], offers: list[_Offer], taken: dict[str, _Offer], entity: str) -> str:
    if name in refused:
        return refused[name]
    rival = next((taken[o.column] for o in offers if o.source == name), None)
    if rival:
        return f"{rival.source!r} fits {entity}.{rival.column} better"
    return f"no column of {entity} has such a name"
