"""Takes users out of what Prefect servers of this data folder keep: runs, artifacts, events, logs.

Their databases are SQLite files in `data/prefect`. A run whose name, parameters, tasks or messages
hold anything of the users goes as a whole; so does each artifact, event and line of a log that
does. The file is written again afterwards, because SQLite leaves bytes of deleted rows in it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from tasks.erasure.pages import clean_lines, holds
from tasks.erasure.traces import Traces, files_below
from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock
from tasks.settings import Home

_DATABASE: Final = "prefect.db"
_BUSY_S: Final = 10.0
_TABLES: Final = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'"
# How a row tells its run, by table. Rows of other tables go alone.
_RUN_OF: Final = {
    "flow_run": "id",
    "flow_run_state": "flow_run_id",
    "task_run": "flow_run_id",
    "task_run_state": "(SELECT flow_run_id FROM task_run t WHERE t.id = task_run_id)",
}
# Rows of a run, in the order in which they go; `run` is its id.
_OF_RUN: Final = {
    "task_run_state": "task_run_id IN (SELECT id FROM task_run WHERE flow_run_id = :run)",
    "artifact_collection": "flow_run_id = :run",
    "artifact": "flow_run_id = :run",
    "log": "flow_run_id = :run",
    "task_run": "flow_run_id = :run",
    "flow_run_state": "flow_run_id = :run",
    "flow_run": "id = :run",
}
_ALONE: Final = ("artifact_collection", "artifact", "log", "event_resources", "events")


def clean_server_history(home: Home, traces: Traces) -> int:
    """Remove what Prefect's databases and files in the data folder hold of users; return how many.

    A run, or a row of another table, counts as one, a file and a line of a log too.

    Raises:
        UserError: a server is using a database, or it cannot be read.
    """
    removed = 0
    for path in list(files_below(home.data / "prefect")):
        if path.name == _DATABASE:
            removed += _clean_database(path, traces)
        elif path.suffix == ".log":
            removed += clean_lines(path, traces)
        elif path.parent.name == "storage" and holds(path, traces):
            path.unlink()
            removed += 1
    return removed


def _clean_database(path: Path, traces: Traces) -> int:
    try:
        with (
            exclusive_lock(path.with_name("lock")),
            closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as con,
        ):
            removed = _clean_rows(con, traces)
            if removed:
                con.execute("VACUUM")
            con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return removed
    except Held:
        raise UserError(
            f"a Prefect server uses {path}: stop it (`redial serve`, or a command that runs), then "
            "run the same command again"
        ) from None
    except sqlite3.Error as error:
        raise UserError(
            f"{path}, the history of runs, cannot be cleaned ({error}): remove it and run the same "
            "command again"
        ) from None


def _clean_rows(con: sqlite3.Connection, traces: Traces) -> int:
    tables = [name for (name,) in con.execute(_TABLES)]
    con.execute("BEGIN IMMEDIATE")
    runs = {
        run
        for table, run_of in _RUN_OF.items()
        if table in tables
        for run in _found(con, table, run_of, traces)
    }
    for run in runs:
        for table, condition in _OF_RUN.items():
            if table in tables:
                con.execute(f"DELETE FROM {table} WHERE {condition}", {"run": run})
    removed = len(runs)
    for table in _ALONE:
        if table in tables:
            rows = [(row_id,) for row_id in _found(con, table, "rowid", traces)]
            con.executemany(f"DELETE FROM {table} WHERE rowid = ?", rows)
            removed += len(rows)
    con.execute("COMMIT")
    return removed


def _found(con: sqlite3.Connection, table: str, wanted: str, traces: Traces) -> Iterator[str | int]:
    """Yield an expression's value for each row that holds anything of the users."""
    for value, *columns in con.execute(f"SELECT {wanted}, {table}.* FROM {table}").fetchall():
        if value is not None and any(traces.in_text(_plain(one)) for one in columns if one):
            yield value


def _plain(value: object) -> str:
    """Return a value as text, JSON without escapes."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if "\\" not in text:
        return text
    try:
        return json.dumps(json.loads(text), ensure_ascii=False).replace("\\n", " ")
    except ValueError:
        return text
