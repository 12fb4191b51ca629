"""Requests a second: raw aiohttp, a bare `litellm.acompletion` loop, ours with one and with two worker processes.

All against one mock server in a process of its own (0.5 s latency), 256 calls in flight, the same
requests. Ours includes the store, the limiter, the journal with its fsyncs and loading every chunk
into DuckDB. The rate is the server's: answers, divided by the time from the first request let in to
the last answer given, so that nobody's start-up counts. The processor time of a call is that of
this process, which leaves out the server's and the worker processes'.

    python -m tests.benchmarks.generate_throughput --calls 4000 --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tasks.generate import Single, Work, generate_transcripts
from tasks.llm.client import load_litellm
from tasks.settings import Generate
from tasks.warehouse import open_warehouse
from tests.support import made_up_briefs
from tests.support.model_process import ModelServer, model_server

LATENCY_S, IN_FLIGHT, MODEL = 0.5, 256, "gpt-4o-mini"


async def raw_aiohttp(server: ModelServer, calls: int) -> None:
    """Post the requests with nothing around them: the upper limit of one Python process."""
    import aiohttp

    gate = asyncio.Semaphore(IN_FLIGHT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as client:

        async def one(dialogue_id: str) -> None:
            async with gate:
                messages = made_up_briefs.render(made_up_briefs.brief(dialogue_id)).messages
                body = {
                    "model": MODEL,
                    "messages": list(messages),
                    "temperature": 0.7,
                    "max_tokens": 2048,
                }
                async with client.post(f"{server.address}/chat/completions", json=body) as answer:
                    assert (await answer.json())["choices"]

        await asyncio.gather(*(one(dialogue_id) for dialogue_id in made_up_briefs.ids(calls)))


async def bare_litellm(server: ModelServer, calls: int) -> None:
    """Send the requests through litellm and throw the answers away."""
    litellm, gate = load_litellm(), asyncio.Semaphore(IN_FLIGHT)

    async def one(dialogue_id: str) -> None:
        async with gate:
            messages = list(made_up_briefs.render(made_up_briefs.brief(dialogue_id)).messages)
            answer = await litellm.acompletion(
                f"openai/{MODEL}",
                messages,
                api_base=server.address,
                temperature=0.7,
                max_tokens=2048,
                num_retries=0,
                max_retries=0,
                timeout=120,
            )
            assert answer.choices[0].message.content

    await asyncio.gather(*(one(dialogue_id) for dialogue_id in made_up_briefs.ids(calls)))


def ours(workers: int) -> Callable[[ModelServer, int], None]:
    """Return our own generation with so many worker processes."""

    def run(server: ModelServer, calls: int) -> None:
        limits = {"concurrency": IN_FLIGHT * workers}
        settings = Generate(
            model=f"openai/{MODEL}", api_base=server.address, workers=workers, limits=limits
        )
        work = Work(
            made_up_briefs.ids(calls), made_up_briefs.fetch, Single(made_up_briefs.render), "small"
        )
        with (
            tempfile.TemporaryDirectory() as folder,
            open_warehouse(Path(folder) / "bench.duckdb") as con,
        ):
            counts = asyncio.run(
                generate_transcripts(con, work, settings, Path(folder) / "journals", "bench")
            )
            assert (
                counts.answered
                == calls
                == con.execute("SELECT count(*) FROM responses").fetchall()[0][0]
            )

    return run


METHODS: dict[str, Callable[[ModelServer, int], None]] = {
    "raw aiohttp": lambda server, calls: asyncio.run(raw_aiohttp(server, calls)),
    "bare litellm": lambda server, calls: asyncio.run(bare_litellm(server, calls)),
    "ours, 1 process": ours(1),
    "ours, 2 processes": ours(2),
}


def main() -> None:
    """Run the methods in turn, several rounds, and print the median rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    os.environ.setdefault("OPENAI_API_KEY", "sk-benchmark")
    rates: dict[str, list[float]] = {name: [] for name in METHODS}
    seconds: dict[str, list[float]] = {name: [] for name in METHODS}
    load_litellm()
    with model_server(latency_s=LATENCY_S) as server:
        for _ in range(chosen.rounds):
            for name, run in METHODS.items():
                server.reset()
                began = time.process_time()
                run(server, chosen.calls)
                seconds[name].append(time.process_time() - began)
                times = server.tally()["admitted_at"]
                assert len(times) == chosen.calls
                rates[name].append(chosen.calls / (times[-1] - times[0] + LATENCY_S))
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(
        f"{chosen.calls} calls, {LATENCY_S} s latency, {IN_FLIGHT} in flight a process, {machine}"
    )
    bare, one = median(rates["bare litellm"]), median(rates["ours, 1 process"])
    for name, found in rates.items():
        each = " ".join(f"{rate:.0f}" for rate in found)
        milliseconds = 1000 * median(seconds[name]) / chosen.calls
        print(
            f"{name:20} {median(found):6.0f}/s  ({each})  {median(found) / bare:5.2f} of bare  "
            f"{median(found) / one:5.2f} of one process  {milliseconds:5.2f} ms a call"
        )


if __name__ == "__main__":
    main()
