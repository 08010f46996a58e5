"""Pseudonyms for people and companies, stable from run to run with a key, put in place before anything is computed.

They take the place of names, addresses, numbers and ids in the canonical tables once it is known who is who, so that
models, audits and every output hold nothing else. Free text goes as a whole. A column of categories stays, but for
values that name somebody or hold an address. HMAC-SHA256 (RFC 2104): without the key nobody can tell by trying names.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from crmaudit.database import identifier, quoted
from crmaudit.errors import UsageError
from crmaudit.report import Finding, Source
from crmaudit.schema import PROVENANCE, TABLES, Table

if TYPE_CHECKING:
    import duckdb
    from publicsuffixlist import PublicSuffixList

ENVIRONMENT = "CRMAUDIT_REDACT_KEY"
SHORTEST_KEY = 16
GONE = "[redacted]"
"""What stands for a value of a category or an address that is none."""
SILENT = "\u2026"
"""What stands for free text: something was said, but no word that a count of words could take for a theme."""
MOST_CATEGORIES = 2_000
"""A text column with more different values than this is no category; all of it goes."""
LONGEST_CATEGORY = 5
"""Words; a longer value is somebody's own sentence, unless at least so many records share it:"""
SHARED = 5
SHORTEST_NAME = 5
"""Shorter names are not looked for inside other words: they are words themselves."""

_COMPANY = frozenset({"account_name", "parent_name", "competitor"})
_NAMED_THINGS = frozenset({"product", "plan", "family", "name"})
"""Categories that have long names and one record each: what is sold."""
_PHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d\s()./-]{5,}\d(?!\w)")
_DATE = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.]\d{2,4}|\d{4}\s*-\s*\d{4}")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]+", re.IGNORECASE)
_FREE = frozenset({"note", "subject", "description", "comment", "feedback", "satisfaction_text"})
_BLOCK = 64


def read_key(path: Path | None) -> bytes:
    """The key from a file that only its owner may read, else from the environment; UsageError where there is none."""
    if path is not None:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise UsageError(f"{path} can be read by others; chmod 600 {path}")
        key, place = path.read_bytes().strip(), str(path)
    else:
        key, place = os.environ.get(ENVIRONMENT, "").encode(), ENVIRONMENT
    if len(key) < SHORTEST_KEY:
        raise UsageError(
            f"--redact wants a key of at least {SHORTEST_KEY} characters in {place}; "
            "whoever has it can tell who is who, and the same key gives the same pseudonyms"
        )
    return key


def hide(
    con: duckdb.DuckDBPyConnection, key: bytes, sources: Iterable[Source], findings: Iterable[Finding]
) -> tuple[tuple[Source, ...], tuple[Finding, ...]]:
    """Puts pseudonyms into every canonical table and every table of who is who; sources and findings without names.

    The key is in no table and in no view. What was there before stays in the file's free blocks: `copy_database`.
    """
    _define(con, key)
    names = _names(con)
    for table in TABLES.values():
        _redact_table(con, table, names)
    for name, columns in _WHO_IS_WHO.items():
        told = ", ".join(f"{expression} as {column}" for column, expression in columns.items())
        con.execute(f"create or replace table {name} as select * replace ({told}) from {name}")
    for macro in ("hmac", "name_hmac"):
        con.execute(f"drop macro {macro}")
    return tuple(_scrub_source(one, names) for one in sources), tuple(
        replace(one, text=_scrubbed(one.text, names)) for one in findings
    )


def copy_database(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """A copy without the blocks that are free by now, in which names of before the redaction may stand."""
    (name,) = con.execute("select current_database()").fetchall()[0]
    con.execute(f"attach '{quoted(path)}' as redacted_copy; copy from database {identifier(name)} to redacted_copy")
    con.execute("detach redacted_copy")


def _scrub_source(source: Source, names: frozenset[str]) -> Source:
    """A source without what its notes and reasons quote from the file."""

    def scrub(words: str) -> str:
        return _scrubbed(words, names)

    return replace(
        source,
        notes=tuple(map(scrub, source.notes)),
        evidence=tuple(map(scrub, source.evidence)),
        exclusions=tuple(replace(one, reason=scrub(one.reason)) for one in source.exclusions),
    )


def _define(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Temporary macros: `hmac(value)` as 64 hex digits, and `name_hmac(value)` whatever the case and the blanks."""
    padded = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in padded).hex() for pad in (0x36, 0x5C))
    con.execute(
        "create or replace temp macro hmac(value) as "
        f"sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || encode(value))))"
    )
    con.execute(
        "create or replace temp macro name_hmac(value) as "
        "substr(hmac(regexp_replace(lower(trim(value)), '\\s+', ' ', 'g')), 1, 12)"
    )


def _email(column: str) -> str:
    """An address that is one stays one, so that it counts as one; those of one domain stay together."""
    looks = f"regexp_matches(trim({column}), '^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$')"
    domain = f"substr(hmac(lower(trim(split_part({column}, '@', 2)))), 1, 12)"
    address = f"'p' || name_hmac({column}) || '@' || {domain} || '.example'"
    return f"case when {looks} then {address} when {column} is not null then '{GONE}' end"


def _id(column: str) -> str:
    return f"substr(hmac({column}), 1, 12)"


def _record(column: str) -> str:
    """`account crm A-17`: what kind of record it is stays."""
    return f"split_part({column}, ' ', 1) || ' ' || {_id(column)}"


_WHO_IS_WHO: Mapping[str, Mapping[str, str]] = {
    "links": {
        **{name: _id(name) for name in ("account_id", "contact_id", "lead_id")},
        "account_name": "'Company ' || name_hmac(account_name)",
        "email": _email("email"),
        "record": _record("record"),
        "evidence": f"case when evidence is not null then '{GONE}' end",
    },
    "party_numbers": {"party": _record("party")},
    "doubtful_pairs": {
        **{name: _record(name) for name in ("record", "other_record")},
        **{name: f"'Company ' || name_hmac({name})" for name in ("name", "other_name")},
        "evidence": f"case when evidence is not null then '{GONE}' end",
    },
    "reviewed_links": {name: _record(name) for name in ("record", "other_record")},
    "repeated_sales": {name: _id(name) for name in ("record_id", "other_record_id")},
    **{
        name: {
            **{column: _id(column) for column in ("record_id", "first_id")},
            "evidence": f"case when evidence is not null then '{GONE}' end",
        }
        for name in ("doubles", "possible_doubles")
    },
}
"""Tables that identity leaves beside the canonical ones: each column that names somebody, and what takes its place."""


def _redact_table(con: duckdb.DuckDBPyConnection, table: Table, names: frozenset[str]) -> None:
    """Stores the canonical table anew, whole, since its view holds constants that may be names."""
    wanted = []
    for column in table.columns:
        hidden = _hidden(con, table, column.name, names) if column.kind in ("id", "text") else column.name
        wanted.append(f"cast({hidden} as {column.sql_type}) as {column.name}")
    wanted += [column.name for column in PROVENANCE]
    con.execute(f"create table stored.redacted as select party_id, {', '.join(wanted)} from {table.name}")
    con.execute(f"drop view {table.name}; drop table stored.{table.name}")
    con.execute(f"alter table stored.redacted rename to {table.name}")
    con.execute(f"create view {table.name} as from stored.{table.name}")


def _hidden(con: duckdb.DuckDBPyConnection, table: Table, column: str, names: frozenset[str]) -> str:
    """The SQL expression that takes the place of a column of ids or text; NULL stays NULL."""
    if table.column(column).kind == "id":
        return column if column == "product_id" else _id(column)
    if column in _COMPANY or (table.name, column) == ("accounts", "name"):
        return f"'Company ' || name_hmac({column})"
    if (table.name, column) == ("leads", "referred_by"):
        is_company = "lower(trim(referred_by)) in (select lower(trim(name)) from loaded_names)"
        return f"case when {is_company} then 'Company ' else 'Person ' end || name_hmac(referred_by)"
    if table.name in ("contacts", "leads", "users") and column == "name":
        return "'Person ' || name_hmac(name)"
    if column == "first_name":
        return "case when first_name is not null then 'Person' end"
    if column == "last_name":
        return "case when last_name is not null then name_hmac(concat_ws(' ', first_name, last_name)) end"
    if column == "email":
        return _email("email")
    if column == "other_emails":
        each = _email("address")
        return (
            f"list_aggregate([{each} for address in string_split_regex(other_emails, '[,;\\s]+')], 'string_agg', ';')"
        )
    if column == "domain":
        return "substr(hmac(lower(trim(domain))), 1, 12) || '.example'"
    if column == "tax_id":
        # Public registers tell whose it is.
        return f"case when tax_id is not null then {_id('tax_id')} end"
    if column == "phone":
        return "case when phone is not null then '+' || translate(substr(hmac(phone), 1, 12), 'abcdef', '012345') end"
    if column in _FREE or (table.name, column) == ("opportunities", "name"):
        return f"case when trim({column}) <> '' then '{SILENT}' end"
    return _category(con, table.name, column, names)


def _category(con: duckdb.DuckDBPyConnection, table: str, column: str, names: frozenset[str]) -> str:
    """A column of few values stays, without those that name somebody or that only one says; one of many values goes."""
    rows = con.execute(
        f"select {column}, count(*) from {table} where {column} is not null group by 1 limit {MOST_CATEGORIES + 1}"
    ).fetchall()
    if len(rows) > MOST_CATEGORIES and table != "products":
        return f"case when {column} is not null then '{GONE}' end"
    is_sold = table == "products" or column in _NAMED_THINGS
    telling = [
        value
        for value, records in rows
        if _scrubbed(value, names) != value
        or _reaches_somebody(value)
        or (not is_sold and records < SHARED and len(value.split()) > LONGEST_CATEGORY)
    ]
    if not telling:
        return column
    return f"case when {column} in ({', '.join(map(_literal, telling))}) then '{GONE}' else {column} end"


def _reaches_somebody(words: str) -> bool:
    """Whether the words hold a telephone number, or a web site under a suffix that there is."""
    numbers = (found[0] for found in _PHONE.finditer(words))
    if any(7 <= sum(map(str.isdigit, found)) <= 15 and not _DATE.fullmatch(found) for found in numbers):
        return True
    if "www." in words.lower() or "://" in words:
        return True
    hosts = [found[0].lower() for found in _DOMAIN.finditer(words)]
    return any(_suffixes().privatesuffix(host) for host in hosts)


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  # 50 ms that a run without --redact need not pay

    return PublicSuffixList(accept_unknown=False)


def _literal(value: str) -> str:
    return f"'{quoted(value)}'"


def _names(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """Every name of somebody, in lower case, and `loaded_names`, the companies among them."""
    companies = " union ".join(
        f"select {column} as name from {table.name} where {column} is not null"
        for table in TABLES.values()
        for column in (
            *(c.name for c in table.columns if c.name in _COMPANY),
            *(("name",) * (table.name == "accounts")),
        )
    )
    con.execute(f"create or replace temp table loaded_names as {companies}")
    people = (
        "select name from contacts union select concat_ws(' ', first_name, last_name) from contacts "
        "union select name from leads union select referred_by from leads union select name from users"
    )
    called = {
        query: {_plain(name) for (name,) in con.execute(query).fetchall() if name and len(name) >= SHORTEST_NAME}
        for query in ("select name from loaded_names", people)
    }
    # "Doe, Jane" is Jane Doe.
    turned = {f"{last} {rest}" for rest, _, last in (name.rpartition(" ") for name in called[people]) if rest}
    return frozenset(turned.union(*called.values()))


def _plain(words: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", words.lower()))


def _scrubbed(words: str, names: frozenset[str]) -> str:
    """The words, or that they were taken out: where they hold an address or the whole name of somebody."""
    if re.search(r"[^\s@]+@[^\s@]+\.[^\s@]+", words):
        return GONE
    parts = _plain(words).split()
    spans = (" ".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, min(i + 9, len(parts)) + 1))
    return GONE if any(span in names for span in spans) else words
