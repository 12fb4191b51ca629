"""Small pieces of a review, to be reworded: its subjects, and whether they are praised.

No sentence of a review is ever taken over. A clause gives at most a noun of up to three words ("the
harbour scenes"), an adjective, or a theme that has sentences of our own; a clause's direction comes
from the word lists in tables/lexicon.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from tasks.mock_model.nouns import Piece, mentions
from tasks.mock_model.phrases import Lexicon, lexicon, read_table
from tasks.word_runs import shares_run

MOST_CHARACTERS = 900  # the first 150 words or so hold enough pieces
RUN = 6  # so many words in a row count as copied
_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|[.!?;:,()\n]")


@lru_cache(maxsize=8192)
def pieces(review: str, kind: str) -> tuple[Piece, ...]:
    """Return the pieces of a review in order, each once; empty if nothing is recognised.

    `kind` is `story` or `thing`: a film has a soundtrack and no zip, and only what is told has
    scenes beyond any list.
    """
    words, themes = lexicon(), _theme_words(kind)
    worth = words.heads[kind] | {"the"} if kind == "story" else words.heads[kind]
    found: dict[Piece, None] = {}
    for clause, lowered, bag in _clauses(review[:MOST_CHARACTERS], words):
        if not words.hedges.isdisjoint(bag):
            continue
        direction = _direction(bag, words)
        if not bag.isdisjoint(themes):
            found.update(dict.fromkeys(_themes(lowered, direction, themes)))
        if not bag.isdisjoint(worth):
            found.update(dict.fromkeys(mentions(clause, lowered, direction, kind)))
    return tuple(found)


def fitting(review: str, kind: str, direction: int) -> tuple[Piece, ...]:
    """Return the pieces of a direction; fewer than two are followed by neutral ones."""
    known = pieces(review, kind)
    agreeing = tuple(piece for piece in known if piece.direction == direction)
    return (
        agreeing
        if len(agreeing) > 1 or not direction
        else agreeing + tuple(piece for piece in known if piece.direction == 0)
    )


def copies(text: str, review: str) -> bool:
    """Return True if six words in a row are the same, letter case and punctuation aside."""
    return shares_run(text, review, RUN)


def mood(text: str) -> int:
    """Return 1, -1 or 0: whether a text speaks well or ill on the whole."""
    words = lexicon()
    total = sum(_direction(bag, words) for _, _, bag in _clauses(text[:MOST_CHARACTERS], words))
    return (total > 0) - (total < 0)


def _clauses(text: str, words: Lexicon) -> Iterator[tuple[list[str], list[str], set[str]]]:
    """Return a text's clauses: words as written, in small letters, and as a set of those."""
    tokens = _TOKEN.findall(text)
    lowered = list(map(str.lower, tokens))
    begin = 0
    for end in [*(at for at, word in enumerate(lowered) if word in words.turns), len(lowered)]:
        # "..., like the bench at the end": an example, no comparison.
        begin += begin < end and lowered[begin] == "like"
        if end > begin:
            yield tokens[begin:end], lowered[begin:end], set(lowered[begin:end])
        begin = end + 1


def _direction(bag: set[str], words: Lexicon) -> int:
    found = {words.direction[word] for word in bag & words.direction.keys()}
    if not words.negators.isdisjoint(bag):
        return 0 if found == {-1} else -1
    return 0 if len(found) != 1 else found.pop()


def _themes(
    clause: list[str], direction: int, known: Mapping[str, tuple[tuple[str, int], ...]]
) -> Iterator[Piece]:
    for word in clause:
        for name, own in known.get(word, ()):
            if own == direction:
                yield Piece(direction, theme=name, word=word)


@cache
def _theme_words(kind: str) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return, for each word of tables/themes.yaml, its themes for a kind and its direction."""
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    themes = {
        name: theme
        for name, theme in read_table("themes").items()
        if theme.get("kind", kind) == kind
    }
    for name, theme in themes.items():
        for word in theme["words"].split():
            found[word] = (*found.get(word, ()), (name, int(theme["direction"])))
    return found
