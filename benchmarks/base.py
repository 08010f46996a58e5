"""The base that is measured on: a million customers and eight million invoices, and the scan that is the unit.

python -m benchmarks.base make FOLDER    writes FOLDER/invoices.csv, about 390 MB
python -m benchmarks.base scan FOLDER    prints the median seconds of five warm scans of it
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

SEED = 20260630
FIRST_DAY = "2023-07-01"
DAYS = 1096
"""2023-07-01 to 2026-06-30."""
CUSTOMERS = 1_000_000
INVOICES = 8_000_000

# BG/NBD (Fader, Hardie & Lee 2005), rates per day: a purchase every six weeks in the mean, one customer in ten
# leaving after it. Gamma-gamma (Fader & Hardie 2013) with the parameters of CDNOW.
RATE_SHAPE, RATE_SCALE = 1.0, 1 / 42
DROPOUT_A, DROPOUT_B = 0.5, 4.5
SPEND_P, SPEND_Q, SPEND_GAMMA = 6.25, 3.74, 15.44

FILE = "invoices.csv"
UNIT = "select count(*), sum(amount), max(issue_date), max(customer_id) from read_csv(?)"
SCANS = 5

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Purchases:
    """Aligned arrays, one element per invoice: customer number, day since the first, amount in cents."""

    customer: Ints
    day: Ints
    cents: Ints


def purchases(customers: int, invoices: int, seed: int = SEED) -> Purchases:
    """Draws a base in the order of its days; ValueError where the process yields fewer than `invoices`.

    Customers join evenly over the period, the first purchase included. What the process yields beyond `invoices` is
    thinned at random among the repeat purchases: a thinned Poisson process is a Poisson process.
    """
    rng = np.random.default_rng(seed)
    rate = rng.gamma(RATE_SHAPE, RATE_SCALE, customers)
    dropout = rng.beta(DROPOUT_A, DROPOUT_B, customers)
    alive = np.arange(customers, dtype=np.int32)
    now = rng.uniform(0, DAYS, customers)
    who, when = [alive], [now.astype(np.int32)]
    while alive.size:
        stays = rng.random(alive.size) >= dropout[alive]
        alive, now = alive[stays], now[stays]
        now = now + rng.standard_exponential(alive.size) / rate[alive]
        alive, now = alive[now < DAYS], now[now < DAYS]
        who.append(alive)
        when.append(now.astype(np.int32))
    customer, day = np.concatenate(who), np.concatenate(when)
    surplus = customer.size - invoices
    if surplus < 0:
        raise ValueError(f"the process yields {customer.size} invoices, fewer than {invoices}")
    dropped = customers + rng.choice(customer.size - customers, surplus, replace=False)
    customer, day = np.delete(customer, dropped), np.delete(day, dropped)
    order = np.lexsort((customer, day))
    customer, day = customer[order], day[order]
    spend = rng.gamma(SPEND_P, 1 / rng.gamma(SPEND_Q, 1 / SPEND_GAMMA, customers)[customer])
    return Purchases(customer, day, np.maximum(np.rint(spend * 100), 1).astype(np.int32))


def write(path: Path, drawn: Purchases) -> None:
    """Writes `drawn` as CSV, whole or not at all; 1 % of the invoices are void and 2 % not yet paid."""
    number = np.arange(1, drawn.customer.size + 1)
    rows = {"number": number, "customer": drawn.customer, "day": drawn.day, "cents": drawn.cents}
    unfinished = path.with_suffix(".part")
    with duckdb.connect() as con:
        con.register("rows", rows)
        con.execute(f"""
            copy (
                select
                    'INV-' || lpad(number::varchar, 9, '0') as invoice_id,
                    'C' || lpad((customer + 1)::varchar, 7, '0') as customer_id,
                    date '{FIRST_DAY}' + day as issue_date,
                    (cents / 100)::decimal(12, 2) as amount,
                    'EUR' as currency,
                    case
                        when (cents * 31 + customer * 17 + day) % 100 = 0 then 'void'
                        when (cents * 31 + customer * 17 + day) % 100 < 3 then 'open'
                        else 'paid'
                    end as status
                from rows
            ) to '{unfinished}' (format csv, header)
        """)
    unfinished.replace(path)


def make(folder: Path) -> Path:
    """The file of the base in `folder`, written unless it is there."""
    path = folder / FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(path, purchases(CUSTOMERS, INVOICES))
    return path


def scan(folder: Path) -> float:
    """Median seconds of warm scans of the base by DuckDB: the unit in which an analysis is measured."""
    path = str(folder / FILE)
    seconds = []
    with duckdb.connect() as con:
        con.execute(UNIT, [path]).fetchall()
        for _ in range(SCANS):
            start = time.perf_counter()
            con.execute(UNIT, [path]).fetchall()
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main(make: Callable[[Path], Path], scan: Callable[[Path], float]) -> None:
    """Runs `make FOLDER` or `scan FOLDER` of the command line."""
    match sys.argv[1:]:
        case ["make", folder]:
            print(make(Path(folder)))
        case ["scan", folder]:
            print(f"{scan(Path(folder)):.4f}")
        case _:
            sys.exit("make FOLDER or scan FOLDER")


if __name__ == "__main__":
    main(make, scan)
