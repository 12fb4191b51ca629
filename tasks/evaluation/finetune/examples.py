"""Examples for fine-tuning (4.2.1): the question as in the test, and the right title."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.evaluation.prompts import RecommendProfile, recommend_messages
from tasks.evaluation.samples import Sample
from tasks.llm import Message


@dataclass(frozen=True)
class Example:
    """One training example: the messages of the question, and the answer wanted."""

    messages: tuple[Message, ...]
    answer: str


def training_examples(
    samples: Sequence[Sample],
    profile: RecommendProfile,
    titles: Mapping[str, str],
    *,
    noun: str,
    history: bool,
) -> list[Example]:
    """Return an example for each training sample; pass a split's training samples alone.

    The answer is a list of one, in the form the profile's words ask for: JSON, or a numbered line.
    """
    return [
        Example(
            recommend_messages(profile, sample, titles, noun=noun, history=history),
            json.dumps([sample.title], ensure_ascii=False)
            if profile.json_answer
            else f"1. {sample.title}",
        )
        for sample in samples
    ]


def chat_lines(examples: Sequence[Example]) -> bytes:
    """Return examples as the chat JSON lines that hosted fine-tuning takes."""
    lines = [
        json.dumps(
            {
                "messages": [
                    *map(dict, example.messages),
                    {"role": "assistant", "content": example.answer},
                ]
            },
            ensure_ascii=False,
        )
        for example in examples
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
