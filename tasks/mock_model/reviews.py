"""Small pieces of a review, to be reworded: its subjects, and whether they are praised.

No sentence of a review is ever taken over. A clause gives at most a noun of a few words ("the
harbour scenes"), an adjective, or a theme that has sentences of our own. The direction of a clause
comes from the word lists in tables/lexicon.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tasks.fingerprint import shipped_yaml

KINDS = ("story", "thing")  # what is watched or read, and what is used
_TABLES = Path(__file__).parent / "tables"
_MOST_CHARACTERS = 500  # the first 90 words or so hold enough pieces
_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|[.!?;:,()\n]")
_UNLISTED = re.compile(  # "the calls were", "the baptism in the river"
    r"\bthe ([a-z]+)(?: (in|on|at|under|with) the ([a-z]+))?"
    r"(?=$| (?:in|on|at|of|with|from|is|was|are|were|that|which|where|when|who|had|has|have)\b)"
)


class Piece(NamedTuple):
    """One thing a review says. `direction` is 1 for praise, -1 for blame, 0 for neither.

    A theme has a name and no noun; a trait has noun and adjective; a mere mention has a noun alone.
    `listed` nouns are aspects one may ask after; other nouns ("baptism in the river") are only ever
    told. `word` is what a theme was recognised by.
    """

    direction: int
    noun: str = ""
    plural: bool = False
    adjective: str = ""
    theme: str = ""
    listed: bool = False
    word: str = ""

    def repeats(self, other: Piece) -> bool:
        """Return True if two pieces share a theme or a word."""
        mine = {self.theme, self.word, self.adjective, *self.noun.split()} - {""}
        return not mine.isdisjoint((other.theme, other.word, other.adjective, *other.noun.split()))


class Lexicon(NamedTuple):
    """Words the mock model knows, for one kind of item; see tables/lexicon.yaml."""

    lists: Mapping[str, frozenset[str]]
    adjectives: Mapping[str, int]
    direction: Mapping[str, int]
    aspects: Mapping[str, bool]
    themes: Mapping[str, Sequence[tuple[str, int]]]
    telling: frozenset[str]


@cache
def read_table(name: str) -> Any:
    """Return the content of one YAML file of the tables folder. Nobody may change it."""
    return shipped_yaml(_TABLES / f"{name}.yaml")


def themes(kind: str) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    """Yield name, direction and entry of the themes of a kind of item."""
    for group, entries in read_table("opinions")["themes"].items():
        sign, _, only = group.partition(".")
        for number, entry in enumerate(entries if only in ("", kind) else ()):
            yield f"{group}.{number}", 1 if sign == "praise" else -1, entry


@cache
def lexicon(kind: str) -> Lexicon:
    """Return the word lists for a kind of item."""
    table = read_table("lexicon")
    lists = {name: frozenset(words.split()) for name, words in table.items() if name != "verbs"}
    lists["turns"] |= set(".!?;:,()\n")
    adjectives = dict.fromkeys(lists["good"], 1) | dict.fromkeys(lists["bad"], -1)
    direction = dict.fromkeys(lists["praise"], 1) | dict.fromkeys(lists["blame"], -1) | adjectives
    aspects = dict.fromkeys(lists[f"{kind}_aspects"], False)
    aspects |= dict.fromkeys(lists[f"{kind}_plural"], True)
    by_word: dict[str, list[tuple[str, int]]] = {}
    for name, sign, entry in themes(kind):
        for word in entry["words"].split():
            by_word.setdefault(word, []).append((name, sign))
    telling = frozenset(["the"] if kind == "story" else []) | aspects.keys() | by_word.keys()
    return Lexicon(lists, adjectives, direction, aspects, by_word, telling)


@lru_cache(maxsize=8192)
def pieces(review: str, kind: str) -> tuple[Piece, ...]:
    """Return the pieces of a review in order, each once; empty if nothing is recognised.

    A film has a soundtrack and no zip, and only a story has scenes beyond any list.
    """
    words = lexicon(kind)
    found: list[Piece] = []
    for clause in _clauses(review):
        bag = set(clause)
        if bag.isdisjoint(words.telling) or not bag.isdisjoint(words.lists["hedges"]):
            continue
        direction = _direction(bag, words)
        found += _themes(clause, direction, words) if direction else ()
        sided = direction if bag.isdisjoint(words.lists["negators"]) else 0
        heads = [at for at, word in enumerate(clause) if word in words.aspects]
        found += [piece for at in heads if (piece := _aspect(clause, at, direction, sided, words))]
        if kind == "story" and "the" in bag:
            found += _scenes(" ".join(clause), direction, words)
    return tuple(dict.fromkeys(found))


def mood(text: str) -> int:
    """Return 1, -1 or 0: whether a text speaks well or ill on the whole."""
    words = lexicon("story")
    total = sum(_direction(set(clause), words) for clause in _clauses(text))
    return (total > 0) - (total < 0)


def _clauses(text: str) -> Iterator[list[str]]:
    """Yield a text's clauses; the first word of each is in small letters, others as written."""
    turns = lexicon("story").lists["turns"]
    tokens = _TOKEN.findall(text[:_MOST_CHARACTERS])
    begin = 0
    for end in [*(at for at, word in enumerate(tokens) if word in turns), len(tokens)]:
        # "..., like the bench at the end": an example, no comparison.
        begin += begin < end and tokens[begin] == "like"
        if end > begin:
            yield [tokens[begin].lower(), *tokens[begin + 1 : end]]
        begin = end + 1


def _direction(bag: set[str], words: Lexicon) -> int:
    found = {words.direction[word] for word in bag & words.direction.keys()}
    if not words.lists["negators"].isdisjoint(bag):
        return -1 if 1 in found else 0
    return found.pop() if len(found) == 1 else 0


def _themes(clause: Sequence[str], direction: int, words: Lexicon) -> Iterator[Piece]:
    for word in clause:
        for name, sign in words.themes.get(word, ()):
            if sign == direction:
                yield Piece(direction, theme=name, word=word)


def _aspect(
    clause: Sequence[str], at: int, direction: int, sided: int, words: Lexicon
) -> Piece | None:
    """Return the listed aspect at `at`, with an adjective if it is of the direction `sided`."""
    after = clause[at + 1] if at + 1 < len(clause) else ""
    if after in words.aspects or after[:1].isupper():
        return None
    start = at - 1 if at and _leads(clause[at - 1], words) else at
    adjective = clause[start - 1] if start and clause[start - 1] in words.adjectives else ""
    adjective = adjective or _stated(clause[at + 1 : at + 4], words)
    if not sided or words.adjectives.get(adjective) != sided:
        adjective = ""
    noun = " ".join(clause[start : at + 1])
    return Piece(direction, noun, words.aspects[clause[at]], adjective, listed=True)


def _leads(word: str, words: Lexicon) -> bool:
    return word in words.lists["modifiers"] or word in words.aspects


def _stated(rest: Sequence[str], words: Lexicon) -> str:
    """Return the adjective of `is very thin`, or nothing."""
    plain = [word for word in rest if word not in words.lists["degrees"]]
    said = len(plain) > 1 and plain[0] in words.lists["copulas"]
    return plain[1] if said and plain[1] in words.adjectives else ""


def _scenes(clause: str, direction: int, words: Lexicon) -> Iterator[Piece]:
    """Yield nouns of no list with their article, where it is certain that they end there."""
    for found in _UNLISTED.finditer(clause):
        noun, link, last = found.groups("")
        before = clause[: found.start()].rpartition(" ")[0].rpartition(" ")[2]
        apart = before in words.lists["prepositions"] or noun in words.aspects
        if apart or not all(_is_noun(word, words) for word in (noun, last)):
            continue
        plural = noun.endswith("s") and not noun.endswith(("ss", "us"))
        yield Piece(direction, f"{noun} {link} the {last}" if last else noun, plural)


def _is_noun(word: str, words: Lexicon) -> bool:
    other = word in words.lists["no_nouns"] or word in words.direction
    return not other and not word.endswith(("ly", "ed", "ing"))
