"""How titles are made comparable: one spelling for what people and models write in many."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

_EDITION = re.compile(
    r"\s*(?:[\[(]\s*(?:vhs|dvd|blu[- ]?ray|4k|uhd|hd|import|widescreen|full\s?screen|remastered|region \d|"
    r"[^\[\]()]{0,40}\b(?:edition|collection|version|cut|disc|discs|anniversary)\b[^\[\]()]{0,20})[^\[\]()]{0,20}[\])]"
    r"|\s(?:on\s)?(?:vhs|dvd|blu[- ]?ray)\s*)+$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\s*[\[(](?:1[89]|20)\d\d[\])]\s*$")
_ARTICLE_LAST = re.compile(r"^(.*), (the|a|an)$")
_ARTICLE_FIRST = re.compile(r"^(?:the|a|an) (?=\S)")
_NUMERALS = {
    **{roman: str(value) for value, roman in enumerate(["ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"], 2)},
    **{word: str(value) for value, word in enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 1)},
}
_COUNTED = re.compile(
    r"(?<=\S )(?:ii|iii|iv|v|vi|vii|viii|ix|x)\b|(?:(?<=\bpart )|(?<=\bchapter )|(?<=\bvolume )|(?<=\bvol )|(?<=\bepisode ))"
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten)\b"
)
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_NO_WORD = re.compile(r"[^\w\s]|_")


@lru_cache(maxsize=400_000)
def normalise(title: str) -> str:
    """Return a title's comparable form.

    HTML entities, accents, letter case, punctuation, an edition or year in brackets at the end and a leading or trailing article do not
    count; letters and digits do, so "(500) Days of Summer" becomes "500 days of summer" and "1917" stays. A title that would have nothing
    left keeps its folded text.
    """
    folded = " ".join(_folded(title).replace("&", " and ").split())
    bare = _YEAR.sub("", _EDITION.sub("", _YEAR.sub("", folded)))
    bare = _ARTICLE_LAST.sub(r"\2 \1", bare)
    words = " ".join(_NO_WORD.sub(" ", bare.replace("'", "").replace("\u2019", "")).split())
    return _ARTICLE_FIRST.sub("", words) or words or folded


def comparable(title: str) -> str:
    """Return `normalise(title)` with the numbers of sequels and parts in digits: "Rocky II" and "Rocky 2", "Part One" and "Part 1".

    A numeral in front is a name ("X", "V for Vendetta") and stays.
    """
    return _COUNTED.sub(lambda found: _NUMERALS[found[0]], normalise(title))


def names(text: str, title: str) -> bool:
    """Tell whether a text names a title, on word borders; Chinese and Japanese, which have none, are looked for as they stand.

    A title of one word must stand there with its own capitals, so that "It" is not found in "I like it"; longer ones are compared
    in their normalised form.
    """
    form = normalise(title)
    if " " in form:
        return f" {form} " in f" {normalise_text(text)} "
    word = _YEAR.sub("", _EDITION.sub("", html.unescape(title))).strip()
    if len(word) > 1 and _UNSPACED.search(word):
        return word in text
    return bool(word) and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


@lru_cache(maxsize=4096)
def normalise_text(text: str) -> str:
    """Return running text with its words as `normalise` writes them."""
    folded = _folded(text).replace("&", " and ").replace("'", "").replace("\u2019", "")
    return " ".join(_NO_WORD.sub(" ", folded).split())


def _folded(text: str) -> str:
    """Return text without HTML entities, accents and letter case."""
    plain = html.unescape(text)
    if plain.isascii():
        return plain.casefold()  # most titles: nothing to take apart
    folded = unicodedata.normalize("NFKD", plain).casefold()
    return "".join(character for character in folded if not unicodedata.combining(character))
