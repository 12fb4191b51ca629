"""`redial lineage`: finds what is meant, makes the requests again that were once asked, and gathers the way from source to release."""

from __future__ import annotations

from contextlib import suppress

import duckdb
from pydantic import ValidationError

from flows import steps
from tasks.errors import UserError
from tasks.lineage import DialogueLineage, Rebuilt, ReleaseLineage, dialogue_lineage, release_lineage
from tasks.lookup import find_dialogue
from tasks.release import find_release
from tasks.reports.replay import replay
from tasks.settings import Domain, Home
from tasks.warehouse import read_warehouse


def trace(home: Home, of: str) -> DialogueLineage | ReleaseLineage:
    """Trace a dialogue by its id, or a release by whatever name it has. Raises UserError when there is no such thing."""
    found = find_release(home, of)
    if found is not None:
        if found.domain is None:
            raise UserError(f"{found.path} is not among the releases in {home.data}, whose warehouses tell where releases come from")
        with read_warehouse(home.warehouse(found.domain)) as con:
            return release_lineage(con, found.domain, found.version)
    dialogue = find_dialogue(home, of)
    with read_warehouse(home.warehouse(dialogue.domain)) as con:
        config = _config_of(con, dialogue.dialogue_id)
        rules = sorted(steps.rule_sentences(home, config)) if config else []
        rebuilt = _rebuild(con, home, config, dialogue.dialogue_id) if config else {}
        return dialogue_lineage(con, dialogue.domain, dialogue.dialogue_id, rules, rebuilt)


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
