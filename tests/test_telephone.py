"""A telephone number ties records that say little else, and only where it is one customer's."""

from __future__ import annotations

import pytest

from tests.test_identity import resolved


@pytest.mark.parametrize(
    ("phone", "rule"),
    [
        ("+49 30 1234765", "phone"),
        ("0049 (0)30 1234765", "phone"),
        ("030/1234765 ext. 12", "phone"),
        ("030 1234766", "own"),  # another one
        ("1234765", "own"),  # of whichever town
        ("030 1234765 / 030 9876543", "own"),  # two
        (None, "own"),
    ],
)
def test_telephone_number_says_who_a_company_is(phone: str | None, rule: str) -> None:
    accounts = [("crm", "A1", "Hartmann", None, None, "+49 (0)30 1234765"), ("erp", "K", "Z", None, None, phone)]
    links, _ = resolved(accounts, [])
    assert links["account erp K"][1] == rule


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(212) 555-7134", "(312) 555-7134"),
        ("+1 212 555 7134", "+1 912 555 7134"),
        ("+49 30 1234765", "+48 301 234 765"),
        ("0157 12345698", "0171 2345698"),
        ("030 12345678", "030 12345678"),
        ("0800 7654321", "0800 7654321"),
    ],
)
def test_telephone_numbers_that_look_alike_or_fill_the_form_tie_nobody(one: str, other: str) -> None:
    accounts = [("crm", "A1", "Hartmann", None, None, one), ("erp", "K", "Zenith", None, None, other)]
    links, _ = resolved(accounts, [])
    assert links["account erp K"][1] == "own"


@pytest.mark.parametrize(
    ("one", "other"), [("(212) 555-7134", "+1 212 555 7134"), ("030 1234765 #12", "030-1234765;ext=9")]
)
def test_telephone_number_is_told_in_other_forms(one: str, other: str) -> None:
    accounts = [("crm", "A1", "Hartmann", None, None, one), ("erp", "K", "Zenith", None, None, other)]
    links, _ = resolved(accounts, [])
    assert links["account erp K"] == ("account crm A1", "phone", 0.8, False)


def test_name_goes_before_the_telephone_number() -> None:
    accounts = [
        ("crm", "A1", "Hartmann", None, None, "030 1234765"),
        ("crm", "A2", "Brunt Engineering"),
        ("erp", "K", "Brunt Engineering", None, None, "030 1234765"),
    ]
    links, _ = resolved(accounts, [])
    assert links["account erp K"][0] == "account crm A2"


def test_telephone_number_says_nothing_against_a_web_site() -> None:
    accounts = [
        ("crm", "A1", "Hartmann", "hartmann.de", None, "030 1234765"),
        ("erp", "K", "Zenith", "zenith.com", None, "030 1234765"),
    ]
    links, _ = resolved(accounts, [])
    assert links["account erp K"][1] == "own"


def test_telephone_number_ties_no_persons() -> None:
    accounts = [("crm", "A1", "Ada", None, None, "030 1234765"), ("shop", "K", "Ben", None, None, "030 1234765")]
    links, _ = resolved(accounts, [], grain="person")
    assert links["account shop K"][1] == "own"


@pytest.mark.parametrize(
    "numbers", [("030 1234765", "030 1234765", "030 1234765"), ("030 0000000", "030 9999999", "030 0000000")]
)
def test_telephone_number_of_several_or_of_nobody_ties_nobody(numbers: tuple[str, str, str]) -> None:
    names = [("crm", "A1", "Hartmann"), ("crm", "A2", "Brunt"), ("erp", "K", "Z")]
    accounts = [(*name, None, None, number) for name, number in zip(names, numbers, strict=True)]
    links, _ = resolved(accounts, [])
    assert links["account erp K"][1] == "own"
