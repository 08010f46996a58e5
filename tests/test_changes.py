"""What is news: told once, kept while it holds, quiet for a while after it has gone; snoozed; unknown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

import pytest

from crmaudit import changes, digest, news
from crmaudit.changes import Changes, State, compare
from crmaudit.errors import InputError
from crmaudit.news import Entry, Observed
from tests import weekly_child
from tests.weekly_child import entry

KINDS = news.read_kinds()
START = dt.date(2026, 7, 6)


class Weeks:
    """One mail after the other."""

    def __init__(self) -> None:
        self.state: State | None = None
        self.number = -1

    def next(
        self, *entries: Entry, unknown: Collection[str] = (), snoozed: Collection[str] = (), skip: int = 0
    ) -> Changes:
        self.number += 1 + skip
        as_of = (START + dt.timedelta(weeks=self.number)).isoformat()
        now = Observed(as_of, {one.key: one for one in entries}, frozenset(unknown))
        changed, state = compare(self.state, now, repr(entries), KINDS, snoozed)
        self.state = changes.from_json(changes.to_json(state))
        assert self.state == state
        return changed


def names(entries: Collection[Entry]) -> list[str]:
    return [one.customer for one in entries]


ACME, BETA = entry("Acme", amount=50.0), entry("Beta", amount=90.0)
BAND = replace(ACME, is_entered=False)


def test_who_is_told_of_is_not_told_of_again_and_is_undone_until_gone() -> None:
    weeks = Weeks()
    assert names(weeks.next(ACME).new) == ["Acme"]
    second = weeks.next(ACME, BETA)
    assert names(second.new) == ["Beta"]
    assert [(one.entry.customer, one.told_on) for one in second.undone] == [("Acme", "2026-07-06")]
    third = weeks.next(BETA)
    assert names(third.cleared) == ["Acme"]
    assert names(third.new) == []
    assert names(weeks.next(BETA).cleared) == []


def test_a_week_without_a_purchase_tells_nothing_again() -> None:
    """The as-of date is the last purchase's: the next mail may be as of the same day."""
    weeks = Weeks()
    weeks.next(BETA)
    weeks.next(ACME)
    again = weeks.next(ACME, skip=-1)
    assert (names(again.new), names(again.cleared)) == ([], [])
    assert [one.entry.customer for one in again.undone] == ["Acme"]
    more = weeks.next(ACME, BETA, skip=-1)
    assert names(more.new) == []
    assert names(weeks.next(BETA, skip=-1).cleared) == ["Acme"]


def test_the_band_keeps_who_is_in_and_brings_nobody_in() -> None:
    weeks = Weeks()
    assert weeks.next(BAND).new == ()
    weeks.next(ACME)
    inside = weeks.next(BAND)
    assert (inside.new, inside.cleared, len(inside.undone)) == ((), (), 1)
    assert weeks.next(ACME).new == ()


def test_who_flips_out_and_in_is_no_news_for_eight_weeks() -> None:
    weeks = Weeks()
    weeks.next(ACME)
    told = [len(weeks.next(*present).new) for present in [(), (ACME,)] * 10]
    assert sum(told) == 0
    weeks.next()
    assert weeks.next(BAND).undone == (), "the band does not bring back who has gone"
    assert names(weeks.next(ACME, skip=9).new) == ["Acme"], "after so long a time it is news"


def test_what_the_exports_cannot_tell_stays_as_it_was() -> None:
    weeks = Weeks()
    weeks.next(ACME)
    blind = weeks.next(unknown={"at_risk"})
    assert (blind.cleared, blind.undone) == ((), ())
    after = weeks.next(ACME)
    assert (after.new, len(after.undone)) == ((), 1)


@pytest.mark.parametrize("name", ["Acme", "account crm Acme", "at_risk/account crm Acme"])
def test_who_is_snoozed_is_not_told_of_until_that_ends(name: str) -> None:
    weeks = Weeks()
    quiet = weeks.next(ACME, BETA, snoozed={name})
    assert (names(quiet.new), quiet.snoozed) == (["Beta"], 1)
    assert names(weeks.next(ACME, BETA).new) == ["Acme"]


def test_a_deal_whose_day_moves_is_news_each_time_it_moves() -> None:
    weeks = Weeks()
    deal = entry("Acme", "slipped_deals", is_entered=False, mark="2026-08-01")
    assert weeks.next(deal).new == ()
    moved = replace(deal, mark="2026-09-01")
    assert names(weeks.next(moved).new) == ["Acme"]
    assert weeks.next(moved).new == ()
    assert weeks.next(replace(moved, mark="2026-08-15")).new == (), "sooner is no slip"
    assert names(weeks.next(replace(moved, mark="2026-10-01")).new) == ["Acme"]


def test_unchanged_data_are_known_by_their_fingerprint() -> None:
    weeks = Weeks()
    assert not weeks.next(ACME).is_unchanged
    assert weeks.next(ACME).is_unchanged
    assert not weeks.next(ACME, BETA).is_unchanged


def mail(changed: Changes, **more: object) -> digest.Digest:
    week = digest.Week("2026-W28", "2026-07-06", "EUR", (), (), ())
    return digest.digest(changed, replace(week, **more), KINDS)  # type: ignore[arg-type]


def test_each_customer_once_and_five_things_first() -> None:
    weeks = Weeks()
    weeks.next()
    silent = [entry(f"C{n}", "gone_silent", amount=float(n)) for n in range(7)]
    page = mail(
        weeks.next(
            *silent, entry("C6", amount=6.0), entry("C6", "unpaid", amount=1.0), entry("C0", "unpaid", amount=500.0)
        )
    )
    assert [item.customer for item in page.first] == ["C0", "C6", "C5", "C4", "C3"]
    assert page.first[0].tag == "Overdue invoices"
    assert page.first[0].also == ("Gone silent: C0 goes.",)
    assert page.first[1].also == ("Overdue invoices: C6 goes.",), "who is silent need not be called at risk as well"
    shown = [item.customer for section in page.sections for item in section.items]
    assert shown == ["C2", "C1"]
    assert page.subject == "Week 28: 6 gone silent, 1 with overdue invoices", "seven customers, where they are told of"


def test_an_unusual_week_and_a_data_fault_are_told_first() -> None:
    weeks = Weeks()
    weeks.next()
    fault = Entry("data/sources/act/x.csv", "data", True, "act", "x.csv could not be read.")
    finding = Entry("finding/win/act/Globex", "audit:win", True, "act", "Globex wins more and more often.")
    flows = (digest.Flow("Purchases", 9, 30.2, 19, 43, True), digest.Flow("Leads", 7, 8.0, 3, 14, False))
    page = mail(weeks.next(fault, finding, ACME), flows=flows)
    assert [item.text for item in page.first] == [
        "x.csv could not be read.",
        "Acme goes.",
        "Purchases: 9 in the week, fewer than chance explains; 19 to 43 were to be expected.",
    ]
    assert page.findings == ("Globex wins more and more often.",)
    assert page.subject == "Week 28: 1 at risk, 1 unusual number, 1 new finding, 1 data fault"
    assert [line.verdict for line in page.flows] == ["fewer than chance explains", "as usual"]


def test_a_week_without_news_says_so() -> None:
    weeks = Weeks()
    weeks.next(ACME)
    page = mail(weeks.next(ACME))
    assert page.subject == "Week 28: the data are those of the last mail"
    assert page.intro == "The data are those of the last mail, as of 2026-07-06: nothing can be new."
    weeks.next(ACME, BETA)
    page = mail(weeks.next(BETA, ACME))
    assert page.subject == "Week 28: nothing new"
    assert page.undone[0].title == "At risk of leaving: 2"


def test_a_long_list_is_cut_and_counted() -> None:
    weeks = Weeks()
    first = mail(weeks.next(*(entry(f"C{n}", amount=float(n)) for n in range(20))))
    assert [(len(s.items), s.more) for s in first.sections] == [(3, "and 12 more in the report")]
    later = mail(weeks.next(*(entry(f"D{n}", amount=float(n)) for n in range(20))))
    assert [(len(s.items), s.more) for s in later.sections] == [(8, "and 7 more in the report")]


@pytest.mark.parametrize(
    ("before", "shown", "more"), [(False, 3, "and 33 more in the report"), (True, 8, "and 28 more in the report")]
)
def test_new_findings_are_cut_and_counted(before: bool, shown: int, more: str) -> None:
    weeks = Weeks()
    if before:
        weeks.next()
    found = [Entry(f"finding/{n}", "audit:win", True, "act", f"Finding {n}.", amount=float(n)) for n in range(36)]
    page = mail(weeks.next(*found))
    assert list(page.findings) == [f"Finding {35 - n}." for n in range(shown)]
    assert page.more_findings == more
    assert mail(weeks.next(*found)).more_findings == ""


@pytest.mark.parametrize("text", ["{", '{"schema_version": 0}'])
def test_a_state_that_cannot_be_read_says_the_way_out(text: str) -> None:
    with pytest.raises(InputError, match="to begin anew"):
        changes.from_json(text)


@pytest.mark.parametrize(("count", "said"), [(1, "1 hot lead"), (2, "2 hot leads")])
def test_one_in_the_subject_is_not_several(count: int, said: str) -> None:
    entries = [entry(f"C{n}", "hot_leads") for n in range(count)]
    known = weekly_child.known(None, "2026-W28", *entries)
    assert digest.digest(known.changes, known.week, known.kinds).subject.endswith(f": {said}")
