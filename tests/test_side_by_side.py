"""Tasks side by side: in the order of their needs, and alone where memory does not reach for two."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from crmaudit.audits import read_models
from crmaudit.database import Database
from crmaudit.resources import folder
from crmaudit.side_by_side import side_by_side


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with duckdb.connect(config={"threads": 2}) as con:
        yield Database(con, tmp_path)


def test_each_begins_when_those_it_needs_are_done(db: Database) -> None:
    begun: list[str] = []

    def do(_: Database, task: str) -> str:
        begun.append(task)
        return task.upper()

    done = side_by_side(db, {"c": ["a", "b"], "b": ["a"], "a": [], "d": []}, do)
    assert list(done.items()) == [("c", "C"), ("b", "B"), ("a", "A"), ("d", "D")]
    assert begun.index("a") < begun.index("b") < begun.index("c")


class Memory:
    """Reaches for one task at a time: whoever finds another at work has too little."""

    def __init__(self) -> None:
        self.at_work: set[str] = set()
        self.tries: list[str] = []
        self.both = threading.Barrier(2, timeout=5)

    def do(self, _: Database, task: str) -> str:
        self.tries.append(task)
        if self.tries.count(task) > 1:
            assert not self.at_work
            return task
        self.at_work.add(task)
        try:
            self.both.wait()
            raise duckdb.OutOfMemoryException(task)
        finally:
            self.at_work.remove(task)


def test_what_has_too_little_memory_beside_others_is_done_alone(db: Database) -> None:
    memory = Memory()
    assert side_by_side(db, {"a": [], "b": [], "c": ["a"], "d": ["b"]}, memory.do) == {t: t for t in "abcd"}
    assert sorted(memory.tries) == sorted("aabbccdd")


def test_what_has_too_little_memory_even_alone_ends_the_run(db: Database) -> None:
    def do(_: Database, task: str) -> str:
        raise duckdb.OutOfMemoryException(task)

    with pytest.raises(duckdb.OutOfMemoryException):
        side_by_side(db, {"a": []}, do)


def test_no_two_models_store_a_table_of_one_name() -> None:
    """They are built side by side: two that store one would conflict. What a model gives no name to keeps the method's."""
    calls = [call for model in read_models(folder("queries") / "model") for call in model.methods]
    made = {call.name: {table for other in calls if other.name == call.name for table in other.gives} for call in calls}
    facts = {"parameters", "holdout"}
    stored = [
        call.gives[table].name if table in call.gives else table
        for call in calls
        for table in sorted(made[call.name])
        if table in call.gives or table not in facts
    ]
    assert sorted(stored) == sorted(set(stored))
