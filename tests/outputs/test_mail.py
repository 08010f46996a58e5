"""The mail as bytes, and its way to a real server: trust, login, refusals, broken connections."""

from __future__ import annotations

import datetime as dt
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from crmaudit.errors import SettingsError, UsageError
from crmaudit.outputs import mail
from crmaudit.outputs.mail import Content, Courier, InDoubtError, Login, NotSentError, UnreachableError
from crmaudit.settings import Mail
from tests.outputs.post_office import PostOffice, free_port, open_office

NOW = dt.datetime(2026, 7, 6, 7, 30, tzinfo=dt.UTC)
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


def letter(subject: str = "Week 28: nothing new", text: str = "Hello", **more: Any) -> bytes:
    content = Content(subject, text, more.pop("html", "<html><head><style>p { color: red }</style></head><body><p>Hello</p></body></html>"),
                      more.pop("pictures", {}), more.pop("attachments", {}))  # fmt: skip
    return mail.message(
        content, sender="audit@example.com", recipient="ann@example.com", message_id="<1@example.com>", sent_at=NOW
    )


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def send(settings: Mail, *, to: str = "ann@example.com", known: Login | None = None, content: bytes = b"") -> list[str]:
    """Sends one mail; the moments that were told."""
    moments: list[str] = []
    with Courier(settings, known or Login()) as courier:
        courier.send(content or letter(), to, lambda: moments.append("data"))
    return moments


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_arrives_over_tls(security: str, tmp_path: Path) -> None:
    office, content = PostOffice(), letter(text="..\r\n.\r\nQUIT")
    with open_office(tmp_path, office, security) as settings:
        assert send(settings, content=content) == ["data"]
    assert [to for to, _ in office.accepted] == ["ann@example.com"]
    assert office.accepted[0][1] == content


def test_without_encryption_only_where_it_is_asked_for(tmp_path: Path) -> None:
    office = PostOffice()
    with open_office(tmp_path, office, "none") as settings:
        with pytest.raises(UnreachableError, match="offers no encryption"):
            send(settings.model_copy(update={"security": "starttls"}))
        assert office.accepted == []
        send(settings)
    assert len(office.accepted) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(security: str, tmp_path: Path) -> None:
    office = PostOffice()
    with (
        open_office(tmp_path, office, security) as settings,
        pytest.raises(UnreachableError, match="not to be trusted"),
    ):
        send(settings.model_copy(update={"ca_file": None}))
    assert office.accepted == []


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    office = PostOffice()
    with (
        open_office(tmp_path, office, name="mail.example.org") as settings,
        pytest.raises(UnreachableError, match="not to be trusted"),
    ):
        send(settings)


def test_a_server_that_is_down() -> None:
    settings = Mail(host="127.0.0.1", port=free_port(), sender="audit@example.com")
    with pytest.raises(UnreachableError, match="cannot be reached"):
        send(settings)


def test_a_refused_recipient_does_not_cost_the_next_one_the_mail(tmp_path: Path) -> None:
    office = PostOffice(refused={"gone@example.com"})
    moments: list[str] = []
    with open_office(tmp_path, office) as settings, Courier(settings, Login()) as courier:
        with pytest.raises(NotSentError, match=r"refuses gone@example\.com: 550 No such mailbox"):
            courier.send(letter(), "gone@example.com", lambda: moments.append("data"))
        assert moments == []
        courier.send(letter(), "ann@example.com", lambda: moments.append("data"))
    assert [to for to, _ in office.accepted] == ["ann@example.com"]


@pytest.mark.parametrize("answer", ["451 Try again later", "554 Spam"])
def test_a_mail_that_is_turned_away_is_surely_not_sent(answer: str, tmp_path: Path) -> None:
    with open_office(tmp_path, PostOffice(answer=answer)) as settings, pytest.raises(NotSentError, match=answer):
        send(settings)


@pytest.mark.parametrize("breaks", ["before", "after"])
def test_a_line_that_breaks_after_data_leaves_doubt(breaks: str, tmp_path: Path) -> None:
    office = PostOffice(breaks=breaks)
    with open_office(tmp_path, office) as settings, pytest.raises(InDoubtError, match="while the mail was handed over"):
        send(settings)
    assert len(office.accepted) == (breaks == "after")


def test_the_login_is_checked(tmp_path: Path) -> None:
    office = PostOffice()
    with open_office(tmp_path, office, password="right") as settings:
        with pytest.raises(UnreachableError, match="refused the login of audit"):
            send(settings, known=Login("audit", "wrong"))
        assert send(settings, known=Login("audit", "right")) == ["data"]


def test_a_password_is_not_sent_in_the_clear() -> None:
    settings = Mail(host="mail.example.com", security="none", sender="audit@example.com")
    with pytest.raises(SettingsError, match="for all to read"):
        Courier(settings, Login("audit", "secret"))


def test_login_from_the_environment_or_a_private_file(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("from file\n", encoding="utf-8")
    secret.chmod(0o600)
    settings = Mail(host="h", sender="a@example.com", user="audit", password_file=secret)
    assert mail.login(settings, {}) == Login("audit", "from file")
    assert mail.login(settings, {mail.PASSWORD: "own", mail.USER: "other"}) == Login("other", "own")
    assert mail.login(Mail(), {}) == Login()
    secret.chmod(0o640)
    with pytest.raises(SettingsError, match="can be read by others; run `chmod 600"):
        mail.login(settings, {})
    with pytest.raises(SettingsError, match="no password"):
        mail.login(Mail(user="audit"), {})


@pytest.mark.parametrize(
    "text",
    ["", "ann", "ann@", "@example.com", "ann@example.com, bob@example.com", "ann@example.com\nBcc: bob@example.com",
     "ann@example.com\r\n", "Ann <ann@example.com>", "änn@example.com", "ann@exa mple.com", "ann@example.com>", "a..b@example.com",
     "=?utf-8?q?ann=0A?=@example.com\n", "ann@-example.com", "x" * 65 + "@example.com"],
)  # fmt: skip
def test_what_is_no_address_never_becomes_a_header(text: str) -> None:
    assert not mail.is_address(text)
    with pytest.raises(UsageError, match="no mail address"):
        mail.message(
            Content("s", "t", "<p>h</p>", {}, {}),
            sender="audit@example.com",
            recipient=text,
            message_id="<1@e>",
            sent_at=NOW,
        )


def test_a_mail_reads_in_both_dresses_and_loads_nothing() -> None:
    content = letter(text="Grüße, 5 €", html='<html><head><link rel="stylesheet" href="http://127.0.0.1:9/x.css"><style>p { color: red }</style></head>'
                     '<body><p>Grüße</p><img src="cid:week"></body></html>', pictures={"week": PIXEL}, attachments={"report.html": b"<p>all</p>"})  # fmt: skip
    found = parsed(content)
    plain, html = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "Grüße, 5 €"
    assert '<p style="color: red;">Grüße</p>' in html.get_content()
    kinds = [(part.get_content_type(), part.get("Content-ID"), part.get_content_disposition()) for part in found.walk()]
    assert ("image/png", "<week>", "inline") in kinds
    assert ("text/html", None, "attachment") in kinds
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_headers_are_ours_alone() -> None:
    found = parsed(letter())
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
    assert found["Date"] == "Mon, 06 Jul 2026 07:30:00 +0000"
    with pytest.raises(ValueError, match="linefeed"):
        letter(subject="Week 28\nBcc: eve@example.com")


@pytest.mark.parametrize(
    ("settings", "said"), [(Mail(), "host is missing"), (Mail(host="h"), "sender is no mail address")]
)
def test_what_the_settings_lack_is_told(settings: Mail, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Courier(settings, Login())
