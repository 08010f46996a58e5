"""What each file is taken for, how its columns map and why: shown by `inspect`, written as settings by `init`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from crmaudit.analysis import read_all
from crmaudit.errors import InputError, UsageError
from crmaudit.intake.describe import DescribedFile, describe, propose_settings
from crmaudit.intake.discover import Skipped, survey
from crmaudit.intake.overrides import without_unread
from crmaudit.intake.raw import Unreadable
from crmaudit.intake.recognise import Recognition, recognise
from crmaudit.settings import FILE_NAME, Settings
from crmaudit.text import clean


def inspect(exports: Path, settings: Settings) -> str:
    """A paragraph a file; writes nothing. InputError where there is nothing to look at."""
    found, unread, skipped = _look(exports, settings)
    parts = [_file(file) for file in describe(found)]
    parts += [f"{clean(e.path)}\n  could not be read: {clean(e.problem)} {clean(e.way_out)}\n" for e in unread]
    parts += [f"{clean(s.path.relative_to(exports).as_posix())}\n  left out: {clean(s.reason)}\n" for s in skipped]
    return "\n".join(parts)


def init(exports: Path, config: Path | None, settings: Settings | None = None) -> Path:
    """Writes the mapping that was found as `crmaudit.toml`; UsageError where the file exists."""
    place = exports if exports.is_dir() else exports.parent
    path = config or place / FILE_NAME
    if path.exists():
        raise UsageError(f"{path} exists; edit it, or name another file with --config")
    found, _, _ = _look(exports, settings or Settings())
    try:
        path.write_text(propose_settings(found), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}); name another file with --config") from error
    return path


def _look(exports: Path, settings: Settings) -> tuple[Sequence[Recognition], list[Unreadable], Iterable[Skipped]]:
    found = survey(exports)
    if not found.exports:
        raise InputError(f"{exports} holds no exports.")
    with tempfile.TemporaryDirectory(prefix="crmaudit-") as scratch:
        con = duckdb.connect()
        try:
            raws, unread = read_all(con, exports, found, Path(scratch), lambda _: None)
            overrides, unread = without_unread(settings.files, unread, raws)
            return recognise(con, raws, overrides=overrides), unread, found.skipped
        finally:
            con.close()


def _file(file: DescribedFile) -> str:
    name = clean(file.path) + (f" ({clean(file.sheet)})" if file.sheet else "")
    taken = f"{file.entity} ({file.system}), score {file.score:.2f}" if file.entity else "nothing we know; not used"
    lines = [name, f"  taken for: {taken}"]
    if file.reason:
        lines.append(f"  because:   {clean(file.reason)}")
    lines += [f"  because:   {clean(why)}" for why in file.evidence]
    wide = max((len(clean(c.source)) for c in file.columns), default=0)
    if file.entity:
        lines += [
            f"    {clean(c.source):<{wide}}  ->  {c.target or 'not used'}  ({clean(c.reason)})" for c in file.columns
        ]
    lines += [f"  note:      {clean(note)}" for note in file.notes]
    others = [f"{c.entity} ({c.score:.2f})" for c in file.candidates if c.entity != file.entity]
    if file.is_ambiguous or (file.entity and others):
        lines.append("  could be:  " + ", ".join(others))
    return "\n".join(lines) + "\n"
