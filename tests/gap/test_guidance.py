"""The words that no export holds: ours are whole, and the user's win over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmaudit.catalogue import questions
from crmaudit.errors import SettingsError
from crmaudit.gap import guidance
from crmaudit.resources import folder
from crmaudit.schema import TABLES

OURS = folder("report_templates")


def test_every_question_has_its_guidance_and_its_figure_exists() -> None:
    ours = guidance.read([OURS])
    for audit in questions():
        rule = ours.questions[audit.id]
        assert rule.asks
        assert (rule.figure is None) == (rule.target is None)
        if rule.figure:
            assert rule.figure in audit.metric_rules, audit.id
            assert audit.metric_rules[rule.figure].better, f"{audit.id}.{rule.figure} has no good direction"
        assert audit.chapter in ours.owners


def test_costs_are_made_of_figures_that_exist() -> None:
    known = {f"{audit.id}.{name}": audit.metrics.sql for audit in questions() for name in _names(audit)}
    for rule in guidance.read([OURS]).questions.values():
        if rule.cost:
            for address in (rule.cost.amount, rule.cost.unknown, rule.cost.known, *rule.cost.rates):
                assert address is None or address in known, address


def _names(audit: object) -> set[str]:
    from crmaudit.audit_header import words_of  # noqa: PLC0415

    return set(words_of(audit.metrics.sql))  # type: ignore[attr-defined]


def test_what_is_asked_for_are_canonical_columns() -> None:
    for name, rule in guidance.read([OURS]).questions.items():
        for address in rule.asks:
            table, _, column = address.partition(".")
            assert column in {c.name for c in TABLES[table].columns}, f"{name}: {address}"


def test_what_is_fed_and_what_is_seldom_kept_exist() -> None:
    ours = guidance.read([OURS])
    for name, rule in ours.questions.items():
        assert set(rule.feeds) <= ours.questions.keys() - {name}
    assert ours.records.keys() <= TABLES.keys()


def test_own_words_win_entry_by_entry(tmp_path: Path) -> None:
    (tmp_path / "gap.toml").write_text(
        '[owners]\nkeep = "Ines"\n[questions.contact_roles]\ntarget = 70\n[questions.ours]\nowner = "Bo"\n',
        encoding="utf-8",
    )
    ours, merged = guidance.read([OURS]), guidance.read([tmp_path, OURS])
    assert merged.owners == {**ours.owners, "keep": "Ines"}
    assert merged.question("contact_roles").target == 70
    assert merged.question("contact_roles").figure == ours.question("contact_roles").figure
    assert merged.question("ours").owner == "Bo"
    assert merged.question("nobody knows it") == guidance.QuestionGuidance()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[questions.win_rate]\ntargt = 3", "questions.win_rate.targt"),
        ('[questions.win_rate]\neffort = "magic"', "no effort magic"),
        ('[records]\ntickets = "magic"', "no effort magic"),
        ("[plan]\ndays_a_month = 0", "plan.days_a_month"),
        ("[interviews]\neach = 0", "interviews.each"),
        ("[", "is no valid TOML"),
    ],
)
def test_words_that_cannot_be_used_are_named(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "gap.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=words) as refused:
        guidance.read([tmp_path, OURS])
    assert str(tmp_path / "gap.toml") in str(refused.value)
