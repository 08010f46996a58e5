"""The report object as text: one HTML file, Markdown, and a summary for the terminal.

The same report gives the same bytes: no clock, no locale, no network. The templates in `report_templates` print what
`view.page` has put into words.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crmaudit import text, view
from crmaudit.digest import Digest
from crmaudit.history import Change, Difference, Trends
from crmaudit.page import Page
from crmaudit.report import LEVELS, Level, Report
from crmaudit.resources import folder

_STYLES: dict[Level, str] = {"act": "bold red", "watch": "yellow", "good": "green", "info": "dim"}
_SHOWN: dict[Level, int] = {"act": 20, "watch": 10, "good": 5, "info": 0}
"""How many findings of each level a terminal shows."""


PRINTED_ROWS = 6
"""Rows of each table on paper."""
PRINTED_COLUMNS = 10
"""Columns that a page is wide enough for; a broader table stands in strips of as many."""


def html(report: Report, *, title: str = "Customer base audit", trends: Trends | None = None) -> str:
    """`report.html`, from the report alone: without the queries."""
    return html_page(view.page(report, title=title, trends=trends))


def html_page(page: Page, queries: Mapping[str, str] | None = None) -> str:
    """`report.html`: one file that loads nothing. Its one script and its style are allowed by their hashes alone.

    `queries` has the SQL of audits by their id.
    """
    templates = folder("report_templates")
    script, style = _read(templates / "report.js"), _read(templates / "style.css")
    return environment(templates).get_template("report.html.j2").render(
        page=page,
        queries=queries or {},
        script=Markup(script),  # noqa: S704 -- our own file
        style=Markup(style),  # noqa: S704 -- our own file
        policy="default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"script-src '{_hash(script)}'; style-src '{_hash(style)}'",
    )  # fmt: skip


def markdown(report: Report, *, title: str = "Customer base audit") -> str:
    """`report.md`, from the report alone: without the pictures."""
    return markdown_page(view.page(report, title=title, pictures=False))


def markdown_page(page: Page, *, pictures: bool = False) -> str:
    """`report.md`: the same in Markdown, with the first ten rows of each table.

    `pictures` shows the page's from beside the file, `charts/<name>.png`.
    """
    templates = environment(folder("report_templates"))
    templates.finalize = as_markdown
    templates.filters["code"] = code
    return templates.get_template("report.md.j2").render(page=page, pictures=pictures)


def paper_page(page: Page) -> str:
    """The page that becomes `report.pdf`: the same content without a script, its long tables cut."""
    templates = folder("report_templates")
    style = Markup(_read(templates / "paper.css"))  # noqa: S704 -- our own file
    template = environment(templates).get_template("paper.html.j2")
    return template.render(page=page, style=style, most=PRINTED_ROWS, broad=PRINTED_COLUMNS)


def weekly(page: Digest) -> tuple[str, str]:
    """The weekly mail as HTML and as plain text."""
    templates = folder("report_templates")
    plain = environment(templates)
    plain.autoescape = False
    return (
        environment(templates).get_template("weekly.html.j2").render(page=page),
        plain.get_template("weekly.txt.j2").render(page=page),
    )


def terminal(report: Report, console: Console) -> None:
    """Prints the findings by level and how many questions were answered, in 80 columns or more."""
    page = view.page(report, pictures=False)
    console.print(_said(page.verdict))
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, expand=False)
    table.add_column("", no_wrap=True)
    table.add_column("Finding", ratio=1)
    table.add_column("Customers", justify="right", no_wrap=True)
    table.add_column("At stake", justify="right", no_wrap=True)
    hidden = 0
    for level in LEVELS:
        lines = [line for group in page.groups if group.level == level for line in group.lines]
        hidden += max(0, len(lines) - _SHOWN[level])
        for line in lines[: _SHOWN[level]]:
            table.add_row(
                Text(line.level_name, style=_STYLES[level]),
                _said(line.text),
                Text(line.customers.partition(text.NO_BREAK)[0]),
                _said(line.stake),
            )
    if table.row_count:
        console.print(table)
    if hidden:
        console.print(_said(f"and {text.number(hidden)} more in the report."))
    for line in page.data:
        console.print(_said(f"Data: {line.text}"))
    for shown in page.failed:
        console.print(_said(f"Failed: {shown.id}: {shown.reason}", "red"))


def difference(found: Difference, currency: str, console: Console) -> None:
    """Prints what differs between two audits: figures by question, then answers and findings."""
    console.print(_said(f"As of {found.old_as_of}, and as of {found.new_as_of}:"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column("", ratio=1)
    table.add_column("Before", justify="right")
    table.add_column("Now", justify="right")
    alike, title = found.unchanged, ""
    for change in found.changes:
        before, now = (text.value(value, change.unit, currency) for value in (change.old, change.new))
        if before == now:
            # What differs in digits that nobody is shown.
            alike += 1
            continue
        if change.title != title:
            title = change.title
            table.add_row(_said(text.clean(title), "bold"), "", "")
        table.add_row(_said("  " + text.clean(change.label)), _said(before), _said(now, _tone(change)))
    if table.row_count:
        console.print(table)
    console.print(_said(f"{text.count(alike, 'figure')} as before."))
    for audit, was, is_now in found.statuses:
        console.print(_said(f"{text.clean(audit)} was {was}, now {is_now}."))
    for heading, findings in (("New", found.appeared), ("Gone", found.gone)):
        for finding in findings:
            console.print(_said(f"{heading}: {text.clean(finding.text)}", _STYLES[finding.level]))


def _tone(change: Change) -> str:
    if change.better is None or not all(isinstance(v, int | float) for v in (change.old, change.new)):
        return ""
    return "green" if (change.new > change.old) == (change.better == "up") else "red"  # type: ignore[operator]


def _said(words: str, style: str = "") -> Text:
    """Words as they are, never as rich's markup; a terminal may break a line at any blank."""
    return Text(words.replace(text.NO_BREAK, " "), style=style)


def environment(*templates: Path) -> Environment:
    """Templates of the folders, those of the first going before, whose every value is escaped for HTML.

    Templates beside ours are somebody else's, and reach nothing but what they are given.
    """
    kind = SandboxedEnvironment if len(templates) > 1 else Environment
    return kind(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


class Code(str):
    """Words in a code span, where Markdown reads nothing: no entity may stand there."""

    __slots__ = ()


def code(words: str) -> str:
    """A plain identifier or command as a code span; anything else stays text."""
    return Code(f"`{words}`") if re.fullmatch(r"(?:crmaudit explain )?[a-z][a-z0-9_.]*", words) else words


def as_markdown(value: object) -> Markup:
    """Whatever a Markdown template prints, escaped for Markdown; HTML's own escapes are entities there as well."""
    if isinstance(value, Code):
        return Markup(value)  # noqa: S704 -- letters, digits, points and underscores between backticks
    return Markup(text.markdown(str(value)))  # noqa: S704 -- every character that HTML reads is an entity by now


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
