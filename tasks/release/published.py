"""What of the warehouse is published: temporary tables `release_*` over the accepted dialogues.

A user is published with every accepted dialogue and no other. `release_conversations` numbers what
remains: conversation k of a user recommends the k-th item of that user's `user_might_like`, so an
item whose dialogue was rejected is in neither, and in no history.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

import duckdb

PSEUDONYM_LENGTH = 20  # hex digits: 80 bits, one in 10^12 to collide among a million users
# Everything Python calls white space, so that an utterance is one line to every reader.
_WHITE_SPACE = r"[\t-\r\x1c-\x20\x{85}\p{Z}]+"

_CONVERSATIONS = """
CREATE OR REPLACE TEMP TABLE release_conversations AS
WITH accepted AS (
    SELECT b.*, v.attempt FROM verdicts v JOIN briefs b USING (dialogue_id)
    WHERE v.verdict = 'accepted'
), named AS (
    SELECT *,
           release_name('user', user_id) AS published_user,
           release_name('dialogue', dialogue_id) AS published_dialogue
    FROM accepted
), ordered AS (
    SELECT *,
           CASE WHEN $hidden THEN 0
                ELSE min(brief_order) OVER (PARTITION BY user_id) END AS user_order
    FROM named
), numbered AS (
    SELECT *,
           row_number() OVER (ORDER BY user_order, published_user, position, dialogue_id) AS place,
           row_number() OVER (PARTITION BY user_id ORDER BY position, dialogue_id) AS place_of_user,
           dense_rank() OVER (ORDER BY user_order, published_user) AS user_place
    FROM ordered
)
SELECT (place - 1)::INTEGER AS conversation_id,
       place_of_user::INTEGER AS conversation_number,
       (user_place - 1)::INTEGER AS user_number,
       user_id, published_user, dialogue_id, published_dialogue, attempt,
       target_item_id, template_id, recommendations
FROM numbered
"""

_PREFERENCES = """
CREATE OR REPLACE TEMP TABLE release_preferences AS
WITH published_users AS (
    SELECT DISTINCT user_id, published_user, user_number FROM release_conversations
), history AS (
    SELECT u.user_number, u.published_user,
           p.item_id, p.collection, p.position, p.rating, p.timestamp
    FROM preferences p
    JOIN published_users u USING (user_id)
    SEMI JOIN items i ON i.item_id = p.item_id
    WHERE p.collection IN ('LIKES', 'DISLIKES')
), recommended AS (
    SELECT c.user_number, c.published_user,
           c.target_item_id, 'MIGHT_LIKES', c.conversation_number, p.rating, p.timestamp
    FROM release_conversations c
    JOIN preferences p ON p.user_id = c.user_id AND p.item_id = c.target_item_id
)
SELECT * REPLACE (CASE WHEN $hidden THEN NULL ELSE timestamp END AS timestamp),
       row_number() OVER (
           PARTITION BY user_number
           ORDER BY collection != 'LIKES', collection != 'DISLIKES', position
       ) AS place
FROM (SELECT * FROM history UNION ALL SELECT * FROM recommended)
"""

# Two ids may share a title (two products of one name). Both carry it as it is: utterances say it,
# and whoever looks for titles in utterances must find them in the map. Within one conversation no
# two items share a title, so its own ids settle which one is meant.
_ITEMS = """
CREATE OR REPLACE TEMP TABLE release_items AS
SELECT i.item_id, i.title, i.title_original, i.work_id
FROM items i SEMI JOIN release_preferences p USING (item_id)
"""

_UTTERANCES = f"""
CREATE OR REPLACE TEMP TABLE release_utterances AS
SELECT c.conversation_id, c.published_dialogue, u.turn, u.role,
       trim(regexp_replace(u.text, '{_WHITE_SPACE}', ' ', 'g')) AS text,
       u.goals, u.item_ids, u.words
FROM utterances u
JOIN release_conversations c ON c.dialogue_id = u.dialogue_id AND c.attempt = u.attempt
"""

_SLOTS = """
CREATE OR REPLACE TEMP TABLE release_slots AS
SELECT c.conversation_id, c.published_dialogue, b.slot, b.item_id, b.collection
FROM brief_items b JOIN release_conversations c USING (dialogue_id)
"""

# Who wrote what is released: the models whose answers the attempts up to the accepted one are made
# of. An attempt without an answer is known by what was paid for and could not be used.
_WRITERS = """
CREATE OR REPLACE TEMP TABLE release_writers AS
WITH answered AS (
    SELECT t.dialogue_id, t.attempt, unnest(t.request_keys) AS request_key
    FROM transcripts t
    JOIN release_conversations c ON c.dialogue_id = t.dialogue_id AND t.attempt <= c.attempt
), used AS (
    SELECT a.dialogue_id, a.attempt, r.model
    FROM answered a
    JOIN responses r USING (request_key)
    UNION
    SELECT u.dialogue_id, u.attempt, u.model
    FROM unusable_answers u
    JOIN release_conversations c ON c.dialogue_id = u.dialogue_id AND u.attempt < c.attempt
    ANTI JOIN answered a ON a.dialogue_id = u.dialogue_id AND a.attempt = u.attempt
), tried AS (
    SELECT dialogue_id, attempt, min(model) AS model
    FROM used
    GROUP BY dialogue_id, attempt
)
SELECT c.dialogue_id,
       max(t.model) FILTER (t.attempt = c.attempt) AS model,
       coalesce(list(t.model ORDER BY t.attempt) FILTER (t.model IS NOT NULL), []) AS models_tried
FROM release_conversations c
LEFT JOIN tried t USING (dialogue_id)
GROUP BY c.dialogue_id
"""

# Table name in the release -> what it holds. Row order is part of the release: the files are
# compared byte by byte.
PUBLISHED = {
    "users": """
        SELECT DISTINCT user_number, published_user AS user_id
        FROM release_conversations ORDER BY user_number""",
    "items": """
        SELECT item_id, title, title_original, work_id FROM release_items ORDER BY item_id""",
    "preferences": """
        SELECT published_user AS user_id, item_id, collection, position, rating, timestamp
        FROM release_preferences ORDER BY user_number, place""",
    "dialogues": """
        SELECT conversation_id, published_dialogue AS dialogue_id, published_user AS user_id,
               conversation_number, target_item_id, template_id, recommendations,
               attempt, model, models_tried
        FROM release_conversations JOIN release_writers USING (dialogue_id)
        ORDER BY conversation_id""",
    "brief_items": """
        SELECT conversation_id, published_dialogue AS dialogue_id, slot, item_id, collection
        FROM release_slots ORDER BY conversation_id, slot""",
    "utterances": """
        SELECT conversation_id, published_dialogue AS dialogue_id,
               turn, role, text, goals, item_ids, words
        FROM release_utterances ORDER BY conversation_id, turn""",
    "template_turns": """
        SELECT template_id, recommendations, turn, role, goals, introduces, refers
        FROM template_turns SEMI JOIN release_conversations USING (template_id)
        ORDER BY template_id, turn""",
}


def pseudonym(key: bytes, kind: str, name: str) -> str:
    """Return the keyed hash (HMAC-SHA256) of a name, as hex digits.

    By the kind, a user and a dialogue of one name have different hashes.
    """
    return hmac.new(key, f"{kind}\0{name}".encode(), hashlib.sha256).hexdigest()[:PSEUDONYM_LENGTH]


def publish(con: duckdb.DuckDBPyConnection, pseudonymise_key: bytes | None) -> dict[str, int]:
    """Make the `release_*` tables and return the rows of each published table.

    With a key, ids of users and dialogues are keyed hashes, users are in that hash's order, and
    times are left out: an item and the second, or the day, of its rating are enough to find the
    user in the source.
    """
    hidden = {"hidden": pseudonymise_key is not None}
    con.create_function(
        "release_name", _naming(pseudonymise_key), ["VARCHAR", "VARCHAR"], "VARCHAR"
    )
    try:
        con.execute(_CONVERSATIONS, hidden)
    finally:
        con.remove_function("release_name")
    con.execute(_PREFERENCES, hidden)
    for statement in (_ITEMS, _UTTERANCES, _SLOTS, _WRITERS):
        con.execute(statement)
    return {
        name: int(con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])
        for name, query in PUBLISHED.items()
    }


def unpublish(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the `release_*` tables."""
    for name in ("conversations", "preferences", "items", "utterances", "slots", "writers"):
        con.execute(f"DROP TABLE IF EXISTS release_{name}")


def _naming(key: bytes | None) -> Callable[[str, str], str]:
    return (
        (lambda kind, name: name)
        if key is None
        else (lambda kind, name: pseudonym(key, kind, name))
    )
