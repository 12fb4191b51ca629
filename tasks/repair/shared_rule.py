"""A rule that the first dialogues of a run break without exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from tasks.llm import RunStopped, one_answer
from tasks.redaction import one_line

_COMMON = """
WITH wanted AS (
    SELECT unnest($ids::VARCHAR[]) AS dialogue_id
),
judged AS (
    SELECT dialogue_id
    FROM dialogue_facts
    SEMI JOIN wanted USING (dialogue_id)
    WHERE attempt = 1
),
broken AS (
    SELECT
        rule,
        count(DISTINCT dialogue_id) AS dialogues,
        count(DISTINCT dialogue_id) FILTER (because IS NULL) AS root_causes,
        arg_min(dialogue_id, (because IS NOT NULL, dialogue_id)) AS example
    FROM rejections
    SEMI JOIN judged USING (dialogue_id)
    WHERE attempt = 1 AND severity = 'reject'
    GROUP BY rule
),
commonest AS (
    SELECT rule, example
    FROM broken
    WHERE dialogues >= $least AND dialogues = (SELECT count(*) FROM judged)
    ORDER BY root_causes DESC, rule
    LIMIT 1
)
SELECT c.rule, c.example, min(r.evidence), any_value(t.text)
FROM commonest c
JOIN rejections r ON r.dialogue_id = c.example AND r.rule = c.rule AND r.attempt = 1
JOIN transcripts t ON t.dialogue_id = c.example AND t.attempt = 1
GROUP BY ALL
"""


def common_fault(
    con: duckdb.DuckDBPyConnection,
    domain: str,
    ids: Sequence[str],
    least: int,
    sentences: Mapping[str, str],
) -> RunStopped | None:
    """Return why a run must end if the first attempts at some briefs all break one rule.

    Args:
        con: the warehouse, after these dialogues were judged.
        domain: the domain's name.
        ids: dialogue ids of the briefs.
        least: fewest judged dialogues that say anything about the rest.
        sentences: what each rule says.

    Returns:
        The reason, with one of the answers; None if the dialogues have no rule in common.
    """
    found = con.execute(_COMMON, {"ids": list(ids), "least": least}).fetchall()
    if not found:
        return None
    ((rule, example, evidence, text),) = found
    says = one_line(sentences.get(rule, rule)).rstrip(".")
    return RunStopped(
        "answers",
        f"all {len(ids)} first answers break the rule {rule} ({says}): {one_line(evidence or '')}; "
        f"see `redial why {domain}/{example}`, or set generate.limits.stop_after_rejected to 0 "
        f"to go on{one_answer(text or '')}",
    )
