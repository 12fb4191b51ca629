"""The real model in this process: speed alone and in batches, and what it writes under the schema.

    python -m tests.benchmarks.local_model --speed [--prompts 16] [--tokens 64]
    python -m tests.benchmarks.local_model --built build/demo-local

The first decodes prompts as long as the demo's one by one and together. The second reads what
`make demo-local` built: the share of answers that follow the schema of their template, by part, and
the rules that they still break.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from tasks.briefs import Brief, load_briefs
from tasks.local_model import LocalModel, Prompt, Sampling, generate, open_model
from tasks.prompts import Prompt as Asked
from tasks.prompts import render
from tasks.settings import Home, load_domain
from tasks.warehouse import read_warehouse
from tests.support.made_up_briefs import curated, ids, profile_and_goals

MODEL = "local/smollm2"
_ANSWERS = """
SELECT dialogue_id, text FROM transcripts WHERE attempt = 1
"""
_RULES = """
WITH broken AS (SELECT DISTINCT rule, severity, dialogue_id FROM rejections WHERE attempt = 1)
SELECT rule, severity, count(*) AS dialogues FROM broken GROUP BY ALL ORDER BY dialogues DESC, rule
"""
_TOKENS = "SELECT sum(prompt_tokens), sum(completion_tokens) FROM responses"


def schema_of(asked: Asked) -> dict[str, Any]:
    assert asked.response_format is not None
    schema: dict[str, Any] = asked.response_format["json_schema"]["schema"]
    return schema


def prompts(model: LocalModel, count: int, tokens: int) -> list[Prompt]:
    profile, goals = profile_and_goals()
    made = []
    for place, brief in enumerate(curated(ids(count))):
        asked = render(profile, goals, brief)
        sampling = Sampling(0.7, 0.95, tokens)
        grammar = model.grammars.of(schema_of(asked))
        made.append(Prompt(model.question(asked.messages), sampling, place, grammar))
    return made


def decode(model: LocalModel, batches: Sequence[Sequence[Prompt]]) -> tuple[int, float, float]:
    """Return the tokens written, the seconds of all and those after the prompts were read."""
    written, began, reading = 0, time.perf_counter(), 0.0
    for batch in batches:
        started, first = time.perf_counter(), [0.0]

        def wanted(first: list[float] = first) -> bool:
            first[0] = first[0] or time.perf_counter()
            return True

        texts = generate(model.model, batch, end=model.tokenizer.eos_token_id, wanted=wanted)
        written += sum(len(text.tokens) for text in texts)
        reading += first[0] - started
    seconds = time.perf_counter() - began
    return written, seconds, seconds - reading


def speed(count: int, tokens: int) -> None:
    began = time.perf_counter()
    model = open_model(MODEL)
    model.grammars  # noqa: B018
    print(f"loaded in {time.perf_counter() - began:.1f} s; load average {os.getloadavg()[0]:.1f}")
    print("| prompts decoded | tokens | seconds | tokens/s | tokens/s after the prompts |")
    print("|---|---:|---:|---:|---:|")
    rates = []
    for name, size in (("one by one", 1), (f"{count} together", count)):
        made = prompts(model, count, tokens)
        batches = [made[start : start + size] for start in range(0, count, size)]
        written, seconds, writing = decode(model, batches)
        rates.append((written / seconds, written / writing))
        print(
            f"| {name} | {written:,} | {seconds:.1f} | {written / seconds:.1f} "
            f"| {written / writing:.1f} |",
            flush=True,
        )
    print(f"together: {rates[1][0] / rates[0][0]:.1f} times, {rates[1][1] / rates[0][1]:.1f} times")


def parts_kept(text: str, brief: Brief) -> dict[str, bool]:
    """Return which parts of the template an answer follows."""
    profile, goals = profile_and_goals()
    schema = schema_of(render(profile, goals, brief))
    try:
        turns = json.loads(text)["turns"]
    except (ValueError, KeyError, TypeError):
        return dict.fromkeys(("JSON", "turns", "roles", "items"), False)
    planned = brief.template.turns
    roles = [turn.get("role") for turn in turns]
    return {
        "JSON": True,
        "turns": len(turns) == len(planned),
        "roles": roles == [turn.role for turn in planned],
        # What the schema asks for and neither turns nor roles are.
        "items": not list(jsonschema.Draft202012Validator(schema).iter_errors({"turns": turns})),
    }


@dataclass(frozen=True)
class Kept:
    """What a build's first answers follow of their templates, in answers, and what they break."""

    answers: int
    parts: dict[str, int]
    rules: list[tuple[str, str, int]]
    asked: int
    written: int


def follows(data: Path) -> Kept:
    home = Home(data=data)
    domain = load_domain(home, "demo")
    with read_warehouse(home.warehouse("demo")) as con:
        answers = con.execute(_ANSWERS).fetchall()
        briefs = {b.dialogue_id: b for b in load_briefs(con, domain, [row[0] for row in answers])}
        rules = con.execute(_RULES).fetchall()
        asked, written = con.execute(_TOKENS).fetchall()[0]
    parts: dict[str, int] = {}
    for dialogue_id, text in answers:
        for part, holds in parts_kept(text, briefs[dialogue_id]).items():
            parts[part] = parts.get(part, 0) + holds
    return Kept(len(answers), parts, rules, asked, written)


def built(data: Path) -> None:
    kept = follows(data)
    print(f"{kept.answers} answers, {kept.asked:,} tokens read, {kept.written:,} written\n")
    print("| follows the template in its | answers | share |\n|---|---:|---:|")
    for part, count in kept.parts.items():
        print(f"| {part} | {count} | {count / kept.answers:.0%} |")
    print("\n| rule broken | severity | dialogues |\n|---|---|---:|")
    for rule, severity, count in kept.rules:
        print(f"| `{rule}` | {severity} | {count} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--built", type=Path)
    options = parser.parse_args()
    if options.speed:
        speed(options.prompts, options.tokens)
    if options.built:
        built(options.built)


if __name__ == "__main__":
    main()
