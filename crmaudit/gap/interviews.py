"""Whom to talk to, since half of what matters is in no export: drawn by queries/gap/interviews.sql."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from crmaudit import text
from crmaudit.gap.guidance import Interviews
from crmaudit.gap.page import Interviewee, Stratum
from crmaudit.resources import folder

if TYPE_CHECKING:
    import duckdb

STRATA = ("lost", "won", "loyal")


def draw(con: duckdb.DuckDBPyConnection, guidance: Interviews, currency: str) -> tuple[Stratum, ...]:
    """`guidance.each` customers of each kind, the same ones in every run over the same base."""
    sql = (folder("queries") / "gap" / "interviews.sql").read_text(encoding="utf-8")
    con.execute(f"select * from ({sql}) as drawn where place <= {guidance.each} order by stratum, place")
    names = [column[0] for column in con.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in con.fetchall()]
    strata = []
    for name in STRATA:
        own = [row for row in rows if row["stratum"] == name]
        words = getattr(guidance, name)
        if own:
            strata.append(
                Stratum(
                    title=text.clean(words.title),
                    why=text.clean(words.why),
                    drawn=f"{len(own)} of {text.count(own[0]['stratum_customers'], 'customer')}",
                    questions=tuple(map(text.clean, words.questions)),
                    people=tuple(_interviewee(row, currency) for row in own),
                )
            )
    return tuple(strata)


def _interviewee(row: dict[str, Any], currency: str) -> Interviewee:
    title = text.clean(row["title"] or "")
    contact = text.clean(row["contact"] or "")
    revenue = float(row["window_revenue"] or 0)
    return Interviewee(
        customer=text.clean(row["customer"] or ""),
        customer_class=text.clean(row["class"] or ""),
        contact=f"{contact}, {title}" if contact and title else contact,
        since=_day(row["customer_since_on"]),
        last_purchase=_day(row["last_purchase_on"]),
        revenue=text.value(revenue, "money", currency) if revenue else "",
        owner=text.clean(row["owner"] or ""),
    )


def _day(value: dt.date | None) -> str:
    return value.isoformat() if value else ""
