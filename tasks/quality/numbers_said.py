"""Numbers in what is said: which of them are figures that must come from somewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from tasks.languages import UNSPACED, Language, is_unspaced


def _words(text: str) -> list[str]:
    return text.split()


_UNITS: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen
"""
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES: Final = {
    **{word: value for value, word in enumerate(_words(_UNITS))},
    **{word: 10 * value for value, word in enumerate(_words(_TENS), 2)},
    "dozen": 12,
    "hundred": 100,
    "thousand": 1000,
}
_WORD: Final = re.compile(r"[a-z]+")
_DIGITS: Final = re.compile(r"\d[\d,.]*\d|\d")
# A number that stands for itself: no part of a name ("PG-13"), of a clock's time or of a decade.
_NUMBER: Final = re.compile(
    rf"(?P<money>[$\u20ac\u00a3\u00a5] ?)?(?<![^\W{UNSPACED}])(?<![.:/'\u2019-])"
    r"(?P<number>\d[\d,]*(?:\.\d+)?)"
    r"(?![\d:-])(?P<after>(?: ?(?:/|out of) ?\d+|[ -]?(?:[^\W\d_]|%)+)?)"
)
_MEASURES: Final = frozenset(
    _words("""
    % percent dollars dollar bucks euros euro pounds quid cents million billion thousand minutes
    minute mins min hours hour hrs pages page episodes episode seasons season chapters chapter
    copies awards award nominations viewers votes miles mile km kg grams inches inch feet watts
    watt volts volt mah gb mb tb degrees people reviews reviewers ratings stars star
    """)
)
_TIMES: Final = frozenset({"am", "pm", "a", "p", "o", "s", "k", "d", "st", "nd", "rd", "th"})
_SMALL: Final = 12  # up to here people count without looking anything up
_YEARS: Final = range(1800, 2100)


@dataclass(frozen=True)
class Figure:
    """One number said.

    Attributes:
        number: its digits, without separators.
        text: the number with what stands around it.
        is_exact: True for a year, a price or a measure, which nobody says without a source.
    """

    number: str
    text: str
    is_exact: bool


class NumberWords:
    """A language's own words for numbers, besides the English ones that any text may have."""

    def __init__(self, language: Language) -> None:
        """Take the language's pack."""
        self._values = language.number_values
        longest_first = sorted(self._values, key=lambda word: (-len(word), word))
        either = "|".join(map(re.escape, longest_first)) or r"[^\s\S]"
        border = "" if language.is_unspaced else r"\b"
        self._pattern = re.compile(f"{border}(?:{either}){border}")

    def found_in(self, text: str) -> Iterator[str]:
        """Yield the numbers that a text has in words, as digits."""
        for match in self._pattern.finditer(text.lower()):
            yield str(self._values[match[0]])


def figures_in(text: str, role: str, measures: Collection[str] = ()) -> Iterator[Figure]:
    """Yield the numbers of an utterance that must come from somewhere.

    Small numbers, times of day, decades and a user's own marks ("9 out of 10") need no source.
    `measures` are those of the language, besides the English ones; in a script without spaces a
    measure is what follows the number at once.
    """
    for match in _NUMBER.finditer(text):
        number = unicodedata.normalize("NFKC", match["number"]).replace(",", "")
        after = match["after"].strip(" -").lower()
        value = float(number)
        is_mark = after.startswith(("/", "out of")) or after in ("star", "stars")
        if after in _TIMES or (number == "100" and after in ("%", "percent")):
            continue
        if is_mark:
            if role == "agent" and "." in number:
                yield Figure(number, match[0].strip(), True)
            continue
        if match["money"]:
            yield Figure(number, match[0].strip(), True)
        elif value > _SMALL:
            is_year = number.isdigit() and int(number) in _YEARS
            yield Figure(number, match[0].strip(), is_year or _is_measure(after, measures))


def _is_measure(after: str, measures: Collection[str]) -> bool:
    if after in _MEASURES or after in measures:
        return True
    return not after.isascii() and any(
        after.startswith(measure) for measure in measures if is_unspaced(measure[0])
    )


def numbers_in(text: str, own: NumberWords | None = None) -> Iterator[str]:
    """Yield every number of a text as digits: "2.5", "1,000", "thirty-two", "a hundred".

    `own` are the words of another language than English.
    """
    for match in _DIGITS.finditer(text):
        written = unicodedata.normalize("NFKC", match[0])
        yield written.replace(",", "")
        yield from re.findall(r"\d+", written)
    yield from own.found_in(text) if own else ()
    last = 0
    for word in _WORD.findall(text.lower()):
        value = _VALUES.get(word, 0)
        if value:
            yield str(value)
            yield str(last + value if value < last else last * value)
        last = value
