"""What the page does in a real browser: the script runs under its policy, tables sort and filter, nothing overflows."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from crmaudit import render
from tests.command import ROOT, crmaudit
from tests.hostile import HANDFUL
from tests.report_sample import sample, with_words

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine"),
]

STEPS = """
<script>
const out = {};
const table = document.getElementById("win-loss-by-competitor-table-1-rows");
const column = (i) => [...table.tBodies[0].rows].map((row) => row.cells[i].textContent);
const press = (i) => { table.tHead.rows[0].cells[i].querySelector("button").click(); return column(i); };
out.money = press(6);
out.moneyDown = press(6);
out.sorted = table.tHead.rows[0].cells[6].getAttribute("aria-sort");
out.absentLast = [press(8).at(-1), press(8).at(-1)];
const list = document.getElementById("contact-reachability-table-1");
const input = list.querySelector("input");
input.value = "osei";
input.dispatchEvent(new Event("input", { bubbles: true }));
out.filtered = list.querySelector("output").textContent;
document.querySelector('a[href="#contact-reachability-table-1"]').click();
setTimeout(() => {
  out.opened = list.open;
  document.querySelectorAll("details").forEach((box) => { box.open = true; });
  out.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.title = JSON.stringify(out);
}, 50);
</script></body>"""


def _page(folder: Path, text: str, width: int = 1280) -> str:
    """The page's DOM after its scripts have run."""
    path = folder / "report.html"
    path.write_text(text, encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    command += [f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", "--virtual-time-budget=2000"]
    ran = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, timeout=60, check=True)
    return ran.stdout.decode()


def test_the_policy_lets_the_script_run(tmp_path: Path) -> None:
    text = render.html(sample())
    assert '<div class="filter" hidden>' in text
    assert '<div class="filter" hidden' not in _page(tmp_path, text)


def test_the_policy_stops_any_other_script(tmp_path: Path) -> None:
    text = render.html(sample()).replace("</body>", "<script>document.title = 'ran'</script></body>")
    assert "<title>ran</title>" not in _page(tmp_path, text)


@pytest.mark.parametrize("width", [1280, 500])
def test_tables_sort_and_filter_and_links_open_them(tmp_path: Path, width: int) -> None:
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", render.html(sample()))
    page = _page(tmp_path, text.replace("</body>", STEPS), width)
    out: dict[str, Any] = json.loads(html.unescape(re.findall("<title>(.*?)</title>", page)[0]))
    assert out["money"] == ["9,940.00", "88,120.00", "120,300.00", "291,050.50", "318,400.00"]
    assert out["moneyDown"] == out["money"][::-1]
    assert out["sorted"] == "descending"
    assert out["absentLast"] == ["\u2013", "\u2013"]
    assert out["filtered"] == "8 of 100 shown"
    assert out["opened"] is True
    assert out["overflow"] <= 0


LOOK = ROOT / "build" / "browser"
LOOKS = ((), ("--dark",), ("--width=390",), ("--dark", "--width=390"), ("--print",))
looked_at = pytest.mark.skipif(not (LOOK / "node_modules").is_dir(), reason="`make a11y` installs what this wants")


def _looked_at(*pages: Path, looks: tuple[str, ...] = ()) -> None:
    """Axe finds nothing in the pages, which say, ask for and open nothing and are no wider than their window."""
    command = ["node", str(LOOK / "look.mjs"), BROWSER, *looks, *map(str, pages)]
    ran = subprocess.run(command, capture_output=True, timeout=1200, check=True)
    told: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [Path(seen["page"]) for seen in told] == list(pages)
    for seen in told:
        assert seen["violations"] == []
        assert [seen[what] for what in ("console", "errors", "requests", "dialogs")] == [[], [], [], []]
        assert seen["overflow"] <= 0


@looked_at
@pytest.mark.parametrize("looks", LOOKS, ids=" ".join)
def test_axe_finds_nothing_in_hostile_words(tmp_path: Path, looks: tuple[str, ...]) -> None:
    path = tmp_path / "report.html"
    path.write_text(
        render.html(with_words(sample(), lambda said: f"{said} {' '.join(HANDFUL)}" if looks else said)), "utf-8"
    )
    _looked_at(path, looks=looks)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("example") / "audit"
    ran = crmaudit("gap", ROOT / "examples" / "exports", "--client", "Harbor & Finch", "--out", out)
    assert ran.code == 0, ran.err
    return out


@looked_at
@pytest.mark.parametrize("looks", LOOKS, ids=" ".join)
def test_axe_finds_nothing_in_the_reports_of_the_example(example: Path, looks: tuple[str, ...]) -> None:
    _looked_at(example / "report.html", example / "gap.html", looks=looks)


@pytest.fixture(scope="module")
def letters(example: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The weekly mail, its picture put in where a mail program would, and the page of one customer."""
    folder = tmp_path_factory.mktemp("letters")
    ran = crmaudit(
        "weekly", ROOT / "examples" / "exports", "--to", "a@example.com", "--dry-run", "--out", folder / "audit"
    )
    assert ran.code == 0, ran.err
    (mail,) = (folder / "audit" / "weekly" / "dry-run").glob("*.eml")
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("html",))
    assert body is not None
    picture = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
    (folder / "mail.html").write_text(re.sub(r"cid:[^\"]+", picture, body.get_content()), "utf-8")
    found = json.loads((example / "audit.json").read_text("utf-8"))["audits"]
    (recency,) = [audit for audit in found if audit["id"] == "recency"]
    (overdue,) = [table for table in recency["tables"] if table["name"] == "overdue"]
    page = crmaudit("customer", overdue["rows"][0][0], "--audit", example, "--format", "html")
    (folder / "customer.html").write_text(page.out, "utf-8")
    return folder / "mail.html", folder / "customer.html"


@looked_at
@pytest.mark.parametrize("looks", LOOKS, ids=" ".join)
def test_axe_finds_nothing_in_the_mail_and_the_page_of_a_customer(
    letters: tuple[Path, Path], looks: tuple[str, ...]
) -> None:
    _looked_at(*letters, looks=looks)
