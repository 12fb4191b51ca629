"""Keys of titles: two titles are the same at a strength if their keys at it are equal."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache

from tasks.titles.cleaning import without_edition

_APOSTROPHES = "'\u2018\u2019\u02bc`"
_SIGNS = "\u00ae\u00a9\u2122\u2120"  # registered, copyright, trade mark, service mark
_MEANINGFUL = frozenset("#%@*")  # punctuation in Unicode, but part of a name: C#, 100%
_ACCENTS = re.compile("[\u0300-\u036f]")
_DROPPED = str.maketrans("", "", _APOSTROPHES + _SIGNS)
_ASCII = {**_DROPPED, **{ord(char): " " for char in '!"(),-./:;?[\\]_{}'}}
_WORD = re.compile(r"[^\W_]+")
SPOKEN_WORD = re.compile(r"[^\W_]+[+#]*")  # C, C++ and C# are three
# A fast test, because most titles have no edition.
_MAY_HAVE_EDITION = re.compile(
    r"[\[(\u3010\uff08]|"
    r"(?:vhs|dvd|ray|set|edition|tape|video|paperback|hardcover|screen|\d{4}|[-:,/|])\s*$",
    re.IGNORECASE,
)
_MAX_LENGTH = 400  # characters of a title whose edition is removed
_YEAR = re.compile(r"[\[(]((?:1[89]|20)\d\d)[\])]")
_ARTICLE_LAST = re.compile(
    r"^(?P<title>.*), (?P<article>the|an?)(?P<year> [\[(]\d{4}[\])])?$", re.I
)
_IN_FRONT = r"\g<article> \g<title>\g<year>"
_ARTICLES = frozenset({"the", "a", "an"})
_UNITS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
ROMAN = (*_UNITS, "x", *(f"x{unit}" for unit in _UNITS))  # 1 to 19
COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_VALUES = {
    **{roman: str(value) for value, roman in enumerate(ROMAN, 1)},
    **{word: str(value) for value, word in enumerate(COUNTED, 1)},
}
_PARTS = {"volume": "vol", "pt": "part", "number": "no"}
_PART = re.compile(
    rf"\b(part|pt|chapter|volume|vol|episode|book|number|no)"
    rf" (\d+|{'|'.join((*ROMAN, *COUNTED))})(?!\S)"
)
_SEQUEL = re.compile(rf"(?<=\S )(?:{'|'.join(ROMAN[1:])})(?!\S)")


def exact_key(title: str) -> str:
    """Return a title with its white space collapsed and its characters composed (NFC)."""
    return unicodedata.normalize("NFC", " ".join(title.split()))


@lru_cache(maxsize=400_000)
def folded_key(title: str) -> str:
    """Return a title's key at the strength "folded"; see the table in `tasks.titles`.

    A title of punctuation alone is its own key.
    """
    form = html.unescape(exact_key(title))
    # Every pass after the first shortens the form: a medium may be followed by another one.
    while True:
        may_have_edition = len(form) <= _MAX_LENGTH and _MAY_HAVE_EDITION.search(form)
        bare = without_edition(form) if may_have_edition else form
        shorter = fold(_ARTICLE_LAST.sub(_IN_FRONT, bare) if "," in bare else bare) or form
        is_final = shorter.isascii() and not _MAY_HAVE_EDITION.search(shorter)
        if is_final or shorter == form:
            return shorter
        form = shorter


@lru_cache(maxsize=400_000)
def work_key(title: str) -> str:
    """Return a title's key at the strength "work"; see the table in `tasks.titles`.

    Shortening may bring an edition or an article to the edge, so it is repeated until nothing
    changes.
    """
    key = title
    shorter = _shorter_work_key(key)
    while shorter != key:
        key = shorter
        shorter = _shorter_work_key(key)
    return key


def _shorter_work_key(title: str) -> str:
    folded = folded_key(title)
    words = [word for word in map(_work_word, folded.split()) if any(map(str.isalnum, word))]
    while len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return numerals_in_digits(" ".join(words)) or folded


@lru_cache(maxsize=1 << 16)
def spoken_key(title: str) -> str:
    """Return the words of `work_key(title)` as one, without any "and"."""
    work = work_key(title)
    return "".join(word for word in SPOKEN_WORD.findall(work) if word != "and") or work


def numerals_in_digits(words: str) -> str:
    """Return folded words with the numbers of sequels and parts in digits, as many words as before.

    "rocky ii" becomes "rocky 2", "volume one" becomes "vol 1". A numeral at the start is a name
    ("X", "V for Vendetta") and is kept.
    """
    parts = _PART.sub(_part_in_digits, words)
    return _SEQUEL.sub(lambda match: _VALUES[match[0]], parts)


def value_of(numeral: str) -> int:
    """Return the value of a number in digits, of a Roman one to XIX or of a word to ten.

    Raises:
        ValueError: it is none of these.
    """
    return int(_VALUES.get(numeral.casefold(), numeral))


def year_of(title: str) -> int | None:
    """Return the last year in brackets of a title, or None."""
    years = _YEAR.findall(title)
    return int(years[-1]) if years else None


def without_year(title: str) -> str:
    """Return a title without years in brackets; the whole title if it has nothing else."""
    bare = " ".join(_YEAR.sub(" ", title).split())
    return bare if any(map(str.isalnum, bare)) else title


def fold(text: str) -> str:
    """Return text without case, accents, apostrophes and punctuation; `&` reads `and`.

    Letters, digits, symbols (`+`, `$`, emoji) and `# % @ *` are kept, words have one space between.
    """
    plain = text.replace("&", " and ")
    # Most titles are ASCII, and this is many times faster.
    if plain.isascii():
        return " ".join(plain.translate(_ASCII).casefold().split())
    plain = plain.translate(_DROPPED).casefold()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).casefold()
    return " ".join("".join(map(_folded_sign, plain)).split())


@lru_cache(maxsize=4096)
def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of running text, folded: runs of letters and digits."""
    return tuple(_WORD.findall(fold(html.unescape(text))))


def spoken_words(text: str) -> list[str]:
    """Return the words of a piece of text as `spoken_key` joins them."""
    return SPOKEN_WORD.findall(fold(text))


@lru_cache(maxsize=4096)
def _folded_sign(char: str) -> str:
    if char in _MEANINGFUL or not unicodedata.category(char).startswith("P"):
        return char
    return " "


def _work_word(word: str) -> str:
    return "and" if word == "+" else word.replace("*", "")


def _part_in_digits(match: re.Match[str]) -> str:
    return f"{_PARTS.get(match[1], match[1])} {_VALUES.get(match[2], match[2])}"


_QUOTES = (
    "'*_`\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
    "\u300c\u300d\u300e\u300f\u300a\u300b"  # of Japanese and Chinese
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


def unify_marks(text: str) -> str:
    """Return text with quotation and emphasis marks as `"`, dashes as `-`, `&` as `and`.

    Points and commas before a closing mark are removed. Line breaks are kept, so that many
    utterances can be treated as one string.
    """
    unified = text.replace(" & ", " and ")
    for mark in _QUOTES:
        unified = unified.replace(mark, '"')
    for dash in _DASHES:
        unified = unified.replace(dash, "-")
    return unified.replace(',"', '"').replace('."', '"')
