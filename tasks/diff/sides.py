"""Finds what a name means (a domain, a release, a run) and reads it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tasks.diff.reading import (
    read_released,
    read_warehoused,
    released_turns,
    warehouse_counts,
    warehoused_turns,
)
from tasks.diff.values import Side, Turn, card_settings, flat
from tasks.errors import UserError
from tasks.release import CARD, FoundRelease, find_release
from tasks.settings import DOMAIN_NAME, Home
from tasks.warehouse import read_warehouse, rows

_RUN_ID = re.compile(r"[0-9a-f][0-9a-f-]{5,35}")
_COUNTED = (
    "briefs",
    "accepted",
    "rejected",
    "failed",
    "unasked",
    "dollars",
    "prompt tokens",
    "completion tokens",
)
_RUN = """
SELECT run_id, config, code_version, counts, state,
       strftime(started_at, '%Y-%m-%d %H:%M:%S') AS started_at,
       row_number() OVER (ORDER BY started_at DESC, run_id) = 1 AS newest
FROM runs
"""


def read_sides(home: Home, first: str, second: str) -> tuple[Side, Side]:
    """Read two things to compare; a bare `latest` is the latest release of the other one's domain.

    Raises UserError.
    """
    if first == second == "latest":
        raise UserError(
            "`latest` alone is the latest release of the other side's domain: "
            "name that one, or write DOMAIN/latest"
        )
    if first == "latest":
        other = read_side(home, second)
        return _latest_beside(home, other), other
    side = read_side(home, first)
    if second == "latest":
        return side, _latest_beside(home, side)
    return side, read_side(home, second)


def _latest_beside(home: Home, other: Side) -> Side:
    if not other.domain:
        raise UserError(
            f"{other.name} belongs to no domain here, so that `latest` beside it means nothing: "
            "write DOMAIN/latest"
        )
    return read_side(home, f"{other.domain}/latest")


def read_side(home: Home, name: str) -> Side:
    """Read a domain as its warehouse is now, a release, or a run.

    A release is named by its path, DOMAIN/VERSION, DOMAIN/latest or VERSION; a run by its id, the
    first six digits of it or more, or DOMAIN/ID. Of the newest run of a domain every dialogue is on
    record, of an earlier one those that it released, as long as that release is there.

    Raises:
        UserError: there is no such thing, the name fits several, or it cannot be read.
    """
    if home.is_domain(name):
        return _of_domain(home, name)
    release = find_release(home, name)
    if release:
        return _of_release(home, name, release)
    run = _find_run(home, name)
    if run:
        return run
    known = ", ".join(sorted(home.domain_files())) or "none"
    raise UserError(
        f"{name[:200]!r} is neither a domain ({known}), a release nor a run: "
        "`redial list` names them"
    )


def _of_domain(home: Home, name: str) -> Side:
    """Return a domain as its warehouse is now, with the settings of its newest run."""
    with read_warehouse(home.warehouse(name)) as con:
        newest = [run for run in rows(con, _RUN) if run["newest"]]
        side = _of_run(newest[0], name, name) if newest else Side(name, "domain", name)
        return replace(
            side,
            kind="domain",
            counts=warehouse_counts(con),
            dialogues=read_warehoused(con),
            complete=True,
        )


def _of_release(home: Home, name: str, release: FoundRelease) -> Side:
    """Return a release with the settings of its run, or with what its card says without one."""
    card = release.path / CARD
    settings = card_settings(card.read_text(encoding="utf-8")) if card.is_file() else {}
    bare = Side(
        name,
        "release",
        release.domain or "",
        version=release.version,
        settings=settings,
        code=settings.get("code", ""),
        dialogues=read_released(release.path),
    )
    if release.domain is None:
        return bare
    with suppress(UserError), read_warehouse(home.warehouse(release.domain)) as con:
        made = rows(
            con, "SELECT run_id, code_version FROM releases WHERE version = ?", [release.version]
        )
        run = rows(con, f"{_RUN} WHERE run_id = ?", [made[0]["run_id"]]) if made else []
        if run:
            return replace(
                _of_run(run[0], name, release.domain),
                kind="release",
                code=made[0]["code_version"],
                dialogues=bare.dialogues,
            )
    return bare


def _find_run(home: Home, name: str) -> Side | None:
    """Return the run that a name means, or None. Raises UserError if there are several."""
    domain, slash, run_id = name.rpartition("/")
    if not _RUN_ID.fullmatch(run_id) or (slash and not DOMAIN_NAME.fullmatch(domain)):
        return None
    paths = sorted((home.data / "warehouse").glob("*.duckdb"))
    if slash:
        paths = [home.warehouse(domain)]
    matching: list[tuple[str, dict[str, Any]]] = []  # domain and run
    problems: list[UserError] = []
    for path in paths:
        try:
            with read_warehouse(path) as con:
                runs = rows(con, _RUN)
        except UserError as problem:
            problems.append(problem)
            continue
        matching += [(path.stem, run) for run in runs if run["run_id"].startswith(run_id)]
    if len(matching) > 1:
        several = ", ".join(f"{where}/{run['run_id']}" for where, run in matching[:8])
        raise UserError(f"more than one run begins with {run_id}: {several}; give more of the id")
    if matching:
        ((where, run),) = matching
        return _with_dialogues(home, _of_run(run, name, where), newest=run["newest"])
    if problems:
        raise problems[0]
    return None


def _with_dialogues(home: Home, run: Side, *, newest: bool) -> Side:
    """Return a run with what is still on record of its dialogues."""
    if newest:
        with read_warehouse(home.warehouse(run.domain)) as con:
            return replace(run, dialogues=read_warehoused(con), complete=True)
    with suppress(UserError):  # damaged, or deleted since
        release = find_release(home, f"{run.domain}/{run.version}") if run.version else None
        if release:
            return replace(run, dialogues=read_released(release.path))
    return run


def _of_run(run: dict[str, Any], name: str, domain: str) -> Side:
    """Return a run by its record, without dialogues."""
    counts = _object(run["counts"])
    settings = flat(_object(run["config"]))
    # Two domains have two names: that is what is compared, not a difference between them.
    settings.pop("name", None)
    return Side(
        name,
        "run",
        domain,
        run_id=run["run_id"],
        version=str(counts.get("release") or ""),
        started_at=run["started_at"] or "",
        state=run["state"] or "",
        settings=settings,
        code=run["code_version"] or "",
        counts={key: counts[key] for key in _COUNTED if key in counts},
    )


def _object(text: str | None) -> dict[str, Any]:
    """Return a JSON object, empty where there is none."""
    value = json.loads(text or "{}")
    return value if isinstance(value, dict) else {}


def read_turns_of(home: Home, side: Side, dialogue_id: str) -> list[Turn]:
    """Return the turns of one dialogue of a side. Raises UserError."""
    if side.complete:
        with read_warehouse(home.warehouse(side.domain)) as con:
            return warehoused_turns(con, dialogue_id)
    name = f"{side.domain}/{side.version}" if side.domain and side.version else side.name
    release = find_release(home, name)
    return released_turns(release.path, dialogue_id) if release else []
