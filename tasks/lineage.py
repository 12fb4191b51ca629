"""Lineage: from a released dialogue back to the source lines it rests on, and from a release to the runs that made it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from tasks.errors import UserError

_RUN = ("run_id", "flow_run_id", "config_hash", "code_version", "sources", "started_at", "finished_at", "state")


@dataclass(frozen=True)
class DialogueLineage:
    """All that one dialogue came from, each list in the order of the pipeline.

    Attributes:
        reviews: the reviews behind each slot, with source file and line, and the collection the item stood in.
        brief: user, position, template and target.
        answers: every paid answer of every attempt, with its request key.
        broken_rules: rules broken, by attempt.
        releases: versions that carry the dialogue.
        runs: the runs that asked for its answers or released it.
    """

    domain: str
    dialogue_id: str
    verdict: str
    reviews: list[dict[str, Any]]
    brief: dict[str, Any]
    answers: list[dict[str, Any]]
    broken_rules: list[dict[str, Any]]
    releases: list[dict[str, Any]]
    runs: list[dict[str, Any]]


@dataclass(frozen=True)
class ReleaseLineage:
    """What one release was made from: the run that wrote it, every run whose answers it carries, and its source files."""

    domain: str
    release: dict[str, Any]
    runs: list[dict[str, Any]]
    models: list[dict[str, Any]]
    templates: int
    source_reviews: int


def note_release(con: duckdb.DuckDBPyConnection, version: str, run_id: str, config_hash: str, code_version: str) -> None:
    """Write down that a release was written or confirmed, and which dialogues stand in it."""
    con.execute("DELETE FROM releases WHERE version = ?", [version])
    con.execute("DELETE FROM released_dialogues WHERE version = ?", [version])
    con.execute(
        "INSERT INTO releases SELECT ?, ?, ?, ?, count(*), ? FROM verdicts WHERE verdict = 'accepted'",
        [version, run_id, config_hash, code_version, datetime.now(UTC)],
    )
    con.execute("INSERT INTO released_dialogues SELECT ?, dialogue_id, attempt FROM verdicts WHERE verdict = 'accepted'", [version])


def dialogue_lineage(con: duckdb.DuckDBPyConnection, domain: str, dialogue_id: str) -> DialogueLineage:
    """Trace one dialogue. Raises UserError when the warehouse has no such brief."""
    brief = _rows(
        con,
        "SELECT b.user_id, b.position, b.template_id, b.target_item_id, coalesce(v.verdict, 'unasked') AS verdict, v.attempt "
        "FROM briefs b LEFT JOIN verdicts v USING (dialogue_id) WHERE b.dialogue_id = ?",
        [dialogue_id],
    )
    if not brief:
        raise UserError(f"there is no dialogue {dialogue_id} in {domain}")
    answers = _rows(con, _ANSWERS, [dialogue_id])
    releases = _rows(
        con,
        "SELECT r.version, d.attempt, r.run_id, r.config_hash, r.code_version, r.made_at "
        "FROM released_dialogues d JOIN releases r USING (version) WHERE d.dialogue_id = ? ORDER BY r.made_at",
        [dialogue_id],
    )
    broken = _rows(
        con, "SELECT attempt, rule, severity, turn FROM rejections WHERE dialogue_id = ? ORDER BY attempt, turn, rule", [dialogue_id]
    )
    runs = _runs(con, [row["run_id"] for row in (*answers, *releases)])
    verdict = brief[0].pop("verdict")
    return DialogueLineage(domain, dialogue_id, verdict, _rows(con, _REVIEWS, [dialogue_id]), brief[0], answers, broken, releases, runs)


def release_lineage(con: duckdb.DuckDBPyConnection, domain: str, version: str) -> ReleaseLineage:
    """Trace one release by its version. Raises UserError when the warehouse knows no such release."""
    release = _rows(con, "SELECT * FROM releases WHERE version = ?", [version])
    if not release:
        raise UserError(f"the warehouse of {domain} knows no release {version!r}")
    models = _rows(con, _MODELS, [version])
    asked = [row[0] for row in con.execute(_RUNS_OF_RELEASE, [version]).fetchall()]
    counts = con.execute(_COUNTS, [version]).fetchall()[0]
    return ReleaseLineage(domain, release[0], _runs(con, [release[0]["run_id"], *asked]), models, int(counts[0]), int(counts[1]))


def _rows(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    found = con.execute(query, list(values))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _runs(con: duckdb.DuckDBPyConnection, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    wanted = sorted({run_id for run_id in run_ids if run_id})
    rows = _rows(con, f"SELECT {', '.join(_RUN)} FROM runs WHERE list_contains(?, run_id) ORDER BY started_at", [wanted])
    return [{**row, "sources": json.loads(row["sources"] or "{}")} for row in rows]


_REVIEWS = """
WITH slots AS (SELECT * FROM brief_items WHERE dialogue_id = ?),
used AS (
    SELECT slot, item_id, title, collection, 'own review' AS whose, user_review_id AS review_id FROM slots WHERE user_review_id IS NOT NULL
    UNION ALL
    SELECT slot, item_id, title, collection, 'other review', other_review_id FROM slots WHERE other_review_id IS NOT NULL
)
SELECT u.slot, u.item_id, u.title, u.collection, u.whose, u.review_id, r.source_file, r.source_line, r.rating
FROM used u LEFT JOIN raw_reviews r USING (review_id)
ORDER BY u.slot, u.whose DESC
"""

_ANSWERS = """
WITH asked AS (
    SELECT attempt, status, error, unnest(request_keys) AS request_key FROM transcripts WHERE dialogue_id = ?
)
SELECT a.attempt, a.status, a.error, a.request_key, r.model, r.model_returned, r.finish_reason, r.prompt_tokens,
       r.completion_tokens, r.cost_usd, r.asked_at, r.run_id
FROM asked a LEFT JOIN responses r USING (request_key)
ORDER BY a.attempt, r.asked_at
"""

_MODELS = """
WITH keys AS (
    SELECT unnest(t.request_keys) AS request_key
    FROM released_dialogues d JOIN transcripts t USING (dialogue_id, attempt)
    WHERE d.version = ?
)
SELECT r.model, r.model_returned, count(*) AS answers, sum(r.cost_usd) AS cost_usd
FROM keys JOIN responses r USING (request_key)
GROUP BY ALL ORDER BY ALL
"""

_RUNS_OF_RELEASE = """
WITH keys AS (
    SELECT unnest(t.request_keys) AS request_key
    FROM released_dialogues d JOIN transcripts t USING (dialogue_id, attempt)
    WHERE d.version = ?
)
SELECT DISTINCT r.run_id FROM keys JOIN responses r USING (request_key) WHERE r.run_id IS NOT NULL
"""

_COUNTS = """
WITH released AS (SELECT dialogue_id FROM released_dialogues WHERE version = ?),
used AS (
    SELECT unnest([user_review_id, other_review_id]) AS review_id FROM brief_items JOIN released USING (dialogue_id)
)
SELECT
    (SELECT count(DISTINCT template_id) FROM briefs JOIN released USING (dialogue_id)),
    (SELECT count(DISTINCT review_id) FROM used WHERE review_id IS NOT NULL)
"""
