"""What a bad day brings: broken files, full disks, interrupts, two runs at once. The earlier audit stays as it was."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from crmaudit import workspace
from crmaudit.errors import LockedError, UsageError
from crmaudit.terminal import progress
from tests.command import EXPORTS, INVOICES, ROOT, Ran, contents, crmaudit, finish, start
from tests.conftest import Audited

needs_modes = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")


def exports(folder: Path, **files: str | bytes) -> Path:
    """A folder with the files named, `invoices="..."` as invoices.csv."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


# --- Exports that are none


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "holds no exports"),
        (b"", "is empty"),
        (b"\n\n  \n", ""),
        (b"invoice_id,customer_name,issue_date,net_amount\n", "holds no row that can be used"),
        (b"invoice_id,customer_name,issue_date,net_amount\nI1,Acme,2026-01-05\n", "1 rows, 1 of them rejected"),
        (bytes(range(256)) * 64, ""),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 4000, ""),
        (b"PK\x03\x04" + os.urandom(3000), ""),
        (b"<!doctype html><html><body><h1>403 Forbidden</h1></body></html>\n", ""),
        (b"colour,shape\nred,round\nblue,square\n", "was recognised"),
    ],
)
def test_exports_that_hold_nothing(content: bytes | None, words: str, tmp_path: Path) -> None:
    place = exports(tmp_path / "exports", **({} if content is None else {"data": content}))
    ran = crmaudit("analyze", place, "--out", tmp_path / "audit")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("crmaudit: ")
    assert words in ran.said
    assert str(place) in ran.err or "data.csv" in ran.err
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != ".audit.lock") == ["exports"]


def test_a_broken_file_among_good_ones_is_told_and_stops_nothing(tmp_path: Path) -> None:
    place = exports(
        tmp_path / "exports",
        invoices=INVOICES.removesuffix("paid\n") + "pai",
        empty=b"",
        binary=b"\x7fELF" + bytes(range(256)) * 8,
    )
    ran = crmaudit("analyze", place, "--out", tmp_path / "audit")
    assert ran.code == 0
    told = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    sources = {source["path"]: source for source in told["sources"]}
    assert sources["invoices.csv"]["rows_read"] == 3
    assert any("newline" in note for note in sources["invoices.csv"]["notes"]), "the last record may be cut"
    acts = " ".join(f["text"] for f in told["findings"] if f["level"] == "act")
    assert "empty.csv could not be read" in acts
    assert "binary.csv could not be read" in acts
    for source in told["sources"]:
        assert source["rows_read"] == source["rows_loaded"] + source["rows_rejected"] + source["rows_excluded"]


AS_NOBODY = """
import os, sys
from crmaudit import analysis, cli, settings, terminal
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
cli.main(sys.argv[1:])
"""


def as_nobody(*arguments: object) -> Ran:
    """The command without the rights of root, to whom no permission is denied."""
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder that anybody can reach; pytest closes its own to others whenever one of its workers starts."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        yield place
        for path in place.rglob("*"):
            if path.is_dir():
                path.chmod(0o700)


@needs_modes
def test_a_folder_without_permission(open_place: Path) -> None:
    place = exports(open_place / "exports", invoices=INVOICES)
    place.chmod(0o000)
    ran = as_nobody("analyze", place, "--out", open_place / "audit")
    assert (ran.code, ran.out) == (2, "")
    assert f"{place.name}' is not readable" in ran.said
    place.chmod(0o755)
    sealed = open_place / "sealed"
    sealed.mkdir(mode=0o555)
    ran = as_nobody("analyze", place, "--out", sealed / "audit")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot be written (Permission denied); choose another folder with --out" in ran.err


# --- The place that is written


def test_out_that_is_something_else(small: Audited, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine", encoding="utf-8")
    beside = tmp_path / "audit"
    beside.mkdir()
    for name, content in {**contents(small.folder), "notes.txt": b"mine"}.items():
        (beside / name).write_bytes(content)
    before = contents(tmp_path)
    for out, words in (
        (file, "is a file; --out wants a folder"),
        (file / "audit", "cannot be written"),
        (other, "holds other things than an audit (thesis.txt)"),
        (beside, "holds other things than an audit (notes.txt)"),
    ):
        ran = crmaudit("analyze", small.exports, "--out", out)
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.said
    assert contents(tmp_path) == before


def test_exports_inside_the_folder_that_is_replaced(tmp_path: Path) -> None:
    place = exports(tmp_path / "charts", invoices=INVOICES)
    (tmp_path / "audit.json").write_text("{}", encoding="utf-8")
    ran = crmaudit("analyze", place, "--out", tmp_path)
    assert ran.code == 2
    assert "which the audit is to replace" in ran.said
    assert (place / "invoices.csv").read_text(encoding="utf-8") == INVOICES


@needs_modes
def test_what_is_written_is_its_owners_alone(small: Audited) -> None:
    assert stat.S_IMODE(small.folder.stat().st_mode) == 0o700
    for path in small.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name
    lock = small.folder.parent / ".audit.lock"
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert lock.read_bytes() == b""


def test_a_clean_run_leaves_the_audit_and_its_lock(small: Audited) -> None:
    assert sorted(p.name for p in small.folder.parent.iterdir()) == [".audit.lock", "audit", "exports"]


def test_an_audit_behind_a_link_is_replaced_where_it_is(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "audit.json").write_text("old", encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to(real, target_is_directory=True)
    with workspace.replacing(link) as fresh:
        (fresh / "audit.json").write_text("new", encoding="utf-8")
    assert link.is_symlink()
    assert (real / "audit.json").read_text(encoding="utf-8") == "new"


def test_a_run_beside_another_does_not_sweep_its_folder_away(tmp_path: Path) -> None:
    with workspace.replacing(tmp_path / "audit-2") as other:
        (other / "audit.json").write_text("2", encoding="utf-8")
        with workspace.replacing(tmp_path / "audit") as fresh:
            (fresh / "audit.json").write_text("1", encoding="utf-8")
    assert contents(tmp_path / "audit-2") == {"audit.json": b"2"}
    assert contents(tmp_path / "audit") == {"audit.json": b"1"}


# --- Failures on the way


def disk_full(*_: object, **__: object) -> str:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "report.md")


@pytest.mark.parametrize(
    ("place", "failure", "code", "words"),
    [
        ("crmaudit.render.markdown_page", disk_full, 2, "No space left on device: report.md"),
        ("crmaudit.identity.resolve", disk_full, 2, "No space left on device"),
    ],
)
def test_a_full_disk_leaves_the_earlier_audit(
    place: str, failure: Callable[..., str], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "audit.json").write_text("earlier", encoding="utf-8")
    source = exports(tmp_path / "exports", invoices=INVOICES)
    before = contents(tmp_path)
    monkeypatch.setattr(place, failure)
    ran = crmaudit("analyze", source, "--out", out)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.said
    assert contents(tmp_path) == {**before, ".audit.lock": b""}


def test_a_swap_that_fails_half_way_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "audit.json").write_text("earlier", encoding="utf-8")
    rename = Path.rename

    def refuse_the_new(self: Path, target: Path) -> Path:
        if self.name.endswith(".new"):
            disk_full()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(UsageError, match="No space left"), workspace.replacing(out) as fresh:
        (fresh / "audit.json").write_text("new", encoding="utf-8")
    assert contents(out) == {"audit.json": b"earlier"}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".audit.lock", "audit"]


def test_a_run_killed_between_the_two_moves_is_mended_by_the_next(tmp_path: Path) -> None:
    kept = tmp_path / ".audit.before"
    kept.mkdir()
    (kept / "audit.json").write_text("earlier", encoding="utf-8")
    (tmp_path / ".audit.new").mkdir()

    def fail() -> None:
        with workspace.replacing(tmp_path / "audit"):
            raise ValueError("on the way")

    with pytest.raises(ValueError, match="on the way"):
        fail()
    assert contents(tmp_path / "audit") == {"audit.json": b"earlier"}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".audit.lock", "audit"]


def test_another_run_holds_the_lock(small: Audited) -> None:
    before = contents(small.folder)
    with FileLock(small.folder.parent / ".audit.lock"):
        ran = crmaudit("analyze", small.exports, "--out", small.folder)
        with pytest.raises(LockedError), workspace.replacing(small.folder):
            pytest.fail("it must not begin")
    assert (ran.code, ran.out) == (75, "")
    assert f"another run is writing {small.folder}" in ran.said
    assert contents(small.folder) == before


# --- Signals, in real runs


def interrupted(out: Path, *signals: int) -> Ran:
    """An analysis of the example that gets the signals one after another, once it is at work."""
    with start("analyze", EXPORTS, "--out", out, "--threads", 1) as process:
        working = out.parent / f".{out.name}.new" / "audit.duckdb"
        end = time.monotonic() + 60
        while not working.exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(0.2)
        for number in signals:
            process.send_signal(number)
        return finish(process)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_the_earlier_audit(number: int, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "audit.json").write_text("earlier", encoding="utf-8")
    ran = interrupted(out, number)
    assert (ran.code, ran.out) == (130, "")
    assert ran.err == "crmaudit: interrupted; an earlier audit is as it was\n"
    assert contents(tmp_path) == {"audit/audit.json": b"earlier", ".audit.lock": b""}
    assert sorted(p.name for p in tmp_path.iterdir()) == [".audit.lock", "audit"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_killed_run_is_cleared_away_by_the_next(tmp_path: Path) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "audit.json").write_text("earlier", encoding="utf-8")
    assert interrupted(out, signal.SIGKILL).code == -signal.SIGKILL
    assert contents(out) == {"audit.json": b"earlier"}
    assert (tmp_path / ".audit.new").is_dir()
    source = exports(tmp_path / "exports", invoices=INVOICES)
    ran = crmaudit("analyze", source, "--out", out)
    assert ran.code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [".audit.lock", "audit", "exports"]
    assert json.loads((out / "audit.json").read_text(encoding="utf-8"))["schema_version"] == 1


@pytest.mark.full
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("share", [i / 8 for i in range(8)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupt_at_any_moment(share: float, number: int, tmp_path: Path, whole_run: float) -> None:
    out = tmp_path / "audit"
    out.mkdir()
    (out / "audit.json").write_text("earlier", encoding="utf-8")
    with start("analyze", EXPORTS, "--out", out) as process:
        time.sleep(share * whole_run)
        process.send_signal(number)
        ran = finish(process)
    if (out / "audit.json").read_text(encoding="utf-8") == "earlier":
        assert ran.code in (130, -number)
        assert contents(out) == {"audit.json": b"earlier"}
    else:
        assert len(contents(out)) == 7
    assert "Traceback" not in ran.err or share < 0.1, "only Python itself, while it starts, may dump one"
    if number != signal.SIGKILL:
        assert {p.name for p in tmp_path.iterdir()} <= {".audit.lock", "audit"}


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that an analysis of the example takes here and now."""
    begun = time.monotonic()
    with start("analyze", EXPORTS, "--out", tmp_path_factory.mktemp("whole") / "audit") as process:
        assert finish(process).code == 0
    return time.monotonic() - begun


def interrupt_then_fail() -> None:
    with progress(quiet=True):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None


def interrupt_then_go_on() -> None:
    with progress(quiet=True) as tell:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            tell("The next step")
        pytest.fail("it went on")


@pytest.mark.parametrize("work", [interrupt_then_fail, interrupt_then_go_on])
def test_an_interrupt_that_something_took_for_a_failure_is_one_all_the_same(work: Callable[[], None]) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(KeyboardInterrupt):
        work()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
