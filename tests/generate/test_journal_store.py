"""Journals in an object store: fetched whole and in order, nothing lost, nothing of others touched."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import duckdb
import pytest
from fsspec.implementations.arrow import ArrowFSWrapper
from pydantic import ValidationError

from flows.dask_generation import write_chunk
from tasks.errors import UserError
from tasks.generate import Chunk, ChunkJob, Single, Work, generate_transcripts
from tasks.llm import (
    Entry,
    JournalStore,
    WriteAheadLog,
    fetch_journals,
    read_journal,
    store_of,
)
from tasks.prompts import render
from tasks.settings import Generate
from tasks.warehouse import create_tables
from tests.support import made_up_briefs
from tests.support.made_up_answers import made_up_entry
from tests.support.object_store import BUCKET, files_of, object_store

STORE = f"s3://{BUCKET}/journals"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with object_store() as environment:
        yield dict(environment)


@pytest.fixture
def files(server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[ArrowFSWrapper]:
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    found = files_of(server)
    yield found
    for path in found.find(BUCKET):
        found.rm_file(path)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_tables(connection)
        yield connection


def entries(count: int) -> list[Entry]:
    return [made_up_entry(f"{number:064x}", f"text {number}", "d") for number in range(count)]


async def write(name: str, written: list[Entry]) -> None:
    journal = WriteAheadLog(Path(f"{name}.jsonl"), JournalStore(STORE))
    for one in written:  # one after the other: an object each
        await journal.append(one)
    await journal.close()


def test_an_answer_is_in_the_store_when_append_returns_and_comes_back_in_order(
    files: ArrowFSWrapper, tmp_path: Path
) -> None:
    asyncio.run(write("1-a-000001", entries(12)))
    assert len(files.find(f"{BUCKET}/journals/1-a-000001")) == 12
    (path,) = JournalStore(STORE).fetch(tmp_path)
    assert list(read_journal(path)) == entries(12)
    assert files.find(BUCKET) == []


def test_what_is_waiting_together_is_one_object(files: ArrowFSWrapper, tmp_path: Path) -> None:
    async def together() -> None:
        journal = WriteAheadLog(Path("j.jsonl"), JournalStore(STORE))
        await asyncio.gather(*map(journal.append, entries(50)))
        await journal.close()

    asyncio.run(together())
    assert len(files.find(BUCKET)) <= 3
    assert list(read_journal(JournalStore(STORE).fetch(tmp_path)[0])) == entries(50)


def test_a_file_that_was_not_loaded_yet_is_not_replaced(
    files: ArrowFSWrapper, tmp_path: Path
) -> None:
    """The process died after it had fetched a journal, and a worker of its wrote on."""
    asyncio.run(write("late", entries(2)))
    (first,) = JournalStore(STORE).fetch(tmp_path)
    asyncio.run(write("late", entries(3)))
    (second,) = JournalStore(STORE).fetch(tmp_path)
    assert first != second
    assert len(list(read_journal(first))) == 2 and len(list(read_journal(second))) == 3


def test_objects_of_others_stay(files: ArrowFSWrapper, tmp_path: Path) -> None:
    others = ("notes.txt", "x/notes.txt", "../00000001.jsonl", "a b/00000001.jsonl", "x/1.jsonl")
    for name in others:
        files.pipe_file(f"{BUCKET}/journals/{name}", b"theirs")
    files.pipe_file(f"{BUCKET}/journals-2/j/00000001.jsonl", b"theirs")
    assert JournalStore(STORE).fetch(tmp_path) == []
    assert len(files.find(BUCKET)) == len(others) + 1 and list(tmp_path.iterdir()) == []


def test_a_generation_leaves_nothing_in_the_store_and_loads_what_was_left(
    files: ArrowFSWrapper, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = tmp_path / "journals" / "own"
    settings = Generate(journals=STORE, chunk_size=4)
    work = Work(
        made_up_briefs.ids(10), made_up_briefs.fetch, Single(made_up_briefs.render), "small"
    )

    async def left_behind() -> None:
        log = WriteAheadLog(Path("0-left.jsonl"), JournalStore(store_of(STORE, folder)))
        await asyncio.gather(*map(log.append, entries(3)))
        await log.close()

    asyncio.run(left_behind())
    counts = asyncio.run(generate_transcripts(con, work, settings, folder, "r"))
    assert (counts.answered, counts.recovered) == (10, 3)
    assert con.execute("SELECT count(*) FROM responses").fetchall() == [(13,)]
    assert files.find(BUCKET) == [] and list(folder.glob("*.jsonl")) == []


def test_data_folders_with_a_domain_of_one_name_take_nothing_of_each_other(
    files: ArrowFSWrapper, tmp_path: Path
) -> None:
    here, there = (store_of(STORE, tmp_path / name / "books") for name in ("here", "there"))
    assert store_of(STORE, tmp_path / "here" / "books") == here != there

    async def written() -> None:
        log = WriteAheadLog(Path("1.jsonl"), JournalStore(there))
        await log.append(entries(1)[0])
        await log.close()

    asyncio.run(written())
    fetch_journals(here, tmp_path / "here" / "books")
    assert len(files.find(BUCKET)) == 1
    fetch_journals(there, tmp_path / "there" / "books")
    assert files.find(BUCKET) == [] and (tmp_path / "there" / "books" / "1.jsonl").exists()
    (tmp_path / "here" / "books" / "store-id").write_text("../there")
    with pytest.raises(UserError, match="holds no id"):
        store_of(STORE, tmp_path / "here" / "books")


def test_a_chunk_goes_on_where_a_lost_worker_on_another_machine_has_ended(
    files: ArrowFSWrapper, tmp_path: Path
) -> None:
    profile, goals = made_up_briefs.profile_and_goals()
    briefs = tuple(made_up_briefs.curated(made_up_briefs.ids(6)))
    chunk = Chunk(1, briefs, tmp_path / "not here" / "1.jsonl", STORE)
    rollout = Single(partial(render, profile, goals))
    made: ChunkJob = pickle.loads(pickle.dumps(ChunkJob(chunk, rollout, Generate(), "run", {})))
    first, second = write_chunk(made), write_chunk(made)
    assert first.usage.answered == 6 and second.usage.answered == 0 and second.usage.stored == 6
    assert not chunk.journal.parent.exists()


def test_a_store_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr("tasks.llm.journal_store.PAUSES_S", (0.0,))
    with pytest.raises(UserError, match=r"the journal s3://datasets/journals/j cannot be written"):
        asyncio.run(write("j", entries(1)))


@pytest.mark.parametrize(
    "address",
    ["data/journals", "file:///data", "memory://x", "https://h/x", "s3://k:v@b/x", "s3://", "s3:x"],
)
def test_what_is_no_object_store(address: str) -> None:
    with pytest.raises(ValidationError):
        Generate(journals=address)
