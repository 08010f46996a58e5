"""The letters of each week on disk: written before they are sent, and marked before and after each is handed over.

    weekly/2026-W27/state.json      what the mail of that week knew, for the next one to compare with
    weekly/2026-W27/letters.json    recipient, Message-ID and status of each letter
    weekly/2026-W27/1.eml           a letter as it goes out, and out again under the same Message-ID

A week is there whole or not at all. A letter whose handing over was begun and not ended is in doubt: the server may
have it. That is told, and the letter goes out again only when somebody says so.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from crmaudit import durable
from crmaudit.errors import UsageError

FOLDER = "weekly"
LETTERS = "letters.json"
STATE = "state.json"
WEEKS_KEPT = 12
"""Weeks all of whose letters are sent are cleared away after so many more."""

Status = Literal["waiting", "handed over", "sent", "dropped"]
_WEEK = re.compile(r"\d{4}-W\d{2}")


@dataclass(frozen=True)
class Letter:
    """One letter; "handed over" without having become "sent" is in doubt."""

    recipient: str
    message_id: str
    file: str
    status: Status = "waiting"
    problem: str = ""
    owner: str = ""
    """The colleague whose own list it is; empty: the whole mail."""


@dataclass(frozen=True)
class Outbox:
    """The folder `weekly` of an audit folder."""

    folder: Path

    def weeks(self) -> list[str]:
        """The weeks that have letters, the earliest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _WEEK.fullmatch(path.name))

    def letters(self, week: str) -> tuple[Letter, ...]:
        """The letters of a week; none where it has none. UsageError where the file is broken."""
        path = self.folder / week / LETTERS
        if not path.is_file():
            return ()
        try:
            return tuple(Letter(**one) for one in json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from error

    def state_before(self, week: str) -> str | None:
        """The state that the last mail before this week left; None where there was none."""
        earlier = [name for name in self.weeks() if name < week]
        return (self.folder / earlier[-1] / STATE).read_text(encoding="utf-8") if earlier else None

    def add(self, week: str, state: str, letters: Sequence[tuple[Letter, bytes]]) -> None:
        """Adds letters to a week, all or none; the week's first ones bring its state."""
        place = self.folder / week
        fresh = self.folder / f".{week}.new"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)
        if place.is_dir():
            # Each file of its own beside the others; the list, written last, makes them letters.
            for letter, mail in letters:
                _write(place / letter.file, mail)
            self._write_letters(week, (*self.letters(week), *(letter for letter, _ in letters)))
            return
        fresh.mkdir(mode=0o700)
        for letter, mail in letters:
            _write(fresh / letter.file, mail)
        _write(fresh / LETTERS, _as_json(letter for letter, _ in letters))
        _write(fresh / STATE, state.encode())
        fresh.rename(place)
        durable.sync(self.folder)

    def undelivered(self) -> Iterator[tuple[str, Letter]]:
        """Letters that wait or are in doubt, the earliest week first."""
        for week in self.weeks():
            for letter in self.letters(week):
                if letter.status in ("waiting", "handed over"):
                    yield week, letter

    def mail(self, week: str, letter: Letter) -> bytes:
        """The letter as it goes out."""
        return (self.folder / week / letter.file).read_bytes()

    def mark(self, week: str, letter: Letter, status: Status, problem: str = "") -> None:
        """Changes a letter's status, on the disk before this returns."""
        changed = {letter.file: replace(letter, status=status, problem=problem)}
        self._write_letters(week, [changed.get(one.file, one) for one in self.letters(week)])

    def clear(self) -> None:
        """Removes weeks long past whose letters have all arrived or been dropped."""
        waiting = {week for week, _ in self.undelivered()}
        for week in self.weeks()[:-WEEKS_KEPT]:
            if week not in waiting:
                shutil.rmtree(self.folder / week)

    def _write_letters(self, week: str, letters: Sequence[Letter]) -> None:
        place = self.folder / week
        _write(place / f".{LETTERS}.new", _as_json(letters))
        (place / f".{LETTERS}.new").replace(place / LETTERS)
        durable.sync(place)


def _as_json(letters: Iterator[Letter] | Sequence[Letter]) -> bytes:
    data: list[Mapping[str, str]] = [asdict(letter) for letter in letters]
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode()


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    durable.sync(path)
