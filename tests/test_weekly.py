"""The weekly run: letters are kept until they are delivered, sent once, told of where that is in doubt."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from filelock import FileLock

from crmaudit import weekly
from crmaudit.errors import FailedError, LockedError, MailError, UsageError
from crmaudit.outbox import Outbox
from crmaudit.settings import Mail, Settings
from tests import weekly_child
from tests.command import INVOICES, ROOT, crmaudit
from tests.outputs.post_office import PostOffice, free_port, open_office
from tests.report_sample import sample

MONDAY = dt.datetime(2026, 7, 6, 7, 30, tzinfo=dt.UTC)
WEEK = dt.timedelta(weeks=1)


@dataclass
class Desk:
    """A folder, a server, and the runs between them."""

    place: Path
    office: PostOffice
    mail: Mail

    @property
    def box(self) -> Outbox:
        return Outbox(self.place / "audit" / "weekly")

    def run(self, now: dt.datetime = MONDAY, *to: str, mail: Mail | None = None, **order: object) -> list[Path]:
        settings = Settings(mail=mail or self.mail)
        job = weekly.Job(self.place / "exports", self.place / "audit", settings, now, environment={})
        return weekly.run(job, weekly.Order(to or ("ann@example.com",), **order))  # type: ignore[arg-type]

    def statuses(self, week: str = "2026-W28") -> list[tuple[str, str]]:
        return [(letter.recipient, letter.status) for letter in self.box.letters(week)]

    def accepted(self) -> list[tuple[str, str]]:
        """Recipient and week of each mail that the server has."""
        return [(to, message_from_bytes(mail)["Message-ID"][1:9]) for to, mail in self.office.accepted]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(weekly, "_audited", weekly_child.audited)
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "audit.json").write_text("{}", encoding="utf-8")
    office = PostOffice()
    with open_office(tmp_path, office) as mail:
        yield Desk(tmp_path, office, mail)


def test_a_week_is_mailed_once_and_the_next_one_tells_what_is_new(desk: Desk) -> None:
    desk.run()
    desk.run()
    desk.run(MONDAY + dt.timedelta(days=6))
    assert desk.accepted() == [("ann@example.com", "2026-W28")]
    desk.run(MONDAY + WEEK)
    first, second = desk.office.mails()
    assert first["Subject"] == "Week 28, the first mail: 28 at risk"
    assert second["Subject"] == "Week 29: 1 at risk"
    plain = second.get_body(("plain",))
    assert plain is not None
    assert "C28 goes." in plain.get_content()
    assert "At risk of leaving: 28" in plain.get_content()


def test_a_question_that_failed_is_said_once_the_mail_is_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def audited(job: weekly.Job, box: Outbox) -> weekly.Known:
        known = weekly_child.audited(job, box)
        failed = replace(sample().audits[0], id="recency", status="failed")
        return replace(known, told=replace(known.told, audits=(failed,)))

    monkeypatch.setattr(weekly, "_audited", audited)
    with pytest.raises(FailedError, match="recency failed; the report says why"):
        desk.run()
    assert desk.accepted() == [("ann@example.com", "2026-W28")]
    assert desk.run() == []


def test_who_is_added_within_the_week_gets_the_same_mail(desk: Desk) -> None:
    desk.run()
    desk.run(MONDAY, "ann@example.com", "bob@example.com")
    assert desk.accepted() == [("ann@example.com", "2026-W28"), ("bob@example.com", "2026-W28")]
    one, two = desk.office.mails()
    assert one["Subject"] == two["Subject"]
    assert one["Message-ID"] != two["Message-ID"]


def test_nothing_is_lost_while_the_server_is_down(desk: Desk) -> None:
    down = desk.mail.model_copy(update={"port": free_port()})
    for week in range(2):
        with pytest.raises(MailError, match="waits for the next run") as raised:
            desk.run(MONDAY + week * WEEK, mail=down)
        assert raised.value.exit_code == 69
    assert desk.statuses("2026-W28") == desk.statuses("2026-W29") == [("ann@example.com", "waiting")]
    desk.run(MONDAY + 2 * WEEK)
    assert [week for _, week in desk.accepted()] == ["2026-W28", "2026-W29", "2026-W30"]
    assert [mail["Subject"][:7] for mail in desk.office.mails()] == ["Week 28", "Week 29", "Week 30"]


def test_a_refused_recipient_is_told_and_costs_nobody_else_the_mail(desk: Desk) -> None:
    desk.office.refused.add("gone@example.com")
    for _ in range(2):
        with pytest.raises(MailError, match=r"W28 to gone@example\.com waits for the next run: the server refuses"):
            desk.run(MONDAY, "gone@example.com", "ann@example.com")
    assert desk.accepted() == [("ann@example.com", "2026-W28")]
    desk.office.refused.clear()
    desk.run(MONDAY, "gone@example.com", "ann@example.com")
    assert desk.accepted()[1:] == [("gone@example.com", "2026-W28")]


@pytest.mark.parametrize("breaks", ["before", "after"])
def test_a_mail_in_doubt_is_told_and_repeated_only_when_told(breaks: str, desk: Desk) -> None:
    desk.office.breaks = breaks
    with pytest.raises(MailError, match="is in doubt"):
        desk.run()
    desk.office.breaks = ""
    for _ in range(2):
        with pytest.raises(MailError, match="--in-doubt repeat"):
            desk.run()
    assert len(desk.office.accepted) == (breaks == "after")
    with pytest.raises(MailError, match=r"2026-W28 to ann@example\.com is in doubt"):
        desk.run(MONDAY + WEEK)
    later = desk.office.mails()[-1].get_body(("plain",))
    assert later is not None
    desk.run(MONDAY + WEEK, in_doubt="repeat")
    assert [week for _, week in desk.accepted()].count("2026-W28") == 1 + (breaks == "after")
    ids = {mail["Message-ID"] for mail in desk.office.mails()}
    assert len(ids) == 2
    desk.run(MONDAY + WEEK)


def test_a_mail_in_doubt_can_be_dropped(desk: Desk) -> None:
    desk.office.breaks = "after"
    with pytest.raises(MailError):
        desk.run()
    desk.office.breaks = ""
    desk.run(in_doubt="drop")
    desk.run()
    assert desk.statuses() == [("ann@example.com", "dropped")]
    assert len(desk.office.accepted) == 1


def test_a_refusal_does_not_settle_an_earlier_doubt(desk: Desk) -> None:
    desk.office.breaks = "after"
    with pytest.raises(MailError):
        desk.run()
    desk.office.breaks, desk.office.answer = "", "451 Later"
    with pytest.raises(MailError):
        desk.run(in_doubt="repeat")
    assert desk.statuses() == [("ann@example.com", "handed over")]


def test_a_dry_run_writes_and_sends_nothing(desk: Desk) -> None:
    (path,) = desk.run(dry_run=True, mail=Mail())
    assert (
        message_from_bytes(path.read_bytes(), policy=policy.default)["Subject"] == "Week 28, the first mail: 28 at risk"
    )
    assert path.stat().st_mode & 0o777 == 0o600
    assert desk.office.accepted == []
    assert desk.box.weeks() == []


def test_each_colleague_gets_their_own(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        weekly_child.entry("Acme"),
        weekly_child.entry("Beta", owner="Bob", owner_email="bob@evil.example"),
        weekly_child.entry("Cora", owner="Cy", owner_email="cy@example.com\r\nBcc: eve@example.com"),
        weekly_child.entry("Dora", owner="Dan", owner_email=""),
    ]
    monkeypatch.setattr(
        weekly, "_audited", lambda job, box: weekly_child.known(box.state_before(job.week), job.week, *entries)
    )
    mail = desk.mail.model_copy(update={"owners": {"Dan": "dan@elsewhere.example"}})
    desk.run(MONDAY, "boss@example.com", mail=mail, per_owner=True)
    found = {m["To"]: m.get_body(("plain",)).get_content() for m in desk.office.mails()}  # type: ignore[union-attr]
    assert sorted(found) == ["ann@example.com", "boss@example.com", "dan@elsewhere.example"]
    assert ("Acme" in found["ann@example.com"], "Beta" in found["ann@example.com"]) == (True, False)
    assert "Dora goes." in found["dan@elsewhere.example"]
    assert "No letter to Bob: no address of a known domain" in found["boss@example.com"]
    assert "No letter to Cy" in found["boss@example.com"]
    desk.run(MONDAY, "boss@example.com", mail=mail, per_owner=True)
    assert len(desk.office.accepted) == 3


def test_customer_text_stays_out_of_headers_and_mark_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "Eve\r\nBcc: eve@example.com\r\n\r\n<img src=x onerror=alert(1)>{{7*7}}\x1b[2J\u202e =?utf-8?q?=0ABcc:?="
    monkeypatch.setattr(
        weekly, "_audited", lambda job, _box: weekly_child.known(None, job.week, weekly_child.entry(evil, owner=evil))
    )
    desk.run(per_owner=True)
    (content,) = [mail for _, mail in desk.office.accepted if b"To: ann@example.com" in mail][:1]
    found = message_from_bytes(content, policy=policy.default)
    assert sorted(found.keys()) == [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    assert found["Subject"] == "Week 28, the first mail: 1 at risk"
    html, plain = found.get_body(("html",)), found.get_body(("plain",))
    assert html is not None
    assert plain is not None
    assert "<img" not in html.get_content()
    assert "&lt;img src=x onerror=alert(1)&gt;" in html.get_content()
    assert "\nBcc" not in plain.get_content()
    assert "\x1b" not in plain.get_content()
    assert "\u202e" not in plain.get_content()


def test_a_second_run_waits_for_nobody(desk: Desk) -> None:
    with FileLock(desk.place / ".audit.lock"), pytest.raises(LockedError):
        desk.run()
    assert LockedError.exit_code == 75


@pytest.mark.parametrize("to", ["ann", "ann@example.com, bob@example.com", "ann@example.com\nBcc: b@example.com"])
def test_an_address_that_is_none_is_refused_before_any_work(to: str, desk: Desk) -> None:
    with pytest.raises(UsageError, match="no mail address"):
        desk.run(MONDAY, to)
    assert desk.box.weeks() == []


def test_a_week_is_the_iso_week_of_the_configured_zone(desk: Desk) -> None:
    east = dt.datetime(2027, 1, 3, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    assert weekly.Job(desk.place, desk.place, Settings(), east).week == "2026-W53"
    assert weekly.Job(desk.place, desk.place, Settings(), east.astimezone(dt.UTC)).week == "2027-W01"


def test_weeks_long_past_are_cleared_away(desk: Desk) -> None:
    for week in range(15):
        desk.run(MONDAY + week * WEEK)
    assert len(desk.box.weeks()) == 12
    assert len(desk.office.accepted) == 15


def test_the_command_tells_of_a_server_that_is_down(tmp_path: Path) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    command = ("weekly", exports, "--to", "ann@example.com", "--out", tmp_path / "audit")
    ran = crmaudit(*command)
    assert (ran.code, ran.out) == (2, "")
    assert "[mail] host is missing" in ran.err
    (exports / "crmaudit.toml").write_text(
        f'[mail]\nhost = "127.0.0.1"\nport = {free_port()}\nsender = "a@example.com"\n', encoding="utf-8"
    )
    ran = crmaudit(*command)
    assert (ran.code, ran.out) == (69, "")
    assert "waits for the next run: 127.0.0.1:" in ran.err
    assert (tmp_path / "audit" / "report.html").is_file()
    office = PostOffice()
    with open_office(tmp_path, office) as mail:
        (exports / "crmaudit.toml").write_text(
            f'[mail]\nhost = "localhost"\nport = {mail.port}\nsender = "a@example.com"\nca_file = "{mail.ca_file}"\n',
            encoding="utf-8",
        )
        ran = crmaudit(*command)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    (found,) = office.mails()
    assert "the first mail" in found["Subject"]


@contextmanager
def children(place: Path, port: int) -> Iterator[Callable[..., tuple[int, str]]]:
    """Runs that may die; each tells its exit code and what it said."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.weekly_child"], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as driver:  # fmt: skip
        orders, answers = driver.stdin, driver.stdout
        assert orders is not None
        assert answers is not None

        def run(today: dt.datetime, moment: int, *flags: str) -> tuple[int, str]:
            said = place / "said.txt"
            said.write_text("", encoding="utf-8")
            orders.write(" ".join([str(place), str(port), today.isoformat(), str(moment), *flags]) + "\n")
            orders.flush()
            return int(answers.readline()), said.read_text(encoding="utf-8")

        yield run
        orders.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("weeks", [8, pytest.param(52, marks=pytest.mark.full)])
def test_weeks_with_a_kill_at_any_moment(weeks: int, tmp_path: Path) -> None:
    """No week is lost in silence, and none accepted twice unless a run has said that it is in doubt."""
    chance = random.Random(20260706)  # noqa: S311 -- the same kills every time
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "audit.json").write_text("{}", encoding="utf-8")
    office, doubts, kills = PostOffice(), set[str](), 0
    with open_office(tmp_path, office) as mail, children(tmp_path, mail.port or 0) as child:
        for number in range(weeks):
            today = MONDAY + number * WEEK
            code, _ = child(today, chance.randint(1, 75))
            kills += code == -signal.SIGKILL
            code, said = child(today, 0)
            assert code in (0, 69), said
            doubted = {line.partition(" is in doubt")[0] for line in said.splitlines() if "is in doubt" in line}
            doubts |= doubted
            assert (code == 69) == bool(doubted), said
            assert max(Counter(weeks_and_recipients(office)).values(), default=1) == 1, (
                "sent again, and nobody had said so"
            )
            if doubted:
                assert child(today, 0, "drop") == (0, "")
    counts = Counter(weeks_and_recipients(office))
    for number in range(weeks):
        week = weekly.Job(tmp_path, tmp_path, Settings(), MONDAY + number * WEEK).week
        for to in ("ann@example.com", "bob@example.com"):
            assert counts[f"{week} to {to}"] == 1 or f"{week} to {to}" in doubts, f"{week} to {to} is lost in silence"
    assert kills > weeks / 2
    assert len(doubts) < weeks
    assert doubts or weeks < 52, "a kill while a mail is handed over leaves a doubt, and of so many some do"


def weeks_and_recipients(office: PostOffice) -> list[str]:
    return [f"{message_from_bytes(mail)['Message-ID'][1:9]} to {to}" for to, mail in office.accepted]
