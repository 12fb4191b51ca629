"""The table `responses`: journals are loaded into it, answers are read by request key.

Only the process that holds the warehouse uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from filelock import lock_descriptor

from tasks.fingerprint import ID_LENGTH
from tasks.llm.journal import SUFFIX, BadLine, Entry, quarantine, read_journal
from tasks.llm.values import Answer
from tasks.polling import wait_until
from tasks.warehouse import transaction

# Column types as PyArrow names them.
_BILL_COLUMNS = {
    "request_key": "string",
    "dialogue_id": "string",
    "attempt": "int32",
    "model": "string",
    "prompt_tokens": "int64",
    "completion_tokens": "int64",
    "cost_usd": "float64",
    "run_id": "string",
    "asked_at": "timestamp[us]",
}
_RESPONSE_COLUMNS = {
    **_BILL_COLUMNS,
    "api_base": "string",
    "text": "string",
    "finish_reason": "string",
    "latency_s": "float64",
    "model_returned": "string",
    "provider_id": "string",
    "retries": "int32",
    "batch_id": "string",
    "usage_estimated": "bool",
    "cached_tokens": "int64",
    "cache_write_tokens": "int64",
    "reasoning_tokens": "int64",
    "cost_is_upper_bound": "bool",
}
_UNUSABLE_COLUMNS = {**_BILL_COLUMNS, "problem": "string"}
# Of earlier versions' answers these hold nothing.
_ADDED_FLAGS = ("usage_estimated", "cost_is_upper_bound")
_ADDED_COUNTS = ("cached_tokens", "cache_write_tokens", "reasoning_tokens")
_ANSWER_FIELDS = tuple(field.name for field in fields(Answer))
_ANSWER = ", ".join(_ANSWER_FIELDS)
_BY_KEY = f"""
    WITH wanted AS (
        SELECT unnest(?::VARCHAR[]) AS request_key
    )
    SELECT {_ANSWER}
    FROM responses
    SEMI JOIN wanted USING (request_key)
    WHERE outdated IS NOT true
"""
_BY_DIALOGUE = f"""
    WITH wanted AS (
        SELECT unnest(?::VARCHAR[]) AS dialogue_id
    )
    SELECT {_ANSWER}
    FROM responses
    SEMI JOIN wanted USING (dialogue_id)
    WHERE outdated IS NOT true
"""
_OUTDATE = """
    WITH wanted AS (
        SELECT unnest(?::VARCHAR[]) AS dialogue_id
    )
    UPDATE responses
    SET outdated = true
    FROM wanted
    WHERE responses.dialogue_id = wanted.dialogue_id
"""
# Outdated answers to requests that have a new one; the same answer loaded twice is none.
_REPLACED = """
    replaced AS (
        SELECT r.*
        FROM responses r
        JOIN journal_rows j USING (request_key)
        WHERE r.outdated AND r.asked_at <> j.asked_at
    )
"""
_KEEP_REPLACED = f"""
    INSERT INTO unusable_answers BY NAME
    WITH {_REPLACED}
    SELECT {", ".join(_BILL_COLUMNS)}, 'replaced' AS problem
    FROM replaced
    ANTI JOIN unusable_answers USING (request_key, asked_at)
"""
_DELETE_REPLACED = f"""
    WITH {_REPLACED}
    DELETE FROM responses
    USING replaced
    WHERE responses.request_key = replaced.request_key
"""
_INSERT = """
    INSERT INTO responses BY NAME
    SELECT *
    FROM journal_rows
    ANTI JOIN responses USING (request_key)
"""
_INSERT_UNUSABLE = """
    INSERT INTO unusable_answers BY NAME
    SELECT *
    FROM journal_rows
    ANTI JOIN unusable_answers USING (request_key, asked_at)
"""
_ANSWER_TABLES = ("responses", "unusable_answers")
_RENAME = """
UPDATE {table}
SET dialogue_id = r.dialogue_id
FROM renamed_dialogues r
WHERE {table}.dialogue_id = r.earlier
"""
# The id that `tasks.briefs.id_since_earlier` makes. The canonical JSON of [domain, id] needs no
# escapes: a domain's name has none of JSON's special characters, and an id is hexadecimal.
_ADOPT = f"""
WITH stored AS (SELECT DISTINCT dialogue_id AS earlier FROM {{table}}),
strange AS (SELECT earlier FROM stored ANTI JOIN briefs ON briefs.dialogue_id = stored.earlier),
renamed AS (
    SELECT earlier,
           left(sha256('["' || $domain || '","' || earlier || '"]'), {ID_LENGTH:d}) AS dialogue_id
    FROM strange
)
SELECT earlier, dialogue_id FROM renamed SEMI JOIN briefs USING (dialogue_id)
"""


@dataclass(frozen=True)
class Loaded:
    """What was loaded from journals.

    Attributes:
        new: answers that the table did not have.
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
    """Load a journal's answers into `responses`; of answers to one request the first stays.

    A line that holds no entry is written to a quarantine file with its reason, and the rest is
    loaded. The caller opens the transaction.
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
    """Insert answers whose request is not in the table yet, and return how many there were.

    A new answer takes the place of an outdated one, which is kept for the bill.
    """
    first: dict[str, Entry] = {}
    for entry in entries:
        first.setdefault(entry.answer.request_key, entry)
    statements = (_KEEP_REPLACED, _DELETE_REPLACED, _INSERT)
    return _insert(con, statements, _RESPONSE_COLUMNS, list(first.values()))


def outdate_answers(con: duckdb.DuckDBPyConnection, dialogue_ids: Sequence[str]) -> int:
    """Mark every stored answer of some dialogues as outdated, and return how many there are.

    An outdated answer is not used again: its request is sent again, and the new answer takes its
    place once it is stored.
    """
    return int(con.execute(_OUTDATE, [list(dialogue_ids)]).fetchall()[0][0])


def _insert_unusable(con: duckdb.DuckDBPyConnection, entries: Sequence[Entry]) -> int:
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        first.setdefault((entry.answer.request_key, entry.answer.asked_at), entry)
    return _insert(con, (_INSERT_UNUSABLE,), _UNUSABLE_COLUMNS, list(first.values()))


def _insert(
    con: duckdb.DuckDBPyConnection,
    statements: Sequence[str],
    columns: Mapping[str, str],
    entries: Sequence[Entry],
) -> int:
    """Run statements over the entries as `journal_rows`, and return the rows of the last one."""
    import pyarrow as pa

    if not entries:
        return 0
    schema = pa.schema([(name, pa.type_for_alias(alias)) for name, alias in columns.items()])
    rows = [_row(entry, columns) for entry in entries]
    con.register("journal_rows", pa.Table.from_pylist(rows, schema=schema))
    try:
        changed = [con.execute(statement).fetchall()[0][0] for statement in statements]
        return int(changed[-1])
    finally:
        con.unregister("journal_rows")


def recover_journals(
    con: duckdb.DuckDBPyConnection, folder: Path, *, patience_s: float = 5.0
) -> Loaded:
    """Load and remove every journal left behind in a folder, each in a transaction of its own.

    A journal that another living process still writes is waited for, for `patience_s` seconds, and
    then left alone.
    """
    total = Loaded()
    if not folder.is_dir():
        return total
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if not _released(path, patience_s):
            continue
        with transaction(con):
            total += load_journal(con, path)
        path.unlink()
    return total


def _released(path: Path, patience_s: float) -> bool:
    """Return True once no process writes a journal any more.

    A writer whose parent process was killed needs a moment to end.
    """
    with path.open("rb") as file:
        return wait_until(lambda: lock_descriptor(file.fileno(), blocking=False), patience_s, 0.05)


def answers_by_key(con: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> dict[str, Answer]:
    """Return the stored answers to some requests, by request key."""
    rows = con.execute(_BY_KEY, [list(keys)])
    return {row[0]: _answer(row) for row in rows.fetchall()}


def has_answers_of(con: duckdb.DuckDBPyConnection, model: str, api_base: str | None) -> bool:
    """Return True if there is a stored answer of a model on an endpoint."""
    query = """
        SELECT count(*) > 0 FROM responses
        WHERE model = ? AND api_base IS NOT DISTINCT FROM ?
    """
    return bool(con.execute(query, [model, api_base]).fetchall()[0][0])


def adopt_earlier_answers(con: duckdb.DuckDBPyConnection, domain: str) -> int:
    """Give stored answers to today's briefs their dialogues' ids of today.

    Answers are found by request key, which does not depend on ids; but their cost is counted by
    dialogue, and a cluster's workers get those of their own dialogues. The caller's transaction
    makes the change atomic.

    Returns:
        The number of answers that had earlier ids.
    """
    return sum(_adopt(con, domain, table) for table in _ANSWER_TABLES)


def _adopt(con: duckdb.DuckDBPyConnection, domain: str, table: str) -> int:
    renamed = con.sql(_ADOPT.format(table=table), params={"domain": domain}).to_arrow_table()
    if not len(renamed):
        return 0
    con.register("renamed_dialogues", renamed)
    try:
        return int(con.execute(_RENAME.format(table=table)).fetchall()[0][0])
    finally:
        con.unregister("renamed_dialogues")


def answers_of_dialogues(
    con: duckdb.DuckDBPyConnection, dialogue_ids: Sequence[str]
) -> dict[str, Answer]:
    """Return every stored answer of some dialogues, by request key."""
    rows = con.execute(_BY_DIALOGUE, [list(dialogue_ids)])
    return {row[0]: _answer(row) for row in rows.fetchall()}


def _answer(row: Sequence[Any]) -> Answer:
    values = dict(zip(_ANSWER_FIELDS, row, strict=True))
    values["asked_at"] = values["asked_at"].replace(tzinfo=UTC).isoformat()
    for name in _ADDED_FLAGS:
        values[name] = bool(values[name])
    for name in _ADDED_COUNTS:
        values[name] = values[name] or 0
    return Answer(**values)


def _row(entry: Entry, columns: Iterable[str]) -> dict[str, Any]:
    """Return an entry as a row of some columns."""
    values = {**vars(entry), **vars(entry.answer)}
    asked_at = datetime.fromisoformat(entry.answer.asked_at)
    values["asked_at"] = asked_at.astimezone(UTC).replace(tzinfo=None)
    return {name: values[name] for name in columns}
