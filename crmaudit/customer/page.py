"""What the templates of a customer's page print: everything in words."""

from __future__ import annotations

from dataclasses import dataclass

from crmaudit.page import Head
from crmaudit.report import Level


@dataclass(frozen=True)
class Reason:
    """A list of the audit in which the customer stands, and what it says of them."""

    level: Level
    level_name: str
    title: str
    audit_title: str
    detail: str


@dataclass(frozen=True)
class Section:
    """Some of the customer's records, the latest first."""

    title: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class CustomerPage:
    """The whole page."""

    name: str
    as_of: str
    standing: str
    facts: tuple[tuple[str, str], ...]
    to_do: tuple[str, ...]
    reasons: tuple[Reason, ...]
    sections: tuple[Section, ...]
    version: str
