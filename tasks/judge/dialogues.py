"""Dialogues to judge, read from the warehouse with the briefs they were written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Final

import duckdb

from tasks.briefs import Brief
from tasks.judge.values import DialogueToJudge
from tasks.prompts import Spoken

_SAID: Final = """
WITH wanted AS (
    SELECT unnest($ids::VARCHAR[]) AS dialogue_id
)
SELECT dialogue_id, list({role: role, text: text} ORDER BY turn)
FROM utterances
SEMI JOIN wanted USING (dialogue_id)
WHERE attempt = $attempt
GROUP BY dialogue_id
"""


def with_dialogues(
    con: duckdb.DuckDBPyConnection, briefs: Sequence[Brief], attempt: int
) -> list[DialogueToJudge]:
    """Join briefs with the dialogues that were written from them at an attempt.

    Args:
        con: the domain's warehouse, after the dialogues of the attempt were read.
        briefs: the briefs.
        attempt: the attempt.
    """
    ids = [brief.dialogue_id for brief in briefs]
    rows = con.execute(_SAID, {"ids": ids, "attempt": attempt}).fetchall()
    said = {
        dialogue_id: tuple(Spoken(turn["role"], turn["text"]) for turn in turns)
        for dialogue_id, turns in rows
    }
    return [to_judge(brief, said.get(brief.dialogue_id, ())) for brief in briefs]


def to_judge(brief: Brief, spoken: Sequence[Spoken]) -> DialogueToJudge:
    """Return a brief with a dialogue, titles in the place of placeholders."""
    values: Mapping[str, object] = {
        field.name: getattr(brief, field.name) for field in fields(Brief)
    }
    return DialogueToJudge(**values, spoken=tuple(spoken))  # type: ignore[arg-type]
