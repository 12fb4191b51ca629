"""The questions lineage asks of a warehouse."""

from tasks.verdicts import BRIEF_VERDICTS

BRIEF = f"""
WITH {BRIEF_VERDICTS},
target AS (SELECT dialogue_id, item_id, title FROM brief_items)
SELECT b.user_id, b.position, b.template_id, b.turns, b.target_item_id, t.title AS target_title,
       v.verdict, v.attempt
FROM briefs b
JOIN brief_verdicts v USING (dialogue_id)
LEFT JOIN target t ON t.dialogue_id = b.dialogue_id AND t.item_id = b.target_item_id
WHERE b.dialogue_id = ?
"""

REVIEWS = """
WITH slots AS (SELECT * FROM brief_items WHERE dialogue_id = ?),
used AS (
    SELECT slot, item_id, title, collection, 'own' AS whose, user_review_id AS review_id
    FROM slots WHERE user_review_id IS NOT NULL
    UNION ALL
    SELECT slot, item_id, title, collection, 'other', other_review_id
    FROM slots WHERE other_review_id IS NOT NULL
    UNION ALL
    SELECT slot, item_id, title, collection, 'none', NULL
    FROM slots WHERE user_review_id IS NULL AND other_review_id IS NULL
)
SELECT u.slot, u.item_id, u.title, u.collection, u.whose, u.review_id, r.source_file, r.source_line,
       r.rating,
       r.item_id AS source_item_id
FROM used u LEFT JOIN raw_reviews r USING (review_id)
ORDER BY u.slot, u.whose DESC
"""

CONFIG = """
SELECT r.config FROM transcripts t JOIN runs r USING (run_id)
WHERE t.dialogue_id = ? ORDER BY t.attempt DESC LIMIT 1
"""

ATTEMPTS = """
WITH judged AS (SELECT DISTINCT dialogue_id, attempt FROM dialogue_facts)
SELECT t.attempt, t.status, coalesce(t.error, '') AS error, t.rollout, t.profile,
       j.attempt IS NOT NULL AS judged
FROM transcripts t LEFT JOIN judged j USING (dialogue_id, attempt)
WHERE t.dialogue_id = ? ORDER BY t.attempt
"""

# A dual rollout asks once a turn, in order; any other request is for a whole dialogue.
ASKED = """
WITH keys AS (
    SELECT dialogue_id, attempt, rollout, unnest(request_keys) AS request_key,
           generate_subscripts(request_keys, 1) AS place
    FROM transcripts WHERE dialogue_id = ?
),
turns AS (
    SELECT b.dialogue_id, 'dual' AS rollout, t.turn AS place, t.turn, t.role AS side
    FROM template_turns t JOIN briefs b USING (template_id)
)
SELECT k.attempt, k.place, t.turn, t.side, k.request_key, r.model, r.model_returned,
       r.finish_reason,
       r.prompt_tokens, r.completion_tokens, r.cost_usd,
       strftime(r.asked_at, '%Y-%m-%d %H:%M:%S') AS asked_at, r.run_id
FROM keys k
LEFT JOIN turns t USING (dialogue_id, rollout, place)
LEFT JOIN responses r USING (request_key)
ORDER BY k.attempt, k.place
"""

BROKEN = """
SELECT attempt, rule, severity, turn
FROM rejections WHERE dialogue_id = ? ORDER BY attempt, turn, rule
"""

RELEASES_OF_DIALOGUE = """
SELECT r.version, d.attempt, r.run_id, r.config_hash, r.code_version,
       strftime(r.made_at, '%Y-%m-%d %H:%M:%S') AS made_at
FROM released_dialogues d JOIN releases r USING (version)
WHERE d.dialogue_id = ? ORDER BY r.made_at
"""

RUNS = """
SELECT run_id, flow_run_id, flow, config_hash, code_version, sources,
       strftime(started_at, '%Y-%m-%d %H:%M:%S') AS started_at,
       strftime(finished_at, '%Y-%m-%d %H:%M:%S') AS finished_at, state, counts
FROM runs WHERE list_contains(?, run_id) ORDER BY runs.started_at
"""

MODELS_OF_RELEASE = """
WITH keys AS (
    SELECT unnest(t.request_keys) AS request_key
    FROM released_dialogues d JOIN transcripts t USING (dialogue_id)
    WHERE d.version = ? AND t.attempt <= d.attempt
)
SELECT r.model, r.model_returned, count(*) AS answers, sum(r.cost_usd) AS cost_usd
FROM keys JOIN responses r USING (request_key)
GROUP BY ALL ORDER BY ALL
"""

RUNS_OF_RELEASE = """
WITH keys AS (
    SELECT unnest(t.request_keys) AS request_key
    FROM released_dialogues d JOIN transcripts t USING (dialogue_id)
    WHERE d.version = ? AND t.attempt <= d.attempt
)
SELECT DISTINCT r.run_id FROM keys JOIN responses r USING (request_key) WHERE r.run_id IS NOT NULL
"""

ATTEMPTS_OF_RELEASE = """
SELECT attempt, count(*) FROM released_dialogues WHERE version = ? GROUP BY attempt ORDER BY attempt
"""

COUNTS_OF_RELEASE = """
WITH released AS (SELECT dialogue_id FROM released_dialogues WHERE version = ?),
used AS (
    SELECT unnest([user_review_id, other_review_id]) AS review_id
    FROM brief_items JOIN released USING (dialogue_id)
)
SELECT
    (SELECT count(DISTINCT template_id) FROM briefs JOIN released USING (dialogue_id)),
    (SELECT count(DISTINCT review_id) FROM used WHERE review_id IS NOT NULL)
"""
