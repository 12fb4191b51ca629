"""One turn of a dialogue: each of its sub-goals is given words, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable

from tasks.llm.offline.reading import Line
from tasks.llm.offline.scene import Scene

MOST_WORDS = 60  # of one utterance (2.5.1)
_SENTENCE = re.compile(r"(^|[.!?] +)([a-z])")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])(?!uni|use|usu|eu|one\b|once)")
_SPLIT = re.compile(r"\{\{item:(\d+)\}\}")


def speak(scene: Scene, line: Line) -> str:
    """Return the utterance of a turn, items as `{{item:N}}`; shorter words are tried when it would be too long."""
    before = (set(scene.told), dict(scene.question), scene.current)
    for brief in (False, True):
        scene.brief = brief
        scene.told, scene.question, scene.current = set(before[0]), dict(before[1]), before[2]
        text = _utterance(scene, line)
        if words(scene, text) <= MOST_WORDS:
            break
    scene.end(line)
    return text


def words(scene: Scene, text: str) -> int:
    """Return the words of an utterance with its titles put in."""
    return len(text.split()) + sum(len(scene.item(int(slot)).title.split()) - 1 for slot in _SPLIT.findall(text))


def tidy(text: str) -> str:
    """Put in capitals after full stops, and `an` where it belongs."""
    text = _SENTENCE.sub(lambda found: found[1] + found[2].upper(), text)
    return _ARTICLE.sub(r"\1n ", text)


def _utterance(scene: Scene, line: Line) -> str:
    scene.start(line)
    parts = [_say(scene, line, at) for at in range(len(line.goals))] or [scene.voice.say("plain", {})]
    missing = [slot for slot in line.introduces if slot not in scene.named]
    parts += [scene.voice.say("recommend" if line.role == "agent" else "mention", {"item": scene.name(slot)}) for slot in missing]
    return tidy(" ".join(part for part in parts if part))


def _say(scene: Scene, line: Line, at: int) -> str:
    goal = line.goals[at]
    return _SPEAKERS.get(goal, _plainly)(scene, line, goal)


def _table(scene: Scene, goal: str, context: str) -> str:
    """Return the most particular table there is for a sub-goal: `goal.context`, else `goal`, else plain sentences."""
    names = (f"{goal}.{context}", goal, "plain")
    return next(name for name in names if name in scene.voice.tables)


def _plainly(scene: Scene, line: Line, goal: str) -> str:
    kind = f"chit_chat.{line.role}" if goal == "chit_chat" else goal
    return scene.voice.say(_table(scene, kind, _context(scene, line)), {"it": scene.it(scene.current)})


def _context(scene: Scene, line: Line) -> str:
    return scene.heard if line.role == "agent" else scene.offered


def _greet(scene: Scene, line: Line, goal: str) -> str:
    slot = _new(scene, line, "LIKES" if goal == "greeting_likes" else "DISLIKES")
    said = scene.own_says(slot, 1 if goal == "greeting_likes" else -1)
    return scene.voice.say(goal, {"item": scene.name(slot), "said": said})


def _new(scene: Scene, line: Line, collection: str) -> int:
    fresh = [slot for slot in line.introduces if slot not in scene.named]
    fitting = [slot for slot in fresh if scene.item(slot).collection == collection]
    scene.current = (fitting or fresh or [scene.current])[0]
    return scene.current


def _recommend(scene: Scene, line: Line, goal: str) -> str:
    slot = _new(scene, line, goal.removeprefix("recommend_").upper())
    context = "again" if scene.recommended else {"likes": "like", "dislikes": "dislike"}.get(scene.heard, "")
    text = scene.voice.say(_table(scene, "recommend", context), {"item": scene.name(slot)})
    alone = line.goals[-1] == goal
    return f"{text} {scene.voice.say('ground', {})}" if alone and not scene.brief and scene.voice.chance(0.7) else text


def _ask_recommendation(scene: Scene, line: Line, goal: str) -> str:
    opening = any(one.startswith("greeting") for one in line.goals)
    feeling = "like" if scene.item(scene.current).collection == "LIKES" else "dislike"
    context = feeling if opening else scene.offered or ("again" if scene.recommended else scene.greeted.removesuffix("s"))
    if scene.recommended and scene.offered != "preference":
        context = "again"
    return scene.voice.say(_table(scene, goal, context), {})


def _ask_detail(scene: Scene, line: Line, goal: str) -> str:
    about = scene.ask_about(scene.current) if scene.voice.chance(0.6) else None
    return scene.voice.say(f"{goal}.about" if about else goal, {**(about or {}), "it": scene.it(scene.current)})


def _others(scene: Scene, line: Line, goal: str) -> str:
    slot = scene.current
    collection = scene.item(slot).collection
    greeting = not scene.recommended and scene.heard in ("likes", "dislikes")
    direction = (-1 if greeting else 0) if collection == "DISLIKES" else 1
    table = "introduce_other.good" if goal.startswith("introduce_other") else _table(scene, goal, scene.heard)
    it = scene.it(slot)
    return scene.voice.say(table, {"it": it, "it_has": f"{it} has", "said": scene.other_says(slot, direction)})


def _accept_reason(scene: Scene, line: Line, goal: str) -> str:
    piece = scene.reasons.get(scene.current)
    taken_up = piece is not None and piece.noun and not scene.brief
    said = scene.aspect_reason(piece) if taken_up and piece else scene.voice.say("accept_reason_general", {})
    return scene.voice.say(goal, {"it": scene.it(scene.current), "said": said})


def _have_seen(scene: Scene, line: Line, goal: str) -> str:
    if line.goals[-1] != goal:
        return scene.voice.say("reason_seen_only", {})
    liked = scene.item(scene.current).collection != "DISLIKES"
    said = scene.own_says(scene.current, 1 if liked else -1, most=1)
    return scene.voice.say(f"{goal}.{'likes' if liked else 'dislikes'}", {"it": scene.it(scene.current), "said": said})


def _dislikes_review(scene: Scene, line: Line, goal: str) -> str:
    return scene.voice.say(goal, {"said": scene.own_says(scene.current, -1)})


_SPEAKERS: dict[str, Callable[[Scene, Line, str], str]] = {
    "greeting_likes": _greet,
    "greeting_dislikes": _greet,
    "recommend_might_likes": _recommend,
    "recommend_likes": _recommend,
    "recommend_dislikes": _recommend,
    "ask_recommendation": _ask_recommendation,
    "ask_item_detail": _ask_detail,
    "respond_other_review": _others,
    "respond_in_detail": _others,
    "introduce_other_dislikes": _others,
    "introduce_other_hislikes": _others,
    "introduce_other_mightlikes": _others,
    "accept_with_reason": _accept_reason,
    "have_seen": _have_seen,
    "dislikes_review": _dislikes_review,
}
