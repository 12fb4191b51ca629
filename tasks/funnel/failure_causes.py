"""Why briefs failed or were rejected: one cause a brief, so that they add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import duckdb

from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import Rows, rows

MOST_NAMED = 3  # causes in one line
# Kinds of a failed call whose own words differ from call to call (tasks.llm.errors).
_KINDS: Final[Mapping[str, str]] = {
    "rate": "rate limit of the provider",
    "overload": "server overloaded or broken",
    "timeout": "no answer in time",
    "connection": "no connection to the server",
    "malformed": "reply that is no chat completion",
    "oversized": "answer longer than limits.max_answer_bytes",
    "filtered": "withheld by the provider's filter",
    "invalid": "request refused by the provider",
}
_DOWN: Final = ("overload", "timeout", "connection")

# The last failure of a failed brief; of a rejected one why its answer could not be read, else the
# first rule that it broke and that follows from no other.
_CAUSES: Final = f"""
WITH {BRIEF_VERDICTS},
kinds AS (SELECT unnest($kinds::VARCHAR[]) AS kind, unnest($texts::VARCHAR[]) AS text),
failures AS (
    SELECT v.dialogue_id, arg_max(t.error, t.attempt) AS error
    FROM brief_verdicts v
    LEFT JOIN transcripts t ON t.dialogue_id = v.dialogue_id AND t.status = 'failed'
    WHERE v.verdict = 'failed'
    GROUP BY v.dialogue_id
),
failed AS (
    SELECT
        dialogue_id,
        regexp_extract(error, '^([a-z_]+)(?: [0-9]{{3}})?: ', 1) AS kind,
        regexp_extract(error, '^[a-z_]+ ([0-9]{{3}}): ', 1) AS status,
        regexp_extract(
            regexp_replace(error, '^[a-z_]+(?: [0-9]{{3}})?: | \\(after [0-9]+ tries\\)$', '', 'g'),
            '^[^:(]*'
        ) AS words,
        left(trim(words), 100) AS cut
    FROM failures
),
broken AS (
    SELECT r.dialogue_id, arg_min(r.rule, (r.turn, r.rule)) AS rule
    FROM brief_verdicts v
    JOIN rejections r ON r.dialogue_id = v.dialogue_id AND r.attempt = v.attempt
    WHERE v.verdict = 'rejected' AND r.severity = 'reject' AND r.because IS NULL
    GROUP BY r.dialogue_id
),
rejected AS (
    SELECT
        v.dialogue_id,
        coalesce(nullif(d.parse_error, ''), 'rule ' || b.rule, 'no rule on record') AS cause
    FROM brief_verdicts v
    LEFT JOIN dialogues d ON d.dialogue_id = v.dialogue_id AND d.attempt = v.attempt
    LEFT JOIN broken b ON b.dialogue_id = v.dialogue_id
    WHERE v.verdict = 'rejected'
),
caused AS (
    SELECT
        dialogue_id,
        'failed' AS verdict,
        CASE
            WHEN text IS NULL THEN coalesce(nullif(cut, ''), 'no cause on record')
            ELSE concat_ws(', ', text, 'status ' || nullif(status, ''))
        END AS cause
    FROM failed
    LEFT JOIN kinds USING (kind)
    UNION ALL
    SELECT dialogue_id, 'rejected', cause
    FROM rejected
)
SELECT verdict, cause, count(*) AS briefs, arg_min(dialogue_id, brief_order) AS example
FROM caused
JOIN briefs USING (dialogue_id)
GROUP BY verdict, cause
ORDER BY verdict, briefs DESC, cause
"""


def causes(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return why briefs failed or were rejected: verdict, cause, briefs, example.

    The commonest cause of each verdict comes first; `example` is the dialogue id of the first brief
    with it. The briefs of a verdict's causes add up to those of the verdict.
    """
    return rows(con, _CAUSES, {"kinds": list(_KINDS), "texts": list(_KINDS.values())})


def provider_is_down(found: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if every brief of some causes failed because no server answered."""
    down = tuple(_KINDS[kind] for kind in _DOWN)
    failed = [row["verdict"] == "failed" and row["cause"].startswith(down) for row in found]
    return bool(failed) and all(failed)


def causes_text(found: Iterable[Mapping[str, Any]], domain: str) -> str:
    """Return the causes in one line with the command that shows an example; empty without any.

    Args:
        found: as `Funnel.causes` holds them.
        domain: the domain's name.
    """
    by_verdict: dict[str, list[Mapping[str, Any]]] = {}
    for row in found:
        by_verdict.setdefault(row["verdict"], []).append(row)
    parts = [_part(verdict, causes, domain) for verdict, causes in by_verdict.items()]
    return "; ".join(parts)


def _part(verdict: str, found: list[Mapping[str, Any]], domain: str) -> str:
    total = sum(row["briefs"] for row in found)
    named = [f"{row['briefs']:,} {row['cause']}" for row in found[:MOST_NAMED]]
    if len(found) > MOST_NAMED:
        named.append(f"{total - sum(row['briefs'] for row in found[:MOST_NAMED]):,} others")
    example = f"redial why {domain}/{found[0]['example']}"
    return f"{total:,} {verdict} ({', '.join(named)}; see `{example}`)"
