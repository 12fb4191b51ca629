"""What it takes to make a release again elsewhere, and whether the bytes are the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.release import broken_sums, listed_sums
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse

# Answers of builds that began after the release was last written or confirmed are not of it.
_THEN = """
WITH written AS (
    SELECT started_at FROM runs SEMI JOIN (FROM releases WHERE version = $version) USING (run_id)
),
later AS (SELECT run_id FROM runs JOIN written ON runs.started_at > written.started_at),
answers AS (SELECT * FROM responses ANTI JOIN later USING (run_id)),
released AS (SELECT * FROM released_dialogues WHERE version = $version),
asked AS (SELECT dialogue_id FROM answers UNION SELECT dialogue_id FROM released),
planned AS (SELECT * FROM briefs SEMI JOIN asked USING (dialogue_id)),
targets AS (SELECT user_id, target_item_id AS item_id FROM planned)
"""
_ANSWERS: Final = {
    "responses": "SELECT * FROM responses",
    "unusable_answers": "SELECT * FROM unusable_answers",
}
_GROWN: Final = {
    "responses": "SELECT * FROM answers",
    "unusable_answers": "SELECT * FROM unusable_answers ANTI JOIN later USING (run_id)",
    "released_dialogues": "SELECT * FROM released",
    "briefs": "SELECT * FROM planned",
    "brief_items": "SELECT * FROM brief_items SEMI JOIN planned USING (dialogue_id)",
    "template_turns": "SELECT * FROM template_turns SEMI JOIN planned USING (template_id)",
    "template_slots": "SELECT * FROM template_slots SEMI JOIN planned USING (template_id)",
    "preferences": """
        SELECT * FROM preferences SEMI JOIN planned USING (user_id)
        WHERE collection <> 'MIGHT_LIKES' OR (user_id, item_id) IN (FROM targets)
    """,
}
"""Rows from which a grown release was planned, by table; `briefs.grow` keeps them."""


def write_domain(home: Home, settings: Mapping[str, Any], sources: Path) -> None:
    """Write the domain file of a release's settings, with its source files in a folder."""
    files = dict(settings["sources"])
    for kind in ("reviews", "metadata"):
        files[kind] = [
            {**entry, "path": str(sources.absolute() / entry["path"])} for entry in files[kind]
        ]
    path = home.data / "domains" / f"{settings['name']}.yaml"
    path.parent.mkdir(parents=True)
    text = yaml.safe_dump({**settings, "sources": files}, sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def copy_answers(source: Path, target: Path) -> None:
    """Copy the stored answers of a warehouse, if there is one, into a new one.

    Raises UserError if a build is running there.
    """
    if source.is_file():
        _copy(source, target, _ANSWERS, {})


def copy_grown(source: Path, target: Path, version: str) -> None:
    """Copy what a grown release was planned from, with its answers, into a new warehouse.

    Raises:
        UserError: there is no warehouse, it does not know the release, or a build is running there.
    """
    if not source.is_file():
        raise UserError(
            f"release {version} grew, and the warehouse {source} with the briefs that it kept is "
            "not here"
        )
    with read_warehouse(source) as con:
        if not con.execute("SELECT 1 FROM releases WHERE version = ?", [version]).fetchall():
            raise UserError(f"the warehouse {source} knows no release {version!r}")
    queries = {table: f"{_THEN} {query}" for table, query in _GROWN.items()}
    _copy(source, target, queries, {"version": version})


def _copy(
    source: Path, target: Path, queries: Mapping[str, str], values: Mapping[str, str]
) -> None:
    for table, query in queries.items():
        with read_warehouse(source) as con:
            rows = con.sql(query, params=dict(values)).to_arrow_table()
        with open_warehouse(target) as con:
            con.register("stored_rows", rows)
            con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM stored_rows")
            con.unregister("stored_rows")


def lend_release(folder: Path, home: Home, domain: str) -> None:
    """Make a release the latest of a domain in another data folder, on the same disk."""
    releases = home.releases(domain)
    shutil.copytree(folder, releases / folder.name, copy_function=os.link)
    write_atomically(releases / "latest", folder.name + "\n")


def differing_files(one: Path, other: Path) -> list[str]:
    """Return the files in which two releases differ, or that only one of them has."""
    first, second = listed_sums(one), listed_sums(other)
    names = {name for name in first.keys() & second.keys() if first[name] != second[name]}
    damaged = ["SHA256SUMS"] if broken_sums(one) else []
    return sorted({*names, *(first.keys() ^ second.keys()), *damaged})
