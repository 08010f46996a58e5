"""The last rule of identity: a record joins the party whose name resembles its own, where no other does as much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import polars as pl

LINK_SCORE = 0.84
"""Of two names that are wholly alike: just less than that of the exact rule."""
WORTH_A_LOOK = 0.8
"""Similarity from which a person should see two names that are not surely one company's."""

RESEMBLING = "(record varchar, party varchar, similarity double, evidence varchar)"


def join_similar_names(con: duckdb.DuckDBPyConnection, steps: Mapping[str, str]) -> None:
    """Widens `found` by links by similar names, and writes the doubtful ones to `doubtful_names`.

    Expects `found`, `records`, `identifiers` and `kept_apart`. A link goes to a party that no similar name has moved,
    so that no chain of resemblances makes one customer of many. Only names that are written somewhere are compared: a
    base without open names pays for one query.
    """
    con.execute(f"create or replace temp table doubtful_names {RESEMBLING}")
    con.execute(f"create or replace temp table party_names as {steps['party_names']}")
    open_names = con.execute("select party, name from party_names where is_open order by party, name").fetchall()
    names = con.execute(
        "select party, name from party_names where rank < (select max(rank) from party_names where is_open) "
        "order by party, name"
    ).fetchall()
    if not open_names or not names:
        return
    if not _compare(con, open_names, names):
        return
    pairs = _pairs(con, steps)
    joined, doubtful = _decided(pairs)
    _apply(con, joined, doubtful)


def _compare(
    con: duckdb.DuckDBPyConnection, mine: Sequence[tuple[Any, ...]], theirs: Sequence[tuple[Any, ...]]
) -> bool:
    """Table `resembling`: record, party and their names, a row for each pair of names; whether there is any."""
    from crmaudit.names import similar  # noqa: PLC0415  # polars and rapidfuzz, which a base of persons need not pay

    my_names, their_names = sorted({name for _, name in mine}), sorted({name for _, name in theirs})
    found = similar(my_names, their_names)
    con.execute(
        "create or replace temp table resembling_names "
        "(name varchar, party_name varchar, similarity double, is_sure boolean)"
    )
    if found.is_empty():
        return False
    columns = [
        [my_names[i] for i in found["left"]],
        [their_names[i] for i in found["right"]],
        found["similarity"].to_list(),
        found["is_sure"].to_list(),
    ]
    con.execute("insert into resembling_names select unnest(?), unnest(?), unnest(?), unnest(?)", columns)
    con.execute(
        "create or replace temp table resembling as "
        "select mine.party as record, theirs.party, mine.name, theirs.name as party_name, s.similarity, s.is_sure "
        "from resembling_names s "
        "join party_names mine on mine.name = s.name and mine.is_open "
        "join party_names theirs on theirs.name = s.party_name and theirs.rank < mine.rank"
    )
    return True


def _pairs(con: duckdb.DuckDBPyConnection, steps: Mapping[str, str]) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415

    columns = {
        "left": pl.String,
        "right": pl.String,
        "name": pl.String,
        "party_name": pl.String,
        "similarity": pl.Float64,
        "is_sure": pl.Boolean,
        "is_near": pl.Boolean,
        "apart": pl.String,
        "rank": pl.Int64,
    }
    rows = con.execute(
        "select record, party, name, party_name, similarity, is_sure, is_near, apart, rank "
        f"from ({steps['resembling_parties']}) order by record, party"
    ).fetchall()
    return pl.DataFrame(rows, schema=columns, orient="row")


def _decided(pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The pairs that are joined, and those that somebody should look at."""
    import polars as pl  # noqa: PLC0415

    from crmaudit.names import decide  # noqa: PLC0415

    joined, rest = [pairs.clear()], [pairs.clear()]
    moved: set[str] = set()
    for rank in pairs["rank"].unique().sort():
        of_rank = pairs.filter(pl.col("rank") == rank)
        stays = ~pl.col("right").is_in(sorted(moved))
        made = decide(of_rank.with_columns(is_sure=pl.col("is_sure") & stays))
        joined.append(made.filter("is_joined").select(pairs.columns))
        moved |= set(joined[-1]["left"])
        rest.append(made.filter(~pl.col("left").is_in(sorted(moved))).select(pairs.columns))
    doubtful = pl.concat(rest).filter(pl.col("is_near") | (pl.col("similarity") >= WORTH_A_LOOK))
    return pl.concat(joined), doubtful


def _apply(con: duckdb.DuckDBPyConnection, joined: pl.DataFrame, doubtful: pl.DataFrame) -> None:
    for table, pairs in (("joined_names", joined), ("doubtful_names", doubtful)):
        con.execute(f"create or replace temp table {table} {RESEMBLING}")
        if not pairs.is_empty():
            evidence = [f"{a} / {b}" for a, b in pairs.select("name", "party_name").iter_rows()]
            columns = [pairs["left"].to_list(), pairs["right"].to_list(), pairs["similarity"].to_list(), evidence]
            con.execute(f"insert into {table} select unnest(?), unnest(?), unnest(?), unnest(?)", columns)
    con.execute(
        "create or replace temp table found as "
        "select f.record, coalesce(moved.party, f.party) as party, "
        "case when own.record is not null then 'similar name' else f.rule end as rule, "
        f"case when own.record is not null then round({LINK_SCORE} * own.similarity, 4) else f.score end as score, "
        "coalesce(own.evidence, f.evidence, doubt.evidence) as evidence, "
        "f.is_doubtful or doubt.record is not null as is_doubtful "
        "from found f "
        "left join joined_names own on own.record = f.record "
        "left join joined_names moved on moved.record = f.party "
        "left join (select record, min(evidence) as evidence from doubtful_names group by record) doubt "
        "on doubt.record = f.record"
    )
