"""Assertions: rules that are read or refused with their line, figures judged, and what the command makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crmaudit import assertions, settings
from crmaudit.catalogue import figure_names
from crmaudit.errors import SettingsError
from crmaudit.report import Metric
from tests.command import crmaudit
from tests.conftest import Audited
from tests.report_sample import sample


def read(folder: Path, toml: str) -> settings.Settings:
    path = folder / "crmaudit.toml"
    path.write_text(toml, encoding="utf-8")
    read = settings.read(path, {})
    settings.check_figures(read, path, figure_names())
    return read


def said(folder: Path, toml: str) -> list[str]:
    return [verdict.said for verdict in assertions.judge(read(folder, toml).assertions, sample())]


@pytest.mark.parametrize(
    ("rule", "held"),
    [("<= 14.1", True), ("< 14.1", False), (">= 14.1", True), ("> 14.1", False), ("== 14.1", True), ("!= 14.1", False),
     (">14", True), ("<-3", False)],
)  # fmt: skip
def test_a_figure_is_judged_by_its_sign(rule: str, held: bool, tmp_path: Path) -> None:
    rules = read(tmp_path, f'[assert]\nretention.customer_churn_pct = "{rule}"').assertions
    (verdict,) = assertions.judge(rules, sample())
    assert verdict.held is held


def test_each_has_a_line_and_warnings_are_told_from_failures(tmp_path: Path) -> None:
    toml = """
        [assert]
        retention.customer_churn_pct = "<= 3"
        win_rate = { win_rate_pct = { warn = ">= 50", fail = ">= 10" } }
    """
    assert said(tmp_path, toml) == [
        "fail  retention.customer_churn_pct is 14.1 %, asserted <= 3",
        "ok  win_rate.win_rate_pct is 41.2 %, asserted >= 10",
        "warn  win_rate.win_rate_pct is 41.2 %, asserted >= 50",
    ]


def test_what_cannot_be_told_has_not_held(tmp_path: Path) -> None:
    (line,) = said(tmp_path, '[assert]\nconsent.consent_known_pct = ">= 0"')
    assert line == "fail  consent.consent_known_pct cannot be told: No export fills contacts.opted_out_on."
    rules = read(tmp_path, '[assert]\nresolution_time.median_hours = "<= 99"').assertions
    audits = tuple(replace(a, metrics={"median_hours": Metric(None, "hours")}) for a in sample().audits)
    (verdict,) = assertions.judge(rules, replace(sample(), audits=audits))
    assert (verdict.held, verdict.said) == (
        False, "fail  resolution_time.median_hours cannot be told: the audit has no number of that name",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        (
            '[assert]\n\nretention.customer_churn_pct = "about 3"',
            3,
            'an assertion is a sign and a number, such as "<= 3"',
        ),
        ('[assert]\nretention.customer_churn_pct = "<= 3 %"', 2, "a sign and a number"),
        ('[assert.retention]\ncustomer_churn_pct = { wran = "<= 3" }', 2, "wran is not a setting; did you mean warn?"),
        ("[assert]\nretention.customer_churn_pct = 3", 2, "assert.retention.customer_churn_pct"),
        ('window = "12m"\n[assert]\nretentoin.customer_churn_pct = "<= 3"', 3, "did you mean retention?"),
        ('[assert."retention"]\n\ncustomer_chrun_pct = "<= 3"', 3, "did you mean customer_churn_pct?"),
        ('[assert]\nzzzz.y = "<= 3"', 2, "zzzz is no audit"),
        ("# first\n[customers]\ngrian = 'person'", 3, "did you mean grain?"),
        ("[rates]\nEUR = 1\nUSD = 0", 3, "rates.USD"),
        ('[files."a = b.csv"]\n[stages]\n"A = b" = "maybe"', 3, "stages.A = b"),
    ],
)
def test_a_rule_that_cannot_be_obeyed_is_named_with_file_and_line(
    toml: str, line: int, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, toml)
    assert str(refused.value).startswith(f"{tmp_path / 'crmaudit.toml'}:{line}: ")
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("rule", "code", "err"),
    [
        ('"== 2"', 0, ""),
        ('"== 3"', 1, "fail  identity_resolution.customers is 2, asserted == 3\n"),
        ('{ warn = "== 3" }', 0, "warn  identity_resolution.customers is 2, asserted == 3\n"),
    ],
)
def test_the_command_ends_with_1_where_one_fails(
    rule: str, code: int, err: str, small: Audited, tmp_path: Path
) -> None:
    config = tmp_path / "crmaudit.toml"
    config.write_text(f"[assert]\nidentity_resolution.customers = {rule}\n", encoding="utf-8")
    out = tmp_path / "audit"
    ran = crmaudit("analyze", small.exports, "--out", out, "--config", config, "--quiet")
    assert (ran.code, ran.out, ran.err) == (code, "", err)
    assert (out / "audit.json").is_file(), "the audit is there for whoever looks into it"


def test_a_wrong_name_costs_no_run(small: Audited, tmp_path: Path) -> None:
    config = tmp_path / "crmaudit.toml"
    config.write_text('[assert]\nidentity.customers = "== 3"\n', encoding="utf-8")
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--config", config)
    assert ran.code == 2
    assert f"{config}:2: assert.identity: identity is no audit" in ran.said
    assert not (tmp_path / "audit").exists()
