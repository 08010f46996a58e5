"""Every command and option with good and bad input: exit codes, data on stdout, talk on stderr, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from crmaudit.catalogue import audits_of
from tests.command import OWN, ROOT, contents, crmaudit, finish, own, start
from tests.conftest import Audited

IDS = [audit.id for audit in audits_of()]

# --- What a newcomer types first


@pytest.mark.parametrize(
    "command", ["analyze", "check", "customer", "demo", "doctor", "explain", "gap", "init", "inspect", "list", "query"]
)
def test_each_command_has_help(command: str) -> None:
    ran = crmaudit(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"Usage: crmaudit {command}")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--version",), 0, "crmaudit 0."),
        (("--help",), 0, "analyze"),
        (("anlyze",), 2, "Did you mean 'analyze'?"),
        (("analyze",), 2, "Missing argument"),
        (("analyze", "x", "--owt", "y"), 2, "No such option"),
        (("analyze", "x", "y"), 2, "unexpected extra argument"),
        (("analyze", "no-such-folder"), 2, "no-such-folder: no such folder"),
        (("analyze", ".", "--fail-on", "ever"), 2, "--fail-on takes act or watch, not 'ever'"),
        (("analyze", ".", "--as-of", "31.12.2026"), 2, "--as-of takes a day such as 2026-06-30"),
        (("analyze", ".", "--window", "12"), 2, "--window: a window is 12m, all, or FROM..TO"),
        (("analyze", ".", "--window", "2026-12-31..2026-01-01"), 2, "--window: a window is 12m, all, or FROM..TO"),
        (("analyze", ".", "--window", "2026-13-01..2027-01-01"), 2, "--window: a window is 12m, all, or FROM..TO"),
        (("analyze", ".", "--currency", "Euro"), 2, "--currency: a currency is three capital letters"),
        (("analyze", ".", "--timezone", "Berlin"), 2, "--timezone: no such time zone; write it as Europe/Berlin"),
        (("analyze", ".", "--timezone", "../etc"), 2, "--timezone: no such time zone"),
        (("analyze", ".", "--threads", "0"), 2, "--threads"),
        (("analyze", ".", "--config", "no.toml"), 2, "no.toml: no such file"),
        (("analyze", ".", "--queries", "no-such-folder"), 2, "no-such-folder: no such folder"),
        (("list", "--queries", "no-such-folder"), 2, "no-such-folder: no such folder"),
        (("explain", "win_rat"), 2, "there is no audit 'win_rat'; did you mean win_rate?"),
        (("explain", "zzzzzz"), 2, "`crmaudit list` shows them"),
        (("query", "select 1", "--audit", "no-such-folder"), 2, "no-such-folder holds no audit.duckdb"),
        (("check", "no-such-folder"), 2, "no-such-folder: no such folder"),
    ],
)
def test_usage(
    arguments: tuple[str, ...], code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = crmaudit(*arguments)
    assert ran.code == code
    assert words in ran.said
    assert (ran.err if code == 0 else ran.out) == ""
    assert list(tmp_path.iterdir()) == []


def test_help_needs_nothing_heavy() -> None:
    heavy = ("polars", "duckdb", "scipy", "numpy", "jinja2", "pydantic", "pandas", "vl_convert")
    program = (
        "import sys\nfrom crmaudit import cli\n"
        "try: cli.app(['--help'])\nexcept SystemExit: pass\n"
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


# --- analyze


def test_a_small_audit_says_what_it_found_on_stderr_alone(small: Audited) -> None:
    assert small.ran.code == 0
    assert small.ran.out == ""
    assert "questions answered" in small.ran.said
    assert "report.html" in small.ran.said
    assert sorted(contents(small.folder)) == [
        "audit.duckdb", "audit.json", "history.json", "rejects.csv", "report.html", "report.md", "review.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(("fail_on", "level", "code"), [("watch", "act", 1), ("act", "watch", 0)])
def test_quiet_is_silent_and_fail_on_finds_what_is_there(
    fail_on: str, level: str, code: int, small: Audited, tmp_path: Path
) -> None:
    rule = f'-- [[finding]]\n-- level = "{level}"\n-- when = "invoice_count = 3"\n-- text = "Three."\n-- [metrics]'
    queries = own(tmp_path / "queries", OWN.replace("-- [metrics]", rule))
    ran = crmaudit(
        *("analyze", small.exports, "--out", tmp_path / "audit", "--queries", queries),
        *("--quiet", "--fail-on", fail_on),
    )
    assert (ran.code, ran.out, ran.err) == (code, "", "")
    assert (tmp_path / "audit" / "report.html").is_file(), "the audit is there for whoever looks into it"


def test_settings_come_from_the_file_and_flags_overrule_them(small: Audited, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text('as_of = 2026-04-01\nwindow = "6m"\ncurrency = "CHF"\n[rates]\nEUR = 0.95\n', encoding="utf-8")
    ran = crmaudit(
        "analyze", small.exports, "--out", tmp_path / "audit", "--config", config, "--window", "all", "--memory", "1GB"
    )
    assert ran.code == 0
    told = json.loads((tmp_path / "audit" / "audit.json").read_text(encoding="utf-8"))
    assert told["as_of"] == "2026-04-01"
    assert told["currency"] == "CHF"
    assert told["window"]["start"] == "2026-01-05", "all of it: from the first invoice"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("asof = 2026-01-01", "asof is not a setting; did you mean as_of?"),
        ("[customers]\ngrian = 'person'", "customers.grian is not a setting; did you mean grain?"),
        ("[customers]\ngrain = 'company'", "customers.grain: Input should be 'account' or 'person'"),
        ("window = '12'", "window: a window is 12m, all, or FROM..TO"),
        ("as_of = 'soon'", "as_of: Input should be a valid date"),
        ("as_of = 31.12", "as_of: "),
        ("timezone = 'Mars/Base'", "timezone: no such time zone"),
        ("currency = 'euro'", "currency: a currency is three capital letters"),
        ("[classes]\na = 120", "classes.a: "),
        ("[classes]\na = 90\nb = 80", "classes: class B ends above class A"),
        ("[rates]\nUSD = 0", "rates.USD: "),
        ("[rates]\nUSD = 'much'", "rates.USD: "),
        ("[stages]\nSigned = 'yes'", "stages.Signed: Input should be 'won', 'lost' or 'open'"),
        ("window = [", "is no valid TOML"),
        ("files = 3", "files: "),
    ],
)
def test_a_setting_that_cannot_be_obeyed_is_named(text: str, words: str, small: Audited, tmp_path: Path) -> None:
    config = tmp_path / "crmaudit.toml"
    config.write_text(text, encoding="utf-8")
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--config", config)
    assert ran.code == 2
    assert words in ran.said
    assert str(config) in ran.said
    assert ran.out == ""
    assert not (tmp_path / "audit").exists()


def test_settings_in_another_encoding(small: Audited, tmp_path: Path) -> None:
    config = tmp_path / "crmaudit.toml"
    config.write_bytes("# für uns\n".encode("utf-16"))
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--config", config)
    assert ran.code == 2
    assert f"{config} cannot be read" in ran.said


@pytest.mark.parametrize("memory", ["80%", "64TB"])
def test_memory_may_be_a_share_or_more_than_there_is(memory: str, small: Audited, tmp_path: Path) -> None:
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--memory", memory, "--quiet")
    assert (ran.code, ran.err) == (0, "")


def test_too_little_memory_is_a_message(small: Audited, tmp_path: Path) -> None:
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--memory", "1MB")
    assert ran.code == 2
    assert "--memory" in ran.err
    assert crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--memory", "much").code == 2
    assert not (tmp_path / "audit").exists()


def test_a_fault_of_ours_is_one_message(small: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> str:
        raise LookupError("\x1b[31mnobody expected this")

    monkeypatch.setattr("crmaudit.analysis.load", broken)
    monkeypatch.delenv("CRMAUDIT_TRACEBACK", raising=False)
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit")
    assert ran.code == 70
    assert ran.out == ""
    assert ran.err.startswith("crmaudit: a fault of ours: LookupError: [31mnobody expected this\n")
    assert not (tmp_path / "audit").exists()


# --- list and explain


def test_list_for_people_and_for_programs() -> None:
    text, data = crmaudit("list"), crmaudit("list", "--json")
    assert (text.code, text.err, data.code, data.err) == (0, "", 0, "")
    told = json.loads(data.out)
    assert {audit["id"] for audit in told} <= set(IDS)
    assert all(f"  {audit['id']} " in text.out and audit["question"] in text.out for audit in told)
    assert all(audit["metrics"] and audit["question"].endswith("?") for audit in told)


@pytest.mark.parametrize("audit_id", IDS)
def test_explain(audit_id: str) -> None:
    ran = crmaudit("explain", audit_id)
    assert (ran.code, ran.err) == (0, "")
    audit = next(a for a in audits_of() if a.id == audit_id)
    for part in (audit.title, "Why it matters", "Figures", *audit.metric_rules, audit.metrics.sql.splitlines()[0]):
        assert part in ran.out
    for call in audit.methods:
        assert f"  {call.name}: " in ran.out


def test_explain_names_figures_that_declare_nothing() -> None:
    audit = next(a for a in audits_of() if a.id == "churn_risk")
    assert "at_risk_a_customers" not in audit.metric_rules, "choose another figure"
    figures = crmaudit("explain", "churn_risk").out.split("Figures\n")[1].split("\n\n")[0]
    assert "  at_risk_a_customers\n" in figures
    assert "_low" not in figures


def test_a_reader_who_has_read_enough() -> None:
    with start("explain", "churn_risk") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_a_terminal_that_lacks_characters(tmp_path: Path) -> None:
    own(tmp_path, OWN.replace("How many invoices", "Combien d\u2019\u00e9l\u00e9ments \u2192"))
    ran = finish(start("list", "--queries", tmp_path, PYTHONIOENCODING="ascii"))
    assert ran.code == 0
    assert "Combien d\\u2019\\xe9l\\xe9ments" in ran.out


# --- the terminal


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_colour_where_none_is_wanted(environment: dict[str, str]) -> None:
    ran = finish(start("explain", "nothing", **environment))
    assert ran.code == 2
    assert "\x1b" not in ran.out + ran.err
