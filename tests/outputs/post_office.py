"""A real SMTP server on loopback, with a certificate that only its own authority vouches for."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from crmaudit.settings import Mail


@dataclass
class PostOffice:
    """What was accepted, and whom and what the server turns away."""

    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = "250 Accepted"
    breaks: str = ""
    """`before` or `after` it has taken the mail, the line goes dead."""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 Accepted"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.breaks != "before" and self.answer.startswith("250"):
            self.accepted += [(one, envelope.content) for one in envelope.rcpt_tos]
        if self.breaks:
            server.transport.abort()
        return self.answer

    def mails(self) -> list[EmailMessage]:
        """The accepted mails, parsed again."""
        return [message_from_bytes(content, policy=policy.default) for _, content in self.accepted]


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port: int = place.getsockname()[1]
        return port


def _knock(authority: trustme.CA, port: int) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as line:
        line.recv(100)


@contextmanager
def open_office(folder: Path, office: PostOffice, security: str = "starttls", *, name: str = "localhost", port: int = 0,
                password: str = "") -> Iterator[Mail]:  # fmt: skip
    """Runs the server; yields the settings with which it is to be reached."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    extra: dict[str, Any] = {}
    if security == "starttls":
        extra = {"tls_context": context, "require_starttls": True}
    elif security == "tls":
        extra = {"ssl_context": context}
    if password:

        def authenticate(_server: Any, _session: Any, _envelope: Any, _kind: str, given: Any) -> AuthResult:
            right = isinstance(given, LoginPassword) and given.password == password.encode()
            return AuthResult(success=right, handled=False)

        extra |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": security != "none"}
    controller = Controller(office, hostname="127.0.0.1", port=port or free_port(), **extra)
    if security == "tls":
        # Its own first knock at the door would not trust the certificate.
        controller._trigger_server = lambda: _knock(authority, controller.port)
    controller.start()
    try:
        yield Mail(
            host="localhost",
            port=controller.port,
            security=security,  # type: ignore[arg-type]
            sender="audit@example.com",
            ca_file=ca_file,
            timeout=10,
        )
    finally:
        controller.stop()
