"""The large company: the base's invoices, and a million contacts, five million activities and a million tickets.

python -m benchmarks.company make FOLDER    writes four CSV files, 810 MB, beside each other
python -m benchmarks.company scan FOLDER    prints the median seconds of five warm scans of all four
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import duckdb

from benchmarks import base

CONTACTS = base.CUSTOMERS
ACTIVITIES = 5_000_000
TICKETS = 1_000_000
OWNERS = 60

UNITS = {
    base.FILE: base.UNIT,
    "contacts.csv": "select count(*), max(contact_id), max(email), max(created_date) from read_csv(?)",
    "activities.csv": "select count(*), max(contact_id), max(activity_date), max(subject) from read_csv(?)",
    "tickets.csv": "select count(*), max(contact_id), max(created_at), max(category) from read_csv(?)",
}


def _draw(salt: int, size: int) -> str:
    """SQL of a whole number from 0 to `size` - 1, the same for row `n` wherever DuckDB is of one version."""
    return f"(hash(n * 1000003 + {salt}) % {size})::bigint"


def _pick(salt: int, *words: str) -> str:
    return f"{list(words)!r}[1 + {_draw(salt, len(words))}]"


def _day(salt: int, days: int = base.DAYS) -> str:
    return f"(date '{base.FIRST_DAY}' + {_draw(salt, days)}::integer)"


def _customer(salt: int) -> str:
    return f"'C' || lpad(({_draw(salt, CONTACTS)} + 1)::varchar, 7, '0')"


QUERIES = {
    "contacts.csv": (CONTACTS, f"""
        'C' || lpad((n + 1)::varchar, 7, '0') as contact_id,
        {_pick(1, "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana")} as first_name,
        {_pick(2, "Adler", "Berg", "Costa", "Dietz", "Ek", "Falk", "Grau")} || ' ' || n as last_name,
        'c' || (n + 1) || '@' || {_pick(3, "gmail.com", "web.de", "mail.example")} as email,
        case when {_draw(4, 3)} > 0 then '+49 30 ' || (1000000 + n) end as phone,
        {_pick(5, "north", "south", "east", "west")} as region,
        {_pick(6, "search", "referral", "fair", "mail", "partner")} as lead_source,
        'U' || {_draw(7, OWNERS)} as owner_id,
        {_day(8)} as created_date
    """),
    "activities.csv": (ACTIVITIES, f"""
        'A' || n as activity_id,
        {_customer(11)} as contact_id,
        'U' || {_draw(12, OWNERS)} as owner_id,
        {_pick(13, "call", "email", "email", "meeting", "note", "task")} as activity_type,
        {_pick(14, "inbound", "outbound", "outbound")} as direction,
        {_day(15)} as activity_date,
        {_pick(16, "Offer", "Question", "Catch up", "Invoice", "New product")} as subject
    """),
    "tickets.csv": (TICKETS, f"""
        'T' || n as ticket_id,
        {_customer(21)} as contact_id,
        {_pick(22, "billing", "delivery", "defect", "question", "login")} as category,
        {_pick(23, "low", "normal", "high")} as priority,
        case when {_draw(24, 20)} = 0 then 'open' else 'solved' end as status,
        {_day(25, base.DAYS - 40)} as created_at,
        case when {_draw(24, 20)} > 0 then {_day(25, base.DAYS - 40)} + {_draw(26, 30)}::integer end as solved_at,
        case when {_draw(27, 4)} = 0 then 1 + {_draw(28, 5)} end as satisfaction_score
    """),
}  # fmt: skip


def make(folder: Path) -> Path:
    """The folder with all four files, each written unless it is there."""
    base.make(folder)
    with duckdb.connect() as con:
        for name, (rows, columns) in QUERIES.items():
            path = folder / name
            if not path.exists():
                unfinished = path.with_suffix(".part")
                con.execute(f"copy (select {columns} from range({rows}) t(n)) to '{unfinished}' (format csv, header)")
                unfinished.replace(path)
    return folder


def scan(folder: Path) -> float:
    """Median seconds of warm scans of all four files by DuckDB: the unit."""
    seconds = []
    with duckdb.connect() as con:
        for turn in range(base.SCANS + 1):
            start = time.perf_counter()
            for name, unit in UNITS.items():
                con.execute(unit, [str(folder / name)]).fetchall()
            if turn:
                seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    base.main(make, scan)
