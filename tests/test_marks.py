"""A scale on which nobody ever gave more than 0 is none: DuckDB's 0 / 0 is NaN, and above every number."""

from __future__ import annotations

import duckdb

from crmaudit.catalogue import audits_of

TICKETS = """
    create table clock as select date '2025-12-31' as as_of_on;
    create table tickets as
    select
        n as party_id, n as ticket_id, 'desk' as system, cast(0 as decimal(9, 2)) as satisfaction,
        cast(null as varchar) as satisfaction_text, cast(n = 2 as integer) as reopens, false as is_escalated,
        timestamp '2025-06-14 10:00:00' as opened_at, timestamp '2025-06-14 11:00:00' + to_hours(n) as resolved_at
    from (select unnest([1, 2, 3]) as n)
"""


def test_noughts_alone_say_nothing_of_how_an_issue_was_resolved() -> None:
    (audit,) = (audit for audit in audits_of() if audit.id == "service_and_upsell")
    (block,) = (block for block in audit.tables if block.name == "resolutions")
    con = duckdb.connect()
    con.execute(TICKETS)
    found = con.execute(f"select ticket_id, resolution from ({block.sql}) order by 1").fetchall()
    # By time and reopening alone: the quickest half, the reopened, the slowest tenth.
    assert found == [(1, "good"), (2, "bad"), (3, "bad")]
