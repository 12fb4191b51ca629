"""What there is in a data folder: domains, releases and runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tasks.errors import UserError
from tasks.settings import DOMAIN_NAME, Home
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import Rows, read_warehouse, rows

_COUNTS: Final = f"""
WITH {BRIEF_VERDICTS},
newest AS (SELECT state, started_at FROM runs ORDER BY started_at DESC, run_id LIMIT 1)
SELECT (SELECT count(*) FROM brief_verdicts) AS briefs,
       (SELECT count(*) FROM brief_verdicts WHERE verdict = 'accepted') AS accepted,
       (SELECT count(*) FROM runs) AS runs,
       (SELECT state FROM newest) AS last_state,
       (SELECT strftime(started_at, '%Y-%m-%d %H:%M:%S') FROM newest) AS last_started_at
"""
_RUNS: Final = """
SELECT run_id, flow, state, strftime(started_at, '%Y-%m-%d %H:%M:%S') AS started_at,
       strftime(finished_at, '%Y-%m-%d %H:%M:%S') AS finished_at, code_version AS code,
       json_extract_string(config, '$.generate.model') AS model, (json_extract_string(counts, '$.accepted'))::BIGINT AS accepted,
       json_extract_string(counts, '$.release') AS release
FROM runs ORDER BY started_at DESC, run_id LIMIT $limit
"""
_DIALOGUES: Final = "SELECT version, dialogues FROM releases"


def list_domains(home: Home) -> Rows:
    """Return every domain that has a file or a warehouse, and what its warehouse holds; `problem` says why that cannot be read."""
    files = home.domain_files()
    names = {*files, *(path.stem for path in _warehouses(home))}
    return [_domain(home, name, files.get(name)) for name in sorted(names)]


def _domain(home: Home, name: str, file: Path | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "domain": name,
        "file": str(file) if file else None,
        "briefs": None,
        "accepted": None,
        "runs": None,
        "last_state": None,
        "last_started_at": None,
        "latest_release": _latest(home, name),
        "problem": "",
    }
    if not home.warehouse(name).exists():
        return found
    try:
        with read_warehouse(home.warehouse(name)) as con:
            return {**found, **rows(con, _COUNTS)[0]}
    except UserError as problem:
        return {**found, "problem": str(problem)}


def list_releases(home: Home, domain: str = "") -> Rows:
    """Return every release folder, of one domain or of all, the newest of each domain first; times are UTC."""
    found: Rows = []
    for folder in sorted((home.data / "releases").glob("*")):
        if DOMAIN_NAME.fullmatch(folder.name) and domain in ("", folder.name):
            found += _releases(home, folder)
    return found


def _releases(home: Home, folder: Path) -> Rows:
    noted = _noted(home, folder.name)
    latest = _latest(home, folder.name)
    places = [place for place in folder.iterdir() if place.is_dir() and not place.name.startswith(".")]
    return [
        {
            "domain": folder.name,
            "version": place.name,
            "latest": place.name == latest,
            "dialogues": noted.get(place.name),
            "written_at": datetime.fromtimestamp(place.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "path": str(place),
        }
        for place in sorted(places, key=lambda place: (-place.stat().st_mtime, place.name))
    ]


def _noted(home: Home, domain: str) -> dict[str, int]:
    """Return the dialogues of each release that the domain's warehouse knows; nothing where it cannot be read."""
    try:
        with read_warehouse(home.warehouse(domain)) as con:
            return {row["version"]: row["dialogues"] for row in rows(con, _DIALOGUES)}
    except UserError:
        return {}


def list_runs(home: Home, domain: str = "", limit: int = 20) -> tuple[Rows, list[str]]:
    """Return the newest runs of one domain or of all, at most so many, and why warehouses cannot be read; times are UTC."""
    found: Rows = []
    problems = []
    for path in _warehouses(home):
        if domain not in ("", path.stem):
            continue
        try:
            with read_warehouse(path) as con:
                found += [{"domain": path.stem, **row} for row in rows(con, _RUNS, {"limit": limit})]
        except UserError as problem:
            problems.append(str(problem))
    return sorted(found, key=lambda run: run["started_at"] or "", reverse=True)[:limit], problems


def _warehouses(home: Home) -> list[Path]:
    return [path for path in sorted((home.data / "warehouse").glob("*.duckdb")) if DOMAIN_NAME.fullmatch(path.stem)]


def _latest(home: Home, domain: str) -> str | None:
    try:
        return (home.releases(domain) / "latest").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
