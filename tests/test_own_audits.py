"""Audits of a user's own: checked by file, line and rule, run with ours or in their place, and kept from files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import OWN, ROOT, crmaudit, own
from tests.conftest import Audited

SECRET = "what nobody may read"


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
        (("-- [metrics]", '-- any_of = [["purchases.amount"]]\n-- [metrics]'), ":7:", "'purchases.amount' is none"),
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
    assert ran.code == 70
    assert "crmaudit: reads, reads_when failed; the report says why" in ran.err
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
