"""What a run may need of this machine, and how to mend what is not there. No network unless a mail server is named."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import smtplib
import ssl
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crmaudit import __version__
from crmaudit.errors import UsageError

ROOM = 2 << 30
"""Bytes that a large base and what spills of it may take."""
FONT_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts",
    "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
SECONDS = 10.0
"""How long a mail server may take to answer."""


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    is_well: bool
    is_needed: bool
    """Whether an audit cannot be made without it."""
    said: str
    mend: str = ""
    """What to do where it is not well."""


def examine(out: Path, smtp: str | None = None) -> Iterator[Check]:
    """Every check, in the order in which a run would meet them; `smtp` is HOST or HOST:PORT, reached by STARTTLS."""
    yield _python()
    yield from _libraries()
    yield _place(out)
    yield _room(out)
    yield _zones()
    yield _terminal()
    yield _fonts()
    yield _pdf()
    if smtp is not None:
        yield _mail(smtp)


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    said = f"crmaudit {__version__} on Python {found}"
    return Check("versions", sys.version_info >= (3, 11), True, said, "install Python 3.11 or newer")


def _libraries() -> Iterator[Check]:
    """What crmaudit requires, as far as it is absent or too old; one check where all is well."""
    faults = []
    for requirement in importlib.metadata.requires("crmaudit") or ():
        name, extra = re.split(r"[<>=!~;\s\[]", requirement, maxsplit=1)[0], "extra ==" in requirement
        least = re.search(r">=\s*([\d.]+)", requirement)
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            version = ""
        if not extra and (not version or (least and _numbers(version) < _numbers(least[1]))):
            faults.append(f"{requirement} (found {version or 'none'})")
    said = f"libraries are missing or too old: {', '.join(faults)}" if faults else "all libraries are here"
    yield Check("libraries", not faults, True, said, "pip install --upgrade crmaudit")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _place(out: Path) -> Check:
    """Whether a folder can be made beside the audit's, since it is written there and then swapped in."""
    parent = _nearest(out)
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".crmaudit-") as made:
            (Path(made) / "file").write_bytes(b"x")
    except OSError as error:
        mend = "choose another folder with --out, or give yourself the right to write there"
        return Check("write access", False, True, f"{parent} cannot be written: {error.strerror}", mend)
    return Check("write access", True, True, f"{parent} can be written")


def _nearest(out: Path) -> Path:
    """The folder above that exists."""
    return next(place for place in out.resolve().parents if place.is_dir())


def _room(out: Path) -> Check:
    free = shutil.disk_usage(_nearest(out)).free
    said = f"{free / (1 << 30):.1f} GB free"
    return Check("disk", free >= ROOM, False, said, "a large base may take 2 GB; make room, or choose another disk")


def _zones() -> Check:
    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        return Check("time zones", False, False, "no time zones are known but UTC", "pip install tzdata")
    return Check("time zones", True, False, "time zones are known")


def _terminal() -> Check:
    encoding = (sys.stdout.encoding or "ascii").lower()
    said = f"the terminal takes {encoding}"
    return Check("terminal", "utf" in encoding, False, said, "set LANG to a locale of UTF-8, such as C.UTF-8")


def _fonts() -> Check:
    found = next((path for place in FONT_FOLDERS for path in Path(place).expanduser().rglob("*.[to]tf")), None)
    said = (
        f"fonts are here, such as {found.name}" if found else "no font is installed: pictures and PDF lack their words"
    )
    return Check("fonts", found is not None, False, said, "install fonts, such as the package fonts-liberation")


def _pdf() -> Check:
    from crmaudit.outputs.pdf import pdf  # noqa: PLC0415

    try:
        pdf("<p>crmaudit</p>")
    except UsageError as error:
        return Check("PDF", False, False, str(error), "pip install 'crmaudit[pdf]'; on Debian also libpango-1.0-0")
    return Check("PDF", True, False, "PDF can be written")


def _mail(smtp: str) -> Check:
    """Greets the server and asks for TLS with a certificate that holds; logs in nowhere and sends nothing."""
    host, _, port = smtp.partition(":")
    if not host or not (port or "587").isdigit():
        raise UsageError(f"--smtp takes HOST or HOST:PORT, not {smtp!r}")
    try:
        with smtplib.SMTP(host, int(port or 587), timeout=SECONDS) as server:
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
    except ssl.SSLError as error:
        mend = "the certificate must be for this name and of an authority that this machine knows"
        return Check("mail", False, False, f"{smtp}: TLS failed: {error.reason or error}", mend)
    except smtplib.SMTPNotSupportedError:
        return Check("mail", False, False, f"{smtp} offers no STARTTLS", "use the port for submission, usually 587")
    except (OSError, smtplib.SMTPException) as error:
        said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return Check("mail", False, False, f"{smtp} does not answer: {said}", "check name, port and firewall")
    return Check("mail", True, False, f"{smtp} answers, with TLS")
