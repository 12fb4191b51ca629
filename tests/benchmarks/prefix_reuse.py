"""How long a real engine takes to read prompts when it keeps the prefix of the prompt before.

    python -m tests.benchmarks.prefix_reuse [--briefs 50] [--before OLD_PROFILE.yaml]

SmolLM2 reads the demo's prompts in this process, on one thread, one after the other, and writes
nothing. It keeps the keys and values of the prompt before and reads only what follows the tokens in
common, as llama.cpp's server does for each slot. The briefs are the first ones in the order in
which requests are sent. `--before` names a file with the dialogue prompt of an earlier version; its
prompts are read in the order of the plan. Times are seconds of the processor, so that they say
little about what else the machine does. Nothing is sent.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from tasks.briefs import Brief
from tasks.goals import load_goals
from tasks.local_model import LocalModel, open_model
from tasks.prompts import Instructed, Profile, load_profile, render
from tasks.settings import Home
from tests.benchmarks.shared_prefix import demo_briefs

MODEL = "local/smollm2"
Tokens = list[int]


def common(before: Tokens, after: Tokens) -> int:
    """Return how many tokens two prompts begin with in common."""
    return len(os.path.commonprefix((before, after)))


def read_all(model: LocalModel, prompts: Sequence[Tokens], *, keep: bool) -> tuple[int, float]:
    """Return the tokens that were read and the seconds of the processor that this took."""
    import torch
    from transformers import DynamicCache

    read, before, cache = 0, list[int](), DynamicCache()
    began = time.process_time()
    with torch.inference_mode():
        for tokens in prompts:
            # The last token is read again: what comes next is predicted from it.
            same = min(common(before, tokens), len(tokens) - 1) if keep else 0
            if same:
                cache.crop(same - len(before))
            else:
                cache = DynamicCache()
            model.model(
                input_ids=torch.tensor([tokens[same:]]),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            read += len(tokens) - same
            before = tokens
    return read, time.process_time() - began


def rendered(
    model: LocalModel,
    profile: Profile,
    goals: Mapping[str, Instructed],
    briefs: Sequence[Brief],
) -> list[Tokens]:
    """Return the tokens of the briefs' prompts."""
    return [model.question(render(profile, goals, brief).messages) for brief in briefs]


def with_words_of(profile: Profile, file: Path) -> Profile:
    """Return a profile with the dialogue prompt of another file."""
    words = yaml.safe_load(file.read_text("utf-8"))["dialogue"]
    dialogue = type(profile.dialogue).model_validate(words)
    return profile.model_copy(update={"dialogue": dialogue})


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=50)
    parser.add_argument("--before", type=Path)
    chosen = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    home, model = Home(), open_model(MODEL)
    with tempfile.TemporaryDirectory() as folder:
        planned = demo_briefs(Path(folder))
    by_template = sorted(planned, key=lambda brief: brief.template.template_id)[: chosen.briefs]
    as_planned = [brief for brief in planned if brief in by_template]
    profile = load_profile(home, "grounded")
    goals = load_goals(home).worded(planned[0].noun, planned[0].verb)
    rows = [
        ("now, no prefix kept", profile, by_template, False),
        ("now, by template, prefix kept", profile, by_template, True),
    ]
    if chosen.before:
        earlier = with_words_of(profile, chosen.before)
        rows.append(("before, as planned, prefix kept", earlier, as_planned, True))
    print(
        f"{len(by_template)} briefs, {len({b.template.template_id for b in by_template})} templates"
    )
    print("| prompts | tokens | tokens read | seconds |")
    print("|---|---:|---:|---:|")
    for name, words, briefs, keep in rows:
        prompts = rendered(model, words, goals, briefs)
        read, seconds = read_all(model, prompts, keep=keep)
        print(f"| {name} | {sum(map(len, prompts)):,} | {read:,} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
