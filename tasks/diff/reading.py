"""Reads the dialogues of a side: of a warehouse as it is now, or of a release's tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from tasks.diff.values import ComparedDialogue, Turn
from tasks.errors import UserError
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
    SELECT a.dialogue_id, r.cost_usd, coalesce(r.prompt_tokens, 0) AS prompt_tokens, coalesce(r.completion_tokens, 0) AS completion_tokens
    FROM asked a JOIN responses r USING (request_key)
    UNION ALL
    SELECT dialogue_id, cost_usd, coalesce(prompt_tokens, 0), coalesce(completion_tokens, 0) FROM unusable_answers
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
slots AS (SELECT dialogue_id, list(item_id ORDER BY slot) AS items FROM brief_items GROUP BY dialogue_id),
judged AS (SELECT DISTINCT dialogue_id FROM dialogue_facts WHERE attempt = 1),
broken AS (SELECT dialogue_id, list(DISTINCT rule) AS rules FROM rejections WHERE attempt = 1 GROUP BY dialogue_id)
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
last_attempt AS (SELECT dialogue_id, max(attempt) AS attempt FROM dialogues GROUP BY dialogue_id),
said_at AS (
    SELECT v.dialogue_id, coalesce(v.attempt, l.attempt) AS attempt
    FROM brief_verdicts v LEFT JOIN last_attempt l USING (dialogue_id)
)
"""
_SAID = f"""
WITH {_COUNTING_ATTEMPT}
SELECT u.dialogue_id, u.turn, u.role, u.text FROM utterances u SEMI JOIN said_at USING (dialogue_id, attempt)
ORDER BY u.dialogue_id, u.turn
"""
_SAID_IN_ONE = f"""
WITH {_COUNTING_ATTEMPT}
SELECT u.turn, u.role, u.text FROM utterances u SEMI JOIN said_at USING (dialogue_id, attempt)
WHERE u.dialogue_id = ? ORDER BY u.turn
"""
_MOST_ROWS = 10_000  # read at a time


def warehouse_counts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return how the briefs of a warehouse ended and what their answers cost."""
    (found,) = rows(con, _COUNTING.format(paid=_PAID))
    return found


def read_warehoused(con: duckdb.DuckDBPyConnection) -> tuple[ComparedDialogue, ...]:
    """Return every brief of a warehouse as a dialogue to compare, in order."""
    said = dict(_hashes(con, _SAID))
    found = con.execute(_DIALOGUES).fetchall()
    return tuple(_dialogue(row, said) for row in found)


def _dialogue(row: tuple[Any, ...], said: Mapping[str, str]) -> ComparedDialogue:
    dialogue_id, user_id, template_id, items, verdict, attempt, broken, dollars, tokens = row
    return ComparedDialogue(
        dialogue_id,
        user_id,
        template_id,
        tuple(items),
        verdict,
        said.get(dialogue_id, ""),
        attempt,
        None if broken is None else frozenset(broken),
        dollars,
        tokens,
    )


def _hashes(con: duckdb.DuckDBPyConnection, query: str, values: list[Any] | None = None) -> Iterator[tuple[str, str]]:
    """Yield each dialogue's id and the hash of what was said, from rows in the dialogues' order."""
    asked = con.execute(query, values or [])
    current, turns = None, list[tuple[str, str]]()
    while some := asked.fetchmany(_MOST_ROWS):
        for dialogue_id, _, role, text in some:
            if dialogue_id != current:
                if current is not None:
                    yield current, speech_hash(turns)
                current, turns = dialogue_id, []
            turns.append((role, text))
    if current is not None:
        yield current, speech_hash(turns)


def warehoused_turns(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> list[Turn]:
    """Return what was said in one dialogue, at the attempt its verdict names or the last that was read."""
    return [Turn.of(*row) for row in con.execute(_SAID_IN_ONE, [dialogue_id]).fetchall()]


def read_released(folder: Path) -> tuple[ComparedDialogue, ...]:
    """Return the dialogues of a release, ours with its tables or the authors' without. Raises UserError."""
    tables = folder / "parquet"
    if not (tables / "dialogues.parquet").is_file():
        return _of_layout(folder)
    with duckdb.connect() as con:
        try:
            said = dict(
                _hashes(con, "SELECT dialogue_id, turn, role, text FROM read_parquet(?) ORDER BY ALL", [_table(tables, "utterances")])
            )
            items: defaultdict[str, list[str]] = defaultdict(list)
            for dialogue_id, item_id in con.execute(
                "SELECT dialogue_id, item_id FROM read_parquet(?) ORDER BY dialogue_id, slot", [_table(tables, "brief_items")]
            ).fetchall():
                items[dialogue_id].append(item_id)
            found = con.execute(
                "SELECT dialogue_id, user_id, template_id FROM read_parquet(?) ORDER BY conversation_id", [_table(tables, "dialogues")]
            ).fetchall()
        except duckdb.Error as error:
            raise UserError(f"the tables of {folder} cannot be read: {str(error).splitlines()[0]}") from None
    return tuple(
        ComparedDialogue(name, user, template, tuple(items[name]), "accepted", said.get(name, "")) for name, user, template in found
    )


def _table(tables: Path, name: str) -> str:
    return str(tables / f"{name}.parquet")


def _of_layout(folder: Path) -> tuple[ComparedDialogue, ...]:
    """Return the dialogues of a folder in the published layout, which knows no templates: items stand for them."""
    return tuple(
        ComparedDialogue(
            str(one.conversation_id),
            one.user_id,
            "",
            (*one.likes, *one.dislikes, *one.rec_items),
            "accepted",
            speech_hash((turn.role, turn.text) for turn in one.turns),
        )
        for one in Release.load(folder).conversations
    )


def released_turns(folder: Path, dialogue_id: str) -> list[Turn]:
    """Return what was said in one dialogue of a release."""
    table = folder / "parquet" / "utterances.parquet"
    if not table.is_file():
        found = [one.turns for one in Release.load(folder).conversations if str(one.conversation_id) == dialogue_id]
        return [Turn.of(number, turn.role, turn.text) for turns in found for number, turn in enumerate(turns, start=1)]
    with duckdb.connect() as con:
        query = "SELECT turn, role, text FROM read_parquet(?) WHERE dialogue_id = ? ORDER BY turn"
        return [Turn.of(*row) for row in con.execute(query, [str(table), dialogue_id]).fetchall()]
