"""The store: `responses` in the warehouse. Journals go in, answers come out by request key.

Only the owner of the warehouse uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from filelock import lock_descriptor

from tasks.fingerprint import ID_LENGTH
from tasks.llm.quarantine import quarantine
from tasks.llm.values import Answer
from tasks.llm.write_ahead_log import SUFFIX, BadLine, Entry, read_journal
from tasks.polling import wait_until
from tasks.warehouse import transaction

_ANSWER = (
    "request_key, text, finish_reason, prompt_tokens, completion_tokens, cost_usd, latency_s, model, api_base, "
    "model_returned, provider_id, retries, asked_at, usage_estimated"
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
_INSERT_UNUSABLE = """
    INSERT INTO unusable_answers BY NAME
    SELECT * FROM journal_rows ANTI JOIN unusable_answers USING (request_key, asked_at)
"""
_ANSWER_TABLES = ("responses", "unusable_answers")
# The id that `tasks.briefs.id_since_earlier` makes. The canonical JSON of [domain, id] needs no
# escapes: a domain's name has none of JSON's special characters, and an id is hexadecimal.
_ADOPT = f"""
WITH stored AS (SELECT DISTINCT dialogue_id AS earlier FROM {{table}}),
strange AS (SELECT earlier FROM stored ANTI JOIN briefs ON briefs.dialogue_id = stored.earlier),
renamed AS (
    SELECT earlier, left(sha256('["' || $domain || '","' || earlier || '"]'), {ID_LENGTH:d}) AS dialogue_id FROM strange
)
SELECT earlier, dialogue_id FROM renamed SEMI JOIN briefs USING (dialogue_id)
"""
_STORED = (
    "request_key VARCHAR, dialogue_id VARCHAR, attempt INTEGER, model VARCHAR, api_base VARCHAR, text VARCHAR, finish_reason VARCHAR, "
    "prompt_tokens BIGINT, completion_tokens BIGINT, cost_usd DOUBLE, latency_s DOUBLE, model_returned VARCHAR, provider_id VARCHAR, "
    "retries INTEGER, run_id VARCHAR, asked_at TIMESTAMP, batch_id VARCHAR, usage_estimated BOOLEAN"
)
_UNUSABLE = (
    "request_key VARCHAR, dialogue_id VARCHAR, attempt INTEGER, model VARCHAR, problem VARCHAR, prompt_tokens BIGINT, "
    "completion_tokens BIGINT, cost_usd DOUBLE, run_id VARCHAR, asked_at TIMESTAMP"
)


@dataclass(frozen=True)
class Loaded:
    """What journals brought.

    Attributes:
        new: answers that the store did not have.
        known: answers that it had already.
        unusable: billed calls without a usable answer, kept for the bill.
        torn: ends of files whose writer died while it wrote; nothing in them had been acknowledged.
        quarantined: lines that hold no entry; they are kept in a file beside the journals.
    """

    new: int = 0
    known: int = 0
    unusable: int = 0
    torn: int = 0
    quarantined: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(Loaded))
        )


def load_journal(con: duckdb.DuckDBPyConnection, path: Path) -> Loaded:
    """Put a journal's answers into `responses`; of answers to one request the first stays.

    The caller's transaction makes it whole.

    A line that holds no entry is written to a quarantine file with its reason, and the rest is
    loaded.
    """
    lines = list(read_journal(path)) if path.exists() else []
    bad = [line for line in lines if isinstance(line, BadLine)]
    entries = [line for line in lines if isinstance(line, Entry)]
    good = [entry for entry in entries if not entry.problem]
    quarantined = [line for line in bad if not line.torn]
    quarantine(path, quarantined)
    new = insert_answers(con, good)
    unusable = _insert_unusable(con, [entry for entry in entries if entry.problem])
    return Loaded(new, len(good) - new, unusable, len(bad) - len(quarantined), len(quarantined))


def insert_answers(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> int:
    """Insert answers whose request is not in the store yet and return how many there were."""
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.answer.request_key, entry)
    return _insert(con, _INSERT, _STORED, list(first.values()))


def _insert_unusable(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> int:
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first.setdefault((entry.answer.request_key, entry.answer.asked_at), entry)
    return _insert(con, _INSERT_UNUSABLE, _UNUSABLE, list(first.values()))


def _insert(
    con: duckdb.DuckDBPyConnection, statement: str, columns: str, entries: Sequence[Entry]
) -> int:
    import pyarrow as pa

    if not entries:
        return 0
    schema = _schema(columns)
    rows = [
        {name: value for name, value in _row(entry).items() if name in schema.names}
        for entry in entries
    ]
    con.register("journal_rows", pa.Table.from_pylist(rows, schema=schema))
    try:
        return int(con.execute(statement).fetchall()[0][0])
    finally:
        con.unregister("journal_rows")


def recover_journals(
    con: duckdb.DuckDBPyConnection, folder: Path, *, patience_s: float = 5.0
) -> Loaded:
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


def adopt_earlier_answers(con: duckdb.DuckDBPyConnection, domain: str) -> int:
    """Give stored answers to today's briefs their dialogues' ids of today, and return how many had earlier ones.

    Answers are found by request key, which no id enters; but what they cost is counted by dialogue,
    and a cluster's workers are given those of their own dialogues. The caller's transaction makes
    it whole.
    """
    return sum(_adopt(con, domain, table) for table in _ANSWER_TABLES)


def _adopt(con: duckdb.DuckDBPyConnection, domain: str, table: str) -> int:
    renamed = con.sql(_ADOPT.format(table=table), params={"domain": domain}).to_arrow_table()
    if not len(renamed):
        return 0
    con.register("renamed_dialogues", renamed)
    try:
        update = f"UPDATE {table} SET dialogue_id = r.dialogue_id FROM renamed_dialogues r WHERE {table}.dialogue_id = r.earlier"
        return int(con.execute(update).fetchall()[0][0])
    finally:
        con.unregister("renamed_dialogues")


def answers_of_dialogues(
    con: duckdb.DuckDBPyConnection, dialogue_ids: Sequence[str]
) -> dict[str, Answer]:
    """Return every stored answer of some dialogues, by request key: what a chunk sent to another machine takes along."""
    rows = con.execute(_BY_DIALOGUE, [list(dialogue_ids)])
    return {row[0]: _answer(row) for row in rows.fetchall()}


def _answer(row: Sequence[Any]) -> Answer:
    named = dict(zip(_NAMES, row, strict=True))
    asked_at = named["asked_at"].replace(tzinfo=UTC).isoformat()
    return Answer(
        **{**named, "asked_at": asked_at, "usage_estimated": bool(named["usage_estimated"])}
    )


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
        "problem": entry.problem,
    }


def _schema(columns: str) -> Any:
    import pyarrow as pa

    kinds = {
        "VARCHAR": pa.string(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"),
    }
    pairs = (column.split() for column in columns.split(", "))
    return pa.schema([(name, kinds[kind]) for name, kind in pairs])
