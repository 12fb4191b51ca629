"""Plain JSON lines: the format for a corpus without a reader of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.corpora.lines import dialogues_of
from tasks.evaluation.corpora.values import Corpus, Dialogue, Role, Utterance
from tasks.release import item_ids
from tasks.titles import names

_AGENTS = {"agent", "assistant", "recommender", "bot", "gpt", "wizard"}
_PROMPT = "system"  # the prompt of a chat, or a dialogue system's own side
_SAID = ("utterances", "turns", "messages", "conversation", "conversations", "dialogue", "dialog")
_WHO = ("role", "speaker", "from", "sender")
_WHAT = ("text", "content", "value", "utterance", "message")


@dataclass
class _Known:
    """What the lines so far held: titles, users' histories, and dialogues for each user."""

    titles: dict[str, str] = field(default_factory=dict)
    history: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spoken: Counter[str | None] = field(default_factory=Counter)


def read_plain(path: Path) -> Corpus:
    """Read one dialogue a line, or a JSON list of dialogues.

    Each is an object: `dialogue_id` and `user_id` (optional), `history` (item ids or titles,
    optional), `targets` (optional), and `utterances` (or turns, messages, conversation, dialogue),
    a list of {"role", "text", "items" (optional)}; the role may be called speaker, from or sender,
    the text content, value, utterance or message. Roles agent, assistant, recommender and bot are
    the agent's, and system's where nobody else is; every other is the user's. A dialogue whose
    utterances tell no items has its targets and history looked for by title. `titles` may map item
    ids to titles; an id without one is its own title. `position` is a dialogue's place among its
    user's, else they count in file order.
    """
    known = _Known()
    dialogues = tuple(dialogues_of(path, lambda content: _take(content, known)))
    if not dialogues:
        raise UserError(f"{path} holds no dialogue")
    return Corpus(path.name.split(".")[0], dialogues, known.titles, known.history)


def _take(content: Mapping[str, Any], known: _Known) -> Dialogue:
    """Return a line's dialogue, and add its titles and its user's history to what is known."""
    user = None if content.get("user_id") is None else str(content["user_id"])
    known.spoken[user] += 1
    position = known.spoken[user] if user is not None else 1
    dialogue = _dialogue(content, user, sum(known.spoken.values()) - 1, position)
    history = item_ids(content.get("history"))
    if user is not None:
        known.history[user] = history or known.history.get(user, ())
    _add_titles(content, dialogue, history, known)
    if any("items" in turn for turn in _turns(content)):
        return dialogue
    titles = {item: known.titles[item] for item in (*dialogue.targets, *history)}
    return _recognised(dialogue, titles)


def _add_titles(
    content: Mapping[str, Any], dialogue: Dialogue, history: Sequence[str], known: _Known
) -> None:
    """Add the titles a line gives; an item without one is its own title."""
    named = chain.from_iterable(utterance.items for utterance in dialogue.utterances)
    for item in (*dialogue.targets, *history, *named):
        known.titles.setdefault(item, item)
    for item, title in (content.get("titles") or {}).items():
        if title is not None:
            known.titles[str(item)] = str(title)


def _dialogue(content: Mapping[str, Any], user: str | None, number: int, position: int) -> Dialogue:
    turns = _turns(content)
    others = any(_who(turn) in _AGENTS for turn in turns)
    given = content.get("position")
    return Dialogue(
        str(number if content.get("dialogue_id") is None else content["dialogue_id"]),
        tuple(_utterance(turn, others) for turn in turns if not (others and _who(turn) == _PROMPT)),
        user,
        position if given is None else int(given),
        item_ids(content.get("targets")),
    )


def _turns(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the utterances of a line. Raises ValueError without any, or in an unknown form."""
    turns = next((content[name] for name in _SAID if content.get(name) is not None), None)
    if turns is None:
        raise ValueError(f"it has no `utterances` (nor {', '.join(_SAID[1:])})")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise ValueError('an utterance must be an object such as {"role": "user", "text": "Hello"}')
    return turns


def _who(turn: Mapping[str, Any]) -> str:
    return str(_first(turn, _WHO)).strip().lower()


def _utterance(turn: Mapping[str, Any], others: bool) -> Utterance:
    who, text = _who(turn), _first(turn, _WHAT)
    role: Role = "agent" if who in _AGENTS or (who == _PROMPT and not others) else "user"
    if isinstance(text, list):  # some files hold tokens
        text = " ".join(map(str, text))
    words = "" if text is None else str(text)
    return Utterance(role, words, item_ids(turn.get("items")))


def _first(turn: Mapping[str, Any], keys: Sequence[str]) -> Any:
    key = next((key for key in keys if key in turn), None)
    if key is None:
        raise ValueError(f"an utterance has no `{keys[0]}` (nor {', '.join(keys[1:])})")
    return turn[key]


def _recognised(dialogue: Dialogue, titles: Mapping[str, str]) -> Dialogue:
    """Return a dialogue with the items whose titles its utterances name."""
    layout = (
        replace(
            utterance,
            items=tuple(item for item, title in titles.items() if names(utterance.text, title)),
        )
        for utterance in dialogue.utterances
    )
    return replace(dialogue, utterances=tuple(layout))
