"""A customer's page on the terminal, as HTML or as Markdown."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crmaudit import querying, text
from crmaudit.customer.build import build
from crmaudit.customer.find import find
from crmaudit.customer.page import CustomerPage, Section
from crmaudit.errors import UsageError
from crmaudit.gap.brand import DEFAULT_ACCENT
from crmaudit.render import as_markdown, environment
from crmaudit.report import from_json
from crmaudit.resources import folder


def page(words: str, audit: Path) -> CustomerPage:
    """The page of whom the words name, from an audit folder; UsageError where there is no such folder or customer."""
    database, told = audit / "audit.duckdb", audit / "audit.json"
    if not database.is_file() or not told.is_file():
        raise UsageError(f"{audit} holds no audit; run `crmaudit analyze EXPORTS --out {audit}` first")
    report = from_json(told.read_text(encoding="utf-8"))
    con = querying.open_locked(database)
    try:
        return build(con, report, find(con, words))
    finally:
        con.close()


def html(shown: CustomerPage) -> str:
    """One file that loads nothing and runs nothing."""
    templates = folder("report_templates")
    css = (templates / "document.css").read_text(encoding="utf-8").strip()
    style = f":root {{ --accent: {DEFAULT_ACCENT}; }}\n{css}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    template = environment(templates).get_template("customer.html.j2")
    return template.render(page=shown, style=Markup(style), policy=policy)  # noqa: S704 -- our own file


def markdown(shown: CustomerPage) -> str:
    """The same in Markdown, every value escaped for it."""
    templates = environment(folder("report_templates"))
    templates.finalize = as_markdown
    return templates.get_template("customer.md.j2").render(page=shown)


def terminal(shown: CustomerPage, console: Console) -> None:
    """The same in as many columns as the terminal has; words of the data are never taken for commands."""
    console.print(_said(shown.name, "bold"))
    console.print(_said(shown.standing))
    facts = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in shown.facts:
        facts.add_row(_said(name, "dim"), _said(value))
    console.print(facts)
    console.print(_said("\nWhat to do", "bold"))
    for line in shown.to_do:
        console.print(_said(f"- {line}"))
    if shown.reasons:
        console.print(_said("\nWhere they stand out", "bold"))
        for reason in shown.reasons:
            console.print(_said(f"- {reason.level_name}: {reason.title} ({reason.audit_title}). {reason.detail}"))
    for section in shown.sections:
        console.print(_said(f"\n{section.title}", "bold"))
        console.print(_table(section))


def _table(section: Section) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in section.heads:
        table.add_column(_said(head.label), justify="right" if head.number else "left")
    for row in section.rows:
        table.add_row(*map(_said, row))
    return table


def _said(words: str, style: str = "") -> Text:
    """Words as they are, never as rich's markup."""
    return Text(words.replace(text.NO_BREAK, " "), style=style)
