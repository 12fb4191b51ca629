"""A whole generation against the mock server: what is asked, stored, and asked again."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.generation import summary
from tasks.errors import UserError
from tasks.generate import (
    Chunk,
    ChunkExecutor,
    ChunkResult,
    GenerateCounts,
    Progress,
    Single,
    Work,
    generate_chunk,
    generate_transcripts,
    make_job,
    save_chunk,
)
from tasks.llm import WriteAheadLog
from tasks.llm.journal import to_line
from tasks.settings import Generate
from tests.support import made_up_briefs
from tests.support.made_up_answers import made_up_entry
from tests.support.model_fixtures import MARKER_KEY
from tests.support.model_process import ModelServer
from tests.support.provider_quirks import QUIRKS

Run = Callable[..., GenerateCounts]
_ANSWERED_TRANSCRIPTS = """
    SELECT count(*)
    FROM transcripts AS t
    JOIN responses AS r ON r.request_key = t.request_keys[1]
    WHERE r.text = t.text
      AND r.dialogue_id = t.dialogue_id
      AND r.run_id = 'r1'
      AND t.profile = 'small'
      AND t.rollout = 'single'
"""


@pytest.fixture
def run(server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Run:
    """Generate for some ids with settings of choice."""

    def generate(
        ids: list[str],
        *,
        system: str = "Write.",
        run_id: str = "r1",
        limits: dict[str, Any] | None = None,
        **settings: Any,
    ) -> GenerateCounts:
        extra = {name: settings.pop(name) for name in ("on_progress", "run") if name in settings}
        chosen = Generate(
            **{
                "model": "openai/gpt-4o-mini",
                "api_base": server.address,
                "chunk_size": 40,
                "limits": {"timeout_s": 30, "concurrency": 32, **(limits or {})},
                **settings,
            }
        )
        work = Work(
            ids,
            made_up_briefs.fetch,
            Single(partial(made_up_briefs.render, system=system)),
            "small",
        )
        return asyncio.run(
            generate_transcripts(con, work, chosen, tmp_path / "journals", run_id, **extra)
        )

    return generate


def statuses(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(con.execute("SELECT status, count(*) FROM transcripts GROUP BY ALL").fetchall())


def test_every_brief_ends_in_the_tables_and_no_journal_stays(
    run: Run, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    counts = run(made_up_briefs.ids(100), on_progress=seen.append)
    assert (counts.briefs, counts.answered, counts.failed, counts.unasked, counts.stopped) == (
        100,
        100,
        0,
        0,
        None,
    )
    assert statuses(con) == {"answered": 100}
    assert con.execute(_ANSWERED_TRANSCRIPTS).fetchall() == [(100,)]
    assert not list((tmp_path / "journals").iterdir())
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, 100, 100)
    assert counts.usage.cost_usd == pytest.approx(
        con.execute("SELECT sum(cost_usd) FROM responses").fetchall()[0][0]
    )


def test_a_repeat_run_sends_nothing_and_one_more_brief_sends_one(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    ids = made_up_briefs.ids(80)
    run(ids[:79])
    before = con.execute("SELECT dialogue_id, text FROM transcripts ORDER BY 1").fetchall()
    server.reset()
    again = run(ids[:79], run_id="r2")
    assert (server.tally()["requests"], again.usage.stored, again.answered) == (0, 79, 79)
    assert con.execute("SELECT dialogue_id, text FROM transcripts ORDER BY 1").fetchall() == before
    run(ids)
    assert server.tally()["requests"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"system": "Write well."},
        {"temperature": 0.1},
        {"model": "openai/gpt-4o"},
        {"max_tokens": 77},
    ],
)
def test_whatever_changes_the_request_sends_all_again(
    run: Run, server: ModelServer, change: dict[str, Any]
) -> None:
    ids = made_up_briefs.ids(30)
    run(ids)
    server.reset()
    run(ids, **change)
    assert server.tally()["billed"] == 30


def test_another_endpoint_sends_all_again(run: Run, server: ModelServer) -> None:
    ids = made_up_briefs.ids(30)
    run(ids)
    server.reset()
    run(ids, api_base=server.address.replace("127.0.0.1", "localhost"))
    assert server.tally()["billed"] == 30


def test_an_answer_is_found_whatever_dialogue_it_was_given_to(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    ids = made_up_briefs.ids(30)
    run(ids)
    con.execute("UPDATE responses SET dialogue_id = 'x' || dialogue_id")
    server.reset()
    run(ids)
    assert server.tally()["requests"] == 0


def test_with_faults_on_a_fifth_of_calls_every_brief_ends(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    kinds = (
        "late",
        "429",
        "429_after",
        "429_date",
        "500",
        "503",
        "reset",
        "malformed",
        "empty",
        "length",
        "filter",
        "repeat",
    )
    server.behave(faults={kind: 0.2 / len(kinds) for kind in kinds}, late_s=0.3, retry_after_s=0.05)
    counts = run(made_up_briefs.ids(300))
    tally = server.tally()
    assert counts.answered + counts.failed == 300 and sum(statuses(con).values()) == 300
    filtered = tally["faults"]["filter"]
    assert counts.answered >= 295 - filtered
    ((stored,),) = con.execute("SELECT count(*) FROM responses").fetchall()
    ((unusable,),) = con.execute(
        "SELECT count(*) FROM unusable_answers WHERE problem = 'filtered'"
    ).fetchall()
    assert (stored, unusable) == (counts.answered, filtered)
    assert tally["billed"] == counts.answered + filtered
    finishes = dict(
        con.execute("SELECT finish_reason, count(*) FROM transcripts GROUP BY ALL").fetchall()
    )
    assert finishes["length"] == tally["faults"]["length"]


def test_a_brief_that_cannot_be_answered_is_recorded_and_asked_again_next_time(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    server.behave(faults={"500": 0.5}, seed=3)
    counts = run(made_up_briefs.ids(60), limits={"max_retries": 0})
    assert counts.failed > 10 and counts.answered + counts.failed == 60
    errors = con.execute(
        "SELECT DISTINCT error FROM transcripts WHERE status = 'failed'"
    ).fetchall()
    assert len(errors) == 1 and errors[0][0].startswith("overload 500")
    server.behave(faults={})
    server.reset()
    assert run(made_up_briefs.ids(60)).answered == 60
    assert server.tally()["billed"] == counts.failed
    assert statuses(con) == {"answered": 60}


def test_a_provider_that_is_down_ends_the_run_cleanly_and_the_next_run_goes_on(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    ids = made_up_briefs.ids(200)
    run(ids[:50])
    server.behave(down=True)
    counts = run(ids, limits={"breaker_failures": 5})
    assert (
        counts.stopped is not None
        and counts.stopped.reason == "breaker"
        and "failures in a row" in str(counts.stopped)
    )
    assert counts.answered == 50 and counts.unasked >= 140
    server.behave(down=False)
    server.reset()
    assert run(ids).answered == 200 and server.tally()["billed"] == 150


def check_budget(
    con: duckdb.DuckDBPyConnection,
    counts: GenerateCounts,
    server: ModelServer,
    budget: float,
    in_flight: int,
) -> None:
    """Check that the budget ended the run.

    Less is left than two calls cost, or than the refused call was expected to: a process that has
    seen no answer yet expects the longest. It is passed by no more than the calls in flight, and
    all that was billed is stored.
    """
    dearest = con.execute("SELECT max(cost_usd) FROM responses").fetchall()[0][0]
    assert (
        counts.stopped is not None
        and counts.stopped.reason == "budget"
        and f"${budget}" in str(counts.stopped)
    )
    expected = re.search(r"about \$(\d+\.\d+)", str(counts.stopped))
    assert expected is not None
    left = budget - counts.usage.cost_usd
    assert -in_flight * dearest <= left <= max(2 * dearest, float(expected[1]))
    assert 0 < counts.answered < counts.briefs and counts.answered + counts.unasked == counts.briefs
    assert (
        counts.answered
        == con.execute("SELECT count(*) FROM responses").fetchall()[0][0]
        == server.tally()["billed"]
    )


def test_a_budget_is_kept_and_the_run_resumes(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    ids = made_up_briefs.ids(300)
    server.behave(latency_s=0.02)
    check_budget(con, run(ids, limits={"budget_usd": 0.02, "concurrency": 16}), server, 0.02, 16)
    again = run(ids, limits={"budget_usd": 0.02, "concurrency": 16})
    assert again.usage.answered <= 1  # the same run id has spent it
    rest = run(ids, run_id="r2", limits={"budget_usd": 1.0})
    assert rest.answered == 300 and server.tally()["billed"] == 300


def test_a_wrong_key_is_one_line_and_what_was_answered_is_kept(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    ids = made_up_briefs.ids(60)
    run(ids[:20])
    server.behave(key="another")
    with pytest.raises(UserError, match="refuses 'openai/gpt-4o-mini'"):
        run(ids)
    assert con.execute("SELECT count(*) FROM responses").fetchall() == [(20,)]
    assert statuses(con)["answered"] == 20


def test_a_journal_folder_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "journals").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        run(made_up_briefs.ids(5))


def test_journals_left_behind_are_loaded_before_anything_is_asked(
    run: Run, server: ModelServer, tmp_path: Path
) -> None:
    """The chunk's answers are in journals, and the process dies before it loads them."""

    async def cut_short(executor: ChunkExecutor, chunk: Chunk) -> ChunkResult:
        result = await executor.run(chunk)
        if chunk.number == 2:
            raise RuntimeError("the process is gone")
        return result

    ids = made_up_briefs.ids(80)
    with pytest.raises(RuntimeError, match="gone"):
        run(ids, run=cut_short)
    assert list((tmp_path / "journals").iterdir())
    server.reset()
    counts = run(ids)
    assert counts.recovered >= 40 and counts.answered == 80
    assert server.tally()["billed"] <= 40 and not list((tmp_path / "journals").iterdir())


def test_several_processes_do_the_same_work_within_one_budget(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = made_up_briefs.ids(200)
    check_budget(
        con, run(ids, workers=2, limits={"budget_usd": 0.02, "concurrency": 16}), server, 0.02, 16
    )
    assert run(ids, run_id="r2").answered == 200 and server.tally()["billed"] == 200
    texts = con.execute("SELECT dialogue_id, text FROM transcripts ORDER BY 1").fetchall()
    assert run(ids, workers=2).usage.stored == 200 and server.tally()["billed"] == 200
    assert con.execute("SELECT dialogue_id, text FROM transcripts ORDER BY 1").fetchall() == texts
    assert not list((tmp_path / "journals").iterdir())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_refused_parameter_is_one_line_and_is_paid_for_once(
    run: Run, server: ModelServer, workers: int
) -> None:
    server.behave(odd=[QUIRKS["400, temperature must be the default"].reply.as_json()])
    ids = [f"d{number}" for number in range(12)]
    counts = run(ids, workers=workers, chunk_size=4)
    assert counts.answered == 12 and server.billed() == 12
    line = "the provider refuses temperature, so it was asked with generate.temperature null"
    assert summary(counts).count(line) == 1
    assert run(ids, workers=workers, chunk_size=4, run_id="r2").answered == 12
    assert server.billed() == 12


def test_a_chunk_can_be_written_where_there_is_no_warehouse(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = made_up_briefs.ids(40)
    run(ids[:10])
    settings = Generate(model="openai/gpt-4o-mini", api_base=server.address)
    rollout = Single(partial(made_up_briefs.render, system="Write."))
    chunk = Chunk(1, tuple(made_up_briefs.fetch(ids)), tmp_path / "journals" / "far.jsonl")
    job = pickle.loads(pickle.dumps(make_job(con, chunk, rollout, settings, "r2")))
    result = pickle.loads(pickle.dumps(asyncio.run(generate_chunk(job))))
    assert (result.usage.stored, result.usage.answered, result.unasked, result.stopped) == (
        10,
        30,
        (),
        None,
    )
    save_chunk(con, result, profile="small", rollout=rollout.name, run_id="r2")
    assert (
        statuses(con) == {"answered": 40}
        and server.tally()["billed"] == 40
        and not result.journal.exists()
    )


def worker_processes() -> list[int]:
    """Return the process ids of this process's workers."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    return [
        int(child)
        for child in children
        if b"tasks.generate.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_a_worker_that_dies_ends_the_run_cleanly(
    run: Run, server: ModelServer, tmp_path: Path
) -> None:
    server.behave(latency_s=0.2)
    killed = []

    def kill_one(progress: Progress) -> None:
        workers = worker_processes()
        if workers and progress.usage.answered and not killed:
            killed.append(workers[0])
            os.kill(workers[0], 9)

    ids = made_up_briefs.ids(400)
    counts = run(ids, workers=2, on_progress=kill_one, limits={"concurrency": 8})
    assert (
        killed
        and counts.stopped is not None
        and counts.stopped.reason == "worker"
        and "run again" in str(counts.stopped)
    )
    billed = server.tally()["billed"]
    server.behave(latency_s=0.0)
    assert run(ids).answered == 400
    assert server.tally()["billed"] <= 400 + 8 and billed < 400


def test_the_key_is_in_nothing_that_is_left(
    run: Run,
    server: ModelServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.behave(faults={"500": 0.2, "reset": 0.1, "malformed": 0.1})
    run(made_up_briefs.ids(60), limits={"max_retries": 1})
    server.behave(key="another")
    with pytest.raises(UserError) as refused:
        run(made_up_briefs.ids(70))
    # It was in use, and the server's refusal repeats it.
    assert server.tally()["keys_seen"] == [MARKER_KEY]
    out, err = capfd.readouterr()
    assert MARKER_KEY not in out + err + caplog.text + repr(refused.value)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert MARKER_KEY.encode() not in path.read_bytes(), path


def test_a_living_journal_is_not_mistaken_for_a_leftover(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two generations on one folder: the second leaves the journal of the first alone."""

    monkeypatch.setattr("tasks.generate.driver.PATIENCE_S", 0.2)

    async def open_one() -> WriteAheadLog:
        return WriteAheadLog(tmp_path / "journals" / "alive.jsonl")

    journal = asyncio.run(open_one())
    try:
        assert run(made_up_briefs.ids(3)).answered == 3
        assert journal.path.exists()
    finally:
        asyncio.run(journal.close())


def test_a_worker_that_dies_with_reserved_budget_leaves_nobody_waiting(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection
) -> None:
    server.behave(latency_s=1)
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        workers = worker_processes()
        if workers and progress.in_flight and not killed:
            killed.append(workers[0])
            os.kill(workers[0], 9)

    # Room for the calls of both processes in flight and no more: the second waits for what the
    # first has reserved.
    limits = {"budget_usd": 0.013, "concurrency": 32, "shutdown_grace_s": 1}
    counts = run(made_up_briefs.ids(200), workers=2, on_progress=kill_one, limits=limits)
    assert killed and counts.stopped is not None and counts.unasked
    assert server.tally()["billed"] < 200


@pytest.mark.parametrize(("scope", "second"), [("dataset", 0), ("run", 1)])
def test_a_budget_is_for_the_dataset_or_for_each_run(
    run: Run, server: ModelServer, con: duckdb.DuckDBPyConnection, scope: str, second: int
) -> None:
    con.execute(
        "INSERT INTO runs (run_id, config_hash) "
        "VALUES ('r1', 'same'), ('r2', 'same'), ('r3', 'other')"
    )
    limits = {"budget_usd": 0.01, "budget_scope": scope, "concurrency": 4}
    first = run(made_up_briefs.ids(300), run_id="r1", limits=limits)
    assert first.stopped is not None and "would pass the budget of $0.01" in str(first.stopped)
    spent_at_first = server.tally()["billed"]
    again = run(made_up_briefs.ids(300), run_id="r2", limits=limits)
    assert again.stopped is not None
    assert bool(server.tally()["billed"] - spent_at_first) == second
    other = run(made_up_briefs.ids(300), run_id="r3", system="Write otherwise.", limits=limits)
    assert other.usage.answered > 0  # other settings have a budget of their own


def test_what_cannot_be_loaded_is_set_aside_and_blocks_nothing(
    run: Run, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = made_up_briefs.ids(3)
    journals = tmp_path / "journals"
    journals.mkdir()
    good = json.loads(to_line(made_up_entry("a" * 64)).split(b" ", 1)[1])
    odd = {
        **good,
        "answer": {
            **good["answer"],
            "request_key": "b" * 64,
            "provider_id": 7,
            "model_returned": {"x": 1},
        },
    }
    surrogate = {**good, "answer": {**good["answer"], "request_key": "c" * 64, "text": "a\ud800b"}}
    absurd = {
        **good,
        "answer": {**good["answer"], "request_key": "d" * 64, "prompt_tokens": 10**30},
    }
    bad_key = {**good, "answer": {**good["answer"], "request_key": "no key"}}
    old_lines = [
        json.dumps(line).encode() + b"\n" for line in (good, odd, surrogate, absurd, bad_key)
    ]
    flipped = to_line(made_up_entry("e" * 64)).replace(b"hello", b"hellp")
    (journals / "1.jsonl").write_bytes(
        b"".join([*old_lines, flipped, b"not json\n", to_line(made_up_entry("f" * 64))[:-7]])
    )
    counts = run(ids)
    assert (counts.recovered, counts.quarantined, counts.torn, counts.answered) == (4, 3, 1, 3)
    assert "; 3 journal lines hold no answer and are kept" in summary(counts)
    assert "; 1 journals of killed processes end within a line" in summary(counts)
    kept = [
        json.loads(line) for line in (journals / "quarantine" / "1.jsonl").read_text().splitlines()
    ]
    assert [(line["line"], line["reason"].split(":")[0]) for line in kept] == [
        (5, "request_key is not 64 hexadecimal digits"),
        (6, "its checksum does not match"),
        (7, "it is not valid JSON (JSONDecodeError)"),
    ]
    rows = dict(
        con.execute(
            "SELECT left(request_key, 1), usage_estimated FROM responses WHERE dialogue_id = 'd'"
        ).fetchall()
    )
    assert rows == {"a": False, "b": False, "c": False, "d": True}
    assert run(ids).quarantined == 0  # said once


def test_a_disk_that_takes_no_quarantine_file_is_one_line_and_the_journal_stays(
    run: Run, tmp_path: Path
) -> None:
    journals = tmp_path / "journals"
    journals.mkdir()
    (journals / "1.jsonl").write_bytes(to_line(made_up_entry("a" * 64)) + b"not json\n")
    (journals / "quarantine").write_text("in the way")
    with pytest.raises(UserError, match="the quarantine file .* cannot be written"):
        run(made_up_briefs.ids(3))
    (journals / "quarantine").unlink()
    counts = run(made_up_briefs.ids(3))
    assert (counts.recovered, counts.quarantined) == (1, 1)


def test_a_worker_whose_message_cannot_be_read_leaves_nobody_waiting(
    run: Run, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If handling a worker's message fails, its chunks end too."""

    def fail(*_: Any) -> None:
        raise duckdb.IOException("the disk is gone")

    ids = made_up_briefs.ids(20)
    run(ids[:10])
    monkeypatch.setattr("tasks.generate.worker_pool.answers_by_key", fail)
    counts = run(ids, workers=2)
    assert counts.stopped is not None and counts.stopped.reason == "worker"
