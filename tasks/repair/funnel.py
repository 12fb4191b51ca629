"""The funnel: every brief and how it ended, by stage, rule, template and attempt. Each table adds up."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tasks.warehouse import Rows, rows


@dataclass(frozen=True)
class Funnel:
    """The funnel of one domain.

    Attributes:
        stages: from usable source reviews to accepted dialogues, how many of each there are.
        verdicts: one row a verdict; briefs add up to all briefs, percent to 100.
        attempts: one row an attempt: asked = accepted + rejected + failed there.
        rules: one row an attempt and rule; a dialogue may break several.
        templates: one row a template; briefs = accepted + rejected + failed + unasked.
    """

    stages: Rows
    verdicts: Rows
    attempts: Rows
    rules: Rows
    templates: Rows


def funnel(con: duckdb.DuckDBPyConnection) -> Funnel:
    """Return the funnel of a warehouse, as the verdicts stand."""
    return Funnel(*(rows(con, query) for query in (_STAGES, _VERDICTS, _ATTEMPTS, _RULES, _TEMPLATES)))


_STAGES = """
SELECT * FROM (VALUES
    ('source lines', (SELECT count(*) FROM raw_reviews) + (SELECT count(*) FROM rejected_rows)),
    ('usable reviews', (SELECT count(*) FROM raw_reviews)),
    ('reviews of the right length', (SELECT count(*) FROM reviews)),
    ('reviews in the core', (SELECT count(*) FROM reviews WHERE core)),
    ('preferences', (SELECT count(*) FROM preferences)),
    ('of them MIGHT_LIKES', (SELECT count(*) FROM preferences WHERE collection = 'MIGHT_LIKES')),
    ('briefs', (SELECT count(*) FROM briefs)),
    ('briefs answered', (SELECT count(*) FROM briefs SEMI JOIN (FROM transcripts WHERE status = 'answered') USING (dialogue_id))),
    ('accepted dialogues', (SELECT count(*) FROM verdicts WHERE verdict = 'accepted'))
) AS t(stage, rows)
"""

_VERDICTS = """
WITH named AS (SELECT unnest(['accepted', 'rejected', 'failed', 'unasked']) AS verdict, unnest([1, 2, 3, 4]) AS place),
ended AS (SELECT coalesce(v.verdict, 'unasked') AS verdict FROM briefs LEFT JOIN verdicts v USING (dialogue_id)),
counted AS (SELECT verdict, count(*) AS briefs FROM ended GROUP BY verdict),
total AS (SELECT greatest(count(*), 1) AS briefs FROM briefs)
SELECT verdict, coalesce(c.briefs, 0) AS briefs, 100.0 * coalesce(c.briefs, 0) / t.briefs AS percent
FROM named LEFT JOIN counted c USING (verdict) CROSS JOIN total t
ORDER BY place
"""

_ATTEMPTS = """
WITH broken AS (SELECT DISTINCT dialogue_id, attempt FROM rejections WHERE severity = 'reject'),
asked AS (
    SELECT t.attempt, t.status, b.dialogue_id IS NOT NULL AS broke
    FROM transcripts t SEMI JOIN briefs USING (dialogue_id)
    LEFT JOIN broken b ON b.dialogue_id = t.dialogue_id AND b.attempt = t.attempt
)
SELECT attempt, count(*) AS asked,
       count(*) FILTER (status = 'answered' AND NOT broke) AS accepted,
       count(*) FILTER (status = 'answered' AND broke) AS rejected,
       count(*) FILTER (status <> 'answered') AS failed
FROM asked GROUP BY attempt ORDER BY attempt
"""

_RULES = """
SELECT r.attempt, r.rule, r.severity, count(DISTINCT r.dialogue_id) AS dialogues,
       100.0 * count(DISTINCT r.dialogue_id) / any_value(a.asked) AS percent
FROM rejections r SEMI JOIN briefs USING (dialogue_id)
JOIN (SELECT attempt, count(*) AS asked FROM transcripts SEMI JOIN briefs USING (dialogue_id) GROUP BY attempt) a USING (attempt)
GROUP BY ALL ORDER BY r.attempt, dialogues DESC, r.rule
"""

_TEMPLATES = """
SELECT b.template_id AS template, count(*) AS briefs,
       count(*) FILTER (verdict = 'accepted') AS accepted, count(*) FILTER (verdict = 'rejected') AS rejected,
       count(*) FILTER (verdict = 'failed') AS failed, count(*) FILTER (coalesce(verdict, 'unasked') = 'unasked') AS unasked
FROM briefs b LEFT JOIN verdicts USING (dialogue_id)
GROUP BY b.template_id ORDER BY briefs DESC, template
"""
