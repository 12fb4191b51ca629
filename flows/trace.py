"""`redial lineage`: finds what is meant, makes the requests again that were once asked, and gathers the way from source to release."""

from __future__ import annotations

from contextlib import suppress

from tasks.dialogue_store import find_dialogue
from tasks.errors import UserError
from tasks.lineage import (
    DialogueLineage,
    Rebuilt,
    ReleaseLineage,
    attempts_at,
    dialogue_lineage,
    release_lineage,
    settings_asked_with,
)
from tasks.quality import load_suites, rule_sentences
from tasks.release import find_release
from tasks.reports import replay
from tasks.settings import Domain, Home
from tasks.warehouse import Connection, read_warehouse


def trace(home: Home, of: str, domain: str = "") -> DialogueLineage | ReleaseLineage:
    """Trace a release by any of its names, or a dialogue by its id, in one domain if one is given.

    Raises UserError.
    """
    found = None if domain else find_release(home, of)
    if found is not None:
        if found.domain is None:
            raise UserError(
                f"{found.path} is not among the releases in {home.data}, whose warehouses tell where releases come from"
            )
        with read_warehouse(home.warehouse(found.domain)) as con:
            return release_lineage(con, found.domain, found.version)
    dialogue = find_dialogue(home, of, domain)
    with read_warehouse(home.warehouse(dialogue.domain)) as con:
        config = settings_asked_with(con, dialogue.dialogue_id)
        rules = _rule_names(home, config) if config else []
        rebuilt = _rebuild(con, home, config, dialogue.dialogue_id) if config else {}
        return dialogue_lineage(con, dialogue.domain, dialogue.dialogue_id, rules, rebuilt)


def _rule_names(home: Home, domain: Domain) -> list[str]:
    suites = load_suites(home, domain.quality.suites, domain.quality.severities)
    return sorted(rule_sentences(suites))


def _rebuild(
    con: Connection, home: Home, domain: Domain, dialogue_id: str
) -> dict[int, list[Rebuilt]]:
    """Make every request of each attempt again; one that is not what was asked then bears no key."""
    rebuilt: dict[int, list[Rebuilt]] = {}
    for attempt in attempts_at(con, dialogue_id):
        with suppress(UserError):  # a profile that is gone: its prompts cannot be made again
            asked = replay(con, home, domain, dialogue_id, attempt)
            rebuilt[attempt] = [
                Rebuilt(one.request_key if one.same else "", one.messages) for one in asked
            ]
    return rebuilt
