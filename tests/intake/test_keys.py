"""Whether a key is one: by system, and whatever is absent."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmaudit.intake import keys as key_rules
from crmaudit.intake.keys import is_unique


@pytest.mark.parametrize(
    ("rows", "one_system", "expected"),
    [
        ("('a', '1'), ('a', '2')", True, True),
        ("('a', '1'), ('a', '1')", True, False),
        ("('a', '1'), ('b', '1')", False, True),
        ("('a', null), ('a', null), ('a', '2')", True, True),
    ],
)
def test_a_key_is_unique_within_its_system(rows: str, one_system: bool, expected: bool) -> None:
    con = duckdb.connect()
    con.execute(f"create table t as from (values {rows}) as v(system, k)")
    assert is_unique(con, "t", "k", one_system=one_system) is expected


@given(
    keys=st.lists(
        st.one_of(st.none(), st.integers(0, 30).map(str), st.integers(0, 12).map("INV-{:03}".format), st.just("2e1"))
    )
)
@example(keys=["INV-007", "INV-008", "INV-007"])
@example(keys=["10", "20", "2e1"])
@example(keys=["10", "99", "100"])
def test_running_numbers_are_as_unique_as_their_texts(keys: list[str | None]) -> None:
    con = duckdb.connect()
    con.execute("create table t as select unnest(?::varchar[]) as k", [keys])
    known = [key for key in keys if key is not None]
    assert is_unique(con, "t", "k", one_system=True) is (len(known) == len(set(known)))


def test_numbers_far_apart_are_told_without_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rules, "NUMBERS_A_ROW", 10**9)
    con = duckdb.connect()
    con.execute("create table t as from (values ('1000000000'), ('2500000000')) as v(k)")
    assert is_unique(con, "t", "k", one_system=True)
