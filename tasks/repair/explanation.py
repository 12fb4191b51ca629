"""Why a dialogue ended as it did: its brief, its attempts, the rules they broke and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.dialogue_store import brief_items
from tasks.errors import UserError
from tasks.lineage import asked_requests
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import rows


@dataclass(frozen=True)
class Broken:
    """One rule that an attempt broke; `turn` is None if it is about the whole dialogue.

    `because` names the rule that this finding follows from; it is None for a root cause.
    """

    rule: str
    severity: str
    turn: int | None
    evidence: str
    sentence: str
    because: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt: how it was answered, what it said, which rules it broke.

    `text` is the whole answer, from which `utterances` were read as far as that was possible.
    `requests` are those of a dual rollout, one a turn, with `turn` and `side`; else one.
    """

    attempt: int
    status: str
    finish_reason: str
    error: str
    text: str
    utterances: list[dict[str, Any]]
    broken: list[Broken]
    requests: list[dict[str, Any]]


@dataclass(frozen=True)
class Why:
    """All that explains how one dialogue ended."""

    domain: str
    dialogue_id: str
    verdict: str
    brief: dict[str, Any]
    items: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    attempts: list[Attempt]


def why(
    con: duckdb.DuckDBPyConnection, domain: str, dialogue_id: str, sentences: Mapping[str, str]
) -> Why:
    """Return all that explains how a dialogue ended; `sentences` has what each rule says.

    Raises UserError when the warehouse has no such brief.
    """
    briefs = rows(con, _BRIEF, [dialogue_id])
    if not briefs:
        raise UserError(f"there is no dialogue {dialogue_id} in {domain}")
    brief = briefs[0]
    verdict = brief.pop("verdict")
    items = brief_items(con, dialogue_id)
    turns = rows(con, _TURNS, [dialogue_id])
    said = rows(con, _SAID, [dialogue_id])
    broken = rows(con, _BROKEN, [dialogue_id])
    transcripts = rows(con, _TRANSCRIPTS, [dialogue_id])
    asked = [{name: row[name] for name in _OF_REQUEST} for row in asked_requests(con, dialogue_id)]
    attempts = [_attempt(transcript, said, broken, sentences, asked) for transcript in transcripts]
    return Why(domain, dialogue_id, verdict, brief, items, turns, attempts)


def _attempt(
    transcript: dict[str, Any],
    said: list[dict[str, Any]],
    broken: list[dict[str, Any]],
    sentences: Mapping[str, str],
    asked: list[dict[str, Any]],
) -> Attempt:
    number = transcript["attempt"]
    return Attempt(
        number,
        transcript["status"],
        transcript["finish_reason"] or "",
        transcript["error"] or "",
        transcript["text"] or "",
        utterances=[row for row in said if row["attempt"] == number],
        broken=[_broken(row, sentences) for row in broken if row["attempt"] == number],
        requests=[row for row in asked if row["attempt"] == number],
    )


def _broken(row: dict[str, Any], sentences: Mapping[str, str]) -> Broken:
    rule = row["rule"]
    return Broken(
        rule,
        row["severity"],
        row["turn"],
        row["evidence"] or "",
        sentences.get(rule, rule),
        row["because"],
    )


_OF_REQUEST = (
    "attempt",
    "turn",
    "side",
    "request_key",
    "model",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
)
_BRIEF = f"""
WITH {BRIEF_VERDICTS}
SELECT b.*, v.verdict
FROM briefs b
JOIN brief_verdicts v USING (dialogue_id)
WHERE dialogue_id = ?
"""
_TURNS = """
SELECT turn, role, goals, introduces, refers
FROM template_turns t
JOIN briefs b USING (template_id)
WHERE b.dialogue_id = ?
ORDER BY turn
"""
_SAID = """
SELECT attempt, turn, role, text
FROM utterances
WHERE dialogue_id = ?
ORDER BY attempt, turn
"""
_BROKEN = """
SELECT attempt, rule, severity, turn, evidence, because
FROM rejections
WHERE dialogue_id = ?
ORDER BY attempt, because IS NOT NULL, turn NULLS FIRST, rule
"""
_TRANSCRIPTS = """
SELECT attempt, status, finish_reason, error, text
FROM transcripts
WHERE dialogue_id = ?
ORDER BY attempt
"""
