"""The wheel holds all that the command needs: queries, templates and the example's generator."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.command import ROOT


def run(*command: object, cwd: Path) -> str:
    """The output of a command that must go well, without the checkout in its path."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={"PATH": "", "HOME": str(cwd)}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an empty environment with the wheel in it; its dependencies are those of the present one."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = place.glob("crmaudit-*.whl")
    venv.create(place / "env", with_pip=False)
    scripts = next(p for p in (place / "env" / "bin", place / "env" / "Scripts") if p.is_dir())
    python = next(p for p in (scripts / "python", scripts / "python.exe") if p.exists())
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    # A folder named in a .pth file is searched last, and its own .pth files, such as an editable install, are not read.
    purelib = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip()
    (Path(purelib) / "present.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


def test_the_wheel_alone_audits_the_example_it_brings(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import crmaudit; print(crmaudit.__file__)", cwd=tmp_path)
    assert str(ROOT) not in where
    assert "win_rate" in run(installed / "crmaudit", "list", cwd=tmp_path)
    find = "from crmaudit.resources import folder; print(folder('examples') / 'company.py')"
    generator = run(installed / "python", "-c", find, cwd=tmp_path).strip()
    assert Path(generator).is_relative_to(installed.parent)
    run(installed / "python", generator, "exports", cwd=tmp_path)
    # Without invoices the run is a fifth as long and reads as many files of ours.
    for name in ("billing_invoices.csv", "crm_leads.csv", "crm_opportunities.csv"):
        (tmp_path / "exports" / name).unlink()
    run(installed / "crmaudit", "analyze", "exports", "--quiet", cwd=tmp_path)
    told = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    assert told["summary"]["failed"] == 0
    assert next(a for a in told["audits"] if a["id"] == "resolution_time")["status"] in ("answered", "partial")
