r"""Patterns for words and phrases of any language, on the borders of words.

Where polars is to know a border in Unicode, a text with one curly quotation mark takes 50 times as
long, so patterns for polars have borders of ASCII letters. To make these right, letters that are
not ASCII are spelled in ASCII letters first, in the texts (`spelled`) and in the patterns: `öde`
becomes `qzpgzqde`, one word, and there is no "de" in `müde`. Letters of scripts without spaces are
left as they are: no ASCII letter, so there is a border wherever they meet one, and between two of
them none is asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import polars as pl

from tasks.languages.scripts import UNSPACED, is_unspaced

NEVER: Final = "[^\\s\\S]"  # matches nothing
ASCII_BORDER: Final = r"(?-u:\b)"
_LETTER: Final = r"(?:[^\W\d_]|['\u2019-])"
_ASCII_LETTER: Final = r"[a-zA-Z'\u2019-]"
_ONE_OR_NONE: Final = rf"(?:\s+{_LETTER}+)?"
_DIGITS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
# Letters, marks and numbers that are not ASCII, of scripts with spaces between words.
_SPELLED: Final = rf"[[\p{{L}}\p{{M}}\p{{N}}]--[\x00-\x7f{UNSPACED}]]"


@lru_cache(maxsize=4096)
def _spelling(character: str) -> str:
    """Return how a letter is spelled; a capital one begins with a capital."""
    small = character.lower()
    codes = "".join(f"qz{ord(part):x}zq".translate(_DIGITS) for part in small)
    # The letters a to f of "qz" and "zq" are none, so only the number is translated.
    return codes if small == character else codes.capitalize()


def _is_spelled(character: str) -> bool:
    kind = unicodedata.category(character)[0]
    return not character.isascii() and kind in "LMN" and not is_unspaced(character)


def spelled(text: str) -> str:
    """Return a text or a pattern with its letters spelled in ASCII."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFC", text)
    return "".join(_spelling(one) if _is_spelled(one) else one for one in composed)


def spelled_column(texts: pl.Series) -> pl.Series:
    """Return what `spelled` returns for each text."""
    if not texts.str.contains(_SPELLED).any():
        return texts
    if texts.str.contains(r"\p{M}").any():
        texts = texts.str.normalize("NFC")
    letters = texts.str.extract_all(_SPELLED).explode().drop_nulls().unique().to_list()
    return texts.str.replace_many({letter: _spelling(letter) for letter in letters})


def spelled_expression(column: str) -> pl.Expr:
    """Return a column of texts spelled in ASCII."""
    return pl.col(column).map_batches(spelled_column, return_dtype=pl.String)


def words(listed: Sequence[str]) -> str:
    """Return a pattern for any of the words, for spelled texts in polars.

    A `*` means any ending, `_` the space between two words, `n't` the end of a word.
    """
    ends = [f"{_form(word)}{ASCII_BORDER}" for word in listed if word.startswith("n't")]
    others = [word for word in listed if not word.startswith("n't")]
    plain = [word for word in others if _begins(word) and _ends(word)]
    forms = [_bordered(word) for word in others if not (_begins(word) and _ends(word))]
    if plain:
        forms.append(f"{ASCII_BORDER}(?:{'|'.join(map(_form, plain))}){ASCII_BORDER}")
    forms += ends
    return f"(?i:{'|'.join(forms)})" if forms else NEVER


def _begins(word: str) -> bool:
    return not is_unspaced(word[0])


def _ends(word: str) -> bool:
    return not is_unspaced(word[-1])


def _bordered(word: str) -> str:
    before = ASCII_BORDER if _begins(word) else ""
    after = ASCII_BORDER if _ends(word) else ""
    return f"{before}{_form(word)}{after}"


def _form(word: str) -> str:
    form = re.escape(spelled(word)).replace(r"\*", "[a-zA-Z]*").replace("_", " +")
    return form.replace("'", "['\u2019]")


def phrases(listed: Sequence[str]) -> str:
    """Return a pattern for any of the phrases, on word borders, as Python reads it.

    `for_polars` converts it for spelled texts in polars. A `*` between two words means one word or
    none, `a/b` either of two.
    """
    return f"(?i:{'|'.join(map(_phrase_form, listed))})" if listed else NEVER


def _phrase_form(phrase: str) -> str:
    forms = (
        _either(word) if "/" in word.strip("/") else re.escape(word) for word in phrase.split()
    )
    form = r"\ ".join(forms).replace("'", "['\u2019]")
    text = form.replace(r"\ \*", _ONE_OR_NONE).replace(r"\ ", r"\s+")
    start = r"\b" if _begins(phrase) else ""
    end = r"\b" if phrase[-1].isalnum() and _ends(phrase) else ""
    return f"{start}{text}{end}"


def _either(word: str) -> str:
    return f"(?:{'|'.join(map(re.escape, word.split('/')))})"


def any_of(patterns: Iterable[str]) -> str:
    """Return a pattern for what any of some patterns matches."""
    return "|".join(pattern for pattern in patterns if pattern != NEVER) or NEVER


def for_polars(pattern: str) -> str:
    """Return a pattern for spelled texts, with borders that polars finds fast in any text."""
    ascii_letters = pattern.replace(_LETTER, _ASCII_LETTER)
    return spelled(ascii_letters).replace(r"\b", ASCII_BORDER)
