"""Of polluted files no record is wrong and none is lost without a word: each is right, or counted with line and reason."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from tests.intake.pollute import Polluted, files
from tests.intake.pollution import Tally, judged

SHARE = 0.97
SLICE = 16
"""One file in so many is of every day."""


def check(tally: Tally) -> None:
    assert tally.wrong == []
    assert tally.lost == []
    # What a record was when the file was cut in its last value nobody can see: the file is said to be cut.
    assert tally.flagged <= tally.files // 100


def test_a_slice_of_the_polluted_files() -> None:
    tally = judged(itertools.islice(files(), 0, None, SLICE))
    check(tally)
    assert tally.files > 150
    assert tally.share > SHARE - 0.02


@pytest.mark.full
def test_all_polluted_files() -> None:
    tally = judged(files())
    check(tally)
    assert tally.files > 2500
    assert tally.share >= SHARE


def first(words: str) -> Polluted:
    return next(file for file in files() if words in file.name)


def test_the_judge_sees_what_is_wrong_and_what_is_lost() -> None:
    """A record that the file has otherwise than it was, one that it lacks, and one under another header."""
    clean = first("clean")
    tally = judged([replace(clean, content=clean.content.replace(b"Customer 7,", b"Customer 8,"))])
    assert [len(tally.wrong), len(tally.lost), tally.loaded] == [1, 1, len(clean.rows) - 1]
    lines = clean.content.splitlines(keepends=True)
    tally = judged([replace(clean, content=b"".join(lines[:9] + lines[10:]))])
    assert [len(tally.wrong), len(tally.lost), tally.loaded] == [0, 1, len(clean.rows) - 1]
    tally = judged([replace(clean, content=clean.content.replace(b"customer name", b"customer", 1))])
    assert [len(tally.wrong), tally.loaded] == [len(clean.rows), 0]
