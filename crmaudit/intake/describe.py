"""What `crmaudit inspect` shows of each file, and the `crmaudit.toml` that `crmaudit init` writes from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from crmaudit.intake.recognise import Candidate, Recognition


@dataclass(frozen=True)
class DescribedColumn:
    """One source column: what it fills, or None, and why."""

    source: str
    target: str | None
    """`table.column`."""
    reason: str


@dataclass(frozen=True)
class DescribedFile:
    """One file or sheet as it is taken, for a person to check."""

    path: str
    sheet: str | None
    system: str
    entity: str | None
    score: float
    evidence: tuple[str, ...]
    reason: str | None
    """Why it is not used; None where it is."""
    candidates: tuple[Candidate, ...]
    columns: tuple[DescribedColumn, ...]
    notes: tuple[str, ...]

    is_ambiguous: bool
    """Whether it is not used because several tables fit it as well; the settings can say which."""

    @property
    def unmapped(self) -> tuple[str, ...]:
        return tuple(c.source for c in self.columns if c.target is None)


def describe(found: Sequence[Recognition]) -> tuple[DescribedFile, ...]:
    """What each file is taken for, how each column maps and why; nothing is read or written."""
    return tuple(_described(recognition) for recognition in found)


def propose_settings(found: Sequence[Recognition]) -> str:
    """The `[files]` part of a crmaudit.toml that says what was recognised, with the reasons as comments.

    Fed back as overrides it gives the same entities and the same columns.
    """
    lines = [
        "# What each export is taken for. Change what is wrong: an entity, or the column a source column fills.",
        '# An empty name ("") leaves a column out; `ignore = true` leaves a file out. Dates and numbers that could be',
        '# read in two ways are set aside unless you say `date_order = "dmy"` (or "mdy") or `decimal = ","` (or ".").',
    ]
    for file in describe(found):
        lines += ["", f"[files.{_text(_key(file))}]"]
        if file.is_ambiguous:
            lines.append("# not used until you say what it is: take away one of these #")
            lines += [f"# entity = {_text(c.entity)}  # score {c.score:.2f}" for c in file.candidates]
            continue
        if file.entity is None:
            lines += [f"# not used: {_comment(file.reason or 'not recognised')}", "ignore = true"]
            continue
        lines += [f"# {_comment(e)}" for e in file.evidence]
        others = [f"{c.entity} {c.score:.2f}" for c in file.candidates if c.entity != file.entity]
        if others:
            lines.append(f"# could also be: {', '.join(others)}")
        lines += [f"entity = {_text(file.entity)}", f"system = {_text(file.system)}"]
        lines += ["", f"[files.{_text(_key(file))}.columns]"]
        for column in file.columns:
            target = column.target.partition(".")[2] if column.target else ""
            lines.append(f"{_text(column.source)} = {_text(target)}  # {_comment(column.reason)}")
    return "\n".join(lines) + "\n"


def _described(found: Recognition) -> DescribedFile:
    mapping = found.mapping
    mapped = {m.source: m for m in mapping.columns} if mapping else {}
    why = mapping.unmapped if mapping else {}
    columns = tuple(
        DescribedColumn(name, f"{mapping.entity}.{mapped[name].column}", mapped[name].reason)
        if mapping and name in mapped
        else DescribedColumn(name, None, why.get(name, "the file is not used"))
        for name in found.table.columns
    )
    return DescribedFile(
        path=found.table.path,
        sheet=found.table.sheet,
        system=found.system,
        entity=found.entity,
        score=found.score,
        evidence=found.evidence,
        reason=found.reason,
        candidates=found.candidates,
        columns=columns,
        notes=found.table.notes,
        is_ambiguous=found.is_ambiguous,
    )


def _key(file: DescribedFile) -> str:
    return f"{file.path}#{file.sheet}" if file.sheet else file.path


def _text(text: str) -> str:
    """A TOML basic string, which is a JSON string but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
