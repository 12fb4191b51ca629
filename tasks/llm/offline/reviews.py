"""Small pieces of a review, to be said in other words: what it speaks of, and whether it speaks well of it.

No sentence of a review is ever taken over. A clause gives at most a noun of up to three words ("the harbour scenes"), an
adjective, or a theme that has sentences of our own; a clause's direction comes from the word lists in tables/lexicon.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

from tasks.llm.offline.phrases import Lexicon, lexicon, read_table

MOST_CHARACTERS = 900  # the first 150 words or so hold enough pieces
RUN = 6  # so many words in a row count as copied
_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|[.!?;:,()\n]")
_WORD = re.compile(r"\w+")
_BREAKS = frozenset(".!?;:,()\n")


@dataclass(frozen=True)
class Piece:
    """One thing a review says. `direction` is 1 for praise, -1 for blame, 0 for neither.

    A theme has a name and no noun; a trait has noun and adjective; a mere mention has a noun alone. `listed` nouns are
    aspects one may ask after, `word` is what a theme was recognised by; other nouns ("baptism in the river") are only ever told.
    """

    direction: int
    noun: str = ""
    plural: bool = False
    adjective: str = ""
    theme: str = ""
    listed: bool = False
    word: str = field(default="", compare=False)


@lru_cache(maxsize=8192)
def pieces(review: str, kind: str) -> tuple[Piece, ...]:
    """Return what a review says, in its order, each piece once; empty for a text in which nothing is recognised.

    `kind` is `story` or `thing`: a film has a soundtrack and no zip, and only what is told has scenes beyond any list.
    """
    words = lexicon()
    found: dict[Piece, None] = {}
    for clause in _clauses(review[:MOST_CHARACTERS], words):
        lowered = [word.lower() for word in clause]
        if words.hedges.isdisjoint(lowered):
            direction = _direction(lowered, words)
            found.update(dict.fromkeys(_themes(lowered, direction, kind)))
            found.update(dict.fromkeys(_mentions(clause, lowered, direction, kind)))
    return tuple(found)


def fitting(review: str, kind: str, direction: int) -> tuple[Piece, ...]:
    """Return the pieces that agree with a direction; where there are fewer than two, the neutral mentions after them."""
    known = pieces(review, kind)
    agreeing = tuple(piece for piece in known if piece.direction == direction)
    return agreeing if len(agreeing) > 1 or not direction else agreeing + tuple(piece for piece in known if piece.direction == 0)


def copies(said: str, review: str) -> bool:
    """Tell whether six words in a row are the same, letter case and punctuation aside."""
    words, wrote = _bare(said).split(), f" {_bare(review)} "
    return any(f" {' '.join(words[at : at + RUN])} " in wrote for at in range(len(words) - RUN + 1))


@lru_cache(maxsize=8192)
def _bare(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


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
            clause.append(token)
    if clause:
        yield clause


def _direction(clause: list[str], words: Lexicon) -> int:
    found = {words.direction[word] for word in clause if word in words.direction}
    if not words.negators.isdisjoint(clause):
        return 0 if found == {-1} else -1
    return 0 if len(found) != 1 else found.pop()


def _themes(clause: list[str], direction: int, kind: str) -> Iterator[Piece]:
    known = _theme_words(kind)
    for word in clause:
        for name, own in known.get(word, ()):
            if own == direction:
                yield Piece(direction, theme=name, word=word)


def _mentions(clause: list[str], lowered: list[str], direction: int, kind: str) -> Iterator[Piece]:
    words = lexicon()
    plain = direction if words.negators.isdisjoint(lowered) else 0
    at = 0
    while at < len(lowered):
        phrase = _listed(clause, lowered, at, kind, words) or (_unlisted(clause, lowered, at, words) if kind == "story" else None)
        if phrase is None:
            at += 1
            continue
        start, end, listed = phrase
        adjective = _adjective(lowered, start, end, words)
        if not plain or words.adjectives.get(adjective, 0) != plain:
            adjective = ""
        last = _linked(clause, lowered, end, words) if not listed or kind == "story" else end
        head = lowered[end - 1]
        many = words.aspects[kind].get(head, head.endswith("s") and not head.endswith(("ss", "us", "is")))
        yield Piece(direction, " ".join(lowered[start:last]), many, adjective, listed=listed and last == end)
        at = last


def _listed(clause: list[str], lowered: list[str], at: int, kind: str, words: Lexicon) -> tuple[int, int, bool] | None:
    """Return where a phrase with a known aspect as its head starts and ends, if its head stands here."""
    aspects, weak, head = words.aspects[kind], words.weak[kind], lowered[at]
    if head not in aspects and head not in weak:
        return None
    if at + 1 < len(lowered) and (lowered[at + 1] in aspects or lowered[at + 1] in weak):
        return None
    start = at
    while start and at - start < 2 and (lowered[start - 1] in words.modifiers or lowered[start - 1] in aspects):
        start -= 1
    if (head in weak and start == at) or any(word[0].isupper() for word in clause[max(start, 1) : at + 1]):
        return None
    return start, at + 1, True


def _unlisted(clause: list[str], lowered: list[str], at: int, words: Lexicon) -> tuple[int, int, bool] | None:
    """Return where a phrase like `the phone calls` starts and ends, if its article stands here and its end is certain."""
    if lowered[at] != "the" or (at and lowered[at - 1] in words.prepositions):
        return None
    end = at + 1
    while end < len(lowered) and end - at <= 3 and lowered[end] not in words.closers:
        if lowered[end] in words.no_nouns or not clause[end].islower() or not clause[end].isalpha():
            return None
        end += 1
    if not 1 <= end - at - 1 <= 3 or (end < len(lowered) and lowered[end] not in words.closers):
        return None
    last = lowered[end - 1]
    verb = end - at > 2 and (last.endswith("ing") or (last.endswith("s") and lowered[end - 2] in words.aspects["story"]))
    if verb or last.endswith(("ly", "ed")) or last in words.direction:
        return None
    start = at + 1
    while start < end - 1 and lowered[start] in words.adjectives:
        start += 1
    return (start, end, last in words.aspects["story"]) if last not in words.modifiers or end - start > 1 else None


def _linked(clause: list[str], lowered: list[str], end: int, words: Lexicon) -> int:
    """Return where `the baptism in the river` ends, given the end of `the baptism`; five words in all are the limit."""
    if end + 2 < len(lowered) and lowered[end] in words.links and lowered[end + 1] == "the":
        noun = lowered[end + 2]
        over = end + 3 == len(lowered) or lowered[end + 3] in words.closers
        if over and clause[end + 2].islower() and noun not in words.no_nouns and noun not in words.direction:
            return end + 3
    return end


def _adjective(lowered: list[str], start: int, end: int, words: Lexicon) -> str:
    """Return the adjective of `thin sound` or `the sound is very thin`, or nothing."""
    if start and lowered[start - 1] in words.adjectives:
        return lowered[start - 1]
    rest = lowered[end : end + 3]
    if len(rest) < 2 or rest[0] not in words.copulas:
        return ""
    word = rest[2] if rest[1] in words.degrees and len(rest) > 2 else rest[1]
    return word if word in words.adjectives else ""


@cache
def _theme_words(kind: str) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return, for each word of tables/themes.yaml, the themes of a kind it stands for and the direction it has there."""
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    themes = {name: theme for name, theme in read_table("themes").items() if theme.get("kind", kind) == kind}
    for name, theme in themes.items():
        for word in theme["words"].split():
            found[word] = (*found.get(word, ()), (name, int(theme["direction"])))
    return found
