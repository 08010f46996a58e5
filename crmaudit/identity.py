"""One party across systems: each link carries the rule and the evidence that made it.

Records found parties in order of trust: the CRM's accounts, accounts of other systems, contacts, customers of
billing, deals, leads; a record of a lower rank joins the one party that an id, an e-mail, a registered domain or an
exact normalised name points at, and at last a name that is similar to one party's alone. Where a rule points at
several, it decides nothing and the record is doubtful. What a person has reviewed goes before every rule.
Tickets, mails, calls and usage never found a party: unmatched, they stay so and are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import duckdb

from crmaudit import repeated_sales
from crmaudit.audits import read_models
from crmaudit.database import drop_loaded, filled_counts, quoted
from crmaudit.doubles import find_doubles
from crmaudit.name_forms import exact_key, whole_key
from crmaudit.resemblance import join_similar_names
from crmaudit.resources import folder
from crmaudit.reviewed import Verdict, groups
from crmaudit.schema import PROVENANCE, TABLES, Table

NO_FOUNDER = 9
"""Rank, as `references.sql` gives them, of records that join a party or none: tickets, mails, calls, usage."""

PARENTS = ("opportunities", "subscriptions", "invoices", "payments", "leads")
"""Tables through which a row that names nobody itself may still belong to a party; each may lean on those before it."""

SAMPLE_ROWS = 1000

NAMING = ("account_id", "contact_id", "lead_id", "account_name", "email")
"""Columns by which a row names a party."""

LEAD_LINKED = ("opportunities", "leads", "activities", "campaign_touches")
"""Tables in which a lead's id says whose row it is."""


def resolve(con: duckdb.DuckDBPyConnection, reviewed: Sequence[Verdict] = ()) -> None:
    """Makes `links` and every canonical table with its `party_id`, and empties `loaded` of what it took.

    Expects the tables of `loaded` and the table `settings`. Party ids are numbers in the order of (kind, system, id) of
    the record that founded the party, so that they do not depend on the order of rows, files or threads. What may be
    one customer and was left apart, two records of one system too, is in `doubtful_pairs`; verdicts and whether the
    exports have their records, in `reviewed_links`; sales that two systems bill in `repeated_sales`.
    """
    steps = {model.name: model.sql for model in read_models(folder("queries") / "identity")}
    con.execute(f'create or replace temp table "references" as {steps["references"]}')
    con.execute(f"create or replace temp table records as {steps['records']}")
    _take_verdicts(con, reviewed)
    if any(verdict.is_same for verdict in reviewed):
        _make_one(con, reviewed)
        con.execute(f"create or replace temp table records as {steps['records']}")
    ranks = [row[0] for row in con.execute("select rank from records group by rank order by rank").fetchall()]
    if len(ranks) > 1:
        _join_by_rank(con, steps, ranks)
        _part(con)
        _keep_apart(con, "found")
        join_similar_names(con, steps)
        con.execute(f"create or replace table doubtful_pairs as {steps['doubtful_pairs']}")
    else:
        # Nobody to join: every record founds its own party, or, of a rank that founds none, has none.
        con.execute(f"create or replace temp view found as {_founders(ranks)}")
        con.execute(
            "create or replace table doubtful_pairs (record varchar, name varchar, other_record varchar, "
            "other_name varchar, score double, evidence varchar)"
        )
    _number_parties(con, has_verdicts=any(verdict.is_same for verdict in reviewed))
    find_doubles(con, steps)
    con.execute(f"insert into doubtful_pairs {steps['doubles_to_review']}")
    for name in sorted(TABLES, key=lambda name: PARENTS.index(name) if name in PARENTS else len(PARENTS)):
        _write(con, TABLES[name])
        drop_loaded(con, name)
    repeated_sales.set_aside(con, steps)


def _take_verdicts(con: duckdb.DuckDBPyConnection, reviewed: Sequence[Verdict]) -> None:
    """Tables `reviewed_links`, and `apart` with each pair that is not the same, both ways."""
    con.execute(
        "create or replace table reviewed_links "
        "(line integer, record varchar, other_record varchar, is_same boolean, is_known boolean)"
    )
    rows = [(v.line, v.record, v.other, v.is_same) for v in reviewed]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute(
            "insert into reviewed_links select v.*, "
            "v.record in (select record from records) and v.other_record in (select record from records) "
            "from (select unnest(?) as line, unnest(?) as record, unnest(?) as other_record, unnest(?) as is_same) v",
            columns,
        )
    con.execute(
        "create or replace temp table apart as select record, other_record from reviewed_links where not is_same "
        "union select other_record, record from reviewed_links where not is_same"
    )


def _make_one(con: duckdb.DuckDBPyConnection, reviewed: Sequence[Verdict]) -> None:
    """Records that are the same by verdict go by the most trusted of them; `written` keeps what each is called."""
    rank_of = dict(
        con.execute(
            "select record, rank from records where record in (from (select unnest(?)))",
            [[record for group in groups(reviewed) for record in group]],
        ).fetchall()
    )
    root_of: dict[str, str] = {}
    for group in groups(reviewed):
        present = sorted(group & rank_of.keys(), key=lambda record: (rank_of[record], record))
        root_of |= dict.fromkeys(present, present[0] if present else "")
    con.execute("create or replace temp table roots (record varchar, root varchar)")
    if root_of:
        con.execute("insert into roots select unnest(?), unnest(?)", [list(root_of), list(root_of.values())])
    con.execute(
        'create or replace temp table "references" as '
        "select r.* exclude (record), coalesce(roots.root, r.record) as record, r.record as written "
        'from "references" r left join roots on roots.record = r.record'
    )
    con.execute(
        "create or replace temp table apart as "
        "select distinct coalesce(a.root, apart.record) as record, "
        "coalesce(b.root, apart.other_record) as other_record from apart "
        "left join roots a on a.record = apart.record left join roots b on b.record = apart.other_record"
    )


def _keep_apart(con: duckdb.DuckDBPyConnection, settled: str) -> None:
    """Table `kept_apart`: parties that a record must not join, since a record of theirs is not the same."""
    con.execute(
        "create or replace temp table kept_apart as "
        f"select distinct a.record, s.party from apart a join {settled} s on s.record = a.other_record "
        "where s.party is not null"
    )


def _part(con: duckdb.DuckDBPyConnection) -> None:
    """Two records of one rank that are not the same may both have joined one party: the second of them leaves it."""
    con.execute(
        "create or replace temp table leaving as "
        "select distinct b.record, records.rank "
        "from apart join found a on a.record = apart.record join found b on b.record = apart.other_record "
        "join records on records.record = b.record "
        "where a.party = b.party and b.record <> b.party and (a.record = a.party or a.record < b.record)"
    )
    if con.execute("select 1 from leaving limit 1").fetchall():
        con.execute(
            "create or replace temp table found as "
            "select f.record, "
            f"case when l.record is null then f.party when l.rank < {NO_FOUNDER} then f.record end as party, "
            f"case when l.record is null then f.rule when l.rank < {NO_FOUNDER} then 'own' end as rule, "
            "case when l.record is null then f.score end as score, "
            "case when l.record is null then f.evidence end as evidence, f.is_doubtful "
            "from found f left join leaving l on l.record = f.record"
        )


def _join_by_rank(con: duckdb.DuckDBPyConnection, steps: dict[str, str], ranks: list[int]) -> None:
    """Table `found`: rank after rank joins the parties that are settled, or founds its own."""
    _name_domains(con)
    con.execute(
        "create or replace temp table name_keys as select account_name as name, "
        f"{whole_key('account_name')} as whole, {exact_key('account_name')} as key "
        'from (select distinct account_name from "references" where account_name is not null)'
    )
    con.execute(f"create or replace temp table identifiers as {steps['identifiers']}")
    con.execute(f"create or replace temp table found as {_founders(ranks)}")
    con.execute("create or replace temp table settled as select record, party from found where party is not null")
    for rank in ranks[1:]:
        con.execute(f"create or replace temp table present as select {rank} as rank")
        _keep_apart(con, "settled")
        con.execute(f"create or replace temp table candidates as {steps['candidates']}")
        con.execute(f"create or replace temp table linked as {steps['links']}")
        con.execute("insert into found from linked")
        con.execute("insert into settled select record, party from linked where party is not null")


def _founders(ranks: list[int]) -> str:
    party, rule = ("record", "'own'") if ranks and ranks[0] < NO_FOUNDER else ("null::varchar", "null::varchar")
    return (
        f"select record, {party} as party, {rule} as rule, null::double as score, null::varchar as evidence, "
        f"false as is_doubtful from records where rank = {ranks[0] if ranks else 0}"
    )


def _name_domains(con: duckdb.DuckDBPyConnection) -> None:
    """The registered domain of every host in use, and whether strangers share it (free mail)."""
    con.execute("create or replace temp table domains (host varchar, registered varchar, is_shared boolean)")
    if con.execute("select grain from settings").fetchall() != [("account",)]:
        return
    hosts = con.execute(
        "select host from (select lower(trim(split_part(email, '@', 2))) as host from \"references\" "
        "union select domain from loaded.accounts) where host <> '' group by host order by host"
    ).fetchall()
    shared = free_mail_domains()
    rows = []
    for (host,) in hosts:
        name = registered_domain(host)
        if name is not None:
            rows.append((host, name, name in shared))
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        con.execute("insert into domains select unnest(?), unnest(?), unnest(?)", columns)


@cache
def free_mail_domains() -> frozenset[str]:
    """Domains at which strangers have addresses; they say nothing about a company."""
    text = (Path(__file__).parent / "sources" / "shared_domains.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def registered_domain(host: str) -> str | None:
    """`mail.acme.co.uk` or `https://www.acme.co.uk/x` -> `acme.co.uk`, by the public suffix list, else None."""
    bare = host.strip().lower().removeprefix("https://").removeprefix("http://").split("/")[0].split(":")[0].strip(".")
    return _suffixes().privatesuffix(bare) if "." in bare else None


@cache
def _suffixes():  # type: ignore[no-untyped-def]  # the library has no types
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  # 50 ms that a base of persons need not pay

    return PublicSuffixList()


def _number_parties(con: duckdb.DuckDBPyConnection, *, has_verdicts: bool) -> None:
    named = "r.record, n.party_id, f.rule, f.score, f.evidence, f.is_doubtful"
    if has_verdicts:
        told = "'verdict', 1.0, 'the same as ' || r.record, false"
        whose = ", ".join(
            f"case when r.written <> r.record then {value} else f.{name} end as {name}"
            for name, value in zip(("rule", "score", "evidence", "is_doubtful"), told.split(", "), strict=True)
        )
        named = f"r.written as record, n.party_id, {whose}"
    con.execute(
        "create or replace table party_numbers as "
        "select party, row_number() over (order by party)::integer as party_id "
        "from (select distinct party from found where party is not null)"
    )
    con.execute(
        "create or replace table links as "
        f"select r.system, r.account_id, r.contact_id, r.lead_id, r.account_name, r.email, {named} "
        'from "references" r join found f on f.record = r.record left join party_numbers n on n.party = f.party'
    )


def _write(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """The canonical table with its parties: what varies is stored, a view adds the empty and the constant."""
    names = [c.name for c in (*table.columns, *PROVENANCE)]
    rows, counts = filled_counts(con, table)
    constants = {c.name: f"null::{c.sql_type}" for c in table.columns if not counts[c.name]}
    constants |= _constants(con, table, [name for name in names if rows and counts.get(name, rows) == rows])
    kept = [name for name in names if name not in constants]
    con.execute("create schema if not exists stored")
    con.execute(f"create or replace table stored.{table.name} as {_with_party(table, kept, rows, counts)}")
    shown = [f"{constants[name]} as {name}" if name in constants else name for name in names]
    con.execute(f"create or replace view {table.name} as select party_id, {', '.join(shown)} from stored.{table.name}")


def _constants(con: duckdb.DuckDBPyConnection, table: Table, names: list[str]) -> dict[str, str]:
    """Of columns without a NULL those with one value in all rows -> that value as SQL."""
    if not names:
        return {}
    first = _extremes(con, f"(select * from loaded.{table.name} limit {SAMPLE_ROWS})", names)
    likely = {
        name: f"'{quoted(least)}'::{kind}"
        for name, (least, most, kind) in first.items()
        if least is not None and least == most
    }
    return {
        name: value
        for name, value in likely.items()
        if not con.execute(f"select 1 from loaded.{table.name} where {name} <> {value} limit 1").fetchall()
    }


def _extremes(con: duckdb.DuckDBPyConnection, rows: str, names: list[str]) -> dict[str, tuple[str, str, str]]:
    """Column -> its least and its greatest value, as text, and its type."""
    each = ", ".join(f"[min({c})::varchar, max({c})::varchar, typeof(min({c}))]" for c in names)
    return dict(zip(names, con.execute(f"select {each} from {rows}").fetchall()[0], strict=True))


def _with_party(table: Table, kept: list[str], rows: int, counts: dict[str, int]) -> str:
    """The SELECT of the canonical table as analysts see it: its rows, each with the party it belongs to.

    Only columns that somebody filled take part in the joins: a base with one id a row pays for one join.
    """
    names = [c.name for c in table.columns]
    own = (
        {"account_id": "account_id", "account_name": "name", "email": "email"}
        if table.name == "accounts"
        else {c: c for c in NAMING if c in names and (c != "lead_id" or table.name in LEAD_LINKED)}
    )
    if table.name == "contacts":
        own.pop("lead_id", None)
    filled = {name for name, n in counts.items() if n}
    whole = any(counts[name] == rows for name in own.values())
    joins, parties = [], []
    if set(own.values()) & filled:
        conditions = [
            f"l.{c} is not distinct from t.{own[c]}" if own.get(c) in filled else f"l.{c} is null" for c in NAMING
        ]
        joins.append(f"left join links l on l.system = t.system and {' and '.join(conditions)}")
        parties.append("l.party_id")
    for parent in PARENTS:
        key = TABLES[parent].key
        if whole or parent == table.name or key not in filled or (parent == "leads" and "lead_id" in own):
            continue
        joins.append(
            f"left join (select system, {key}, min(party_id) as party_id "
            f"from {parent} group by system, {key}) {parent} "
            f"on {parent}.system = t.system and {parent}.{key} = t.{key}"
        )
        parties.append(f"{parent}.party_id")
    party = f"coalesce({', '.join(parties)})" if parties else "null::integer"
    columns = "".join(f", t.{name}" for name in kept)
    return f"select {party} as party_id{columns} from loaded.{table.name} t {' '.join(joins)}"
