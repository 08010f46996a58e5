"""`crmaudit doctor`: what is well, what is not, and how to mend it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crmaudit import doctor
from crmaudit.errors import UsageError
from tests.command import crmaudit


def checks(out: Path, smtp: str | None = None) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.examine(out, smtp)}


def test_a_machine_that_runs_these_tests_is_fit(tmp_path: Path) -> None:
    ran = crmaudit("doctor", "--out", tmp_path / "audit")
    assert (ran.code, ran.err) == (0, "")
    assert "ok    versions: crmaudit 0." in ran.out
    assert "bad" not in ran.out
    assert list(tmp_path.iterdir()) == [], "it leaves nothing"
    found = checks(tmp_path / "audit")
    assert {name for name, check in found.items() if check.is_needed} == {"versions", "libraries", "write access"}
    assert "mail" not in found


def test_a_place_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    ran = crmaudit("doctor", "--out", tmp_path / "deep" / "audit")
    assert ran.code == 1
    assert (
        f"bad   write access: {tmp_path} cannot be written: Permission denied\n      choose another folder" in ran.out
    )


@pytest.mark.parametrize(("requires", "fault"), [
    (["crmaudit-no-such-library>=2"], "crmaudit-no-such-library>=2 (found none)"),
    (["jinja2>=99.1"], "jinja2>=99.1 (found 3."),
    (["crmaudit-no-such-library>=2 ; extra == 'pdf'"], ""),
    (["jinja2>=3.1"], ""),
])  # fmt: skip
def test_libraries_that_are_missing_or_too_old(
    requires: list[str], fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda _: requires)
    check = checks(tmp_path / "audit")["libraries"]
    assert check.is_well is not bool(fault)
    assert fault in check.said


def test_room_fonts_and_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1 << 60)
    monkeypatch.setattr(doctor, "FONT_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr("sys.stdout", type("Narrow", (), {"encoding": "ascii"}))
    found = checks(tmp_path / "audit")
    assert [name for name in ("disk", "fonts", "terminal") if found[name].is_well] == []
    (tmp_path / "a.ttf").touch()
    assert checks(tmp_path / "audit")["fonts"].is_well


# --- the mail server


@contextmanager
def server(talk: Callable[[socket.socket], Any]) -> Iterator[str]:
    """A server on loopback that talks once."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    talk(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        thread.join(5)


def greet(connection: socket.socket, offers: bytes) -> None:
    connection.sendall(b"220 here\r\n")
    connection.recv(1024)
    connection.sendall(offers)


def test_a_server_without_tls_is_told(tmp_path: Path) -> None:
    def talk(connection: socket.socket) -> None:
        greet(connection, b"250 here\r\n")
        connection.recv(1024)

    with server(talk) as address:
        check = checks(tmp_path / "audit", address)["mail"]
    assert (check.is_well, check.is_needed) == (False, False)
    assert check.said == f"{address} offers no STARTTLS"


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")
def test_a_certificate_that_nobody_vouches_for_is_told(tmp_path: Path) -> None:
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout key.pem -out cert.pem"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    def talk(connection: socket.socket) -> None:
        greet(connection, b"250-here\r\n250 STARTTLS\r\n")
        connection.recv(1024)
        connection.sendall(b"220 go\r\n")
        context.wrap_socket(connection, server_side=True).close()

    with server(talk) as address:
        check = checks(tmp_path / "audit", address)["mail"]
    assert not check.is_well
    assert "TLS failed" in check.said


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    check = checks(tmp_path / "audit", f"127.0.0.1:{port}")["mail"]
    assert not check.is_well
    assert "does not answer: Connection refused" in check.said


def test_a_server_is_host_and_port(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="HOST or HOST:PORT"):
        checks(tmp_path / "audit", "mail:smtp")
