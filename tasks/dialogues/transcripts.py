"""Turns transcripts into dialogues and utterances, a few thousand at a time."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from tasks.dialogues.answer_problem import answer_problem
from tasks.dialogues.mentions import SlotItem
from tasks.dialogues.parser import Plan, draft, finish
from tasks.dialogues.title_matcher import Catalogue
from tasks.dialogues.values import DialogueCounts, Format, Parsed
from tasks.llm import BROKEN_OFF
from tasks.model_output import looks_like_json
from tasks.settings import Domain
from tasks.templates import Turn
from tasks.warehouse import create_table

CHUNK = 4_000  # dialogues held in memory at once: about 50 MB

_QUEUE = """
CREATE OR REPLACE TEMP TABLE parse_queue AS
SELECT
    transcripts.dialogue_id,
    attempt,
    row_number() OVER (ORDER BY attempt, brief_order) - 1 AS place
FROM transcripts
JOIN briefs USING (dialogue_id)
WHERE status = 'answered' AND attempt BETWEEN $first AND $last
"""
_CHUNK = """
WITH chunk AS (SELECT * FROM parse_queue WHERE place >= $from AND place < $until),
filled AS (
    SELECT
        dialogue_id,
        list({'slot': slot, 'item_id': item_id, 'title': title} ORDER BY slot) AS items
    FROM brief_items
    WHERE dialogue_id IN (SELECT dialogue_id FROM chunk)
    GROUP BY dialogue_id
)
SELECT
    chunk.dialogue_id,
    chunk.attempt,
    briefs.user_id,
    briefs.template_id,
    text,
    finish_reason,
    error,
    profile,
    items
FROM chunk
JOIN transcripts USING (dialogue_id, attempt)
JOIN briefs USING (dialogue_id)
LEFT JOIN filled USING (dialogue_id)
ORDER BY place
"""
_CATALOGUE = """
SELECT DISTINCT work_id, title
FROM items
WHERE title IS NOT NULL
ORDER BY ALL
"""
_TEMPLATE_TURNS = """
SELECT template_id, role, goals, introduces, refers
FROM template_turns
ORDER BY template_id, turn
"""
_DIALOGUES = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("attempt", pa.int32()),
        ("user_id", pa.string()),
        ("template_id", pa.string()),
        ("utterances", pa.int32()),
        ("complete", pa.bool_()),
        ("parse_error", pa.string()),
        ("finish_reason", pa.string()),
    ]
)
_UTTERANCES = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("attempt", pa.int32()),
        ("turn", pa.int32()),
        ("role", pa.string()),
        ("text", pa.string()),
        ("goals", pa.list_(pa.string())),
        ("item_ids", pa.list_(pa.string())),
        ("words", pa.int32()),
    ]
)


class _Answer(NamedTuple):
    """One answered transcript with its brief, as `_CHUNK` returns it."""

    dialogue_id: str
    attempt: int
    user_id: str
    template_id: str
    text: str | None
    finish_reason: str | None
    error: str | None
    profile: str | None
    items: list[dict[str, Any]] | None


def parse_transcripts(
    con: duckdb.DuckDBPyConnection,
    domain: Domain,
    attempt: int | None = None,
    formats: Mapping[str, Format] | None = None,
) -> DialogueCounts:
    """Parse answered transcripts into `dialogues` and `utterances`.

    The rows of the attempts given are replaced.

    Args:
        con: the domain's warehouse; reads transcripts, briefs, brief_items, template_turns and
            items.
        domain: its prompt profile is that of transcripts without one.
        attempt: one attempt, or None for all.
        formats: prompt profile name to the format of its answers; "grounded" and "paper" are
            always known. With an unknown profile, an answer that looks like JSON is read as JSON,
            another as plain text.
    """
    _clear(con, attempt)
    first, last = (attempt, attempt) if attempt is not None else (1, 2**31 - 1)
    con.execute(_QUEUE, {"first": first, "last": last})
    catalogue = Catalogue(_in_pages(con, _CATALOGUE))
    turns = _template_turns(con)
    known: dict[str, Format] = {"grounded": "grounded", "paper": "paper", **(formats or {})}
    counts = DialogueCounts(0, 0, 0, 0)
    with _collector_paused():
        for answers in _chunks(con):
            drafts = []
            for answer in answers:
                plan = Plan(turns.get(answer.template_id, ()), _items(answer.items))
                drafts.append(draft(answer.text or "", _format(known, answer, domain), plan))
            counts += _store(con, answers, finish(drafts, catalogue))
    con.execute("DROP TABLE parse_queue")
    return counts


def _in_pages(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query without holding all of them."""
    con.execute(query)
    while page := con.fetchmany(10_000):
        yield from page


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause Python's cycle collector.

    A chunk makes half a million tuples without a cycle; walking them takes a third of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _clear(con: duckdb.DuckDBPyConnection, attempt: int | None) -> None:
    for table in ("dialogues", "utterances"):
        create_table(con, table, replace=attempt is None)
        if attempt is not None:
            con.execute(f"DELETE FROM {table} WHERE attempt = ?", [attempt])


def _chunks(con: duckdb.DuckDBPyConnection) -> Iterator[list[_Answer]]:
    (total,) = con.execute("SELECT count(*) FROM parse_queue").fetchall()[0]
    for begin in range(0, total, CHUNK):
        rows = con.execute(_CHUNK, {"from": begin, "until": begin + CHUNK}).fetchall()
        yield [_Answer(*row) for row in rows]


def _template_turns(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[Turn, ...]]:
    rows = con.execute(_TEMPLATE_TURNS).fetchall()
    turns: dict[str, list[Turn]] = defaultdict(list)
    for template_id, role, goals, introduces, refers in rows:
        turn = Turn(role, tuple(goals or ()), tuple(introduces or ()), tuple(refers or ()))
        turns[template_id].append(turn)
    return {template_id: tuple(group) for template_id, group in turns.items()}


def _items(filled: list[dict[str, Any]] | None) -> tuple[SlotItem, ...]:
    return tuple(
        SlotItem(entry["slot"], entry["item_id"], entry["title"] or "") for entry in filled or ()
    )


def _format(known: Mapping[str, Format], answer: _Answer, domain: Domain) -> Format:
    profile_format = known.get(answer.profile or domain.generate.profile)
    if profile_format is not None:
        return profile_format
    return "grounded" if looks_like_json(answer.text or "") else "paper"


def _store(
    con: duckdb.DuckDBPyConnection, answers: Sequence[_Answer], parsed: Sequence[Parsed]
) -> DialogueCounts:
    """Insert the dialogues of a chunk and return their counts."""
    dialogues: list[tuple[Any, ...]] = []
    utterances: list[tuple[Any, ...]] = []
    incomplete = unreadable = 0
    for answer, dialogue in zip(answers, parsed, strict=True):
        problem = answer_problem(
            dialogue.parse_error, answer.text or "", answer.finish_reason or "", answer.error or ""
        )
        complete = dialogue.complete and answer.finish_reason not in BROKEN_OFF
        dialogues.append(
            (
                answer.dialogue_id,
                answer.attempt,
                answer.user_id,
                answer.template_id,
                len(dialogue.utterances),
                complete,
                problem,
                answer.finish_reason,
            )
        )
        key = (answer.dialogue_id, answer.attempt)
        utterances += [(*key, *utterance) for utterance in dialogue.utterances]
        incomplete += not complete
        unreadable += bool(dialogue.parse_error)
    _insert(con, "dialogues", dialogues, _DIALOGUES)
    _insert(con, "utterances", utterances, _UTTERANCES)
    return DialogueCounts(len(dialogues), incomplete, unreadable, len(utterances))


def _insert(
    con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]], schema: pa.Schema
) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in schema]
    con.register("parsed_rows", pa.table(columns, schema=schema))
    con.execute(f"INSERT INTO {table} SELECT * FROM parsed_rows")
    con.unregister("parsed_rows")
