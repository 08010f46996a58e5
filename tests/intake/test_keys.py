"""Whether a key is one: by system, and whatever is absent."""

from __future__ import annotations

import duckdb
import pytest

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
