"""Opinions on an item: pieces of its reviews in our own frames, none twice in a dialogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tasks.mock_model.nouns import Piece
from tasks.mock_model.phrases import Voice
from tasks.mock_model.prompt_reader import Item
from tasks.mock_model.reviews import copies, fitting, mood, pieces

TRIES = 4  # at frames that do not complete a run of the review's words
_GENERAL = {1: "good", 0: "neutral", -1: "mixed"}


class OpinionTeller:
    """Opinions in one dialogue: one clause or two, only one where the voice is to be brief."""

    def __init__(self, voice: Voice, kind: str) -> None:
        self.voice = voice
        self.kind = kind
        self.told: set[tuple[int, Piece]] = set()
        self.question: dict[int, Piece] = {}
        self.reasons: dict[int, Piece] = {}

    def state(self) -> tuple[set[tuple[int, Piece]], dict[int, Piece]]:
        """Return what was told and asked so far, to go back to."""
        return set(self.told), dict(self.question)

    def go_back(self, state: tuple[set[tuple[int, Piece]], dict[int, Piece]]) -> None:
        """Forget what was told and asked since `state`."""
        self.told, self.question = set(state[0]), dict(state[1])

    def other_says(self, item: Item, wanted: int) -> tuple[str, int]:
        """Return what others say of an item: praise (1), blame (-1) or neither (0).

        A review that does not agree with the wanted direction is reported neutrally, never
        reversed.
        """
        known = pieces(item.other_review, self.kind)
        direction = wanted if any(piece.direction == wanted for piece in known) else 0
        pool = fitting(item.other_review, self.kind, direction) or tuple(
            piece for piece in known if piece.noun
        )
        chosen = self._choose(item.slot, pool, first=self.question.pop(item.slot, None))
        if chosen:
            self.reasons[item.slot] = chosen[0]
        name = {1: "good", -1: "bad", 0: "neutral"}[direction]
        said = self._in_new_words(
            item.other_review,
            chosen,
            lambda piece: self._others_clause(piece, name),
            "joined_others",
        )
        if said:
            return said, direction
        feeling = mood(item.other_review)
        return self._say(f"others_{_GENERAL[feeling if wanted else 0]}_general"), max(
            feeling, 0
        ) if wanted > 0 else 0

    def own_says(self, item: Item, direction: int, most: int = 2) -> str:
        """Return a clause or two of what the user says of an item, praise or blame."""
        which = "like" if direction > 0 else "dislike"
        chosen = self._choose(item.slot, fitting(item.user_review, self.kind, direction), most=most)
        said = self._in_new_words(
            item.user_review, chosen, lambda piece: self._own_clause(piece, which), "joined"
        )
        return said or self._say(f"{which}_general")

    def ask_about(self, item: Item) -> Mapping[str, str] | None:
        """Choose an aspect another person's review can answer for, and keep it for the answer."""
        pool = [
            piece
            for piece in fitting(item.other_review, self.kind, 1)
            if piece.listed and (item.slot, piece) not in self.told
        ]
        if not pool:
            return None
        piece = pool[self.voice.pick(len(pool))]
        self.question[item.slot] = piece
        return aspect(piece)

    def _choose(
        self, slot: int, pool: Sequence[Piece], *, most: int = 2, first: Piece | None = None
    ) -> list[Piece]:
        fresh = [piece for piece in pool if (slot, piece) not in self.told and piece != first]
        self.voice.rng.shuffle(fresh)
        count = 1 if self.voice.brief or most == 1 or self.voice.chance(0.4) else 2
        chosen = ([first] if first else []) + fresh
        kept: list[Piece] = []
        for piece in chosen:
            if len(kept) < count and not any(_alike(piece, other) for other in kept):
                kept.append(piece)
        self.told.update((slot, piece) for piece in kept)
        return kept

    def _own_clause(self, piece: Piece, which: str) -> str:
        if piece.theme:
            return self._say(f"theme_own_{piece.theme}")
        return self._say(f"{which}_trait" if piece.adjective else f"{which}_thing", **aspect(piece))

    def _others_clause(self, piece: Piece, which: str) -> str:
        if piece.theme:
            return self._say(f"theme_others_{piece.theme}")
        if which == "neutral" or piece.direction == 0:
            return self._say(
                "others_mention_thing" if which == "good" else "others_neutral_thing",
                **aspect(piece),
            )
        return self._say(
            f"others_{which}_trait" if piece.adjective else f"others_{which}_thing", **aspect(piece)
        )

    def _in_new_words(
        self, review: str, chosen: Sequence[Piece], clause: Callable[[Piece], str], joined: str
    ) -> str:
        """Return the pieces as clauses, in other frames if one would copy the review's words."""
        for _ in range(TRIES):
            clauses = [clause(piece) for piece in chosen]
            said = (
                self._say(joined, a=clauses[0], b=clauses[1])
                if len(clauses) > 1
                else "".join(clauses)
            )
            if not copies(said, review):
                return said
        return ""

    def _say(self, table: str, **values: str) -> str:
        return self.voice.say(table, values)


def aspect(piece: Piece) -> dict[str, str]:
    """Return a noun's slots: with and without article, adjective, and agreeing verbs."""
    many = piece.plural
    return {
        "np": f"the {piece.noun}",
        "bare": piece.noun if many else f"a {piece.noun}",
        "np_they": "they" if many else "it",
        "adj": piece.adjective,
        "was": "were" if many else "was",
        "is": "are" if many else "is",
        "does": "do" if many else "does",
        "gets": "get" if many else "gets",
        "comes": "come" if many else "comes",
        "seems": "seem" if many else "seems",
        "sounds": "sound" if many else "sounds",
    }


def _alike(one: Piece, other: Piece) -> bool:
    """Return True if two pieces repeat each other: one noun, a noun of a theme, or one theme."""
    if one.theme and other.theme:
        return one.theme == other.theme
    if one.noun and other.noun:
        return one.noun in other.noun or other.noun in one.noun
    return bool(
        {one.word, other.word}
        & {*one.noun.split(), *other.noun.split(), one.adjective, other.adjective} - {""}
    )
