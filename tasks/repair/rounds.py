"""Which briefs are asked next.

They are those without an answer, those rejected, and as many more as a target of accepted dialogues
needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.settings import Generate
from tasks.verdicts import ACCEPTED, BRIEF_VERDICTS
from tasks.warehouse import forget_stages

STAGES = ("generate", "dialogues", "judge", "quality")  # of every attempt, in this order
_ATTEMPT_TABLES = (
    "transcripts",
    "dialogues",
    "utterances",
    "judge_answers",
    "rejections",
    "dialogue_facts",
    "utterance_facts",
)


@dataclass(frozen=True)
class _Progress:
    """One template: its briefs, those accepted, and the ids of those not asked yet, in order."""

    template: str
    briefs: int
    accepted: int
    waiting: list[str]


def forget_attempts(con: duckdb.DuckDBPyConnection, attempt: int) -> None:
    """Delete the results of an attempt and all later ones, and the verdicts.

    Paid answers stay in `responses`.
    """
    con.execute("DELETE FROM verdicts")
    for table in _ATTEMPT_TABLES:
        con.execute(f"DELETE FROM {table} WHERE attempt >= ?", [attempt])
    con.execute("DELETE FROM gates WHERE place >= ?", [attempt])


def forget_beyond(con: duckdb.DuckDBPyConnection, last: int) -> None:
    """Delete the results and records of attempts after `last`, which these settings do not make.

    An earlier run with other settings may have made them.
    """
    (found,) = con.execute("SELECT coalesce(max(attempt), 0) FROM transcripts").fetchall()[0]
    if found <= last:
        return
    forget_attempts(con, last + 1)
    for attempt in range(last + 1, found + 1):
        forget_stages(con, [f"{stage}-{attempt}" for stage in STAGES])


def has_attempt(con: duckdb.DuckDBPyConnection, attempt: int) -> bool:
    """Return True if anything was made at an attempt."""
    query = "SELECT 1 FROM transcripts WHERE attempt = ? LIMIT 1"
    return bool(con.execute(query, [attempt]).fetchall())


def escalates(generate: Generate, attempt: int) -> bool:
    """Return True if an attempt asks another model than the one before it."""
    return generate.at_attempt(attempt) != generate.at_attempt(attempt - 1)


def unanswered(con: duckdb.DuckDBPyConnection, attempt: int, ids: Sequence[str]) -> list[str]:
    """Return the briefs among some, in their order, without an answer at an attempt or a later one.

    One that failed and was then answered by another model is not asked again. One that rests on an
    outdated answer has none.
    """
    answered = {row[0] for row in con.execute(_ANSWERED, [attempt, list(ids)]).fetchall()}
    return [dialogue_id for dialogue_id in ids if dialogue_id not in answered]


def rejected_before(
    con: duckdb.DuckDBPyConnection, attempt: int, *, failed: bool = False
) -> list[str]:
    """Return the briefs whose dialogue was rejected at the attempt before, in brief order.

    With `failed` also those whose last attempt got no answer: another model is asked now.
    """
    found = con.execute(_REJECTED, {"attempt": attempt - 1, "failed": failed}).fetchall()
    return [row[0] for row in found]


def next_briefs(con: duckdb.DuckDBPyConnection, accepted: int | None) -> list[str]:
    """Return the briefs a round asks, in brief order.

    Without a target these are all. With one, each template's quota is its share of all briefs; a
    template that lacks accepted dialogues gets as many briefs as it lacks, from those that were not
    asked yet. What a template without such briefs lacks, the others get. An empty list means that
    the target is reached or no brief is left.

    Args:
        con: the domain's warehouse, after the verdicts of the rounds before.
        accepted: the target: how many accepted dialogues there should be; None for all briefs.
    """
    in_order = [row[0] for row in con.execute(_IN_ORDER).fetchall()]
    if accepted is None:
        return in_order
    progress = [_Progress(*row) for row in con.execute(_PROGRESS).fetchall()]
    lack = _lacking(progress, accepted)
    chosen: list[str] = []
    spare: list[str] = []
    for entry in progress:
        count = lack[entry.template]
        chosen += entry.waiting[:count]
        spare += entry.waiting[count:]
    short = sum(lack.values()) - len(chosen)
    wanted = {*chosen, *spare[:short]}
    return [dialogue_id for dialogue_id in in_order if dialogue_id in wanted]


def _lacking(progress: Sequence[_Progress], accepted: int) -> dict[str, int]:
    """Return how many accepted dialogues each template lacks.

    Together they lack no more than the target.
    """
    quotas = _quotas(progress, accepted)
    lack = {entry.template: max(0, quotas[entry.template] - entry.accepted) for entry in progress}
    missing = max(0, accepted - sum(entry.accepted for entry in progress))
    # Where a template has more than its quota, the others need less than theirs.
    surplus = max(0, sum(lack.values()) - missing)
    for template in sorted(lack, key=lambda name: (-lack[name], name)):
        cut = min(surplus, lack[template])
        lack[template] -= cut
        surplus -= cut
    return lack


def _quotas(progress: Sequence[_Progress], accepted: int) -> dict[str, int]:
    """Return each template's part of the target, by its share of the briefs.

    Largest remainders: the parts are rounded down, and what is left goes to those that lost most.
    """
    briefs = sum(entry.briefs for entry in progress) or 1
    shares = {entry.template: accepted * entry.briefs / briefs for entry in progress}
    quotas = {template: int(share) for template, share in shares.items()}
    by_remainder = sorted(shares, key=lambda name: (quotas[name] - shares[name], name))
    for template in by_remainder[: accepted - sum(quotas.values())]:
        quotas[template] += 1
    return quotas


def accepted_of(con: duckdb.DuckDBPyConnection) -> int:
    """Return how many briefs are accepted by the present verdicts."""
    found: Any = con.execute(f"WITH {ACCEPTED} SELECT count(*) FROM accepted").fetchall()
    return int(found[0][0])


_IN_ORDER = "SELECT dialogue_id FROM briefs ORDER BY brief_order"

_ANSWERED = """
WITH outdated AS (SELECT request_key FROM responses WHERE outdated),
answered AS (
    SELECT dialogue_id, request_keys
    FROM transcripts
    WHERE attempt >= ? AND status = 'answered' AND dialogue_id IN (SELECT unnest(?))
),
rests_on AS (SELECT dialogue_id, unnest(request_keys) AS request_key FROM answered)
SELECT dialogue_id
FROM answered
ANTI JOIN (SELECT dialogue_id FROM rests_on SEMI JOIN outdated USING (request_key))
    USING (dialogue_id)
"""

_REJECTED = """
WITH broken AS (
    SELECT dialogue_id
    FROM rejections
    WHERE severity = 'reject' AND attempt = $attempt
),
without_answer AS (
    SELECT dialogue_id
    FROM transcripts
    WHERE $failed AND attempt <= $attempt
    GROUP BY dialogue_id
    HAVING arg_max(status, attempt) = 'failed'
),
due AS (
    SELECT dialogue_id FROM broken
    UNION
    SELECT dialogue_id FROM without_answer
)
SELECT b.dialogue_id
FROM briefs b
SEMI JOIN due USING (dialogue_id)
ORDER BY b.brief_order
"""

_PROGRESS = f"""
WITH {BRIEF_VERDICTS},
asked AS (
    SELECT DISTINCT dialogue_id
    FROM transcripts
    WHERE attempt = 1 AND status = 'answered'
),
standing AS (
    SELECT
        b.template_id,
        b.dialogue_id,
        b.brief_order,
        v.verdict = 'accepted' AND a.dialogue_id IS NOT NULL AS accepted,
        a.dialogue_id IS NULL AS waiting
    FROM briefs b
    JOIN brief_verdicts v USING (dialogue_id)
    LEFT JOIN asked a USING (dialogue_id)
)
SELECT
    template_id,
    count(*),
    count(*) FILTER (accepted),
    coalesce(list(dialogue_id ORDER BY brief_order) FILTER (waiting), [])
FROM standing
GROUP BY template_id
ORDER BY template_id
"""
