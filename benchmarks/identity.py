"""Who is who among 100,000 CRM accounts and 100,000 billing customers of which the truth is known.

python -m benchmarks.identity test [SIZE]    prints links, right ones, pairs to be found and seconds, as JSON
python -m benchmarks.identity tune [SIZE]    the same on other names, with recall and faults by kind: to look at while
                                             the matcher is changed; the test part is only ever measured
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

import duckdb
import polars as pl

from benchmarks.companies import Sample, sample
from crmaudit import identity
from crmaudit.database import create_loaded
from crmaudit.schema import TABLES

SEEDS = {"tune": 1, "test": 20260630}
SIZE = 100_000


def parties(drawn: Sample) -> tuple[list[tuple[Any, ...]], float]:
    """Billing number and the CRM's number it was linked with, where it was; and the seconds the whole step took."""
    with duckdb.connect() as con:
        create_loaded(con, TABLES)
        con.execute("create table settings as select 'account' as grain")
        for table, names, columns in (("accounts", drawn.crm, "name"), ("invoices", drawn.billing, "account_name")):
            system = "crm" if table == "accounts" else "billing"
            con.execute(
                f"insert into loaded.{table} (system, account_id, {columns}) "
                f"select '{system}', (row_number() over () - 1)::varchar, name from (select unnest(?) as name)",
                [list(names)],
            )
        start = time.perf_counter()
        identity.resolve(con)
        seconds = time.perf_counter() - start
        linked = con.execute(
            "select b.account_id::integer, c.account_id::integer from invoices b "
            "join accounts c on c.party_id = b.party_id order by all"
        ).fetchall()
        return linked, seconds


def measure(part: str, size: int) -> dict[str, Any]:
    """What was linked, and what should have been."""
    drawn = sample(size, SEEDS[part])
    linked, seconds = parties(drawn)
    right = {billing for billing, crm in linked if drawn.truth[billing] == crm}
    wanted = {number for number, crm in enumerate(drawn.truth) if crm is not None}
    told: dict[str, Any] = {"links": len(linked), "right": len(right), "wanted": len(wanted), "seconds": seconds}
    if part == "tune":
        wrong = Counter(drawn.kinds[billing] for billing, _ in linked if billing not in right)
        kinds = pl.DataFrame({"kind": drawn.kinds, "found": [number in right for number in range(size)]})
        shares = kinds.group_by("kind").agg(pl.mean("found")).sort("kind").rows()
        told["found by kind"] = {kind: round(share, 4) for kind, share in shares}
        told["wrong by kind"] = dict(sorted(wrong.items()))
    return told


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SIZE)))
