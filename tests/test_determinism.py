"""The same exports and as-of date give the same bytes, whatever the threads, zone, locale, hash seed and file order."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

from tests.command import EXPORTS, finish, start
from tests.conftest import Audited

WRITTEN = ("audit.json", "report.md", "report.html", "rejects.csv", "review.csv")


def elsewhere(folder: Path) -> Path:
    """The example's exports in a folder of another name, copied in another order."""
    place = folder / "Ex porté [1]"
    place.mkdir()
    for path in sorted(EXPORTS.iterdir(), reverse=True):
        shutil.copy(path, place / path.name)
    return place


def differences(one: Path, other: Path) -> str:
    """The first lines in which two audits differ."""
    told = []
    for name in WRITTEN:
        left, right = ((folder / name).read_text(encoding="utf-8").splitlines() for folder in (one, other))
        changed = [line[:300] for line in difflib.unified_diff(left, right, lineterm="", n=0)]
        told += [name, *changed[:12]] if changed else []
    return "\n".join(told)


def again(folder: Path, exports: Path, *flags: str, **environment: str) -> Path:
    """Another audit of the exports, in a process of its own."""
    with start("analyze", exports, "--out", folder / "audit", "-q", *flags, **environment) as process:
        ran = finish(process, 300)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    return folder / "audit"


def test_the_same_bytes_under_other_circumstances(example: Audited, tmp_path: Path) -> None:
    """All at once; where it fails, the long suite says which circumstance it is."""
    other = again(
        tmp_path,
        elsewhere(tmp_path),
        *("--threads", "2"),
        TZ="Pacific/Kiritimati",
        LC_ALL="tr_TR.UTF-8",
        PYTHONHASHSEED="4242",
    )
    assert differences(example.folder, other) == ""


@pytest.mark.full
@pytest.mark.parametrize(
    ("flags", "environment"),
    [
        (("--threads", "1"), {}),
        (("--threads", "2"), {}),
        (("--threads", "7"), {}),
        ((), {"TZ": "Pacific/Kiritimati"}),
        ((), {"TZ": "America/Los_Angeles"}),
        ((), {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}),
        ((), {"LC_ALL": "C"}),
        ((), {"PYTHONHASHSEED": "1"}),
        ((), {"PYTHONHASHSEED": "2"}),
        (("--memory", "300MB"), {}),
    ],
)
def test_the_same_bytes_in_one_other_circumstance(
    flags: tuple[str, ...], environment: dict[str, str], example: Audited, tmp_path: Path
) -> None:
    assert differences(example.folder, again(tmp_path, EXPORTS, *flags, **environment)) == ""


@pytest.mark.full
def test_the_same_bytes_from_files_in_another_order(example: Audited, tmp_path: Path) -> None:
    assert differences(example.folder, again(tmp_path, elsewhere(tmp_path))) == ""
