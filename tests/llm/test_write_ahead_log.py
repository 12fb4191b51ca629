from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.llm import (
    Answer,
    BadLine,
    Entry,
    KeyIndex,
    Loaded,
    StoredAnswers,
    WriteAheadLog,
    load_journal,
    read_journal,
    recover_journals,
)
from tasks.llm.journal import from_line, to_line
from tasks.llm.response_cache import answers_by_key
from tasks.storable_text import valid_text
from tasks.warehouse import create_tables
from tests.support.made_up_answers import made_up_entry


def entry(number: int, text: str = "hello", dialogue_id: str = "d") -> Entry:
    return made_up_entry(f"{number:064x}", text, dialogue_id)


async def write(path: Path, entries: list[Entry]) -> WriteAheadLog:
    journal = WriteAheadLog(path)
    await asyncio.gather(*(journal.append(one) for one in entries))
    await journal.close()
    return journal


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    create_tables(connection)
    return connection


@given(st.text(), st.text(), st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)))
def test_any_answer_survives_its_line(text: str, finish: str, cost: float | None) -> None:
    one = replace(
        entry(1), answer=replace(entry(1).answer, text=text, finish_reason=finish, cost_usd=cost)
    )
    line = to_line(one)
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    read = from_line(line).answer
    assert read.text == valid_text(text)
    assert read.cost_usd == (cost if cost is None or cost >= 0 else None)


@given(st.binary(max_size=80))
def test_any_other_line_raises_value_error(line: bytes) -> None:
    with pytest.raises(ValueError):
        from_line(line)


def test_answers_come_back_in_order_and_share_fsyncs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(handle) or real(handle))
    entries = [entry(number) for number in range(200)]
    asyncio.run(write(tmp_path / "j" / "a.jsonl", entries))
    assert list(read_journal(tmp_path / "j" / "a.jsonl")) == entries
    assert len(synced) < 20


def test_an_answer_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    async def main() -> None:
        journal = WriteAheadLog(tmp_path / "a.jsonl")
        for number in range(3):
            await journal.append(entry(number))
            assert len(list(read_journal(journal.path))) == number + 1
        await journal.close()

    asyncio.run(main())


def test_an_empty_journal_leaves_no_file(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", []))
    assert not list(tmp_path.iterdir())


@given(st.integers(1, 2000))
def test_a_torn_end_loses_only_itself(cut: int) -> None:
    lines = b"".join(to_line(entry(number)) for number in range(5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_bytes(lines[:-cut] if cut < len(lines) else b"")
        found = list(read_journal(path))
    whole = [one for one in found if isinstance(one, Entry)]
    assert whole == [entry(number) for number in range(len(whole))]
    assert len(whole) == lines[:-cut].count(b"\n") if cut < len(lines) else not found
    bad = [one for one in found if isinstance(one, BadLine)]
    assert len(bad) <= 1 and all(one.torn for one in bad)


def test_a_full_disk_is_a_user_error_and_the_next_line_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def half(handle: int, data: bytes) -> int:
        real(handle, bytes(data)[:10])
        raise OSError(28, "No space left on device")

    async def main() -> None:
        journal = WriteAheadLog(tmp_path / "a.jsonl")
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(UserError, match="No space left"):
            await journal.append(entry(1))
        monkeypatch.setattr(os, "write", real)
        await journal.append(entry(2))
        await journal.close()

    asyncio.run(main())
    broken, whole = read_journal(tmp_path / "a.jsonl")
    assert isinstance(broken, BadLine) and whole == entry(2)


def test_a_folder_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        WriteAheadLog(tmp_path / "file" / "a.jsonl")


def test_the_first_answer_to_a_request_stays(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", [entry(1, "first"), entry(1, "second"), entry(2)]))
    assert load_journal(con, tmp_path / "a.jsonl") == Loaded(new=2, known=1)
    asyncio.run(write(tmp_path / "b.jsonl", [entry(2, "later"), entry(3)]))
    assert load_journal(con, tmp_path / "b.jsonl") == Loaded(new=1, known=1)
    rows = con.execute(
        "SELECT request_key, text, asked_at, run_id FROM responses ORDER BY request_key"
    ).fetchall()
    assert [(row[0][-1], row[1]) for row in rows] == [
        ("1", "first"),
        ("2", "hello"),
        ("3", "hello"),
    ]
    assert str(rows[0][2]) == "2026-01-02 03:04:05.000006" and rows[0][3] == "run"


def test_a_loaded_answer_equals_the_journaled_one(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    one = replace(
        entry(7, "näïve \u2028 ✓\n"),
        answer=replace(entry(7, "näïve \u2028 ✓\n").answer, cost_usd=None, api_base="http://x"),
    )
    asyncio.run(write(tmp_path / "a.jsonl", [one]))
    load_journal(con, tmp_path / "a.jsonl")
    assert answers_by_key(con, [one.answer.request_key, "f" * 64]) == {
        one.answer.request_key: one.answer
    }


def test_journals_left_behind_are_loaded_once_and_removed(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", [entry(1)]))
    with (tmp_path / "a.jsonl").open("ab") as file:
        file.write(to_line(entry(2))[:-9])
    asyncio.run(write(tmp_path / "b.jsonl", [entry(1), entry(3)]))
    assert recover_journals(con, tmp_path) == Loaded(new=2, known=1, torn=1)
    assert not list(tmp_path.iterdir())
    assert recover_journals(con, tmp_path) == Loaded()
    assert recover_journals(con, tmp_path / "nowhere") == Loaded()


def test_a_kill_between_loading_and_removing_changes_nothing(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", [entry(1), entry(2)]))
    load_journal(con, tmp_path / "a.jsonl")
    assert recover_journals(con, tmp_path) == Loaded(known=2)
    assert con.execute("SELECT count(*) FROM responses").fetchall() == [(2,)]


def test_the_journal_of_a_living_process_is_left_alone_until_it_dies(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", [entry(1)]))
    hold_lock = (
        "import fcntl,sys,time; f=open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); "
        "print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold_lock, str(tmp_path / "a.jsonl")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        assert recover_journals(con, tmp_path, patience_s=0.1) == Loaded()
        process.kill()
    assert recover_journals(con, tmp_path, patience_s=5) == Loaded(new=1)


def test_lookups_that_come_together_share_one_query(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", [entry(number) for number in range(100)]))
    load_journal(con, tmp_path / "a.jsonl")
    asked: list[list[str]] = []

    async def find(keys: list[str]) -> dict[str, Answer]:
        asked.append(keys)
        return answers_by_key(con, keys)

    async def main() -> list[Answer | None]:
        store = StoredAnswers(KeyIndex.of_store(con), find)
        return list(
            await asyncio.gather(*(store.get(f"{number:064x}") for number in (5, 5, 99, 100)))
        )

    found = asyncio.run(main())
    assert [one and int(one.request_key, 16) for one in found] == [5, 5, 99, None]
    assert len(asked) == 1


def test_a_key_that_shares_its_head_with_a_stored_one_is_not_mistaken_for_it(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    asyncio.run(write(tmp_path / "a.jsonl", [entry(1)]))
    load_journal(con, tmp_path / "a.jsonl")
    twin = f"{1:064x}"[:16] + "f" * 48
    assert twin in KeyIndex.of_store(con)
    assert asyncio.run(StoredAnswers.of(con).get(twin)) is None


@given(
    st.sets(st.text("0123456789abcdef", min_size=64, max_size=64), max_size=30),
    st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_the_index_knows_every_key_it_was_made_of(keys: set[str], other: str) -> None:
    import numpy as np

    index = KeyIndex(np.array(sorted({int(key[:16], 16) for key in keys}), dtype=np.uint64))
    assert all(key in index for key in keys)
    assert (other in index) == any(key[:16] == other[:16] for key in keys)


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    line = bytearray(to_line(entry(1, "a text of some length, so that there is something to flip")))
    place %= len(line) - 1
    line[place] ^= 1 << bit
    with pytest.raises(ValueError):
        from_line(bytes(line))


def test_lines_without_a_checksum_are_read_as_before() -> None:
    line = to_line(entry(1)).split(b" ", 1)[1]
    assert from_line(line) == entry(1)
