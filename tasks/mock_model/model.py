"""The mock model's answers: texts put together from phrase tables and the data of a prompt."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from tasks.errors import UserError
from tasks.mock_model.dialogue import Scene
from tasks.mock_model.evaluation_answers import compare, gate, judge, recommend, respond
from tasks.mock_model.fault_injection import Draft, inject_faults
from tasks.mock_model.phrases import tidy
from tasks.mock_model.prompt_reader import Asked, Messages, read, task_of

# The version a response names; raised when the same prompt would be answered otherwise.
RETURNED_MODEL = "offline/writer-2"
LANGUAGE = "en"  # of the phrase tables
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_PLACE = re.compile(r"\{\{item:(\d+)\}\}")


class Written(NamedTuple):
    """An answer: its text, and `stop` or `length` as a model would say."""

    text: str
    finish_reason: str = "stop"


def write(messages: Messages, *, seed: int | None, misbehave: Mapping[str, float]) -> Written:
    """Answer a prompt. Equal messages, seed and rates give equal answers.

    Args:
        messages: chat messages; the last user message's `Task:` line chooses what is written.
        seed: another seed, another answer; None counts as a seed of its own.
        misbehave: rate from 0 to 1 for each kind of fault: cut_off, garbled, slot_left,
            wrong_length, ungrounded.
    """
    task = task_of(messages)
    rng = Random(_digest(messages, seed))
    if task in EVALUATIONS:
        return Written(EVALUATIONS[task](messages, rng))
    prompt = read(messages)
    scene = Scene(prompt, rng)
    if task not in DIALOGUES or not prompt.lines:
        return Written(tidy(scene.say("plain")))
    scene.catch_up(prompt.so_far)
    spoken = [(line, scene.speak(line)) for line in prompt.lines]
    draft = Draft([(line, text) for line, text in spoken if line.number in prompt.wanted])
    kind = inject_faults(draft, prompt, rng, misbehave)
    text = _laid_out(prompt, draft)
    if kind != "cut_off":
        return Written(text)
    kept = max(1, int(len(text) * (0.3 + 0.6 * rng.random())))
    return Written(text[:kept].rstrip('\n]} "'), "length")


def check_mock_language(language: str) -> None:
    """Refuse a language that there are no phrase tables for. Raises UserError."""
    if language != LANGUAGE:
        raise UserError(
            f"the mock model has tables for English only, and the domain's language is "
            f"{language!r}: name a language model in generate.model"
        )


def count_tokens_offline(text: str) -> int:
    """Return an estimate of a text's tokens: its UTF-8 bytes divided by four, rounded up.

    The mock model has no tokenizer, and English runs to about four bytes a token in today's ones.
    The point is that the plan before a run and the usage after it are counted by one and the same
    function.
    """
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


def _digest(messages: Messages, seed: int | None) -> int:
    texts = "".join(f"\x00{message['role']}\x00{message['content']}" for message in messages)
    hashed = hashlib.sha256(f"{seed!r}{texts}".encode("utf-8", "surrogatepass"))
    return int.from_bytes(hashed.digest()[:8], "big")


def _laid_out(prompt: Asked, draft: Draft) -> str:
    turns = draft.turns
    if not prompt.placeholders:
        turns = [(line, _titled(prompt, text)) for line, text in turns]
    if prompt.task in ("user_turn", "agent_turn"):
        return turns[0][1] if turns else ""
    if not prompt.as_json:
        return "\n".join(f"{line.role.capitalize()}: {text}" for line, text in turns)
    entries: list[dict[str, int | str]] = [
        {"turn": line.number, "role": line.role, "text": text} for line, text in turns
    ]
    if prompt.task != "repair_turns":
        for entry in entries:
            del entry["turn"]
    return _ENCODER.encode({"turns": entries})


def _titled(prompt: Asked, text: str) -> str:
    """Write titles out in quotes, each once: a title that looks like a place stays as it is."""

    def title(found: re.Match[str]) -> str:
        item = prompt.items.get(int(found[1]))
        return f'"{item.title}"' if item else found[0]

    return _PLACE.sub(title, text)


DIALOGUES = ("dialogue", "repair_dialogue", "repair_turns", "user_turn", "agent_turn")
EVALUATIONS: dict[str, Callable[[Messages, Random], str]] = {
    "recommend": recommend,
    "judge": judge,
    "gate": gate,
    "compare": compare,
    "respond": respond,
}
TASKS = (*DIALOGUES, *EVALUATIONS)
"""What the mock model can do, by the prompt's `Task:` line; anything else gets a plain sentence."""
