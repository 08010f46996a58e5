"""What can go wrong in a way that the user can mend, and the exit code of each."""

from __future__ import annotations

from collections.abc import Sequence


class CrmauditError(Exception):
    """A message for the user: what happened, where, and the way out. Never a traceback."""

    exit_code = 2


class UsageError(CrmauditError):
    """An option or a path that does not fit."""


class SettingsError(CrmauditError):
    """`crmaudit.toml` says something that cannot be obeyed; names the file and the key."""


class InputError(CrmauditError):
    """The exports cannot be read at all: an empty folder, no permission, nothing recognised."""


class AuditFileError(CrmauditError):
    """An audit file breaks the rules; names the file, the line and the rule."""


class MailError(CrmauditError):
    """A mail was not delivered, or nobody knows whether it was; it is kept."""

    exit_code = 69


class FailedError(CrmauditError):
    """A question failed, by a fault of ours or of its own SQL; the report is written, with the reason in it."""

    exit_code = 70

    def __init__(self, questions: Sequence[str]) -> None:
        super().__init__(f"{', '.join(questions)} failed; the report says why, and answers the other questions")


class LockedError(CrmauditError):
    """Another run is writing to the same folder."""

    exit_code = 75
