"""`redial lineage`: finds what is meant, makes the requests again that were once asked, and gathers the way from source to release."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import duckdb
from pydantic import ValidationError

from flows import steps
from tasks.errors import UserError
from tasks.lineage import DialogueLineage, Rebuilt, ReleaseLineage, dialogue_lineage, release_lineage
from tasks.lookup import find_dialogue
from tasks.reports.replay import replay
from tasks.settings import Domain, Home
from tasks.warehouse import read_warehouse


def trace(home: Home, of: str) -> DialogueLineage | ReleaseLineage:
    """Trace a dialogue by its id, or a release by its folder or version. Raises UserError when there is no such thing."""
    found = find_release(home, of)
    if found is not None:
        domain, version = found
        with read_warehouse(home.warehouse(domain)) as con:
            return release_lineage(con, domain, version)
    dialogue = find_dialogue(home, of)
    with read_warehouse(home.warehouse(dialogue.domain)) as con:
        config = _config_of(con, dialogue.dialogue_id)
        rules = sorted(steps.rule_sentences(home, config)) if config else []
        rebuilt = _rebuild(con, home, config, dialogue.dialogue_id) if config else {}
        return dialogue_lineage(con, dialogue.domain, dialogue.dialogue_id, rules, rebuilt)


def find_release(home: Home, of: str) -> tuple[str, str] | None:
    """Return a release's domain and version, given as its folder, as DOMAIN/VERSION, as VERSION or as DOMAIN/latest; None if it is none."""
    path = Path(of)
    for folder in (path.resolve(), home.data / "releases" / of):
        if folder.name == "latest" and folder.is_file():
            return folder.parent.name, folder.read_text("utf-8").strip()
        if folder.is_dir() and folder.parent.parent.name == "releases":
            return folder.parent.name, folder.name
    if path.name != of:
        return None
    found = [folder for folder in (home.data / "releases").glob("*/*") if folder.name == of and folder.is_dir()]
    return (found[0].parent.name, of) if len(found) == 1 else None


def _config_of(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> Domain | None:
    """Return the settings of the run that last asked for the dialogue, as it wrote them down; None if it is not known."""
    rows = con.execute(
        "SELECT r.config FROM transcripts t JOIN runs r USING (run_id) WHERE t.dialogue_id = ? ORDER BY t.attempt DESC LIMIT 1",
        [dialogue_id],
    ).fetchall()
    try:
        return Domain.model_validate_json(rows[0][0]) if rows else None
    except ValidationError:
        return None  # settings of an older version, which today's code cannot read


def _rebuild(con: duckdb.DuckDBPyConnection, home: Home, domain: Domain, dialogue_id: str) -> dict[int, list[Rebuilt]]:
    """Make every request of each attempt again; one that is not what was asked then bears no key."""
    attempts = con.execute("SELECT attempt FROM transcripts WHERE dialogue_id = ? ORDER BY attempt", [dialogue_id]).fetchall()
    rebuilt: dict[int, list[Rebuilt]] = {}
    for (attempt,) in attempts:
        with suppress(UserError):  # a profile that is gone: its prompts cannot be made again
            asked = replay(con, home, domain, dialogue_id, attempt)
            rebuilt[attempt] = [Rebuilt(one.request_key if one.same else "", one.messages) for one in asked]
    return rebuilt
