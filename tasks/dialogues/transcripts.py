"""Transcripts become dialogues and utterances, a few thousand at a time."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import duckdb
import pyarrow as pa

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
SELECT transcripts.dialogue_id, attempt, row_number() OVER (ORDER BY attempt, brief_order) - 1 AS place
FROM transcripts
JOIN briefs USING (dialogue_id)
WHERE status = 'answered' AND attempt BETWEEN $first AND $last
"""
_CHUNK = """
WITH chunk AS (SELECT * FROM parse_queue WHERE place >= $from AND place < $until),
filled AS (
    SELECT dialogue_id, list({'slot': slot, 'item_id': item_id, 'title': title} ORDER BY slot) AS items
    FROM brief_items
    WHERE dialogue_id IN (SELECT dialogue_id FROM chunk)
    GROUP BY dialogue_id
)
SELECT chunk.dialogue_id, chunk.attempt, briefs.user_id, briefs.template_id, text, finish_reason, profile, items
FROM chunk
JOIN transcripts USING (dialogue_id, attempt)
JOIN briefs USING (dialogue_id)
LEFT JOIN filled USING (dialogue_id)
ORDER BY place
"""
_DIALOGUES = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("attempt", pa.int32()),
        ("user_id", pa.string()),
        ("template_id", pa.string()),
        ("utterances", pa.int32()),
    ]
    + [("complete", pa.bool_()), ("parse_error", pa.string()), ("finish_reason", pa.string())]
)
_UTTERANCES = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("attempt", pa.int32()),
        ("turn", pa.int32()),
        ("role", pa.string()),
        ("text", pa.string()),
    ]
    + [("goals", pa.list_(pa.string())), ("item_ids", pa.list_(pa.string())), ("words", pa.int32())]
)
Row = tuple[Any, ...]


def parse_transcripts(
    con: duckdb.DuckDBPyConnection,
    domain: Domain,
    attempt: int | None = None,
    formats: Mapping[str, Format] | None = None,
) -> DialogueCounts:
    """Read answered transcripts into `dialogues` and `utterances`, replacing what stood there for the attempts asked.

    Args:
        con: the domain's warehouse; reads transcripts, briefs, brief_items, template_turns and
            items.
        domain: its prompt profile stands for transcripts that name none.
        attempt: one attempt, or None for all.
        formats: prompt profile name to the format its answers are written in; "grounded" and
            "paper" stand for themselves. With a
            profile that is not known, an answer that looks like JSON is read as JSON, another as
            plain text.
    """
    _clear(con, attempt)
    first, last = (attempt, attempt) if attempt is not None else (1, 2**31 - 1)
    con.execute(_QUEUE, {"first": first, "last": last})
    catalogue = Catalogue(
        con.execute(
            "SELECT DISTINCT work_id, title FROM items WHERE title IS NOT NULL ORDER BY ALL"
        ).fetchall()
    )
    turns = _template_turns(con)
    known: dict[str, Format] = {"grounded": "grounded", "paper": "paper", **(formats or {})}
    counts = DialogueCounts(0, 0, 0, 0)
    with _collector_paused():
        for rows in _chunks(con):
            drafts = [
                draft(
                    row[4] or "",
                    _format(known, row, domain),
                    Plan(turns.get(row[3], ()), _items(row[7])),
                )
                for row in rows
            ]
            counts = _store(con, rows, finish(drafts, catalogue), counts)
    con.execute("DROP TABLE parse_queue")
    return counts


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause Python's search for cycles: a chunk makes half a million tuples without one, and walking them takes a third of the time."""
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


def _chunks(con: duckdb.DuckDBPyConnection) -> Iterator[list[Row]]:
    (total,) = con.execute("SELECT count(*) FROM parse_queue").fetchall()[0]
    for begin in range(0, total, CHUNK):
        yield con.execute(_CHUNK, {"from": begin, "until": begin + CHUNK}).fetchall()


def _template_turns(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[Turn, ...]]:
    rows = con.execute(
        "SELECT template_id, role, goals, introduces, refers FROM template_turns ORDER BY template_id, turn"
    ).fetchall()
    return {
        template_id: tuple(
            Turn(role, tuple(goals or ()), tuple(introduces or ()), tuple(refers or ()))
            for _, role, goals, introduces, refers in group
        )
        for template_id, group in groupby(rows, key=lambda row: row[0])
    }


def _items(filled: list[dict[str, Any]] | None) -> tuple[SlotItem, ...]:
    return tuple(
        SlotItem(entry["slot"], entry["item_id"], entry["title"] or "") for entry in filled or ()
    )


def _format(known: Mapping[str, Format], row: Row, domain: Domain) -> Format:
    found = known.get(row[6] or domain.generate.profile)
    if found is not None:
        return found
    return "grounded" if looks_like_json(row[4] or "") else "paper"


def _store(
    con: duckdb.DuckDBPyConnection, rows: list[Row], parsed: list[Parsed], counts: DialogueCounts
) -> DialogueCounts:
    whole = [
        dialogue.complete and row[5] not in BROKEN_OFF
        for row, dialogue in zip(rows, parsed, strict=True)
    ]
    keys = [
        (row[0], row[1])
        for row, dialogue in zip(rows, parsed, strict=True)
        for _ in dialogue.utterances
    ]
    said = [utterance for dialogue in parsed for utterance in dialogue.utterances]
    dialogues = pa.table(
        [
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
            [row[3] for row in rows],
            [len(dialogue.utterances) for dialogue in parsed],
            whole,
            [dialogue.parse_error for dialogue in parsed],
            [row[5] for row in rows],
        ],
        schema=_DIALOGUES,
    )
    columns = (
        [list(column) for column in zip(*said, strict=True)] if said else [[], [], [], [], [], []]
    )
    utterances = pa.table(
        [[key[0] for key in keys], [key[1] for key in keys], *columns], schema=_UTTERANCES
    )
    for table, frame in (("dialogues", dialogues), ("utterances", utterances)):
        con.register("parsed_rows", frame)
        con.execute(f"INSERT INTO {table} SELECT * FROM parsed_rows")
        con.unregister("parsed_rows")
    return DialogueCounts(
        counts.dialogues + len(rows),
        counts.incomplete + whole.count(False),
        counts.unreadable + sum(bool(dialogue.parse_error) for dialogue in parsed),
        counts.utterances + len(said),
    )
