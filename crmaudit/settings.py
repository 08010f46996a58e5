"""`crmaudit.toml` and flags -> Settings; each value says where it came from."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crmaudit.assertions import Assertion, Severity, parse
from crmaudit.errors import SettingsError

FILE_NAME = "crmaudit.toml"
_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Customers(_Strict):
    """Who counts as a customer."""

    grain: Literal["account", "person"] | None = None
    """None: accounts where the exports have them, else persons."""
    history_is_complete: bool = False
    """True: the billing export reaches back to the first customer, so that a first purchase is a new customer."""


class Classes(_Strict):
    """Shares of revenue, in per cent, at which class A and class B end."""

    a: float = Field(default=80.0, gt=0, lt=100)
    b: float = Field(default=95.0, gt=0, le=100)

    @model_validator(mode="after")
    def _in_order(self) -> Classes:
        if self.a >= self.b:
            raise ValueError("class B ends above class A")
        return self


class Bounds(_Strict):
    """What a figure should be, and what it must be; a rule alone is one that fails."""

    warn: str | None = None
    fail: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: object) -> object:
        return {"fail": value} if isinstance(value, str) else value

    @field_validator("warn", "fail")
    @classmethod
    def _rule(cls, value: str | None) -> str | None:
        if value is not None:
            parse("", "fail", value)
        return value


class Mail(_Strict):
    """The mail server, and who sends. Name and password are never here: see `outputs.mail`."""

    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65535)
    """None: 587 for STARTTLS, 465 for TLS, 25 for neither."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    user: str = ""
    """Who logs in; empty: nobody does."""
    password_file: Path | None = None
    """A file that its owner alone can read; by default the environment is asked."""
    ca_file: Path | None = None
    """Certificates to trust in place of the system's, in PEM."""
    timeout: float = Field(default=30.0, gt=0, le=600)
    owners: dict[str, str] = Field(default_factory=dict)
    """Addresses of colleagues, by their name or id in the exports; they go before the exports' own."""


class Settings(_Strict):
    """Everything that cannot be guessed, with the guesses' defaults."""

    as_of: dt.date | None = None
    window: str = "12m"
    """`12m`, `all`, or `2024-01-01..2024-12-31`."""
    currency: str | None = None
    timezone: str = "UTC"
    customers: Customers = Customers()
    classes: Classes = Classes()
    stages: dict[str, Literal["won", "lost", "open"]] = Field(default_factory=dict)
    rates: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(default_factory=dict)
    """Report currency per unit of another currency."""
    mail: Mail = Mail()
    snooze: dict[str, dt.date] = Field(default_factory=dict)
    """Customers, by name, of whom the weekly mail says nothing up to and including a day."""
    files: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What a file is and how its columns map, by the file's name; checked where the files are read."""
    assert_: dict[str, dict[str, Bounds]] = Field(default_factory=dict, alias="assert")
    """What figures must be, by audit and metric."""

    @field_validator("window")
    @classmethod
    def _window(cls, value: str) -> str:
        if value == "all" or re.fullmatch(r"[1-9]\d{0,2}m", value):
            return value
        first, _, last = value.partition("..")
        try:
            is_window = dt.date.fromisoformat(first) <= dt.date.fromisoformat(last)
        except ValueError:
            is_window = False
        if not is_window:
            raise ValueError("a window is 12m, all, or FROM..TO such as 2024-01-01..2024-12-31")
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("no such time zone; write it as Europe/Berlin") from error
        return value

    @field_validator("currency")
    @classmethod
    def _currency(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Z]{3}", value):
            raise ValueError("a currency is three capital letters, such as EUR")
        return value

    @property
    def assertions(self) -> tuple[Assertion, ...]:
        severities: tuple[Severity, ...] = ("fail", "warn")
        return tuple(
            parse(f"{audit}.{name}", severity, rule)
            for audit, figures in self.assert_.items()
            for name, bounds in figures.items()
            for severity in severities
            if (rule := getattr(bounds, severity)) is not None
        )

    @property
    def window_months(self) -> int | None:
        return int(self.window[:-1]) if self.window.endswith("m") else None

    @property
    def window_range(self) -> tuple[dt.date, dt.date] | None:
        first, dots, last = self.window.partition("..")
        return (dt.date.fromisoformat(first), dt.date.fromisoformat(last)) if dots else None


def read(path: Path | None, flags: Mapping[str, Any]) -> Settings:
    """The settings of the file, overruled by the flags that were given (those not None).

    SettingsError names the file and the key, and the nearest key that exists.
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} cannot be read: {error}") from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path} is no valid TOML: {error}") from error
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings.model_validate({**data, **given})
    except ValidationError as error:
        raise SettingsError(_explained(error, path, given)) from error


def find(exports: Path) -> Path | None:
    """`crmaudit.toml` in the exports folder, else in the present one."""
    for place in (exports / FILE_NAME, Path(FILE_NAME)):
        if place.is_file():
            return place
    return None


def check_figures(settings: Settings, path: Path | None, known: Mapping[str, frozenset[str]]) -> None:
    """SettingsError where `[assert]` names an audit that there is not, or a figure that it does not have.

    `known` has the names of figures by audit.
    """
    for assertion in settings.assertions:
        audit, _, name = assertion.figure.partition(".")
        names = known.get(audit)
        if names is None or name not in names:
            wrong, among = (audit, sorted(known)) if names is None else (name, sorted(names))
            what = "is no audit" if names is None else f"is no figure of {audit}"
            place = _place(path, ("assert", audit) if names is None else ("assert", audit, name))
            raise SettingsError(f"{place}: {wrong} {what}{_hint(wrong, among)}")


def _explained(error: ValidationError, path: Path | None, flags: Mapping[str, Any]) -> str:
    lines = []
    for fault in error.errors():
        top = str(fault["loc"][0]) if fault["loc"] else ""
        place = f"--{top.replace('_', '-')}" if top in flags else _place(path, fault["loc"])
        if fault["type"] == "extra_forbidden":
            known = _keys(fault["loc"][:-1])
            hint = _hint(str(fault["loc"][-1]), known) or f"; known are {', '.join(known)}"
            lines.append(f"{place} is not a setting{hint}")
        else:
            lines.append(f"{place}: {fault['msg'].removeprefix('Value error, ')} (found {fault['input']!r})")
    return "\n".join(lines)


def _hint(wrong: str, known: Sequence[str]) -> str:
    near = get_close_matches(wrong, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _place(path: Path | None, loc: Sequence[int | str]) -> str:
    """`crmaudit.toml:7: customers.grain`."""
    line = None if path is None else _line(path.read_text(encoding="utf-8"), [str(part) for part in loc])
    where = f"{path or FILE_NAME}" + (f":{line}" if line else "")
    return f"{where}: {'.'.join(str(part) for part in loc)}"


def _line(toml: str, keys: Sequence[str]) -> int | None:
    """The line on which a setting stands, else the one of the table that it stands in."""
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, line in enumerate(toml.splitlines(), 1):
        header = re.fullmatch(r"\s*\[{1,2}(.+?)\]{1,2}\s*(?:#.*)?", line)
        if header:
            table = found = _path_of(f"[{header[1]}]")
        elif key := _KEY.match(line):
            found = table + _path_of(f"{key[1]} = 0")
        else:
            continue
        length = min(len(found), len(keys))
        if found[:length] == list(keys[:length]) and (best is None or length > best[0]):
            best = (length, number)
    return best[1] if best else None


def _path_of(toml: str) -> list[str]:
    """The keys that one line of TOML goes through."""
    try:
        data: Any = tomllib.loads(toml)
    except tomllib.TOMLDecodeError:
        return [""]
    keys = []
    while isinstance(data, dict) and data:
        (key,) = data
        keys.append(key)
        data = data[key]
    return keys


def _keys(loc: Sequence[int | str]) -> list[str]:
    parts: dict[str, type[BaseModel]] = {"customers": Customers, "classes": Classes, "mail": Mail, "assert": Bounds}
    model = parts.get(str(loc[0]) if loc else "", Settings)
    return [field.alias or name for name, field in model.model_fields.items()]
