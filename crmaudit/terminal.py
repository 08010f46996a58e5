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
    """A spinner with the present step, on a terminal only. SIGTERM ends the run as Ctrl-C does."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        if quiet or not sys.stderr.isatty():
            yield lambda _: None
            return
        with console(stderr=True).status("Starting") as status:
            yield lambda step: status.update(shorten(step, 72))
    finally:
        signal.signal(signal.SIGTERM, before)
