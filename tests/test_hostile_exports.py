"""Hostile words in the exports: nothing in any output runs, links, asks for anything, or is more than words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import hostile_exports
from tests.command import EXPORTS
from tests.hostile import HANDFUL, corpus
from tests.outputs.test_mail import letter


@pytest.mark.full
@pytest.mark.skipif(not corpus(1), reason="the corpus of payloads is not beside the checkout")
def test_every_hostile_string_in_every_text_field_harms_no_output(tmp_path: Path) -> None:
    strings, found = hostile_exports.measured(tmp_path)
    assert strings == len(set(corpus(1)))
    assert [fault for fault in found if not fault.startswith("no browser looked")] == []


def test_hostile_words_are_spread_over_the_text_columns_alone(tmp_path: Path) -> None:
    columns = {"crm_accounts.csv": {"account_name": "accounts.name", "created_date": "accounts.created_on"}}
    assert hostile_exports.spread(columns, HANDFUL, tmp_path / "exports") == len(HANDFUL)
    for path in EXPORTS.glob("*.csv"):
        is_same = path.read_bytes().replace(b"\r\n", b"\n") == (tmp_path / "exports" / path.name).read_bytes().replace(
            b"\r\n", b"\n"
        )
        assert is_same == (path.name != "crm_accounts.csv")


OURS = "<p>Hello</p><a href='#x'>x</a>"


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("<p>Hello</p><b>x</b>", "page: <b> with ()"),
        ("<p onclick='x'>Hello</p>", "page: onclick of <p>"),
        ("<a href='javascript:x'>x</a>", "page: href='javascript:x'"),
        ("<p>Hello</p></b>", "page: <b> is closed and was not opened"),
        ("<script>x</script>", "page: another script"),
    ],
)
def test_a_page_that_was_changed_is_told(page: str, fault: str) -> None:
    assert fault in set(hostile_exports._of_page("page", page, OURS))
    assert list(hostile_exports._of_page("page", OURS, OURS)) == []


@pytest.mark.parametrize("text", ["<b>x</b>", "[x](http://y)", "![x](y)", "www.example.com", "    code", "```\nx\n```"])
def test_markdown_that_is_more_than_words_is_told(text: str) -> None:
    assert list(hostile_exports._of_markdown("report.md", text))


def test_a_mail_with_a_header_or_a_part_too_many_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_bytes(letter("Week 28: 1 at risk"))
    assert list(hostile_exports._of_mail(path)) == []
    path.write_bytes(b"Bcc: eve@example.com\r\n" + letter("Week 28: 1 at risk"))
    assert list(hostile_exports._of_mail(path))
    path.write_bytes(letter("Week 28: 1 at risk =?x?="))
    assert list(hostile_exports._of_mail(path))
    path.write_bytes(letter("Week 28: 1 at risk", attachments={"x.exe": b"x"}))
    assert list(hostile_exports._of_mail(path))
