"""What holds of every table and of every damaged one."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crmaudit.intake.raw import Unreadable
from crmaudit.intake.read import read
from tests.intake.reading import Desk

CELLS = st.text(
    st.one_of(
        st.sampled_from(list(",;\t|\"'\n\r#\\ \x0b\x1c\x85\u2028\ufeff€é東")),
        st.characters(blacklist_characters="\0", blacklist_categories=("Cs", "Cc")),
    ),
    max_size=8,
)
NAMES = ("first name", "second name", "third name", "fourth name")
DAMAGE = st.sampled_from(
    [b'"', b",", b";", b"\n", b"\r", b"\0", b"\xff", b'""', b"\r\n", b"x", b"\n\n", b"\n,,\n", b"\nTotal,,\n", b"\t|"]
)


@pytest.fixture(scope="module")
def one_desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        (Path(folder) / "work").mkdir()
        yield Desk(Path(folder), Path(folder) / "work", con)


def few(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )


def written(rows: list[list[str]], delimiter: str, newline: str, quoting: int) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(rows)
    return text.getvalue().encode()


ANY_TABLE = given(
    width=st.integers(1, 4),
    delimiter=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    data=st.data(),
)


def check_any_table_comes_back(
    one_desk: Desk, width: int, delimiter: str, newline: str, quoting: int, encoding: str, data: st.DataObject
) -> None:
    rows = data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6))
    # Rows of nothing are no records, and a total is none.
    assume(all("".join(row).strip(f"{delimiter} \t\r\n") for row in rows))
    # The writer leaves an end of line bare where it is not its own (Python before 3.13).
    foreign = "".join({"\r", "\n"} - set(newline))
    assume(quoting == csv.QUOTE_ALL or not any(sign in "".join(map("".join, rows)) for sign in foreign))
    content = written([list(NAMES[:width]), *rows], delimiter, newline, quoting).decode().encode(encoding)
    table = one_desk.table(content)
    assert table.columns == NAMES[:width]
    assert one_desk.rows(table) == rows
    assert not table.rejects


A_DAMAGED_FILE = given(
    delimiter=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    values=st.lists(
        st.sampled_from(["Ann", "12.50", "a,b", "a;b", 'said "x"', "l1\nl2", "", "é"]), min_size=20, max_size=80
    ),
    damage=st.lists(st.tuples(st.floats(0, 1), DAMAGE, st.integers(0, 4)), min_size=1, max_size=3),
)


def check_a_damaged_file_loses_nothing_unsaid(
    one_desk: Desk,
    delimiter: str,
    newline: str,
    quoting: int,
    values: list[str],
    damage: list[tuple[float, bytes, int]],
) -> None:
    rows = [[str(n), *values[2 * n : 2 * n + 2]] for n in range(len(values) // 2)]
    header = list(NAMES[:3])
    body = bytearray(written(rows, delimiter, newline, quoting))
    for where, what, deleted in damage:
        at = int(where * len(body))
        body[at : at + deleted] = what
    path = one_desk.exports / "damaged.csv"
    path.write_bytes(written([header], delimiter, newline, quoting) + bytes(body))
    (table,) = read(path, one_desk.exports, one_desk.con, workdir=one_desk.workdir)
    found = one_desk.rows(table)
    assert table.rows_read == len(found) + len(table.rejects)
    # Each blow touches a record or two, and may tear one in two; no other may change, and none may vanish.
    before, after = Counter(map(tuple, rows)), Counter(map(tuple, found))
    assert sum((after - before).values()) <= 4 * len(damage)
    assert len(rows) - table.rows_read <= 2 * len(damage)
    lost = sum((before - after).values())
    assert lost <= len(table.rejects) + 4 * len(damage)


ANY_BYTES = given(content=st.binary(max_size=300))


def check_any_bytes_are_read_or_refused(one_desk: Desk, content: bytes) -> None:
    with suppress(Unreadable):
        one_desk.table(content)  # which counts what it reads


def test_any_table_comes_back(one_desk: Desk) -> None:
    few(150)(ANY_TABLE(check_any_table_comes_back))(one_desk)


def test_a_damaged_file_loses_nothing_unsaid(one_desk: Desk) -> None:
    few(150)(A_DAMAGED_FILE(check_a_damaged_file_loses_nothing_unsaid))(one_desk)


def test_any_bytes_are_read_or_refused(one_desk: Desk) -> None:
    few(150)(ANY_BYTES(check_any_bytes_are_read_or_refused))(one_desk)


@pytest.mark.full
def test_thousands_of_tables(one_desk: Desk) -> None:
    few(5000)(ANY_TABLE(check_any_table_comes_back))(one_desk)
    few(5000)(A_DAMAGED_FILE(check_a_damaged_file_loses_nothing_unsaid))(one_desk)
    few(5000)(ANY_BYTES(check_any_bytes_are_read_or_refused))(one_desk)
