"""`crmaudit query`: reads the audit and nothing else, and is ended where it takes too much."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pytest

from crmaudit import querying
from tests.command import crmaudit
from tests.conftest import Audited


@pytest.mark.parametrize(
    ("sql", "cells"),
    [
        ("select count(*) as n, sum(net_amount)::integer as total from invoices", ["n", "total", "3", "320"]),
        ("from customers select count(*) as n", ["n", "2"]),
        ("with a as (select 1 as x) select x, null as y from a;", ["x", "y", "1", ""]),
        ("select '[bold]x' as t", ["t", "[bold]x"]),
        ("describe customers", None),
        ("explain select 1", None),
    ],
)
def test_query(sql: str, cells: list[str] | None, small: Audited) -> None:
    table = crmaudit("query", sql, "--audit", small.folder)
    data = crmaudit("query", sql, "--audit", small.folder, "--csv")
    assert (table.code, table.err, data.code, data.err) == (0, "", 0, "")
    rows = list(csv.reader(io.StringIO(data.out)))
    if cells is not None:
        assert [cell for row in rows for cell in row] == cells
        assert all(cell in table.out for cell in cells)


SECRET = "what nobody may read"
ATTACKS = [
    "from read_csv('{file}')",
    "from '{file}'",
    "from read_text('{file}')",
    "from read_blob('{file}')",
    "from glob('{folder}/*')",
    "from sniff_csv('{file}')",
    "from query('from read_text(''{file}'')')",
    "from parquet_metadata('{file}')",
    "select * from read_json('{file}')",
    "from enable_logging(storage = 'file', storage_path = '{folder}/new')",
    "from read_text('{folder}/audit/../secret.txt')",
    "copy (select 1) to '{folder}/new'",
    "copy customers from '{file}'",
    "export database '{folder}/new'",
    "attach '{folder}/new' as new",
    "attach ':memory:' as new",
    "install httpfs",
    "load icu",
    "set threads = 1",
    "set lock_configuration = false",
    "reset lock_configuration",
    "pragma threads = 1",
    "call enable_logging()",
    "create table new as select 1",
    "insert into customers select * from customers",
    "update customers set party_id = 0",
    "drop table customers",
    "select 1; copy (select 1) to '{folder}/new'",
    "prepare p as select 1",
    "begin",
    "use temp",
    "",
    "-- nothing",
    "selec 1",
    "select no_such_column from customers",
]


def test_query_does_nothing_but_read_the_audit(
    small: Audited, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    (tmp_path / "audit").mkdir()
    before, database = sorted(tmp_path.iterdir()), (small.folder / "audit.duckdb").read_bytes()
    for attack in ATTACKS:
        sql = attack.format(folder=tmp_path, file=tmp_path / "secret.txt")
        answer = tmp_path_factory.mktemp("answer") / "answer.csv"
        with pytest.raises((duckdb.Error, ValueError)):
            querying.answer(sql, small.folder / "audit.duckdb", answer)
            pytest.fail(f"{sql}: {answer.read_text(encoding='utf-8')}")
    assert sorted(tmp_path.iterdir()) == before
    assert (small.folder / "audit.duckdb").read_bytes() == database
    ran = crmaudit("query", f"from read_text('{tmp_path / 'secret.txt'}')", "--audit", small.folder)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("crmaudit: Permission Error")


def test_a_huge_result_is_cut_for_people_and_whole_for_programs(small: Audited) -> None:
    sql = "select range as n, 'row ' || range as name from range(300000)"
    table = crmaudit("query", sql, "--audit", small.folder)
    assert table.code == 0
    assert "300,000 rows; the first 1,000 are shown. All of them: --csv" in table.said
    assert len(table.out.splitlines()) < 1_010
    data = crmaudit("query", sql, "--audit", small.folder, "--csv")
    assert len(data.out.splitlines()) == 300_001
    assert data.out.endswith("299999,row 299999\n")


def test_a_query_that_takes_too_much_is_ended(small: Audited) -> None:
    slow = "select sum(a.range * b.range) from range(1000000) a, range(1000000) b"
    ran = crmaudit("query", slow, "--audit", small.folder, "--deadline", 2)
    assert (ran.code, ran.out) == (2, "")
    assert "longer than 2 seconds" in ran.err
    ran = crmaudit("query", "select len(range(1000000000))", "--audit", small.folder)
    assert (ran.code, ran.out) == (2, "")
    assert "more than 4 GiB of memory" in ran.err
