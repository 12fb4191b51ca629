"""What an accepted dialogue costs by each order of a cheap and a strong model, in a simulation.

    python -m tests.benchmarks.cascade [--briefs 187] [--profile grounded]

The two writers are the mock model: the cheap one is spoiled so that about 45 % of its first
dialogues are accepted, the strong one about 95 %, at 15 times the price. The gate judges and
repairs are asked for as in a build. Output tokens cost four times as much as input tokens. Nothing
is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from flows.cascade import try_orders
from flows.derived_inputs import source_hashes
from flows.options import BuildOptions
from flows.preflight import read_job
from flows.stages import new_context
from tasks.generate import OrderCost, cheapest
from tasks.settings import Home
from tests.support.plain_build import plain_briefs

CHEAP = {
    "cut_off": 0.105,
    "garbled": 0.105,
    "slot_left": 0.105,
    "wrong_length": 0.105,
    "ungrounded": 0.105,
}
STRONG = {"cut_off": 0.01, "garbled": 0.01, "slot_left": 0.01, "wrong_length": 0.01}
INPUT, OUTPUT, RATIO = 1e-7, 4e-7, 15  # US dollars per token of the cheap model; prices 1:15


def cascade_options(profile: str = "grounded", attempts: int = 3) -> BuildOptions:
    """Return the options of a build by both writers."""
    models = [
        {
            "model": "offline/writer",
            "misbehave": rates,
            "input_cost_per_token": INPUT * times,
            "output_cost_per_token": OUTPUT * times,
        }
        for rates, times in ((CHEAP, 1), (STRONG, RATIO))
    ]
    over = {"generate": {"models": models}}
    return BuildOptions(profile=profile, max_attempts=attempts, settings=over)


def measured(data: Path, briefs: int, profile: str, attempts: int) -> list[OrderCost]:
    """Write the demo's briefs in each order, in a data folder of its own."""
    home, options = Home.find(data), cascade_options(profile, attempts)
    plain_briefs(home, "demo", options)
    job = read_job(home, "demo", options)
    context = new_context(home, job.specifications, "cascade", options)
    with closing(context.warehouse):
        context = replace(context, sources=source_hashes(context.domain))
        return asyncio.run(try_orders(context, briefs))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=187)
    parser.add_argument("--profile", default="grounded")
    chosen = parser.parse_args()
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with tempfile.TemporaryDirectory() as folder:
        first = measured(Path(folder), chosen.briefs, chosen.profile, attempts=1)
    with tempfile.TemporaryDirectory() as folder:
        cheap, strong, *others = measured(Path(folder), chosen.briefs, chosen.profile, attempts=3)
    shares = [f"{100 * one.accepted.value:.1f} %" for one in first[:2]]
    print(f"accepted at the first attempt: cheap {shares[0]}, strong {shares[1]}")
    names = ("cheap", "strong", "cheap, strong", "cheap, cheap, strong")
    best = cheapest([cheap, strong, *others])
    print("order                   briefs  accepted  95 %             $ per accepted  of strong")
    for name, cost in zip(names, (cheap, strong, *others), strict=True):
        share, dollars = cost.accepted, cost.dollars
        assert dollars is not None and strong.dollars is not None
        between = f"{100 * share.low:.1f} to {100 * share.high:.1f} %"
        print(
            f"{name:22} {cost.briefs:7} {100 * share.value:7.1f} %  {between:16}"
            f" {dollars.value:13.6f} {100 * dollars.value / strong.dollars.value:8.1f} %"
            f"{'  cheapest' if cost is best else ''}",
            flush=True,
        )


if __name__ == "__main__":
    main()
