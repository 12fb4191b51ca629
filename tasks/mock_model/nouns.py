"""The noun phrases of a clause: what a review speaks of, and the adjective it gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tasks.mock_model.phrases import Lexicon, lexicon

# First word, word after the last, whether its head is a listed aspect.
Phrase = tuple[int, int, bool]


@dataclass(frozen=True)
class Piece:
    """One thing a review says. `direction` is 1 for praise, -1 for blame, 0 for neither.

    A theme has a name and no noun; a trait has noun and adjective; a mere mention has a noun alone.
    `listed` nouns are aspects one may ask after, `word` is what a theme was recognised by; other
    nouns ("baptism in the river") are only ever told.
    """

    direction: int
    noun: str = ""
    plural: bool = False
    adjective: str = ""
    theme: str = ""
    listed: bool = False
    word: str = field(default="", compare=False)


def mentions(clause: list[str], lowered: list[str], direction: int, kind: str) -> Iterator[Piece]:
    """Return the nouns of a clause, each with an adjective that agrees with the clause."""
    words = lexicon()
    plain = direction if words.negators.isdisjoint(lowered) else 0
    heads, aspects, story = words.heads[kind], words.aspects[kind], kind == "story"
    at = 0
    while at < len(lowered):
        word = lowered[at]
        phrase = _listed(clause, lowered, at, kind, words) if word in heads else None
        if phrase is None and story and word == "the":
            phrase = _unlisted(clause, lowered, at, words)
        if phrase is None:
            at += 1
            continue
        start, end, listed = phrase
        adjective = _adjective(lowered, start, end, words) if plain else ""
        if words.adjectives.get(adjective, 0) != plain:
            adjective = ""
        last = _linked(clause, lowered, end, words) if story else end
        head = lowered[end - 1]
        many = aspects.get(head, head.endswith("s") and not head.endswith(("ss", "us", "is")))
        yield Piece(
            direction, " ".join(lowered[start:last]), many, adjective, listed=listed and last == end
        )
        at = last


def _listed(
    clause: list[str], lowered: list[str], at: int, kind: str, words: Lexicon
) -> Phrase | None:
    """Return the phrase whose head is the listed aspect at `at`; None for a name or no head."""
    heads = words.heads[kind]
    if at + 1 < len(lowered) and lowered[at + 1] in heads:
        return None
    start = at
    while (
        start
        and at - start < 2
        and (lowered[start - 1] in words.modifiers or lowered[start - 1] in words.aspects[kind])
    ):
        start -= 1
    weak = start == at and lowered[at] in words.weak[kind]
    if weak or any(word[0].isupper() for word in clause[max(start, 1) : at + 1]):
        return None
    return start, at + 1, True


def _unlisted(clause: list[str], lowered: list[str], at: int, words: Lexicon) -> Phrase | None:
    """Return a phrase like `the phone calls` with its article at `at`, if its end is certain."""
    if at and lowered[at - 1] in words.prepositions:
        return None
    end = at + 1
    while end < len(lowered) and lowered[end] not in words.closers:
        if (
            end - at > 3
            or lowered[end] in words.no_nouns
            or not clause[end].islower()
            or not clause[end].isalpha()
        ):
            return None
        end += 1
    last = lowered[end - 1]
    verb = end - at > 2 and (
        last.endswith("ing") or (last.endswith("s") and lowered[end - 2] in words.aspects["story"])
    )
    if end == at + 1 or verb or last.endswith(("ly", "ed")) or last in words.direction:
        return None
    start = at + 1
    while start < end - 1 and lowered[start] in words.adjectives:
        start += 1
    alone = (
        end - start == 1 and last in words.modifiers and _linked(clause, lowered, end, words) == end
    )
    return None if alone else (start, end, last in words.aspects["story"])


def _linked(clause: list[str], lowered: list[str], end: int, words: Lexicon) -> int:
    """Return where `the baptism in the river` ends, given the end of `the baptism`.

    Five words in all are the limit.
    """
    if end + 2 < len(lowered) and lowered[end] in words.links and lowered[end + 1] == "the":
        noun = lowered[end + 2]
        over = end + 3 == len(lowered) or lowered[end + 3] in words.closers
        if (
            over
            and clause[end + 2].islower()
            and noun not in words.no_nouns
            and noun not in words.direction
        ):
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
