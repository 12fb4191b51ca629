"""The mock model: a deterministic surface realiser that sees a prompt's messages only."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tasks.mock_model import evaluation_answers
from tasks.mock_model.fault_injection import Draft, inject_faults
from tasks.mock_model.prompt_reader import Asked, read, task_of
from tasks.mock_model.scene import Scene
from tasks.mock_model.speech import speak
from tasks.mock_model.style import tidy

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_PLACE = re.compile(r"\{\{item:(\d+)\}\}")


@dataclass(frozen=True)
class Written:
    """An answer: its text, and `stop` or `length` as a model would say."""

    text: str
    finish_reason: str


def write(
    messages: Sequence[Mapping[str, str]], *, seed: int | None, misbehave: Mapping[str, float]
) -> Written:
    """Answer a prompt. Equal messages, seed and rates give equal answers.

    Args:
        messages: chat messages; the last user message's `Task:` line chooses what is written.
        seed: another seed, another answer; None counts as a seed of its own.
        misbehave: rate from 0 to 1 for each kind of fault: cut_off, garbled, slot_left,
            wrong_length, ungrounded.
    """
    rng = Random(_digest(messages, seed))
    return TASKS.get(task_of(messages), _plainly)(messages, rng, misbehave)


def _digest(messages: Sequence[Mapping[str, str]], seed: int | None) -> int:
    hashed = hashlib.sha256(repr(seed).encode())
    for message in messages:
        hashed.update(
            f"\x00{message['role']}\x00{message['content']}".encode("utf-8", "surrogatepass")
        )
    return int.from_bytes(hashed.digest()[:8], "big")


def _dialogue(
    messages: Sequence[Mapping[str, str]], rng: Random, misbehave: Mapping[str, float]
) -> Written:
    asked = read(messages)
    if not asked.lines:
        return _plainly(messages, rng, misbehave)
    scene = Scene(asked, rng)
    spoken = [(line, speak(scene, line)) for line in asked.lines]
    draft = Draft([(line, text) for line, text in spoken if line.number in asked.wanted])
    return _finished(asked, draft, rng, misbehave)


def _one_turn(
    messages: Sequence[Mapping[str, str]], rng: Random, misbehave: Mapping[str, float]
) -> Written:
    asked = read(messages)
    if not asked.lines:
        return _plainly(messages, rng, misbehave)
    scene = Scene(asked, rng)
    scene.catch_up(asked.so_far)
    draft = Draft([(asked.lines[0], speak(scene, asked.lines[0]))])
    return _finished(asked, draft, rng, misbehave)


def _finished(asked: Asked, draft: Draft, rng: Random, misbehave: Mapping[str, float]) -> Written:
    kind = inject_faults(draft, asked, rng, misbehave)
    text = _laid_out(asked, draft)
    if kind == "cut_off":
        return Written(
            text[: max(1, int(len(text) * (0.3 + 0.6 * rng.random())))].rstrip('\n]} "'), "length"
        )
    return Written(text, "stop")


def _laid_out(asked: Asked, draft: Draft) -> str:
    turns = [
        (line, text if asked.placeholders else _titled(asked, text)) for line, text in draft.turns
    ]
    if asked.task in ("user_turn", "agent_turn"):
        return turns[0][1] if turns else ""
    if asked.as_json:
        numbered = asked.task == "repair_turns"
        entries = [{"turn": line.number} if numbered else {} for line, _ in turns]
        whole = [
            {**entry, "role": line.role, "text": text}
            for entry, (line, text) in zip(entries, turns, strict=True)
        ]
        return _ENCODER.encode({"turns": whole})
    return "\n".join(f"{line.role.capitalize()}: {text}" for line, text in turns)


def _titled(asked: Asked, text: str) -> str:
    """Write titles out in quotes, each once: a title that looks like a place stays as it is."""
    return _PLACE.sub(
        lambda found: (
            f'"{asked.items[int(found[1])].title}"' if int(found[1]) in asked.items else found[0]
        ),
        text,
    )


def _plainly(
    messages: Sequence[Mapping[str, str]], rng: Random, misbehave: Mapping[str, float]
) -> Written:
    scene = Scene(read(messages), rng)
    return Written(tidy(scene.voice.say("plain", {})), "stop")


TASKS: dict[str, Callable[[Sequence[Mapping[str, str]], Random, Mapping[str, float]], Written]] = {
    "dialogue": _dialogue,
    "repair_dialogue": _dialogue,
    "repair_turns": _dialogue,
    "user_turn": _one_turn,
    "agent_turn": _one_turn,
    "recommend": lambda messages, rng, _: Written(
        evaluation_answers.recommend(messages, rng), "stop"
    ),
    "judge": lambda messages, rng, _: Written(evaluation_answers.judge(messages, rng), "stop"),
    "compare": lambda messages, rng, _: Written(evaluation_answers.compare(messages, rng), "stop"),
    "respond": lambda messages, rng, _: Written(evaluation_answers.respond(messages, rng), "stop"),
}
"""What the writer can do, by the prompt's `Task:` line; anything else gets a plain sentence."""
