"""Names of companies as people type them: which words tell the company, and which two names are one company's.

Words carry the weight of their rarity, as in soft TF-IDF (Cohen, Ravikumar & Fienberg 2003, "A comparison of string
metrics for matching names and records"), and a word may be one slip of the finger off. Two names are only compared
where they share their rarest word or its misspelling, so that the work grows with the names and not with their square.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA

from crmaudit import name_forms
from crmaudit.name_forms import any_of

SURE, DOUBTFUL = 0.85, 0.70
"""Similarity from which names are taken for one company's, and from which somebody should look."""

SHORTEST_MISSPELT = 5
"""Letters of the shortest word that may have a slip: of four letters, one makes Nord of Ford."""
SHORTEST_CUT = 3
"""Letters of the shortest word that may be another one cut off: Const for Construction."""
CUT_SIMILARITY = 900
LAST_ALPHABET = "\u0530"
"""Greek, Latin and Cyrillic end here; where a sign is a syllable or a word, another sign is another name."""
WIDEST_BLOCK = 200
"""Names that may share a word for it to be a reason to compare them."""
KNOWN_WORD = 50
"""A word that is so many times rarer than its neighbour is the neighbour misspelt; else both are words."""
SHORTEST_JOINED = 6
"""Letters from which DataWorks is Data Works."""
READS_SAME = 0.98
CLEAR = 0.05
"""By so much must the best candidate be better than the second."""
AT_ONCE = 20_000

_LETTERS = str.maketrans({**name_forms.LETTERS, **dict.fromkeys(name_forms.MARKS, "")})
_WORDS = re.compile(r"\d+|[^\W\d_]+")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12"}


@dataclass(frozen=True)
class Name:
    """What of a name tells the company."""

    words: tuple[str, ...]
    """Without legal forms, accents and joining words, in order of the alphabet, each once."""
    numbers: tuple[str, ...]
    """In order; roman ones from two letters up as figures. They are never taken for one another."""
    joined: str
    """The words as they stand, without blanks."""


@dataclass(frozen=True)
class _Knowledge:
    anywhere: re.Pattern[str]
    end: re.Pattern[str]
    start: re.Pattern[str]
    attached: re.Pattern[str]
    joining: frozenset[str]
    short: Mapping[str, str]


@cache
def _knowledge() -> _Knowledge:
    data = name_forms.words()
    anywhere, end, start, attached = (any_of(data[key]) for key in ("anywhere", "end", "start", "attached"))
    return _Knowledge(
        re.compile(rf" (?:{anywhere})(?= )"),
        re.compile(rf"(?: (?:{end}))+ $"),
        re.compile(rf"^ (?:{start})(?= )"),
        re.compile(attached),
        frozenset(data["joining"]),
        data["short"],
    )


def parse(name: str) -> Name:
    """`The Müller & Söhne 24 G.m.b.H.` -> words muller, sohne; numbers 24.

    A name that is nothing but legal forms and joining words keeps them: there is a company called The Limited.
    """
    known = _knowledge()
    folded = known.attached.sub(" ", unicodedata.normalize("NFKC", name)).casefold().translate(_LETTERS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    found = _merge_letters(_WORDS.findall(bare))
    text = f" {' '.join(found)} "
    left = known.end.sub(" ", known.anywhere.sub("", known.start.sub("", text)))
    kept = [word for word in left.split() if word not in known.joining] or found
    numbers = tuple(sorted(_ROMAN.get(word, word) for word in kept if word[0].isdigit() or word in _ROMAN))
    words = [known.short.get(word, word) for word in kept if not word[0].isdigit() and word not in _ROMAN]
    return Name(tuple(sorted(set(words))), numbers, "".join(words))


def _merge_letters(words: Sequence[str]) -> list[str]:
    """Runs of single letters as one word: `h m` of H&M, `g m b h` of G.m.b.H."""
    merged: list[str] = []
    in_run = False
    for word in words:
        is_letter = len(word) == 1 and word < LAST_ALPHABET and not word.isdigit()
        if is_letter and in_run:
            merged[-1] += word
        else:
            merged.append(word)
        in_run = is_letter
    return merged


def similar(left: Sequence[str], right: Sequence[str] | None = None) -> pl.DataFrame:
    """Pairs of names that may be one company's: their positions and how alike they are.

    Args:
        left: n names, each compared with those of `right`.
        right: m names; None compares `left` with itself, each pair once (left < right).

    Returns:
        left, right: positions (uint32). similarity: 0.70 to 1. is_sure: every word of the one stands for a word of the
        other, at most one of them misspelt, and the similarity is 0.85 or more; else a person should look. In order of
        (left, right). Pairs whose numbers differ are no pairs.
    """
    names = [parse(name) for name in left]
    others = names if right is None else [parse(name) for name in right]
    mine, theirs = _spelt(names), _spelt(others)
    if mine.is_empty() or theirs.is_empty():
        return _nothing()
    # A company counts once, however often and with whatever form its name is written.
    companies = list({(n.words, n.numbers): n for n in (*names, *others)}.values())
    words = _spelt(companies).group_by("word").agg(pl.len().alias("n"))
    total = len(companies)
    # Whole numbers, so that sums do not depend on the order in which they are taken.
    words = words.with_columns(weight=((total / pl.col("n")).log() * 1000 + 1000).round().cast(pl.Int64))
    kin = _kin(mine["word"].unique().sort(), theirs["word"].unique().sort(), words)
    weigh = words.select("word", "weight")
    shapes, their_shapes = _shapes(names, weigh, mine), _shapes(others, weigh, theirs)
    mine, theirs = mine.join(weigh, on="word"), theirs.join(weigh, on="word")
    found = [
        _scored(pairs, mine, theirs, kin, shapes, their_shapes)
        for pairs in _blocked(mine, theirs, shapes, their_shapes, kin, is_same=right is None)
    ]
    if not found:
        return _nothing()
    return pl.concat(found).unique().sort("left", "right")


def _nothing() -> pl.DataFrame:
    kinds = {"left": pl.UInt32, "right": pl.UInt32, "similarity": pl.Float64, "is_sure": pl.Boolean}
    return pl.DataFrame(schema=kinds)


def _spelt(names: Sequence[Name]) -> pl.DataFrame:
    """Columns name (position) and word, a row for each word of each name."""
    # Flat lists: a column of lists takes polars ten times as long to take in.
    places = [place for place, name in enumerate(names) for _ in name.words]
    words = [word for name in names for word in name.words]
    return pl.DataFrame({"name": places, "word": words}, schema={"name": pl.UInt32, "word": pl.String})


def _shapes(names: Sequence[Name], words: pl.DataFrame, spelt: pl.DataFrame) -> pl.DataFrame:
    """Per name with words: their number and weight, the name's numbers and what it reads as without blanks."""
    sums = spelt.join(words, on="word").group_by("name").agg(pl.len().alias("words"), pl.sum("weight"))
    told = pl.DataFrame(
        {
            "numbers": [" ".join(n.numbers) for n in names],
            "joined": [n.joined for n in names],
            "sorted": [" ".join(n.words) for n in names],
        }
    )
    return told.with_row_index("name").join(sums, on="name").sort("name")


def _kin(left: pl.Series, right: pl.Series, words: pl.DataFrame) -> pl.DataFrame:
    """Words of the left and what they may stand for on the right: word, other, alike (per mille), kind."""
    same = pl.DataFrame({"word": left}).join(pl.DataFrame({"word": right}), on="word")
    same = same.select("word", other="word", alike=pl.lit(1000, pl.Int64), kind=pl.lit("same"))
    return pl.concat(
        [same, _misspelt(left, right, words), _cut(left, right), _cut(right, left, is_turned=True)]
    ).unique(["word", "other"], keep="first", maintain_order=True)


def _misspelt(left: pl.Series, right: pl.Series, words: pl.DataFrame) -> pl.DataFrame:
    """Pairs one slip apart: words that agree once a letter is left out of each (Garbe's symmetric deletion)."""
    pairs = _thinned(left).join(_thinned(right), on="key").select("word", "word_right").unique()
    pairs = pairs.filter(pl.col("word") != pl.col("word_right")).sort("word", "word_right")
    slips = process.cpdist(pairs["word"].to_list(), pairs["word_right"].to_list(), scorer=OSA.distance, dtype=np.int32)
    frequent = words.select("word", "n")
    pairs = pairs.filter(pl.Series(slips == 1, dtype=pl.Boolean))
    pairs = pairs.join(frequent, on="word").join(frequent, left_on="word_right", right_on="word")
    rarer, commoner = pl.min_horizontal("n", "n_right"), pl.max_horizontal("n", "n_right")
    longer = pl.max_horizontal(pl.col("word").str.len_chars(), pl.col("word_right").str.len_chars())
    # People seldom miss the first letter (Kukich 1992): there a slip counts twice.
    slip = pl.when(pl.col("word").str.head(1) == pl.col("word_right").str.head(1)).then(1000).otherwise(2000)
    return pairs.filter((rarer - 1) * KNOWN_WORD <= commoner).select(
        "word", other="word_right", alike=(1000 - slip / longer).round().cast(pl.Int64), kind=pl.lit("misspelt")
    )


def _thinned(words: pl.Series) -> pl.DataFrame:
    long = [w for w in words.to_list() if len(w) >= SHORTEST_MISSPELT and max(w) < LAST_ALPHABET]
    words_of_keys = [word for word in long for _ in range(len(word) + 1)]
    keys = [word[:i] + word[i + 1 :] for word in long for i in range(len(word) + 1)]
    frame = pl.DataFrame({"word": words_of_keys, "key": keys}, schema={"word": pl.String, "key": pl.String})
    return frame.unique()


def _cut(short: pl.Series, long: pl.Series, *, is_turned: bool = False) -> pl.DataFrame:
    """Words of `short` with which words of `long` begin: Const and Construction."""
    whole = [w for w in long.to_list() if len(w) >= SHORTEST_CUT + 3]
    ends = [(word, word[:n]) for word in whole for n in range(SHORTEST_CUT, len(word) - 2)]
    others, heads = [word for word, _ in ends], [head for _, head in ends]
    frame = pl.DataFrame({"other": others, "word": heads}, schema={"other": pl.String, "word": pl.String})
    found = frame.join(pl.DataFrame({"word": short}), on="word")
    if is_turned:
        found = found.rename({"word": "other", "other": "word"})
    return found.select("word", "other", alike=pl.lit(CUT_SIMILARITY, pl.Int64), kind=pl.lit("cut")).sort(
        "word", "other"
    )


def _blocked(
    mine: pl.DataFrame,
    theirs: pl.DataFrame,
    shapes: pl.DataFrame,
    others: pl.DataFrame,
    kin: pl.DataFrame,
    *,
    is_same: bool,
) -> Iterable[pl.DataFrame]:
    """Pairs worth comparing, some thousand names at a time: columns left and right, each pair once.

    A name is compared with those that hold its rarest word, or what that may stand for; a name of common words alone
    with those that read the same but for one letter.
    """
    held = theirs.group_by("word").agg(pl.len().alias("held"))
    reach = kin.join(held, left_on="other", right_on="word").group_by("word").agg(pl.sum("held"))
    rarest = mine.join(reach, on="word").filter(pl.col("held") <= WIDEST_BLOCK)
    rarest = rarest.sort("name", "held", "word").group_by("name", maintain_order=True).first()
    common = shapes.join(rarest, on="name", how="anti")
    whole = pl.DataFrame(schema={"left": pl.UInt32, "right": pl.UInt32})
    if not common.is_empty():
        keys = _thinned(common["sorted"].unique()).join(_thinned(others["sorted"].unique()), on="key")
        whole = common.join(keys.select("word", "word_right").unique(), left_on="sorted", right_on="word")
        whole = whole.join(others, left_on="word_right", right_on="sorted").select(left="name", right="name_right")
    for first in range(0, shapes["name"][-1] + 1, AT_ONCE):
        few = pl.col("name").is_between(first, first + AT_ONCE, closed="left")
        by_word = rarest.filter(few).join(kin, on="word").join(theirs, left_on="other", right_on="word")
        pairs = [by_word.select(left="name", right="name_right")]
        pairs.extend(
            shapes.filter(few).join(others, on=key).select(left="name", right="name_right")
            for key in ("joined", "sorted")
        )
        pairs.append(whole.filter(pl.col("left").is_between(first, first + AT_ONCE, closed="left")))
        found = pl.concat(pairs)
        if is_same:
            # Of two names the shorter may find the longer by its rarest word, and not the other way round.
            found = found.filter(pl.col("left") != pl.col("right")).select(
                left=pl.min_horizontal("left", "right"), right=pl.max_horizontal("left", "right")
            )
        yield found.unique()


def _scored(
    pairs: pl.DataFrame,
    mine: pl.DataFrame,
    theirs: pl.DataFrame,
    kin: pl.DataFrame,
    shapes: pl.DataFrame,
    others: pl.DataFrame,
) -> pl.DataFrame:
    """Those of the pairs that are similar enough, as `similar` gives them."""
    both = pairs.join(shapes, left_on="left", right_on="name").join(others, left_on="right", right_on="name")
    both = both.filter(pl.col("numbers") == pl.col("numbers_right"))
    matches = (
        both.select("left", "right").join(mine, left_on="left", right_on="name")
        .join(kin, on="word")
        .join(theirs, left_on=["right", "other"], right_on=["name", "word"])
    )  # fmt: skip
    # A word stands for one word: for the nearest, which must be the nearest of that one too.
    for word, other in (("word", "other"), ("other", "word")):
        matches = matches.sort("left", "right", word, "alike", other, descending=[False, False, False, True, False])
        matches = matches.with_columns(pl.struct("left", "right", word).is_first_distinct().alias(f"is_best_{word}"))
    matches = matches.filter("is_best_word", "is_best_other")
    weight = pl.col("weight") + pl.col("weight_right")
    is_same, is_cut = pl.col("kind") == "same", pl.col("kind") == "cut"
    sums = matches.group_by("left", "right").agg(
        (weight * pl.col("alike")).sum().alias("shared"),
        pl.len().alias("covered"),
        pl.col("other").n_unique().alias("covered_right"),
        (~is_same).sum().alias("odd"),
        pl.min_horizontal("weight", "weight_right").filter(is_same).max().fill_null(0).alias("firm"),
        pl.min_horizontal("weight", "weight_right").filter(is_cut).max().fill_null(0).alias("cut"),
    )
    told = both.join(sums, on=["left", "right"], how="left").with_columns(
        pl.col("shared", "covered", "covered_right", "odd", "firm", "cut").fill_null(0)
    )
    reads_same = (pl.col("joined") == pl.col("joined_right")) & (pl.col("joined").str.len_chars() >= SHORTEST_JOINED)
    similarity = pl.col("shared") / (1000 * weight)
    similarity = pl.when(reads_same).then(pl.max_horizontal(similarity, READS_SAME)).otherwise(similarity).round(4)
    is_whole = (
        (pl.col("words") == pl.col("words_right"))
        & (pl.col("covered") == pl.col("words"))
        & (pl.col("covered_right") == pl.col("words"))
        & (pl.col("odd") <= 1)
        & (pl.col("cut") <= pl.col("firm"))
    )
    told = told.with_columns(similarity=similarity, is_sure=(is_whole | reads_same) & (similarity >= SURE))
    return told.filter(pl.col("similarity") >= DOUBTFUL).select("left", "right", "similarity", "is_sure")


def decide(pairs: pl.DataFrame) -> pl.DataFrame:
    """Which of the pairs are joined: each name to one party at most, and only where no other will do.

    Args:
        pairs: left, right (any type), similarity and is_sure as `similar` gives them, one row for each of the two;
            apart: a text that names of `left` share which their own system keeps apart, NULL where it does not.

    Returns:
        The pairs with is_joined. A pair that is not joined is doubtful: another party is as near, or nearer though not
        sure, or a better name of the same system has joined that party.
    """
    sure = pl.col("similarity").filter(pl.col("is_sure"))
    best = sure.max().over("left")
    rivals = (pl.col("is_sure") & (pl.col("similarity") > best - CLEAR)).sum().over("left")
    nearest = pl.col("similarity").max().over("left")
    chosen = pl.col("is_sure") & (pl.col("similarity") == best) & (rivals == 1) & (nearest == best)
    pairs = pairs.with_columns(chosen.fill_null(value=False).alias("is_joined"))
    place = ("right", "apart")
    top = pl.col("similarity").max().over(*place)
    near = (pl.col("similarity") > top - CLEAR).sum().over(*place)
    wins = (pl.col("similarity") == top) & (near == 1)
    claims = pairs.filter("is_joined").with_columns((wins | pl.col("apart").is_null()).alias("is_joined"))
    rest = pairs.filter(~pl.col("is_joined"))
    return pl.concat([claims, rest]).sort("left", "right")
