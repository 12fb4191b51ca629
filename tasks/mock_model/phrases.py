"""The phrase tables, compiled into a small grammar, and a voice that speaks from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from random import Random

from tasks.mock_model.prompt_reader import Item
from tasks.mock_model.reviews import KINDS, Piece, mood, pieces, read_table, themes
from tasks.word_runs import shares_run

Frame = tuple[str, ...]  # text and places in turn: odd positions name a value or a table
_COPIED = 6  # so many words in a row count as copied
_TRIES = 4  # at frames that do not complete a run of the review's words
_PLACE = re.compile(r"\{([^{}]+)\}")
_SENTENCE = re.compile(r"([.!?] +)([a-z])")
_VOWEL = re.compile(r"(?!uni|use|usu|eu|one\b|once)[aeiou]", re.IGNORECASE)
_ONE = {name: name for name in ("was", "is", "gets", "comes", "seems", "sounds")}
_MANY = {**{name: name[:-1] for name in _ONE}, "was": "were", "is": "are"}


@cache
def grammar(kind: str) -> Mapping[str, tuple[Frame, ...]]:
    """Return every phrase table for a kind of item, compiled; a place `{a|b}` is a table too."""
    rows: dict[str, Sequence[str]] = {**read_table("opinions"), **read_table("speech")}
    del rows["themes"]
    for name, _, theme in themes(kind):
        rows |= {f"own.{name}": theme["own"], f"others.{name}": theme["others"]}
    tables = {name: _frames(table, kind) for name, table in rows.items()}
    places = {place for table in tables.values() for frame in table for place in frame[1::2]}
    return tables | {place: _frames(place.split("|"), kind) for place in places if "|" in place}


def _frames(rows: Iterable[str], kind: str) -> tuple[Frame, ...]:
    """Compile a kind's rows, short ones first: that is where `Voice.brief` looks."""
    others = tuple(f"{other}| " for other in KINDS if other != kind)
    kept = [row.removeprefix(f"{kind}| ") for row in rows if not row.startswith(others)]
    kept.sort(key=lambda row: (row.count(" "), row))
    return tuple(tuple(_PLACE.split(row)) for row in kept)


class Voice:
    """Expands phrase tables for one dialogue, seeded, no frame twice while another is left.

    `brief` keeps to the shortest third of a table and to one opinion at a time, for utterances that
    would come out too long. `told` and `asked` hold what was said of items and asked about them.
    """

    def __init__(self, rng: Random, kind: str, values: Mapping[str, str]) -> None:
        self.rng = rng
        self.kind = kind
        self.tables = grammar(kind)
        self.values = values
        self.brief = False
        self.used: set[tuple[str, int]] = set()
        self.told: set[tuple[int, str]] = set()
        self.asked: dict[int, Piece] = {}

    def chance(self, share: float) -> bool:
        """Return True in about this share of calls."""
        return self.rng.random() < share

    def say(self, table: str, **values: str) -> str:
        """Return one phrase of a table, its places filled from `values` or other tables.

        Raises:
            KeyError: a place that is neither a value nor a table.
        """
        frames = self.tables[table]
        count = (len(frames) + 2) // 3 if self.brief else len(frames)
        at = int(self.rng.random() * count)
        for _ in range(count):
            if (table, at) not in self.used:
                break
            at = (at + 1) % count
        self.used.add((table, at))
        frame = frames[at]
        if len(frame) == 1:
            return frame[0]
        parts = list(frame)
        for place in range(1, len(parts), 2):
            parts[place] = self.fill(parts[place], values)
        return "".join(parts)

    def fill(self, name: str, values: Mapping[str, str]) -> str:
        """Return what stands in a place."""
        found = values.get(name) or self.values.get(name)
        return self.say(name, **values) if found is None else found

    def own_says(self, item: Item, direction: int, most: int = 2) -> str:
        """Return a clause or two of what the user says of an item, praise or blame."""
        which = "like" if direction > 0 else "dislike"
        pool = self._pool(item.user_review, direction)
        said = self._in_new_words(item.user_review, self._choose(item.slot, pool, most), which)
        return said or self.say(f"{which}_general")

    def others_say(self, item: Item, wanted: int) -> tuple[str, int]:
        """Return what others say of an item: praise (1), blame (-1) or neither (0).

        A review that does not agree with the wanted direction is reported neutrally, never
        reversed.
        """
        known = pieces(item.other_review, self.kind)
        direction = wanted if any(piece.direction == wanted for piece in known) else 0
        pool = self._pool(item.other_review, direction) or [piece for piece in known if piece.noun]
        chosen = self._choose(item.slot, pool, 2, self.asked.pop(item.slot, None))
        which = {1: "others_good", -1: "others_bad", 0: "others_neutral"}[direction]
        said = self._in_new_words(item.other_review, chosen, which)
        if said:
            return said, direction
        feeling = mood(item.other_review) if wanted else 0
        general = {1: "others_good", 0: "others_neutral", -1: "others_mixed"}[feeling]
        return self.say(f"{general}_general"), max(feeling, 0)

    def ask_about(self, item: Item) -> Mapping[str, str] | None:
        """Choose an aspect another person's review can answer for, and keep it for the answer."""
        pool = [piece for piece in self._pool(item.other_review, 1) if piece.listed]
        if not pool:
            return None
        self.asked[item.slot] = self.rng.choice(pool)
        return aspect(self.asked[item.slot])

    def _pool(self, review: str, direction: int) -> list[Piece]:
        """Return the pieces of a direction; fewer than two are followed by neutral ones."""
        known = pieces(review, self.kind)
        agreeing = [piece for piece in known if piece.direction == direction]
        if len(agreeing) > 1 or not direction:
            return agreeing
        return agreeing + [piece for piece in known if piece.direction == 0]

    def _choose(
        self, slot: int, pool: Iterable[Piece], most: int, first: Piece | None = None
    ) -> list[Piece]:
        """Return one piece or two that were not told before and do not repeat each other."""
        fresh = [piece for piece in pool if (slot, piece.noun or piece.theme) not in self.told]
        start = int(self.rng.random() * len(fresh))
        fresh = [*fresh[start:], *fresh[:start]]
        count = 1 if self.brief or most == 1 or self.chance(0.4) else 2
        kept: list[Piece] = []
        for piece in [first, *fresh] if first else fresh:
            if len(kept) < count and not any(piece.repeats(other) for other in kept):
                kept.append(piece)
        self.told.update((slot, piece.noun or piece.theme) for piece in kept)
        return kept

    def _in_new_words(self, review: str, chosen: Sequence[Piece], which: str) -> str:
        """Return the pieces as clauses, in other frames if one would copy the review's words."""
        for _ in range(_TRIES if chosen else 0):
            said, *more = [self._clause(piece, which) for piece in chosen]
            if more:
                joined = "joined_others" if which.startswith("others") else "joined"
                said = self.say(joined, a=said, b=more[0])
            if not shares_run(said, review, _COPIED):
                return said
        return ""

    def _clause(self, piece: Piece, which: str) -> str:
        others = which.startswith("others")
        if piece.theme:
            return self.say(f"{'others' if others else 'own'}.{piece.theme}")
        table = which if piece.direction or not others else "others_neutral"
        trait = piece.adjective and table != "others_neutral"
        return self.say(f"{table}_{'trait' if trait else 'thing'}", **aspect(piece))


def aspect(piece: Piece) -> dict[str, str]:
    """Return a noun's slots: with its article, its adjective, and agreeing verbs."""
    they = "they" if piece.plural else "it"
    forms = _MANY if piece.plural else _ONE
    return {"np": f"the {piece.noun}", "adj": piece.adjective, "np_they": they, **forms}


def tidy(text: str) -> str:
    """Put in capitals after full stops."""
    return _SENTENCE.sub(lambda found: found[1] + found[2].upper(), text[:1].upper() + text[1:])


def noun_forms(noun: str) -> dict[str, str]:
    """Return a domain's noun with its article and in the plural, as `pieces of gear`."""
    head, of, rest = noun.partition(" of ")
    if head.endswith("y") and head[-2:-1] not in "aeiou":
        plural = f"{head[:-1]}ies"
    else:
        plural = f"{head}{'es' if head.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's'}"
    article = "an" if _VOWEL.match(noun) else "a"
    return {"noun": noun, "a noun": f"{article} {noun}", "nouns": f"{plural}{of}{rest}"}
