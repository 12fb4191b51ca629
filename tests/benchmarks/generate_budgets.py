"""A budget under 1, 2 and 4 worker processes, one of which is killed, and the same command again: how soon each ends, what was spent.

python -m tests.benchmarks.generate_budgets
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.generation_process import start
from tests.support.killing import tables
from tests.support.model_process import ModelServer, model_server

BUDGET_USD = 0.25
IN_FLIGHT = 32
PRICES = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
HEAD = (
    "workers",
    "killed at",
    "ended after",
    "because",
    "again: ended because",
    "spent",
    "budget + in flight",
    "stored",
)


@dataclass(frozen=True)
class Ended:
    """How one run with a killed process, and the run after it, ended.

    Dollars are the server's own count.
    """

    seconds: float
    because: str
    again: str
    at_kill_usd: float
    spent_usd: float
    stored: int
    most_usd: float


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=2000)
    count = parser.parse_args().briefs
    print("| " + " | ".join(HEAD) + " |")
    print("|" + "---:|" * 3 + "---|---|" + "---:|" * 3)
    for workers in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder, model_server(latency_s=0.5) as server:
            ended = run(server, Path(folder), workers, count)
        assert ended.spent_usd <= ended.most_usd, (
            "more was spent than the budget and what was in flight"
        )
        cells = (
            f"{workers}",
            f"${ended.at_kill_usd:.3f}",
            f"{ended.seconds:.1f} s",
            ended.because,
            ended.again,
            f"${ended.spent_usd:.3f}",
            f"${ended.most_usd:.3f}",
            f"{ended.stored}",
        )
        print("| " + " | ".join(cells) + " |", flush=True)


def run(server: ModelServer, folder: Path, workers: int, count: int) -> Ended:
    """Start a generation, kill a worker (with one, the process itself) at half the budget, and start it again."""
    limits = {"concurrency": IN_FLIGHT, "budget_usd": BUDGET_USD}
    settings = {
        "model": "openai/gpt-4o-mini",
        "api_base": server.address,
        "workers": workers,
        "limits": limits,
        **PRICES,
    }
    process = start(folder, settings, count)
    while dollars(server) < BUDGET_USD / 2:
        assert process.poll() is None
        time.sleep(0.02)
    at_kill, began = dollars(server), time.monotonic()
    os.kill(workers_of(process.pid)[0] if workers > 1 else process.pid, signal.SIGKILL)
    because = how_it_ended(process)
    seconds = time.monotonic() - began
    again = how_it_ended(start(folder, settings, count))
    tally = server.tally()
    # Of one call; they are about as long as each other.
    dearest = dollars(server) / tally["billed"] * 1.5
    most = BUDGET_USD + IN_FLIGHT * dearest
    stored = len(tables(folder)["responses"])
    return Ended(seconds, because, again, at_kill, dollars(server), stored, most)


def how_it_ended(process: subprocess.Popen[str]) -> str:
    """Wait for a generation and return why it ended."""
    out, _ = process.communicate(timeout=300)
    if process.returncode:
        return "killed"
    ended: dict[str, Any] = json.loads(out)
    return str(ended["stopped"]) or "all answered"


def workers_of(pid: int) -> list[int]:
    """Return a generation's worker processes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"tasks.generate.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def dollars(server: ModelServer) -> float:
    """Return what the server would charge so far."""
    tally = server.tally()
    return float(
        tally["prompt_tokens"] * PRICES["input_cost_per_token"]
        + tally["completion_tokens"] * PRICES["output_cost_per_token"]
    )


if __name__ == "__main__":
    main()
