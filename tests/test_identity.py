"""Who is who: similar names, verdicts and the list of doubts, on small bases of which the truth is told."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.identity import measure
from crmaudit import identity
from crmaudit.analysis import analyze
from crmaudit.database import create_loaded, quoted
from crmaudit.errors import UsageError
from crmaudit.intake.discover import survey
from crmaudit.reviewed import Verdict, find, read
from crmaudit.schema import TABLES
from crmaudit.settings import Settings

ACCOUNTS = [
    ("crm", "A1", "Zenithar Logistics Ltd"),
    ("crm", "A2", "Brunt Engineering"),
    ("crm", "A3", "Studio 54"),
    ("crm", "A4", "Hartmanns"),
    ("crm", "A5", "Hartmanny"),
]
ALIKE = ("account crm A5", "Hartmanny", "account crm A4", "Hartmanns", 0.7468)
"""The pair of these accounts themselves that somebody should look at."""

Links = dict[str, tuple[Any, ...]]


def resolved(
    accounts: Sequence[tuple[Any, ...]],
    invoices: Sequence[tuple[Any, ...]],
    verdicts: Sequence[Verdict] = (),
    *,
    grain: str = "account",
) -> tuple[Links, list[tuple[Any, ...]]]:
    """Record -> the record that founded its party, rule, score, whether doubtful; and the doubtful pairs but `ALIKE`.

    Rows are (system, id, name, domain, tax id, phone) of accounts and (system, account_id, account_name, email) of invoices.
    """
    with duckdb.connect() as con:
        create_loaded(con, TABLES)
        con.execute(f"create table settings as select '{grain}' as grain")
        for table, columns, rows in (
            ("accounts", "system, account_id, name, domain, tax_id, phone", accounts),
            ("invoices", "system, account_id, account_name, email", invoices),
        ):
            width = columns.count(",") + 1
            for row in rows:
                whole = (*row, *[None] * (width - len(row)))
                cells = ["null" if cell is None else f"'{quoted(cell)}'" for cell in whole]
                con.execute(f"insert into loaded.{table} ({columns}) values ({', '.join(cells)})")
        identity.resolve(con, verdicts)
        links = con.execute(
            "select record, min(record) filter (rule = 'own') over (partition by party_id), rule, score, is_doubtful "
            "from links "
            "where party_id is not null order by record"
        ).fetchall()
        pairs = con.execute("select * exclude (evidence) from doubtful_pairs order by all").fetchall()
        return {record: tuple(rest) for record, *rest in links}, [pair for pair in pairs if pair != ALIKE]


@pytest.mark.parametrize(
    ("tax_id", "rule"),
    [
        ("DE 123.456.789", "tax id"),
        ("de123456789", "tax id"),
        ("DE123456780", "own"),  # another one
        (None, "own"),
    ],
)
def test_tax_number_says_who_a_company_is(tax_id: str | None, rule: str) -> None:
    links, _ = resolved(
        [("crm", "A1", "Hartmann", None, "DE123456789"), ("crm", "A2", "B"), ("erp", "K", "Z", None, tax_id)], []
    )
    assert links["account erp K"][1] == rule


@pytest.mark.parametrize("filler", ["000000000", "DE 11111111", "12345", "unknown!"])
def test_tax_number_that_only_fills_the_form_says_nothing(filler: str) -> None:
    links, _ = resolved(
        [("crm", "A1", "Hartmann", None, filler), ("crm", "A2", "B"), ("erp", "K", "Z", None, filler)], []
    )
    assert links["account erp K"][1] == "own"


@pytest.mark.parametrize(("one", "other"), [("???", "***"), ("GmbH", "G.m.b.H. & Co.")])
def test_names_that_name_nobody_tie_nobody(one: str, other: str) -> None:
    links, _ = resolved([("crm", "A1", one), ("erp", "K", other)], [])
    assert links["account erp K"][1] == "own"


def test_whole_name_goes_before_what_sisters_share() -> None:
    accounts = [("crm", "A1", "Blau Holz GmbH"), ("crm", "A2", "Blau Holz KG"), ("erp", "K", "BLAU HOLZ GMBH")]
    links, _ = resolved(accounts, [])
    assert links["account erp K"] == ("account crm A1", "name", 0.85, False)


def test_web_site_goes_before_the_tax_number() -> None:
    accounts = [
        ("crm", "A1", "Hartmann", None, "DE123456789"),
        ("crm", "A2", "Brunt", "brunt.de"),
        ("erp", "K", "Z", "brunt.de", "DE123456789"),
    ]
    links, _ = resolved(accounts, [])
    assert links["account erp K"] == ("account crm A2", "domain", 0.9, False)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("Zenithar Logistics G.m.b.H.", "name"),
        ("ZENITHAR LOGISTICS S.A.", "name"),
        ("Zenithar Logistics sp. z o.o.", "similar name"),
        ("Zenithar Logistics Aktiengesellschaft", "name"),
        ("Zénithar  Logistics", "name"),
        ("Logistics Zenithar", "similar name"),
        ("Ltd", "own"),
    ],
)
def test_exact_names_know_the_legal_forms_that_similar_ones_know(name: str, rule: str) -> None:
    links, _ = resolved(ACCOUNTS, [("billing", "K1", name)])
    assert links["account billing K1"][1] == rule


def test_name_that_resembles_one_joins_it() -> None:
    links, pairs = resolved(ACCOUNTS, [("billing", None, "ZENITHAR LOGISTCS")])
    party, rule, score, is_doubtful = links["name zenithar logistcs"]
    assert (party, rule, is_doubtful) == ("account crm A1", "similar name", False)
    assert 0.7 < score < 0.85
    assert pairs == []


def test_numbers_are_never_alike() -> None:
    links, pairs = resolved(ACCOUNTS, [("billing", None, "Studio 45"), ("billing", None, "54 Studio")])
    assert links["name studio 45"][:2] == ("name studio 45", "own")
    assert links["name 54 studio"][:2] == ("account crm A3", "similar name")
    assert pairs == []


def test_name_between_two_is_left_apart_and_listed() -> None:
    links, pairs = resolved(ACCOUNTS, [("billing", None, "Hartmanng")])
    assert links["name hartmanng"] == ("name hartmanng", "own", None, True)
    assert [(p[0], p[1], p[2], p[3]) for p in pairs] == [
        ("name hartmanng", "Hartmanng", "account crm A4", "Hartmanns"),
        ("name hartmanng", "Hartmanng", "account crm A5", "Hartmanny"),
    ]
    assert all(0.7 < pair[4] < 0.84 for pair in pairs)


def test_what_is_tied_to_two_is_listed_with_both() -> None:
    _, pairs = resolved([("crm", "A1", "Twin Ltd"), ("crm", "A2", "Twin AG")], [("billing", None, "Twin")])
    assert pairs == [
        ("account crm A2", "Twin AG", "account crm A1", "Twin Ltd", 0.84),
        ("name twin", "Twin", "account crm A1", "Twin Ltd", 0.85),
        ("name twin", "Twin", "account crm A2", "Twin AG", 0.85),
    ]


def test_customer_of_the_name_follows_it_with_its_own() -> None:
    links, _ = resolved(ACCOUNTS, [("billing", "7", "Brunt Enginering", "a@b.io"), ("shop", None, None, "a@b.io")])
    assert links["account billing 7"][:2] == ("account crm A2", "similar name")
    links, _ = resolved(
        [*ACCOUNTS, ("billing", "7", "Brunt Enginering", "brunt.example")], [("shop", None, None, "a@brunt.example")]
    )
    assert links["email a@brunt.example"][:2] == ("account crm A2", "domain")


def test_no_chain_of_resemblances() -> None:
    """Each is one slip from the next; only the next joins, whatever resembles it in turn."""
    accounts = [*ACCOUNTS, ("erp", "B1", "Zenithar Logistcs")]
    links, pairs = resolved(accounts, [("billing", None, "Zenithr Logistcs")])
    assert links["account erp B1"][:2] == ("account crm A1", "similar name")
    assert links["name zenithr logistcs"] == ("name zenithr logistcs", "own", None, True)
    assert [(p[0], p[2]) for p in pairs][-1:] == [("name zenithr logistcs", "account erp B1")]


def test_two_accounts_of_one_system_are_not_made_one() -> None:
    invoices = [("billing", "7", "Zenithar Logistics"), ("billing", "8", "Zenithar Logistcs")]
    links, pairs = resolved(ACCOUNTS, invoices)
    assert links["account billing 7"][:2] == ("account crm A1", "name")
    assert links["account billing 8"] == ("account billing 8", "own", None, True)
    assert [(p[0], p[2]) for p in pairs] == [("account billing 8", "account crm A1")]


def test_two_web_sites_speak_against_one_company() -> None:
    accounts = [
        ("crm", "A1", "Zenithar Logistics", "zenithar.com"),
        *ACCOUNTS[1:],
        ("erp", "B1", "Zenithar Logistcs", "other.com"),
    ]
    links, pairs = resolved(accounts, [])
    assert links["account erp B1"] == ("account erp B1", "own", None, True)
    assert [(p[0], p[2]) for p in pairs] == [("account erp B1", "account crm A1")]


def test_name_decides_nothing_where_a_better_rule_is_in_doubt() -> None:
    accounts = [("crm", "A1", "Aarbo", "x.io"), ("crm", "A2", "Brunto", "x.io"), ("crm", "A3", "Zenithar Logistics")]
    links, pairs = resolved(accounts, [("billing", "7", "Zenithar Logistcs", "pay@x.io")])
    assert links["account billing 7"] == ("account billing 7", "own", None, True)
    assert [(p[0], p[2]) for p in pairs] == [
        ("account billing 7", "account crm A1"),
        ("account billing 7", "account crm A2"),
    ]


def test_persons_are_never_joined_by_name() -> None:
    accounts = [("crm", "A1", "Zenithar Logistics")]
    links, pairs = resolved(accounts, [("billing", None, "Zenithar Logistcs")], grain="person")
    assert links["name zenithar logistcs"][1] == "own"
    assert pairs == []


def same(one: str, other: str) -> Verdict:
    return Verdict(one, other, is_same=True, line=2)


def apart(one: str, other: str) -> Verdict:
    return Verdict(one, other, is_same=False, line=3)


def test_same_is_obeyed_even_within_one_system() -> None:
    verdicts = [same("account crm A4", "account crm A5"), same("account crm A5", "account crm A2")]
    links, pairs = resolved(ACCOUNTS, [("billing", None, "Hartmanng"), ("billing", "8", "Hartmanny AG")], verdicts)
    assert links["account crm A4"][:3] == ("account crm A2", "verdict", 1.0)
    assert links["account crm A5"][:3] == ("account crm A2", "verdict", 1.0)
    assert links["account billing 8"][:2] == ("account crm A2", "name")
    # What lay between the two is between nobody any more.
    assert links["name hartmanng"][1] == "similar name"
    assert pairs == []


def test_not_the_same_is_obeyed_by_exact_and_by_similar_names() -> None:
    invoices = [("billing", None, "Zenithar Logistcs"), ("billing", "8", "Brunt Engineering")]
    verdicts = [apart("account crm A1", "name zenithar logistcs"), apart("account billing 8", "account crm A2")]
    links, pairs = resolved(ACCOUNTS, invoices, verdicts)
    assert links["name zenithar logistcs"] == ("name zenithar logistcs", "own", None, False)
    assert links["account billing 8"] == ("account billing 8", "own", None, False)
    assert pairs == []


def test_one_verdict_on_two_accounts_of_a_system_brings_together_what_they_split() -> None:
    accounts = [("crm", "A1", "Twin Ltd", "twin.example"), ("crm", "A2", "Twin AG", "twin.example")]
    invoices = [("billing", None, "Twin", "it@twin.example"), ("billing", None, "Twin AG", "office@twin.example")]
    links, pairs = resolved(accounts, invoices)
    assert len({founder for founder, *_ in links.values()}) > 1
    assert ("account crm A2", "Twin AG", "account crm A1", "Twin Ltd", 0.84) in pairs
    links, pairs = resolved(accounts, invoices, [same("account crm A2", "account crm A1")])
    assert {founder for founder, *_ in links.values()} == {"account crm A1"}
    assert pairs == []


def test_not_the_same_leaves_the_other_of_two() -> None:
    accounts = [("crm", "A1", "Twin Ltd"), ("crm", "A2", "Twin AG")]
    links, pairs = resolved(accounts, [("billing", None, "Twin")], [apart("name twin", "account crm A2")])
    assert links["name twin"][:2] == ("account crm A1", "name")
    assert pairs == [("account crm A2", "Twin AG", "account crm A1", "Twin Ltd", 0.84)]


def test_not_the_same_parts_two_who_joined_one() -> None:
    invoices = [("billing", "7", "Brunt Engineering"), ("billing", "8", "Brunt Engineering")]
    links, _ = resolved(ACCOUNTS, invoices)
    assert links["account billing 7"][0] == links["account billing 8"][0]
    links, _ = resolved(ACCOUNTS, invoices, [apart("account billing 7", "account billing 8")])
    assert links["account billing 7"][0] != links["account billing 8"][0]


def doubles(names: Sequence[str], verdicts: Sequence[Verdict] = ()) -> tuple[list[Any], list[Any]]:
    """Doubles of accounts A1, A2 ... of one system as (record, first, rule); and the pairs that may be doubles."""
    with duckdb.connect() as con:
        create_loaded(con, TABLES)
        con.execute("create table settings as select 'account' as grain")
        for number, name in enumerate(names, 1):
            row = f"'crm', 'A{number}', '{quoted(name)}', date '2020-01-01' + {number}"
            con.execute(f"insert into loaded.accounts (system, account_id, name, created_on) values ({row})")
        identity.resolve(con, verdicts)
        found = con.execute("select record_id, first_id, rule from doubles order by all").fetchall()
        return found, con.execute("select record_id, first_id from possible_doubles order by all").fetchall()


def test_doubles_by_similar_names_are_no_chain() -> None:
    names = ["Zenitharion Logistics", "Zenitharon Logistics", "Zenitaron Logistics", "ZENITHARION LOGISTICS"]
    found, possible = doubles(names)
    assert found == [("A2", "A1", "similar name"), ("A4", "A1", "name")]
    assert possible == [("A3", "A2")]


def test_doubles_of_a_double_go_with_it_to_the_first() -> None:
    found, _ = doubles(["Zenithar Logistics", "Zenithar Logistcs", "zenithar logistcs"])
    assert found == [("A2", "A1", "similar name"), ("A3", "A1", "name")]


def test_records_that_are_not_the_same_are_no_doubles() -> None:
    names = ["Zenithar Logistics", "Zenithar Logistcs", "Brunt", "Brunt"]
    assert len(doubles(names)[0]) == 2
    verdicts = [apart("account crm A2", "account crm A1"), apart("account crm A3", "account crm A4")]
    assert doubles(names, verdicts) == ([], [])


def test_order_of_rows_changes_nothing() -> None:
    invoices = [("billing", None, name) for name in ("Hartmanng", "Zenithar Logistcs", "Brunt Enginering", "54 Studio")]
    assert resolved(ACCOUNTS[::-1], invoices[::-1]) == resolved(ACCOUNTS, invoices)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("record,other_record\na,b\n", ":1: .* verdict is not there"),
        ("record,other_record,verdict\na,b,maybe\n", ":2: a verdict is `same` or `not the same`, not 'maybe'"),
        ("record,other_record,verdict\na,b,same\na,,same\n", ":3: a verdict is about two records"),
        ("record,other_record,verdict\na,a,not the same\n", ":2: a verdict is about two records"),
        ("record,other_record,verdict\na,b\n", ":2: the line has not as many cells"),
        ("record,other_record,verdict\na,b,same,x\n", ":2: the line has not as many cells"),
        (
            "record,other_record,verdict\na,b,same\nb,c,same\nc,a,not the same\n",
            ":4: c and a are the same by other lines",
        ),
    ],
)
def test_line_that_cannot_be_obeyed_is_named(text: str, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=f"links.csv{fault}"):
        read(path)


def test_list_as_a_spreadsheet_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "links.csv"
    path.write_text("\ufeffRecord;name;Other_Record;Verdict\r\na;;b;Same\r\nc;;d;\r\ne;;f;not the same\r\n")
    assert read(path) == (Verdict("a", "b", is_same=True, line=2), Verdict("e", "f", is_same=False, line=4))


def test_list_is_found_and_is_no_export(tmp_path: Path) -> None:
    exports, home = tmp_path / "exports", tmp_path / "home"
    exports.mkdir()
    home.mkdir()
    settings = home / "crmaudit.toml"
    assert find(exports, settings) is None
    (home / "links.csv").write_text("record,other_record,verdict\n")
    assert find(exports, settings) == home / "links.csv"
    (exports / "links.csv").write_text("id,name,url\n1,a,b\n")
    assert find(exports, settings) == home / "links.csv"
    assert [path.name for path in survey(exports).exports] == ["links.csv"]
    (exports / "links.csv").write_text("record,other_record,verdict\n")
    assert find(exports, settings) == exports / "links.csv"
    assert survey(exports).exports == ()


def test_review_is_written_and_its_verdict_obeyed(tmp_path: Path) -> None:
    exports, out = tmp_path / "exports", tmp_path / "audit"
    exports.mkdir()
    (exports / "crm_accounts.csv").write_text("account_id,name\nA1,Hartmanns\nA2,Hartmanny\nA3,Brunt\n")
    (exports / "billing_invoices.csv").write_text(
        "invoice_id,customer_name,issue_date,amount\nI1,Hartmanng,2026-01-05,10\nI2,Brunt,2026-01-05,10\n"
    )
    analyze(exports, out, Settings())
    with (out / "review.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["other_name"], row["evidence"]) for row in rows] == [
        ("Hartmanny", "Hartmanns", "similar name Hartmanny / Hartmanns"),
        ("Hartmanng", "Hartmanns", "similar name"),
        ("Hartmanng", "Hartmanny", "similar name"),
    ]

    links = exports / "links.csv"
    links.write_text(
        "record,other_record,verdict\n"
        f"{rows[0]['record']},{rows[0]['other_record']},not the same\n"
        f"{rows[1]['record']},{rows[1]['other_record']},same\n"
        f"name gone,{rows[0]['record']},same\n"
    )
    told = analyze(exports, out, Settings(), reviewed=links)
    assert (out / "review.csv").read_text().count("\n") == 1
    assert [f.text for f in told.findings if "links.csv" in f.text] == [
        "links.csv names records that these exports do not have, in line 4."
    ]
    assert [source.path for source in told.sources] == ["billing_invoices.csv", "crm_accounts.csv"]


def test_labelled_names_are_told_apart_and_together() -> None:
    """The goals of the benchmark, on 3,000 names drawn by another seed than those it measures."""
    told = measure("tune", 3000)
    assert told["right"] >= 0.995 * told["links"]
    assert told["right"] >= 0.95 * told["wanted"]
    assert set(told["wrong by kind"]) <= {"stranger", "typo", "sibling"}
