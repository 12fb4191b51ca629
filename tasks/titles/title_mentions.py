"""Mentions of one title in running text, without a catalogue to compare with."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

from tasks.titles.cleaning import without_edition
from tasks.titles.keys import plain_words, without_year
from tasks.titles.sequels import names_sequel

_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_ARTICLES = ("the", "a", "an")
_BETWEEN = r"[\W_]+"


def names(text: str, title: str) -> bool:
    """Return True if a text names a title, on word borders, and no sequel of it.

    A title of one word must be in the text with its own capitals, so that "It" is not found in "I
    like it"; a longer one in any letter case, accents and punctuation. Chinese and Japanese have no
    word borders and are compared literally. Editions and years in brackets are ignored, as is a
    leading article if two words are left.
    """
    bare = without_year(without_edition(html.unescape(title)))
    words = _title_words(bare)
    if len(words) > 1:
        if f" {' '.join(words)} " not in f" {' '.join(plain_words(text))} ":
            return False
        return _names_match(_plain(text), _pattern(words), title)
    if len(bare) > 1 and _UNSPACED.search(bare):
        return bare in text
    pattern = re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)")
    return bool(bare) and _names_match(text, pattern, title)


def _names_match(text: str, pattern: re.Pattern[str], title: str) -> bool:
    matches = pattern.finditer(text)
    return any(not names_sequel(text, match.end(), title) for match in matches)


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
    """Return text without entities, accents and apostrophes; case and punctuation are kept."""
    bare = re.sub("['\u2018\u2019\u02bc`]", "", html.unescape(text)).replace("&", " and ")
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", bare))
