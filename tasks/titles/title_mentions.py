"""Whether running text names a title, where there is no catalogue to set it against."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from tasks.titles.cleaning import without_edition
from tasks.titles.keys import plain_words, without_year
from tasks.titles.sequels import names_sequel

_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_ARTICLES = ("the", "a", "an")
_BETWEEN = r"[\W_]+"


def names(text: str, title: str) -> bool:
    """Return True if a text names a title, on word borders, and no sequel of it.

    A title of one word must stand there with its own capitals, so that "It" is not found in "I
    like it"; a longer one in any letter case, accents and punctuation. Chinese and Japanese, which
    have no word borders, are looked for as they stand. Editions and years in brackets are no part
    of the title, nor is a leading article where two words are left.
    """
    bare = without_year(without_edition(html.unescape(title)))
    words = _title_words(bare)
    if len(words) > 1:
        if f" {' '.join(words)} " not in f" {' '.join(plain_words(text))} ":
            return False
        return _named(_plain(text), _pattern(words), title)
    if len(bare) > 1 and _UNSPACED.search(bare):
        return bare in text
    return bool(bare) and _named(text, re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)"), title)


def _named(text: str, pattern: re.Pattern[str], title: str) -> bool:
    return any(not names_sequel(text, end, title) for end in _ends(text, pattern))


def _ends(text: str, pattern: re.Pattern[str]) -> Iterator[int]:
    return (found.end() for found in pattern.finditer(text))


def _title_words(bare: str) -> tuple[str, ...]:
    words = plain_words(bare)
    if len(words) > 2 and words[-1] in _ARTICLES and bare.casefold().endswith(f", {words[-1]}"):
        words = words[:-1]
    return words[1:] if len(words) > 1 and words[0] in _ARTICLES else words


@lru_cache(maxsize=4096)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of a title's words in text without accents and apostrophes."""
    return re.compile(rf"(?<!\w){_BETWEEN.join(map(re.escape, words))}(?!\w)", re.IGNORECASE)


def _plain(text: str) -> str:
    """Return text without entities, accents and apostrophes; case and punctuation stay."""
    bare = re.sub("['\u2018\u2019\u02bc`]", "", html.unescape(text)).replace("&", " and ")
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", bare))
