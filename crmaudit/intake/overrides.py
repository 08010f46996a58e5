"""The `[files."name"]` tables of the settings: what a person says about a file goes before what we think."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from crmaudit.errors import SettingsError
from crmaudit.intake.mapping import ColumnMapping, MappedColumn
from crmaudit.intake.profile import Profile
from crmaudit.intake.raw import RawTable, Unreadable
from crmaudit.schema import TABLES

KEYS = frozenset({"entity", "system", "columns", "constants", "factors", "date_order", "decimal", "ignore"})


def override_for(overrides: Mapping[str, Any], table: RawTable) -> Mapping[str, Any] | None:
    """What the settings say of a file; a sheet's own table goes before the file's. SettingsError where wrong."""
    for key in (f"{table.path}#{table.sheet}", *_names(table.path)):
        if key in overrides:
            return _checked(key, overrides[key])
    return None


def without_unread(
    overrides: Mapping[str, Any], unread: Sequence[Unreadable], tables: Sequence[RawTable]
) -> tuple[Mapping[str, Any], list[Unreadable]]:
    """What the settings say of the tables that were read, and the unreadable files that they do not say to ignore.

    SettingsError where they are wrong.
    """
    kept, only_theirs = [], set()
    read = {name for table in tables for name in (*_names(table.path), f"{table.path}#{table.sheet}")}
    for error in unread:
        said = [key for key in _names(error.path) if key in overrides]
        sheets = [key for key in overrides if any(key.startswith(f"{name}#") for name in _names(error.path))]
        only_theirs |= {*said, *sheets} - read
        if not any(_checked(key, overrides[key]).get("ignore") for key in said[:1]):
            kept.append(error)
    return {key: value for key, value in overrides.items() if key not in only_theirs}, kept


def _names(path: str) -> tuple[str, str]:
    """What the settings may call a file, the closest first."""
    return path, PurePosixPath(path).name


def apply_override(mapping: ColumnMapping, seen: Profile, override: Mapping[str, Any]) -> ColumnMapping:
    """The mapping with what the settings say laid over it; an empty column name unmaps."""
    columns = {m.source: m for m in mapping.columns}
    unmapped = dict(mapping.unmapped)
    for source, target in override.get("columns", {}).items():
        if source not in seen.columns:
            near = difflib.get_close_matches(source, list(seen.columns), 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SettingsError(f"{seen.table.path} has no column {source!r}.{hint}")
        column = target.removeprefix(f"{mapping.entity}.")
        if not column:
            columns.pop(source, None)
            unmapped[source] = "the settings say not to use it"
            continue
        _check_column(mapping.entity, column)
        for other in [s for s, m in columns.items() if m.column == column and s != source]:
            del columns[other]
            unmapped[other] = f"the settings fill {mapping.entity}.{column} from {source!r}"
        known = columns.get(source)
        if known is None or known.column != column:
            columns[source] = MappedColumn(source, column, "the settings say so")
        unmapped.pop(source, None)
    for column, factor in override.get("factors", {}).items():
        found = next((m for m in columns.values() if m.column == column), None)
        if found is None:
            raise SettingsError(f"{seen.table.path}: factors names {column!r}, which no column fills")
        columns[found.source] = replace(found, factor=Fraction(str(factor)))
    for column in override.get("constants", {}):
        _check_column(mapping.entity, column)
    order = list(seen.columns)
    return replace(
        mapping,
        columns=tuple(sorted(columns.values(), key=lambda m: order.index(m.source))),
        unmapped={name: unmapped[name] for name in order if name in unmapped},
        constants={**mapping.constants, **override.get("constants", {})},
        date_order=override.get("date_order", mapping.date_order),
        decimal=override.get("decimal", mapping.decimal),
    )


def _checked(key: str, override: Any) -> Mapping[str, Any]:
    where = f'[files."{key}"]'
    if not isinstance(override, Mapping):
        raise SettingsError(f"{where} must be a table")
    for name in override:
        if name not in KEYS:
            near = difflib.get_close_matches(name, sorted(KEYS), 1)
            raise SettingsError(f"{where} has no key {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    entity = override.get("entity")
    if entity is not None and entity not in TABLES:
        near = difflib.get_close_matches(str(entity), sorted(TABLES), 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise SettingsError(f"{where}: there is no table {entity!r}.{hint}")
    for name, allowed in (("date_order", ("dmy", "mdy")), ("decimal", (".", ","))):
        if override.get(name, allowed[0]) not in allowed:
            raise SettingsError(f"{where}: {name} is {' or '.join(map(repr, allowed))}, not {override[name]!r}")
    return override


def _check_column(entity: str, column: str) -> None:
    names = [c.name for c in TABLES[entity].columns]
    if column not in names:
        near = difflib.get_close_matches(column, names, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise SettingsError(f"{entity} has no column {column!r}.{hint}")
