"""Takes users out of a warehouse, and writes the file again so that no byte of them is left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from tasks.erasure.traces import Traces
from tasks.files import replacing
from tasks.machine import this_machine
from tasks.warehouse import transaction

_BY_USER = ("raw_reviews", "reviews", "preferences", "unplanned", "briefs", "dialogues")
_BY_DIALOGUE = (
    "briefs",
    "brief_items",
    "responses",
    "unusable_answers",
    "transcripts",
    "dialogues",
    "utterances",
    "judge_answers",
    "dialogue_facts",
    "utterance_facts",
    "rejections",
    "verdicts",
    "released_dialogues",
    "marks",
)
# What is asked in evaluations is of a dialogue: `dialogue_id` names it, with its kind before it.
_ANSWERS = {"responses": "dialogue_id, text", "unusable_answers": "dialogue_id"}
# What a later build makes again: pages of gates, and what stages were made from.
_MADE_AGAIN = ("gates", "stages", "stage_inputs")
_COUNT_AGAIN = """
UPDATE releases
SET dialogues = (
    SELECT count(*)
    FROM released_dialogues r
    WHERE r.version = releases.version
)
"""
# Answers of earlier plans: nobody can tell whose dialogues they are.
_UNKNOWN = """
INSERT INTO erased_dialogues
WITH known AS (
    SELECT dialogue_id FROM briefs
    UNION
    SELECT dialogue_id FROM released_dialogues
),
answered AS (
    SELECT dialogue_id FROM responses
    UNION
    SELECT dialogue_id FROM unusable_answers
)
SELECT dialogue_id FROM answered ANTI JOIN known USING (dialogue_id)
"""


def erase_rows(con: duckdb.DuckDBPyConnection, traces: Traces) -> dict[str, int]:
    """Delete every row of the users and of the dialogues that go, in one transaction.

    Answers that belong to no brief and no release go too, because nobody can tell whose they are.

    Returns:
        How many rows went, by table.
    """
    removed: dict[str, int] = {}
    with transaction(con):
        _name(con, "erased_users", "user_id", traces.users)
        _name(con, "erased_dialogues", "dialogue_id", traces.dialogues)
        con.execute(_UNKNOWN)
        for table in _BY_USER:
            _delete(con, table, "user_id", "erased_users", removed)
        for table in _BY_DIALOGUE:
            _delete(con, table, "dialogue_id", "erased_dialogues", removed)
        con.execute(_COUNT_AGAIN)
        for table in _MADE_AGAIN:
            con.execute(f"DELETE FROM {table}")
        con.execute(
            "UPDATE rejected_rows SET detail = '' FROM erased_users "
            "WHERE contains(detail, erased_users.user_id)"
        )
        con.execute("DROP TABLE erased_users")
        con.execute("DROP TABLE erased_dialogues")
    return removed


def _name(con: duckdb.DuckDBPyConnection, table: str, column: str, values: Iterable[str]) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({column} VARCHAR)")
    con.register("erased_rows", pa.table({column: pa.array(sorted(values), pa.string())}))
    con.execute(f"INSERT INTO {table} SELECT * FROM erased_rows")
    con.unregister("erased_rows")


def _delete(
    con: duckdb.DuckDBPyConnection,
    table: str,
    column: str,
    names: str,
    removed: dict[str, int],
) -> None:
    query = f"DELETE FROM {table} WHERE {column} IN (SELECT {column} FROM {names})"
    (count,) = con.execute(query).fetchall()[0]
    if count:
        removed[table] = removed.get(table, 0) + int(count)


def erase_answers(con: duckdb.DuckDBPyConnection, traces: Traces) -> int:
    """Delete the stored answers that hold anything of the users; return how many.

    For warehouses of no domain, as evaluations and `redial calibrate` have one for their answers.
    """
    removed = 0
    with transaction(con):
        for table, said in _ANSWERS.items():
            rows = con.execute(f"SELECT rowid, concat_ws(' ', {said}) FROM {table}").fetchall()
            gone = [row_id for row_id, text in rows if traces.in_text(text)]
            con.execute(
                f"DELETE FROM {table} WHERE rowid IN (SELECT unnest($gone::BIGINT[]))",
                {"gone": gone},
            )
            removed += len(gone)
    return removed


def note_replaced(con: duckdb.DuckDBPyConnection, versions: Mapping[str, str]) -> None:
    """Have new versions of releases take the places of the old ones on record."""
    with transaction(con):
        for old, new in versions.items():
            for table in ("releases", "released_dialogues"):
                con.execute(f"DELETE FROM {table} WHERE version = ?", [new])
                con.execute(f"UPDATE {table} SET version = ? WHERE version = ?", [new, old])


def rewrite_file(path: Path) -> None:
    """Write a warehouse's rows into a new file that takes its place.

    DuckDB leaves the bytes of deleted rows in the file and reuses them later. Killed at any moment,
    one of the two files is there whole. Nobody else may have the file open.

    Raises OSError.
    """
    with duckdb.connect(str(path), config=this_machine().duckdb_settings) as con:
        con.execute("CHECKPOINT")
    with replacing(path) as fresh, duckdb.connect(config=this_machine().duckdb_settings) as con:
        con.execute("SET preserve_insertion_order = true")
        con.execute(f"ATTACH '{_quoted(path)}' AS old (READ_ONLY)")
        con.execute(f"ATTACH '{_quoted(fresh)}' AS fresh")
        con.execute("COPY FROM DATABASE old TO fresh")
        con.execute("CHECKPOINT fresh")
        con.execute("DETACH old")
        con.execute("DETACH fresh")
    Path(f"{path}.wal").unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
