"""How a command ends that does not end well: one message on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from crmaudit.errors import CrmauditError


@contextmanager
def ends_told() -> Iterator[None]:
    """Ctrl-C, and a reader who has read enough, end the command in their own way."""
    try:
        yield
    except KeyboardInterrupt:
        _say_and_exit("interrupted; an earlier audit is as it was", 130)
    except BrokenPipeError:
        # Who reads us has read enough. What is still buffered goes nowhere, so that the exit does not fail on it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@contextmanager
def mishaps_told() -> Iterator[None]:
    """Every mishap is one message on stderr and an exit code, never a traceback."""
    try:
        yield
    except CrmauditError as error:
        _say_and_exit(str(error), error.exit_code)
    except OSError as error:
        _say_and_exit(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""), 2)
    except MemoryError:
        _say_and_exit("out of memory; --memory makes the database spill to disk sooner", 2)
    except Exception as error:
        if os.environ.get("CRMAUDIT_TRACEBACK"):
            raise
        fault = f"{type(error).__name__}: {error}"
        _say_and_exit(f"a fault of ours: {fault}\nWith CRMAUDIT_TRACEBACK=1 it says where; please report it.", 70)


def _say_and_exit(message: str, code: int) -> NoReturn:
    from crmaudit.text import clean  # noqa: PLC0415

    for line in f"crmaudit: {message}".splitlines():
        # The caret below a fault of SQL stands where it stands.
        print(" " * (len(line) - len(line.lstrip(" "))) + clean(line), file=sys.stderr)
    sys.exit(code)
