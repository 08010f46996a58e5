"""Where our own files are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal


@cache
def folder(name: Literal["queries", "report_templates", "examples"]) -> Path:
    """The folder of that name; FileNotFoundError where the installation is broken."""
    package = Path(__file__).resolve().parent
    for place in (package / "_data" / name, package.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"crmaudit is installed without its {name}: install it again")
