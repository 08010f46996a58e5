"""Our own files are found beside the package and inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmaudit import resources


def test_folders_are_found_in_a_checkout_and_in_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (resources.folder("report_templates") / "report.html.j2").is_file()
    assert resources.folder("queries").is_dir()
    with pytest.raises(FileNotFoundError, match="nothing_of_the_kind"):
        resources.folder("nothing_of_the_kind")
    package = tmp_path / "crmaudit"
    (package / "_data" / "queries").mkdir(parents=True)
    (package.parent / "queries").mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.folder("queries") == package / "_data" / "queries"
