"""The example's exports with a hostile string in every other text cell, and what became of them in every output.

`python -m tests.hostile_exports` prints how many strings went in and how many faults came out; it wants the shared
corpus beside the checkout, and for the browser's part Chromium and `make a11y` once.
"""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from xml.etree import ElementTree

from markdown_it import MarkdownIt

from crmaudit.schema import TABLES
from tests.command import EXPORTS, ROOT, crmaudit
from tests.hostile import corpus
from tests.outputs.workbook import parts
from tests.test_render import Page

LOOK = ROOT / "build" / "browser"
PAGES = ("report.html", "gap.html", "mail.html")
HEADERS = {"Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"}
SETTINGS = '[mail]\nhost = "localhost"\nport = 9\nsecurity = "none"\nsender = "audit@example.com"\n'
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def spread(columns: Mapping[str, Mapping[str, str]], payloads: Sequence[str], out: Path) -> int:
    """Copies the example with payloads in every other row of each text column; how many different ones are in it.

    `columns` is file name -> source column -> canonical address. Rows between keep their words, so that there are
    stages, kinds and states for the audits to answer by.
    """
    out.mkdir()
    given, used = itertools.cycle(payloads), set[str]()
    for path in sorted(EXPORTS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        texts = [i for i, name in enumerate(head) if _is_text(columns.get(path.name, {}).get(name, ""))]
        for row in rows[1::2]:
            for i in texts:
                row[i] = next(given)
                used.add(row[i])
        with (out / path.name).open("w", encoding="utf-8", errors="replace", newline="") as file:
            csv.writer(file).writerows([head, *rows])
    return len(used)


def _is_text(address: str) -> bool:
    table, _, column = address.partition(".")
    return bool(column) and TABLES[table].column(column).kind == "text"


def outputs(exports: Path, out: Path) -> dict[str, Path]:
    """Every output by name; the mail's HTML as a page of its own."""
    out.mkdir()
    (out / "mail.toml").write_text(SETTINGS, encoding="utf-8")
    commands = (
        ("analyze", exports, "--out", out / "audit", "--format", "xlsx", "--quiet"),
        ("gap", exports, "--client", "<b>Client</b>", "--out", out / "gap", "--quiet"),
        (
            "weekly",
            exports,
            "--to",
            "ann@example.com",
            "--config",
            out / "mail.toml",
            "--dry-run",
            "--out",
            out / "week",
        ),
    )
    said = []
    for command in commands:
        ran = crmaudit(*command)
        if ran.code != 0:
            raise RuntimeError(f"{command[0]} exited with {ran.code}: {ran.err[-500:]}")
        said.append(ran.out + ran.err)
    (out / "said.txt").write_text("\n".join(said), encoding="utf-8")
    (letter,) = (out / "week" / "weekly" / "dry-run").rglob("*.eml")
    # A mail program shows the picture that came with it; a browser has none to ask for.
    shown = _body(_letter(letter), "html").replace("cid:week", "data:image/png;base64,")
    (out / "mail.html").write_text(shown, encoding="utf-8")
    return {
        **{path.name: path for path in (out / "said.txt", out / "mail.html", letter.rename(out / "mail.eml"))},
        **{name: out / "audit" / name for name in ("report.html", "report.md", "audit.xlsx")},
        **{name: out / "gap" / name for name in ("gap.html", "gap.md")},
    }


def faults(hostile: Mapping[str, Path], harmless: Mapping[str, Path]) -> Iterator[str]:
    """What of the hostile outputs runs, links, or is no mere word; the harmless ones show what mark-up is ours."""
    for name in PAGES:
        yield from _of_page(name, hostile[name].read_text("utf-8"), harmless[name].read_text("utf-8"))
    for name in ("report.md", "gap.md"):
        yield from _of_markdown(name, hostile[name].read_text("utf-8"))
    yield from _of_workbook(hostile["audit.xlsx"])
    yield from _of_mail(hostile["mail.eml"])
    for name in ("said.txt", "report.md", "gap.md", *PAGES):
        if found := CONTROLS.search(hostile[name].read_text("utf-8")):
            yield f"{name}: the control character {found[0]!r}"


def _of_page(name: str, hostile: str, harmless: str) -> Iterator[str]:
    page, ours = Page(hostile), Page(harmless)
    yield from (f"{name}: <{tag}> is closed and was not opened" for tag in page.faults)
    yield from (f"{name}: <{tag}> with {attributes}" for tag, attributes in set(page.tags) - set(ours.tags))
    known = {(tag, attribute) for tag, attribute, _ in ours.attributes}
    for tag, attribute, value in page.attributes:
        if (tag, attribute) not in known or attribute.startswith("on"):
            yield f"{name}: {attribute} of <{tag}>"
        if attribute in ("href", "src") and not value.startswith(("#", "data:image/")):
            yield f"{name}: {attribute}={value!r}"
    if name != "mail.html":
        yield from (f"{name}: another {kind}" for kind in page.raw if page.raw[kind] != ours.raw[kind])


def _of_markdown(name: str, markdown: str) -> Iterator[str]:
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown):
        for one in (token, *(token.children or ())):
            if one.type in ("html_block", "html_inline", "link_open", "image", "fence", "code_block"):
                yield f"{name}: {one.type} {one.content[:60]!r}"
    yield from (f"{name}: a bare address {found!r}" for found in re.findall(r"\w+://\S+|\bwww\.\w\S*", markdown))


def _of_workbook(path: Path) -> Iterator[str]:
    for name, part in parts(path).items():
        for element in ElementTree.fromstring(part).iter():  # noqa: S314 -- written by us
            kind = element.tag.rpartition("}")[2]
            if kind in ("f", "hyperlink", "externalReference", "ddeLink", "oleLink"):
                yield f"{path.name}/{name}: <{kind}>"
            if element.get("TargetMode") == "External" or "vba" in element.get("ContentType", ""):
                yield f"{path.name}/{name}: {element.attrib}"


def _of_mail(path: Path) -> Iterator[str]:
    mail = _letter(path)
    if set(mail.keys()) != HEADERS or len(mail.keys()) != len(HEADERS):
        yield f"{path.name}: headers {sorted(mail.keys())}"
    if not re.fullmatch(r"Week \d+[a-z0-9 ,:]*", str(mail["Subject"])):
        yield f"{path.name}: subject {mail['Subject']!r}"
    plain = _body(mail, "plain")
    if found := CONTROLS.search(plain):
        yield f"{path.name}: the control character {found[0]!r}"
    kinds = {part.get_content_type() for part in mail.walk()}
    if not kinds <= {"multipart/alternative", "multipart/related", "text/plain", "text/html", "image/png"}:
        yield f"{path.name}: parts {sorted(kinds)}"


def _letter(path: Path) -> EmailMessage:
    return message_from_bytes(path.read_bytes(), policy=policy.default)


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()) if part else ""


def seen_in_browser(hostile: Mapping[str, Path]) -> Iterator[str]:
    """What a browser asks for, says, or opens when it shows the pages with every fold open."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None or not (LOOK / "node_modules").is_dir():
        yield "no browser looked: that wants Chromium, and `make a11y` once"
        return
    command = ["node", str(LOOK / "look.mjs"), browser, "--no-axe", *(str(hostile[name]) for name in PAGES)]
    told = subprocess.run(command, capture_output=True, check=True, timeout=1200).stdout.splitlines()
    for name, line in zip(PAGES, told, strict=True):
        seen = json.loads(line)
        asked = [url for url in seen["requests"] if not url.startswith("data:image/")]
        yield from (f"{name}: asks for {url}" for url in asked)
        yield from (f"{name}: {what} {seen[what]}" for what in ("console", "errors", "dialogs") if seen[what])


def measured(scratch: Path) -> tuple[int, list[str]]:
    """How many strings were in the exports, and every fault of the outputs."""
    harmless = outputs(EXPORTS, scratch / "harmless")
    audit = json.loads((scratch / "harmless" / "audit" / "audit.json").read_text("utf-8"))
    columns = {Path(source["path"]).name: source["columns"] for source in audit["sources"]}
    used = spread(columns, corpus(1), scratch / "exports")
    hostile = outputs(scratch / "exports", scratch / "hostile")
    return used, [*faults(hostile, harmless), *seen_in_browser(hostile)]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        strings, found = measured(Path(place))
    print(f"{strings:,} hostile strings in the text columns of the example; {len(found):,} faults in its outputs")
    print("".join(f"  {fault}\n" for fault in found[:40]), end="")
    sys.exit(1 if found else 0)
