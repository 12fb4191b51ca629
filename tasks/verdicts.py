"""Outcomes of briefs and of attempts: their definitions, as SQL for every query that counts them.

A module without imports, so that a stage that needs a definition does not depend on how it is
counted and shown.
"""

from __future__ import annotations

from typing import Final

VERDICTS: Final = ("accepted", "rejected", "failed", "unasked")

BRIEF_VERDICTS: Final = """
brief_verdicts AS (
    SELECT b.dialogue_id, coalesce(v.verdict, 'unasked') AS verdict, v.attempt
    FROM briefs b
    LEFT JOIN verdicts v USING (dialogue_id)
)"""
"""CTE `brief_verdicts` (dialogue_id, verdict, attempt): each current brief with one verdict.

A brief without a row in `verdicts` is unasked; a verdict of a brief that is no longer planned does
not count.
"""

ACCEPTED: Final = """
accepted AS (
    SELECT dialogue_id, attempt
    FROM verdicts
    SEMI JOIN briefs USING (dialogue_id)
    WHERE verdict = 'accepted'
)"""
"""CTE `accepted` (dialogue_id, attempt): the accepted briefs of `brief_verdicts`."""

ATTEMPT_OUTCOMES: Final = """
broken AS (SELECT DISTINCT dialogue_id, attempt FROM rejections WHERE severity = 'reject'),
judged AS (SELECT DISTINCT dialogue_id, attempt FROM dialogue_facts),
attempt_outcomes AS (
    SELECT
        t.dialogue_id,
        t.attempt,
        CASE
            WHEN t.status <> 'answered' THEN 'failed'
            WHEN b.dialogue_id IS NOT NULL THEN 'rejected'
            WHEN j.dialogue_id IS NULL THEN 'unjudged'
            ELSE 'accepted'
        END AS outcome
    FROM transcripts t
    SEMI JOIN briefs USING (dialogue_id)
    LEFT JOIN broken b ON b.dialogue_id = t.dialogue_id AND b.attempt = t.attempt
    LEFT JOIN judged j ON j.dialogue_id = t.dialogue_id AND j.attempt = t.attempt
)"""
"""CTE `attempt_outcomes` (dialogue_id, attempt, outcome).

The outcome is accepted, rejected, failed, or unjudged if a run was stopped between an answer and
its judgement.
"""
