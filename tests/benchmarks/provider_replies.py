"""Each kind of odd reply, given to five requests: what was billed, stored, set aside and counted, and what the build says.

python -m tests.benchmarks.provider_replies
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from functools import partial
from pathlib import Path

import duckdb

from flows.generation import summary
from tasks.errors import UserError
from tasks.generate import GenerateCounts, Single, Work, generate_transcripts
from tasks.llm import Answer, Entry
from tasks.llm.journal import to_line
from tasks.settings import Generate
from tasks.warehouse import open_warehouse
from tests.support import made_up_briefs
from tests.support.model_process import ModelServer, model_server
from tests.support.odd_replies import ODD_REPLIES

PRICES = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
LIMITS = {"max_retries": 1, "timeout_s": 20, "breaker_failures": 1000}
HEAD = ("kind of reply", "billed", "stored", "unusable", "quarantined", "dollars", "the build says")
JOURNALS: dict[str, bytes] = {
    "journal: a line that is not JSON": b"no json\n",
    "journal: a line that breaks off": b'00000000 {"answer": {',
    "journal: one bit of an answer changed": b"",
}


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=5)
    count = parser.parse_args().requests
    os.environ.setdefault("OPENAI_API_KEY", "sk-none")
    print("| " + " | ".join(HEAD) + " |")
    print("|---|" + "---:|" * 5 + "---|")
    with model_server() as server:
        for kind, reply in ODD_REPLIES.items():
            server.behave(odd=[reply.as_json()])
            print(row(kind, server, count, b""), flush=True)
        server.behave(odd=[])
        for kind, left in JOURNALS.items():
            print(row(kind, server, count, left or changed_line()), flush=True)


def row(kind: str, server: ModelServer, count: int, left: bytes) -> str:
    """Return one line of the table: a run of `count` requests, with a journal left behind by an earlier one."""
    server.reset()
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder) / "w.duckdb") as con:
        journals = Path(folder) / "journals"
        journals.mkdir()
        if left:
            (journals / "1.jsonl").write_bytes(left)
        line, quarantined = run(con, server, count, journals)
        stored, unusable = rows(con, "responses"), rows(con, "unusable_answers")
        dollars = con.execute(_DOLLARS).fetchall()[0][0]
    billed = server.billed()
    assert stored + unusable == billed, (
        f"{kind}: {billed} calls were billed, {stored + unusable} are in the tables"
    )
    return f"| {kind} | {billed} | {stored} | {unusable} | {quarantined} | {dollars:.5f} | {line} |"


def run(
    con: duckdb.DuckDBPyConnection, server: ModelServer, count: int, journals: Path
) -> tuple[str, int]:
    """Generate and return what the build would print, and the quarantined lines."""
    settings = Generate(
        model="openai/gpt-4o-mini", api_base=server.address, limits=LIMITS, **PRICES
    )
    work = Work(
        made_up_briefs.ids(count),
        made_up_briefs.fetch,
        Single(partial(made_up_briefs.render, system="Write.")),
        "small",
    )
    try:
        counts: GenerateCounts = asyncio.run(
            generate_transcripts(con, work, settings, journals, "r1")
        )
    except UserError as error:
        return str(error), 0
    return summary(counts), counts.quarantined


def rows(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return a table's number of rows."""
    return int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def changed_line() -> bytes:
    """Return a journal line in which one bit of the answer's text changed after it was written."""
    answer = Answer(
        "a" * 64,
        "hello",
        "stop",
        10,
        20,
        0.5,
        1.25,
        "openai/x",
        None,
        "x-1",
        "id",
        0,
        "2026-01-02T03:04:05+00:00",
    )
    return to_line(Entry(answer, "d", 1, "run")).replace(b"hello", b"hellm")


_DOLLARS = """
    WITH paid AS (SELECT cost_usd FROM responses UNION ALL SELECT cost_usd FROM unusable_answers)
    SELECT coalesce(sum(cost_usd), 0) FROM paid
"""


if __name__ == "__main__":
    main()
