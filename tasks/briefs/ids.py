"""A dialogue's id: a hash of its domain's name and of what its brief holds.

Earlier versions left the domain's name out, so that two domains over one source gave their dialogues the same ids. Such an earlier id
is the content hash that goes into today's: one follows from the other.
"""

from __future__ import annotations

from typing import Any, Final

import duckdb

from tasks.fingerprint import ID_LENGTH, content_id

_ANSWER_TABLES: Final = ("responses", "unusable_answers")
# The canonical JSON of [domain, id] needs no escapes: a domain's name has none of JSON's special characters, an id is hexadecimal.
_ADOPT = f"""
WITH stored AS (SELECT DISTINCT dialogue_id AS earlier FROM {{table}}),
strange AS (SELECT earlier FROM stored ANTI JOIN briefs ON briefs.dialogue_id = stored.earlier),
renamed AS (
    SELECT earlier, left(sha256('["' || $domain || '","' || earlier || '"]'), {ID_LENGTH:d}) AS dialogue_id FROM strange
)
SELECT earlier, dialogue_id FROM renamed SEMI JOIN briefs USING (dialogue_id)
"""


def dialogue_id(domain: str, content: Any) -> str:
    """Return the id of a domain's dialogue, 16 hex digits; `content` is what its brief holds, as JSON data."""
    return id_since_earlier(domain, content_id(content))


def id_since_earlier(domain: str, earlier: str) -> str:
    """Return the id that a domain's dialogue has today, given the one that earlier versions gave it."""
    return content_id([domain, earlier])


def adopt_earlier_answers(con: duckdb.DuckDBPyConnection, domain: str) -> int:
    """Give stored answers to today's briefs their dialogues' ids of today, and return how many had earlier ones.

    Answers are found by request key, which no id enters; but what they cost is counted by dialogue, and a cluster's workers are given
    those of their own dialogues. The caller's transaction makes it whole.
    """
    return sum(_adopt(con, domain, table) for table in _ANSWER_TABLES)


def _adopt(con: duckdb.DuckDBPyConnection, domain: str, table: str) -> int:
    renamed = con.sql(_ADOPT.format(table=table), params={"domain": domain}).to_arrow_table()
    if not len(renamed):
        return 0
    con.register("renamed_dialogues", renamed)
    try:
        update = f"UPDATE {table} SET dialogue_id = r.dialogue_id FROM renamed_dialogues r WHERE {table}.dialogue_id = r.earlier"
        return int(con.execute(update).fetchall()[0][0])
    finally:
        con.unregister("renamed_dialogues")
