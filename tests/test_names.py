"""Company names: what of a name tells the company, and which two names are one company's."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.companies import sample
from crmaudit.names import decide, parse, similar


@pytest.mark.parametrize(
    ("name", "words", "numbers"),
    [
        ("The Müller & Söhne 24 G.m.b.H.", "muller sohne", "24"),
        ("MUELLER", "mueller", ""),
        ("H&M Hennes & Mauritz AB", "hennes hm mauritz", ""),
        ("Acme Sp. z o.o.", "acme", ""),
        ("S.A.R.L. Dupont et Cie", "dupont", ""),
        ("PT Bank Mandiri Tbk", "bank mandiri", ""),
        ("株式会社トヨタ", "トヨタ", ""),
        ("Müller GmbH & Co. KG, Berlin", "berlin muller", ""),
        ("O'Reilly Media, Inc.", "media oreilly", ""),
        ("Spa Hotel", "hotel spa", ""),
        ("Fund II LP", "fund", "2"),
        ("Studio 054", "studio", "054"),
        ("1&1 AG", "", "1 1"),
        ("The Limited", "limited the", ""),
        ("Øst Straße Łódź", "lodz ost strasse", ""),
        ("...", "", ""),
    ],
)
def test_what_tells_the_company(name: str, words: str, numbers: str) -> None:
    found = parse(name)
    assert (" ".join(found.words), " ".join(found.numbers)) == (words, numbers)


def test_forms_and_short_words_are_written_as_names_are_read() -> None:
    path = Path(__file__).resolve().parents[1] / "crmaudit" / "name_words.toml"
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    for form in (*data["anywhere"], *data["end"]):
        assert parse(f"zenithar {form}").words == ("zenithar",), form
    for form in data["start"]:
        assert parse(f"{form} zenithar").words == ("zenithar",), form
    for short, word in data["short"].items():
        assert parse(f"zenithar {short}") == parse(f"zenithar {word}"), short


def verdicts(left: str, right: str, others: tuple[str, ...] = ()) -> str:
    """`sure`, `doubtful` or `apart` for two names among companies that make trades and towns common words."""
    crowd = [
        f"{word} {more}" for word in ("Aarbo", "Brunt", "Cleve", "Dorsk") for more in ("Logistics", "Berlin", "Hamburg")
    ]
    crowd += [f"{word} Construction Holding" for word in ("Edwig", "Fonto", "Grulm")]
    pairs = similar([left], [right, *crowd, *others]).filter(pl.col("right") == 0)
    return "apart" if pairs.is_empty() else "sure" if pairs["is_sure"][0] else "doubtful"


@pytest.mark.parametrize(
    ("left", "right", "verdict"),
    [
        ("Zenithar Logistics", "ZENITHAR LOGISTICS Ltd.", "sure"),
        ("Logistics Zenithar", "Zenithar Logistics", "sure"),
        ("Zenithar Logistcs", "Zenithar Logistics", "sure"),
        ("Zenihtar Logistics", "Zenithar Logistics", "sure"),
        ("Zenithar Constr.", "Zenithar Construction", "sure"),
        ("Zenithar Intl", "Zenithar International", "sure"),
        ("DataWorks", "Data Works GmbH", "sure"),
        ("Zenith", "Zenit", "doubtful"),
        ("Zenithar", "Senithar", "doubtful"),
        ("Constru", "Construction", "doubtful"),
        ("Zenithar", "Zenithar Holding", "doubtful"),
        ("Zenithar Zenitar", "Zenithar", "apart"),
        ("Zenihtar Logistcs", "Zenithar Logistics", "doubtful"),
        ("Zenithar Construction Berlin", "Zenithar Construction Hamburg", "doubtful"),
        ("Nord Zenithar", "Ford Zenithar", "apart"),
        ("Studio 54", "Studio 45", "apart"),
        ("Studio 54", "Studio 5", "apart"),
        ("Studio", "Studio 54", "apart"),
        ("Fund II", "Fund III", "apart"),
        ("Fund II", "Fund 2", "sure"),
        ("北京华联商厦", "北京华联商城", "apart"),
        ("Berlin Logistics", "Hamburg Logistics", "apart"),
    ],
)  # fmt: skip
def test_two_names(left: str, right: str, verdict: str) -> None:
    assert verdicts(left, right) == verdict
    assert verdicts(right, left) == verdict


def test_two_words_that_others_use_too_are_two_words() -> None:
    meier = tuple(f"Meier {word}" for word in ("Aarbo", "Brunt", "Cleve"))
    maier = tuple(f"Maier {word}" for word in ("Aarbo", "Brunt", "Cleve"))
    assert verdicts("Meier Zenithar", "Maier Zenithar") == "sure"
    assert verdicts("Meier Zenithar", "Maier Zenithar", meier + maier) != "sure"


def test_name_of_common_words_alone_is_found() -> None:
    right = [f"General {word}" for word in ("Services", "Supplies")] + [f"General {n} Services" for n in range(300)]
    pairs = similar(["General Servixes", "Services General"], right)
    assert pairs.rows() == [(0, 0, pytest.approx(0.9, abs=0.1), True), (1, 0, 1.0, True)]


def test_a_rival_as_near_leaves_the_name_in_doubt() -> None:
    pairs = similar(["Hartmanng"], ["Hartmanns", "Hartmanny", "Other"]).with_columns(apart=pl.lit(None, pl.String))
    assert pairs["is_sure"].to_list() == [True, True]
    assert decide(pairs)["is_joined"].to_list() == [False, False]


def test_of_two_that_their_system_keeps_apart_the_better_joins() -> None:
    pairs = similar(["Zenithar Logistics", "Zenithar Logistcs"], ["Logistics Zenithar"])
    assert decide(pairs.with_columns(apart=pl.lit("billing")))["is_joined"].to_list() == [True, False]
    assert decide(pairs.with_columns(apart=pl.lit(None, pl.String)))["is_joined"].to_list() == [True, True]


def test_names_among_themselves_are_compared_once() -> None:
    names = ["Zenithar Logistics", "Other", "Logistics Zenithar", "Zenithar Logistics"]
    assert similar(names).select("left", "right").rows() == [(0, 2), (0, 3), (2, 3)]
    longer = ["Brunt Zenithar Cleve Edwig", "Brunt Zenithar Cleve"]
    assert similar([*longer, "Other"]).rows() == similar([*longer[::-1], "Other"]).rows() != []


@pytest.mark.parametrize(("left", "right"), [([], ["A"]), (["A"], []), (["1&1"], ["1&1"]), (["..."], ["..."])])
def test_nothing_to_compare(left: list[str], right: list[str]) -> None:
    assert similar(left, right).is_empty()


WORD = st.sampled_from(
    ["Zenithar", "Zenitar", "Acme", "Logistics", "Logistcs", "Berlin", "24", "42", "GmbH", "&", "Ö", "II"]
)
NAMES = st.lists(st.lists(WORD, max_size=4).map(" ".join), max_size=6)


@given(NAMES, NAMES)
def test_sides_can_be_changed(left: list[str], right: list[str]) -> None:
    there = {(a, b, s) for a, b, s, sure in similar(left, right).rows() if sure}
    assert there == {(a, b, s) for b, a, s, sure in similar(right, left).rows() if sure}


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_name(one: str, other: str) -> None:
    for row in similar([one], [other]).rows():
        assert 0.7 <= row[2] <= 1


def test_order_of_the_names_changes_nothing() -> None:
    drawn = sample(400, seed=5)
    left, right = list(drawn.billing), list(drawn.crm)
    first = {(left[a], right[b], s, sure) for a, b, s, sure in similar(left, right).rows()}
    random.Random(1).shuffle(left)  # noqa: S311
    random.Random(2).shuffle(right)  # noqa: S311
    assert {(left[a], right[b], s, sure) for a, b, s, sure in similar(left, right).rows()} == first
