"""Brings the warehouse of an earlier version up to date without losing what was paid for.

The tables' layout has a version, which is a comment on the table `runs`. Columns that were only
added are added when a warehouse is opened (`tables.py`). Any other change needs an upgrade:
answers, marks, the record of runs and releases and the briefs that a dataset grows from move into
new tables, and the next build makes all other rows again, from these answers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from tasks.errors import UserError
from tasks.files import replacing
from tasks.machine import this_machine
from tasks.warehouse.tables import LAYOUT, TABLES, create_tables, layout_of, schema_mismatches

KEPT: Final = (
    "responses",
    "unusable_answers",
    "marks",
    "runs",
    "run_figures",
    "releases",
    "released_dialogues",
)
"""Tables that no build can make again."""
PLANNED: Final = ("briefs", "brief_items", "preferences", "template_turns", "template_slots")
"""What a dataset grows from (`briefs.grow`): taken over together, if all have today's columns."""
_COLUMNS = """
SELECT column_name
FROM duckdb_columns()
WHERE database_name = 'earlier' AND table_name = ?
ORDER BY column_index
"""


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did.

    Attributes:
        before: version of the layout that it found; 0 for one without.
        rows: rows taken over, by table; empty where there was nothing to do.
        backup: the file as it was; None where there was nothing to do.
    """

    before: int
    rows: Mapping[str, int] = field(default_factory=dict)
    backup: Path | None = None


def upgrade_warehouse(path: Path) -> Upgraded:
    """Bring a warehouse up to date; one that is stays as it is. The caller holds the domain.

    Killed at any moment, the old or the new file is there whole.

    Raises:
        UserError: there is none, it cannot be opened, or a newer version wrote it.
    """
    if not path.is_file():
        raise UserError(f"there is no warehouse {path}, so there is nothing to upgrade")
    before, differs = _look(path)
    if before > LAYOUT:
        raise UserError(
            f"the warehouse {path} has layout {before}, and this version knows {LAYOUT}: use the "
            "version that wrote it, or a newer one"
        )
    if not differs:
        return Upgraded(before)
    backup = path.with_name(f"{path.name}.layout-{before}")
    with replacing(path) as fresh:
        rows = _take_over(path, fresh)
        backup.unlink(missing_ok=True)
        os.link(path, backup)
    return Upgraded(before, rows, backup)


def _look(path: Path) -> tuple[int, bool]:
    """Return the version of a file's layout, and whether tables have other columns."""
    try:
        with duckdb.connect(str(path), config=this_machine().duckdb_settings) as con:
            con.execute("CHECKPOINT")
            return layout_of(con), bool(schema_mismatches(con)[1])
    except duckdb.Error as error:
        raise UserError(
            f"the warehouse {path} cannot be opened ({str(error).splitlines()[0]}): put a good "
            "copy there"
        ) from None


def _take_over(path: Path, fresh: Path) -> dict[str, int]:
    taken = {}
    with duckdb.connect(str(fresh), config=this_machine().duckdb_settings) as con:
        create_tables(con)
        con.execute("ATTACH '{}' AS earlier (READ_ONLY)".format(str(path).replace("'", "''")))
        shared = {table: _shared_columns(con, table) for table in (*KEPT, *PLANNED)}
        whole = all(shared[table] == TABLES[table].column_names() for table in PLANNED)
        for table in (*KEPT, *PLANNED) if whole else KEPT:
            if set(TABLES[table].key) <= set(shared[table]):
                columns = ", ".join(shared[table])
                con.execute(f"INSERT INTO {table} BY NAME SELECT {columns} FROM earlier.{table}")
                taken[table] = int(con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])
        con.execute("DETACH earlier")
        con.execute("CHECKPOINT")
    return {table: count for table, count in taken.items() if count}


def _shared_columns(con: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    there = [name for (name,) in con.execute(_COLUMNS, [table]).fetchall()]
    return [name for name in TABLES[table].column_names() if name in there]
