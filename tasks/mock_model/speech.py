"""One turn of a dialogue: each of its sub-goals is given words, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from tasks.mock_model.opinions import aspect
from tasks.mock_model.prompt_reader import Line
from tasks.mock_model.scene import Scene
from tasks.mock_model.style import contracted, tidy

MOST_WORDS = 60  # of one utterance (2.5.1)
TRIES = 6  # at words that fit, all but the first of them short; a title may be too long for any
_CURT = {0: 0.9, 1: 0.75, 2: 0.35, 3: 0.15}  # chance of a further sentence by words / 5
_FAMILY = {
    goal: "accept" for goal in ("accept_without_reason", "accept_with_reason", "accept_gratitude")
}


def speak(scene: Scene, line: Line) -> str:
    """Return the utterance of a turn, items as `{{item:N}}`; shorter if it would be too long."""
    told, current = scene.teller.state(), scene.current
    for attempt in range(TRIES):
        scene.voice.brief = attempt > 0
        scene.teller.go_back(told)
        scene.current = current
        text = _utterance(scene, line)
        if _words(scene, text) <= MOST_WORDS:
            break
    scene.end(line)
    return text


def _words(scene: Scene, text: str) -> int:
    """Return the words of an utterance with its titles put in."""
    return (
        text.count(" ") + 1 + sum(len(scene.item(slot).title.split()) - 1 for slot in scene.named)
    )


def _more(scene: Scene, line: Line, text: str) -> list[str]:
    """Return another sentence for an utterance that would be curt without it."""
    goal = line.goals[-1] if line.goals else ""
    table = (
        f"more.{scene.heard}"
        if goal in ("respond_simply", "respond_mood")
        else f"more.{_FAMILY.get(goal, goal)}"
    )
    asked_already = text.endswith("?") and goal.startswith("reject")
    rounded_off = goal == "chit_chat" and (line.role == "agent" or scene.accepted)
    if scene.voice.brief or table not in scene.voice.tables or asked_already or rounded_off:
        return []
    if not scene.voice.chance(_CURT.get(text.count(" ") // 5, 0.0)):
        return []
    return [scene.say(table)]


def _utterance(scene: Scene, line: Line) -> str:
    scene.start(line)
    parts = [_SPEAKERS.get(goal, _plainly)(scene, line, goal) for goal in line.goals] or [
        scene.say("plain")
    ]
    missing = [slot for slot in line.introduces if slot not in scene.named]
    parts += [
        scene.say("recommend" if line.role == "agent" else "mention", item=scene.name(slot))
        for slot in missing
    ]
    parts += _more(scene, line, " ".join(parts))
    text = tidy(" ".join(parts))
    return contracted(text) if scene.casual[line.role] else text


def _table(scene: Scene, goal: str, context: str) -> str:
    """Return the most specific table of a sub-goal: `goal.context`, `goal`, or plain sentences."""
    names = (f"{goal}.{context}", goal, "plain")
    return next(name for name in names if name in scene.voice.tables)


def _context(scene: Scene, line: Line) -> str:
    """Return what a turn answers to: the user's last act for the agent, and vice versa."""
    return scene.heard if line.role == "agent" else scene.offered


def _plainly(scene: Scene, line: Line, goal: str) -> str:
    return scene.say(_table(scene, goal, _context(scene, line)))


def _lead_to_end(scene: Scene, line: Line, goal: str) -> str:
    return scene.say(_table(scene, goal, scene.offered if line.goals[0] == goal else ""))


def _chat(scene: Scene, line: Line, goal: str) -> str:
    if line.role == "agent":
        context = scene.heard
    else:
        context = scene.offered or (
            "accepted" if scene.accepted else "" if scene.recommended else scene.greeted
        )
    wanted = context in ("preference", "accepted") or scene.voice.chance(0.6)
    return scene.say(_table(scene, f"{goal}.{line.role}", context if wanted else ""))


def _greet(scene: Scene, line: Line, goal: str) -> str:
    slot = _new(scene, line, "LIKES" if goal == "greeting_likes" else "DISLIKES")
    return scene.say(
        goal,
        item=scene.name(slot),
        said=scene.teller.own_says(scene.item(slot), 1 if goal == "greeting_likes" else -1),
    )


def _new(scene: Scene, line: Line, collection: str) -> int:
    fresh = [slot for slot in line.introduces if slot not in scene.named]
    fitting = [slot for slot in fresh if scene.item(slot).collection == collection]
    scene.current = (fitting or fresh or [scene.current])[0]
    return scene.current


def _recommend(scene: Scene, line: Line, goal: str) -> str:
    slot = _new(scene, line, goal.removeprefix("recommend_").upper())
    context = (
        "again"
        if scene.recommended
        else {"likes": "like", "dislikes": "dislike"}.get(scene.heard, "")
    )
    text = scene.say(_table(scene, "recommend", context), item=scene.name(slot))
    more = line.goals[-1] == goal and not scene.voice.brief and scene.voice.chance(0.8)
    return f"{text} {scene.say('ground')}" if more else text


def _ask_recommendation(scene: Scene, line: Line, goal: str) -> str:
    at = line.goals.index(goal)
    if at and line.goals[at - 1] == "chit_chat" and scene.offered == "preference":
        context = ""
    elif at and line.goals[at - 1].startswith("greeting"):
        context = {"LIKES": "like", "DISLIKES": "dislike"}.get(
            scene.item(scene.current).collection, ""
        )
    else:
        context = scene.offered or (
            "again" if scene.recommended else scene.greeted.removesuffix("s")
        )
    return scene.say(_table(scene, goal, context))


def _ask_detail(scene: Scene, line: Line, goal: str) -> str:
    about = scene.teller.ask_about(scene.item(scene.current)) if scene.voice.chance(0.7) else None
    return scene.say(f"{goal}.about", **about) if about else scene.say(goal)


def _others(scene: Scene, line: Line, goal: str) -> str:
    item = scene.item(scene.current)
    introduces = goal.startswith("introduce_other")
    if not item.other_review.strip():
        answers = (
            introduces or scene.heard in ("question", "interest") or goal == "respond_other_review"
        )
        return scene.say(
            f"{'introduce_other' if introduces else 'respond_in_detail'}.unknown"
            if answers
            else goal
        )
    blamed = item.collection == "DISLIKES" and not scene.recommended_slot(item.slot, line)
    wanted = -1 if blamed else 0 if item.collection == "DISLIKES" else 1
    said, direction = scene.teller.other_says(item, wanted)
    if introduces:
        return scene.say(
            "introduce_other.good" if direction > 0 else "introduce_other.mixed", said=said
        )
    agrees = direction == wanted or scene.heard in ("question", "interest")
    return scene.say(_table(scene, goal, scene.heard if agrees else ""), said=said)


def _accept_reason(scene: Scene, line: Line, goal: str) -> str:
    piece = scene.teller.reasons.get(scene.current)
    if piece and piece.listed and not scene.voice.brief:
        return scene.say(goal, said=scene.say("accept_reason_aspect", **aspect(piece)))
    return scene.say(goal, said=scene.say("accept_reason_general"))


def _have_seen(scene: Scene, line: Line, goal: str) -> str:
    if line.goals[-1] != goal:
        return scene.say("reason_seen_only")
    liked = scene.item(scene.current).collection != "DISLIKES"
    said = scene.teller.own_says(scene.item(scene.current), 1 if liked else -1, most=1)
    return scene.say(f"{goal}.{'likes' if liked else 'dislikes'}", said=said)


def _dislikes_review(scene: Scene, line: Line, goal: str) -> str:
    return scene.say(goal, said=scene.teller.own_says(scene.item(scene.current), -1))


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
    "chit_chat": _chat,
    "lead_to_end": _lead_to_end,
}
