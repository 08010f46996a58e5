"""Every command and option with good and bad input: exit codes, data on stdout, talk on stderr, never a traceback."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from crmaudit import querying
from crmaudit.catalogue import audits_of
from tests.command import ROOT, contents, crmaudit, finish, start
from tests.conftest import Audited

IDS = [audit.id for audit in audits_of()]

OWN = """-- /// audit
-- title    = "Invoices"
-- question = "How many invoices are there?"
-- why      = "To count."
-- fix      = "Export the invoices."
-- headline = "{invoice_count} invoices."
-- [metrics]
-- invoice_count = { unit = "n" }
-- ///
-- /// table by_customer
select account_name, count(*) as invoice_count
from invoices
group by account_name
order by account_name
-- /// metrics
select sum(invoice_count)::bigint as invoice_count from by_customer
"""


def own(folder: Path, text: str = OWN, name: str = "know/invoice_count.sql") -> Path:
    """A folder with one audit of a user's."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


# --- What a newcomer types first


@pytest.mark.parametrize("command", ["analyze", "inspect", "init", "list", "explain", "query", "check"])
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
        "audit.duckdb", "audit.json", "rejects.csv", "report.html", "report.md", "review.csv",
    ]  # fmt: skip


def test_quiet_is_silent_and_fail_on_finds_what_is_there(example: Audited, tmp_path: Path) -> None:
    levels = {f.level for a in example.report.audits for f in a.findings}
    assert levels >= {"act", "watch"}
    (tmp_path / "exports").mkdir()
    for name in ("crm_accounts.csv", "crm_opportunities.csv"):
        (tmp_path / "exports" / name).write_bytes((example.exports / name).read_bytes())
    ran = crmaudit("analyze", tmp_path / "exports", "--out", tmp_path / "audit", "--quiet", "--fail-on", "act")
    assert (ran.code, ran.out, ran.err) == (1, "", "")
    assert (tmp_path / "audit" / "report.html").is_file(), "the audit is there for whoever looks into it"


def test_fail_on_is_silent_where_nothing_is_found(small: Audited, tmp_path: Path) -> None:
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "-q", "--fail-on", "watch")
    assert (ran.code, ran.out, ran.err) == (0, "", "")


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


def test_too_little_memory_is_a_message(small: Audited, tmp_path: Path) -> None:
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--memory", "1MB")
    assert ran.code == 2
    assert "--memory" in ran.err
    assert crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--memory", "much").code == 2
    assert not (tmp_path / "audit").exists()


def test_a_fault_of_ours_is_one_message(small: Audited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise LookupError("\x1b[31mnobody expected this")

    monkeypatch.setattr("crmaudit.render.html", broken)
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


# --- query


@pytest.mark.parametrize(
    ("sql", "cells"),
    [
        ("select count(*) as n, sum(net_amount)::integer as total from invoices", ["n", "total", "3", "320"]),
        ("from customers select count(*) as n", ["n", "2"]),
        ("with a as (select 1 as x) select x, null as y from a;", ["x", "y", "1", ""]),
        ("select '[bold]x' as t", ["t", "[bold]x"]),
        ("describe customers", None),
        ("explain select 1", None),
    ],
)
def test_query(sql: str, cells: list[str] | None, small: Audited) -> None:
    table = crmaudit("query", sql, "--audit", small.folder)
    data = crmaudit("query", sql, "--audit", small.folder, "--csv")
    assert (table.code, table.err, data.code, data.err) == (0, "", 0, "")
    rows = list(csv.reader(io.StringIO(data.out)))
    if cells is not None:
        assert [cell for row in rows for cell in row] == cells
        assert all(cell in table.out for cell in cells)


SECRET = "what nobody may read"
ATTACKS = [
    "from read_csv('{file}')",
    "from '{file}'",
    "from read_text('{file}')",
    "from read_blob('{file}')",
    "from glob('{folder}/*')",
    "from sniff_csv('{file}')",
    "from query('from read_text(''{file}'')')",
    "from parquet_metadata('{file}')",
    "select * from read_json('{file}')",
    "from enable_logging(storage = 'file', storage_path = '{folder}/new')",
    "from read_text('{folder}/audit/../secret.txt')",
    "copy (select 1) to '{folder}/new'",
    "copy customers from '{file}'",
    "export database '{folder}/new'",
    "attach '{folder}/new' as new",
    "attach ':memory:' as new",
    "install httpfs",
    "load icu",
    "set threads = 1",
    "set lock_configuration = false",
    "reset lock_configuration",
    "pragma threads = 1",
    "call enable_logging()",
    "create table new as select 1",
    "insert into customers select * from customers",
    "update customers set party_id = 0",
    "drop table customers",
    "select 1; copy (select 1) to '{folder}/new'",
    "prepare p as select 1",
    "begin",
    "use temp",
    "",
    "-- nothing",
    "selec 1",
    "select no_such_column from customers",
]


def test_query_does_nothing_but_read_the_audit(
    small: Audited, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    (tmp_path / "audit").mkdir()
    before, database = sorted(tmp_path.iterdir()), (small.folder / "audit.duckdb").read_bytes()
    for attack in ATTACKS:
        sql = attack.format(folder=tmp_path, file=tmp_path / "secret.txt")
        answer = tmp_path_factory.mktemp("answer") / "answer.csv"
        with pytest.raises((querying.duckdb.Error, ValueError)):
            querying.answer(sql, small.folder / "audit.duckdb", answer)
            pytest.fail(f"{sql}: {answer.read_text(encoding='utf-8')}")
    assert sorted(tmp_path.iterdir()) == before
    assert (small.folder / "audit.duckdb").read_bytes() == database
    ran = crmaudit("query", f"from read_text('{tmp_path / 'secret.txt'}')", "--audit", small.folder)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("crmaudit: Permission Error")


def test_a_huge_result_is_cut_for_people_and_whole_for_programs(small: Audited) -> None:
    sql = "select range as n, 'row ' || range as name from range(300000)"
    table = crmaudit("query", sql, "--audit", small.folder)
    assert table.code == 0
    assert "300,000 rows; the first 1,000 are shown. All of them: --csv" in table.said
    assert len(table.out.splitlines()) < 1_010
    data = crmaudit("query", sql, "--audit", small.folder, "--csv")
    assert len(data.out.splitlines()) == 300_001
    assert data.out.endswith("299999,row 299999\n")


def test_a_query_that_takes_too_much_is_ended(small: Audited) -> None:
    slow = "select sum(a.range * b.range) from range(1000000) a, range(1000000) b"
    ran = crmaudit("query", slow, "--audit", small.folder, "--deadline", 2)
    assert (ran.code, ran.out) == (2, "")
    assert "longer than 2 seconds" in ran.err
    ran = crmaudit("query", "select len(range(1000000000))", "--audit", small.folder)
    assert (ran.code, ran.out) == (2, "")
    assert "more than 4 GiB of memory" in ran.err


# --- audits of a user's own


def test_check_of_a_good_folder(tmp_path: Path) -> None:
    ran = crmaudit("check", own(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "ok  know/invoice_count  How many invoices are there?\n"
    assert crmaudit("check", ROOT / "queries" / "no-such").code == 2


@pytest.mark.parametrize(
    ("change", "place", "rule"),
    [
        (("-- /// audit", "-- audit"), ":1:", "the first line must be `-- /// audit`"),
        (('-- title    = "Invoices"\n', ""), ":1:", "lacks `title`"),
        (('-- title    = "Invoices"', "-- title    = 3"), ":2:", "lacks `title`, a text"),
        (('-- title    = "Invoices"', '-- titel    = "Invoices"'), ":1:", "lacks `title`"),
        (("-- [metrics]", '-- colour = "red"\n-- [metrics]'), ":7:", "unknown keys: colour"),
        (("-- [metrics]", "-- [metrics"), ":7:", "no TOML"),
        (("-- [metrics]", "[metrics]"), ":7:", "a header line must begin with `--`"),
        (('{ unit = "n" }', '{ unti = "n" }'), ":8:", "knows no unti"),
        (('{ unit = "n" }', "{ }"), ":8:", "wants unit"),
        (('{ unit = "n" }', "3"), ":8:", "is a table"),
        (("-- [metrics]", '-- optional = "x"\n-- [metrics]'), ":7:", "`optional` is a list of texts"),
        (("-- [metrics]", "-- any_of = [3]\n-- [metrics]"), ":7:", "`any_of` is a list of texts"),
        (("-- [metrics]", '-- [[finding]]\n-- level = "bad"\n-- when = "true"\n-- text = "x"\n-- [metrics]'), ":7:", "a finding's level is one of act"),
        (("-- [metrics]", '-- [[finding]]\n-- level = "act"\n-- [metrics]'), ":7:", "wants when, text"),
        (("-- [metrics]", '-- [finding]\n-- level = "act"\n-- [metrics]'), ":7:", "is repeated, [[finding]]"),
        (("-- [metrics]", '-- [[chart]]\n-- kind = "bars"\n-- [metrics]'), ":7:", "a chart wants `table`"),
        (("-- [metrics]", '-- [method]\n-- name = "os"\n-- table = "by_customer"\n-- [metrics]'), ":7:", "no method is called 'os'"),
        (("-- [metrics]", '-- [method]\n-- name = "rates"\n-- [metrics]'), ":7:", "a method wants `name` and `table`"),
        (("-- ///\n-- /// table", "-- /// table"), "", "the header has no closing `-- ///`"),
        (("-- /// table by_customer", "-- /// tabel by_customer"), ":10:", "a block begins with"),
        (("-- /// table by_customer\n", ""), ":10:", "SQL before the first"),
        (("-- /// metrics", "-- /// table other"), "", "an audit has one `-- /// metrics` block"),
        (("group by account_name", "group account_name"), ":13:", "syntax error"),
        (("select account_name, count(*)", "\n\nselec account_name, count(*)"), ":13:", "syntax error"),
        (("from invoices", "from invoises"), ":11:", "invoises does not exist"),
        (("select account_name,", "select acount_name,"), ":11:", "acount_name"),
        (("from by_customer", "from by_costumer"), ":16:", "by_costumer does not exist"),
        (("order by account_name", "order by account_name; drop table customers"), ":11:", "must be one SELECT"),
        (("select account_name, count(*)", "select content as account_name, count(*)"), ":11:", "content"),
        (("from invoices", "from (select content as account_name from read_text('no-such'))"), ":11:", "disabled by configuration"),
    ],
)  # fmt: skip
def test_check_names_file_line_and_rule(change: tuple[str, str], place: str, rule: str, tmp_path: Path) -> None:
    assert change[0] in OWN
    own(tmp_path, OWN.replace(*change))
    ran = crmaudit("check", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"crmaudit: {tmp_path / 'know' / 'invoice_count.sql'}{place}")
    assert rule in ran.said


@pytest.mark.parametrize("name", ["invoice_count.sql", "loyalty/invoice_count.sql", "know/Invoice count.sql"])
def test_check_of_a_file_in_a_wrong_place(name: str, tmp_path: Path) -> None:
    ran = crmaudit("check", own(tmp_path, name=name))
    assert ran.code == 2
    assert str(tmp_path / name) in ran.err


def test_check_of_an_empty_folder_and_of_a_file_that_is_no_text(tmp_path: Path) -> None:
    assert "holds no audit" in crmaudit("check", tmp_path).err
    own(tmp_path)
    (tmp_path / "know" / "invoice_count.sql").write_bytes(b"\xff\xfe\x00")
    ran = crmaudit("check", tmp_path)
    assert ran.code == 2
    assert "is no UTF-8 text" in ran.err


def test_wrong_sql_stops_an_analysis_before_it_begins(small: Audited, tmp_path: Path) -> None:
    queries = own(tmp_path / "queries", OWN.replace("group by", "group"))
    for command in (("analyze", small.exports, "--out", tmp_path / "audit"), ("list",), ("explain", "invoice_count")):
        ran = crmaudit(*command, "--queries", queries)
        assert (ran.code, ran.out) == (2, "")
        assert f"{queries / 'know' / 'invoice_count.sql'}:13: Parser Error" in ran.err
    assert not (tmp_path / "audit").exists()


def test_audits_of_ones_own_are_run_and_reach_no_file(small: Audited, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    queries = own(tmp_path / "queries")
    own(queries, OWN.replace("How many invoices are there?", "Is it replaced?"), "win/win_rate.sql")
    reading = OWN.replace("from invoices", f"from invoices, read_text('{secret}')")
    own(queries, reading, "know/reads.sql")
    when = f"(select count(*) from read_text('{secret}')) > 0"
    rule = f'-- [[finding]]\n-- level = "act"\n-- when = "{when}"\n-- text = "x"\n-- [metrics]'
    own(queries, OWN.replace("-- [metrics]", rule), "know/reads_when.sql")
    ran = crmaudit("analyze", small.exports, "--out", tmp_path / "audit", "--queries", queries)
    assert ran.code == 0
    text = (tmp_path / "audit" / "audit.json").read_text(encoding="utf-8")
    assert SECRET not in text
    told = json.loads(text)
    results = {result["id"]: result for result in told["audits"]}
    assert results["invoice_count"]["metrics"]["invoice_count"]["value"] == 3
    assert results["invoice_count"]["headline"] == "3 invoices."
    assert results["win_rate"]["question"] == "Is it replaced?"
    for name in ("reads", "reads_when"):
        assert results[name]["status"] == "failed"
        assert results[name]["reason"].startswith(f"{queries / 'know' / name}.sql cannot be run: PermissionException")
    replaced = [f for f in told["findings"] if f["key"].startswith("queries/")]
    assert [(f["key"], f["level"]) for f in replaced] == [("queries/info/win_rate", "info")]
    for name in ("report.html", "report.md"):
        page = (tmp_path / "audit" / name).read_text(encoding="utf-8")
        assert "which replaces the question of that name" in page
    assert "Is it replaced?" in crmaudit("list", "--queries", queries).out
    assert "Is it replaced?" in crmaudit("explain", "win_rate", "--queries", queries).out


# --- the terminal


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_colour_where_none_is_wanted(environment: dict[str, str]) -> None:
    ran = finish(start("explain", "nothing", **environment))
    assert ran.code == 2
    assert "\x1b" not in ran.out + ran.err
