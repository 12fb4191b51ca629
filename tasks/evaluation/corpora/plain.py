"""Plain JSON lines: the way in for a corpus nobody has written a reader for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.corpora.lines import json_lines
from tasks.evaluation.corpora.values import Corpus, Dialogue, Utterance

_AGENTS = {"agent", "assistant", "system", "recommender"}


def read_plain(path: Path) -> Corpus:
    """Read one dialogue a line.

    Each line is an object: `dialogue_id` and `user_id` (optional), `history` (item ids or titles, optional), `targets` (optional), and
    `utterances` (or `turns`, `messages`), a list of {"role", "text" or "content", "items" (optional)}. Roles agent, assistant,
    system and recommender are the agent's; every other is the user's. `titles` may map item ids to titles; an id without one
    stands for itself.
    """
    titles: dict[str, str] = {}
    history: dict[str, tuple[str, ...]] = {}
    dialogues: list[Dialogue] = []
    for number, content in enumerate(json_lines(path)):
        dialogue = _dialogue(number, content)
        dialogues.append(dialogue)
        known = tuple(map(str, content.get("history") or ()))
        if dialogue.user_id is not None:
            history[dialogue.user_id] = known
        for item in (*dialogue.targets, *known, *(item for utterance in dialogue.utterances for item in utterance.items)):
            titles.setdefault(item, item)
        titles.update({str(item): str(title) for item, title in (content.get("titles") or {}).items()})
    if not dialogues:
        raise UserError(f"{path} holds no dialogue")
    return Corpus(path.stem, tuple(dialogues), titles, history)


def _dialogue(number: int, content: Mapping[str, Any]) -> Dialogue:
    said = content[next((name for name in ("turns", "messages") if name in content), "utterances")]
    user = content.get("user_id")
    return Dialogue(
        str(content.get("dialogue_id", number)),
        tuple(
            Utterance(
                "agent" if str(turn["role"]).lower() in _AGENTS else "user",
                str(turn["text"] if "text" in turn else turn["content"]),
                tuple(map(str, turn.get("items") or ())),
            )
            for turn in said
        ),
        None if user is None else str(user),
        int(content.get("position", 1)),
        tuple(map(str, content.get("targets") or ())),
    )
