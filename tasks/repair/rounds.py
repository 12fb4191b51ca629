"""Which briefs are asked next: what is unanswered, what was rejected, and how many more a target of accepted dialogues needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from tasks.verdicts import ACCEPTED, BRIEF_VERDICTS
from tasks.warehouse import forget_stages

STAGES = ("generate", "dialogues", "quality")  # of every attempt, in this order


def forget_attempts(con: duckdb.DuckDBPyConnection, attempt: int) -> None:
    """Delete what came of an attempt and all after it, and the verdicts that rest on it; paid answers stay in `responses`."""
    con.execute("DELETE FROM verdicts")
    for table in ("transcripts", "dialogues", "utterances", "rejections", "dialogue_facts", "utterance_facts"):
        con.execute(f"DELETE FROM {table} WHERE attempt >= ?", [attempt])
    con.execute("DELETE FROM gates WHERE place >= ?", [attempt])


def forget_beyond(con: duckdb.DuckDBPyConnection, last: int) -> None:
    """Delete what an earlier run made at attempts after `last`, and its records: a run with these settings makes none of it."""
    (found,) = con.execute("SELECT coalesce(max(attempt), 0) FROM transcripts").fetchall()[0]
    if found > last:
        forget_attempts(con, last + 1)
        forget_stages(con, [f"{stage}-{number}" for number in range(last + 1, found + 1) for stage in STAGES])


def has_attempt(con: duckdb.DuckDBPyConnection, attempt: int) -> bool:
    """Return True if anything was made at an attempt."""
    return bool(con.execute("SELECT 1 FROM transcripts WHERE attempt = ? LIMIT 1", [attempt]).fetchall())


def unanswered(con: duckdb.DuckDBPyConnection, attempt: int, ids: Sequence[str]) -> list[str]:
    """Return those of some briefs, in their order, that have no answered transcript of an attempt."""
    rows = con.execute(
        "SELECT dialogue_id FROM transcripts WHERE attempt = ? AND status = 'answered' AND dialogue_id IN (SELECT unnest(?))",
        [attempt, list(ids)],
    ).fetchall()
    answered = {row[0] for row in rows}
    return [dialogue_id for dialogue_id in ids if dialogue_id not in answered]


def rejected_before(con: duckdb.DuckDBPyConnection, attempt: int) -> list[str]:
    """Return the briefs whose dialogue was rejected at the attempt before `attempt`, in brief order: what a repair can help."""
    return [row[0] for row in con.execute(_REJECTED, [attempt - 1]).fetchall()]


def next_briefs(con: duckdb.DuckDBPyConnection, accepted: int | None) -> list[str]:
    """Return the briefs a round asks, in brief order.

    Without a target these are all. With one, each template's quota is its share of all briefs (largest remainders); a template that
    lacks accepted dialogues gets as many briefs as it lacks, from those nobody was asked for yet. Where a template has no brief left
    the others take over its lack. An empty list means the target is reached or the briefs are used up.
    """
    if accepted is None:
        return [row[0] for row in con.execute("SELECT dialogue_id FROM briefs ORDER BY brief_order").fetchall()]
    rows = con.execute(_STANDING).fetchall()
    waiting: dict[str, list[str]] = {template: ids for template, _, _, ids in rows}
    lack = _lacking({template: (total, done) for template, total, done, _ in rows}, accepted)
    chosen = [dialogue_id for template, ids in waiting.items() for dialogue_id in ids[: lack[template]]]
    short = sum(lack.values()) - len(chosen)
    spare = [dialogue_id for template, ids in waiting.items() for dialogue_id in ids[lack[template] :]]
    wanted = {*chosen, *spare[:short]}
    return [dialogue_id for dialogue_id in next_briefs(con, None) if dialogue_id in wanted]


def _lacking(standing: Mapping[str, tuple[int, int]], accepted: int) -> dict[str, int]:
    """Return how many accepted dialogues each template lacks; together no more than the target lacks."""
    briefs = sum(total for total, _ in standing.values()) or 1
    shares = {template: accepted * total / briefs for template, (total, _) in standing.items()}
    quotas = {template: int(share) for template, share in shares.items()}
    by_remainder = sorted(shares, key=lambda template: (quotas[template] - shares[template], template))
    for template in by_remainder[: accepted - sum(quotas.values())]:
        quotas[template] += 1
    lack = {template: max(0, quotas[template] - done) for template, (_, done) in standing.items()}
    over = sum(lack.values()) - max(0, accepted - sum(done for _, done in standing.values()))
    for template in sorted(lack, key=lambda name: (-lack[name], name)):
        cut = min(max(over, 0), lack[template])
        lack[template] -= cut
        over -= cut
    return lack


def accepted_of(con: duckdb.DuckDBPyConnection) -> int:
    """Return how many briefs are accepted by the verdicts as they stand."""
    found: Any = con.execute(f"WITH {ACCEPTED} SELECT count(*) FROM accepted").fetchall()
    return int(found[0][0])


_REJECTED = """
WITH broken AS (
    SELECT DISTINCT dialogue_id FROM rejections WHERE severity = 'reject' AND attempt = ?
)
SELECT b.dialogue_id FROM briefs b SEMI JOIN broken USING (dialogue_id) ORDER BY b.brief_order
"""

_STANDING = f"""
WITH {BRIEF_VERDICTS},
asked AS (SELECT DISTINCT dialogue_id FROM transcripts WHERE attempt = 1 AND status = 'answered'),
standing AS (
    SELECT b.template_id, b.dialogue_id, b.brief_order,
           v.verdict = 'accepted' AND a.dialogue_id IS NOT NULL AS accepted,
           a.dialogue_id IS NULL AS waiting
    FROM briefs b
    JOIN brief_verdicts v USING (dialogue_id)
    LEFT JOIN asked a USING (dialogue_id)
)
SELECT template_id, count(*), count(*) FILTER (accepted), coalesce(list(dialogue_id ORDER BY brief_order) FILTER (waiting), [])
FROM standing GROUP BY template_id ORDER BY template_id
"""
