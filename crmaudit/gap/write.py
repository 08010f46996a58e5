"""The gap report as files, by our templates or the user's own."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, TemplateError, TemplateNotFound
from markupsafe import Markup

from crmaudit import querying, report
from crmaudit.errors import InputError, UsageError
from crmaudit.gap import build, guidance, interviews, progress
from crmaudit.gap.page import GapPage
from crmaudit.outputs.pdf import pdf
from crmaudit.render import as_markdown, environment
from crmaudit.resources import folder

TEMPLATES = ("gap.html.j2", "gap.md.j2", "document.css", "gap.toml")
"""What a folder of one's own may hold; what it lacks is ours."""


@dataclass(frozen=True)
class Plan:
    """What is to be written beside an audit: checked before the audit is run, since that may take long."""

    client: build.Client
    places: tuple[Path, ...]
    """Folders of templates, the first going before."""
    earlier: report.Report | None = None
    pdf: bool = False

    def __post_init__(self) -> None:
        guidance.read(self.places)
        if self.pdf:
            pdf("<p>What is missing for PDF is told now.</p>")

    def write(self, audited: report.Report, audit: Path) -> None:
        """Writes gap.html, gap.md and, where asked for, gap.pdf into an audit folder that has its audit.duckdb."""
        page = page_of(audited, audit, self.client, self.places, self.earlier)
        written = html(page, self.places)
        (audit / "gap.html").write_text(written, encoding="utf-8")
        (audit / "gap.md").write_text(markdown(page, self.places), encoding="utf-8")
        if self.pdf:
            (audit / "gap.pdf").write_bytes(pdf(written))


def page_of(
    audited: report.Report, audit: Path, client: build.Client, places: Sequence[Path], earlier: report.Report | None
) -> GapPage:
    """The gap report of an audit folder."""
    words = guidance.read(places)
    con = querying.open_locked(audit / "audit.duckdb")
    try:
        people = interviews.draw(con, words.interviews, audited.currency)
    finally:
        con.close()
    since = progress.since(earlier, audited, words) if earlier else None
    return build.page(audited, words, client, people, since)


def html(page: GapPage, places: tuple[Path, ...]) -> str:
    """One file that loads nothing and runs nothing; its style alone is allowed, by its hash."""
    style = (
        f":root {{ --accent: {page.accent}; }}\n{_found('document.css', places).read_text(encoding='utf-8').strip()}"
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    env = environment(*places)
    return _render("gap.html.j2", places, env, gap=page, style=Markup(style), policy=policy)  # noqa: S704


def markdown(page: GapPage, places: tuple[Path, ...]) -> str:
    """The same as Markdown; whatever the template prints is escaped for it."""
    env = environment(*places)
    env.finalize = as_markdown
    return _render("gap.md.j2", places, env, gap=page)


def _render(name: str, places: tuple[Path, ...], env: Environment, **context: object) -> str:
    try:
        return env.get_template(name).render(**context)
    except TemplateNotFound as error:
        raise UsageError(f"{places[0]}: there is no template {error}") from error
    except TemplateError as error:
        where = f"{getattr(error, 'filename', None) or name}:{getattr(error, 'lineno', '')}".rstrip(":")
        raise UsageError(f"{where}: {error}") from error


def folders(templates: Path | None) -> tuple[Path, ...]:
    """Where templates and words are looked for: the user's folder first."""
    if templates is not None and not templates.is_dir():
        raise UsageError(f"{templates}: no such folder")
    return (*((templates,) if templates else ()), folder("report_templates"))


def _found(name: str, places: tuple[Path, ...]) -> Path:
    return next(place / name for place in places if (place / name).is_file())


def init(place: Path) -> tuple[Path, ...]:
    """Copies our templates into a folder, to start from; UsageError where one of them is there already."""
    present = [place / name for name in TEMPLATES if (place / name).exists()]
    if present:
        raise UsageError(f"{present[0]} exists already; choose another folder with --init-templates")
    place.mkdir(parents=True, exist_ok=True)
    return tuple(Path(shutil.copyfile(folder("report_templates") / name, place / name)) for name in TEMPLATES)


def read_earlier(audit: Path) -> report.Report:
    """The report of an earlier audit folder; InputError where there is none that this version reads."""
    path = audit / "audit.json" if audit.is_dir() else audit
    try:
        return report.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{audit} holds no audit.json") from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} is no audit of this version: {error}") from error
