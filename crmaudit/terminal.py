"""Talk: what is said on stderr while a run is under way. stdout is for data."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from crmaudit.text import shorten


def console(*, stderr: bool = False) -> Console:
    """A console that takes no markup from text and obeys NO_COLOR."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A spinner with the present step, on a terminal only. KeyboardInterrupt on Ctrl-C, and on SIGTERM alike."""
    with _interrupts() as check:
        if quiet or not sys.stderr.isatty():
            yield lambda _: check()
            return
        with console(stderr=True).status("Starting") as status:

            def tell(step: str) -> None:
                check()
                status.update(shorten(step, 72))

            yield tell


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Makes every interrupt a KeyboardInterrupt, at the latest when what is yielded is called.

    DuckDB turns a signal that meets it at work into a RuntimeError, and whoever guards against a failing step may take
    that for one.
    """
    came: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    # Who starts us in the background with a signal ignored wants it ignored.
    heard = [s for s in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(s) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield check
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
