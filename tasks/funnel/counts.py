"""What became of every source line, MIGHT_LIKES item, brief and attempt. Each table adds up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from tasks.funnel.failure_causes import causes
from tasks.verdicts import ACCEPTED, ATTEMPT_OUTCOMES, BRIEF_VERDICTS, VERDICTS
from tasks.warehouse import Rows, rows

PLANNED: Final = "planned"
NOT_YET: Final = "not_planned_yet"  # preprocessed after the briefs were planned


@dataclass(frozen=True)
class Funnel:
    """The funnel of one domain's warehouse as it is now. Percentages are from 0 to 100.

    Attributes:
        stages: from source lines to released dialogues: stage, rows, percent of the stage before.
        set_aside: one row a kind of source line that is not used: source (reviews or metadata),
            kind, lines.
        might_likes: one row for `planned` and for each reason why there is no brief: outcome,
            items, percent; the items add up to MIGHT_LIKES.
        verdicts: one row a verdict, all four of them: verdict, briefs, percent; they add up to all
            briefs and, where there are any, to 100.
        attempts: one row an attempt: asked = accepted + rejected + failed + unjudged.
        rules: one row an attempt and broken rule: dialogues, and their percent of the dialogues
            judged at that attempt; a dialogue may break several.
        causes: one row a cause of failed and of rejected briefs: verdict, cause, briefs, example (a
            dialogue id); each such brief has one cause.
        templates: one row a template: briefs = accepted + rejected + failed + unasked.
        judged: whether a judge has read the accepted dialogues: one row for `judged`, for `no
            verdict could be read` and for `not judged`; they add up to the accepted. Empty where
            no dialogue was read by a judge.
        not_judged: one row a rule that does not judge in the domain's language, or in part: rule,
            judges (`off` or `in part`), why; empty where every rule judges all it says.
    """

    stages: Rows
    set_aside: Rows
    might_likes: Rows
    verdicts: Rows
    attempts: Rows
    rules: Rows
    causes: Rows
    templates: Rows
    judged: Rows = field(default_factory=list)
    not_judged: Rows = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        """Return the figures that the record of runs keeps."""
        verdicts = {row["verdict"]: row["briefs"] for row in self.verdicts}
        return {
            "stages": {row["stage"]: row["rows"] for row in self.stages},
            "set_aside": {f"{row['source']} {row['kind']}": row["lines"] for row in self.set_aside},
            "might_likes": {row["outcome"]: row["items"] for row in self.might_likes},
            "briefs": sum(verdicts.values()),
            **verdicts,
        }


def read_funnel(con: duckdb.DuckDBPyConnection) -> Funnel:
    """Return the funnel of a warehouse. Only reads."""
    return Funnel(
        stages=rows(con, _STAGES),
        set_aside=set_aside(con),
        might_likes=might_likes(con),
        verdicts=verdicts(con),
        attempts=rows(con, _ATTEMPTS),
        rules=rows(con, _RULES),
        causes=causes(con),
        templates=rows(con, _TEMPLATES),
        judged=judged(con),
        not_judged=not_judged(con),
    )


def set_aside(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return the source lines that are not used by kind, the most frequent first."""
    return rows(con, _SET_ASIDE)


def might_likes(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return the MIGHT_LIKES items that have a brief, then those without one by reason."""
    return rows(con, _MIGHT_LIKES, {"planned": PLANNED, "not_yet": NOT_YET})


def verdicts(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return how the briefs ended, a row for each of the four verdicts."""
    return rows(con, _VERDICTS, {"verdicts": list(VERDICTS)})


def judged(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return how many of the accepted dialogues a judge has read; empty if there is no judge."""
    return rows(con, _JUDGED)


def not_judged(con: duckdb.DuckDBPyConnection) -> Rows:
    """Return the rules that the latest gate was without, or had in part, with the reason."""
    if not rows(con, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'gates'"):
        return []
    return rows(con, _NOT_JUDGED)


# The Data Docs' records of the latest gate.
_NOT_JUDGED = """
WITH latest AS (
    SELECT suites FROM gates WHERE place = (SELECT max(place) FROM gates)
), suites AS (
    SELECT unnest(from_json(suites, '["JSON"]')) AS suite FROM latest
), rules AS (
    SELECT unnest(from_json(suite -> 'rules', '["JSON"]')) AS rule FROM suites
)
SELECT rule ->> 'rule' AS rule, rule ->> 'severity' AS judges, rule ->> 'source' AS why
FROM rules
WHERE rule ->> 'severity' IN ('off', 'in part')
ORDER BY ALL
"""

# Whether an unused line is of a review or a metadata file: only review files have rows in
# `raw_reviews` or these kinds. Without any usable review (a file that was refused) the lines are of
# reviews.
_SOURCES = """
review_files AS (
    SELECT source_file FROM raw_reviews
    UNION
    SELECT source_file
    FROM rejected_rows
    WHERE kind IN ('duplicate', 'other_edition', 'empty_text', 'unrated')
),
set_aside AS (
    SELECT
        kind,
        CASE
            WHEN source_file IN (SELECT source_file FROM review_files) THEN 'reviews'
            WHEN NOT EXISTS (SELECT 1 FROM review_files) THEN 'reviews'
            ELSE 'metadata'
        END AS source
    FROM rejected_rows
)"""

_SET_ASIDE = f"""
WITH {_SOURCES}
SELECT source, kind, count(*) AS lines
FROM set_aside
GROUP BY source, kind
ORDER BY source DESC, lines DESC, kind
"""

_STAGES = f"""
WITH {_SOURCES},
{ACCEPTED},
answered AS (
    SELECT DISTINCT dialogue_id
    FROM transcripts
    SEMI JOIN briefs USING (dialogue_id)
    WHERE status = 'answered'
),
might_likes AS (SELECT * FROM preferences WHERE collection = 'MIGHT_LIKES'),
newest AS (SELECT dialogues FROM releases ORDER BY made_at DESC, version LIMIT 1),
usable AS (SELECT count(*) AS rows FROM raw_reviews),
unusable AS (SELECT count(*) AS rows FROM set_aside WHERE source = 'reviews'),
counted AS (
    SELECT
        1 AS place,
        'source lines' AS stage,
        (SELECT rows FROM usable) + (SELECT rows FROM unusable) AS rows
    UNION ALL SELECT 2, 'usable reviews', (SELECT rows FROM usable)
    UNION ALL SELECT 3, 'reviews of the right length', (SELECT count(*) FROM reviews)
    UNION ALL SELECT 4, 'reviews in the core', (SELECT count(*) FROM reviews WHERE core)
    UNION ALL SELECT 5, 'preferences', (SELECT count(*) FROM preferences)
    UNION ALL SELECT 6, 'of them MIGHT_LIKES', (SELECT count(*) FROM might_likes)
    UNION ALL SELECT 7, 'briefs', (SELECT count(*) FROM briefs)
    UNION ALL SELECT 8, 'briefs answered', (SELECT count(*) FROM answered)
    UNION ALL SELECT 9, 'accepted dialogues', (SELECT count(*) FROM accepted)
    UNION ALL SELECT 10, 'dialogues in the newest release', dialogues FROM newest
),
compared AS (SELECT *, lag(rows) OVER (ORDER BY place) AS before FROM counted)
SELECT
    stage,
    rows,
    CASE WHEN before > 0 AND rows <= before THEN 100.0 * rows / before END AS percent
FROM compared
ORDER BY place
"""

_MIGHT_LIKES = """
WITH wanted AS (SELECT user_id, item_id FROM preferences WHERE collection = 'MIGHT_LIKES'),
planned AS (SELECT DISTINCT user_id, target_item_id AS item_id, true AS planned FROM briefs),
reasons AS (
    SELECT user_id, item_id, any_value(reason) AS reason FROM unplanned GROUP BY user_id, item_id
),
ended AS (
    SELECT CASE WHEN planned THEN $planned ELSE coalesce(reason, $not_yet) END AS outcome
    FROM wanted
    LEFT JOIN planned USING (user_id, item_id)
    LEFT JOIN reasons USING (user_id, item_id)
),
counted AS (SELECT outcome, count(*) AS items FROM ended GROUP BY outcome)
SELECT outcome, items, 100.0 * items / sum(items) OVER () AS percent
FROM counted
ORDER BY outcome <> $planned, items DESC, outcome
"""

_VERDICTS = f"""
WITH {BRIEF_VERDICTS},
named AS (
    SELECT
        unnest($verdicts::VARCHAR[]) AS verdict,
        generate_subscripts($verdicts::VARCHAR[], 1) AS place
),
counted AS (SELECT verdict, count(*) AS briefs FROM brief_verdicts GROUP BY verdict),
total AS (SELECT greatest(count(*), 1) AS briefs FROM briefs)
SELECT
    verdict,
    coalesce(c.briefs, 0) AS briefs,
    100.0 * coalesce(c.briefs, 0) / t.briefs AS percent
FROM named
LEFT JOIN counted c USING (verdict)
CROSS JOIN total t
ORDER BY place
"""

_ATTEMPTS = f"""
WITH {ATTEMPT_OUTCOMES}
SELECT
    attempt,
    count(*) AS asked,
    count(*) FILTER (outcome = 'accepted') AS accepted,
    count(*) FILTER (outcome = 'rejected') AS rejected,
    count(*) FILTER (outcome = 'failed') AS failed,
    count(*) FILTER (outcome = 'unjudged') AS unjudged
FROM attempt_outcomes
GROUP BY attempt
ORDER BY attempt
"""

_RULES = f"""
WITH {ATTEMPT_OUTCOMES},
judgements AS (
    SELECT attempt, count(*) FILTER (outcome IN ('accepted', 'rejected')) AS dialogues
    FROM attempt_outcomes
    GROUP BY attempt
),
broken_rules AS (
    SELECT
        attempt,
        rule,
        severity,
        count(DISTINCT dialogue_id) AS dialogues,
        count(DISTINCT dialogue_id) FILTER (because IS NULL) AS root_causes
    FROM rejections
    SEMI JOIN attempt_outcomes USING (dialogue_id, attempt)
    GROUP BY attempt, rule, severity
)
SELECT
    b.attempt,
    b.rule,
    b.severity,
    b.dialogues,
    b.root_causes,
    100.0 * b.dialogues / nullif(j.dialogues, 0) AS percent
FROM broken_rules b
JOIN judgements j USING (attempt)
ORDER BY b.attempt, b.dialogues DESC, b.rule
"""

_TEMPLATES = f"""
WITH {BRIEF_VERDICTS}
SELECT
    template_id AS template,
    count(*) AS briefs,
    count(*) FILTER (verdict = 'accepted') AS accepted,
    count(*) FILTER (verdict = 'rejected') AS rejected,
    count(*) FILTER (verdict = 'failed') AS failed,
    count(*) FILTER (verdict = 'unasked') AS unasked
FROM briefs
JOIN brief_verdicts USING (dialogue_id)
GROUP BY template_id
ORDER BY count(*) DESC, template_id
"""

_JUDGED = f"""
WITH {ACCEPTED},
ends AS (
    SELECT
        CASE
            WHEN judged > 0 THEN 'judged'
            WHEN judge_unread > 0 THEN 'no verdict could be read'
            ELSE 'not judged'
        END AS outcome,
        judged > 0 OR judge_unread > 0 AS is_asked
    FROM accepted
    JOIN dialogue_facts USING (dialogue_id, attempt)
),
named AS (
    SELECT
        unnest(['judged', 'no verdict could be read', 'not judged']) AS outcome,
        unnest([1, 2, 3]) AS place
),
total AS (SELECT count(*) AS dialogues, bool_or(is_asked) AS has_judge FROM ends)
SELECT
    outcome,
    count(ends.is_asked) AS dialogues,
    100.0 * count(ends.is_asked) / any_value(total.dialogues) AS percent
FROM named
LEFT JOIN ends USING (outcome)
CROSS JOIN total
WHERE total.has_judge
GROUP BY outcome, place
ORDER BY place
"""
