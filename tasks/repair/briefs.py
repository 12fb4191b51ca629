"""A brief whose dialogue was rejected, with what was written and what was wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import duckdb

from tasks.briefs import Brief
from tasks.prompts import Finding

BROKE_OFF = "completely-generated"
_ABOUT_THE_END = frozenset({BROKE_OFF, "template-length"})


@dataclass(frozen=True)
class BriefToRepair(Brief):
    """A brief, the rejected dialogue as it was answered, and the rejecting rules it broke."""

    previous: str = ""
    findings: tuple[Finding, ...] = ()


def load_repairs(
    con: duckdb.DuckDBPyConnection,
    briefs: Sequence[Brief],
    attempt: int,
    sentences: Mapping[str, str],
) -> list[BriefToRepair]:
    """Join briefs with what their attempt before `attempt` was rejected for.

    Args:
        con: the domain's warehouse, judged up to the attempt before.
        briefs: briefs whose dialogue was rejected then.
        attempt: the attempt about to be made, from 2.
        sentences: what each rule says, by name.
    """
    ids = [brief.dialogue_id for brief in briefs]
    answers = {row[0]: row[1:] for row in con.execute(_ANSWERS, [attempt - 1, ids]).fetchall()}
    found = _findings(con, ids, attempt - 1, sentences)
    repairs = []
    for brief in briefs:
        text, read, complete, error = answers.get(brief.dialogue_id, ("", 0, False, ""))
        findings = found.get(brief.dialogue_id, [])
        turns = len(brief.template.turns)
        if not complete and read and read <= turns:
            # A turn of JSON that broke off could not be read, so the next one is the first missing
            # one. A turn of plain text that broke off is the last one read.
            first = read + 1 if error and read < turns else read
            findings = with_missing_turns(findings, first, turns)
        repairs.append(
            BriefToRepair(**_values(brief), previous=text or "", findings=tuple(findings))
        )
    return repairs


def _findings(
    con: duckdb.DuckDBPyConnection, ids: Sequence[str], attempt: int, sentences: Mapping[str, str]
) -> dict[str, list[Finding]]:
    """Return the findings that rejected dialogues at an attempt, by dialogue id."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for dialogue_id, rule, turn, evidence in con.execute(_FINDINGS, [attempt, ids]).fetchall():
        found[dialogue_id].append(Finding(rule, turn, evidence or "", sentences.get(rule, rule)))
    return found


def with_missing_turns(findings: Sequence[Finding], first: int, turns: int) -> list[Finding]:
    """Return findings with one for each missing turn, in place of those about the end.

    So only the rest of an answer that broke off is asked for, and what was paid for is kept.

    Args:
        findings: the findings about the dialogue.
        first: the first turn that is missing or broke off.
        turns: the number of turns of the template.
    """
    kept = [finding for finding in findings if finding.rule not in _ABOUT_THE_END]
    sentence = "The answer broke off in or before this turn."
    missing = [Finding(BROKE_OFF, turn, "", sentence) for turn in range(first, turns + 1)]
    return kept + missing


def _values(brief: Brief) -> dict[str, Any]:
    return {field.name: getattr(brief, field.name) for field in fields(Brief)}


_ANSWERS = """
SELECT t.dialogue_id, t.text, d.utterances, d.complete, d.parse_error
FROM transcripts t
LEFT JOIN dialogues d USING (dialogue_id, attempt)
WHERE t.attempt = ? AND t.dialogue_id IN (SELECT unnest(?))
"""

_FINDINGS = """
SELECT dialogue_id, rule, turn, evidence
FROM rejections
WHERE severity = 'reject' AND attempt = ? AND dialogue_id IN (SELECT unnest(?))
ORDER BY dialogue_id, turn NULLS FIRST, rule
"""
