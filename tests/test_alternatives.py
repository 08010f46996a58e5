"""Columns of which one is enough, from what an audit needs to what people read."""

from __future__ import annotations

from dataclasses import replace

from crmaudit import needs, report, view
from crmaudit.gap import guidance, wants
from crmaudit.gap.build import Client, page
from crmaudit.report import Missing, Report, Result
from crmaudit.resources import folder
from tests.report_sample import sample

AMOUNTS = ("invoices.amount", "payments.amount", "opportunities.amount")


def missing(*lacks: needs.Lack) -> tuple[Missing, ...]:
    return needs.told(lacks)


def unanswered(*lacks: needs.Lack, audit: str = "abc_ranking") -> Report:
    lacking = missing(*lacks)
    result = Result(audit, "value", "Ranking", "Who?", "unanswerable", reason=needs.in_words(lacking), missing=lacking)
    return replace(sample(), audits=(result,))


def test_each_column_of_a_group_says_what_would_do_in_its_place() -> None:
    told = missing(("tickets.category",), AMOUNTS)
    assert [(one.address, one.instead) for one in told] == [
        ("tickets.category", ()),
        ("invoices.amount", AMOUNTS[1:]),
        ("payments.amount", (AMOUNTS[0], AMOUNTS[2])),
        ("opportunities.amount", AMOUNTS[:2]),
    ]
    assert report.lacks(told) == (("tickets.category",), AMOUNTS)


def test_a_column_that_is_wanted_in_any_case_leaves_no_choice() -> None:
    told = missing(AMOUNTS, ("payments.amount",))
    assert [(one.address, one.instead) for one in told] == [("payments.amount", ())]


def test_alternatives_are_kept_in_audit_json() -> None:
    audited = unanswered(AMOUNTS)
    assert report.from_json(report.to_json(audited)) == audited


def test_an_audit_of_before_is_read_without_alternatives() -> None:
    written = report.to_json(unanswered(("tickets.category",)))
    told = written.replace(',\n     "instead": []', "")
    assert told != written
    assert report.from_json(told).audits[0].missing[0].instead == ()


def test_the_reason_tells_a_choice_from_what_is_wanted_in_any_case() -> None:
    assert needs.in_words(missing(("tickets.category",), AMOUNTS)) == (
        "The exports have no tickets.category, and none of invoices.amount, payments.amount, opportunities.amount, "
        "of which one is enough; usually found in the CRM's export of deals; the billing system's export of invoices; "
        "the payment provider's export of payments; the support desk's export of tickets."
    )


def test_the_report_says_that_one_is_enough() -> None:
    shown = view.page(unanswered(AMOUNTS[:2]), pictures=False)
    assert shown.unanswered[0].missing == (
        "invoices.amount, usually in the billing system's export of invoices; or payments.amount, usually in the "
        "payment provider's export of payments: one is enough",
    )
    assert [export.columns for export in shown.exports] == [
        ("invoices.amount (or another export)",),
        ("payments.amount (or another export)",),
    ]


def test_the_gap_report_asks_for_one_and_says_what_would_do_in_its_place() -> None:
    made = page(unanswered(AMOUNTS), guidance.read((folder("report_templates"),)), Client("Acme"))
    (question,) = made.chapters[0].questions
    assert question.answer == (
        "Wanted, one of them: the billing system's export of invoices with gross amount; the payment provider's "
        "export of payments; the CRM's export of deals with deal value."
    )
    (gap,) = made.gaps
    assert gap.missing[-1] == (
        "In place of \u201cgross amount\u201d any of these would do too: amount paid (the payment provider's export "
        "of payments); deal value (the CRM's export of deals)."
    )
    asked = [export.title for sheet in made.requests for export in sheet.exports]
    assert asked == ["The billing system's export of invoices"]


def test_an_export_is_named_once_for_all_that_is_wanted_of_it() -> None:
    roles = ("contacts.role", "contacts.title")
    heard = ("contacts.email", "campaign_touches.email")
    assert wants.why_none([("contacts.contact_id",), roles, heard], []) == "Wanted: the CRM's export of contacts."
    assert wants.why_none([roles, heard], ["contacts"]) == (
        "Wanted, one of them: the CRM's export of contacts with first e-mail address; the mailing tool's export of "
        "sends, opens and clicks. The CRM's export of contacts lacks role in the buying decision or job title."
    )
    each = [(f"contacts.{column}",) for column in ("phone", "status", "note", "email")]
    assert wants.why_none([roles, *each], ["contacts"]) == (
        "The CRM's export of contacts lacks role in the buying decision or job title; telephone; active, bounced, left, "
        "deceased ...; and 2 more."
    )
    assert wants.why_none([("leads.score",), AMOUNTS[:2]], []) == (
        "Wanted: the CRM's export of leads. Wanted too, one of them: the billing system's export of invoices; the "
        "payment provider's export of payments."
    )
