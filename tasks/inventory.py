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
newest AS (
    SELECT state, strftime(started_at, '%Y-%m-%d %H:%M:%S') AS started_at
    FROM runs
    ORDER BY runs.started_at DESC, run_id
    LIMIT 1
)
SELECT
    (SELECT count(*) FROM brief_verdicts) AS briefs,
    (SELECT count(*) FROM brief_verdicts WHERE verdict = 'accepted') AS accepted,
    (SELECT count(*) FROM runs) AS runs,
    (SELECT state FROM newest) AS last_state,
    (SELECT started_at FROM newest) AS last_started_at
"""
_RUNS: Final = """
SELECT
    run_id,
    flow,
    state,
    strftime(started_at, '%Y-%m-%d %H:%M:%S') AS started_at,
    strftime(finished_at, '%Y-%m-%d %H:%M:%S') AS finished_at,
    code_version AS code,
    json_extract_string(config, '$.generate.model') AS model,
    json_extract_string(counts, '$.accepted')::BIGINT AS accepted,
    json_extract_string(counts, '$.release') AS release
FROM runs
ORDER BY runs.started_at DESC, run_id
LIMIT $limit
"""
_DIALOGUES: Final = "SELECT version, dialogues FROM releases"


def list_domains(home: Home) -> Rows:
    """Return every domain that has a file or a warehouse, with what its warehouse has.

    `problem` says why the warehouse cannot be read; it is empty if it can, or if there is none.
    Times are UTC.
    """
    files = home.domain_files()
    names = {*files, *(path.stem for path in _warehouses(home))}
    return [_domain(home, name, files.get(name)) for name in sorted(names)]


def _domain(home: Home, name: str, file: Path | None) -> dict[str, Any]:
    row: dict[str, Any] = {
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
        return row
    try:
        with read_warehouse(home.warehouse(name)) as con:
            return {**row, **rows(con, _COUNTS)[0]}
    except UserError as problem:
        return {**row, "problem": str(problem)}


def list_releases(home: Home, domain: str = "") -> Rows:
    """Return every release folder of one domain or of all, the newest of each domain first.

    Times are UTC.
    """
    rows: Rows = []
    for folder in sorted((home.data / "releases").glob("*")):
        if DOMAIN_NAME.fullmatch(folder.name) and domain in ("", folder.name):
            rows += _releases(home, folder)
    return rows


def _releases(home: Home, folder: Path) -> Rows:
    counts = _dialogue_counts(home, folder.name)
    latest = _latest(home, folder.name)
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    releases = [entry for entry in entries if entry.is_dir()]
    return [
        {
            "domain": folder.name,
            "version": release.name,
            "latest": release.name == latest,
            "dialogues": counts.get(release.name),
            "written_at": _written_at(release),
            "path": str(release),
        }
        for release in sorted(releases, key=lambda path: (-path.stat().st_mtime, path.name))
    ]


def _written_at(release: Path) -> str:
    return datetime.fromtimestamp(release.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _dialogue_counts(home: Home, domain: str) -> dict[str, int]:
    """Return the dialogues of each release in the warehouse; nothing if it cannot be read."""
    try:
        with read_warehouse(home.warehouse(domain)) as con:
            return {row["version"]: row["dialogues"] for row in rows(con, _DIALOGUES)}
    except UserError:
        return {}


def list_runs(home: Home, domain: str = "", limit: int = 20) -> tuple[Rows, list[str]]:
    """Return the newest runs of one domain or of all.

    Returns:
        At most `limit` runs, their times in UTC, and why warehouses cannot be read, one line each.
    """
    found: Rows = []
    problems = []
    for path in _warehouses(home):
        if domain not in ("", path.stem):
            continue
        try:
            with read_warehouse(path) as con:
                runs = rows(con, _RUNS, {"limit": limit})
        except UserError as problem:
            problems.append(str(problem))
            continue
        found += [{"domain": path.stem, **run} for run in runs]
    newest = sorted(found, key=lambda run: run["started_at"] or "", reverse=True)
    return newest[:limit], problems


def _warehouses(home: Home) -> list[Path]:
    paths = sorted((home.data / "warehouse").glob("*.duckdb"))
    return [path for path in paths if DOMAIN_NAME.fullmatch(path.stem)]


def _latest(home: Home, domain: str) -> str | None:
    try:
        return (home.releases(domain) / "latest").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
