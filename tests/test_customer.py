"""One customer on one page: who is meant, how they stand, what to do, and words that cannot do harm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from markdown_it import MarkdownIt
from sqlglot import ErrorLevel

from crmaudit.customer import build, write
from crmaudit.customer.page import CustomerPage, Reason, Section
from crmaudit.page import Head
from crmaudit.resources import folder
from crmaudit.text import NO_BREAK, clean
from tests.command import crmaudit
from tests.conftest import Audited
from tests.hostile import HANDFUL
from tests.test_render import Page

QUERIES = sorted((folder("queries") / "customer").glob("*.sql"))


def first(example: Audited, sql: str) -> Any:
    con = duckdb.connect(str(example.folder / "audit.duckdb"), read_only=True)
    try:
        return con.execute(sql).fetchall()[0]
    finally:
        con.close()


def test_the_page_of_a_customer_agrees_with_the_audit(example: Audited) -> None:
    name, id_, silence, revenue = first(
        example,
        "select r.customer, p.account_id, r.silence_days, r.revenue_amount from recency.overdue r join parties p using (party_id) "
        "where r.class = 'A' and not exists (from parties q where q.customer = r.customer and q.party_id <> r.party_id) order by 1",
    )
    ran = crmaudit("customer", name, "--audit", example.folder)
    assert (ran.code, ran.err) == (0, "")
    said = ran.said
    assert f"Overdue by their own rhythm: silent for {silence} days" in said
    assert f"{float(revenue):,.0f}" in said or f"{float(revenue):,.2f}" in said
    assert f"Call: silent for {silence} days" in said
    assert "Watch: Overdue (Recency)" in said
    for heading in ("What to do", "Contacts", "Invoices"):
        assert heading in said
    assert crmaudit("customer", id_.lower(), "--audit", example.folder).out == ran.out
    invoices = first(
        example, f"select count(*) from invoices join parties using (party_id) where parties.account_id = '{id_}'"
    )[0]
    shown = write.page(name, example.folder)
    assert len(next(s for s in shown.sections if s.title == "Invoices").rows) == min(10, invoices)


def test_revenue_in_all_is_less_by_what_was_credited(example: Audited) -> None:
    id_, bought, credited = first(
        example,
        "select p.account_id, c.revenue, a.amount from customers c join parties p using (party_id) join "
        "(select party_id, sum(amount) as amount from adjustments group by party_id) a using (party_id) "
        "where c.period = 'current' and a.amount < -1 and c.revenue > 10000 order by 1",
    )
    said = crmaudit("customer", id_, "--audit", example.folder).said
    assert f"{float(bought + credited):,.0f}" in said
    assert f"{float(bought):,.0f}" not in said


def test_notes_of_persons_are_on_no_page(example: Audited) -> None:
    id_, note = first(
        example,
        "select p.account_id, c.note from contacts c join parties p using (party_id) where c.note is not null order by 1, 2",
    )
    for kind in ("text", "html", "md"):
        assert note not in crmaudit("customer", id_, "--audit", example.folder, "--format", kind).out


def test_who_has_no_id_is_found_by_name_without_accents_and_by_their_record(tmp_path: Path) -> None:
    exports, out = tmp_path / "exports", tmp_path / "audit"
    exports.mkdir()
    (exports / "invoices.csv").write_text(
        "invoice_id,customer_name,issue_date,amount\nI1,Müller Bau,2026-01-05,10\nI2,Müller Druck,2026-01-05,10\n",
        encoding="utf-8",
    )
    assert crmaudit("analyze", exports, "--out", out, "--quiet").code == 0
    several = crmaudit("customer", "muller", "--audit", out)
    assert "2 may be meant by 'muller'; name one by its id:\n  name muller bau Müller Bau\n" in several.err
    for words in ("name muller bau", "MULLER BAU", "müller bau"):
        assert "Müller Bau" in crmaudit("customer", words, "--audit", out).out


def test_several_who_may_be_meant_are_listed(example: Audited) -> None:
    ran = crmaudit("customer", "caf", "--audit", example.folder)
    assert (ran.code, ran.out) == (2, "")
    assert re.search(r"[\d,]+ may be meant by 'caf'; name one by its id:\n  ACC-\d+ ", ran.err)
    assert re.search(r"and [\d,]+ more", ran.err)
    assert len(ran.err.splitlines()) == 22


def test_a_name_that_nobody_has(example: Audited) -> None:
    name = first(example, "select customer from parties order by length(customer) desc, 1")[0]
    wrong = name[:-1] + "x"
    ran = crmaudit("customer", wrong, "--audit", example.folder)
    assert ran.code == 2
    assert f"nobody is called {wrong!r}; did you mean {name}" in ran.said
    assert "nobody is called 'Qqqqq'" in crmaudit("customer", "Qqqqq", "--audit", example.folder).said
    assert "nobody is called" in crmaudit("customer", " ", "--audit", example.folder).said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "--audit", "nowhere"), "nowhere holds no audit"),
        (("x", "--format", "pdf"), "--format takes text, html or md"),
    ],
)
def test_usage(arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = crmaudit("customer", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.said


NOBODY: dict[str, Any] = dict.fromkeys(
    ["ended_on", "renews_on", "silence_days", "typical_gap_days", "oldest_open_on", "overdue_amount", "last_conversation_on", "class"]
) | {"is_customer": True, "is_lapsed": False, "is_overdue": False, "is_under_contract": False, "open_tickets": 0,
     "overdue_bills": 0, "contacts": 2, "deciders": 1}  # fmt: skip


def facts(**given: Any) -> dict[str, Any]:
    import datetime as dt  # noqa: PLC0415

    days = {name: dt.date.fromisoformat(v) for name, v in given.items() if name.endswith("_on")}
    return {**NOBODY, "as_of_on": dt.date(2026, 6, 30), **given, **days}


@pytest.mark.parametrize(
    ("given", "to_do"),
    [
        ({}, []),
        ({"open_tickets": 2, "oldest_open_on": "2026-05-01"}, ["Solve 2 open tickets before anything is sold; the oldest is of 2026-05-01."]),
        ({"overdue_bills": 1, "overdue_amount": 12.5}, ["Ask for 1 overdue invoice, 12.50 EUR in all."]),
        ({"renews_on": "2026-09-28"}, ["Prepare the renewal of 2026-09-28."]),
        ({"renews_on": "2026-09-29"}, []),
        ({"is_overdue": True, "silence_days": 40, "typical_gap_days": 10.0}, ["Call: silent for 40 days, where they usually buy every 10 days."]),
        ({"is_lapsed": True, "is_overdue": True, "contacts": 0, "deciders": 0}, ["Ask why they left, before wooing them back."]),
        ({"ended_on": "2026-01-01", "class": "A"}, ["Ask why they left, before wooing them back."]),
        ({"class": "A"}, ["Talk with them: no conversation is on record."]),
        ({"class": "A", "last_conversation_on": "2026-03-31"}, ["Talk with them: the last conversation was on 2026-03-31."]),
        ({"class": "A", "last_conversation_on": "2026-04-01"}, []),
        ({"class": "B"}, []),
        ({"contacts": 1}, ["Get to know a second person there."]),
        ({"deciders": 0}, ["Find out who decides, and note it."]),
        ({"is_customer": False, "contacts": 0, "deciders": 0}, []),
    ],
)  # fmt: skip
def test_what_to_do_follows_from_the_facts(given: dict[str, Any], to_do: list[str]) -> None:
    assert [line.replace(NO_BREAK, " ") for line in build._to_do(facts(**given), "EUR")] == to_do


@pytest.mark.parametrize(
    ("given", "standing"),
    [
        ({"is_customer": False}, "No purchase yet."),
        ({"ended_on": "2026-01-01", "is_lapsed": True}, "The last contract ended on 2026-01-01."),
        ({"is_lapsed": True, "silence_days": 400, "typical_gap_days": 20.0}, "Lapsed: silent for 400 days, where they usually buy every 20 days."),
        ({"is_under_contract": True}, "Under contract."),
        ({"silence_days": 4}, "Nobody can tell their rhythm yet: silent for 4 days."),
        ({"silence_days": 4, "typical_gap_days": 30.0}, "In their rhythm: silent for 4 days, where they usually buy every 30 days."),
        ({}, "A customer without a rhythm that can be told."),
    ],
)  # fmt: skip
def test_the_standing_is_a_sentence(given: dict[str, Any], standing: str) -> None:
    assert build._standing(facts(**given)).replace(NO_BREAK, " ") == standing


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_the_sql_can_be_carried_over_to_spark_and_has_an_order(path: Path) -> None:
    sql = path.read_text(encoding="utf-8")
    assert sqlglot.transpile(sql, read="duckdb", write="spark", unsupported_level=ErrorLevel.RAISE)
    assert path.stem == "facts" or sqlglot.parse_one(sql, read="duckdb").args.get("order") is not None


def page_of(payload: str) -> CustomerPage:
    said = clean(f"x {payload}")
    return CustomerPage(
        said, said, said, ((said, said),), (said,), (Reason("act", said, said, said, said),),
        (Section(said, (Head(said, False), Head(said, True)), ((said, said),)),), said,
    )  # fmt: skip


def shape(markdown: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [(t.type, t.tag) for one in tokens for t in (one, *(one.children or ()))]


def test_words_do_no_harm_in_any_format(capsys: pytest.CaptureFixture[str]) -> None:
    from crmaudit.terminal import console  # noqa: PLC0415

    plain = page_of("!")
    for payload in (*HANDFUL, " ".join(HANDFUL)):
        shown = page_of(payload)
        assert Page(write.html(shown)).tags == Page(write.html(plain)).tags
        assert shape(write.markdown(shown)) == shape(write.markdown(plain))
        write.terminal(shown, console())
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", capsys.readouterr().out)


def test_hostile_exports_reach_no_terminal(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    names = ("Ev\x1b[31mil [red]Ltd", "<img src=x onerror=alert(1)> | y")
    rows = "".join(f'I{i},"{n}",2026-0{1 + i % 3}-05,100.00,EUR,paid\n' for i, n in enumerate(names * 3))
    header = "invoice_id,customer_name,issue_date,net_amount,currency,status\n"
    (exports / "invoices.csv").write_text(header + rows, encoding="utf-8")
    assert crmaudit("analyze", exports, "--out", tmp_path / "audit", "--quiet").code == 0
    text = crmaudit("customer", "ltd", "--audit", tmp_path / "audit")
    assert text.code == 0
    assert "\x1b" not in text.out
    assert "[red]Ltd" in text.out
    html = crmaudit("customer", "<img", "--audit", tmp_path / "audit", "--format", "html").out
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt; | y" in html
    assert "\x1b" not in crmaudit("customer", "l", "--audit", tmp_path / "audit").err
