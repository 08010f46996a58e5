"""Thousands of mutated exports: none crashes the intake, and each row read is loaded, rejected or excluded."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from crmaudit.intake.load import load
from crmaudit.intake.raw import Unreadable
from crmaudit.intake.read import read_packed
from tests.command import EXPORTS

SAMPLES = Path(__file__).resolve().parents[1] / "sources" / "samples"
ALL, SLICE = 5000, 150
TOKENS = (
    b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"'", b"\\", b"\n\n",
    b"-", b"1e999", b"NaN", b"99999999999999999999", b"0000-00-00", b"2025-02-30", b"31/12/2025", b"12/31/25", b"1.234,5",
    b"\xf0\x9f\x92\xa9", "\u202e".encode(), b"=1+1", b"<html>", b"{", b"[", b"Total", b"sep=;\n", b"\x1f\x8b", b"PK\x03\x04",
)  # fmt: skip


def originals() -> list[tuple[str, bytes]]:
    """The samples of every known export, and the beginnings of the example's files."""
    found = [(path.name, path.read_bytes()) for path in sorted(SAMPLES.iterdir())]
    return found + [(path.name, path.read_bytes()[:4000]) for path in sorted(EXPORTS.glob("*.csv"))]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """One to eight blows: bytes changed, put in, taken out, doubled, moved, cut, or the whole in another encoding."""
    body = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        at, size = chance.randrange(len(body) + 1), chance.choice((1, 2, 10, 200))
        blow = chance.randrange(8)
        if blow < 3:
            body[at:at] = chance.choice(TOKENS)
        elif blow == 3:
            body[at : at + size] = chance.choice(TOKENS)
        elif blow == 4:
            del body[at : at + size]
        elif blow == 5:
            body[at:at] = body[at : at + size] * chance.randint(1, 3)
        elif blow == 6:
            body[at : at + size] = bytes(chance.randrange(256) for _ in range(min(size, 8)))
        else:
            lines = bytes(body).split(b"\n")
            chance.shuffle(lines)
            body = bytearray(b"\n".join(lines))
    if chance.random() < 0.1:
        del body[chance.randrange(len(body) + 1) :]
    if chance.random() < 0.1:
        text = bytes(body).decode("utf-8", errors="replace")
        body = bytearray(text.encode(chance.choice(("utf-16", "utf-16-le", "cp1252", "utf-32")), errors="replace"))
    return bytes(body)


def cases(count: int) -> Iterator[tuple[str, bytes]]:
    samples = originals()
    for number in range(count):
        chance = random.Random(number)  # noqa: S311 -- the same files every time
        name, content = samples[number % len(samples)]
        yield name, mutated(content, chance)


def survive(count: int, place: Path) -> tuple[int, int]:
    """Takes in each file on its own; returns how many were read and how many rows of them were loaded."""
    taken = rows = 0
    for number, (name, content) in enumerate(cases(count)):
        folder = place / "one"
        (folder / "work").mkdir(parents=True)
        path = folder / name
        path.write_bytes(content)
        try:
            loaded = _survive(path, folder)
        except Exception as error:
            error.add_note(f"case {number}: {name}")
            raise
        taken += loaded is not None
        rows += loaded or 0
        shutil.rmtree(folder)
    return taken, rows


def _survive(path: Path, folder: Path) -> int | None:
    """Rows loaded of one file; None where it was refused, with a reason and a way out."""
    with duckdb.connect(config={"threads": 1}) as con:
        tables, unread = read_packed(path, folder, con, workdir=folder / "work")
        assert tables or unread
        assert all(isinstance(error, Unreadable) and error.way_out for error in unread)
        sources = [found.source for found in load(con, tables, today=dt.date(2026, 7, 1)).sources]
        for source in sources:
            assert source.rows_read == source.rows_loaded + source.rows_rejected + source.rows_excluded, source
        return sum(source.rows_loaded for source in sources) if tables else None


def test_a_slice_of_the_mutated_exports(tmp_path: Path) -> None:
    taken, rows = survive(SLICE, tmp_path)
    assert taken > SLICE / 2
    assert rows > SLICE


@pytest.mark.full
def test_all_mutated_exports(tmp_path: Path) -> None:
    taken, rows = survive(ALL, tmp_path)
    assert taken > ALL / 2
    assert rows > ALL


def test_mutations_are_many_and_the_same_every_time() -> None:
    first, again = (list(cases(200)) for _ in range(2))
    assert first == again
    assert len({content for _, content in first}) == 200
