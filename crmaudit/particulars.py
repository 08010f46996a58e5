"""What a report says of its own making in words: methods with their parameters, exports with their accounting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crmaudit import text
from crmaudit.page import MethodView, SourceView
from crmaudit.report import Method, Missing, Source, lacks


def _plain(value: object) -> str:
    """A parameter of a method in words."""
    if isinstance(value, float):
        return f"{value:.6g}".replace("-", text.MINUS)
    if isinstance(value, Mapping):
        return ", ".join(f"{text.clean(str(key))} {_plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(inner) for inner in value)
    return text.cell(value if isinstance(value, str | int | bool) else None, "text")


def method(used: Method) -> MethodView:
    """A method, its papers, and what it found when it was fitted."""
    facts = [(text.name(name), _plain(value)) for name, value in used.parameters.items()]
    if used.log_likelihood is not None:
        facts.append(("Log-likelihood", _plain(used.log_likelihood)))
    facts += [(f"Holdout: {text.name(name).lower()}", _plain(value)) for name, value in (used.holdout or {}).items()]
    heads = list(dict.fromkeys(name for candidate in used.candidates for name in candidate))
    return MethodView(
        name=text.name(used.name),
        papers=tuple(map(text.clean, used.papers)),
        facts=tuple(facts),
        candidate_heads=tuple(map(text.name, heads)),
        candidates=tuple(tuple(_plain(one.get(name)) for name in heads) for one in used.candidates),
    )


def source(export: Source, currency: str) -> SourceView:
    """An export, and what became of each of its rows."""
    off = export.rows_read - export.rows_loaded - export.rows_rejected - export.rows_excluded
    name = text.clean(export.path) + (f" [{text.clean(export.sheet)}]" if export.sheet else "")
    return SourceView(
        name=name,
        system=text.clean(export.system),
        entity=text.clean(export.entity or "not recognised"),
        read=text.number(export.rows_read),
        loaded=text.number(export.rows_loaded),
        rejected=text.number(export.rows_rejected),
        excluded=text.number(export.rows_excluded),
        balance="adds up" if off == 0 else f"off by {text.number(off)}",
        adds_up=off == 0,
        observed=f"{text.value(export.observed_from, 'date')} to {text.value(export.observed_until, 'date')}"
        if export.observed_from or export.observed_until
        else "",
        exclusions=tuple(
            f"{text.count(one.rows, 'row')}: {text.clean(one.reason)}"
            + ("" if one.amount is None else f" ({text.value(one.amount, 'money', currency)})")
            for one in export.exclusions
        ),
        unconverted=tuple(_plain(one) for one in export.unconverted),
        columns=tuple((text.clean(name_), text.clean(target)) for name_, target in export.columns.items()),
        unmapped=tuple(map(text.clean, export.unmapped)),
        unused=f"{text.count(len(export.unmapped), 'column')} not used" if export.unmapped else "",
        evidence=tuple(map(text.clean, export.evidence)),
        notes=tuple(map(text.clean, export.notes)),
    )


def missing(lacking: Sequence[Missing]) -> Iterator[str]:
    """Each thing that is missing in a line: a column and where it is usually found, or several of which one will do."""
    found_in = {one.address: one.usually_in for one in lacking}
    for lack in lacks(lacking):
        places = _by_place(lack, found_in)
        said = "; or ".join(
            " or ".join(columns) + (f", usually in {where}" if where else "") for where, columns in places.items()
        )
        yield f"{said}: one is enough" if len(lack) > 1 else said


def wanted(lacking: Sequence[Missing]) -> Iterator[tuple[str, str]]:
    """Where to look for what is missing, and for which column, with what would do in its place."""
    found_in = {one.address: one.usually_in for one in lacking}
    for lack in lacks(lacking):
        places = _by_place(lack, found_in)
        for where, columns in places.items():
            yield where, " or ".join(columns) + (" (or another export)" if len(places) > 1 else "")


def _by_place(lack: Sequence[str], found_in: Mapping[str, str]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for address in lack:
        places.setdefault(found_in.get(address, ""), []).append(address)
    return places
