"""What a single value looks like, as far as telling a header from data needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\d[\d\s.,'’]*\s*(?:%|[$€£¥]|[eE][-+]?\d+)?\)?")
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{8})(?:[T ]\d{1,2}:\d{2}.*)?", re.ASCII
)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_YEAR_OR_PLACE = re.compile(r"(?:19|20)\d\d|\d{1,4}")
_TOTAL = re.compile(
    r"(?:grand|sub|report|overall)?[\s-]*total(?:s|en|e|es)?|(?:gesamt|zwischen)?summe|gesamt|somme|suma|totaal|sum",
    re.I,
)
_TOTAL_OF = re.compile(r"(?:(?:grand|sub)[\s-]*)?total\b|(?:zwischen|gesamt)?summe\b|totale?\b", re.I)


def kind(value: str) -> str:
    """`empty`, `date`, `number`, `address` or `text`."""
    value = value.strip()
    if not value:
        return "empty"
    if _DATE.fullmatch(value):
        return "date"
    if _NUMBER.fullmatch(value):
        return "number"
    return "address" if _ADDRESS.fullmatch(value) else "text"


def is_data(row: Sequence[str], later: Sequence[Sequence[str]]) -> bool:
    """Whether a first row is data and no header.

    It is when every value in it is a number, a date or an address, or when it holds a value no header would hold (a
    date, an address, a long or broken number) and each of its columns goes on with values of the same kind.
    """
    kinds = [kind(value) for value in row]
    if "text" not in kinds:
        return any(k != "empty" for k in kinds) and not _counts_up(row)
    telling = any(k in ("date", "address") for k in kinds) or any(
        k == "number" and not _YEAR_OR_PLACE.fullmatch(v.strip()) for k, v in zip(kinds, row, strict=True)
    )
    if not telling or not later:
        return False
    for column, first in enumerate(kinds):
        below = {kind(other[column]) for other in later if column < len(other)} - {"empty"}
        if first != "empty" and below and below != {first}:
            return False
    return True


def _counts_up(row: Sequence[str]) -> bool:
    """Years or numbers in sequence: 0, 1, 2, ... or 2021, 2022, ... are names of columns."""
    if len(row) < 3 or not all(value.strip().isdigit() for value in row):
        return False
    numbers = [int(value) for value in row]
    return all(after - before == 1 for before, after in pairwise(numbers))


def is_title(row: Sequence[str], width: int) -> bool:
    """Whether a row above the header is a title: next to nothing in it, compared with the records below."""
    filled = [place for place, value in enumerate(row) if value.strip()]
    if len(row) < width:
        return len(filled) == 1 or (len(filled) == 2 and width >= 5)
    # Padded to the full width it looks like a header with one name; a header's first name is the last to be missing.
    return (filled == [0] and width >= 3) or (len(filled) == 2 and width >= 5)


def is_band(row: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row names groups of columns whose own names are below it: most of it empty, and all of those names."""
    filled = sum(1 for value in row if value.strip())
    names = [value.strip().lower() for value in below]
    is_header = all(kind(name) == "text" for name in names) and len(set(names)) == len(names)
    return len(row) == len(below) >= 3 and filled * 2 < len(row) and is_header


def is_total(row: Sequence[str], *, report: bool) -> bool:
    """Whether a row adds up those above it: it begins with "Total", and leaves columns empty.

    `report`: the file has a title, so "Total for Smith" counts as well; elsewhere a company may be called that.
    """
    first = next((value.strip().rstrip(":") for value in row if value.strip()), "")
    gaps = sum(1 for value in row if not value.strip())
    if not gaps and len(row) > 2:
        return False
    return bool(_TOTAL.fullmatch(first)) or (report and bool(_TOTAL_OF.match(first)))


def is_heading(row: Sequence[str]) -> bool:
    """Whether a row of a report only names the group of records that follows."""
    return len(row) >= 3 and bool(row[0].strip()) and not any(value.strip() for value in row[1:])
