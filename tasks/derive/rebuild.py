"""What it takes to make a release again elsewhere, and whether the bytes are the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tasks.release import broken_sums, listed_sums
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse

_ANSWERS = ("responses", "unusable_answers")


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
    if not source.is_file():
        return
    for table in _ANSWERS:
        with read_warehouse(source) as con:
            rows = con.execute(f"SELECT * FROM {table}").to_arrow_table()
        with open_warehouse(target) as con:
            con.register("stored_answers", rows)
            con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM stored_answers")
            con.unregister("stored_answers")


def differing_files(one: Path, other: Path) -> list[str]:
    """Return the files in which two releases differ, or that only one of them has."""
    first, second = listed_sums(one), listed_sums(other)
    names = {name for name in first.keys() & second.keys() if first[name] != second[name]}
    damaged = ["SHA256SUMS"] if broken_sums(one) else []
    return sorted({*names, *(first.keys() ^ second.keys()), *damaged})
