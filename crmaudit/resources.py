"""Where the files that are not code lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `name` ("queries", "report_templates", "examples"); FileNotFoundError where neither place has it.

    The wheel's own copy comes first, so that a stray folder of that name in site-packages is never taken for ours.
    """
    for place in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"{name} is neither in the package nor beside it: install crmaudit again")
