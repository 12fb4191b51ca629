"""Writing systems: which put no spaces between words, and how words are counted in them.

Chinese characters, kana, Thai, Lao, Khmer and Burmese stand in a row. There a word is a run of one
script, much as UAX #29 breaks katakana and without a dictionary: four in 面白い映画でした (面白,
い, 映画, でした). Thai, Lao, Khmer and Burmese change no script within a sentence, so each run of
theirs counts as one word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

# Ranges for a character class, as Python and polars read it. The first are marks of East Asia.
_EAST_ASIAN_MARKS: Final = (
    "\u3000-\u3004\u3008-\u3020\u3030-\u3030\u30fb-\u30fb"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
_HAN: Final = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HIRAGANA: Final = "\u3041-\u309f"
_KATAKANA: Final = "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_OTHERS: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
UNSPACED: Final = f"{_HAN}{_HIRAGANA}{_KATAKANA}{_OTHERS}"
"""Letters of scripts without spaces between words."""
UNSPACED_TEXT: Final = f"{UNSPACED}{_EAST_ASIAN_MARKS}"
"""These letters, and the marks that stand between them."""
EAST_ASIAN_MARKS: Final = "".join(
    chr(code)
    for first, last in re.findall("(.)-(.)", _EAST_ASIAN_MARKS)
    for code in range(ord(first), ord(last) + 1)
)
"""The marks that may stand around a word there."""
UNSPACED_SCRIPTS: Final = frozenset(
    {"Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar"}
)
"""The same scripts by their names in Unicode."""
_RUNS: Final = f"[{_HAN}]+|[{_HIRAGANA}]+|[{_KATAKANA}]+|[{_OTHERS}]+"
_RUN: Final = re.compile(_RUNS)
_LETTER: Final = re.compile(f"[{UNSPACED}]")
PIECE: Final = re.compile(f"{_RUNS}|[^\\s{UNSPACED_TEXT}]+")
"""A word of a text that has letters of such scripts."""
_STRETCH: Final = re.compile(f"{_RUNS}|[^{UNSPACED}]+")


def is_unspaced(character: str) -> bool:
    """Return True if a character is a letter of a script without spaces between words."""
    return _LETTER.match(character) is not None


def has_unspaced(text: str) -> bool:
    """Return True if a text has a letter of such a script."""
    return not text.isascii() and _LETTER.search(text) is not None


def is_mostly_unspaced(text: str) -> bool:
    """Return True if half of a text's letters or more are of such scripts.

    A text that has but a name in them is counted as others are.
    """
    if not has_unspaced(text):
        return False
    return 2 * len(_LETTER.findall(text)) >= sum(map(str.isalpha, text))


def count_words(text: str) -> int:
    """Return the number of words of a text: what white space separates, and runs of a script."""
    return sum(1 for _ in PIECE.finditer(text)) if is_mostly_unspaced(text) else len(text.split())


def cut_words(text: str, most: int) -> str:
    """Return the first `most` words of a text as they stand; the whole text if it has no more."""
    if not is_mostly_unspaced(text):
        words = text.split(maxsplit=most)
        return text if len(words) <= most else " ".join(words[:most])
    ends = [piece.end() for piece in PIECE.finditer(text)]
    return text if len(ends) <= most else text[: ends[most - 1]]


def stretches(text: str) -> Iterator[tuple[int, str]]:
    """Yield the runs of a text in scripts without spaces and what stands between, with its place.

    A text without such letters is one stretch.
    """
    if not has_unspaced(text):
        yield 0, text
        return
    for stretch in _STRETCH.finditer(text):
        yield stretch.start(), stretch[0]


def spaced(text: str) -> str:
    """Return a text with a space around each run of a script without spaces."""
    return _RUN.sub(r" \g<0> ", text) if has_unspaced(text) else text


def counted_column(texts: pl.Series) -> pl.Series:
    """Return texts with a space around each run of such a script, where they are mostly of it."""
    letters = texts.str.count_matches(f"[{UNSPACED}]")
    is_mostly = (letters > 0) & (2 * letters >= texts.str.count_matches(r"\p{L}"))
    return spaced_column(texts).zip_with(is_mostly, texts) if is_mostly.any() else texts


def spaced_column(texts: pl.Series) -> pl.Series:
    """Return what `spaced` returns for each text."""
    rows = texts.str.contains(f"[{UNSPACED}]").fill_null(value=False)
    if not rows.any():
        return texts
    return texts.str.replace_all(f"({_RUNS})", " ${1} ")
