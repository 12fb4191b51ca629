"""What the writer keeps in mind while it writes one dialogue: who said what last, which item is talked about, what was told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from tasks.llm.offline.phrases import Voice, lexicon
from tasks.llm.offline.reading import Asked, Item, Line
from tasks.llm.offline.reviews import Piece, fitting, mood

_FANS = {"watched": "viewers", "seen": "viewers", "read": "readers", "played": "players", "heard": "listeners"}
_NAMED = re.compile(r"\{\{item:(\d+)\}\}")


class _Known(dict[str, str]):
    """Values of one phrase; the item talked about is looked up only when the phrase speaks of it, for a name is used but once."""

    def __init__(self, scene: Scene, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.scene = scene

    def __contains__(self, name: object) -> bool:
        return name in ("it", "that") or super().__contains__(name)

    def __missing__(self, name: str) -> str:
        return self.scene.it(self.scene.current, "it" if name == "it" else "that one")


class Scene:
    """One dialogue being written. Slots are the template's; texts here name items as `{{item:N}}` whatever the profile."""

    def __init__(self, asked: Asked, rng: Random) -> None:
        words = lexicon()
        kind = "story" if asked.noun.split()[-1].lower() in words.stories else "thing"
        watch, watching = words.present.get(asked.verb, ("try", "trying"))
        self.asked = asked
        self.kind = kind
        self.voice = Voice(
            rng,
            kind,
            {
                "noun": asked.noun,
                "nouns": plural(asked.noun),
                "verb": asked.verb,
                "watch": watch,
                "watching": watching,
                "fans": _FANS.get(asked.verb, "owners" if kind == "thing" else "fans"),
            },
        )
        self.current = 0
        self.greeted = ""
        self.heard = "chat"
        self.offered = ""
        self.accepted = False
        self.recommended = 0
        self.by_agent: set[int] = set()
        self.casual = {"user": self.voice.chance(0.75), "agent": self.voice.chance(0.6)}
        self.told: set[tuple[int, Piece]] = set()
        self.question: dict[int, Piece] = {}
        self.reasons: dict[int, Piece] = {}
        self.line = Line(1, "user", (), (), ())
        self.named: set[int] = set()
        self.brief = False

    def item(self, slot: int) -> Item:
        """Return an item, an empty one where the prompt tells nothing of it."""
        return self.asked.items.get(slot) or Item(slot, f"item {slot}", "", "", "")

    def start(self, line: Line) -> None:
        """Begin a turn."""
        self.line = line
        self.named = set()

    def end(self, line: Line) -> None:
        """Remember what a turn did, for the one that answers it."""
        goals = frozenset(line.goals)
        if line.role == "user":
            liked = self.item(self.current).collection == "LIKES"
            self.heard = "known" if "have_seen" in goals and liked else heard_in(goals)
            if self.heard in ("likes", "dislikes"):
                self.greeted = self.heard
            self.accepted = self.accepted or self.heard == "accepted"
        else:
            self.offered = offered_in(goals)
            self.by_agent.update(line.introduces)
            self.recommended += bool(line.introduces)
        if line.introduces:
            self.current = line.introduces[-1]

    def catch_up(self, so_far: Sequence[tuple[str, str]]) -> None:
        """Gather from turns already spoken what a template would have told; all that a turn-by-turn rollout shows."""
        seen: dict[int, None] = {}
        for role, text in so_far:
            feeling = mood(text)
            if role == "user":
                self.heard = "question" if text.rstrip().endswith("?") and len(seen) > 1 else ("chat", "likes", "dislikes")[feeling]
            else:
                self.offered = "preference" if text.rstrip().endswith("?") and not self._names(text) - seen.keys() else ""
            new = self._names(text) - seen.keys()
            if role == "user" and not seen:
                self.greeted = ("likes", "likes", "dislikes")[feeling]
            self.recommended += role == "agent" and bool(new)
            seen.update(dict.fromkeys(sorted(new)))
        if seen:
            self.current = list(seen)[-1]
        if self.recommended and self.heard == "dislikes":
            self.heard = "rejected"

    def _names(self, text: str) -> set[int]:
        if self.asked.placeholders:
            return {int(slot) for slot in _NAMED.findall(text)}
        return {item.slot for item in self.asked.items.values() if item.title and item.title in text}

    def name(self, slot: int) -> str:
        """Name an item for the first time in a turn."""
        self.named.add(slot)
        return f"{{{{item:{slot}}}}}"

    def it(self, slot: int, otherwise: str = "it") -> str:
        """Speak of an item known already: by name now and then, where the template lets the turn name it."""
        allowed = slot in self.line.refers or slot in self.line.introduces
        if allowed and slot not in self.named and not self.brief and self.voice.chance(0.4):
            return self.name(slot)
        return otherwise

    def recommended_slot(self, slot: int, line: Line) -> bool:
        """Tell whether the agent, not the user, brought an item in."""
        return slot in self.by_agent or (line.role == "agent" and slot in line.introduces)

    def say(self, table: str, **values: str) -> str:
        """Return a phrase of a table; {it} and {that} speak of the item talked about."""
        return self.voice.say(table, _Known(self, values))

    def other_says(self, slot: int, direction: int) -> str:
        """Return a clause or two of what other people say of an item."""
        pool = fitting(self.item(slot).other_review, self.kind, direction)
        chosen = self._choose(slot, pool, first=self.question.pop(slot, None))
        name = {1: "good", -1: "bad", 0: "neutral"}[direction]
        clauses = [self._others_clause(piece, name) for piece in chosen]
        if chosen:
            self.reasons[slot] = chosen[0]
        return self._join(clauses, "joined_others") or self.say("others_good_general" if direction > 0 else "others_neutral_general")

    def own_says(self, slot: int, direction: int, most: int = 2) -> str:
        """Return a clause or two of what the user says of an item, praise or blame."""
        which = "like" if direction > 0 else "dislike"
        chosen = self._choose(slot, fitting(self.item(slot).user_review, self.kind, direction), most=most)
        return self._join([self._own_clause(piece, which) for piece in chosen], "joined") or self.say(f"{which}_general")

    def ask_about(self, slot: int) -> Mapping[str, str] | None:
        """Choose an aspect that another person's review can answer for, and keep it for the answer."""
        pool = [piece for piece in fitting(self.item(slot).other_review, self.kind, 1) if piece.listed and (slot, piece) not in self.told]
        if not pool:
            return None
        piece = pool[self.voice.pick(len(pool))]
        self.question[slot] = piece
        return aspect(piece)

    def _choose(self, slot: int, pool: Sequence[Piece], *, most: int = 2, first: Piece | None = None) -> list[Piece]:
        fresh = [piece for piece in pool if (slot, piece) not in self.told and piece != first]
        self.voice.rng.shuffle(fresh)
        count = 1 if self.brief or most == 1 or self.voice.chance(0.4) else 2
        chosen = ([first] if first else []) + fresh
        kept: list[Piece] = []
        for piece in chosen:
            if len(kept) < count and not any(_alike(piece, other) for other in kept):
                kept.append(piece)
        self.told.update((slot, piece) for piece in kept)
        return kept

    def _own_clause(self, piece: Piece, which: str) -> str:
        if piece.theme:
            return self.say(f"theme_own_{piece.theme}")
        return self.say(f"{which}_trait" if piece.adjective else f"{which}_thing", **aspect(piece))

    def _others_clause(self, piece: Piece, which: str) -> str:
        if piece.theme:
            return self.say(f"theme_others_{piece.theme}")
        if which == "neutral" or piece.direction == 0:
            return self.say("others_mention_thing" if which == "good" else "others_neutral_thing", **aspect(piece))
        return self.say(f"others_{which}_trait" if piece.adjective else f"others_{which}_thing", **aspect(piece))

    def _join(self, clauses: Sequence[str], table: str) -> str:
        if len(clauses) < 2:
            return "".join(clauses)
        return self.say(table, a=clauses[0], b=clauses[1])


def aspect(piece: Piece) -> dict[str, str]:
    """Return the places of a noun: with and without its article, its adjective, and verbs that agree with it."""
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


def heard_in(goals: frozenset[str]) -> str:
    """Return what the agent has just heard, as the part of a table's name."""
    if "lead_to_end" in goals:
        return "leaving" if any(goal.endswith("_gratitude") for goal in goals) else "going"
    for goal, heard in _HEARD.items():
        if goal in goals:
            return heard
    return "chat"


def offered_in(goals: frozenset[str]) -> str:
    """Return what the user has just been offered or asked, as the part of a table's name."""
    for goal, offered in _OFFERED.items():
        if goal in goals:
            return offered
    return ""


_HEARD = {
    "ask_item_detail": "question",
    "greeting_likes": "likes",
    "greeting_dislikes": "dislikes",
    "reject_without_reason": "rejected",
    "reject_with_reason": "rejected",
    "accept_without_reason": "accepted",
    "accept_with_reason": "accepted",
    "accept_gratitude": "accepted",
    "express_interest": "interest",
    "express_gratitude": "leaving",
    "reject_gratitude": "leaving",
    "ask_recommendation": "asked",
}
_OFFERED = {"ask_preference": "preference", "ask_more": "more", "lead_to_recommend": "led", "end_conversation": "end"}


def plural(noun: str) -> str:
    """Return the plural of a domain's noun; `piece of gear` becomes `pieces of gear`."""
    head, of, rest = noun.partition(" of ")
    if head.endswith("y") and head[-2:-1] not in "aeiou":
        return f"{head[:-1]}ies{of}{rest}"
    return f"{head}{'es' if head.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's'}{of}{rest}"


def _alike(one: Piece, other: Piece) -> bool:
    """Tell whether two pieces would say the same thing twice: one noun in both, a noun that made the other's theme, one theme."""
    if one.theme and other.theme:
        return one.theme == other.theme
    if one.noun and other.noun:
        return one.noun in other.noun or other.noun in one.noun
    return bool({one.word, other.word} & {*one.noun.split(), *other.noun.split(), one.adjective, other.adjective} - {""})
