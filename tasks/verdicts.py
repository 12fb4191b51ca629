"""How a brief and how an attempt ended: the definitions, as SQL that every count of them uses.

A module of its own without imports: a stage that needs a definition does not depend on how it is
counted and shown.
"""

from __future__ import annotations

from typing import Final

VERDICTS: Final = ("accepted", "rejected", "failed", "unasked")

BRIEF_VERDICTS: Final = """
brief_verdicts AS (
    SELECT b.dialogue_id, coalesce(v.verdict, 'unasked') AS verdict, v.attempt
    FROM briefs b LEFT JOIN verdicts v USING (dialogue_id)
)"""
"""CTE `brief_verdicts` (dialogue_id, verdict, attempt): each of today's briefs with exactly one verdict.

A brief that the table `verdicts` does not know is unasked; a verdict of a brief that is no longer
planned does not count.
"""

ACCEPTED: Final = """
accepted AS (
    SELECT dialogue_id, attempt FROM verdicts SEMI JOIN briefs USING (dialogue_id)
    WHERE verdict = 'accepted'
)"""
"""CTE `accepted` (dialogue_id, attempt): the briefs that `brief_verdicts` calls accepted."""

ATTEMPT_OUTCOMES: Final = """
broken AS (SELECT DISTINCT dialogue_id, attempt FROM rejections WHERE severity = 'reject'),
judged AS (SELECT DISTINCT dialogue_id, attempt FROM dialogue_facts),
attempt_outcomes AS (
    SELECT t.dialogue_id, t.attempt,
           CASE WHEN t.status <> 'answered' THEN 'failed'
                WHEN b.dialogue_id IS NOT NULL THEN 'rejected'
                WHEN j.dialogue_id IS NULL THEN 'unjudged'
                ELSE 'accepted' END AS outcome
    FROM transcripts t SEMI JOIN briefs USING (dialogue_id)
    LEFT JOIN broken b ON b.dialogue_id = t.dialogue_id AND b.attempt = t.attempt
    LEFT JOIN judged j ON j.dialogue_id = t.dialogue_id AND j.attempt = t.attempt
)"""
"""CTE `attempt_outcomes` (dialogue_id, attempt, outcome): accepted, rejected, failed, or unjudged where a
run was cut off between an answer and its judgement.
"""
