"""Texts whose values stand in apostrophes: read with apostrophes and quotes exchanged, and exchanged back."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from crmaudit.intake.decode import Utf8
from crmaudit.intake.raw import RawTable
from crmaudit.intake.relation import identifier, new_file, quoted

_VALUE = rb"'[^'\r\n\0]*+(?:''[^'\r\n\0]*+)*+'"
_HEADER = re.compile(_VALUE + rb"([,;|\t])" + _VALUE + rb"(?:\1" + _VALUE + rb")*+(?:\r|\n|\Z)")
_USUAL = re.compile(rb'(?:\A|[,;|\t\r\n])"')
_EXCHANGE = bytes.maketrans(b"'\"", b"\"'")
_NAMES = str.maketrans("'\"", "\"'")
_HEAD = 1 << 16
_CHUNK = 1 << 22


def swapped(text: Utf8, workdir: Path) -> Utf8 | None:
    """A copy with apostrophes and quotes exchanged, where the header is names in apostrophes and nothing is in quotes.

    None for every other text. Lines and columns stay where they are.
    """
    with text.path.open("rb") as file:
        file.seek(text.start)
        head = file.read(_HEAD)
        if not head.startswith(b"'") or not _HEADER.match(head) or _USUAL.search(head):
            return None
        file.seek(text.start)
        copy = new_file(workdir, "quotes-")
        with copy.open("wb") as target:
            while chunk := file.read(_CHUNK):
                target.write(chunk.translate(_EXCHANGE))
    return Utf8(copy, 0, text.valid, (*text.notes, "the values stand in apostrophes"))


def swapped_back(table: RawTable) -> RawTable:
    """The table of a swapped copy with its apostrophes and quotes as they were."""
    columns = tuple(name.translate(_NAMES) for name in table.columns)
    signs = f"{quoted(chr(39) + chr(34))}, {quoted(chr(34) + chr(39))}"
    values = ", ".join(
        f"translate({identifier(old)}, {signs}) as {identifier(new)}"
        for old, new in zip(table.columns, columns, strict=True)
    )
    rejects = tuple(replace(reject, value=reject.value.translate(_NAMES)) for reject in table.rejects)
    return replace(table, columns=columns, relation=f"(select {values} from {table.relation})", rejects=rejects)
