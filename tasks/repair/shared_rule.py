"""A rule that nearly all of the first attempts judged so far break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from tasks.llm import MOST_UNUSABLE, RECENT, RunStopped, one_answer
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
    SELECT rule, dialogues, example
    FROM broken
    WHERE dialogues >= $least
    ORDER BY root_causes DESC, rule
    LIMIT 1
)
SELECT c.rule, c.dialogues, c.example, min(r.evidence), any_value(t.text)
FROM commonest c
JOIN rejections r ON r.dialogue_id = c.example AND r.rule = c.rule AND r.attempt = 1
JOIN transcripts t ON t.dialogue_id = c.example AND t.attempt = 1
GROUP BY ALL
"""
# In the order of the briefs, in which the templates are mixed: requests of a chunk are in theirs.
_LATEST = """
WITH asked AS (
    SELECT dialogue_id, unnest(request_keys) AS request_key
    FROM transcripts
    WHERE attempt = 1
),
own AS (
    SELECT request_key
    FROM responses
    WHERE run_id = $run_id
),
paid AS (
    SELECT DISTINCT dialogue_id
    FROM asked
    SEMI JOIN own USING (request_key)
)
SELECT b.dialogue_id
FROM briefs b
SEMI JOIN paid USING (dialogue_id)
ORDER BY b.brief_order DESC
LIMIT $recent
"""


def common_fault(
    con: duckdb.DuckDBPyConnection, domain: str, ids: Sequence[str], sentences: Mapping[str, str]
) -> RunStopped | None:
    """Return why a run must end if the first attempts at some briefs all break one rule.

    Args:
        con: the warehouse, after these dialogues were judged.
        domain: the domain's name.
        ids: dialogue ids of the briefs.
        sentences: what each rule says.

    Returns:
        The reason, with one of the answers; None if the dialogues have no rule in common.
    """
    return _fault(con, domain, ids, len(ids), sentences)


def recent_fault(
    con: duckdb.DuckDBPyConnection, domain: str, run_id: str, sentences: Mapping[str, str]
) -> RunStopped | None:
    """Return why a run must end if 20 of the last 25 first attempts it paid for break one rule.

    Args:
        con: the warehouse, after these dialogues were judged.
        domain: the domain's name.
        run_id: the run.
        sentences: what each rule says.
    """
    found = con.execute(_LATEST, {"run_id": run_id, "recent": RECENT}).fetchall()
    return _fault(con, domain, [row[0] for row in found], MOST_UNUSABLE, sentences)


def _fault(
    con: duckdb.DuckDBPyConnection,
    domain: str,
    ids: Sequence[str],
    least: int,
    sentences: Mapping[str, str],
) -> RunStopped | None:
    """Return the reason to end a run if at least `least` of some dialogues break the same rule."""
    found = con.execute(_COMMON, {"ids": list(ids), "least": least}).fetchall()
    if not found:
        return None
    ((rule, dialogues, example, evidence, text),) = found
    is_all = dialogues == len(ids)
    what = f"all {len(ids)}" if is_all else f"{dialogues} of the last {len(ids)}"
    says = one_line(sentences.get(rule, rule)).rstrip(".")
    return RunStopped(
        "answers",
        f"{what} first answers break the rule {rule} ({says}): {one_line(evidence or '')}; "
        f"see `redial why {domain}/{example}`, or set generate.limits.stop_after_rejected to 0 "
        f"to go on{one_answer(text or '')}",
    )
