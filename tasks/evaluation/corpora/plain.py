"""Plain JSON lines: the way in for a corpus nobody has written a reader for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.corpora.lines import dialogues_of
from tasks.evaluation.corpora.values import Corpus, Dialogue, Role, Utterance

_AGENTS = {"agent", "assistant", "system", "recommender"}


def read_plain(path: Path) -> Corpus:
    """Read one dialogue a line.

    Each line is an object: `dialogue_id` and `user_id` (optional), `history` (item ids or titles, optional), `targets` (optional), and
    `utterances` (or `turns`, `messages`), a list of {"role", "text" or "content", "items" (optional)}. Roles agent, assistant,
    system and recommender are the agent's; every other is the user's. `titles` may map item ids to titles; an id without one
    stands for itself. `position` tells a dialogue's place among its user's, else they count in file order.
    """
    titles: dict[str, str] = {}
    history: dict[str, tuple[str, ...]] = {}
    spoken: Counter[str | None] = Counter()
    dialogues = tuple(dialogues_of(path, lambda content: _take(content, titles, history, spoken)))
    if not dialogues:
        raise UserError(f"{path} holds no dialogue")
    return Corpus(path.name.split(".")[0], dialogues, titles, history)


def _take(content: Mapping[str, Any], titles: dict[str, str], history: dict[str, tuple[str, ...]], spoken: Counter[str | None]) -> Dialogue:
    """Return a line's dialogue, and note what it tells of titles and of its user's history."""
    user = None if content.get("user_id") is None else str(content["user_id"])
    spoken[user] += 1
    dialogue = _dialogue(content, user, sum(spoken.values()) - 1, spoken[user] if user is not None else 1)
    known = tuple(map(str, content.get("history") or ()))
    if user is not None:
        history[user] = known or history.get(user, ())
    for item in (*dialogue.targets, *known, *(item for utterance in dialogue.utterances for item in utterance.items)):
        titles.setdefault(item, item)
    titles.update({str(item): str(title) for item, title in (content.get("titles") or {}).items()})
    return dialogue


def _dialogue(content: Mapping[str, Any], user: str | None, number: int, position: int) -> Dialogue:
    said = content[next((name for name in ("turns", "messages") if name in content), "utterances")]
    return Dialogue(
        str(content.get("dialogue_id", number)),
        tuple(_utterance(turn) for turn in said),
        user,
        int(content.get("position", position)),
        tuple(map(str, content.get("targets") or ())),
    )


def _utterance(turn: Mapping[str, Any]) -> Utterance:
    text = turn["text"] if "text" in turn else turn["content"]
    role: Role = "agent" if str(turn["role"]).lower() in _AGENTS else "user"
    return Utterance(role, "" if text is None else str(text), tuple(map(str, turn.get("items") or ())))
