"""History and diff: one snapshot per as-of date, sparklines from three dates on, and what differs between two audits."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from crmaudit import history, render, svg
from crmaudit.errors import UsageError
from crmaudit.report import Finding, Metric, Report, Result
from tests.command import INVOICES, crmaudit
from tests.conftest import Audited


def told(as_of: str, value: float | str | None, *, currency: str = "EUR", findings: tuple[Finding, ...] = ()) -> Report:
    metric = Metric(value, "pct", better="down", label="Churn")
    result = Result(
        "retention", "keep", "Retention", "Do they stay?", "answered", metrics={"churn_pct": metric}, findings=findings
    )
    return Report("0", as_of, {"start": as_of, "end": as_of}, currency, "account", "hybrid", 0, (), (result,), {})


def test_a_date_has_one_snapshot_and_a_trend_wants_three(tmp_path: Path) -> None:
    for day, value in (("2026-02-28", 5.0), ("2026-01-31", 4.0), ("2026-02-28", 6.0)):
        kept = history.remember(tmp_path, told(day, value))
    assert [(s.as_of, s.metrics["retention.churn_pct"]) for s in kept] == [("2026-01-31", 4.0), ("2026-02-28", 6.0)]
    assert history.read(tmp_path) == kept
    assert history.trends(kept) == {}
    kept = history.remember(tmp_path, told("2026-03-31", 6.0))
    points = (("2026-01-31", 4.0), ("2026-02-28", 6.0), ("2026-03-31", 6.0))
    assert history.trends(kept) == {"retention.churn_pct": points}


def test_a_trend_is_of_one_currency_of_numbers_and_of_something_that_moved(tmp_path: Path) -> None:
    for month in range(1, 5):
        kept = history.remember(tmp_path, told(f"2026-0{month}-01", 4.0))
    assert history.trends(kept) == {}
    kept = history.remember(tmp_path, told("2026-05-01", 5.0))
    assert list(history.trends(kept)) == ["retention.churn_pct"]
    assert history.trends(history.remember(tmp_path, told("2026-06-01", 5.0, currency="USD"))) == {}
    assert history.snapshot(told("2026-06-01", "Acme")).metrics == {}


def test_a_broken_history_is_told_and_not_lost(small: Audited, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    shutil.copytree(small.folder, out)
    (out / "history.json").write_text("{", encoding="utf-8")
    ran = crmaudit("analyze", small.exports, "--out", out)
    assert ran.code == 2
    assert "history.json cannot be read" in ran.err
    assert (out / "history.json").read_text(encoding="utf-8") == "{"


def test_history_outlives_the_folder_that_a_run_replaces(tmp_path: Path) -> None:
    exports, out = tmp_path / "exports", tmp_path / "audit"
    exports.mkdir()
    (exports / "invoices.csv").write_text(INVOICES, encoding="utf-8")
    for day in ("2026-03-05", "2026-03-06", "2026-04-20"):
        assert crmaudit("analyze", exports, "--out", out, "--as-of", day, "-q").code == 0
    runs = json.loads((out / "history.json").read_text(encoding="utf-8"))["runs"]
    assert [run["as_of"] for run in runs] == ["2026-03-05", "2026-03-06", "2026-04-20"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count('<svg class="spark"') >= 1
    assert "on 2026-03-05</span>" in page
    alone = tmp_path / "alone"
    assert crmaudit("analyze", exports, "--out", alone, "--as-of", "2026-04-20", "-q").code == 0
    assert (alone / "audit.json").read_bytes() == (out / "audit.json").read_bytes()
    assert 'class="spark"' not in (alone / "report.html").read_text(encoding="utf-8")


def test_a_sparkline_rises_with_its_figure_and_keeps_time() -> None:
    drawn = svg.sparkline([(0, 1.0), (30, 2.0), (40, 3.0)])
    assert 'd="M3,21L89,12L117,3"' in drawn
    assert 'd="M3,12L117,12"' in svg.sparkline([(0, 7.0), (1, 7.0)])


def test_the_report_shows_the_first_of_the_dates() -> None:
    points = (("2026-01-31", 4.0), ("2026-02-28", 6.0), ("2026-03-31", 7.5))
    page = render.html(told("2026-03-31", 7.5), trends={"retention.churn_pct": points})
    assert "4.0\xa0% on 2026-01-31" in page


def test_the_difference_of_two_audits() -> None:
    one, two = Finding("retention/act/a", "act", "A left."), Finding("retention/act/b", "act", "B left.")
    old, new = told("2026-01-31", 4.0, findings=(one,)), told("2026-02-28", 6.0, findings=(two,))
    found = history.difference(old, new)
    assert [(c.audit, c.label, c.old, c.new) for c in found.changes] == [("retention", "Churn", 4.0, 6.0)]
    assert (found.appeared, found.gone, found.unchanged) == ((two,), (one,), 0)
    unanswered = replace(new, audits=(replace(new.audits[0], status="unanswerable", metrics={}),))
    found = history.difference(old, unanswered)
    assert [(c.old, c.new) for c in found.changes] == [(4.0, None)]
    assert found.statuses == (("retention", "answered", "unanswerable"),)
    assert history.difference(old, old).changes == ()


def test_audits_in_two_currencies_do_not_compare() -> None:
    with pytest.raises(UsageError, match="currency EUR before, USD now"):
        history.difference(told("2026-01-31", 4.0), told("2026-02-28", 6.0, currency="USD"))


def test_diff_on_the_terminal(small: Audited, tmp_path: Path) -> None:
    later = tmp_path / "later"
    assert crmaudit("analyze", small.exports, "--out", later, "--as-of", "2026-06-30", "-q").code == 0
    ran = crmaudit("diff", small.folder, later)
    assert ran.code == 0
    assert "As of 2026-03-05, and as of 2026-06-30:" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    same = crmaudit("diff", small.folder / "audit.json", small.folder)
    assert "Before" not in same.out
    assert "figures as before." in same.out
    assert crmaudit("diff", tmp_path, later).code == 2
    (tmp_path / "audit.json").write_text('{"schema_version": 9}', encoding="utf-8")
    assert "is no audit.json of this version" in crmaudit("diff", tmp_path, later).said


def test_a_hostile_name_does_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = Finding("retention/act/x", "act", "\x1b[31mred[/bold]\x07")
    old, new = told("2026-01-31", 4.0), told("2026-01-31", 4.0, findings=(evil,))
    from crmaudit.terminal import console  # noqa: PLC0415

    render.difference(history.difference(old, new), "EUR", console())
    assert "New: [31mred[/bold]" in capsys.readouterr().out
