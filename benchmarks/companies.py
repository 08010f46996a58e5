"""Company names whose identity is known: a CRM's, and what a billing system made of them.

Of 100 billing names 60 are variants of a name of the CRM, 30 near-misses (another company that reads much the same)
and 10 strangers. Nothing here is read by the matcher: words, legal forms and abbreviations are written independently.
"""

from __future__ import annotations

import random
import tomllib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
MARKS = {"a": "á", "e": "é", "o": "ö", "u": "ü", "i": "í", "c": "ç", "n": "ñ"}


@dataclass(frozen=True)
class Sample:
    """CRM names; billing names with the position of the CRM name each is one with, or None; and what was done to it."""

    crm: tuple[str, ...]
    billing: tuple[str, ...]
    truth: tuple[int | None, ...]
    kinds: tuple[str, ...]


def coin(draw: random.Random) -> str:
    """A word nobody uses, of two to four syllables, one in seven with an accent."""
    syllables = range(draw.choice((2, 2, 2, 3)))
    word = "".join(draw.choice(WORDS["onsets"]) + draw.choice(WORDS["vowels"]) for _ in syllables)
    word += draw.choice(WORDS["codas"])
    if draw.random() < 1 / 7:
        spots = [i for i, letter in enumerate(word) if letter in MARKS]
        spot = draw.choice(spots)
        word = word[:spot] + MARKS[word[spot]] + word[spot + 1 :]
    return str(word.capitalize())


def compose(draw: random.Random, coined: list[str]) -> list[str]:
    """The words of a company's name, without its legal form."""
    word = draw.choice(coined)
    shape = draw.random()
    if shape < 0.12:
        return [word]
    if shape < 0.42:
        return [word, draw.choice(WORDS["trades"])]
    if shape < 0.55:
        return [word, draw.choice(WORDS["trades"]), draw.choice(WORDS["towns"])]
    if shape < 0.65:
        return [word, draw.choice(coined)]
    if shape < 0.75:
        return [word, "&", draw.choice(WORDS["surnames"]), draw.choice(WORDS["trades"])]
    if shape < 0.83:
        return [
            draw.choice(WORDS["first"]),
            draw.choice(WORDS["surnames"]),
            draw.choice(WORDS["trades"]),
            draw.choice(WORDS["towns"]),
        ]
    if shape < 0.88:
        return [draw.choice(WORDS["surnames"]), draw.choice(WORDS["trades"]), draw.choice(WORDS["towns"])]
    if shape < 0.94:
        return [draw.choice(WORDS["numbered"]), str(draw.randrange(1, 2000)), draw.choice(WORDS["towns"])]
    return [word, draw.choice(WORDS["trades"]), str(draw.randrange(2, 400))]


def bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def key(words: list[str]) -> tuple[str, ...]:
    """What makes a name another name: its words, in any order."""
    return tuple(sorted(bare(word).casefold() for word in words))


def sample(size: int, seed: int) -> Sample:
    """`size` CRM names and as many billing names, the same for the same seed."""
    draw = random.Random(seed)  # noqa: S311  # a benchmark, no secret
    coined = sorted({coin(draw) for _ in range(size)})
    taken: set[tuple[str, ...]] = set()
    crm: list[list[str]] = []
    while len(crm) < size:
        words = compose(draw, coined)
        if key(words) not in taken:
            taken.add(key(words))
            crm.append(words)
    order = draw.sample(range(size), size)
    billing: list[tuple[str, int | None, str]] = []
    for place, number in enumerate(order):
        words = crm[number]
        if place < 0.6 * size:
            text, kind = vary(words, draw)
            billing.append((text, number, kind))
            continue
        other, kind = near_miss(words, draw) if place < 0.9 * size else (compose(draw, coined), "stranger")
        while key(other) in taken:
            other, kind = compose(draw, coined), "stranger"
        taken.add(key(other))
        billing.append((with_form(other, draw), None, kind))
    draw.shuffle(billing)
    texts, truth, kinds = zip(*billing, strict=True)
    return Sample(tuple(with_form(words, draw) for words in crm), texts, truth, kinds)


def with_form(words: list[str], draw: random.Random) -> str:
    return " ".join([*words, draw.choice(WORDS["legal"])] if draw.random() < 0.85 else words)


def vary(words: list[str], draw: random.Random) -> tuple[str, str]:
    """The name as somebody else types it, with any legal form, and one thing done to it."""
    kind = draw.choice(("form", "case", "punctuation", "accents", "order", "typo", "abbreviation", "typo"))
    words = list(words)
    if kind == "order" and len(words) > 1:
        words = [*words[1:], words[0]] if "&" not in words else [words[-1], *words[:-1]]
        if draw.random() < 0.5:
            return f"{' '.join(words)}, {draw.choice(WORDS['legal'])}", kind
    if kind == "typo":
        spot = draw.choice([i for i, word in enumerate(words) if len(word) > 1 and not word.isdigit()])
        words[spot] = mistype(words[spot], draw)
    if kind == "abbreviation":
        words = [WORDS["short"].get(word, word) for word in words]
    text = with_form(words, draw)
    if kind == "case":
        text = draw.choice((text.upper(), text.lower()))
    if kind == "punctuation":
        joined = text.replace("&", "and")
        text = draw.choice((text.replace(" ", ", ", 1), text.replace(" ", "-", 1), f"{joined}.", f'"{text}"'))
    if kind == "accents":
        text = bare(text)
    return text, kind


def mistype(word: str, draw: random.Random) -> str:
    """One letter left out, doubled, replaced, or turned with the next; the first one time in twenty.

    Kukich (1992) reviews counts of 1 to 15 % of the slips in the first letter.
    """
    spot = 0 if draw.random() < 1 / 20 else draw.randrange(1, len(word))
    slip = draw.choice(("drop", "double", "replace", "turn"))
    if slip == "drop":
        return word[:spot] + word[spot + 1 :]
    if slip == "double":
        return word[:spot] + word[spot] + word[spot:]
    if slip == "turn" and spot + 1 < len(word) and word[spot] != word[spot + 1]:
        return word[:spot] + word[spot + 1] + word[spot] + word[spot + 2 :]
    return word[:spot] + draw.choice([c for c in "aeiounrstlm" if c != word[spot]]) + word[spot + 1 :]


def near_miss(words: list[str], draw: random.Random) -> tuple[list[str], str]:
    """Another company that reads much the same: another number, town, trade or person, or the parent of this one."""
    words = list(words)
    for spot, word in enumerate(words):
        if word.isdigit():
            words[spot] = draw.choice((word[::-1], str(int(word) + 1), word + "0", "1" + word))
            return words, "other number"
        if word in WORDS["towns"]:
            words[spot] = draw.choice(WORDS["towns"])
            return words, "other town"
    if words[-1] in WORDS["trades"]:
        if draw.random() < 0.5:
            return [*words[:-1], draw.choice(WORDS["trades"])], "sibling"
        more = ("Holding", "Group", "International", draw.choice(WORDS["towns"]))
        return [*words, draw.choice([word for word in more if word not in words])], "sibling"
    return [*words, draw.choice(WORDS["trades"])], "sibling"
