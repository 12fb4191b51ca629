"""Writes a dialogue turn by turn: each sub-goal of a turn is given words, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random

from tasks.mock_model.phrases import Voice, noun_forms, tidy
from tasks.mock_model.prompt_reader import Asked, Item, Line, heard_from, offered_from
from tasks.mock_model.reviews import lexicon, read_table

MOST_WORDS = 60  # of one utterance (2.5.1)
_TRIES = 6  # at words that fit, all but the first of them short; a title may be too long for any
_CURT = (0.9, 0.75, 0.35, 0.15)  # chance of a further sentence, by words // 5
_NAMED = re.compile(r"\{\{item:(\d+)\}\}")
_TITLE = re.compile(r'"[^"]*"')
# The first of these (or their beginnings) in a user's turn is what the agent answers to.
_HEARD = {
    "ask_item_detail": "question",
    "greeting_likes": "likes",
    "greeting_dislikes": "dislikes",
    "reject_with": "rejected",
    "accept_": "accepted",
    "express_interest": "interest",
    "express_gratitude": "leaving",
    "reject_gratitude": "leaving",
    "lead_to_end": "going",
    "ask_recommendation": "asked",
}
_OFFERED = {"ask_preference": "preference", "ask_more": "more", "lead_to_recommend": "led"}


class Scene(Voice):
    """One dialogue being written; texts name items as `{{item:N}}` whatever the profile.

    `heard` is the user's last act, `offered` the agent's, `greeted` the opinion that the user
    opened with: each is part of a table's name, or empty. `current` is the item talked about.
    """

    def __init__(self, prompt: Asked, rng: Random) -> None:
        story = prompt.noun.split()[-1].lower() in lexicon("story").lists["stories"]
        watch, fans = read_table("lexicon")["verbs"].get(prompt.verb, ("try", "users"))
        words = noun_forms(prompt.noun) | {"verb": prompt.verb, "watch": watch, "fans": fans}
        super().__init__(rng, "story" if story else "thing", words)
        self.prompt = prompt
        self.greeted = self.heard = self.offered = ""
        self.accepted = False
        self.current = 0
        self.by_agent: set[int] = set()
        self.named: set[int] = set()
        self.line = Line(1, "user", (), (), ())

    def item(self, slot: int) -> Item:
        """Return an item, an empty one where the prompt tells nothing of it."""
        return self.prompt.items.get(slot) or Item(slot, f"item {slot}")

    def name(self, slot: int) -> str:
        """Name an item in this turn."""
        self.named.add(slot)
        return f"{{{{item:{slot}}}}}"

    def fill(self, name: str, values: Mapping[str, str]) -> str:
        """Return what stands in a place; the item talked about is named where the turn may."""
        if name not in ("it", "that"):
            return super().fill(name, values)
        allowed = self.current in self.line.refers and self.current not in self.named
        if allowed and not self.brief and self.chance(0.4):
            return self.name(self.current)
        return "it" if name == "it" else "that one"

    def speak(self, line: Line) -> str:
        """Return the utterance of a turn; shorter if it would be too long."""
        self.line, current = line, self.current
        told, asked = set(self.told), dict(self.asked)
        for attempt in range(_TRIES):
            self.brief = attempt > 0
            self.current, self.told, self.asked, self.named = current, set(told), dict(asked), set()
            text = self._utterance(line)
            titles = sum(len(self.item(slot).title.split()) - 1 for slot in self.named)
            if text.count(" ") + 1 + titles <= MOST_WORDS:
                break
        self._end(line)
        return text

    def _utterance(self, line: Line) -> str:
        parts = [_speaker(goal)(self, line, goal) for goal in line.goals]
        missing = [slot for slot in line.introduces if slot not in self.named]
        table = "recommend" if line.role == "agent" else "mention"
        parts += [self.say(table, item=self.name(slot)) for slot in missing]
        text = " ".join(parts or [self.say("plain")])
        return tidy(text + self._more(line, text))

    def _more(self, line: Line, text: str) -> str:
        """Return another sentence for an utterance that would be curt without it, or nothing."""
        goal = line.goals[-1] if line.goals else ""
        family = "accept" if goal.startswith("accept") else goal
        table = f"more.{self.heard if goal in ('respond_simply', 'respond_mood') else family}"
        length = text.count(" ") // 5
        wanted = length < len(_CURT) and not self.brief and table in self.tables
        return f" {self.say(table)}" if wanted and self.chance(_CURT[length]) else ""

    def _end(self, line: Line) -> None:
        """Remember what a turn did, for the one that answers it."""
        if line.role == "user":
            liked = "have_seen" in line.goals and self.item(self.current).collection == "LIKES"
            self._hear("known" if liked else _act(line.goals))
        else:
            self.offered = next((_OFFERED[goal] for goal in line.goals if goal in _OFFERED), "")
            self.by_agent.update(line.introduces)
        self.current = line.introduces[-1] if line.introduces else self.current

    def _hear(self, act: str) -> None:
        self.heard = act
        self.greeted = act if act in ("likes", "dislikes") else self.greeted
        self.accepted = self.accepted or act == "accepted"

    def catch_up(self, so_far: Sequence[tuple[str, str]]) -> None:
        """Restore the state from turns already spoken, for a turn-by-turn rollout."""
        seen: set[int] = set()
        for role, text in so_far:
            new = self._names(text) - seen
            seen |= new
            self.current = max(new, default=self.current)
            text = _TITLE.sub("it", _NAMED.sub("it", text))
            if role == "user":
                recommended, greeted = bool(self.by_agent), bool(self.greeted)
                self._hear(heard_from(text, recommended, greeted, self.accepted))
            else:
                self.by_agent |= new
                self.offered = "" if new else offered_from(text, bool(self.by_agent))

    def _names(self, text: str) -> set[int]:
        if self.prompt.placeholders:
            return set(map(int, _NAMED.findall(text)))
        items = self.prompt.items.values()
        return {item.slot for item in items if item.title and f'"{item.title}"' in text}

    def table(self, goal: str, context: str) -> str:
        """Return the most specific table: `goal.context`, `goal`, or plain sentences."""
        names = (f"{goal}.{context}", goal, "plain")
        return next(name for name in names if name in self.tables)

    def introduce(self, line: Line, collection: str) -> str:
        """Make a new item the one talked about, of a collection if there is one, and name it."""
        fresh = [slot for slot in line.introduces if slot not in self.named]
        fitting = [slot for slot in fresh if self.item(slot).collection == collection]
        self.current = (fitting or fresh or [self.current])[0]
        return self.name(self.current)


@lru_cache(maxsize=256)
def _speaker(goal: str) -> Callable[[Scene, Line, str], str]:
    return _SPEAKERS.get(goal) or _SPEAKERS.get(goal.partition("_")[0], _plainly)


@lru_cache(maxsize=256)
def _act(goals: tuple[str, ...]) -> str:
    """Return what a user's turn does, as part of a table's name."""
    said = f" {' '.join(goals)}"
    return next((act for start, act in _HEARD.items() if f" {start}" in said), "")


def _plainly(scene: Scene, line: Line, goal: str) -> str:
    later = line.goals[0] != goal
    context = scene.heard if line.role == "agent" else "" if later else scene.offered
    farewell = later and goal == "end_conversation"
    return scene.say(scene.table(goal, "going" if farewell else context))


def _greet(scene: Scene, line: Line, goal: str) -> str:
    name = scene.introduce(line, goal.removeprefix("greeting_").upper())
    direction = 1 if goal == "greeting_likes" else -1
    said = scene.own_says(scene.item(scene.current), direction)
    return scene.say(scene.table(goal, ""), item=name, said=said)


def _recommend(scene: Scene, line: Line, goal: str) -> str:
    name = scene.introduce(line, goal.removeprefix("recommend_").upper())
    context = "again" if scene.by_agent else scene.heard
    text = scene.say(scene.table("recommend", context), item=name)
    alone = line.goals[-1] == goal and not scene.brief
    return f"{text} {scene.say('ground')}" if alone and scene.chance(0.8) else text


def _ask_recommendation(scene: Scene, line: Line, goal: str) -> str:
    before = line.goals[: line.goals.index(goal)]
    if "chit_chat" in before and scene.offered:
        context = ""
    elif before and before[-1].startswith("greeting"):
        context = before[-1].removeprefix("greeting_")
    else:
        context = scene.offered or ("again" if scene.by_agent else scene.greeted)
    return scene.say(scene.table(goal, context))


def _ask_detail(scene: Scene, line: Line, goal: str) -> str:
    about = scene.ask_about(scene.item(scene.current)) if scene.chance(0.7) else None
    return scene.say(f"{goal}.about", **about) if about else scene.say(goal)


def _others(scene: Scene, line: Line, goal: str) -> str:
    """Retell another person's review: it agrees with the user on an item the user brought in."""
    item = scene.item(scene.current)
    table = "introduce_other" if goal.startswith("introduce") else goal
    if not item.other_review.strip():
        return scene.say("introduce_other.unknown")
    disliked = item.collection == "DISLIKES"
    wanted = 1 if not disliked else 0 if item.slot in scene.by_agent | {*line.introduces} else -1
    said, direction = scene.others_say(item, wanted)
    if table == "introduce_other":
        return scene.say(f"{table}.{'good' if direction > 0 else 'mixed'}", said=said)
    agrees = direction == wanted or scene.heard in ("question", "interest")
    return scene.say(scene.table(table, scene.heard if agrees else "mixed"), said=said)


def _have_seen(scene: Scene, line: Line, goal: str) -> str:
    if line.goals[-1] != goal:
        return scene.say("have_seen.only")
    item = scene.item(scene.current)
    liked = item.collection != "DISLIKES"
    said = scene.own_says(item, 1 if liked else -1, most=1)
    return scene.say(f"{goal}.{'likes' if liked else 'dislikes'}", said=said)


def _dislikes_review(scene: Scene, line: Line, goal: str) -> str:
    return scene.say(goal, said=scene.own_says(scene.item(scene.current), -1))


def _chat(scene: Scene, line: Line, goal: str) -> str:
    context = scene.heard
    if line.role == "user":
        before = "" if scene.by_agent else scene.greeted
        context = scene.offered or ("accepted" if scene.accepted else before)
    return scene.say(scene.table(f"{goal}.{line.role}", context))


# By sub-goal, or by its first word; all others are said plainly.
_SPEAKERS: dict[str, Callable[[Scene, Line, str], str]] = {
    "greeting": _greet,
    "recommend": _recommend,
    "introduce": _others,
    "ask_recommendation": _ask_recommendation,
    "ask_item_detail": _ask_detail,
    "respond_other_review": _others,
    "respond_in_detail": _others,
    "have_seen": _have_seen,
    "dislikes_review": _dislikes_review,
    "chit_chat": _chat,
}
