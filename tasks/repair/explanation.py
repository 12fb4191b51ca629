"""Why a dialogue ended as it did: its brief, each attempt, each rule it broke with the offending piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import rows


@dataclass(frozen=True)
class Broken:
    """One rule an attempt broke; `turn` is None where it concerns the whole dialogue.

    `because` names the rule this finding follows from; None for a root cause.
    """

    rule: str
    severity: str
    turn: int | None
    evidence: str
    sentence: str
    because: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt: how it was answered, what it said, which rules it broke. `text` is the raw answer where nothing could be read."""

    attempt: int
    status: str
    finish_reason: str
    error: str
    text: str
    utterances: list[dict[str, Any]]
    broken: list[Broken]


@dataclass(frozen=True)
class Why:
    """One dialogue's whole story."""

    domain: str
    dialogue_id: str
    verdict: str
    brief: dict[str, Any]
    items: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    attempts: list[Attempt]


def why(con: duckdb.DuckDBPyConnection, domain: str, dialogue_id: str, sentences: Mapping[str, str]) -> Why:
    """Tell a dialogue's story. `sentences` says each rule in words. Raises UserError when the warehouse has no such brief."""
    briefs = rows(con, _BRIEF, [dialogue_id])
    if not briefs:
        raise UserError(f"there is no dialogue {dialogue_id} in {domain}")
    brief = briefs[0]
    verdict = brief.pop("verdict")
    items, turns = rows(con, _ITEMS, [dialogue_id]), rows(con, _TURNS, [dialogue_id])
    said, broken = rows(con, _SAID, [dialogue_id]), rows(con, _BROKEN, [dialogue_id])
    asked = rows(con, _ASKED, [dialogue_id])
    attempts = [_attempt(row, said, broken, sentences) for row in asked]
    return Why(domain, dialogue_id, verdict, brief, items, turns, attempts)


def _attempt(row: dict[str, Any], said: list[dict[str, Any]], broken: list[dict[str, Any]], sentences: Mapping[str, str]) -> Attempt:
    number = row["attempt"]
    faults = [
        Broken(
            one["rule"],
            one["severity"],
            one["turn"],
            one["evidence"] or "",
            sentences.get(one["rule"], one["rule"]),
            one["because"],
        )
        for one in broken
        if one["attempt"] == number
    ]
    utterances = [one for one in said if one["attempt"] == number]
    return Attempt(number, row["status"], row["finish_reason"] or "", row["error"] or "", row["text"] or "", utterances, faults)


_BRIEF = f"""
WITH {BRIEF_VERDICTS}
SELECT b.*, v.verdict
FROM briefs b JOIN brief_verdicts v USING (dialogue_id)
WHERE dialogue_id = ?
"""
_ITEMS = "SELECT slot, item_id, title, collection FROM brief_items WHERE dialogue_id = ? ORDER BY slot"
_TURNS = """
SELECT turn, role, goals, introduces, refers
FROM template_turns t JOIN briefs b USING (template_id)
WHERE b.dialogue_id = ? ORDER BY turn
"""
_SAID = "SELECT attempt, turn, role, text FROM utterances WHERE dialogue_id = ? ORDER BY attempt, turn"
_BROKEN = """
SELECT attempt, rule, severity, turn, evidence, because
FROM rejections
WHERE dialogue_id = ?
ORDER BY attempt, because IS NOT NULL, turn NULLS FIRST, rule
"""
_ASKED = "SELECT attempt, status, finish_reason, error, text FROM transcripts WHERE dialogue_id = ? ORDER BY attempt"
