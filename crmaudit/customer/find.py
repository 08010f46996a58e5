"""Who is meant: by an id, an address, a name or a part of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmaudit import text
from crmaudit.errors import UsageError
from crmaudit.resources import folder

if TYPE_CHECKING:
    import duckdb

LISTED = 20
"""Candidates that are told, where several are meant."""


def find(con: duckdb.DuckDBPyConnection, words: str) -> int:
    """The party that the words name; UsageError lists the candidates where they name several, or the nearest names."""
    con.execute("create or replace temp table asked as select ? as words", [words.strip()])
    sql = (folder("queries") / "customer" / "candidates.sql").read_text(encoding="utf-8")
    found = con.execute(sql).fetchall() if words.strip() else []
    if not found:
        near = _nearest(con, words)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"nobody is called {text.clean(words)!r}{hint}")
    if len(found) > 1:
        lines = [f"  {text.clean(id_)}  {text.clean(name or '')}" for _, name, id_, _ in found[:LISTED]]
        more = f"\n  and {text.number(len(found) - LISTED)} more" if len(found) > LISTED else ""
        count = text.number(len(found))
        raise UsageError(
            f"{count} may be meant by {text.clean(words)!r}; name one by its id:\n" + "\n".join(lines) + more
        )
    party: int = found[0][0]
    return party


def _nearest(con: duckdb.DuckDBPyConnection, words: str) -> list[str]:
    from rapidfuzz import fuzz, process, utils  # noqa: PLC0415

    rows = con.execute("select distinct customer from parties where customer is not null order by customer").fetchall()
    names = [row[0] for row in rows]
    found = process.extract(words, names, scorer=fuzz.ratio, processor=utils.default_process, limit=3, score_cutoff=75)
    return [text.clean(name) for name, _, _ in found]
