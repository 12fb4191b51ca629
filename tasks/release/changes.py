"""What is new in a release that grew from another: `changes.parquet`, and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tasks.machine import this_machine
from tasks.release.files import TABLES
from tasks.web import markdown_code, markdown_table

CHANGES: Final = "changes.parquet"
KINDS: Final = ("added", "changed", "removed", "unchanged")
_SCHEMA = pa.schema({"dialogue_id": pa.string(), "change": pa.string(), "since": pa.string()})
_COMPARED = """
WITH before AS (
    SELECT dialogue_id, list((turn, role, text) ORDER BY turn) AS said
    FROM read_parquet($before)
    GROUP BY dialogue_id
),
now AS (
    SELECT dialogue_id, list((turn, role, text) ORDER BY turn) AS said
    FROM read_parquet($now)
    GROUP BY dialogue_id
)
SELECT
    dialogue_id,
    CASE
        WHEN before.said IS NULL THEN 'added'
        WHEN now.said IS NULL THEN 'removed'
        WHEN before.said = now.said THEN 'unchanged'
        ELSE 'changed'
    END AS change
FROM before
FULL JOIN now USING (dialogue_id)
ORDER BY change, dialogue_id
"""


@dataclass(frozen=True)
class Changes:
    """How many dialogues of a release are new since an earlier version, by kind of change."""

    since: str
    counts: Mapping[str, int]


def write_changes(folder: Path, before: Path) -> Changes | None:
    """Write `changes.parquet` into a release: each dialogue that differs from an earlier release.

    A release whose dialogues are those of the earlier one says what that one says, so that
    building again gives the same bytes.

    Args:
        folder: the release, its tables written.
        before: the folder of the earlier release.

    Returns:
        None where nothing is known to have changed, and nothing is written.
    """
    utterances = f"{TABLES}/utterances.parquet"
    if not (before / utterances).is_file():
        return None
    paths = {"before": str(before / utterances), "now": str(folder / utterances)}
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        rows = con.execute(_COMPARED, paths).fetchall()
    changed = [row for row in rows if row[1] != "unchanged"]
    if not changed:
        return _copied(folder, before, len(rows))
    table = [(dialogue_id, change, before.name) for dialogue_id, change in changed]
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*table, strict=True), _SCHEMA, strict=True)
    ]
    pq.write_table(pa.table(columns, schema=_SCHEMA), folder / CHANGES)
    return _counted(before.name, [change for _, change in rows])


def version_before(folder: Path) -> str | None:
    """Return the version that a release grew from; None for one that does not say so."""
    path = folder / CHANGES
    if not path.is_file():
        return None
    rows = pq.read_table(path, columns=["since"])["since"]
    return str(rows[0].as_py()) if len(rows) else None


def _copied(folder: Path, before: Path, dialogues: int) -> Changes | None:
    """Take over what the earlier release says of its own changes, if it says anything."""
    if not (before / CHANGES).is_file():
        return None
    (folder / CHANGES).write_bytes((before / CHANGES).read_bytes())
    table = pq.read_table(folder / CHANGES)
    listed = table["change"].to_pylist()
    here = sum(change != "removed" for change in listed)
    return _counted(table["since"][0].as_py(), [*listed, *["unchanged"] * (dialogues - here)])


def _counted(since: str, changes: list[str]) -> Changes:
    return Changes(since, {kind: changes.count(kind) for kind in KINDS if kind in changes})


def what_is_new(changes: Changes) -> str:
    """Return the section of a card on what is new."""
    rows = [(kind, f"{count:,}") for kind, count in changes.counts.items()]
    return (
        f"\n## What is new since version {markdown_code(changes.since)}\n\n"
        f"{markdown_table(('dialogues', 'number'), rows)}\n"
        f"`{CHANGES}` lists them by id.\n"
    )
