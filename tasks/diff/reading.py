"""Reads the dialogues of a side: of a warehouse as it is now, or of a release's tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from tasks.diff.values import ComparedDialogue, Turn
from tasks.errors import UserError
from tasks.machine import this_machine
from tasks.marks import speech_hash
from tasks.release import Release
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import rows

_COUNTING = f"""
WITH {BRIEF_VERDICTS},
{{paid}}
SELECT count(*) AS briefs,
       count(*) FILTER (verdict = 'accepted') AS accepted,
       count(*) FILTER (verdict = 'rejected') AS rejected,
       count(*) FILTER (verdict = 'failed') AS failed,
       count(*) FILTER (verdict = 'unasked') AS unasked,
       sum(dollars) AS dollars,
       sum(prompt_tokens)::BIGINT AS "prompt tokens",
       sum(completion_tokens)::BIGINT AS "completion tokens"
FROM brief_verdicts LEFT JOIN paid USING (dialogue_id)
"""
# An answer counts for the dialogue that it was used for. The sum is unknown where one price is.
_PAID = """
asked AS (SELECT DISTINCT dialogue_id, unnest(request_keys) AS request_key FROM transcripts),
answered AS (
    SELECT a.dialogue_id, r.cost_usd,
           coalesce(r.prompt_tokens, 0) AS prompt_tokens,
           coalesce(r.completion_tokens, 0) AS completion_tokens
    FROM asked a JOIN responses r USING (request_key)
    UNION ALL
    SELECT dialogue_id, cost_usd, coalesce(prompt_tokens, 0), coalesce(completion_tokens, 0)
    FROM unusable_answers
),
paid AS (
    SELECT dialogue_id, CASE WHEN count(cost_usd) = count(*) THEN sum(cost_usd) END AS dollars,
           sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens
    FROM answered GROUP BY dialogue_id
)
"""
_DIALOGUES = f"""
WITH {BRIEF_VERDICTS},
{_PAID},
slots AS (
    SELECT dialogue_id, list(item_id ORDER BY slot) AS items FROM brief_items GROUP BY dialogue_id
),
judged AS (SELECT DISTINCT dialogue_id FROM dialogue_facts WHERE attempt = 1),
broken AS (
    SELECT dialogue_id, list(DISTINCT rule) AS rules
    FROM rejections WHERE attempt = 1 GROUP BY dialogue_id
)
SELECT b.dialogue_id, b.user_id, b.template_id, coalesce(s.items, []), v.verdict, v.attempt,
       CASE WHEN j.dialogue_id IS NOT NULL THEN coalesce(r.rules, []) END,
       p.dollars, (p.prompt_tokens + p.completion_tokens)::BIGINT
FROM briefs b
JOIN brief_verdicts v USING (dialogue_id)
LEFT JOIN slots s USING (dialogue_id)
LEFT JOIN judged j USING (dialogue_id)
LEFT JOIN broken r USING (dialogue_id)
LEFT JOIN paid p USING (dialogue_id)
ORDER BY b.brief_order
"""
_COUNTING_ATTEMPT = f"""
{BRIEF_VERDICTS},
last_attempt AS (
    SELECT dialogue_id, max(attempt) AS attempt FROM dialogues GROUP BY dialogue_id
),
said_at AS (
    SELECT v.dialogue_id, coalesce(v.attempt, l.attempt) AS attempt
    FROM brief_verdicts v LEFT JOIN last_attempt l USING (dialogue_id)
)
"""
_SAID = f"""
WITH {_COUNTING_ATTEMPT}
SELECT u.dialogue_id, u.turn, u.role, u.text
FROM utterances u SEMI JOIN said_at USING (dialogue_id, attempt)
ORDER BY u.dialogue_id, u.turn
"""
_SAID_IN_ONE = f"""
WITH {_COUNTING_ATTEMPT}
SELECT u.turn, u.role, u.text
FROM utterances u SEMI JOIN said_at USING (dialogue_id, attempt)
WHERE u.dialogue_id = ? ORDER BY u.turn
"""
_RELEASED = """
SELECT dialogue_id, user_id, template_id FROM read_parquet(?) ORDER BY conversation_id
"""
_RELEASED_SLOTS = "SELECT dialogue_id, item_id FROM read_parquet(?) ORDER BY dialogue_id, slot"
_RELEASED_TURNS = "SELECT dialogue_id, turn, role, text FROM read_parquet(?) ORDER BY ALL"
_RELEASED_TURNS_OF_ONE = """
SELECT turn, role, text FROM read_parquet(?) WHERE dialogue_id = ? ORDER BY turn
"""
_MOST_ROWS = 10_000  # read at a time


def warehouse_counts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return how the briefs of a warehouse ended and what their answers cost."""
    (counts,) = rows(con, _COUNTING.format(paid=_PAID))
    return counts


def read_warehoused(con: duckdb.DuckDBPyConnection) -> tuple[ComparedDialogue, ...]:
    """Return every brief of a warehouse as a dialogue to compare, in the order of the briefs."""
    text_hashes = dict(_hashes(con, _SAID))
    dialogues = con.execute(_DIALOGUES).fetchall()
    return tuple(_dialogue(row, text_hashes) for row in dialogues)


def _dialogue(row: tuple[Any, ...], text_hashes: Mapping[str, str]) -> ComparedDialogue:
    dialogue_id, user_id, template_id, items, verdict, attempt, broken, dollars, tokens = row
    return ComparedDialogue(
        dialogue_id,
        user_id,
        template_id,
        tuple(items),
        verdict,
        text_hashes.get(dialogue_id, ""),
        attempt,
        None if broken is None else frozenset(broken),
        dollars,
        tokens,
    )


def _hashes(
    con: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield each dialogue's id and the hash of its turns, from rows in the dialogues' order."""
    utterances = _utterances(con, query, values or [])
    for dialogue_id, turns in groupby(utterances, key=lambda row: row[0]):
        yield dialogue_id, speech_hash((role, text) for _, _, role, text in turns)


def _utterances(
    con: duckdb.DuckDBPyConnection, query: str, values: list[Any]
) -> Iterator[tuple[Any, ...]]:
    cursor = con.execute(query, values)
    while batch := cursor.fetchmany(_MOST_ROWS):
        yield from batch


def warehoused_turns(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> list[Turn]:
    """Return the turns of one dialogue, at its verdict's attempt or else the last one parsed."""
    return [Turn.of(*row) for row in con.execute(_SAID_IN_ONE, [dialogue_id]).fetchall()]


def read_released(folder: Path) -> tuple[ComparedDialogue, ...]:
    """Return the dialogues of a release, ours with its tables or the authors' without.

    Raises UserError.
    """
    tables = folder / "parquet"
    if not (tables / "dialogues.parquet").is_file():
        return _of_layout(folder)
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        try:
            text_hashes = dict(_hashes(con, _RELEASED_TURNS, [_table(tables, "utterances")]))
            slots = con.execute(_RELEASED_SLOTS, [_table(tables, "brief_items")]).fetchall()
            dialogues = con.execute(_RELEASED, [_table(tables, "dialogues")]).fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"the tables of {folder} cannot be read: {reason}") from None
    items: defaultdict[str, list[str]] = defaultdict(list)
    for dialogue_id, item_id in slots:
        items[dialogue_id].append(item_id)
    return tuple(
        ComparedDialogue(
            dialogue_id,
            user_id,
            template_id,
            tuple(items[dialogue_id]),
            "accepted",
            text_hashes.get(dialogue_id, ""),
        )
        for dialogue_id, user_id, template_id in dialogues
    )


def _table(tables: Path, name: str) -> str:
    return str(tables / f"{name}.parquet")


def _of_layout(folder: Path) -> tuple[ComparedDialogue, ...]:
    """Return the dialogues of a folder in the published layout.

    The layout has no templates and no slots: an item list takes the place of both.
    """
    dialogues = []
    for conversation in Release.load(folder).conversations:
        items = (*conversation.likes, *conversation.dislikes, *conversation.rec_items)
        turns = ((turn.role, turn.text) for turn in conversation.turns)
        dialogues.append(
            ComparedDialogue(
                str(conversation.conversation_id),
                conversation.user_id,
                "",
                items,
                "accepted",
                speech_hash(turns),
            )
        )
    return tuple(dialogues)


def released_turns(folder: Path, dialogue_id: str) -> list[Turn]:
    """Return the turns of one dialogue of a release; none if it is not there."""
    table = folder / "parquet" / "utterances.parquet"
    if not table.is_file():
        return _turns_of_layout(folder, dialogue_id)
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        turns = con.execute(_RELEASED_TURNS_OF_ONE, [str(table), dialogue_id]).fetchall()
        return [Turn.of(*row) for row in turns]


def _turns_of_layout(folder: Path, dialogue_id: str) -> list[Turn]:
    for conversation in Release.load(folder).conversations:
        if str(conversation.conversation_id) == dialogue_id:
            turns = enumerate(conversation.turns, start=1)
            return [Turn.of(number, turn.role, turn.text) for number, turn in turns]
    return []
