"""How much of each prompt a prefix cache has seen just before, over the demo's briefs.

    python -m tests.benchmarks.shared_prefix [--profiles grounded paper]

Builds the demo's briefs without Prefect, in a data folder of its own, and renders every prompt; the
mock model writes the turns of dual rollouts. A prompt is the text of its messages, one after the
other. Its shared prefix is what it begins with in common with the prompt before it: that of the
brief before it, or in a dual rollout the one before it of the same agent. Shares are of all
characters. Tokens are those of gpt-4o-mini's tokenizer. Nothing is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from statistics import mean
from typing import Any

from flows.options import BuildOptions
from tasks.briefs import Brief, load_briefs
from tasks.generate import Dual
from tasks.goals import load_goals
from tasks.llm import Answer, Message, TokenCounter
from tasks.mock_model import write
from tasks.prompts import load_profile, render
from tasks.settings import Home, load_domain
from tasks.warehouse import read_warehouse
from tests.support.made_up_answers import made_up_answer
from tests.support.plain_build import plain_briefs

Messages = tuple[Message, ...]
MODEL = "openai/gpt-4o-mini"


@dataclass
class Recorder:
    """Answers as the mock model would, and keeps what was asked, by the prompt's system message."""

    asked: list[Messages] = field(default_factory=list)

    async def __call__(
        self,
        messages: Messages,
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the mock model's answer."""
        self.asked.append(messages)
        return made_up_answer(text=write(messages, seed=None, misbehave={}).text)


def demo_briefs(data: Path) -> list[Brief]:
    """Build the demo's briefs in a data folder and return them in their order."""
    home = Home.find(data)
    plain_briefs(home, "demo", BuildOptions())
    with read_warehouse(home.warehouse("demo")) as con:
        return list(load_briefs(con, load_domain(home, "demo")))


def text_of(messages: Messages) -> str:
    """Return the text that a prefix cache compares."""
    return "".join(f"\n{message['role']}\n{message['content']}" for message in messages)


def shared(pairs: Iterable[tuple[Messages, Messages]]) -> float:
    """Return the share of characters of the later prompts that is common with the earlier ones."""
    same = total = 0
    for before, after in pairs:
        earlier, later = text_of(before), text_of(after)
        same += len(os.path.commonprefix((earlier, later)))
        total += len(later)
    return same / max(1, total)


def of_one_agent(asked: Sequence[Messages]) -> list[tuple[Messages, Messages]]:
    """Return each request of a dual rollout with the one before it of the same agent."""
    speakers: dict[str, list[Messages]] = {}
    for messages in asked:
        speakers.setdefault(messages[0]["content"], []).append(messages)
    return [pair for several in speakers.values() for pair in pairwise(several)]


def dual_requests(profile: Any, goals: Any, briefs: Sequence[Brief]) -> list[list[Messages]]:
    """Return the requests of each dialogue that is written turn by turn."""
    found = []
    for brief in briefs:
        recorder = Recorder()
        asyncio.run(_rolled_out(Dual(profile, goals), brief, recorder))
        found.append(recorder.asked)
    return found


async def _rolled_out(rollout: Dual, brief: Brief, recorder: Recorder) -> None:
    await rollout(brief, recorder)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profiles", nargs="+", default=["grounded", "paper"])
    chosen = parser.parse_args()
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    counter, home = TokenCounter.of(MODEL), Home()
    with tempfile.TemporaryDirectory() as folder:
        briefs = demo_briefs(Path(folder))
    in_order = sorted(briefs, key=lambda brief: brief.template.template_id)
    goals = load_goals(home).worded(briefs[0].noun, briefs[0].verb)
    print(f"{len(briefs)} briefs of {len({b.template.template_id for b in briefs})} templates")
    print("profile    plan order  by template  one template  dual   tokens single   dual")
    for name in chosen.profiles:
        profile = load_profile(home, name)
        prompts = {brief.dialogue_id: render(profile, goals, brief).messages for brief in briefs}
        alike: list[tuple[Messages, Messages]] = []
        for _, several in groupby(in_order, key=lambda brief: brief.template.template_id):
            alike += pairwise(prompts[brief.dialogue_id] for brief in several)
        dual = dual_requests(profile, goals, briefs)
        figures = (
            shared(pairwise(prompts[brief.dialogue_id] for brief in briefs)),
            shared(pairwise(prompts[brief.dialogue_id] for brief in in_order)),
            shared(alike),
            shared(pair for asked in dual for pair in of_one_agent(asked)),
        )
        tokens = mean(counter.messages(messages) for messages in prompts.values())
        turns = [counter.messages(messages) for asked in dual for messages in asked]
        plan, ordered, same, two = (f"{100 * share:.1f} %" for share in figures)
        print(
            f"{name:10} {plan:>10}  {ordered:>11}  {same:>12}  {two:>6}"
            f"  {tokens:13,.0f} {mean(turns):6,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
