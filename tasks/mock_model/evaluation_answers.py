"""The mock model's answers to evaluation prompts: it counts and repeats, and knows nothing.

It proves that an evaluation runs from end to end without a key; its figures say nothing about any
dialogue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from random import Random
from typing import Any

from tasks.mock_model.prompt_reader import Messages, data_blocks

_WORD = re.compile(r"\w+")
_RIGHT = "right title"
_FULL, _SHORT = 12, 5  # words from which an utterance counts as informative, and as not quite empty


def recommend(messages: Messages, rng: Random) -> str:
    """Return a JSON list of the titles in the prompt: right in its examples, then rated."""
    entries = [entry for block in _lists(messages) for entry in block]
    examples = [entry for entry in entries if isinstance(entry, dict)]
    right = [str(entry[_RIGHT]) for entry in examples if _RIGHT in entry]
    rated = [entry for entry in entries if isinstance(entry, str)]
    rng.shuffle(right)
    return json.dumps([*dict.fromkeys([*right, *rated])][:50], ensure_ascii=False)


def judge(messages: Messages, rng: Random) -> str:
    """Return grades by surface marks: first and last characters, length and shared words."""
    before, spoken = (_texts(block) for block in [*_lists(messages), [], []][:2])
    text = " ".join(spoken)
    words, length = _words(text), len(_WORD.findall(text))
    shared = bool(words & _words(" ".join(before[-2:]))) or not before
    ended = text.rstrip().endswith((".", "!", "?", '"'))
    grades = {
        "fluency": (text[:1].isupper() or text[:1].isdigit()) + ended,
        "informativeness": (length >= _SHORT) + (length >= _FULL),
        "logic": 2 if words else 0,
        "coherence": 1 + shared,
    }
    return json.dumps(grades)


def compare(messages: Messages, rng: Random) -> str:
    """Return the number of the dialogue with more different words; 0 if within a tenth."""
    blocks = [*_lists(messages), [], []][:2]
    first, second = (len(_words(" ".join(_texts(block)))) for block in blocks)
    close = abs(first - second) * 10 <= max(first, second)
    return json.dumps({"better": 0 if close else 1 + (second > first)})


def respond(messages: Messages, rng: Random) -> str:
    """Return a sentence with the first title of `recommend`, or a question without one."""
    titles = json.loads(recommend(messages, rng))
    if titles:
        return f"In that case I would try {titles[0]}."
    return "Tell me a little more, and I will find you something."


def gate(messages: Messages, rng: Random) -> str:
    """Return a verdict that finds no fault: each turn's first words, supported by some sentence."""
    blocks = data_blocks("\n".join(message["content"] for message in messages))
    data = next((block for block in blocks if isinstance(block, dict)), {})
    said = next((block for block in blocks if isinstance(block, list)), [])
    ids = [
        key
        for item in data.get("items") or ()
        for review in ("user_review", "other_review")
        for key in item.get(review) or ()
    ]
    turns = [entry for entry in said if isinstance(entry, dict)]
    return json.dumps({"turns": [_sound(entry, ids) for entry in turns]}, ensure_ascii=False)


def _sound(entry: dict[str, Any], ids: Sequence[str]) -> dict[str, Any]:
    """Return the verdict on a turn without a fault; longer turns make a claim."""
    words = str(entry.get("text", "")).split()
    claim = {"said": " ".join(words[:_FULL]), "verdict": "supported", "sentence": "".join(ids[:1])}
    return {
        "turn": entry.get("turn"),
        "claims": [claim] if len(words) >= _FULL else [],
        "opinion": "none",
        "decision": "none",
        "goals_missed": [],
        "reads_as": entry.get("speaker"),
        "gives_away": False,
        "contradicts_turn": 0,
        "quote": "",
        "why": "",
    }


def _lists(messages: Messages) -> list[list[Any]]:
    blocks = data_blocks("\n".join(message["content"] for message in messages))
    return [block for block in blocks if isinstance(block, list)]


def _texts(block: Sequence[Any]) -> list[str]:
    return [str(entry.get("text", "")) for entry in block if isinstance(entry, dict)]


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
