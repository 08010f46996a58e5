"""The gap report from a report made by hand."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from crmaudit.catalogue import questions
from crmaudit.gap import guidance, progress, write
from crmaudit.gap import page as words
from crmaudit.gap.build import Client, page
from crmaudit.gap.page import GapPage, Interviewee, Stratum
from crmaudit.report import Metric, Missing, Report, Result
from crmaudit.resources import folder
from crmaudit.schema import TABLES
from crmaudit.text import NO_BREAK, clean
from tests.command import ROOT
from tests.hostile import HANDFUL, corpus
from tests.report_sample import sample, with_words
from tests.test_render import Page

OURS = (folder("report_templates"),)
CLIENT = Client("Acme & Sons", "Ines Ott", "data:image/png;base64,AAAA", "#14546e")
PEOPLE = (
    Stratum("Lost", "Because.", "1 of 3", ("Why?",), (Interviewee("Osei", "A", "Jo, owner", "", "", "", "Kim"),)),
)


def with_progress(report: Report) -> GapPage:
    said = guidance.read(OURS)
    return page(report, said, CLIENT, PEOPLE, progress.since(earlier(report), report, said))


def earlier(report: Report) -> Report:
    audits = [replace(report.audits[0], status="unanswerable"), *report.audits[1:]]
    reach = audits[1].metrics["accounts_with_email_pct"]
    audits[1] = replace(audits[1], metrics={"accounts_with_email_pct": replace(reach, value=70.0)})
    return replace(report, audits=tuple(audits), as_of="2024-12-31")


@pytest.fixture(scope="module")
def made() -> GapPage:
    return with_progress(sample())


def test_the_scorecard_counts_every_question_once(made: GapPage) -> None:
    audits = sample().audits
    assert (made.answered, made.partial, made.unanswerable, made.failed) == tuple(
        sum(audit.status == status for audit in audits) for status in ("answered", "partial", "unanswerable", "failed")
    )
    assert [q.id for chapter in made.chapters for q in chapter.questions] == [audit.id for audit in audits]


def test_every_question_without_a_full_answer_is_a_gap_and_those_on_thin_records_too(made: GapPage) -> None:
    kinds = {gap.id: gap.kind for gap in made.gaps}
    wanted = {a.id: a.status for a in sample().audits if a.status in ("partial", "unanswerable")}
    assert wanted.items() <= kinds.items()
    assert kinds["identity_resolution"] == "thin"  # 93.4 % of the bills are matched, 98 are wanted
    assert "rep_integrity" not in kinds, "what failed is our fault and not the client's gap"
    assert {q.id: q.gap for c in made.chapters for q in c.questions if q.gap} == {g.id: g.number for g in made.gaps}


def test_gaps_stand_by_when_they_can_be_closed_then_by_cost(made: GapPage) -> None:
    assert [gap.number for gap in made.gaps] == [str(i) for i in range(1, len(made.gaps) + 1)]
    assert [gap.days for gap in made.gaps] == sorted(gap.days for gap in made.gaps)
    assert [gap for stage in made.plan for gap in stage.gaps] == list(made.gaps)
    lost = Result("loss_reasons", "win", "Lost", "?", "answered", metrics={"lost_value": Metric(1e6, "money")})
    said = replace(sample(), audits=(*map(_with_cost, sample().audits), lost))
    priced = [g.id for g in page(said, guidance.read(OURS), CLIENT).gaps if g.cost and "by_competitor" in g.id]
    assert priced == ["win_loss_by_competitor"]
    same_day = [g for g in page(said, guidance.read(OURS), CLIENT).gaps if g.days == 90]
    assert [bool(g.cost) for g in same_day] == sorted((bool(g.cost) for g in same_day), reverse=True)


def bare() -> Report:
    """Invoices came, and nothing else: of every question that wants more, no answer."""
    came = {column.name: f"invoices.{column.name}" for column in TABLES["invoices"].columns}
    audits = []
    for audit in questions():
        wanted = [address.split(".") for address in guidance.read(OURS).question(audit.id).asks]
        missing = tuple(Missing(table, column, "there") for table, column in wanted if table != "invoices")
        if missing:
            told = (audit.id, audit.chapter, audit.title, audit.question, "unanswerable")
            audits.append(Result(*told, fix=audit.fix, missing=missing))  # type: ignore[arg-type]
    source = replace(sample().sources[1], system="generic", entity="invoices", columns=came)
    return replace(sample(), audits=tuple(audits), sources=(source,))


def test_no_month_of_the_plan_has_more_work_than_there_is_time_for() -> None:
    made = page(bare(), guidance.read(OURS), CLIENT)
    limit = guidance.read(OURS).plan.days_a_month
    worked = [sum(map(_days_of_work, (step.effort for step in stage.steps))) for stage in made.plan]
    assert all(0 < days <= limit for days in worked if days != 0)
    assert worked[0] > limit / 2
    closed = [number for stage in made.plan for step in stage.steps for number in step.closes]
    assert sorted(closed, key=int) == [gap.number for gap in made.gaps], "each gap is closed by one step"
    assert [len(stage.steps) for stage in made.plan][1] > 0, "what a client is asked for is spread over the months"


def _days_of_work(said: str) -> float:
    return 0.5 if said.startswith("half") else float(said.split(NO_BREAK, maxsplit=1)[0])


def test_an_export_that_several_gaps_wait_for_is_asked_for_once() -> None:
    made = page(bare(), guidance.read(OURS), CLIENT)
    steps = [step for stage in made.plan for step in stage.steps]
    (tickets,) = [step for step in steps if step.what == "Get the support desk's export of tickets"]
    assert len({*tickets.closes, *tickets.feeds}) > 5
    assert len({step.what for step in steps}) == len(steps)


def test_a_client_reads_no_name_of_ours() -> None:
    """Nothing that looks like `a_column`; names of settings that a remedy gives stand in backticks."""
    made = page(bare(), guidance.read(OURS), CLIENT)
    for gap in made.gaps:
        for said in (*gap.missing, *gap.steps, gap.cost_formula, gap.effort):
            assert not re.search(r"[a-z]_[a-z]", said), said
    answers = [question.answer for chapter in made.chapters for question in chapter.questions]
    fields_ = [field for sheet in made.requests for export in sheet.exports for field in export.fields]
    assert "MRR" in {field.name for field in fields_}
    for said in (*answers, *(field.name for field in fields_), *(step.what for s in made.plan for step in s.steps)):
        assert not re.search(r"[a-z]_[a-z]", re.sub(r"`.*?`", "", said)), said
    consent = next(gap for gap in made.gaps if gap.id == "consent")
    assert consent.missing[0].startswith(
        "Not there: the mailing tool's export of opt-ins and opt-outs. It would tell: "
    )
    reach = next(q.answer for c in made.chapters for q in c.questions if q.id == "contact_reachability")
    assert reach == "Wanted: the CRM's export of contacts and the CRM's export of companies."


def test_what_an_export_lacks_is_told_with_the_export() -> None:
    tickets = replace(bare().sources[0], entity="tickets", columns={"id": "tickets.ticket_id"})
    made = page(replace(bare(), sources=(tickets,)), guidance.read(OURS), CLIENT)
    gap = next(gap for gap in made.gaps if gap.id == "recurring_issues")
    assert gap.missing == (
        "The support desk's export of tickets lacks: category, type or tag; when it was opened; times reopened.",
    )
    assert gap.steps == (
        "Add to the support desk's export of tickets: category, type or tag; when it was opened; times reopened",
    )


def _with_cost(audit: Result) -> Result:
    """A fifth of the lost deals names no competitor."""
    if audit.id == "win_loss_by_competitor":
        known = Metric(80.0, "pct", better="up", label="Competitor known")
        return replace(audit, metrics={**audit.metrics, "competitor_known_pct": known})
    return audit


def test_a_gap_says_where_it_stands_and_how_to_check_it(made: GapPage) -> None:
    gap = next(gap for gap in made.gaps if gap.id == "identity_resolution")
    assert (gap.baseline, gap.target) == (f"93.4{NO_BREAK}%", f"at least 98.0{NO_BREAK}%")
    assert gap.assertion == 'identity_resolution.billing_matched_pct = ">= 98"'
    assert gap.cost.replace(NO_BREAK, " ") == "up to 48,210 EUR a year"
    consent = next(gap for gap in made.gaps if gap.id == "consent")
    assert (consent.kind, consent.baseline, consent.cost) == ("unanswerable", "no answer", "")
    assert consent.check == "Audit the next exports: the question is answered in full."


def test_a_figure_whose_good_direction_is_down() -> None:
    stale = Result(
        "stale_records",
        "know",
        "Dead weight",
        "?",
        "answered",
        metrics={"stale_contacts_pct": Metric(60.0, "pct", better="down")},
    )
    (gap,) = page(replace(sample(), audits=(stale,)), guidance.read(OURS), CLIENT).gaps
    assert gap.target == f"at most 25.0{NO_BREAK}%"
    assert gap.assertion == 'stale_records.stale_contacts_pct = "<= 25"'
    few = replace(stale, metrics={"stale_contacts_pct": Metric(20.0, "pct", better="down")})
    assert page(replace(sample(), audits=(few,)), guidance.read(OURS), CLIENT).gaps == ()


def test_a_figure_that_rounds_to_its_target_is_told_to_fall_short_of_it() -> None:
    full = Result(
        "profile_completeness",
        "know",
        "Profiles",
        "?",
        "answered",
        metrics={"profile_completeness_pct": Metric(89.96, "pct", better="up", label="Profiles")},
    )
    (gap,) = page(replace(sample(), audits=(full,)), guidance.read(OURS), CLIENT).gaps
    assert gap.missing[0] == f"Profiles: just under 90.0{NO_BREAK}%, where at least 90.0{NO_BREAK}% is wanted."
    assert gap.baseline == f"just under 90.0{NO_BREAK}%"


def test_people_are_not_ranked_unless_asked_for() -> None:
    stars = Result("rep_performance", "win", "Stars", "Who?", "answered", headline="Kim is your star.")
    report = replace(sample(), audits=(stars,))
    said = guidance.read(OURS)
    assert "Kim" not in str(page(report, said, CLIENT))
    assert "Kim is your star." in str(page(report, said, replace(CLIENT, ranks_people=True)))


def test_the_request_sheet_names_menu_and_fields_of_the_clients_own_system(made: GapPage) -> None:
    sheets = {sheet.system: {export.menu: export for export in sheet.exports} for sheet in made.requests}
    contacts = sheets["HubSpot"]["usually CRM > Contacts > Export"]
    assert contacts.is_new
    assert ("Email", "first e-mail address") in {(field.name, field.meaning) for field in contacts.fields}
    assert "Consent" in contacts.questions
    assert "Your mailing tool" in sheets, "HubSpot's own export of mails has no known menu and no place of its own"


def test_a_menu_is_told_as_certain_where_the_vendor_documents_it() -> None:
    lacking = tuple(Missing(table, "created_on", "there") for table in ("contacts", "products"))
    lacking += (Missing("invoices", "due_on", "there"),)
    own = Result("ours", "know", "Ours", "?", "unanswerable", missing=lacking)
    source = replace(sample().sources[1], system="shopify", entity="invoices", columns={})
    made = page(replace(sample(), audits=(own,), sources=(source,)), guidance.read(OURS), CLIENT)
    (sheet,) = made.requests
    assert {export.menu for export in sheet.exports} == {"Orders > Export", "usually Customers > Export"}


def test_nothing_is_asked_for_that_came() -> None:
    lacking = Result("win_rate", "win", "Win rate", "?", "partial", reason="Half.")
    report = replace(sample(), audits=(lacking,))
    all_came = {f"c{i}": address for i, address in enumerate(guidance.read(OURS).question("win_rate").asks)}
    source = replace(report.sources[1], columns=all_came)
    assert page(replace(report, sources=(source,)), guidance.read(OURS), CLIENT).requests == ()
    asked = page(replace(report, sources=(replace(source, columns={}),)), guidance.read(OURS), CLIENT).requests
    assert [(e.menu, e.is_new) for sheet in asked for e in sheet.exports] == [("usually CRM > Deals > Export", False)]


def test_what_an_answer_lacks_is_asked_for_whether_or_not_anybody_foresaw_it() -> None:
    own = Result("ours", "know", "Ours", "?", "unanswerable", missing=(Missing("tickets", "reopens", "desk"),))
    (sheet,) = page(replace(sample(), audits=(own,)), guidance.read(OURS), CLIENT).requests
    assert sheet.system == "Zendesk"
    assert "Reopens" in {field.name for field in sheet.exports[0].fields}


def test_what_has_improved(made: GapPage) -> None:
    assert made.progress is not None
    assert made.progress.as_of == "2024-12-31"
    (question,) = made.progress.questions
    assert (question.before, question.now, question.tone) == ("Not answerable", "Answered", "better")
    (figure,) = made.progress.figures
    assert (figure.before, figure.now, figure.tone) == (f"70.0{NO_BREAK}%", f"80.1{NO_BREAK}%", "better")
    back = progress.since(sample(), earlier(sample()), guidance.read(OURS))
    assert [move.tone for move in (*back.questions, *back.figures)] == ["worse", "worse"]
    assert "better" not in progress.since(sample(), sample(), guidance.read(OURS)).verdict


def test_html_holds_all_of_it_and_loads_nothing(made: GapPage) -> None:
    html = write.html(made, OURS)
    found = Page(html)
    assert not found.faults
    said = " ".join(found.words)
    for gap in made.gaps:
        for value in (
            gap.title,
            *gap.missing,
            gap.remedy,
            gap.cost_formula,
            gap.owner,
            gap.effort,
            gap.target,
            gap.check,
        ):
            assert value in said
    for one in (*made.limitations, *made.verdict, "Osei", "Why?", "Acme & Sons", "Ines Ott"):
        assert one in said
    assert {tag for tag, _ in found.tags}.isdisjoint({"script", "link", "iframe", "form", "object"})
    loads = {(tag, name, value[:10]) for tag, name, value in found.attributes if name in ("src", "style", "srcset")}
    assert loads == {("img", "src", "data:image")}
    names = [value for _, name, value in found.attributes if name == "id"]
    assert len(names) == len(set(names))
    assert {value[1:] for _, name, value in found.attributes if name == "href"} <= set(names)


def test_markdown_holds_all_of_it(made: GapPage) -> None:
    text = "".join(
        child.content
        for token in MarkdownIt("commonmark").enable("table").parse(write.markdown(made, OURS))
        for child in token.children or ()
    )
    for gap in made.gaps:
        for value in (gap.remedy, gap.cost_formula, gap.owner, gap.target, gap.check, gap.assertion):
            assert value.replace(NO_BREAK, " ") in text


def test_the_same_report_gives_the_same_bytes(made: GapPage) -> None:
    again = with_progress(sample())
    assert write.html(made, OURS) == write.html(again, OURS)
    assert write.markdown(made, OURS) == write.markdown(again, OURS)


# --- hostile words


def _hostile(payload: str) -> GapPage:
    made = with_progress(with_words(sample(), lambda said: f"{said} {payload}"))
    person = Interviewee(*[clean(f"x {payload}")] * 7)
    return replace(
        page(with_words(sample(), lambda said: f"{said} {payload}"), guidance.read(OURS), replace(CLIENT, name=f"x {payload}")),
        interviews=(replace(PEOPLE[0], people=(person,)),),
        progress=made.progress,
    )  # fmt: skip


def _structure(markdown: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    return [(t.type, t.tag) for one in tokens for t in (one, *(one.children or ()))]


@pytest.fixture(scope="module")
def harmless() -> tuple[object, object]:
    made = _hostile("!")
    return Page(write.html(made, OURS)).tags, _structure(write.markdown(made, OURS))


def _changes_nothing(payload: str, harmless: tuple[object, object]) -> None:
    made = _hostile(payload)
    html = write.html(made, OURS)
    assert not Page(html).faults
    assert (Page(html).tags, _structure(write.markdown(made, OURS))) == harmless
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", html)


def test_words_change_no_structure(harmless: tuple[object, object]) -> None:
    for payload in (" ".join(HANDFUL), *HANDFUL):
        _changes_nothing(payload, harmless)


def test_words_of_the_corpus_change_no_structure(harmless: tuple[object, object]) -> None:
    payloads = corpus(10)
    if not payloads:
        pytest.skip("the corpus of payloads is not beside the checkout")
    for start in range(0, len(payloads), 40):
        _changes_nothing(" ".join(payloads[start : start + 40]), harmless)


# --- templates of one's own


def test_the_documented_context_is_the_context() -> None:
    told = (ROOT / "docs" / "gap-templates.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^### (\w+)\n\n((?:.+\n)+)", told, re.M))
    types = [
        t for t in vars(words).values() if is_dataclass(t) and isinstance(t, type) and t.__module__ == words.__name__
    ]
    assert {t.__name__ for t in types} == documented.keys()
    for kind in types:
        assert re.findall(r"`(\w+)`", documented[kind.__name__].split("\n\n")[0]) == [f.name for f in fields(kind)]


def test_own_templates_win_and_what_they_lack_is_ours(made: GapPage, tmp_path: Path) -> None:
    (tmp_path / "document.css").write_text("h1 { color: red }", encoding="utf-8")
    (tmp_path / "gap.md.j2").write_text("{{ gap.client }}: {{ gap.gaps[0].title }}\n", encoding="utf-8")
    places = write.folders(tmp_path)
    assert "h1 { color: red }" in write.html(made, places)
    assert "Scorecard" in write.html(made, places)
    assert write.markdown(made, places).startswith("Acme &#38; Sons: ")


def test_a_template_that_asks_for_what_is_not_there_is_named(made: GapPage, tmp_path: Path) -> None:
    from crmaudit.errors import UsageError  # noqa: PLC0415

    (tmp_path / "gap.html.j2").write_text("<p>{{ gap.clinet }}</p>", encoding="utf-8")
    with pytest.raises(UsageError, match=r"gap\.html\.j2.*clinet"):
        write.html(made, write.folders(tmp_path))


def test_a_template_of_somebody_elses_reaches_nothing_but_the_page(made: GapPage, tmp_path: Path) -> None:
    from crmaudit.errors import UsageError  # noqa: PLC0415

    (tmp_path / "gap.html.j2").write_text("{{ gap.__class__.__mro__[-1].__subclasses__() }}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"gap\.html\.j2.*unsafe"):
        write.html(made, write.folders(tmp_path))
