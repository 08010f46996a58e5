"""Text becomes values: a form is proposed on a sample, proved on every row, and never guessed.

A column's whole content decides its date order and its decimal mark; where it proves neither, other columns of the
same file may, and failing that the values are set aside as ambiguous. A two-digit year is never read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import duckdb

from crmaudit.intake import forms
from crmaudit.intake.forms import matches
from crmaudit.intake.mapping import ColumnMapping, MappedColumn
from crmaudit.intake.profile import Profile
from crmaudit.intake.raw import Question
from crmaudit.intake.sql import listed, literal, one_row, quoted
from crmaudit.intake.synonyms import Vocabulary
from crmaudit.schema import TABLES, Column

MOSTLY = 0.9
"""Bare numbers are taken for epochs or serial days only where this share of the column is such numbers."""

_NUMERIC_DATE = r"^(\d{1,2})([-/.])(\d{1,2})[-/.]"


@dataclass(frozen=True)
class ColumnCast:
    """How one source column becomes one canonical column."""

    mapped: MappedColumn
    column: Column
    fast: str | None = None
    """The one form (of `forms.QUICK_FORMS`) that all its values have, where a plain cast is enough."""
    dates: tuple[str, ...] = ()
    """The date forms of the column's values."""
    order: str | None = None
    """"dmy" or "mdy"; None where numeric dates prove themselves or are set aside."""
    mark: str | None = None
    """The decimal mark; None where only numbers that prove themselves are read."""
    notes: tuple[str, ...] = ()
    question: Question | None = None
    """What nobody but the reader of the report can tell."""

    @property
    def is_cast(self) -> bool:
        return self.column.kind not in ("id", "text")


@dataclass(frozen=True)
class Caster:
    """What casting needs to know besides the column: the report's zone and the words that mean nothing, yes, March."""

    timezone: str
    words: Vocabulary
    workbook: bool = False
    """A sheet's unformatted dates are serial days, even among dates written out."""
    plain: bool = False
    """Every text is printable ASCII without blanks around it: there is nothing to strip."""

    def prepared(self, cast: ColumnCast) -> dict[str, str]:
        """First step: columns of text in the source's row; their names are the source's with a letter before it."""
        x = quoted(cast.mapped.source)
        if not cast.is_cast:
            text = x if self.plain else forms.stripped(x, lines=cast.column.kind == "text")
            for pattern, replacement in cast.mapped.rewrite:
                text = f"trim(regexp_replace({text}, {literal(pattern)}, {literal(replacement)}))"
            return {} if text == x else {_name("v", cast): text}
        return {} if cast.fast else {_name("t", cast): forms.tidy(x)}

    def digits(self, cast: ColumnCast) -> dict[str, str]:
        """Second step: the digits and marks of numbers whose form is not known."""
        if cast.column.kind in ("money", "number") and not cast.fast:
            return {_name("n", cast): forms.number_core(_name("t", cast))}
        return {}

    def takes_as_found(self, cast: ColumnCast) -> bool:
        """Whether a text is taken as it stands in the file."""
        return self.plain and not cast.is_cast and not cast.mapped.rewrite

    def value(self, cast: ColumnCast) -> str:
        """Third step: the SQL expression of the canonical value."""
        kind = cast.column.kind
        if kind in ("id", "text"):
            stripped = quoted(cast.mapped.source) if self.takes_as_found(cast) else _name("v", cast)
            return forms.meaningful(stripped, self.words.nothing)
        if kind == "bool":
            return forms.bool_value(_name("t", cast), self.words.true, self.words.false)
        return self._date(cast) if kind in ("date", "time") else self._number(cast)

    def checked(self, cast: ColumnCast, value: str) -> str:
        """Fourth step, from the value's column: the value where it can be true, days of the years 1900 to 2199."""
        if cast.column.kind not in ("date", "time"):
            return value
        return f"case when {value} >= '1900-01-01' and {value} < '2200-01-01' then {value} end"

    def is_bad(self, cast: ColumnCast, value: str) -> str:
        """Whether the text says something that is not of the value's kind. Looks at texts without a value only."""
        x = quoted(cast.mapped.source)
        text = f"trim({x})" if cast.fast else _name("t", cast)
        endless = f" and not starts_with({text}, '9999-12-31')" if cast.column.kind in ("date", "time") else ""
        return f"({value} is null and {x} is not null and lower({text}) not in {listed(self.words.nothing)}{endless})"

    def says_something(self, cast: ColumnCast) -> str:
        """Whether the text is none of the usual empty ones: cheaper than `is_bad`, and true wherever that is."""
        return f"{quoted(cast.mapped.source)} not in {listed(forms.spellings(self.words.nothing))}"

    def reason(self, cast: ColumnCast, raw: str) -> str:
        """The SQL expression of why a text could not be cast."""
        t = forms.tidy(raw)
        kind = cast.column.kind
        if kind in ("date", "time"):
            return (
                f"case when {matches(t, forms.DATE_FORMS['short_year'])} then 'a two-digit year is not read' "
                f"when {matches(t, forms.DATE_FORMS['numeric'])} and {literal(cast.order or '')} = '' "
                "then 'day and month cannot be told apart' else 'not a date' end"
            )
        if kind == "bool":
            return "'neither yes nor no'"
        core = forms.number_core(t)
        return (
            f"case when {matches(core, forms.AMBIGUOUS_NUMBER)} and {literal(cast.mark or '')} = '' "
            "then 'thousands and decimals cannot be told apart' else 'not a number' end"
        )

    def _date(self, cast: ColumnCast) -> str:
        sql_type = "date" if cast.column.kind == "date" else "timestamp"
        if cast.fast:
            x = quoted(cast.mapped.source)
            return f"case when {forms.quick_test(cast.fast, x)} then try_cast({x} as {sql_type}) end"
        t = _name("t", cast)
        arms = []
        for form in forms.DATE_FORMS:
            if form not in cast.dates or form == "short_year":
                continue
            test = matches(t, forms.DATE_FORMS[form])
            if form == "numeric" and cast.order is None:
                arms += self._self_proven(t, test)
                continue
            value = forms.date_value(form, t, timezone=self.timezone, order=cast.order, months=self.words.months)
            arms.append(f"when {test} then {value}")
        return f"(case {' '.join(arms)} end)::{sql_type}" if arms else f"null::{sql_type}"

    def _self_proven(self, t: str, test: str) -> list[str]:
        first, second = (f"try_cast(regexp_extract({t}, {literal(_NUMERIC_DATE)}, {g}) as integer)" for g in (1, 3))
        arms = []
        for order, proof in (("dmy", f"{first} > 12 or {first} = {second}"), ("mdy", f"{second} > 12")):
            value = forms.date_value("numeric", t, timezone=self.timezone, order=order, months=self.words.months)
            arms.append(f"when {test} and ({proof}) then {value}")
        return arms

    def _number(self, cast: ColumnCast) -> str:
        money = cast.column.kind == "money"
        sql_type = "decimal(18, 4)" if money else "double"
        if cast.fast:
            x = quoted(cast.mapped.source)
            value = f"case when {forms.quick_test(cast.fast, x)} then try_cast({x} as {sql_type}) end"
        else:
            value = forms.number_value(_name("t", cast), _name("n", cast), cast.mark, sql_type)
        return _times(value, cast.mapped.factor, money=money)


def quick_casts(mapping: ColumnMapping, seen: Profile) -> tuple[ColumnCast, ...] | None:
    """The casts of a file whose sampled dates are all ISO and whose sampled numbers all have a plain decimal point.

    None where any column has another form or two readings. A proposal only: each row is tried when it is loaded.
    """
    casts = []
    for mapped in mapping.columns:
        column = TABLES[mapping.entity].column(mapped.column)
        fast = _fast_form(column, seen.columns[mapped.source].values, mapping)
        if fast is None and column.kind not in ("id", "text", "bool"):
            return None
        casts.append(ColumnCast(mapped, column, fast))
    return tuple(casts)


def _fast_form(column: Column, values: Sequence[str], mapping: ColumnMapping) -> str | None:
    def all_are(form: str) -> bool:
        return all(re.fullmatch(forms.QUICK_FORMS[form], v) for v in values)

    if column.kind == "date":
        return "iso" if all_are("iso") else None
    if column.kind == "time":
        return next((form for form in ("iso", "iso_time") if all_are(form)), None)
    if column.kind in ("money", "number") and mapping.decimal != ",":
        if all_are("integer"):
            return "integer" if column.kind == "money" else "whole"
        form = "decimal" if column.kind == "money" else "float"
        proved = mapping.decimal == "." or any(re.fullmatch(forms.PROVES_DOT, v.lstrip("+-")) for v in values)
        return form if proved and all_are(form) else None
    return None


def prove_casts(
    con: duckdb.DuckDBPyConnection, mapping: ColumnMapping, relation: str, caster: Caster
) -> tuple[ColumnCast, ...]:
    """How each mapped column is cast, judged by every row of the relation; marks and orders shared within the file."""
    casts = [ColumnCast(m, TABLES[mapping.entity].column(m.column)) for m in mapping.columns]
    counts = _count(con, casts, relation, caster)
    return _shared([_decide(cast, counts[i], mapping, caster) for i, cast in enumerate(casts)])


@dataclass(frozen=True)
class _Judged:
    cast: ColumnCast
    counts: Mapping[str, int] = field(default_factory=dict)
    open_question: bool = False
    """Values that another column of the file could settle."""


def _count(
    con: duckdb.DuckDBPyConnection, casts: Sequence[ColumnCast], relation: str, caster: Caster
) -> list[dict[str, int]]:
    columns, labels, cores = [], [], []
    texts = {
        cast.mapped.source: f"t{i}" for i, cast in enumerate(casts) if cast.column.kind not in ("id", "text", "bool")
    }
    for i, cast in enumerate(casts):
        t = texts.get(cast.mapped.source)
        if t is None:
            continue
        said = f"{t} is not null and lower({t}) not in {listed(caster.words.nothing)}"
        tests = {"all": said, "padded": f"{said} and {t} is distinct from x{t}"}
        if cast.column.kind in ("date", "time"):
            tests |= _date_tests(t)
        else:
            cores.append(f"{forms.number_core(t)} as n{t}")
            tests |= _number_tests(t, f"n{t}")
        for name, test in tests.items():
            columns.append(f"count(*) filter ({test})")
            labels.append((i, name))
    counts: list[dict[str, int]] = [{} for _ in casts]
    if not columns:
        return counts
    inner = ", ".join(f"{forms.tidy(quoted(s))} as {t}, {quoted(s)} as x{t}" for s, t in texts.items())
    texts_of = f"select {inner} from {relation}"
    row = one_row(con, f"select {', '.join(columns)} from (select {', '.join(['*', *cores])} from ({texts_of}))")
    for (i, name), number in zip(labels, row, strict=True):
        counts[i][name] = number
    return counts


def _date_tests(t: str) -> dict[str, str]:
    tests: dict[str, str] = {}
    before: list[str] = []
    for form, pattern in forms.DATE_FORMS.items():
        tests[form] = " and ".join([matches(t, pattern), *(f"not {matches(t, b)}" for b in before if form == "ymd")])
        if form in ("iso", "iso_time"):
            before.append(pattern)
    numeric = matches(t, forms.DATE_FORMS["numeric"])
    first, second = (f"try_cast(regexp_extract({t}, {literal(_NUMERIC_DATE)}, {g}) as integer)" for g in (1, 3))
    tests["dmy"] = f"{numeric} and {first} > 12 and {second} <= 12"
    tests["mdy"] = f"{numeric} and {second} > 12 and {first} <= 12"
    tests["either"] = f"{numeric} and {first} <= 12 and {second} <= 12 and {first} <> {second}"
    tests["dotted"] = f"{numeric} and regexp_extract({t}, {literal(_NUMERIC_DATE)}, 2) = '.'"
    return tests


def _number_tests(t: str, core: str) -> dict[str, str]:
    return {
        "plain": matches(t, forms.QUICK_FORMS["float"]),
        "short": matches(t, forms.QUICK_FORMS["decimal"]),
        "dot": matches(core, forms.PROVES_DOT),
        "comma": matches(core, forms.PROVES_COMMA),
        "either": matches(core, forms.AMBIGUOUS_NUMBER),
        "long": f"regexp_matches({core}, '[.,]\\d{{5,}}$')",
    }


def _decide(cast: ColumnCast, counts: Mapping[str, int], mapping: ColumnMapping, caster: Caster) -> _Judged:
    if cast.column.kind in ("date", "time"):
        return _decide_dates(cast, counts, mapping.date_order, caster)
    if cast.column.kind in ("money", "number"):
        return _decide_numbers(cast, counts, mapping.decimal)
    return _Judged(cast)


def _decide_dates(cast: ColumnCast, counts: Mapping[str, int], said: str | None, caster: Caster) -> _Judged:
    name, everything = cast.mapped.source, counts["all"]
    dates = []
    for form in forms.DATE_FORMS:
        bare = form in forms.COUNTED_FORMS and not (form == "serial" and caster.workbook)
        if counts[form] and not (bare and counts[form] < MOSTLY * everything):
            dates.append(form)
    notes = []
    if "serial" in dates:
        notes.append(f"{name}: {counts['serial']} serial days of a spreadsheet read as dates")
    if counts["short_year"]:
        notes.append(f"{name}: {counts['short_year']} dates with a two-digit year set aside")
    order = None
    if counts["dmy"] and counts["mdy"] and not said:
        notes.append(f"{name}: both day-first ({counts['dmy']}) and month-first ({counts['mdy']}) dates; "
                     f"{counts['either']} that could be either set aside")  # fmt: skip
        return _Judged(replace(cast, dates=tuple(dates), notes=tuple(notes)), counts)
    if said:
        order = said
        if counts["numeric"]:
            notes.append(f"{name}: read {_order(said)}, as the settings say")
    elif counts["dmy"] or counts["mdy"]:
        order = "dmy" if counts["dmy"] else "mdy"
        proof = counts[order]
        notes.append(f"{name}: {_order(order)}, proved by {proof} of {counts['numeric']} dates")
    elif counts["numeric"] and counts["dotted"] == counts["numeric"]:
        order = "dmy"
        notes.append(f"{name}: dates with dots are day-first; nothing in the column contradicts it")
    cast = replace(cast, dates=tuple(dates), order=order, notes=tuple(notes))
    return _Judged(cast, counts, open_question=order is None and counts["either"] > 0)


def _decide_numbers(cast: ColumnCast, counts: Mapping[str, int], said: str | None) -> _Judged:
    name, notes = cast.mapped.source, []
    mark = said
    if counts["dot"] and counts["comma"] and not said:
        notes.append(f"{name}: both decimal points ({counts['dot']}) and decimal commas ({counts['comma']})")
        return _Judged(replace(cast, notes=tuple(notes)), counts)
    if not said and (counts["dot"] or counts["comma"]):
        mark = "." if counts["dot"] else ","
        if mark == ",":
            notes.append(f"{name}: decimal comma, proved by {counts['comma']} values")
    if counts["long"] and cast.column.kind == "money":
        notes.append(f"{name}: {counts['long']} amounts with more than four decimals, rounded to four")
    return _Judged(
        replace(cast, mark=mark, notes=tuple(notes)), counts, open_question=mark is None and counts["either"] > 0
    )


def _shared(judged: Sequence[_Judged]) -> tuple[ColumnCast, ...]:
    orders = {j.cast.order for j in judged if j.cast.dates and j.counts.get("numeric") and not j.open_question}
    marks: set[str | None] = {j.cast.mark for j in judged if j.cast.mark is not None}
    casts = []
    for j in judged:
        cast = j.cast
        if j.open_question and cast.column.kind in ("date", "time"):
            setting = 'date_order = "dmy" # or "mdy"'
            question = Question(cast.mapped.source, j.counts["either"], "day and month", setting)
            cast = _settle(cast, "order", orders, question)
        elif j.open_question:
            setting = 'decimal = "," # or "."'
            question = Question(cast.mapped.source, j.counts["either"], "thousands and decimals", setting)
            cast = _settle(cast, "mark", marks, question)
        elif cast.column.kind in ("money", "number") and _is_quick(cast, j.counts):
            cast = replace(cast, fast="decimal" if cast.column.kind == "money" else "float")
        elif cast.column.kind in ("date", "time") and _is_quick_date(cast, j.counts):
            cast = replace(cast, fast="iso_time" if j.counts["iso_time"] else "iso")
        casts.append(cast)
    return tuple(casts)


def _settle(cast: ColumnCast, what: str, proven: set[str | None], question: Question) -> ColumnCast:
    if len(proven) == 1 and (found := next(iter(proven))) is not None:
        said = _order(found) if what == "order" else f"decimal mark {found!r}"
        note = f"{cast.mapped.source}: {said}, as other columns of the file prove"
        settled = replace(cast, notes=(*cast.notes, note))
        return replace(settled, order=found) if what == "order" else replace(settled, mark=found)
    note = f"{question.column}: {question.values} values set aside, {question.between} cannot be told apart"
    return replace(cast, notes=(*cast.notes, f"{note}; the settings can say"), question=question)


def _is_quick(cast: ColumnCast, counts: Mapping[str, int]) -> bool:
    return (
        not counts["padded"]
        and cast.mark != ","
        and counts["either"] * (counts["dot"] == 0) == 0
        and counts["short" if cast.column.kind == "money" else "plain"] == counts["all"]
    )


def _is_quick_date(cast: ColumnCast, counts: Mapping[str, int]) -> bool:
    if counts["padded"] or not set(cast.dates) <= {"iso", "iso_time"}:
        return False
    one = counts["iso"] == counts["all"] or counts["iso_time"] == counts["all"]
    return one and (cast.column.kind == "time" or counts["iso"] == counts["all"])


def _name(letter: str, cast: ColumnCast) -> str:
    return quoted(f"{letter} {cast.mapped.source}")


def _order(order: str) -> str:
    return "day-first" if order == "dmy" else "month-first"


def _times(value: str, factor: Fraction, *, money: bool) -> str:
    if factor == 1:
        return value
    if not money:
        return f"({value}) * {factor.numerator} / {factor.denominator}.0"
    scale = next((s for s in range(5) if (factor * 10**s).denominator == 1), None)
    if scale is None:
        raise ValueError(f"an amount cannot be multiplied exactly with {factor}")
    number = (factor * 10**scale).numerator
    text = f"{number / 10**scale:.{scale}f}"
    return f"cast(({value}) * {text}::decimal({len(str(number)) + scale + 1}, {scale}) as decimal(18, 4))"
