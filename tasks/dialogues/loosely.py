"""Recognises a title that is due in an utterance, where it is written otherwise than in the catalogue, as far as that is certain."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tasks.dialogues.folding import fold
from tasks.dialogues.titles import Hit, on_boundaries, stands_out, without_article

_WORD = re.compile(r"[^\W_]+")
_PARTS = re.compile(r":\s+|\s+-\s+|\s*[(\[][^()\[\]]*[)\]]|,\s+(?=(?:vol|volume|book|part|season|episode|no|number)\b)", re.IGNORECASE)
_MARKED = re.compile('"([^"]{1,100})"')
_SHORTEST = 5  # letters and digits of a title of several words that is recognised in any letter case
_ARTICLES = ("the", "a", "an")


def named_loosely(folded: str, title: str, others: Sequence[Hit]) -> bool:
    """Tell whether an utterance names a title in another spelling.

    That is: another letter case (of one word a capital must be left, or it must stand between marks), other or no punctuation, accents,
    leading article or "and" ("Monsters Inc", "WALL-E", "Leon: The Professional"); or its main title or subtitle alone, written as a title
    of two words or more, where no other item is called so.

    Args:
        folded: the utterance, folded.
        title: the catalogue's title.
        others: catalogue titles found in the utterance.
    """
    key, several = _key(title)
    if several and len(key) >= _SHORTEST and key in _runs(folded, len(key)):
        return True
    if key and any(title_key(marked) == key for marked in _MARKED.findall(folded)):
        return True
    if key and any(word[0].isupper() and key in _words(word) for word in _WORD.findall(folded)):
        return True
    return any(_stands_alone(folded, part, others) for part in title_parts(title))


@lru_cache(maxsize=1 << 14)
def title_parts(title: str) -> tuple[str, ...]:
    """Return the main title and the subtitles of a title, folded, as far as they are written like titles of their own."""
    parts = [part.strip(" .,") for part in _PARTS.split(fold(title))]
    return tuple(part for part in dict.fromkeys(parts) if part and stands_out(part)) if len(parts) > 1 else ()


def title_key(title: str) -> str:
    """Return a title's letters and digits in one, without its article and every "and": the same for all its spellings."""
    return _key(title)[0]


@lru_cache(maxsize=1 << 14)
def _key(title: str) -> tuple[str, bool]:
    """Return a title's letters and digits in one, and whether it has several words."""
    words = _words(re.sub(r"\s*[(\[][^()\[\]]*[)\]]\s*\Z", "", title) or title)
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return "".join(words), len(words) > 1


def _words(text: str) -> list[str]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return [word for word in _WORD.findall(bare.replace("\u2019", "").replace("'", "").casefold()) if word != "and"]


def _runs(text: str, longest: int) -> Iterator[str]:
    """Yield every run of neighbouring words, joined, of at most so many characters."""
    words = _words(text.replace('"s ', "s ").replace('"', " "))
    for start in range(len(words)):
        joined = ""
        for word in words[start:]:
            joined += word
            if len(joined) > longest:
                break
            yield joined


def _stands_alone(folded: str, part: str, others: Sequence[Hit]) -> bool:
    for spelling in dict.fromkeys((part, without_article(part))):
        start = folded.find(spelling) if stands_out(spelling) else -1
        if start >= 0 and on_boundaries(folded, start, start + len(spelling)):
            return not any(hit.start <= start < hit.end for hit in others)
    return False
