from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.intake.reading import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    exports, workdir = tmp_path / "exports", tmp_path / "work"
    exports.mkdir()
    workdir.mkdir()
    with duckdb.connect() as con:
        yield Desk(exports, workdir, con)
