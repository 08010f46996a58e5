"""One mail as bytes, and its way to a server: over TLS with a checked certificate unless the settings say otherwise.

No text of the exports ever reaches a header: the subject is ours, addresses are checked to be nothing else.
"""

from __future__ import annotations

import contextlib
import os
import re
import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import css_inline

from crmaudit.errors import SettingsError, UsageError
from crmaudit.settings import Mail

if TYPE_CHECKING:
    import datetime as dt

PASSWORD = "CRMAUDIT_SMTP_PASSWORD"  # noqa: S105 -- the name of a variable
USER = "CRMAUDIT_SMTP_USER"
PORTS = {"starttls": 587, "tls": 465, "none": 25}

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


class NotSentError(Exception):
    """The server has surely not accepted the mail; the message says why."""


class UnreachableError(NotSentError):
    """So it is with every other mail too: no server, no trust, no login."""


class InDoubtError(Exception):
    """The connection broke after the mail was on its way: nobody knows whether it was accepted."""


@dataclass(frozen=True)
class Content:
    """What a mail says. `pictures` are PNGs by the name under which the HTML shows them, `cid:NAME`."""

    subject: str
    text: str
    html: str
    pictures: Mapping[str, bytes]
    attachments: Mapping[str, bytes]


def is_address(text: str) -> bool:
    """Whether the text is one address of plain ASCII and nothing besides."""
    return _ADDRESS.fullmatch(text) is not None and ".." not in text


def address(text: str) -> str:
    """The text again; UsageError where it is no address."""
    if not is_address(text):
        raise UsageError(f"{text!r} is no mail address; write it as ann@example.com, one at a time")
    return text


def message(content: Content, *, sender: str, recipient: str, message_id: str, sent_at: dt.datetime) -> bytes:
    """The mail: plain text, HTML with inlined styles and its pictures, attachments. 7-bit lines of at most 998."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = address(sender), address(recipient)
    mail["Subject"] = content.subject
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = message_id
    # Holiday replies to a machine help nobody.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(content.text, cte="quoted-printable")
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=True)
    mail.add_alternative(inliner.inline(content.html), subtype="html", cte="quoted-printable")
    html = mail.get_payload()[1]  # type: ignore[index]
    for name, picture in content.pictures.items():
        html.add_related(picture, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline")  # type: ignore[union-attr]
    for name, attachment in content.attachments.items():
        kind = "html" if name.endswith(".html") else "octet-stream"
        mail.add_attachment(attachment, "text" if kind == "html" else "application", kind, filename=name)
    return mail.as_bytes()


@dataclass(frozen=True)
class Login:
    """Who logs in; nobody where the user is empty."""

    user: str = ""
    password: str = ""


def login(settings: Mail, environment: Mapping[str, str]) -> Login:
    """The login of the environment, else of the settings' file; SettingsError where it is open to others or absent."""
    user = environment.get(USER, settings.user)
    if not user:
        return Login()
    if password := environment.get(PASSWORD):
        return Login(user, password)
    if settings.password_file is None:
        raise SettingsError(f"[mail] user is {user}, and no password: set {PASSWORD}, or [mail] password_file")
    return Login(user, _read_secret(settings.password_file))


def _read_secret(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            secret = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"[mail] password_file {path} cannot be read: {error}") from error
    if os.name != "nt" and mode & 0o077:
        raise SettingsError(f"[mail] password_file {path} can be read by others; run `chmod 600 {path}`")
    if not secret:
        raise SettingsError(f"[mail] password_file {path} is empty")
    return secret


def check(settings: Mail) -> None:
    """SettingsError where the settings name no server or no sender."""
    if not settings.host:
        raise SettingsError('[mail] host is missing: name the mail server in crmaudit.toml, host = "smtp.example.com"')
    if not is_address(settings.sender):
        raise SettingsError(
            f'[mail] sender is no mail address: {settings.sender!r}; write sender = "audit@example.com"'
        )


class Courier:
    """Sends mails over one connection, opened when the first is sent and again after one that broke."""

    def __init__(self, settings: Mail, known: Login) -> None:
        check(settings)
        is_local = settings.host in ("localhost", "127.0.0.1", "::1")
        if known.user and settings.security == "none" and not is_local:
            raise SettingsError('[mail] security = "none" would send the password for all to read; use starttls or tls')
        self._settings = settings
        self._login = known
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Courier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            # All that was to be said is said; a server that has hung up already is no fault.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self._server.quit()
        self._hang_up()

    def send(self, mail: bytes, recipient: str, before_data: Callable[[], None]) -> None:
        """Hands over one mail. `before_data` is called when nothing but its text is left to be sent.

        NotSentError where the server has surely not taken it; InDoubtError where it may have.
        """
        server = self._connected()
        try:
            _expect(server.mail(self._settings.sender), "the sender")
            _expect(server.rcpt(recipient), recipient)
        except smtplib.SMTPServerDisconnected as error:
            self._hang_up()
            raise NotSentError(f"the server hung up: {error}") from error
        except OSError as error:
            self._hang_up()
            raise NotSentError(f"the connection broke: {error}") from error
        except NotSentError:
            self._reset()
            raise
        before_data()
        try:
            _expect(server.data(mail), "the mail")
        except smtplib.SMTPDataError as error:
            # The server did not even want to see it.
            self._reset()
            raise NotSentError(_refusal("the mail", error.smtp_code, error.smtp_error)) from error
        except NotSentError:
            self._reset()
            raise
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            raise InDoubtError(f"the connection broke while the mail was handed over: {error}") from error

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            place = f"{self._settings.host}:{self._settings.port or PORTS[self._settings.security]}"
            try:
                self._server = self._connect()
            except ssl.SSLCertVerificationError as error:
                raise UnreachableError(f"{place} has a certificate that is not to be trusted: {error}") from error
            except smtplib.SMTPNotSupportedError as error:
                raise UnreachableError(f"{place} offers no encryption or login: {error}") from error
            except smtplib.SMTPAuthenticationError as error:
                raise UnreachableError(f"{place} refused the login of {self._login.user}") from error
            except (smtplib.SMTPException, OSError) as error:
                raise UnreachableError(f"{place} cannot be reached: {error}") from error
        return self._server

    def _connect(self) -> smtplib.SMTP:
        of = self._settings
        port = of.port or PORTS[of.security]
        trusted = ssl.create_default_context(cafile=None if of.ca_file is None else str(of.ca_file))
        # The name of this machine is nobody's business.
        own_name = "[127.0.0.1]"
        if of.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                of.host, port, local_hostname=own_name, timeout=of.timeout, context=trusted
            )
        else:
            server = smtplib.SMTP(of.host, port, local_hostname=own_name, timeout=of.timeout)
        try:
            if of.security == "starttls":
                server.starttls(context=trusted)
            server.ehlo_or_helo_if_needed()
            if self._login.user:
                server.login(self._login.user, self._login.password)
        except BaseException:
            server.close()
            raise
        return server

    def _reset(self) -> None:
        """Forgets a mail that was refused, so that the next one starts afresh."""
        try:
            if self._server is not None:
                _expect(self._server.docmd("RSET"), "RSET")
        except (smtplib.SMTPException, OSError, NotSentError):
            self._hang_up()

    def _hang_up(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _expect(answer: tuple[int, bytes], what: str) -> None:
    # 251: the recipient has moved, and the server sees to it.
    if answer[0] not in (250, 251):
        raise NotSentError(_refusal(what, *answer))


def _refusal(what: str, code: int, words: bytes | str) -> str:
    said = words.decode("utf-8", errors="replace") if isinstance(words, bytes) else words
    return f"the server refuses {what}: {code} {said}"


def domain_of(sender: str) -> str:
    """The part of an address behind the @."""
    return sender.rpartition("@")[2].lower()
