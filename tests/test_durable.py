"""What is kept from one audit to the next is on the disk before the old folder goes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from crmaudit import workspace


def test_what_is_kept_is_on_the_disk_before_the_old_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "audit"
    (out / "weekly" / "2026-W27").mkdir(parents=True)
    kept = ("audit.json", "history.json", "weekly/state.json", "weekly/2026-W27/letters.json")
    for name in kept:
        (out / name).write_text(name, encoding="utf-8")
    synced: set[int] = set()
    removed: list[set[int]] = []
    fsync, rmtree = os.fsync, shutil.rmtree

    def told(handle: int) -> None:
        synced.add(os.fstat(handle).st_ino)
        fsync(handle)

    def gone(path: Path, *, ignore_errors: bool) -> None:
        if path.exists():
            removed.append(set(synced))
        rmtree(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(os, "fsync", told)
    monkeypatch.setattr(shutil, "rmtree", gone)
    with workspace.replacing(out) as fresh:
        (fresh / "audit.json").write_text("new", encoding="utf-8")
    (before,) = removed
    wanted = [out / name for name in (*kept[1:], "weekly", "weekly/2026-W27")]
    assert {path.stat().st_ino for path in (*wanted, out, out.parent)} <= before
