"""The example company: the same bytes for a seed, and the planted truths are in the raw exports, or not."""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest

from examples import company

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "examples" / "exports"
Record = dict[str, str]

FACTS = {
    "crm_accounts": ("created_date", "customer_since"),
    "crm_contacts": ("created_date",),
    "crm_leads": ("created_date", "qualified_date", "converted_date", "disqualified_date"),
    "crm_opportunities": ("created_date", "close_date"),
    "billing_invoices": ("issue_date", "paid_date"),
    "support_tickets": ("created_at", "first_response_at", "resolved_at"),
}


class Exports(NamedTuple):
    """The rows of each export, those exported twice counted once."""

    crm_users: list[Record]
    crm_accounts: list[Record]
    crm_contacts: list[Record]
    crm_leads: list[Record]
    crm_opportunities: list[Record]
    billing_products: list[Record]
    billing_invoices: list[Record]
    support_tickets: list[Record]


def rows(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def read(folder: Path) -> Exports:
    return Exports(*({tuple(row.values()): row for row in rows(folder / f"{name}.csv")} for name in Exports._fields))._make(
        [list({tuple(row.values()): row for row in rows(folder / f"{name}.csv")}.values()) for name in Exports._fields]
    )
