"""Growing (`briefs.grow`): briefs that were asked or released stay, word for word."""

from __future__ import annotations

import duckdb

# A brief stays if its items are still in the collections that it took them from.
_KEEP = """
CREATE OR REPLACE TEMP TABLE kept_briefs AS
WITH asked AS (
    SELECT dialogue_id FROM responses
    UNION
    SELECT dialogue_id FROM released_dialogues
),
planned AS (SELECT * FROM briefs SEMI JOIN asked USING (dialogue_id)),
filled AS (
    SELECT p.dialogue_id, p.user_id, i.item_id, i.collection
    FROM planned p
    JOIN brief_items i USING (dialogue_id)
),
changed AS (
    SELECT dialogue_id
    FROM filled
    ANTI JOIN preferences USING (user_id, item_id, collection)
)
SELECT * FROM planned ANTI JOIN changed USING (dialogue_id)
"""
_OF_BRIEFS = """
CREATE OR REPLACE TEMP TABLE kept_{table} AS
SELECT * FROM {table} SEMI JOIN kept_briefs USING ({key})
"""
_KEYS = {
    "brief_items": "dialogue_id",
    "template_turns": "template_id",
    "template_slots": "template_id",
}
_RESTORE_BRIEFS = """
INSERT INTO briefs
SELECT * REPLACE (row_number() OVER (ORDER BY brief_order, dialogue_id) - 1 AS brief_order)
FROM kept_briefs
"""
_RESTORE_TEMPLATES = """
INSERT INTO {table}
WITH known AS (SELECT DISTINCT template_id FROM {table})
SELECT * FROM kept_{table} ANTI JOIN known USING (template_id)
"""
_PLANNED = "SELECT user_id, position, template_id FROM briefs"


def keep_briefs(con: duckdb.DuckDBPyConnection) -> None:
    """Put aside the briefs that were asked or released, with their templates."""
    con.execute(_KEEP)
    for table, key in _KEYS.items():
        con.execute(_OF_BRIEFS.format(table=table, key=key))


def restore_briefs(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], str]:
    """Put the kept briefs into the new tables, first in order, and drop what was put aside.

    Returns:
        Their templates' ids, by user and position.
    """
    con.execute(_RESTORE_BRIEFS)
    con.execute("INSERT INTO brief_items SELECT * FROM kept_brief_items")
    for table in ("template_turns", "template_slots"):
        con.execute(_RESTORE_TEMPLATES.format(table=table))
    for table in ("briefs", *_KEYS):
        con.execute(f"DROP TABLE kept_{table}")
    planned = con.execute(_PLANNED).fetchall()
    return {(user_id, position): template_id for user_id, position, template_id in planned}
