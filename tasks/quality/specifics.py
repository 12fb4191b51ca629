"""Names, figures and other works in what is said that the brief does not hold.

What the two know of items comes from the brief: its titles and its reviews. A person's name, a
year, a price or another work that stands in none of them was made up, or came from what a model
remembers. Days, holidays, nationalities and the like may be named by anybody (lexicon: `familiar`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal

import polars as pl

from tasks.languages import Language, count_words, for_polars, phrases, spelled_column
from tasks.quality.numbers_said import Figure, NumberWords, figures_in, numbers_in

Kind = Literal["name", "fact", "work", "detail"]

_UPPER: Final = "A-Z\u00c0-\u00d6\u00d8-\u00de\u0141\u015a\u0160\u017d\u010c"
_LOWER: Final = "a-z\u00df-\u00f6\u00f8-\u00ff\u0100-\u017f"
_NAME: Final = (
    f"(?:O['\u2019][{_UPPER}]|[{_UPPER}])[{_LOWER}][{_UPPER}{_LOWER}]*"
    f"(?:['\u2019-][{_UPPER}{_LOWER}]+)*"
)
_BETWEEN: Final = "(?:of the|of|the|de|van|von|del|la)"
_MORE: Final = f"(?: +(?:{_BETWEEN} +)?(?:{_NAME}|[A-Z]\\.))"
# Names where no sentence begins, or two and more where one does. Linear in polars and in Python.
NAMES: Final = f"[{_LOWER}0-9,;)~%'\u2019\"\u201d-] +(?:{_NAME}){_MORE}*|(?:{_NAME}){_MORE}+"
_RUN: Final = re.compile(f"(?P<lead>[{_LOWER}0-9,;)~%'\u2019\"\u201d-] +)?(?P<run>{_NAME}{_MORE}*)")
_ONE_NAME: Final = re.compile(_NAME)
_POSSESSIVE: Final = re.compile("['\u2019]s?$")
_PART: Final = re.compile(r"[^\W_]+")
_QUOTED_LINE: Final = re.compile('["\u201c]([^"\u201c\u201d]{12,300})["\u201d]')
_SENTENCE: Final = re.compile("[^.!?\u3002\uff01\uff1f]+[.!?\u3002\uff01\uff1f]?")
_CONTENT: Final = re.compile(r"[^\W_]{4,}")
_IN_QUOTES: Final = re.compile('["\u201c][^"\u201c\u201d]{1,300}["\u201d]')
_LEAST_QUOTED: Final = 4  # words from which something quoted is a line, and no expression
_BEFORE: Final = 40  # characters before a name in which its cue may stand
_ARTICLES: Final = frozenset({"The", "A", "An"})


@dataclass(frozen=True)
class Specific:
    """One thing said of which the brief holds nothing."""

    kind: Kind
    text: str


class Support:
    """What a brief holds, its titles and reviews, and what other people wrote of its items."""

    def __init__(
        self,
        texts: Iterable[str],
        others: Iterable[str] = (),
        numbers: NumberWords | None = None,
    ) -> None:
        """Take the titles and reviews, and the reviews that were not drawn for the brief.

        `numbers` are the language's own words for them, besides those of English.
        """
        self._texts = tuple(texts)
        self._others = tuple(others)
        self._numbers = numbers

    @cached_property
    def words(self) -> frozenset[str]:
        """All words of the brief, without accents, in small letters."""
        return frozenset(part for text in self._texts for part in _PART.findall(_plain(text)))

    @cached_property
    def numbers(self) -> frozenset[str]:
        """All numbers, in digits or words, as digits."""
        return frozenset(number for text in self._all for number in numbers_in(text, self._numbers))

    def has(self, name: str) -> bool:
        """Return True if each part of a name is one of the words, in singular or plural.

        In what others wrote the name must stand as a whole.
        """
        name = _POSSESSIVE.sub("", name)
        if all(map(self._has_part, _PART.findall(_plain(name)))):
            return True
        wanted = _joined(name)
        return any(wanted in _joined(text) for text in self._others)

    def quotes(self, line: str) -> bool:
        """Return True if a line stands in one of the texts, whatever its marks."""
        wanted = _joined(line)
        return any(wanted in _joined(text) for text in self._all)

    @property
    def _all(self) -> tuple[str, ...]:
        return self._texts + self._others

    def _has_part(self, part: str) -> bool:
        return (
            part in self.words or part.removesuffix("s") in self.words or f"{part}s" in self.words
        )


class Finder:
    """Finds what the brief does not hold, in one language."""

    def __init__(self, language: Language) -> None:
        """Take the language's cues and familiar names."""
        self.numbers = NumberWords(language)
        self._measures = frozenset(language.measures)
        self._checkable = re.compile(phrases(language.checkable))
        self._knows_names = bool(language.familiar)
        self._familiar = re.compile(_familiar_pattern(language.familiar))
        self._plain_words = language.plain_words
        self._name_cue = _at_the_end(phrases(language.name_cues))
        self._work_cue = _at_the_end(phrases(language.work_cues))
        self._close_cue = _at_the_end(phrases(language.close_work_cues))

    def find(self, bare: str, role: str, support: Support) -> list[Specific]:
        """Return what an utterance tells that its brief does not hold.

        Args:
            bare: the text without the brief's titles.
            role: who speaks; what users say of themselves is their own affair.
            support: what the brief holds.
        """
        found = list(self._names(bare, role, support)) if self._knows_names else []
        found += [
            Specific("fact" if figure.is_exact else "detail", figure.text)
            for figure in figures_in(bare, role, self._measures)
            if not _holds(support, figure)
        ]
        if role == "agent":
            found += self._claims(bare, support)
        found += [
            Specific("detail", line)
            for line in _QUOTED_LINE.findall(bare)
            if count_words(line) >= _LEAST_QUOTED and not support.quotes(line)
        ]
        return found

    def claims(self, texts: pl.Series) -> pl.Series:
        """Return whether each text has what only an agent with a source may tell."""
        return spelled_column(texts).str.contains(for_polars(self._checkable.pattern))

    def is_ordinary(self, word: str) -> bool:
        """Return True if a word with a capital may be said of anything."""
        return word.lower() in self._plain_words or bool(self._familiar.fullmatch(word))

    def _claims(self, bare: str, support: Support) -> Iterator[Specific]:
        for sentence in _SENTENCE.findall(bare):
            if sentence.endswith(("?", "\uff1f")):
                continue
            for match in self._checkable.finditer(sentence):
                if not all(map(support.has, _CONTENT.findall(match[0]))):
                    yield Specific("fact", match[0])

    def _names(self, bare: str, role: str, support: Support) -> Iterator[Specific]:
        # What stands in quotation marks is judged as a title or as a quoted line.
        spoken = _IN_QUOTES.sub(lambda quoted: "~" * len(quoted[0]), bare)
        for match in _RUN.finditer(spoken):
            run, words = match["run"], _ONE_NAME.findall(match["run"])
            begins_sentence = match["lead"] is None
            named = words[1:] if begins_sentence else words
            unknown = [
                word for word in named if not self.is_ordinary(word) and not support.has(word)
            ]
            if unknown:
                before = bare[max(0, match.start("run") - _BEFORE) : match.start("run")]
                kind = self._kind(run, words, before, begins_sentence)
                # What users say of where they live or whom they know is their own affair, and a
                # single name after "like" is a figure of speech.
                is_told = role == "agent" and not self._work_cue.search(before)
                yield Specific("name" if kind == "detail" and is_told else kind, run)

    def _kind(self, run: str, words: Sequence[str], before: str, begins_sentence: bool) -> Kind:
        is_title = words[0] in _ARTICLES and len(words) > (2 if begins_sentence else 1)
        own = [word for word in words if not self.is_ordinary(word)]
        is_long = len(own) > 1 or len(words) != len(run.split())
        if (
            is_title
            or self._close_cue.search(before)
            or (is_long and self._work_cue.search(before))
        ):
            return "work"
        if self._name_cue.search(before) or self._is_titled(words) or len(own) > 1:
            return "name"
        return "detail"

    def _is_titled(self, words: Sequence[str]) -> bool:
        """Return True if a name begins with a form of address or an office: "Inspector Blake"."""
        return len(words) > 1 and bool(self._name_cue.search(f"{words[0]} "))


def _holds(support: Support, figure: Figure) -> bool:
    return figure.number in support.numbers


def _at_the_end(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{pattern})[ ~,]*(?:(?:the|a|an|old|young|great|one) )?$")


def _familiar_pattern(listed: Sequence[str]) -> str:
    forms = (re.escape(word).replace(r"\*", "[a-z]*").replace("'", "['\u2019]") for word in listed)
    return rf"(?i:{'|'.join(forms)})(?:['\u2019]s?)?" if listed else r"[^\s\S]"


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _joined(text: str) -> str:
    return f" {' '.join(_PART.findall(_plain(text)))} "
