"""How long an engine with a prefix cache takes to read the demo's prompts.

    python -m tests.benchmarks.engine_prefix --api-base http://127.0.0.1:8000/v1 --model NAME
        [--briefs 50] [--profile grounded] [--prompts FILE]

Sends the prompts of the demo's first briefs one after the other, each for a single token, so that
the time is that of reading them: in the order of a build, which is that of their templates, and in
a seeded order without regard to templates. FILE holds prompts to send instead, a line each with
`messages`, for instance those of another version of this project. The engine must be an
OpenAI-compatible server with one slot, as `python -m llama_cpp.server` is, and do nothing else.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from tasks.goals import load_goals
from tasks.prompts import load_profile, render
from tasks.settings import Home
from tests.benchmarks.shared_prefix import Messages, demo_briefs, shared


def demo_prompts(profile_name: str, count: int) -> list[Messages]:
    """Return the prompts of the first briefs, in the order of their templates."""
    home = Home()
    with tempfile.TemporaryDirectory() as folder:
        briefs = demo_briefs(Path(folder))[:count]
    briefs.sort(key=lambda brief: brief.template.template_id)
    goals = load_goals(home).worded(briefs[0].noun, briefs[0].verb)
    profile = load_profile(home, profile_name)
    return [render(profile, goals, brief).messages for brief in briefs]


def read_prompts(path: Path) -> list[Messages]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(json.loads(line)["messages"]) for line in lines]


def send(api_base: str, model: str, messages: Messages) -> int:
    """Ask for one token and return the tokens of the prompt."""
    body = {"model": model, "messages": list(messages), "max_tokens": 1, "temperature": 0}
    request = urllib.request.Request(
        f"{api_base}/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": "Bearer none"},
    )
    with urllib.request.urlopen(request, timeout=600) as reply:
        return int(json.load(reply)["usage"]["prompt_tokens"])


def orders(prompts: Sequence[Messages], given: bool) -> Iterator[tuple[str, list[Messages]]]:
    yield "as in the file" if given else "by template", list(prompts)
    shuffled = list(prompts)
    random.Random(1).shuffle(shuffled)
    yield "any order", shuffled


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--api-base", required=True)
    parser.add_argument("--model", default="local")
    parser.add_argument("--briefs", type=int, default=50)
    parser.add_argument("--profile", default="grounded")
    parser.add_argument("--prompts", type=Path)
    chosen = parser.parse_args()
    prompts = (
        read_prompts(chosen.prompts)
        if chosen.prompts
        else demo_prompts(chosen.profile, chosen.briefs)
    )
    print("| order | prompts | tokens | shared prefix | seconds | seconds a prompt |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, ordered in orders(prompts, chosen.prompts is not None):
        began = time.perf_counter()
        tokens = sum(send(chosen.api_base, chosen.model, messages) for messages in ordered)
        seconds = time.perf_counter() - began
        print(
            f"| {name} | {len(ordered)} | {tokens:,} | {100 * shared(pairwise(ordered)):.1f} % "
            f"| {seconds:.1f} | {seconds / len(ordered):.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
