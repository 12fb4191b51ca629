"""Which language texts are in: told by the packs' scripts, function words and common words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from tasks.languages.packs import Language
from tasks.languages.patterns import spelled_column, words

UNTOLD: Final = ""
"""The code of a text whose language cannot be told."""
_LEAST: Final = 2  # words that tell a language
_LETTERS: Final = 0.5  # share of the letters that are of the language's scripts


@dataclass(frozen=True)
class FoundLanguages:
    """How many texts are in which language, by code; `UNTOLD` has those too short or too mixed."""

    counts: Mapping[str, int]
    names: Mapping[str, str]

    @property
    def main(self) -> str:
        """The code of the language of most texts that tell one; empty if none does."""
        told = {code: count for code, count in self.counts.items() if code != UNTOLD}
        return max(sorted(told), key=lambda code: told[code]) if told else UNTOLD

    def text(self) -> str:
        """Return the languages with their shares and counts, the most frequent first."""
        total = sum(self.counts.values())
        ordered = sorted(self.counts.items(), key=lambda one: (one[0] == UNTOLD, -one[1], one[0]))
        return ", ".join(
            f"{self._name(code)} {100 * count / total:.1f} % ({count:,} of {total:,} utterances)"
            for code, count in ordered
        )

    def _name(self, code: str) -> str:
        return "not told" if code == UNTOLD else self.names.get(code) or code


def find_languages(texts: pl.Series, packs: Mapping[str, Language]) -> FoundLanguages:
    """Return which languages texts are in.

    A text is in a language if half of its letters are of that language's scripts and it has two of
    its function words or common words, or one in a script without spaces: words that no other pack
    has, and more of them than of any other language.

    Args:
        texts: utterances without the titles in them.
        packs: the languages that can be told, by code.
    """
    bare = spelled_column(texts)
    letters = texts.str.count_matches(r"\p{L}")
    scores: dict[str, pl.Series] = {}
    for code, pack in sorted(packs.items()):
        own = texts.str.count_matches(f"[{pack.letters}]")
        said = bare.str.count_matches(words(_own_words(code, packs)))
        least = 1 if pack.is_unspaced else _LEAST
        is_told = (said >= least) & (own >= _LETTERS * letters)
        scores[code] = said * is_told.cast(pl.UInt32)
    rows = zip(*scores.values(), strict=True)
    counts = Counter(_best(dict(zip(scores, row, strict=True))) for row in rows)
    return FoundLanguages(counts, {code: pack.name for code, pack in packs.items()})


def _own_words(code: str, packs: Mapping[str, Language]) -> list[str]:
    others = {word for name, pack in packs.items() if name != code for word in pack.plain_words}
    return sorted(packs[code].plain_words - others)


def _best(scores: Mapping[str, int]) -> str:
    best = max(scores.values(), default=0)
    leading = [code for code, score in scores.items() if score == best]
    return leading[0] if best and len(leading) == 1 else UNTOLD
