"""The store: `responses` in the warehouse. Journals go in, answers come out by request key. Only the owner of the warehouse uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from filelock import lock_descriptor

from tasks.llm.journal import SUFFIX, Entry, read_journal
from tasks.llm.values import Answer
from tasks.polling import wait_until
from tasks.warehouse import transaction

_ANSWER = (
    "request_key, text, finish_reason, prompt_tokens, completion_tokens, cost_usd, latency_s, model, api_base, "
    "model_returned, provider_id, retries, asked_at"
)
_NAMES = tuple(_ANSWER.split(", "))
_BY_KEY = f"""
    WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS request_key)
    SELECT {_ANSWER} FROM responses SEMI JOIN wanted USING (request_key)
"""
_BY_DIALOGUE = f"""
    WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS dialogue_id)
    SELECT {_ANSWER} FROM responses SEMI JOIN wanted USING (dialogue_id)
"""
_INSERT = """
    INSERT INTO responses BY NAME
    SELECT * FROM journal_rows ANTI JOIN responses USING (request_key)
"""
_COLUMNS = (
    "request_key VARCHAR, dialogue_id VARCHAR, attempt INTEGER, model VARCHAR, api_base VARCHAR, text VARCHAR, finish_reason VARCHAR, "
    "prompt_tokens BIGINT, completion_tokens BIGINT, cost_usd DOUBLE, latency_s DOUBLE, model_returned VARCHAR, provider_id VARCHAR, "
    "retries INTEGER, run_id VARCHAR, asked_at TIMESTAMP, batch_id VARCHAR"
)


@dataclass(frozen=True)
class Loaded:
    """What journals brought: answers new to the store, answers it had already, and lines that were torn."""

    new: int = 0
    known: int = 0
    torn: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(self.new + other.new, self.known + other.known, self.torn + other.torn)


def load_journal(con: duckdb.DuckDBPyConnection, path: Path) -> Loaded:
    """Put a journal's answers into `responses`; of answers to one request the first stays. The caller's transaction makes it whole."""
    entries = list(read_journal(path)) if path.exists() else []
    good = [entry for entry in entries if entry is not None]
    new = insert_answers(con, good)
    return Loaded(new, len(good) - new, len(entries) - len(good))


def insert_answers(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> int:
    """Insert answers whose request is not in the store yet and return how many there were."""
    import pyarrow as pa

    if not entries:
        return 0
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.answer.request_key, entry)
    con.register("journal_rows", pa.Table.from_pylist([_row(entry) for entry in first.values()], schema=_schema()))
    try:
        return int(con.execute(_INSERT).fetchall()[0][0])
    finally:
        con.unregister("journal_rows")


def recover_journals(con: duckdb.DuckDBPyConnection, folder: Path, *, patience_s: float = 5.0) -> Loaded:
    """Load and remove every journal left behind in a folder, each in a transaction of its own.

    A journal that another living process still writes is waited for, then left alone.
    """
    total = Loaded()
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []:
        if not _released(path, patience_s):
            continue
        with transaction(con):
            total += load_journal(con, path)
        path.unlink()
    return total


def _released(path: Path, patience_s: float) -> bool:
    """Tell whether nobody writes a journal any more; a writer whose owner was killed needs a moment to notice."""
    with path.open("rb") as file:
        return wait_until(lambda: lock_descriptor(file.fileno(), blocking=False), patience_s, 0.05)


def answers_by_key(con: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> dict[str, Answer]:
    """Return the stored answers to some requests, by request key."""
    rows = con.execute(_BY_KEY, [list(keys)])
    return {row[0]: _answer(row) for row in rows.fetchall()}


def answers_of_dialogues(con: duckdb.DuckDBPyConnection, dialogue_ids: Sequence[str]) -> dict[str, Answer]:
    """Return every stored answer of some dialogues, by request key: what a chunk sent to another machine takes along."""
    rows = con.execute(_BY_DIALOGUE, [list(dialogue_ids)])
    return {row[0]: _answer(row) for row in rows.fetchall()}


def _answer(row: Sequence[Any]) -> Answer:
    named = dict(zip(_NAMES, row, strict=True))
    return Answer(**{**named, "asked_at": named["asked_at"].replace(tzinfo=UTC).isoformat()})


def _row(entry: Entry) -> dict[str, Any]:
    answer = entry.answer
    asked_at = datetime.fromisoformat(answer.asked_at).astimezone(UTC).replace(tzinfo=None)
    named = {name: getattr(answer, name) for name in _NAMES if name != "asked_at"}
    return {
        **named,
        "asked_at": asked_at,
        "dialogue_id": entry.dialogue_id,
        "attempt": entry.attempt,
        "run_id": entry.run_id,
        "batch_id": entry.batch_id,
    }


def _schema() -> Any:
    import pyarrow as pa

    kinds = {"VARCHAR": pa.string(), "INTEGER": pa.int32(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "TIMESTAMP": pa.timestamp("us")}
    pairs = (column.split() for column in _COLUMNS.split(", "))
    return pa.schema([(name, kinds[kind]) for name, kind in pairs])
