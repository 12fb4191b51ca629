"""Table 3 for a warehouse's accepted dialogues, and for any folder in the published layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from tasks.release import StructureCheck, read_item_map, read_titles, read_turns, read_users, verify_release
from tasks.statistics.counting import Statistics, corpus_statistics
from tasks.verdicts import ACCEPTED

_ACCEPTED = f"""
WITH {ACCEPTED}
SELECT dialogue_id, text FROM utterances SEMI JOIN accepted USING (dialogue_id, attempt)
"""

# The same people and items a release shows: users with an accepted dialogue, the items of their histories, and what they were recommended.
_PEOPLE = f"""
WITH {ACCEPTED},
recommended AS (SELECT user_id, target_item_id FROM briefs SEMI JOIN accepted USING (dialogue_id)),
shown AS (
    SELECT p.item_id FROM preferences p SEMI JOIN recommended r ON r.user_id = p.user_id WHERE p.collection IN ('LIKES', 'DISLIKES')
    UNION SELECT target_item_id FROM recommended
)
SELECT (SELECT count(DISTINCT user_id) FROM recommended), (SELECT count(*) FROM shown SEMI JOIN items USING (item_id))
"""


def statistics(con: duckdb.DuckDBPyConnection) -> Statistics:
    """Return Table 3 for the accepted dialogues of a warehouse; see `corpus_statistics` for what is counted."""
    users, items = con.execute(_PEOPLE).fetchall()[0]
    return corpus_statistics(_texts(con), users=users, items=items)


def folder_statistics(folder: Path) -> Statistics:
    """Return Table 3 for a folder in the LLM-REDIAL layout, ours or the authors'.

    Raises:
        UserError: a file is missing, is not what the layout says or what SHA256SUMS says, or does not fit the others.
    """
    verify_release(folder)
    check = StructureCheck(folder, read_item_map(folder))
    users = 0
    for user in read_users(folder):
        check.add_user(user)
        users += 1
    counted = corpus_statistics(_spoken(folder, check), users=users, items=len(read_titles(folder)))
    check.finish()
    return counted


def _spoken(folder: Path, check: StructureCheck) -> Iterator[tuple[int, str]]:
    for conversation, turns in read_turns(folder):
        check.add_text(conversation)
        for turn in turns:
            yield conversation, turn.text


def _texts(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    con.execute(_ACCEPTED)
    while found := con.fetchmany(10_000):
        yield from found
