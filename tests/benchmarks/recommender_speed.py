"""What a local recommender costs a question: ranking a catalogue by likelihood, and writing.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.recommender_speed [--titles 11589] [--sampled 2000]

Ranks titles after the paper's prompt (dialogue and history) with SmolLM2-135M-Instruct, and writes
an answer to several such prompts one by one and together, greedily. Seconds are CPU seconds of this
process, which a machine with other work hardly changes; with one thread they are the seconds of an
idle core. Of a large catalogue a sample of its sorted titles is ranked, in runs of neighbours as
long as a part of the tree takes, and the time of the whole is that of the prompt and of as many
more titles.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.evaluation.corpora import Utterance
from tasks.evaluation.finetune import LocalModel, load_lora_settings
from tasks.evaluation.prompts import load_recommend_profile, recommend_messages
from tasks.evaluation.samples import Sample
from tasks.local_model import LocalModel as ChatModel
from tasks.local_model import Prompt, Sampling, generate, mean_log_probabilities
from tasks.settings import Home
from tests.benchmarks.matching import make_titles
from tests.benchmarks.table5 import dialogue
from tests.benchmarks.table5 import titles as taste_titles

RUN = 100  # neighbouring titles of a sample


class Endless:
    """Lets any token come but the end, so that all answers are of one length."""

    complete = False

    def __init__(self, end: int, vocabulary: int) -> None:
        self._mask = np.ones(vocabulary, dtype=np.bool_)
        self._mask[end] = False

    def allowed(self) -> NDArray[np.bool_]:
        """Return which tokens may come next."""
        return self._mask

    def take(self, token: int) -> None:
        """Go on by one token."""


def questions(count: int) -> list[tuple[Any, ...]]:
    """Return the messages of questions of the domain of Table 5 in miniature."""
    titles, profile = taste_titles(), load_recommend_profile(Home(), "recommend_paper")
    asked = []
    for user in range(count):
        made: Any = dialogue(user, titles)
        said = (Utterance("user", made["utterances"][0]["text"]),)
        (target,) = made["targets"]
        sample = Sample(
            f"{user}",
            f"{user}",
            f"{user}",
            0,
            1,
            said,
            target,
            "",
            "",
            tuple(made["history"]),
            False,
        )
        asked.append(recommend_messages(profile, sample, titles, noun="book", history=True))
    return asked


def seconds(call: Callable[[], object]) -> float:
    """Return the CPU seconds of a call, all threads together."""
    began = time.process_time()
    call()
    return time.process_time() - began


def ranking(model: ChatModel, question: list[int], size: int, sampled: int) -> None:
    """Print what one question takes with a catalogue of `size` titles."""
    drawn = random.Random(1)
    titles = sorted(make_titles(drawn, size))
    if sampled < size:
        starts = sorted(drawn.sample(range(0, size - RUN, RUN), sampled // RUN))
        titles = [title for start in starts for title in titles[start : start + RUN]]
    texts = [
        model.tokenizer(f"1. {title}\n", add_special_tokens=False)["input_ids"] for title in titles
    ]
    one = seconds(lambda: mean_log_probabilities(model.model, question, texts[:2]))
    all_of = seconds(lambda: mean_log_probabilities(model.model, question, texts))
    whole = one + (all_of - one) * (size - 2) / (len(texts) - 2)
    tokens = sum(map(len, texts)) / len(texts)
    print(
        f"| {size:,} | {len(texts):,} | {tokens:.1f} | {one:.2f} | {whole:.1f} "
        f"| {whole * 100 / 60:.0f} |",
        flush=True,
    )


def writing(model: ChatModel, prompts: list[list[int]], alone: int, tokens: int) -> None:
    """Print what an answer takes, one by one and together."""
    rates = []
    end, vocabulary = model.tokenizer.eos_token_id, model.model.config.vocab_size
    for name, batches in (
        ("one by one", [[prompt] for prompt in prompts[:alone]]),
        (f"{len(prompts)} together", [prompts]),
    ):
        written = 0

        def write(batches: list[list[list[int]]] = batches) -> None:
            nonlocal written
            for batch in batches:
                made = [
                    Prompt(prompt, Sampling(max_tokens=tokens), grammar=Endless(end, vocabulary))
                    for prompt in batch
                ]
                texts = generate(model.model, made, end=end)
                written += sum(len(text.tokens) for text in texts)

        took = seconds(write)
        rates.append(written / took)
        print(f"| {name} | {written:,} | {took:.1f} | {written / took:.1f} |", flush=True)
    print(f"\ntogether {rates[1] / rates[0]:.1f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--titles", type=int, default=11_589)
    parser.add_argument("--sampled", type=int, default=2_000)
    parser.add_argument("--alone", type=int, default=4, help="answers written one by one")
    parser.add_argument("--together", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--settings", default="smollm2")
    given = parser.parse_args()
    settings = load_lora_settings(Home(), given.settings)
    model = LocalModel(settings)._loaded
    asked = [model.question(messages) for messages in questions(given.together)]
    weights = {str(weight.dtype) for weight in model.model.parameters()}
    print(f"{settings.name}, {', '.join(weights)}, threads {os.environ.get('OMP_NUM_THREADS')}")
    print(
        f"prompts of {sum(map(len, asked)) / len(asked):.0f} tokens; load {os.getloadavg()[0]:.0f}\n"
    )
    print("| titles | ranked | tokens each | prompt, s | a question, s | 100 questions, min |")
    print("|---:|---:|---:|---:|---:|---:|")
    for size in (100, 1_000, given.titles):
        ranking(model, asked[0], size, given.sampled)
    print("\n| answers | tokens | s | tokens/s |\n|---|---:|---:|---:|")
    writing(model, asked, given.alone, given.tokens)


if __name__ == "__main__":
    main()
