"""Small pieces of a review, to be said in other words: what it speaks of, and whether it speaks well of it.

No sentence of a review is ever taken over. A clause gives at most a noun of up to three words ("the harbour scenes"), an
adjective, or a theme that has sentences of our own; a clause's direction comes from the word lists in tables/lexicon.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from tasks.llm.offline.phrases import Lexicon, lexicon, read_table

MOST_CHARACTERS = 900  # the first 150 words or so hold enough pieces
_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|[.!?;:,()\n]")
_BREAKS = frozenset(".!?;:,()\n")


@dataclass(frozen=True)
class Piece:
    """One thing a review says. `direction` is 1 for praise, -1 for blame, 0 for neither.

    A theme has a name and no noun; a trait has noun and adjective; a mere mention has a noun alone.
    """

    direction: int
    noun: str = ""
    plural: bool = False
    adjective: str = ""
    theme: str = ""


@lru_cache(maxsize=8192)
def pieces(review: str) -> tuple[Piece, ...]:
    """Return what a review says, in its order, each piece once; empty for a text in which nothing is recognised."""
    words = lexicon()
    found: dict[Piece, None] = {}
    for clause in _clauses(review[:MOST_CHARACTERS], words):
        lowered = [word.lower() for word in clause]
        if words.hedges.intersection(lowered):
            continue
        direction = _direction(lowered, words)
        for piece in (*_themes(lowered, direction), *_mentions(clause, lowered, direction, words)):
            found.setdefault(piece, None)
    return tuple(found)


def fitting(review: str, direction: int) -> tuple[Piece, ...]:
    """Return the pieces that agree with a direction; only if there is none, the neutral mentions."""
    known = pieces(review)
    return tuple(piece for piece in known if piece.direction == direction) or tuple(piece for piece in known if piece.direction == 0)


def mood(text: str) -> int:
    """Return 1, -1 or 0: whether a text speaks well or ill on the whole."""
    words = lexicon()
    total = sum(_direction([word.lower() for word in clause], words) for clause in _clauses(text[:MOST_CHARACTERS], words))
    return (total > 0) - (total < 0)


def _clauses(text: str, words: Lexicon) -> Iterator[list[str]]:
    clause: list[str] = []
    for token in _TOKEN.findall(text):
        if token in _BREAKS or token.lower() in words.turns:
            if clause:
                yield clause
            clause = []
        else:
            clause.append(token.replace("’", "'"))
    if clause:
        yield clause


def _direction(clause: list[str], words: Lexicon) -> int:
    found = {words.direction[word] for word in clause if word in words.direction}
    if not words.negators.isdisjoint(clause):
        return 0 if found == {-1} else -1
    return 0 if len(found) != 1 else found.pop()


def _mentions(clause: list[str], lowered: list[str], direction: int, words: Lexicon) -> Iterator[Piece]:
    negated = not words.negators.isdisjoint(lowered)
    for at, head in enumerate(lowered):
        if head not in words.aspects or (at + 1 < len(lowered) and lowered[at + 1] in words.aspects):
            continue
        if at and clause[at][0].isupper():
            continue
        start, adjective = _before(clause, lowered, at, words)
        adjective = adjective or _after(lowered, at, words)
        if negated or words.adjectives.get(adjective, 0) != direction:
            adjective = ""
        noun = " ".join(lowered[start : at + 1])
        yield Piece(direction, noun=noun, plural=words.aspects[head], adjective=adjective)


def _before(clause: list[str], lowered: list[str], at: int, words: Lexicon) -> tuple[int, str]:
    """Return where the noun phrase starts, and the adjective before it if there is one."""
    start = at
    while start and at - start < 2 and (lowered[start - 1] in words.modifiers or lowered[start - 1] in words.aspects):
        if clause[start - 1][0].isupper() and start > 1:
            break
        start -= 1
    before = lowered[start - 1] if start else ""
    return start, before if before in words.adjectives else ""


def _after(lowered: list[str], at: int, words: Lexicon) -> str:
    """Return the adjective of `the sound is very thin`, or nothing."""
    rest = lowered[at + 1 : at + 4]
    if len(rest) < 2 or rest[0] not in words.copulas:
        return ""
    word = rest[2] if rest[1] in words.degrees and len(rest) > 2 else rest[1]
    return word if word in words.adjectives else ""


def _themes(clause: list[str], direction: int) -> Iterator[Piece]:
    for word in clause:
        for name, own in _theme_words().get(word, ()):
            if own == direction:
                yield Piece(direction, theme=name)


@cache
def _theme_words() -> dict[str, tuple[tuple[str, int], ...]]:
    """Return, for each word of tables/themes.yaml, the themes it stands for and the direction it has there."""
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for name, theme in read_table("themes").items():
        for word in theme["words"].split():
            found[word] = (*found.get(word, ()), (name, int(theme["direction"])))
    return found
