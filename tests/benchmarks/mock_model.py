"""How fast prompts are rendered and the mock model answers: `python -m tests.benchmarks.mock_model [briefs]` prints a table.

Times are processor seconds of this process, so that a busy machine does not change them much.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tasks.briefs.values import Brief
from tasks.mock_model import count_tokens_offline, write
from tasks.prompts import Prompt, render
from tests.support.writing import BAD, GOOD, brief, goals, profile, templates

REVIEW_WORDS = 90  # near the mean of the published reviews


def reviews(count: int) -> list[str]:
    """Return reviews of about REVIEW_WORDS words, each different."""
    rng = random.Random(1)
    sentences = [sentence for text in GOOD + BAD for sentence in text.split(". ")]
    return [
        ". ".join(rng.choices(sentences, k=REVIEW_WORDS // 8)) + f". Seen {number} times."
        for number in range(count)
    ]


def timed(work: Callable[[Any], Any], over: Sequence[Any]) -> tuple[list[Any], float]:
    """Return the results and the processor seconds for each."""
    start = time.process_time()
    results = [work(one) for one in over]
    return results, (time.process_time() - start) / len(over)


def brief_of(number: int, texts: Sequence[str]) -> Brief:
    """Return a brief of one of the curated templates, its reviews taken from `texts`."""
    return brief(templates()[number % len(templates())], number, reviews=texts)


def main() -> None:
    """Print milliseconds for each brief, by profile and step."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    stock = reviews(count)
    briefs = [
        brief_of(number, [stock[(number * 7 + at) % count] for at in range(8)])
        for number in range(count)
    ]
    table = Table(
        "profile",
        "step",
        "ms each",
        "each second",
        title=f"{count} briefs, reviews of about {REVIEW_WORDS} words",
    )
    for name in ("grounded", "paper"):
        prompts, render_s = timed(
            lambda brief, name=name: render(profile(name), goals(), brief), briefs
        )
        _write(prompts[0])  # reads the tables
        answers, write_s = timed(_write, prompts)
        _, count_s = timed(lambda answer: count_tokens_offline(answer.text), answers)
        for step, seconds in (
            ("render", render_s),
            ("write", write_s),
            ("count tokens of the answer", count_s),
        ):
            table.add_row(name, step, f"{seconds * 1000:.3f}", f"{1 / max(seconds, 1e-9):,.0f}")
    Console().print(table)


def _write(prompt: Prompt) -> Any:
    return write(prompt.messages, seed=None, misbehave={})


if __name__ == "__main__":
    main()
