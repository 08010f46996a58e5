"""The example company, for a first look without data of one's own."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from crmaudit.errors import UsageError
from crmaudit.resources import folder
from crmaudit.settings import FILE_NAME

SETTINGS = """# The settings of the example: what stands here goes before a crmaudit.toml in the present folder.
currency = "USD"
"""


def exports(place: Path) -> Path:
    """Writes the example's exports into the folder `exports` of a new folder, whole or not at all, and returns it."""
    if place.exists():
        raise UsageError(f"{place} exists already; choose another folder, or remove it")
    generator = folder("examples") / "company.py"
    spec = importlib.util.spec_from_file_location("crmaudit_example_company", generator)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(f"{generator} is missing: install crmaudit again")
    company = importlib.util.module_from_spec(spec)
    # Its dataclasses look themselves up by the module's name.
    sys.modules[spec.name] = company
    spec.loader.exec_module(company)
    written = place / "exports"
    place.mkdir(mode=0o700, parents=True)
    try:
        written.mkdir()
        company.write(written)
        (written / FILE_NAME).write_text(SETTINGS, encoding="utf-8")
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return written
