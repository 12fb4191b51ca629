"""The state of one dialogue while it is written: speakers, current item, what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from tasks.mock_model.opinions import OpinionTeller
from tasks.mock_model.phrases import Voice, lexicon
from tasks.mock_model.previous_turn import heard_from, heard_in, offered_from, offered_in
from tasks.mock_model.prompt_reader import Asked, Item, Line
from tasks.mock_model.reviews import mood

_FANS = {
    "watched": "viewers",
    "seen": "viewers",
    "read": "readers",
    "played": "players",
    "heard": "listeners",
}
_NAMED = re.compile(r"\{\{item:(\d+)\}\}")


class _Known(dict[str, str]):
    """Values of one phrase; the current item is looked up only if the phrase names it.

    A name is used but once.
    """

    def __init__(self, scene: Scene, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.scene = scene

    def __contains__(self, name: object) -> bool:
        return name in ("it", "that") or super().__contains__(name)

    def __missing__(self, name: str) -> str:
        return self.scene.it(self.scene.current, "it" if name == "it" else "that one")


class Scene:
    """One dialogue being written.

    Slots are the template's; texts here name items as `{{item:N}}` whatever the profile.
    """

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
        self.teller = OpinionTeller(self.voice, kind)
        self.line = Line(1, "user", (), (), ())
        self.named: set[int] = set()

    def item(self, slot: int) -> Item:
        """Return an item, an empty one where the prompt tells nothing of it."""
        return self.asked.items.get(slot) or Item(slot, f"item {slot}", "", "", "")

    def start(self, line: Line) -> None:
        """Begin a turn."""
        self.line = line
        self.named = set()

    def end(self, line: Line) -> None:
        """Remember what a turn did, for the one that answers it."""
        if line.role == "user":
            liked = self.item(self.current).collection == "LIKES"
            self.heard = "known" if "have_seen" in line.goals and liked else heard_in(line.goals)
            if self.heard in ("likes", "dislikes"):
                self.greeted = self.heard
            self.accepted = self.accepted or self.heard == "accepted"
        else:
            self.offered = offered_in(line.goals)
            self.by_agent.update(line.introduces)
            self.recommended += bool(line.introduces)
        if line.introduces:
            self.current = line.introduces[-1]

    def catch_up(self, so_far: Sequence[tuple[str, str]]) -> None:
        """Restore the state from turns already written, for a turn-by-turn rollout."""
        seen: dict[int, None] = {}
        for role, text in so_far:
            new = sorted(self._names(text) - seen.keys())
            if role == "user":
                self.heard = heard_from(text, recommended=self.recommended > 0)
                self.greeted = self.greeted or {1: "likes", -1: "dislikes"}.get(mood(text), "")
            else:
                self.recommended += bool(new)
                self.by_agent.update(new)
                self.offered = offered_from(
                    text, names_new=bool(new), recommended=self.recommended > 0
                )
            self.accepted = self.accepted or self.heard in ("accepted", "leaving")
            seen.update(dict.fromkeys(new))
        if seen:
            self.current = list(seen)[-1]

    def _names(self, text: str) -> set[int]:
        if self.asked.placeholders:
            return {int(slot) for slot in _NAMED.findall(text)}
        return {
            item.slot for item in self.asked.items.values() if item.title and item.title in text
        }

    def name(self, slot: int) -> str:
        """Name an item for the first time in a turn."""
        self.named.add(slot)
        return f"{{{{item:{slot}}}}}"

    def it(self, slot: int, otherwise: str = "it") -> str:
        """Mention a known item: by name now and then, where the template allows it."""
        allowed = slot in self.line.refers or slot in self.line.introduces
        if allowed and slot not in self.named and not self.voice.brief and self.voice.chance(0.4):
            return self.name(slot)
        return otherwise

    def recommended_slot(self, slot: int, line: Line) -> bool:
        """Tell whether the agent, not the user, brought an item in."""
        return slot in self.by_agent or (line.role == "agent" and slot in line.introduces)

    def say(self, table: str, **values: str) -> str:
        """Return a phrase of a table; {it} and {that} speak of the item talked about."""
        return self.voice.say(table, _Known(self, values))


def plural(noun: str) -> str:
    """Return the plural of a domain's noun; `piece of gear` becomes `pieces of gear`."""
    head, of, rest = noun.partition(" of ")
    if head.endswith("y") and head[-2:-1] not in "aeiou":
        return f"{head[:-1]}ies{of}{rest}"
    return f"{head}{'es' if head.endswith(('s', 'x', 'z', 'ch', 'sh')) else 's'}{of}{rest}"
