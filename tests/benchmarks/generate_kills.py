"""Kill -9 at 20 random moments of a 2,000-brief run, restarting each time; the tables against those of an undisturbed run.

python -m tests.benchmarks.generate_kills --briefs 2000 --kills 20
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.support.killing import run_and_kill
from tests.support.model_process import model_server

IN_FLIGHT = 64


def main() -> None:
    """Run both and print what was paid."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=11)
    chosen = parser.parse_args()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        model_server(latency_s=0.2, jitter_s=0.3) as server,
    ):
        settings = {
            "model": "openai/gpt-4o-mini",
            "api_base": server.address,
            "chunk_size": 200,
            "workers": chosen.workers,
            "limits": {"concurrency": IN_FLIGHT},
        }
        killed = run_and_kill(
            server, Path(folder) / "killed", settings, chosen.briefs, chosen.kills, chosen.seed
        )
        server.reset()
        quiet = run_and_kill(server, Path(folder) / "quiet", settings, chosen.briefs, 0, 0)
    shape = f"{IN_FLIGHT} calls in flight, {chosen.workers} process(es), {time.monotonic() - began:.0f} s"
    print(f"{chosen.briefs} briefs, {killed.kills} kills -9, {shape}")
    print(f"billed, undisturbed                {quiet.billed}")
    print(
        f"billed, killed                     {killed.billed} (allowed: {chosen.briefs + chosen.kills * IN_FLIGHT})"
    )
    print(f"acknowledged answers asked again   {killed.asked_again}")
    print(f"torn journal lines                 {killed.torn}")
    for name in killed.tables:
        same = "equal" if killed.tables[name] == quiet.tables[name] else "DIFFERENT"
        print(f"{name:12} {len(killed.tables[name]):6} rows, {same} to the undisturbed run's")


if __name__ == "__main__":
    main()
