"""Examples for fine-tuning (4.2.1): the question as in the test, and the answer wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.evaluation.finetune.taught_lists import Lists
from tasks.evaluation.prompts import RecommendProfile, recommend_messages
from tasks.evaluation.recommend import Benchmark
from tasks.evaluation.respond import RespondProfile, respond_messages
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
    lists: Lists,
    *,
    noun: str,
    history: bool,
) -> list[Example]:
    """Return an example for each sample; pass a split's training samples alone.

    The answer is the list that `lists` gives, in the form the profile's words ask for: JSON, or
    numbered lines.
    """
    return [
        Example(
            recommend_messages(profile, sample, titles, noun=noun, history=history),
            _list_text(profile, [titles[item] for item in lists(sample)]),
        )
        for sample in samples
    ]


def response_examples(
    benchmark: Benchmark, profile: RespondProfile, samples: Sequence[Sample], *, history: bool
) -> list[Example]:
    """Return an example for each sample: the conversation, and what its agent said next."""
    return [
        Example(
            respond_messages(benchmark, profile, sample, "zero-shot", history=history),
            sample.response,
        )
        for sample in samples
    ]


def _list_text(profile: RecommendProfile, listed: Sequence[str]) -> str:
    if profile.json_answer:
        return json.dumps(listed, ensure_ascii=False)
    return "\n".join(f"{number}. {title}" for number, title in enumerate(listed, 1))


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
