"""Kills a generation again and again and checks what was paid twice and what was lost."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from tasks.llm import BadLine, Entry, read_journal
from tests.support.generation_process import DOMAIN, start
from tests.support.model_process import ModelServer

TABLES = {
    "responses": "SELECT request_key, dialogue_id, attempt, text, finish_reason, prompt_tokens, completion_tokens, cost_usd, "
    "provider_id FROM responses ORDER BY ALL",
    "transcripts": "SELECT dialogue_id, attempt, status, text, finish_reason, error, request_keys, profile, rollout "
    "FROM transcripts ORDER BY ALL",
}


@dataclass(frozen=True)
class Aftermath:
    """What a run that was killed came to."""

    kills: int
    billed: int
    asked_again: int
    torn: int
    tables: dict[str, list[Any]]
    last: dict[str, Any]


def run_and_kill(
    server: ModelServer,
    folder: Path,
    settings: dict[str, Any],
    count: int,
    kills: int,
    seed: int,
    how: int = signal.SIGKILL,
) -> Aftermath:
    """Run a generation of `count` briefs, killing it `kills` times at random moments, then let it end."""
    moments = sorted(Random(seed).sample(range(1, count), kills))
    acknowledged: Counter[str] = Counter()
    torn = 0
    for moment in moments:
        process = start(folder, settings, count)
        while server.billed() < moment and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, how)
        process.wait()
        billed = server.tally()["billed_keys"]
        found, lost = _acknowledged(folder)
        torn += lost
        for provider_id in found:
            acknowledged.setdefault(provider_id, billed[provider_id.removeprefix("chatcmpl-")])
    process = start(folder, settings, count)
    out, _ = process.communicate()
    final = server.tally()
    again = sum(
        final["billed_keys"][one.removeprefix("chatcmpl-")] > times
        for one, times in acknowledged.items()
    )
    return Aftermath(kills, final["billed"], again, torn, tables(folder), json.loads(out))


def tables(folder: Path) -> dict[str, list[Any]]:
    """Return the rows of a finished run, without what tells time."""
    with duckdb.connect(str(folder / "warehouse" / f"{DOMAIN}.duckdb"), read_only=True) as con:
        return {name: con.execute(query).fetchall() for name, query in TABLES.items()}


def _acknowledged(folder: Path) -> tuple[set[str], int]:
    """Return the provider's ids of all answers on the disk, in journals and in the store, and the torn lines."""
    entries = [
        entry
        for path in (folder / "journals" / DOMAIN).glob("*.jsonl")
        for entry in read_journal(path)
    ]
    found = {entry.answer.provider_id for entry in entries if isinstance(entry, Entry)}
    warehouse = folder / "warehouse" / f"{DOMAIN}.duckdb"
    if warehouse.exists():
        with duckdb.connect(
            str(warehouse)
        ) as con:  # read and write: a killed owner leaves a write-ahead log to replay
            found |= {row[0] for row in con.execute("SELECT provider_id FROM responses").fetchall()}
    return found, sum(isinstance(entry, BadLine) for entry in entries)
