"""A server that enforces 300 requests and 200,000 tokens a minute (sliding minute): how much of it is used, how much is refused.

Real time, three minutes a case; what is counted begins after one minute of warm-up.

    python -m tests.benchmarks.generate_limits
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.generate import Single, Work, generate_transcripts
from tasks.settings import Generate
from tasks.warehouse import open_warehouse
from tests.support import made_up_briefs
from tests.support.model_process import model_server

RPM, TPM, WARM_UP_S, END_S = 300, 200_000, 60.0, 170.0


@dataclass(frozen=True)
class Case:
    """One kind of load; `allowed` calls a minute follow from the tokens a call takes."""

    name: str
    calls: int
    server: dict[str, Any]
    max_tokens: int = 2048


CASES = (
    Case("bound by requests", 950, {"words": 120, "latency_s": 2.0, "jitter_s": 4.0}),
    Case("bound by tokens", 500, {"words": 800, "latency_s": 5.0, "jitter_s": 10.0}),
    Case(
        "bound by tokens, max_tokens held",
        330,
        {"words": 400, "latency_s": 5.0, "jitter_s": 10.0, "reserve": True},
        max_tokens=1024,
    ),
)


def run(case: Case) -> dict[str, Any]:
    """Generate until the calls are used up and return the server's tally."""
    with (
        model_server(rpm=RPM, tpm=TPM, **case.server) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        limits = {"rpm": RPM, "tpm": TPM, "concurrency": 256}
        settings = Generate(
            model="openai/gpt-4o-mini",
            api_base=server.address,
            max_tokens=case.max_tokens,
            limits=limits,
        )
        work = Work(
            made_up_briefs.ids(case.calls),
            made_up_briefs.fetch,
            Single(made_up_briefs.render),
            "small",
        )
        with open_warehouse(Path(folder) / "bench.duckdb") as con:
            counts = asyncio.run(
                generate_transcripts(con, work, settings, Path(folder) / "journals", "bench")
            )
        assert counts.answered == case.calls
        return server.tally()


def report(case: Case, tally: dict[str, Any]) -> str:
    """Return one line of the table."""
    begin = tally["admitted_at"][0] + WARM_UP_S
    end = min(tally["admitted_at"][0] + END_S, tally["admitted_at"][-1])
    inside = [
        tokens
        for at, tokens in zip(tally["admitted_at"], tally["admitted_tokens"], strict=True)
        if begin <= at < end
    ]
    refused = sum(begin <= at < end for at in tally["refused_at"])
    minutes = (end - begin) / 60
    mean = sum(inside) / len(inside)
    held = _held(tally, case) if case.server.get("reserve") else mean
    allowed = min(RPM, TPM / held)
    share = len(inside) / minutes / allowed
    return (
        f"{case.name:34} {len(inside) / minutes:6.1f} calls/min of {allowed:6.1f} allowed = {share:5.1%}   "
        f"refused {refused / (refused + len(inside)):5.1%}   ({minutes:.1f} min, {mean:.0f} tokens a call)"
    )


def _held(tally: dict[str, Any], case: Case) -> float:
    """Return the tokens the server holds for a call: its input and max_tokens."""
    return float(tally["prompt_tokens"] / tally["billed"] + case.max_tokens)


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", type=int, default=None)
    chosen = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "sk-benchmark")
    for case in CASES if chosen.case is None else [CASES[chosen.case]]:
        print(report(case, run(case)), flush=True)


if __name__ == "__main__":
    main()
