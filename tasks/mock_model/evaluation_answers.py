"""The mock model's answers to evaluation prompts: it counts and repeats, and knows nothing.

It proves that an evaluation runs from end to end without a key; its figures say nothing about any
dialogue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

_DATA = re.compile(r"<data>\n(.*)\n</data>")
_WORD = re.compile(r"\w+")
_RIGHT = "right title"
_FULL, _SHORT = 12, 5  # words from which an utterance counts as informative, and as not quite empty


def recommend(messages: Sequence[Mapping[str, str]], rng: Random) -> str:
    """Return a JSON list of the titles in the prompt: right in its examples, then rated."""
    right: list[str] = []
    rated: list[str] = []
    for block in _blocks(messages):
        right += [
            str(entry[_RIGHT]) for entry in block if isinstance(entry, dict) and _RIGHT in entry
        ]
        rated += [entry for entry in block if isinstance(entry, str)]
    rng.shuffle(right)
    return json.dumps([*dict.fromkeys([*right, *rated])][:50], ensure_ascii=False)


def judge(messages: Sequence[Mapping[str, str]], rng: Random) -> str:
    """Return grades by surface marks: first and last characters, length and shared words."""
    before, spoken = (_texts(block) for block in [*_blocks(messages), [], []][:2])
    text = " ".join(spoken)
    words = _words(text)
    shared = bool(words & _words(" ".join(before[-2:]))) or not before
    grades = {
        "fluency": (text[:1].isupper() or text[:1].isdigit())
        + text.rstrip().endswith((".", "!", "?", '"')),
        "informativeness": (len(_WORD.findall(text)) >= _SHORT)
        + (len(_WORD.findall(text)) >= _FULL),
        "logic": 2 if words else 0,
        "coherence": 1 + shared,
    }
    return json.dumps(grades)


def compare(messages: Sequence[Mapping[str, str]], rng: Random) -> str:
    """Return the number of the dialogue with more different words; 0 if within a tenth."""
    first, second = (
        len(_words(" ".join(_texts(block)))) for block in [*_blocks(messages), [], []][:2]
    )
    return json.dumps(
        {
            "better": 0
            if abs(first - second) * 10 <= max(first, second)
            else 1
            if first > second
            else 2
        }
    )


def respond(messages: Sequence[Mapping[str, str]], rng: Random) -> str:
    """Return a sentence with the first title of `recommend`, or a question without one."""
    titles = json.loads(recommend(messages, rng))
    return (
        f"In that case I would try {titles[0]}."
        if titles
        else "Tell me a little more, and I will find you something."
    )


def _blocks(messages: Sequence[Mapping[str, str]]) -> list[list[Any]]:
    found = []
    for block in _DATA.findall("\n".join(message["content"] for message in messages)):
        value = json.loads(block)
        if isinstance(value, list):
            found.append(value)
    return found


def _texts(block: Sequence[Any]) -> list[str]:
    return [str(entry.get("text", "")) for entry in block if isinstance(entry, dict)]


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}
