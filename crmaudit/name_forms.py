"""What of a company's name says nothing about which company it is: legal forms, accents, marks. One home for it.

`names.py` takes names to pieces with it, and identity lets the database do the same for exact names, without the
libraries that similar names want.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

LETTERS: Mapping[str, str] = {
    "ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
}  # fmt: skip
"""Letters that are no accented ones."""
MARKS = "'’`´ʼ"
"""Marks within a word: they go, and the word stays one."""
_LONGEST_DOTTED = 5
"""Letters of the longest form that is also written with dots: G.m.b.H."""


@cache
def words() -> Mapping[str, Any]:
    """The lists of name_words.toml."""
    return tomllib.loads((Path(__file__).parent / "name_words.toml").read_text(encoding="utf-8"))


def any_of(forms: Iterable[str]) -> str:
    """A pattern for one of the forms, the longest first."""
    return "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))


def whole_key(name: str) -> str:
    """SQL for a company's name as it is, legal form and all: its words in order. `name`: the SQL of a text."""
    folded = f"lower({name})"
    for letter, plain in LETTERS.items():
        folded = f"replace({folded}, '{letter}', '{plain}')"
    marks = MARKS.replace("'", "''")
    folded = f"strip_accents(regexp_replace({folded}, '[{marks}]', '', 'g'))"
    return f"trim(regexp_replace({folded}, '[^a-z0-9\\p{{L}}]+', ' ', 'g'))"


def exact_key(name: str) -> str:
    """SQL for what two spellings of one company's name share: words in order, without a legal form at the end.

    `name`: the SQL of a text. The key is empty where the name is nothing but legal forms.
    """
    spaced = f"' ' || {whole_key(name)} || ' '"
    forms = [*words()["anywhere"], *words()["end"]]
    forms += [" ".join(form) for form in forms if form.isalpha() and len(form) <= _LONGEST_DOTTED]
    # Forms are words and blanks: nothing in them means anything to a pattern.
    ends = "|".join(sorted(set(forms), key=lambda form: (-len(form), form)))
    return f"trim(regexp_replace({spaced}, '(?: (?:{ends}))+ $', ' '))"
