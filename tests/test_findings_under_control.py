"""What a finding rests on is under the false-discovery control of the whole run: an interval of its own is not enough."""

from __future__ import annotations

import duckdb
import pytest

from crmaudit.catalogue import audits_of

ATTENTION = next(
    block.sql
    for audit in audits_of()
    if audit.id == "health_score"
    for block in audit.tables
    if block.name == "attention"
)


def attention(difference_q: float, beyond_q: float, lost_pct: float) -> tuple[bool, bool, bool]:
    """What is said of a score whose intervals all exclude that it tells nothing, by the q that the run gives it."""
    with duckdb.connect() as con:
        con.execute(
            "create table validation as select 0.8 as auc, 0.7 as auc_low, 0.9 as auc_high, 0.001 as auc_q, "
            "'silence' as best_component, 0.7 as best_auc, 0.1 as difference, 0.01 as difference_low, "
            f"0.19 as difference_high, {difference_q} as difference_q"
        )
        con.execute("create table labels as select 'silence' as component, 'silence' as name")
        con.execute("create table unhealthy as select 'A' as class, 1 as revenue_amount")
        con.execute("create table dropped as select 1 as revenue_amount")
        con.execute("create table scores as select 1 as change_30d")
        con.execute("create table usual_drops as select 0.1 as share")
        con.execute(
            "create table replayed as "
            "select 'all' as rule, 10.0 as rate_pct, 8.0 as low_pct, 5.0 as if_nobody_leaves_pct, null as usual_pct, null as beyond_q "
            f"union all select 'score under 25', {lost_pct}, {lost_pct} - 1, 5.0, 10.0, {beyond_q} "
            f"union all select 'sudden drop', {lost_pct}, {lost_pct} - 1, 5.0, 10.0, {beyond_q}"
        )
        con.execute(f"select beats, unhealthy_leave, dropped_leave from ({ATTENTION})")
        (beats, unhealthy, dropped), *_ = con.fetchall()
        return bool(beats), bool(unhealthy), bool(dropped)


@pytest.mark.parametrize(
    ("difference_q", "beyond_q", "lost_pct", "said"),
    [
        (0.04, 0.04, 30.0, (True, True, True)),
        (0.06, 0.04, 30.0, (False, True, True)),
        (0.04, 0.06, 30.0, (True, False, False)),
        (0.04, 0.04, 3.0, (True, False, False)),
    ],
)
def test_health_says_what_survives_the_control(
    difference_q: float, beyond_q: float, lost_pct: float, said: tuple[bool, bool, bool]
) -> None:
    assert attention(difference_q, beyond_q, lost_pct) == said
